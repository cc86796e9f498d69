"""What a comparison with a field that is not there gives, no page of Splunk's says: null, of which NOT is null as well, or
false, of which NOT is true. No field of a source depends on it: both readings give the same."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from lab.conf import load_app
from lab.events import EventStore
from lab.spl.engine import Engine, TimeWindow
from lab.spl.evalcompile import Code
from tests.sources.conftest import APP, LATER, with_pad

Row = dict[str, Any]


def test_both_readings_give_the_same(
    source: str, case: Row, normalise: Callable[..., list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = source, [with_pad(case["event"])], case.get("sourcetype"), case.get("macros")
    right = normalise(*given)
    monkeypatch.setattr(Code, "nulls_are_false", True)
    assert normalise(*given) == right


@pytest.mark.parametrize(("nulls_are_false", "count"), [(False, 0), (True, 1)])
def test_the_readings_differ(nulls_are_false: bool, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch does what it says."""
    monkeypatch.setattr(Code, "nulls_are_false", nulls_are_false)
    search = '| makeresults | where NOT missing="x" AND NOT match(missing, "x") AND NOT in(missing, "x")'
    engine = Engine(load_app(APP), EventStore(), None, None)
    assert len(engine.search(search, TimeWindow(None, None, LATER)).rows) == count
