"""The cases beside every source: events and the fields they must give."""

from __future__ import annotations

from typing import Any, Callable

from tests.sources.conftest import with_pad

Row = dict[str, Any]


def test_case(source: str, case: Row, normalise: Callable[..., list[Row]]) -> None:
    rows = normalise(source, [with_pad(case["event"])], case.get("sourcetype"), case.get("macros"))
    if case.get("expect") is None:
        assert rows == [], "the event must not belong to this source"
        return
    assert len(rows) == 1, "the base search must find the event"
    assert {name: rows[0].get(name) for name in case["expect"]} == case["expect"]
