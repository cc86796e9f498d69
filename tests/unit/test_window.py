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
