"""Which time range a search will look at whose subsearch says it: learnt from those it looked at before.

Nothing is known here of the command that says it. A forecast may be wrong; whoever uses it compares.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Iterable, Iterator, Optional

from lab.spl.window import TimeWindow

ALL_TIME = 86_400
"""A beginning before this is "everything", which does not move with the clock."""


class Forecast:
    """Learns from every window that was `seen` and tells those that are `coming`."""

    def __init__(self) -> None:
        self._last: Optional[TimeWindow] = None
        self._rule: Rule = follows_on

    def seen(self, window: TimeWindow) -> None:
        """A run has looked at this window."""
        if self._last is not None and self._rule(self._last, window.now) != _bounds(window):
            fitting = (rule for rule in RULES if rule(self._last, window.now) == _bounds(window))
            self._rule = next(fitting, self._rule)
        self._last = window

    def coming(self, asked: Iterable[TimeWindow]) -> Iterator[TimeWindow]:
        """The windows of the next runs, which are dispatched with those in `asked`; none before one was seen."""
        window = self._last
        for dispatched in asked:
            if window is None:
                return
            window = replace(self._rule(window, dispatched.now), now=dispatched.now, indexed_by=dispatched.indexed_by)
            yield window


Rule = Callable[[TimeWindow, float], TimeWindow]
"""(the window before, the next run's clock) → the next run's window."""


def follows_on(before: TimeWindow, now: float) -> TimeWindow:
    """Index time goes on where the run before ended; event time lies around it as it did before."""
    if before.index_earliest is None or before.index_latest is None:
        return moves_on(before, now)
    by, length = now - before.now, before.index_latest - before.index_earliest
    return TimeWindow(
        _moved(before.earliest, length),
        _moved(before.latest, by),
        0,
        before.index_latest,
        before.index_latest + by,
    )


def moves_on(before: TimeWindow, now: float) -> TimeWindow:
    """Everything moves with the clock."""
    by = now - before.now
    return TimeWindow(
        _moved(before.earliest, by),
        _moved(before.latest, by),
        0,
        _moved(before.index_earliest, by),
        _moved(before.index_latest, by),
    )


def follows_on_with_the_clock(before: TimeWindow, now: float) -> TimeWindow:
    """Index time goes on where the run before ended, and event time moves with the clock."""
    return replace(
        follows_on(before, now),
        earliest=_moved(before.earliest, now - before.now),
        latest=_moved(before.latest, now - before.now),
    )


RULES: tuple[Rule, ...] = (follows_on, follows_on_with_the_clock, moves_on)


def _moved(time: Optional[float], by: float) -> Optional[float]:
    return time if time is None or time < ALL_TIME else time + by


def _bounds(window: TimeWindow) -> TimeWindow:
    return replace(window, now=0, indexed_by=None)
