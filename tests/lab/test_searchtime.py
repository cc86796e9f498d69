"""Aliases and calculated fields of add-ons, as Splunk documents them (lab.spl.searchtime)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest

from lab.conf import Stanza, load_app
from lab.errors import LabError
from lab.events import Event, EventStore
from lab.spl.engine import Engine
from lab.spl.searchtime import SearchTime
from lab.spl.window import TimeWindow


def found(tmp_path: Path, raw: str, settings: dict[str, str], search: str, kind: str = "test") -> list[dict[str, Any]]:
    (tmp_path / "default").mkdir()
    events = EventStore()
    events.add([Event(1.0, 1.0, "main", "test", "s", "h", raw)])
    props = SearchTime({kind: Stanza(kind, tmp_path, settings)})
    try:
        return (
            Engine(load_app(tmp_path), events, None, None, addons=props).search(search, TimeWindow(None, None, 9)).rows
        )
    finally:
        events.close()


@pytest.mark.parametrize(
    ("setting", "raw", "expected"),
    [
        ("src AS b", '{"src": "x", "b": "old"}', "x"),
        ("src AS b", '{"b": "old"}', None),
        ("src ASNEW b", '{"src": "x", "b": "old"}', "old"),
        ("src ASNEW b", '{"src": "x"}', "x"),
        ("src ASNEW b", '{"b": "old"}', "old"),
        ('src AS a "s.t" as b', '{"s": {"t": "y"}}', "y"),
    ],
)
def test_alias(setting: str, raw: str, expected: Optional[str], tmp_path: Path) -> None:
    rows = found(tmp_path, raw, {"FIELDALIAS-x": setting}, "search index=main | table b")
    assert [row.get("b") for row in rows] == [expected]


def test_calculated_fields_see_aliases_and_not_one_another(tmp_path: Path) -> None:
    settings = {"FIELDALIAS-x": "src AS a", "EVAL-a": 'a."!"', "EVAL-b": "a", "EVAL-c": "null()"}
    rows = found(tmp_path, '{"src": "x", "c": "old"}', settings, "search index=main | table a b c")
    assert rows == [{"a": "x!", "b": "x"}]


@pytest.mark.parametrize(("kind", "count"), [("test", 1), ("other", 0)])
def test_a_search_finds_events_by_them(kind: str, count: int, tmp_path: Path) -> None:
    rows = found(tmp_path, "{}", {"EVAL-app": '"sign-in"'}, "search index=main app=sign-in | stats count", kind)
    assert rows == [{"count": count}]


@pytest.mark.parametrize(
    ("key", "value"),
    [("EXTRACT-x", "(?<a>.)"), ("FIELDALIAS-x", "a to b"), ("EVAL-_time", "1"), ("FIELDALIAS-x", "a AS sourcetype")],
)
def test_what_is_not_understood_is_refused(key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(LabError):
        SearchTime({"test": Stanza("test", tmp_path, {key: value})})
