"""Events that travel as one row give what each of them alone would: random searches, and all that the app ships."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demo import Organization, events
from lab.conf import load_app
from lab.errors import LabError
from lab.events import Event, EventStore
from lab.protocol import CommandRunner
from lab.replay import APP_DIR
from lab.spl.command import POSITION, Run
from lab.spl.engine import Engine
from lab.spl.window import TimeWindow
from tests.spl.test_properties import make_engine

HOUR = 3600
ALWAYS = TimeWindow(None, None, 10.0**9)
APP = load_app(APP_DIR)
SEARCHES_OF_EVENTS = sorted(
    name for name in APP.stanzas("savedsearches") if name.endswith(" - Judge") or name == "CBA - Quarantined users"
)
OF_A_SUBSEARCH = re.compile(r"\[\| cbawindow [^\]]*\]")
"""Where the time range comes from, which is given here."""

FIELDS = st.dictionaries(st.sampled_from("fg"), st.sampled_from(["a", "b", "5", 5, ["a", "b"], "x y"]))
EVENTS = st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(0, 99), FIELDS, st.booleans()), max_size=20)
STAGES = (
    "eval hour=floor(_time/3600), late=if(_time%2==0, null(), _indextime-_time)",
    "eval tail=if(len(_raw)>80, _raw, null()), k=coalesce(substr(tail, 1, 9), g), id=coalesce(id, md5(_raw))",
    "where isnotnull(f)",
    "search f=a* OR g=5",
    "where hour>=1",
    'where like(_raw, "%b%")',
    'eval g=if(f=="a", "-", g), k=g.hour',
    'fillnull value="-" f hour late',
    "rename hour AS late, g AS k",
    "fields - late k",
    "fields f g id",
    "mvexpand f",
    "addinfo | where _time<info_search_time/2 OR isnull(g)",
    'rex field=id "(?<digit>\\d)$"',
    "eval id=upper(id)",
    "eval f=1/0",
    'rex "g.: .(?<k>[ab5])"',
    'rex max_match=0 "(?<g>[0-9])(?<late>x)?"',
)
ENDS = (
    "stats count dc(id) AS ids values(id) AS all BY f",
    "stats count min(_time) AS first max(late) AS m values(hour) AS h BY f g",
    "stats count max(late) AS m dc(id) AS ids BY k",
    "stats count sum(hour) AS s avg(late) AS a count(eval(hour>1)) AS n BY hour",
    "stats dc(f) AS f count(g) AS g sum(k) AS k values(_time) AS t",
    "stats list(id) AS ids earliest(g) AS g BY f",
    "stats count earliest_time(g) AS g BY digit sourcetype",
    "eventstats count AS n BY f | stats values(n) AS n BY hour k",
    "dedup f hour | stats count BY hour",
)
SEARCHES = st.tuples(st.lists(st.sampled_from(STAGES), max_size=5), st.sampled_from(ENDS))
SOME = [(n * 1001, n * 7, {"f": "ab"[n % 2]}, n > 5) for n in range(12)]


def each_alone(engine: Engine, spl: str) -> None:
    """From now on the engine runs the search event by event."""
    plan = engine.compile(spl)
    for part in plan.plans():
        part.leading = None


@settings(max_examples=150, deadline=None)
@given(EVENTS, SEARCHES, st.integers(0, 3 * HOUR))
@example(SOME, ([STAGES[1]], "stats dc(id) AS ids BY k"), 0).via("part of the text in the groups")
@example(SOME, ([STAGES[0], "fields - late k"], "stats max(late) AS m BY f"), 0).via("own fields that go")
@example(SOME, ([STAGES[0], "rename hour AS late"], "stats max(late) AS m BY f"), 0).via("own fields that change names")
def test_a_random_search_finds_the_same(drawn: list[Any], chosen: tuple[list[str], str], low: int) -> None:
    spl = " | ".join(["search index=main NOT g=b", *chosen[0], chosen[1]])
    raws = [
        Event(t, t + d, "main", "s", "s", "h", json.dumps({"id": f"e{n}", **f, **({"pad": "x" * 60} if long else {})}))
        for n, (t, d, f, long) in enumerate(drawn)
    ]
    folding, plain = make_engine(raws[::2]), make_engine(raws[::2])
    each_alone(plain, spl)
    window = TimeWindow(low, None, 3.0 * HOUR, index_earliest=HOUR + 500)
    for asked in (ALWAYS, window):
        assert folding.search(spl, asked).rows == plain.search(spl, asked).rows
    for engine in (folding, plain):
        engine.events.add(raws[1::2])
    for asked in (window, ALWAYS):
        assert folding.search(spl, asked).rows == plain.search(spl, asked).rows
    for engine in (folding, plain):
        engine.events.close()


@pytest.mark.parametrize("first", [True, False])
def test_equal_events_are_one_row_up_to_stats(first: bool) -> None:
    """Also beside a search that begins alike and tells all events apart."""
    raws = [Event(n, n, "main", "s", "s", "h", json.dumps({"id": str(n), "f": "ab"[n % 2]})) for n in range(50)]
    engine = make_engine(raws)
    begin = "search index=main | eval hour=floor(_time/3600), k=upper(f) | stats"
    spl, other = f"{begin} dc(id) AS ids BY k hour", f"{begin} count BY id hour"
    for search in (spl, other) if first else (other, spl):
        engine.compile(search)
    plan = engine.compile(spl)
    rows, _ = engine.events_of(plan, Run(engine, ALWAYS, "1", spl, engine.lookups))
    assert sorted((row["k"], len(row[POSITION].events)) for row in rows) == [("A", 25), ("B", 25)]
    assert engine.search(spl, ALWAYS).rows == [{"k": k, "hour": 0, "ids": 25} for k in "AB"]
    assert len(engine.search(other, ALWAYS).rows) == 50
    engine.events.close()


def test_what_fails_for_no_event_that_is_left_fails_not() -> None:
    """The id is computed for every event at once; it is an error only where its event comes so far."""
    raws = [Event(n, n, "main", "s", "s", "h", json.dumps({"cidr": c})) for n, c in enumerate(["10.0.0.0/8", "none"])]
    engine = make_engine(raws)
    spl = (
        'search index=main | where cidr!="{}" | eval id=if(cidrmatch(cidr, "10.1.1.1"), _time, _raw)'
        " | stats dc(id) AS ids BY cidr"
    )
    assert engine.search(spl.format("none"), ALWAYS).rows == [{"cidr": "10.0.0.0/8", "ids": 1}]
    with pytest.raises(LabError, match="'none' is not a CIDR block"):
        engine.search(spl.format("10.0.0.0/8"), ALWAYS)
    engine.events.close()


@pytest.fixture(scope="module")
def organization() -> list[Event]:
    return list(events(Organization(days=3, events_per_day=800)))


@pytest.mark.parametrize("name", SEARCHES_OF_EVENTS)
def test_a_shipped_search_finds_the_same(name: str, organization: list[Event], tmp_path: Path) -> None:
    logs = organization
    spl = OF_A_SUBSEARCH.sub("", APP.stanzas("savedsearches")[name].get("search"))
    engines = [Engine(APP, EventStore(), None, CommandRunner(APP, dispatch_dir=tmp_path)) for _ in range(2)]
    folding, plain = engines
    each_alone(plain, spl)
    first, found = logs[0].time // HOUR * HOUR, 0
    for at, more in ((36, logs[: len(logs) // 2]), (60, logs[len(logs) // 2 :])):
        now = first + at * HOUR
        for engine in engines:
            engine.events.add(more)
        for hours in (24, 60):
            window = TimeWindow(
                now - hours * HOUR, now, now, index_earliest=now - (hours - 20) * HOUR, index_latest=now
            )
            rows, _ = folding.begin(spl, window, "1")
            assert rows == plain.begin(spl, window, "1")[0]
            found += len(rows)
    assert found or name == "CBA - Quarantined users"
    assert all(plan.leading for plan in folding.compile(spl).plans())
    for engine in engines:
        engine.events.close()
