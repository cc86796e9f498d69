"""The cases beside every source: events and the fields they must give."""

from __future__ import annotations

import json
from typing import Any, Callable

from tests.sources.conftest import LONG

Row = dict[str, Any]


def test_case(source: str, case: Row, normalise: Callable[..., list[Row]]) -> None:
    event = case["event"]
    if not isinstance(event, str):
        event = json.loads(json.dumps(event).replace("{{pad}}", LONG))
    rows = normalise(source, [event], case.get("sourcetype"), case.get("macros"))
    if case.get("expect") is None:
        assert rows == [], "the event must not belong to this source"
        return
    assert len(rows) == 1, "the base search must find the event"
    assert {name: rows[0].get(name) for name in case["expect"]} == case["expect"]
