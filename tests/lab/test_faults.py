"""Outages on the simulated clock: a command that counts in the KV store, and what is left when something goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab import faults
from lab.errors import RunFailed
from lab.events import Event
from lab.searchhead import SearchHead
from tests.support.small_app import write_app

DAY = 1_767_225_600
LIB = Path(__file__).resolve().parents[2] / "lib"
# Three writes a run: the rows it saw, its mark, and a note at the end, which it makes even when something failed before.
COMMAND = f"""
import sys
sys.path.insert(0, {str(LIB)!r})
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch

@Configuration(distributed=False)
class NoteCommand(StreamingCommand):
    def stream(self, records):
        data = self.service.kvstore["seen"].data
        for record in records:
            try:
                data.batch_save({{"_key": record["who"], "n": float(record["count"])}})
                data.batch_save({{"_key": "mark", "n": float(record["count"])}})
            finally:
                data.batch_save({{"_key": "end " + record["who"], "n": 1}})
            yield record

if __name__ == "__main__":
    dispatch(NoteCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""
CONFS = {
    "app": "[package]\nid = note\n",
    "commands": "[note]\nchunked = true\nfilename = note.py\npython.required = 3.9, 3.13\n",
    "collections": "[seen]\n",
    "transforms": "[seen]\nexternal_type = kvstore\ncollection = seen\nfields_list = _key, n\n",
    "savedsearches": """
[learn]
search = search index=main | stats count BY who | note
enableSched = 1
cron_schedule = */15 * * * *
dispatch.earliest_time = -15m
dispatch.latest_time = now

[show]
search = | inputlookup seen
enableSched = 1
cron_schedule = 50 * * * *
""",
}


@pytest.fixture(params=["inprocess", "process"])
def head(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchHead]:
    app = write_app(tmp_path / "note", CONFS, note=COMMAND)
    with SearchHead(app, tmp_path / "state", mode=request.param) as head:
        head.events.add(event(minute, who) for minute, who in ((1, "ann"), (16, "bob"), (31, "cy"), (46, "dee")))
        yield head


def event(minute: int, who: str) -> Event:
    time = DAY + minute * 60.0
    return Event(time, time, "main", "json", "log", "h", json.dumps({"who": who}))


def keys(head: SearchHead) -> list[str]:
    return [document["_key"] for document in head.kv.collection("seen").find(sort="_key")]


def replay(head: SearchHead) -> list[tuple[str, float]]:
    """What fails, and in which minute."""
    head.scheduler.replay(DAY, DAY + 3600, on_failure="record")
    return [(failure.name, (failure.time - DAY) / 60) for failure in head.scheduler.failures()]


def test_a_kv_store_that_is_away_fails_the_runs_of_that_time(head: SearchHead) -> None:
    faults.kvstore_away(head, DAY + 30 * 60, DAY + 51 * 60)
    assert replay(head) == [("learn", 30), ("learn", 45), ("show", 50)]
    assert keys(head) == ["ann", "dee", "end ann", "end dee", "mark"]
    assert "KV Store is not ready" in head.scheduler.failures()[-1].message


def test_a_search_head_that_is_away_runs_nothing(head: SearchHead) -> None:
    faults.search_head_away(head, DAY + 30 * 60, DAY + 55 * 60)
    assert replay(head) == []
    assert keys(head) == ["ann", "dee", "end ann", "end dee", "mark"]


@pytest.mark.parametrize(
    ("nth", "carried_out", "left"),
    [(1, False, []), (1, True, ["bob"]), (2, False, ["bob"]), (3, False, ["bob"]), (3, True, ["bob", "end bob"])],
)
def test_a_killed_run_leaves_what_it_had_written(
    head: SearchHead, nth: int, carried_out: bool, left: list[str]
) -> None:
    fault = faults.kill_at_write(head, 3 + nth, carried_out)
    assert replay(head) == [("learn", 30)]
    assert fault.seen == 3 + nth + 6
    others = ["ann", "cy", "dee"]
    assert keys(head) == sorted([*others, *(f"end {who}" for who in others), *left, "mark"])
    assert head.scheduler.failures()[0].message == "default/savedsearches.conf [learn]: the run was killed."


@pytest.mark.parametrize("when", [3, 6])
def test_another_run_may_come_between(head: SearchHead, when: int) -> None:
    """The second run, of the rows of that hour, writes before the first one's write is carried out."""
    found: list[list[str]] = []

    def happens() -> None:
        found.append(keys(head))
        faults.second_run(head, "learn")(DAY + 3600)
        found.append(keys(head))

    fault = faults.meanwhile(head, when, happens)
    assert replay(head) == []
    before, after = found
    assert f"end {'ann' if when == 3 else 'bob'}" not in before
    assert after == ["ann", "bob", "cy", "dee", "end ann", "end bob", "end cy", "end dee", "mark"]
    assert fault.seen == 12 + 12


def test_writes_are_counted(head: SearchHead) -> None:
    counter = faults.count_writes(head)
    assert replay(head) == []
    assert counter.seen == 12


def test_without_asking_for_it_a_failed_run_ends_the_replay(head: SearchHead) -> None:
    faults.kill_at_write(head, 4)
    with pytest.raises(RunFailed, match="the run was killed"):
        head.scheduler.replay(DAY, DAY + 3600)
    assert head.scheduler.replay(DAY, DAY + 3600).runs == 4, "the run it was in is repeated"


def test_an_edit_over_rest_ends_throttling(head: SearchHead) -> None:
    told: list[Any] = []
    head.scheduler.edited = lambda app: told.append(app)  # type: ignore[method-assign]
    head.enable(["show"], False)
    assert told == [head.app]
