"""The parts together: events in, a scheduled search with a command, the KV store, a notable event out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from lab.ahead import Ahead
from lab.events import Event
from lab.scheduler import CADENCES
from lab.searchhead import SearchHead
from tests.support.small_app import write_app

DAY = 1_767_225_600
LIB = Path(__file__).resolve().parents[2] / "lib"

COMMAND = f"""
import sys
sys.path.insert(0, {str(LIB)!r})
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch

@Configuration(distributed=False)
class KeepCommand(StreamingCommand):
    def prepare(self):
        self.configuration.required_fields = ["who", "hour"]

    def stream(self, records):
        batch = []
        for record in records:
            batch.append({{"_key": record["who"], "who": record["who"], "hour": float(record["hour"])}})
            record["kept"] = "yes"
            yield record
        if batch:
            self.service.kvstore["seen"].data.batch_save(*batch)

if __name__ == "__main__":
    dispatch(KeepCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""

CONFS = {
    "app": "[package]\nid = head\n",
    "commands": "[keep]\nchunked = true\nfilename = keep.py\npython.required = 3.9, 3.13\nis_risky = true\n",
    "collections": "[seen]\nfield.hour = number\n",
    "transforms": "[seen]\nexternal_type = kvstore\ncollection = seen\nfields_list = _key, who, hour\n",
    "savedsearches": """
[learn]
search = search index=main | eval hour=floor(_time/3600)*3600 | stats count max(hour) AS hour BY who | keep
enableSched = 1
cron_schedule = */15 * * * *
dispatch.earliest_time = -2h@h
dispatch.latest_time = now

[tell]
search = | inputlookup seen | where hour > 0 | fields who hour
enableSched = 1
cron_schedule = 5-59/15 * * * *
dispatch.earliest_time = -20m
dispatch.latest_time = now
counttype = number of events
relation = greater than
quantity = 0
alert.suppress = 1
alert.suppress.fields = who
alert.suppress.period = 10d
action.notable = 1
action.notable.param.rule_title = $who$ was seen
action.risk = 1
action.risk.param._risk = [{"risk_object_field": "who", "risk_object_type": "user", "risk_score": 10}]
""",
}


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("app") / "head", CONFS, keep=COMMAND)


def logs() -> list[Event]:
    def event(minute: int, who: str) -> Event:
        time = DAY + minute * 60.0
        return Event(time, time + 90, "main", "json", "log", "h", json.dumps({"who": who}))

    return [event(3, "ann"), event(70, "bob"), event(71, "ann"), event(200, "cy")]


def rows(head: SearchHead, spl: str) -> list[dict[str, Any]]:
    return head.search(spl, now=DAY + 3 * 86400).rows


@pytest.mark.parametrize(
    ("mode", "cadence"), [("inprocess", "15m"), ("inprocess", "1h"), ("inprocess", "1d"), ("process", "1h")]
)
def test_from_events_to_notables(app_dir: Path, tmp_path: Path, mode: str, cadence: str) -> None:
    with SearchHead(app_dir, tmp_path, mode=mode) as head:
        head.events.add(logs())
        head.scheduler.replay(DAY, DAY + 86400 + CADENCES[cadence] * 2, cadence)
        assert sorted(d["_key"] for d in head.kv.collection("seen").find()) == ["ann", "bob", "cy"]
        notables = rows(head, "search index=notable | table rule_title who severity search_name | sort 0 who")
        assert [n["rule_title"] for n in notables] == ["ann was seen", "bob was seen", "cy was seen"]
        risk = rows(
            head, "search index=risk risk_score=10 | stats count BY risk_object risk_object_type | sort 0 risk_object"
        )
        assert [(r["risk_object"], r["risk_object_type"], r["count"]) for r in risk] == [
            ("ann", "user", 1), ("bob", "user", 1), ("cy", "user", 1),
        ]  # fmt: skip


@pytest.mark.parametrize("cadence", ["15m", "1d"])
def test_a_second_core_changes_nothing(
    app_dir: Path, tmp_path: Path, cadence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Any] = []
    begun = Ahead.rows
    monkeypatch.setattr(Ahead, "rows", lambda *asked: taken.append(begun(*asked)) or taken[-1])
    found = []
    for long in (0, math.inf):
        with SearchHead(app_dir, tmp_path / str(long)) as head:
            head.long = long
            head.events.add(logs())
            head.scheduler.replay(DAY, DAY + 86400 + CADENCES[cadence] * 2, cadence)
            found.append((head.kv.collection("seen").find(), head.scheduler.alerts(), head.scheduler.action_events()))
    assert found[0] == found[1]
    assert sum(bool(rows) for rows in taken) > (1 if cadence == "15m" else 0)


def test_a_state_folder_is_taken_up_again(app_dir: Path, tmp_path: Path) -> None:
    for end in (2, 26):
        with SearchHead(app_dir, tmp_path) as head:
            head.events.add(logs())
            head.scheduler.replay(DAY, DAY + end * 3600)
            titles = [
                n["rule_title"] for n in rows(head, "search index=notable | table rule_title | sort 0 rule_title")
            ]
    assert titles == ["ann was seen", "bob was seen", "cy was seen"]


def test_searching_by_hand(app_dir: Path, tmp_path: Path) -> None:
    with SearchHead(app_dir, tmp_path) as head:
        head.events.add(logs())
        assert head.search("search index=main | stats count").rows == [{"count": 4}], "now is after the last delivery"
        assert head.search("search index=main | stats count", "-1h", "now").rows == [{"count": 1}]
        assert head.search("search index=main | stats count", DAY, DAY + 4200, now=DAY + 86400).rows == [{"count": 1}]
        assert head.search("search index=main | stats count", now=DAY + 150).rows == [{"count": 0}], "not delivered yet"


def test_a_conf_edit_over_rest_reaches_later_searches(app_dir: Path, tmp_path: Path) -> None:
    from splunklib import client

    with SearchHead(app_dir, tmp_path) as head:
        service = client.Service(
            scheme="http", host="127.0.0.1", port=head.splunkd.port, app="head", owner="nobody",
            token=head.splunkd.session_key,
        )  # fmt: skip
        service.confs["savedsearches"]["tell"].submit({"disabled": "1"})
        assert [s.name for s in head.scheduler.selected()] == ["learn"]
    assert (tmp_path / "local" / "savedsearches.conf").read_text() == "[tell]\ndisabled = 1\n"
