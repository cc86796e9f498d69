"""Which index time a run reads: everything once, whenever runs come and whichever of them fail."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.judging.window import (
    FIRST_SECONDS,
    LAG_SECONDS,
    PLAN_SECONDS,
    PORTION_SECONDS,
    TRAIL_DAYS,
    Mark,
    Plan,
    Window,
    behind_seconds,
    planned,
    window_of,
)

NOW = 1_771_200_000


@given(st.lists(st.tuples(st.integers(1, 3 * 86_400), st.booleans()), min_size=1, max_size=30))
def test_the_windows_of_runs_that_succeed_lie_end_to_end(runs: list[tuple[int, bool]]) -> None:
    mark: Optional[Mark] = None
    now, judged = NOW, []
    for pause, succeeds in runs:
        now += pause
        window = window_of(mark, now)
        assert window.start % 900 == window.end % 900 == 0
        assert window.end <= now - LAG_SECONDS
        assert window.end - window.start <= max(PORTION_SECONDS, FIRST_SECONDS)
        if succeeds:
            mark = window.moved(mark)
            judged.append(window)
    assert all(one.end == other.start for one, other in zip(judged, judged[1:]))
    if judged:
        assert mark == Mark(judged[0].start, judged[-1].end)


@given(st.integers(1, 40))
def test_an_outage_of_any_length_is_caught_up_in_portions(days: int) -> None:
    mark, runs = Mark(NOW - 86_400, NOW), 0
    now = NOW + 960 + days * 86_400
    while behind_seconds(mark, now):
        mark, runs = window_of(mark, now).moved(mark), runs + 1
    assert runs == days + 1 and mark.judged_until == window_of(None, now).end


def test_all_parts_of_a_search_ask_for_the_same_window() -> None:
    mark = Mark(0, NOW)
    first = planned(None, mark, NOW + 960)
    assert first.window == Window(NOW, NOW + 900)
    assert planned(first, mark, NOW + 960 + PLAN_SECONDS) is first
    assert planned(first, mark, NOW + 1860).window == Window(NOW, NOW + 1800), "nobody judged it, and it has grown old"
    moved = first.window.moved(mark)
    assert planned(first, moved, NOW + 970).window == Window(NOW + 900, NOW + 900), "the mark has moved"
    assert planned(Plan(first.window, NOW + 9999), mark, NOW + 960) == first, "a clock was set back"


@given(st.integers(0, 10**6), st.integers(0, 100))
def test_text_and_back(start: int, quarters: int) -> None:
    window = Window(start * 900, (start + quarters) * 900)
    assert Window.from_text(window.text) == window


@pytest.mark.parametrize("text", ["", "1", "900", "900-0", "1-900", "a-b", "900-1800-2700"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Window.from_text(text)


class Indexed:
    """What is indexed minute by minute, and which of it a source's runs have judged."""

    def __init__(self) -> None:
        self.mark: Optional[Mark] = None
        self.judged: set[int] = set()

    def run(self, now: int, clock: int) -> None:
        """A run at `now` whose search head takes it for `clock`: it reads what is there, wherever its window ends."""
        window = window_of(self.mark, clock)
        self.judged.update(range(max(window.start, NOW), min(window.end, now), 60))
        self.mark = window.moved(self.mark, clock)


JUMPS = st.one_of(st.integers(-5 * 86_400, 3 * 86_400), st.sampled_from([0, 3600, -3600, 10 * 86_400, -10 * 86_400]))


@given(st.lists(st.tuples(JUMPS, st.integers(1, 12)), max_size=6))
def test_whatever_the_clock_says_for_a_while_everything_is_judged(wrong: list[tuple[int, int]]) -> None:
    """Ahead by less than a run's distance is not seen: nobody could tell it from a late run. (A minute is allowed for.)"""
    source, now = Indexed(), NOW + 4 * 86_400 + 960
    for tick in range(NOW + 960, now, 900):
        source.run(tick, tick)
    for by, runs in wrong:
        for _run in range(runs):
            now += 900
            source.run(now, now + (by if not 0 < by < 1800 else 1800))
        for _run in range(4):
            now += 900
            source.run(now, now)
    for _run in range(20):  # after a clock that was behind, in portions
        now += 900
        source.run(now, now)
    assert source.mark is not None and source.mark.judged_until == window_of(None, now).end
    assert [time for time in range(NOW, source.mark.judged_until, 60) if time not in source.judged] == []


def test_a_clock_that_is_behind_by_years_takes_no_mark_there() -> None:
    mark = Mark(NOW - 86_400, NOW, NOW + 60)
    assert window_of(mark, NOW - 10**8).empty
    assert window_of(mark, NOW - 10**8).moved(mark, NOW - 10**8) == mark


def test_a_mark_keeps_an_earlier_one_of_each_of_some_days() -> None:
    mark: Optional[Mark] = None
    for quarter in range(10 * 96):
        now = NOW + quarter * 900 + 60
        mark = window_of(mark, now).moved(mark, now)
    assert mark is not None and len(mark.trail) == TRAIL_DAYS
    assert [made // 86_400 for _until, made in mark.trail] == [NOW // 86_400 + day for day in (6, 7, 8, 9)]
    assert all(until == made - 60 for until, made in mark.trail)
