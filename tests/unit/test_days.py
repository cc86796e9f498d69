"""Sets of days: whatever the order, the pieces or the repetitions, the same days come out."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.history.days import KEPT_DAYS, DaySet
from cba.terms import date_text, day_of

DAYS = st.integers(20_000, 20_400)
SETS = st.lists(DAYS, min_size=1, max_size=40).map(lambda days: reduce(DaySet.union, map(DaySet.of, days)))


@given(SETS)
def test_learning_again_changes_nothing(days: DaySet) -> None:
    assert days.union(days) == days


@given(SETS, SETS)
def test_order_does_not_matter(one: DaySet, other: DaySet) -> None:
    assert one.union(other) == other.union(one)


@given(SETS, SETS, SETS)
def test_pieces_do_not_matter(a: DaySet, b: DaySet, c: DaySet) -> None:
    assert a.union(b).union(c) == a.union(b.union(c))


@given(st.lists(DAYS, min_size=1, max_size=60), DAYS, DAYS)
def test_it_is_the_set_it_says(days: list[int], one: int, other: int) -> None:
    merged = reduce(DaySet.union, map(DaySet.of, days))
    kept = {day for day in days if day > max(days) - KEPT_DAYS}
    earliest, latest = min(one, other), max(one, other)
    assert (merged.first, merged.last) == (min(days), max(days))
    assert merged.days_seen(earliest, latest) == len({day for day in kept if earliest <= day <= latest})
    before = [day for day in kept if one - 90 <= day < one]
    assert merged.last_before(one) == max(before, default=None)


@given(st.lists(DAYS, min_size=1, max_size=60), DAYS)
def test_a_day_can_be_taken_out_again(days: list[int], asked: int) -> None:
    merged = reduce(DaySet.union, map(DaySet.of, days))
    kept = sorted({day for day in days if day > max(days) - KEPT_DAYS})
    assert merged.has(asked) == (asked in kept)
    for day in kept:
        left = [other for other in kept if other != day]
        rest = merged.without(day)
        assert (rest is None) == (not left)
        if rest is not None:
            assert [other for other in range(min(kept) - 1, max(kept) + 2) if rest.has(other)] == left
            assert rest.last == left[-1]
            assert rest.first == (left[0] if day == min(days) else min(days))
            assert DaySet.decode(rest.encode()) == rest


@given(SETS)
def test_text_and_back(days: DaySet) -> None:
    assert DaySet.decode(days.encode()) == days


@pytest.mark.parametrize("text", ["", "1,2", "a,b,c", "5,4,1", "1,2,0", "1,2,3,4", "1,2,zz"])
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        DaySet.decode(text)


def test_days_are_utc() -> None:
    assert day_of(1_767_225_599) == day_of(1_767_225_600) - 1
    assert date_text(day_of(1_767_225_600)) == "2026-01-01"
