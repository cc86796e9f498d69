"""Events far away from all others: what a replay sets aside, what it keeps, and what it says of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.logtime import parse_time
from lab.replay import main
from lab.stray import APART, DAY, Kept, kept

YEAR = 365 * DAY


def at(day: str) -> float:
    time = parse_time(f"{day}T00:00:00Z")
    assert time is not None
    return time


def daily(first: str, days: int, each: int = 1) -> list[float]:
    return [at(first) + day * DAY + n for day in range(days) for n in range(each)]


MONTH = daily("2026-01-01", 30, 10)


@pytest.mark.parametrize("stray", ["2001-05-06", "2016-01-01", "2024-12-30", "2099-01-01"])
def test_one_stray_event_is_set_aside(stray: str) -> None:
    found = kept([*MONTH, at(stray)])
    assert (found.first, found.last) == (MONTH[0], MONTH[-1])
    (said,) = found.said
    assert f"set aside: 1 event of {stray}, " in said and "away from the other 300 (2026-01-01 to 2026-01-30)" in said
    assert ("--since 2" if stray < "2026" else "--until 2099-01-02") in said


def test_whoever_asks_for_it_gets_it() -> None:
    times = [*MONTH, at("2001-05-06"), at("2099-01-01")]
    assert len(kept(times).said) == 2
    early, late, both = kept(times, since=True), kept(times, until=True), kept(times, True, True)
    assert (early.first, early.last) == (at("2001-05-06"), MONTH[-1])
    assert (late.first, late.last) == (MONTH[0], at("2099-01-01"))
    assert (both.first, both.last) == (at("2001-05-06"), at("2099-01-01"))
    assert all(said.startswith("no event from ") for said in both.said) and len(both.said) == 2


def test_the_only_two_events() -> None:
    """The later one is as good a guess as any, and quick."""
    found = kept([at("2001-01-01"), at("2026-01-01")])
    assert found.first == found.last == at("2026-01-01")


def test_two_years_of_logs_with_years_between_are_both_replayed() -> None:
    found = kept([*daily("2020-01-01", 366, 20), *daily("2025-01-01", 365)])
    assert (found.first, found.last) == (at("2020-01-01"), at("2025-12-31"))
    (said,) = found.said
    assert said.startswith("no event from 2020-12-31 to 2025-01-01: the replay goes through these 1,461 days")


def test_a_few_strays_of_many_years() -> None:
    found = kept([*MONTH, *daily("2003-01-01", 2), at("2010-01-01"), at("2040-01-01")])
    assert (found.first, found.last) == (MONTH[0], MONTH[-1])
    assert "3 events of 2003-01-01 to 2010-01-01, 16 years away" in found.said[0]
    assert found.said[0].endswith("--since 2003-01-01 replays them all the same")
    assert "1 event of 2040-01-01, 14 years away" in found.said[1]


def test_logs_that_are_nothing_but_far_apart_are_left() -> None:
    times = [at(f"{year}-01-01") for year in range(2004, 2024, 4)]
    assert (kept(times).first, kept(times).last) == (times[0], times[-1])


def test_a_small_group_between_two_large_ones_costs_nothing_more() -> None:
    found = kept([*daily("2018-01-01", 100, 10), at("2021-01-01"), *daily("2024-01-01", 100, 10)])
    assert (found.first, found.last) == (at("2018-01-01"), daily("2024-01-01", 100, 10)[-1])


@given(st.lists(st.integers(946_684_800, 4_102_444_799), min_size=1, max_size=60))
def test_most_events_stay_and_nothing_near_is_lost(times: list[int]) -> None:
    found = kept(times)
    mine = [time for time in times if found.first <= time <= found.last]
    assert len(mine) >= len(times) - max(1, len(times) // 10)
    for time in set(times) - set(mine):
        assert min(abs(time - other) for other in mine) > APART
    if len(mine) == len(times) and max(times) - min(times) <= APART:
        assert found == Kept(min(times), max(times))


def test_a_replay_says_what_it_sets_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"eventName": "ListBuckets", "eventSource": "s3.amazonaws.com"}
    days = ["2001-01-01", "1970-01-01", "2026-01-01", "2026-01-02"]
    (tmp_path / "x.jsonl").write_text("\n".join(json.dumps({**event, "eventTime": f"{day}T09:00:00Z"}) for day in days))
    assert main(["--source", "aws", str(tmp_path / "x.jsonl")]) == 0
    said = capsys.readouterr()
    assert "x.jsonl:2: event time not between 2000 and 2100: 1970-01-01" in said.err
    assert "set aside: 1 event of 2001-01-01, 25 years away from the other 2 (2026-01-01 to 2026-01-02)" in said.err
    assert "2 events, 2026-01-01 to 2026-01-02" in said.out
