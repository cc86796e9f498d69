"""Beginnings of searches made by another process: the same rows, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab.ahead import Ahead, Dispatch
from lab.conf import load_app
from lab.errors import LabError
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.spl.engine import Engine
from lab.spl.window import TimeWindow

CONFS = {
    "app": "[package]\nid = ahead\n",
    "collections": "[seen]\n",
    "transforms": "[cities]\nfilename = cities.csv\n\n"
    "[seen]\nexternal_type = kvstore\ncollection = seen\nfields_list = _key, who\n",
}
COUNT = "search index=main | lookup cities who OUTPUT city | stats count BY city | sort - city"
NOW = 1000.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    for folder in ("default", "lookups"):
        (tmp_path / folder).mkdir()
    for name, text in CONFS.items():
        (tmp_path / "default" / f"{name}.conf").write_text(text)
    (tmp_path / "lookups" / "cities.csv").write_text("who,city\nann,Delft\nbob,Bonn\n")
    app = load_app(tmp_path)
    kv, events = KVStore(app), EventStore()
    events.add(event(n, who=("ann", "bob")[n % 2]) for n in range(9))
    yield Engine(app, events, kv, None, tmp_path / "state")
    events.close()
    kv.close()


def event(at: int, index: str = "main", **fields: Any) -> Event:
    return Event(at, at, index, "s", "s", "h", json.dumps(fields))


def dispatch(spl: str, sid: str = "1") -> Dispatch:
    return Dispatch(spl, TimeWindow(None, NOW, NOW), sid)


def test_the_rows_are_those_of_the_search_head(engine: Engine) -> None:
    whole = f"{COUNT} | lookup seen who OUTPUT who AS known"
    with Ahead(engine, [dispatch(whole), dispatch(COUNT)]) as ahead:
        expected = [{"city": "Delft", "count": 5}, {"city": "Bonn", "count": 4}]
        assert ahead.rows(dispatch(whole)) == expected
        assert ahead.rows(dispatch(COUNT)) == expected
        assert ahead.rows(dispatch(COUNT)) is None, "that was all"
    assert engine.finish(engine.ready(whole, TimeWindow(None, NOW, NOW)), expected).rows == expected


@pytest.mark.parametrize(
    "spl",
    [
        "| inputlookup seen | stats count",
        "search index=main | lookup seen who OUTPUT who AS known | stats count BY known",
        "search index=main | table who",
        "search index=main | append [| inputlookup seen] | stats count",
    ],
)
def test_what_searches_change_and_whole_events_are_left_to_the_search_head(engine: Engine, spl: str) -> None:
    assert engine.detached(spl) == 0
    with Ahead(engine, [dispatch(spl), dispatch(COUNT)]) as ahead:
        assert ahead.rows(dispatch(spl)) is None
        assert ahead.rows(dispatch(COUNT))


def test_events_that_came_meanwhile_count(engine: Engine) -> None:
    with Ahead(engine, [dispatch(COUNT, sid) for sid in "123"]) as ahead:
        engine.events.add([event(500, index="notable", who="ann")])
        assert ahead.rows(dispatch(COUNT, "1")), "the search does not look there"
        engine.events.add([event(500, who="ann")])
        assert ahead.rows(dispatch(COUNT, "2")) is None
        assert ahead.rows(dispatch(COUNT, "3")) is None


def test_a_lookup_that_changed_meanwhile_counts(engine: Engine, tmp_path: Path) -> None:
    with Ahead(engine, [dispatch(COUNT, sid) for sid in "12"]) as ahead:
        assert ahead.rows(dispatch(COUNT, "1"))
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "cities.csv").write_text("who,city\nann,Linz\n")
        assert ahead.rows(dispatch(COUNT, "2")) is None


def test_an_error_is_left_to_the_search_head(engine: Engine) -> None:
    spl = 'search index=main | where cidrmatch(who, "10.1.1.1") | stats count'
    with Ahead(engine, [dispatch(spl), dispatch(COUNT)]) as ahead:
        assert ahead.rows(dispatch(spl)) is None
        assert ahead.rows(dispatch(COUNT))
    with pytest.raises(LabError, match="'ann' is not a CIDR block"):
        engine.search(spl, TimeWindow(None, NOW, NOW))


def test_a_process_that_dies_leaves_the_rest_to_the_search_head(engine: Engine) -> None:
    sids = [str(n) for n in range(50)]
    with Ahead(engine, [dispatch(COUNT, sid) for sid in sids]) as ahead:
        assert ahead.rows(dispatch(COUNT, "0"))
        ahead._process.kill()
        assert [ahead.rows(dispatch(COUNT, sid)) for sid in sids[1:]][-1] is None
