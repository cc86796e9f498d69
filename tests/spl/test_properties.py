"""Laws of SPL that hold for any rows: a condition and its NOT, sort, dedup, macros, blocks, projection, caches."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.conf import load_app
from lab.events import Event, EventStore
from lab.spl.engine import Engine
from lab.spl.values import members, sort_key, text
from lab.spl.window import TimeWindow

VALUES = st.one_of(st.integers(-50, 50).map(str), st.sampled_from(["", "a", "A", "b", "ab", "null", "10.5", "x y"]))
ROWS = st.lists(st.dictionaries(st.sampled_from(["f", "g", "h"]), VALUES), max_size=12)
TERMS = st.sampled_from(["f=a", "f!=a", "g>5", "f=*", "h=a*", "g IN (1, a, b)", "f=10.5", 'h="x y"'])
MACROS = {"cond": "f=a OR g>5", "tail": "eval k=f.g | where isnotnull(k)", "num": "7"}
NOW = 1_700_000_000.0
WINDOW = TimeWindow(None, None, NOW)
QUICK = settings(max_examples=40, deadline=None)


def make_engine(events: list[Event]) -> Engine:
    with tempfile.TemporaryDirectory() as folder:
        default = Path(folder) / "default"
        default.mkdir()
        (default / "macros.conf").write_text("".join(f"[{n}]\ndefinition = {d}\n" for n, d in MACROS.items()))
        app = load_app(Path(folder))
    store = EventStore()
    store.add(events)
    return Engine(app, store, None, None)


def run(rows: list[dict[str, str]], spl: str) -> list[dict[str, Any]]:
    """Number the rows and run `spl` on them."""
    engine = make_engine([])
    data = json.dumps([{"id": n, **row} for n, row in enumerate(rows)])
    quoted = data.replace("\\", "\\\\").replace('"', '\\"')
    try:
        return engine.search(f'| makeresults format=json data="{quoted}" {spl}', WINDOW).rows
    finally:
        engine.events.close()


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [text(r["id"]) for r in rows]


@QUICK
@given(ROWS, TERMS, TERMS)
def test_search_and_its_not_split_the_rows(rows: list[dict[str, str]], p: str, q: str) -> None:
    condition = f"({p} OR {q})"
    kept = ids(run(rows, f"| search {condition}"))
    left = ids(run(rows, f"| search NOT {condition}"))
    assert sorted(kept + left, key=int) == [str(n) for n in range(len(rows))]


@QUICK
@given(ROWS, st.sampled_from(['f="a"', "g>5", 'match(h, "a")', 'like(f, "a%")', 'f IN ("a", "b")', "f=g"]))
def test_where_and_its_not_leave_only_nulls_out(rows: list[dict[str, str]], p: str) -> None:
    kept = set(ids(run(rows, f"| where {p}")))
    left = set(ids(run(rows, f"| where NOT {p}")))
    read = [f for f in "fgh" if f in p.replace("match", "").replace("like", "")]
    null = {str(n) for n, row in enumerate(rows) if any(f not in row for f in read)}
    assert not kept & left
    assert kept | left | null == {str(n) for n in range(len(rows))}


@QUICK
@given(ROWS)
def test_sort_orders_without_loss_and_is_idempotent(rows: list[dict[str, str]]) -> None:
    once = run(rows, "| sort 0 f")
    assert sorted(ids(once), key=int) == [str(n) for n in range(len(rows))]
    keys = [sort_key(r.get("f")) for r in once]
    assert keys == sorted(keys)
    assert ids(run(rows, "| sort 0 f | sort 0 f")) == ids(once)


@QUICK
@given(ROWS)
def test_dedup_is_idempotent_and_keeps_one_of_each(rows: list[dict[str, str]]) -> None:
    once = run(rows, "| dedup f")
    assert [r["f"] for r in once] == list(dict.fromkeys(r["f"] for r in rows if "f" in r))
    assert run(rows, "| dedup f | dedup f") == once


@QUICK
@given(ROWS)
def test_counts_of_groups_add_up(rows: list[dict[str, str]]) -> None:
    total = run(rows, "| stats count BY f g | stats sum(count) AS n")
    expected = sum(1 for r in rows if "f" in r and "g" in r)
    assert total == ([{"n": expected}] if expected else [{}])


@QUICK
@given(ROWS)
def test_a_macro_is_its_text(rows: list[dict[str, str]]) -> None:
    inlined = run(rows, f"| search {MACROS['cond']} | {MACROS['tail']} | eval z={MACROS['num']}+1")
    assert run(rows, "| search `cond` | `tail` | eval z=`num`+1") == inlined


@QUICK
@given(ROWS)
def test_unread_evals_change_nothing(rows: list[dict[str, str]]) -> None:
    plain = run(rows, "| eval a=f.g | stats count BY a")
    assert run(rows, "| eval a=f.g, unread=md5(h) | eval b=a, c=upper(f) | stats count BY a") == plain


EVENTS = st.lists(
    st.tuples(st.integers(0, 4 * 3600), st.integers(0, 7200), st.dictionaries(st.sampled_from("fg"), VALUES)),
    max_size=15,
)


@QUICK
@given(EVENTS, st.integers(0, 4 * 3600), st.integers(0, 4 * 3600), st.integers(0, 6 * 3600), st.integers(0, 2 * 3600))
@example([(0, n * 600, {}) for n in range(9)], 0, 3600, 6 * 3600, 1200)
def test_windows_blocks_and_caches_agree_with_a_plain_scan(
    drawn: list[tuple[int, int, dict[str, str]]], low: int, span: int, now: int, indexed: int
) -> None:
    """The same search, asked over growing data and with a warm cache, sees exactly its window, newest first."""
    events = [Event(t, t + d, "main", "s", "s", "h", json.dumps({"id": n, **f})) for n, (t, d, f) in enumerate(drawn)]
    engine = make_engine([])
    spl = "search index=main NOT f=a | eval k=upper(f) | table id k _time"
    for half in (events[::2], events[1::2]):
        engine.events.add(half)
        engine.search(spl, TimeWindow(None, None, 10.0**9))
    window = TimeWindow(low, low + span, now, index_earliest=indexed, index_latest=indexed + 2 * 3600)
    found = engine.search(spl, window).rows
    engine.events.close()
    expected = [
        e
        for e in events
        if low <= e.time < low + span
        and e.indextime <= now
        and indexed <= e.indextime < indexed + 2 * 3600
        and json.loads(e.raw).get("f", "").lower() != "a"
    ]
    assert sorted(ids(found), key=int) == [str(json.loads(e.raw)["id"]) for e in expected]
    assert [r["_time"] for r in found] == sorted((e.time for e in expected), reverse=True)


@QUICK
@given(ROWS)
def test_mvexpand_undoes_values(rows: list[dict[str, str]]) -> None:
    grouped = run(rows, "| stats values(f) AS v BY g | mvexpand v | stats values(v) AS v BY g")
    direct = run(rows, "| stats values(f) AS v BY g")
    assert [(r["g"], members(r.get("v"))) for r in grouped] == [(r["g"], members(r.get("v"))) for r in direct]
