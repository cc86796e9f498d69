"""Commands that run where the events are, and how often events are read.

Oracle: https://help.splunk.com/splunk-enterprise/spl-search-reference/10.0/quick-reference/command-types ("A distributable
streaming command runs on the indexer or the search head"; "operates on each event as the event is returned").
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab.ahead import Ahead
from lab.errors import LabError
from lab.events import Event
from lab.searchhead import SearchHead
from lab.spl.command import POSITION
from lab.spl.window import TimeWindow
from tests.support.small_app import write_app

DAY = 1_767_225_600
LIB = Path(__file__).resolve().parents[2] / "lib"
COMMAND = f"""
import sys
sys.path.insert(0, {str(LIB)!r})
from splunklib.searchcommands import Configuration, Option, StreamingCommand, dispatch

@Configuration()
class ShoutCommand(StreamingCommand):
    adds = Option(default="loud")

    def prepare(self):
        self.configuration.required_fields = ["who"]

    def stream(self, records):
        for record in records:
            record[self.adds] = record["who"].upper()
            yield record

if __name__ == "__main__":
    dispatch(ShoutCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""
SEARCH = "search index=main | eval id=coalesce(id, md5(_raw)) | shout | stats dc(id) AS ids count BY loud"
CONFS = {
    "app": "[package]\nid = shout\n",
    "commands": "[shout]\nchunked = true\nfilename = shout.py\npython.required = 3.9, 3.13\n",
    "savedsearches": f"""
[loud]
search = {SEARCH}
enableSched = 1
cron_schedule = */15 * * * *
dispatch.earliest_time = -30m
dispatch.latest_time = now
alert.track = 1
""",
}


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    return write_app(tmp_path / "shout", CONFS, shout=COMMAND)


@pytest.fixture
def head(app_dir: Path, tmp_path: Path) -> Iterator[SearchHead]:
    with SearchHead(app_dir, tmp_path / "state") as head:
        head.events.add(logs())
        yield head


def logs() -> list[Event]:
    return [
        Event(DAY + n * 10.0, DAY + n * 10.0, "main", ("aws", "gcp")[n % 5 == 0], "s", "h", raw(n)) for n in range(360)
    ]


def raw(n: int) -> str:
    return json.dumps({"id": f"e{n}", "who": ("ann", "bob")[n % 2]})


def test_a_streaming_command_gets_equal_events_once(head: SearchHead) -> None:
    sent: list[bytes] = []
    head.commands.on_exchange = lambda request, reply: sent.append(request)
    rows = head.search(SEARCH, now=DAY + 3600).rows
    assert rows == [{"loud": "ANN", "ids": 180, "count": 180}, {"loud": "BOB", "ids": 180, "count": 180}]
    plan = head.engine.compile(SEARCH)
    assert plan.leading is not None
    assert b"".join(sent).count(b"\nann,") == b"".join(sent).count(b"\nbob,") <= 2, "by source type at most"
    assert POSITION.encode() not in b"".join(sent)


def test_a_streaming_command_that_adds_what_events_differ_in_is_refused(head: SearchHead) -> None:
    with pytest.raises(LabError, match="adds a field that events of one kind differ in"):
        head.search(SEARCH.replace("shout", "shout adds=id"), now=DAY + 3600)


def test_a_streaming_command_runs_where_the_events_are(
    head: SearchHead, app_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert head.engine.detached(SEARCH) == 3
    begun: list[Any] = []
    rows = Ahead.rows
    monkeypatch.setattr(Ahead, "rows", lambda *asked: begun.append(rows(*asked)) or begun[-1])
    found = []
    for long in (0, math.inf):
        with SearchHead(app_dir, tmp_path / str(long)) as other:
            other.long = long
            other.events.add(logs())
            other.events.reads = Counter()
            other.scheduler.replay(DAY, DAY + 7200)
            found.append((other.scheduler.alerts(), other.events.reads))
    assert found[0] == found[1]
    assert any(begun)


def test_reads_are_counted_by_search_and_source_type(head: SearchHead) -> None:
    head.scheduler.replay(DAY, DAY + 3600)
    assert head.events.reads is None, "unless somebody asks"
    head.scheduler.forget()
    head.events.reads = Counter()
    head.scheduler.replay(DAY, DAY + 7200)
    assert head.events.reads == {("loud", "aws"): 2 * 288, ("loud", "gcp"): 2 * 72}, "each event by two runs"
    head.search("search index=main sourcetype=gcp [search index=main who=ann | head 1 | table who]", now=DAY + 3600)
    assert head.events.reads["(ad hoc)", "gcp"] == 36 + 36
    assert head.events.reads["(ad hoc)", "aws"] == 144


def test_reads_of_a_window_by_index_time(head: SearchHead) -> None:
    head.events.reads = Counter()
    window = TimeWindow(None, None, DAY + 9000.0, index_earliest=DAY + 900.0, index_latest=DAY + 1800.0)
    head.engine.search('search index=main sourcetype=aws | where who="nobody" | stats count', window)
    assert head.events.reads == {("(ad hoc)", "aws"): 72}, "read, whatever becomes of it"


def test_equal_events_are_one_row_behind_regular_expressions_too(head: SearchHead) -> None:
    """rex over the raw text, as sources of XML do: what it finds tells kinds of events apart."""
    spl = (
        'search index=main | rex "who.: .(?<name>[a-z]+)" | rex field=id "(?<digit>\\d)$" | eval who=name'
        " | stats dc(id) AS ids values(digit) AS digits count BY who"
    )
    plan = head.engine.compile(spl)
    assert plan.leading is not None
    found = head.search(spl, now=DAY + 3600).rows
    assert [(row["who"], row["ids"], row["count"], row["digits"]) for row in found] == [
        ("ann", 180, 180, ["0", "2", "4", "6", "8"]),
        ("bob", 180, 180, ["1", "3", "5", "7", "9"]),
    ]
    assert len(plan.leading._kinds) == 2, "by source type: what rex finds is the events' own until it is grouped by"
