"""AppInspect's report against the allow-list of warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from archive import PackageError, verdict
from archive.verdict import Allowed, Message

ROOT = Path(__file__).resolve().parents[2]


def check(name: str, result: str, *messages: tuple[str, str, str]) -> dict[str, Any]:
    said = [{"result": r, "message": text, "message_filename": file} for r, text, file in messages]
    return {"name": name, "result": result, "description": f"what {name} looks for", "messages": said}


def report(*checks: dict[str, Any]) -> dict[str, Any]:
    return {"reports": [{"app_name": "my_app", "groups": [{"checks": list(checks)}]}]}


REPORT = report(
    check("check_fine", "success"),
    check("check_absent", "not_applicable"),
    check(
        "check_threads", "warning", ("warning", "a thread", "my_app/lib/x.py"), ("warning", "a thread", "bin/mine.py")
    ),
    check("check_any", "warning", ("warning", "there are scripts", "None")),
    check("check_cron", "failure", ("failure", "bad cron", "default/savedsearches.conf")),
    check("check_broken", "error"),
    check("check_later", "future_failure", ("future_failure", "from 11.0 on", "None")),
)


def test_messages_and_counts() -> None:
    assert verdict.messages(REPORT) == [
        Message("check_threads", "warning", "a thread", "lib/x.py"),
        Message("check_threads", "warning", "a thread", "bin/mine.py"),
        Message("check_any", "warning", "there are scripts"),
        Message("check_cron", "failure", "bad cron", "default/savedsearches.conf"),
        Message("check_broken", "error", "what check_broken looks for"),
        Message("check_later", "future_failure", "from 11.0 on"),
    ]
    counts = verdict.counts(REPORT)
    assert (counts["success"], counts["warning"], counts["failure"], counts["error"]) == (1, 2, 1, 1)


def test_only_listed_warnings_are_acceptable_and_only_where_they_are_listed() -> None:
    allowed = [
        Allowed("check_threads", "not ours", ("lib/",)),
        Allowed("check_any", "always said"),
        Allowed("check_cron", "x"),
    ]
    found = verdict.messages(REPORT)
    assert [str(message) for message in verdict.unacceptable(found, allowed)] == [
        "warning check_threads [bin/mine.py]: a thread",
        "failure check_cron [default/savedsearches.conf]: bad cron",
        "error check_broken: what check_broken looks for",
        "future_failure check_later: from 11.0 on",
    ]
    assert [entry.check for entry in verdict.unused(found, allowed)] == ["check_cron"], "a failure cannot be allowed"


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({"check": "a"}, ["the allow-list is a list of entries with check, reason and, where it helps, within"]),
        (None, ["the allow-list is a list of entries with check, reason and, where it helps, within"]),
        (
            ["a", {"check": "b"}, {"check": "c", "reason": " ", "file": "x"}, {"check": "d", "reason": "r", "within": "lib/"}],
            [
                "entry 1 is not a mapping of check, reason, within",
                "entry 2: reason is missing or no text",
                "entry 3: unknown key file",
                "entry 3: reason is missing or no text",
                "entry 4: within is a list of paths",
            ],
        ),
    ],
)  # fmt: skip
def test_faults_of_the_list_are_said_at_once(document: Any, faults: list[str]) -> None:
    with pytest.raises(PackageError) as error:
        verdict.allow_list(document)
    assert list(error.value.faults) == faults


def test_the_committed_list_can_be_read_and_gives_reasons() -> None:
    entries = verdict.allow_list(yaml.safe_load((ROOT / "package/appinspect-allow.yml").read_text("utf-8")))
    assert entries and all(len(entry.reason) > 40 for entry in entries)
    assert len({entry.check for entry in entries}) == len(entries)
    assert not any(path.startswith(("bin/", "default/")) for entry in entries for path in entry.within), (
        "not for our own code"
    )
