"""A replay leaves out alerts that have nothing to look at; what is raised is the same as if it did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.events import Event
from lab.replay import APP_DIR, is_shipped_schedule, replay
from lab.searchhead import SearchHead

ACCOUNT = "111111111111"
START = 1_767_225_600
DAY = 86_400


def login(day: int, user: str) -> Event:
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}", "accountId": ACCOUNT, "userName": user}
    time = START + day * DAY + 43_200
    log = {
        "eventVersion": "1.08", "userIdentity": who, "eventTime": f"2026-01-{day + 1:02}T12:00:00Z",
        "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": "us-east-1",
        "sourceIPAddress": "84.80.124.7", "eventID": f"{user}-{day}", "recipientAccountId": ACCOUNT,
        "responseElements": {"ConsoleLogin": "Success"},
    }  # fmt: skip
    return Event(time, time + 300, "main", "aws:cloudtrail", "test", "test", json.dumps(log))


EVENTS = [*(login(day, "ada") for day in range(24)), login(20, "eve"), login(22, "bob")]


def raised(head: SearchHead) -> list[tuple[Any, ...]]:
    """The notable events, and what the alerts keep of them."""
    notables = head.search("search index=notable", latest="+10y").rows
    kept = [each for each in head.kv.collection("cba_alerts").find() if "alert" in each]
    return [
        *sorted((row["finding_id"], row["rule_title"], row["_time"]) for row in notables),
        *sorted((each["_key"], each["alert"]) for each in kept),
    ]


def test_every_finding_is_raised_by_fewer_runs(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path / "all") as head:
        head.enable(search.name for search in head.scheduler.selected(is_shipped_schedule) if not search.enabled)
        head.events.add(EVENTS)
        every_run = head.scheduler.replay(START, START + 26 * DAY, "1d", is_shipped_schedule).runs
        expected = raised(head)
    with SearchHead(APP_DIR, tmp_path / "few") as head:
        head.events.add(EVENTS)
        runs = []
        dispatch = head.scheduler._search
        head.scheduler._search = lambda search, run: runs.append(run) or dispatch(search, run)  # type: ignore[func-returns-value]
        findings = replay(head, "1d")
        assert raised(head) == expected
    assert [finding["identity"].split("/")[-1] for finding in findings] == ["eve", "bob"]
    assert len(expected) == 4
    assert len(runs) < every_run / 3
