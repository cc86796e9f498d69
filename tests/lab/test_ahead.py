"""Beginnings of searches made by another process: the same rows, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator, Optional

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


def rows_of(ahead: Ahead, asked: Dispatch) -> Optional[list[dict[str, Any]]]:
    """Once somebody has had the time to begin it."""
    with ahead._changed:
        ahead._changed.wait_for(lambda: not ahead._turns or ahead._turns[0].taken or not ahead._turns[0].beginning, 60)
    return ahead.rows(asked, ahead.engine.ready(asked.spl, asked.window, sid=asked.sid))


def test_the_rows_are_those_of_the_search_head(engine: Engine) -> None:
    whole = f"{COUNT} | lookup seen who OUTPUT who AS known"
    with Ahead(engine, [dispatch(whole), dispatch(COUNT)]) as ahead:
        expected = [{"city": "Delft", "count": 5}, {"city": "Bonn", "count": 4}]
        assert rows_of(ahead, dispatch(whole)) == expected
        assert rows_of(ahead, dispatch(COUNT)) == expected
        assert rows_of(ahead, dispatch(COUNT)) is None, "that was all"
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
        assert rows_of(ahead, dispatch(spl)) is None
        assert rows_of(ahead, dispatch(COUNT))


def test_events_that_came_meanwhile_count(engine: Engine) -> None:
    with Ahead(engine, [dispatch(COUNT, sid) for sid in "123"]) as ahead:
        engine.events.add([event(500, index="notable", who="ann")])
        assert rows_of(ahead, dispatch(COUNT, "1")), "the search does not look there"
        engine.events.add([event(500, who="ann")])
        assert rows_of(ahead, dispatch(COUNT, "2")) is None
        assert rows_of(ahead, dispatch(COUNT, "3")) is None


def test_a_lookup_that_changed_meanwhile_counts(engine: Engine, tmp_path: Path) -> None:
    with Ahead(engine, [dispatch(COUNT, sid) for sid in "12"]) as ahead:
        assert rows_of(ahead, dispatch(COUNT, "1"))
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "cities.csv").write_text("who,city\nann,Linz\n")
        assert rows_of(ahead, dispatch(COUNT, "2")) is None


def test_an_error_is_left_to_the_search_head(engine: Engine) -> None:
    spl = 'search index=main | where cidrmatch(who, "10.1.1.1") | stats count'
    with Ahead(engine, [dispatch(spl), dispatch(COUNT)]) as ahead:
        assert rows_of(ahead, dispatch(spl)) is None
        assert rows_of(ahead, dispatch(COUNT))
    with pytest.raises(LabError, match="'ann' is not a CIDR block"):
        engine.search(spl, TimeWindow(None, NOW, NOW))


OPEN = "search index=main [| makeresults | eval search={} | table search] | stats count BY who"
CHAINED = '"_index_earliest=".(floor(now()/100)*100-100)." _index_latest=".floor(now()/100)*100'


def hourly(spl: str, count: int) -> list[Dispatch]:
    return [Dispatch(spl, TimeWindow(None, None, now), str(now)) for now in range(1000, 1000 + count * 100, 100)]


def test_windows_that_a_subsearch_says_are_forecast(engine: Engine) -> None:
    spl = OPEN.format(CHAINED)
    engine.events.add(event(at, who="eve") for at in range(900, 2000, 10))
    runs = hourly(spl, 6)
    with Ahead(engine, runs) as ahead:
        assert ahead.rows(runs[0], engine.ready(spl, runs[0].window, sid=runs[0].sid)) is None, "nothing is known yet"
        for run in runs[1:]:
            assert rows_of(ahead, run) == [{"who": "eve", "count": 10}]


def test_a_window_that_turns_out_otherwise_is_computed_anew(engine: Engine) -> None:
    """A run that failed leaves its part to the next one."""
    spl = OPEN.format('"_index_earliest=".if(now()==1400, 1100, now()-100)." _index_latest=".now()')
    engine.events.add(event(at, who="eve") for at in range(900, 2000, 10))
    runs = hourly(spl, 8)
    with Ahead(engine, runs) as ahead:
        found = [rows_of(ahead, run) for run in runs[:3] + runs[4:]]
    ten = [{"who": "eve", "count": 10}]
    assert found == [None, ten, ten, None, ten, ten, ten]


def test_processes_that_die_leave_the_rest_to_the_search_head(engine: Engine) -> None:
    runs = [dispatch(COUNT, str(n)) for n in range(50)]
    with Ahead(engine, runs) as ahead:
        assert rows_of(ahead, runs[0])
        for process in ahead._processes:
            process.kill()
            process.wait()
        ready = [engine.ready(run.spl, run.window, sid=run.sid) for run in runs]
        assert [ahead.rows(*asked) for asked in zip(runs[1:], ready[1:])][-1] is None
