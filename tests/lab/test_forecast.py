"""Windows of searches whose subsearch says them, from those that were seen."""

from __future__ import annotations

from typing import Optional

import pytest

from lab.forecast import Forecast
from lab.spl.window import TimeWindow

DAY = 86_400.0
START = 1_700_000_000 // DAY * DAY


def asked(now: float) -> TimeWindow:
    return TimeWindow(0.0, now, now, indexed_by=now + 5)


def judged(now: float, since: float, back: float = 2 * DAY, earliest: Optional[float] = None) -> TimeWindow:
    """A window from a mark to the last whole quarter of an hour."""
    until = now // 900 * 900
    begin = since - back if earliest is None else earliest
    return TimeWindow(begin, until + 2 * DAY, now, since, until, indexed_by=now + 5)


CLOCK = [START + n * DAY + 7 * 60 for n in range(6)]
FROM_A_MARK = [judged(now, (now - DAY) // 900 * 900) for now in CLOCK]
OF_ALL_EVENT_TIMES = [judged(now, (now - DAY) // 900 * 900, earliest=1.0) for now in CLOCK]
SLIDING = [TimeWindow(now - 3 * DAY, now, now, indexed_by=now + 5) for now in CLOCK]


@pytest.mark.parametrize("windows", [FROM_A_MARK, OF_ALL_EVENT_TIMES, SLIDING])
def test_one_is_enough(windows: list[TimeWindow]) -> None:
    forecast = Forecast()
    assert list(forecast.coming(map(asked, CLOCK))) == []
    forecast.seen(windows[0])
    assert list(forecast.coming(map(asked, CLOCK[1:]))) == windows[1:]


def test_event_time_that_moves_with_the_clock_is_learnt() -> None:
    """The last run comes earlier than the others: a day that is not over."""
    clock = [*CLOCK[:4], CLOCK[3] + 3600]
    windows = [
        TimeWindow(now - 2 * DAY, now + DAY, now, before, now, indexed_by=now + 5)
        for before, now in zip([CLOCK[0] - 5 * DAY, *clock], clock)
    ]
    forecast = Forecast()
    forecast.seen(windows[0])
    assert next(forecast.coming(map(asked, clock[1:]))) != windows[1]
    forecast.seen(windows[1])
    assert list(forecast.coming(map(asked, clock[2:]))) == windows[2:]


def test_a_longer_window_after_an_outage_does_not_confuse() -> None:
    forecast = Forecast()
    for window in (*FROM_A_MARK[:2], judged(CLOCK[3], FROM_A_MARK[1].index_latest or 0)):
        forecast.seen(window)
    assert list(forecast.coming([asked(CLOCK[4])])) == [FROM_A_MARK[4]]
