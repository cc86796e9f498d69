"""The cases beside every source: events and the fields they must give."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from pages.events import WORD

from tests.sources.conftest import with_pad

Row = dict[str, Any]


def test_case(source: str, case: Row, normalise: Callable[..., list[Row]]) -> None:
    rows = normalise(source, [with_pad(case["event"])], case.get("sourcetype"), case.get("macros"))
    if case.get("expect") is None:
        assert rows == [], "the event must not belong to this source"
        return
    assert len(rows) == 1, "the base search must find the event"
    assert {name: rows[0].get(name) for name in case["expect"]} == case["expect"]


def test_who_acted_stands_in_the_event(source: str, case: Row, normalise: Callable[..., list[Row]]) -> None:
    """The page of a finding has only events read that hold the last word of who acted (package/pages/events.py)."""
    event = with_pad(case["event"])
    raw = (event if isinstance(event, str) else json.dumps(event)).lower()
    for row in normalise(source, [event], case.get("sourcetype"), case.get("macros")):
        who = str(row.get("host" if source == "endpoint" else "identity") or "")
        word = re.split(r"[/\\:]", who)[-1].split("@")[0]
        made_up = source == "endpoint" and word.isdigit()  # the event's place, where it names no host
        if row.get("skip_reason") is None and not made_up and re.match(WORD, word):
            assert word.lower() in raw
