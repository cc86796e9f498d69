"""docs/adding-a-detection.md, done word for word in a copy of the repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Sequence

import pytest

from lab.copies import copy_app, environment, generate
from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.support.effort import MANY

NAME = "aws_cloud_shell"
TESTS = (
    "lab", "demo", "bench", "tests", "pyproject.toml", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "static", "viewer", "LICENSE", "NOTICE",
)  # fmt: skip
UNITS = (
    "alerts", "catalogue", "docs", "enabling", "explain", "export", "generate", "guide", "invariance", "judging",
    "prepared_rows", "reader", "rooms", "settings", "side_scopes", "verdicts", "words",
)  # fmt: skip
ABOUT_CONTENT = (
    "tests/scenarios", "tests/conf", "tests/spl/test_conf.py", *(f"tests/unit/test_{name}.py" for name in UNITS),
)  # fmt: skip
"""Everything that looks at detections and at what is generated of them."""
DAY = 86_400


def follow_the_page(copy: Path, more: Sequence[str] = ()) -> None:
    """Copies the app, and `more` of the repository, puts the page's two files into it and runs the first half of its
    command."""
    copy_app(copy, more)
    page = (APP_DIR / "docs" / "adding-a-detection.md").read_text("utf-8")
    detection, scenarios = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    folder = copy / "content" / "detections" / NAME
    folder.mkdir()
    (folder / "detection.yml").write_text(detection, "utf-8")
    (folder / "scenarios.yml").write_text(scenarios, "utf-8")
    generate(copy)


def open_shell(day: int, user: str) -> Event:
    account = "111111111111"
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "accountId": account, "userName": user}
    log = {
        "eventVersion": "1.08", "userIdentity": who, "eventTime": f"2026-01-{day + 1:02}T12:00:00Z",
        "eventSource": "cloudshell.amazonaws.com", "eventName": "CreateSession", "awsRegion": "us-east-1",
        "sourceIPAddress": "84.80.124.7", "eventID": f"{user}-{day}", "recipientAccountId": account,
    }  # fmt: skip
    time = 1_767_268_800 + day * DAY
    return Event(time, time, "main", "aws:cloudtrail", "test", "test", json.dumps(log))


def test_the_page_leads_to_a_detection_that_works(tmp_path: Path) -> None:
    """The second half: every test that looks at content, with the new detection among the others."""
    copy = tmp_path / "app"
    follow_the_page(copy, TESTS)
    # Of what is tried for every detection, for this one.
    mine = ["-k", f"{NAME} or not (scenarios or invariance or judging or verdicts)", *ABOUT_CONTENT]
    command = [sys.executable, "-m", "pytest", "-x", "-n", "2", *mine]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=environment(copy))
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not MANY, reason="takes as long as the whole suite; CBA_EXAMPLES=many runs it")
def test_the_whole_suite_passes_in_such_a_copy(tmp_path: Path) -> None:
    copy = tmp_path / "app"
    follow_the_page(copy, (*TESTS, ".ci", "dev", "requirements-dev.txt"))
    usual = {name: value for name, value in environment(copy).items() if name != "CBA_EXAMPLES"}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "--tb=short"]
    # This file would copy the copy.
    command += ["--ignore", "tests/replay/test_adding_a_detection.py"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=usual)
    assert done.returncode == 0, done.stdout[-20_000:]


def test_it_raises_from_raw_logs(tmp_path: Path) -> None:
    follow_the_page(tmp_path / "app")
    # In processes of their own: this one has the shipped detections loaded already.
    with SearchHead(tmp_path / "app", tmp_path / "state", mode="process") as head:
        head.events.add([*(open_shell(day, "ada") for day in range(24)), open_shell(24, "eve")])
        findings = replay(head, "1d", enable=["CBA - aws - Judge"])
    mine = [finding for finding in findings if finding["detection"] == NAME]
    assert [(f["variation"], f["identity"], f["first_time"]) for f in mine] == [
        ("v1", "arn:aws:iam::111111111111:user/eve", "2026-01-25T12:00:00Z")
    ]
