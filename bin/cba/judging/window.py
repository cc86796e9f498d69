"""Which events a run of a source's search reads: those indexed since the mark, in whole quarters of an hour.

The *mark* says how far a source has been judged, in index time. A run reads from there to the last quarter of an hour
that is over, and moves the mark when everything else is written. So a run that fails, is skipped or comes late loses
nothing: the next one reads from where the last one ended; after a long outage in portions, each of which ends with a
mark of its own.

A clock that is ahead for a while moves the mark past what has not been indexed yet. So a mark says when it was made,
and keeps those of some days before; a run whose clock stands before that goes back to the latest that it can believe,
and judges again from there, which changes nothing where nothing was lost.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple, Optional

from ..terms import BUCKET_SECONDS, SECONDS_PER_DAY, bucket_of, day_of

LAG_SECONDS = 60
"""How long after it was indexed an event is taken to be searchable on all indexers."""
PORTION_SECONDS = SECONDS_PER_DAY
"""How much index time one run reads at most."""
FIRST_SECONDS = SECONDS_PER_DAY
"""How far back the first run of a source goes; what is older is the back-fill's."""
PLAN_SECONDS = 600
"""How long a plan is kept: longer than a search takes to be parsed, shorter than the time from one run to the next."""
WRONG_CLOCK_SECONDS = 2 * SECONDS_PER_DAY
"""How far an event's own time may be from the time at which it was indexed."""


TRAIL_DAYS = 4
"""Of how many days a mark keeps an earlier one, and by how much a clock may have been wrong without one."""


class Mark(NamedTuple):
    """The index time, in epoch seconds, in which everything of a source has been judged: from … until (excluded).

    `made` is when, by the clock of the run that has moved it, 0 for unknown; `trail` are earlier marks, (until, made),
    the first of each of some days.
    """

    judged_from: int
    judged_until: int
    made: int = 0
    trail: tuple[tuple[int, int], ...] = ()

    def believed(self, end: int, now: float) -> int:
        """How far everything was judged, as far as a run can believe it, whose clock says `now` and which could read to
        `end`."""
        if now >= self.made - LAG_SECONDS:
            return self.judged_until
        told = [until for until, made in self.trail if made <= now and until <= end]
        if told:
            return max(told)
        if not self.judged_from < end < self.judged_until <= end + TRAIL_DAYS * SECONDS_PER_DAY:
            return self.judged_until
        return max(self.judged_from, end - FIRST_SECONDS)


@dataclasses.dataclass(frozen=True)
class Window:
    """The index time that a run reads, `start` … `end` (excluded), in whole quarters of an hour."""

    start: int
    end: int

    @property
    def empty(self) -> bool:
        return self.end <= self.start

    @property
    def text(self) -> str:
        """The window as one word, for the option of cbajudge."""
        return f"{self.start}-{self.end}"

    @classmethod
    def from_text(cls, text: str) -> Window:
        """The inverse of `text`. Raises ValueError for anything but two quarters of an hour in order."""
        start, _dash, end = text.partition("-")
        window = cls(int(start), int(end))
        if window.start > window.end or window.start % BUCKET_SECONDS or window.end % BUCKET_SECONDS:
            raise ValueError(f"not a window: {text!r}")
        return window

    @property
    def terms(self) -> str:
        """The window as search terms. An event's own time may be wrong by days; the index time decides."""
        earliest, latest = self.start - WRONG_CLOCK_SECONDS, self.end + WRONG_CLOCK_SECONDS
        return f"earliest={earliest} latest={latest} _index_earliest={self.start} _index_latest={self.end}"

    def moved(self, mark: Optional[Mark], made: int = 0) -> Mark:
        """The mark after this window has been judged to its end, by a run that began at `made`.

        A mark that stands further than that was moved by another run of the search meanwhile. The KV store cannot
        compare before it replaces, so this run may have written over what that one had from beyond the window: the
        mark goes back to the window's end, and what follows is judged again, which changes nothing where nothing was
        lost.
        """
        if mark is None:
            return Mark(self.start, self.end, made)
        if self.empty:
            return mark
        before = self.end <= mark.judged_from
        until = mark.judged_until if before else self.end
        return Mark(min(mark.judged_from, self.start), until, made, _trail(mark, made))


def _trail(mark: Mark, made: int) -> tuple[tuple[int, int], ...]:
    """The marks to keep beside one that is made now: of what a later clock has made, none."""
    kept = [each for each in mark.trail if each[1] <= made]
    if 0 < mark.made <= made and all(day_of(mark.made) != day_of(when) for _until, when in kept):
        kept.append((mark.judged_until, mark.made))
    return tuple(kept[-TRAIL_DAYS:])


class Plan(NamedTuple):
    """A window that a run is about to read, and when that was decided."""

    window: Window
    made: int


def window_of(mark: Optional[Mark], now: float, portion: int = PORTION_SECONDS) -> Window:
    """The window of a run that was dispatched at `now` (epoch seconds)."""
    end = bucket_of(now - LAG_SECONDS)
    if mark is None:
        return Window(end - FIRST_SECONDS, end)
    start = mark.believed(end, now)
    return Window(start, max(start, min(end, start + portion)))


def planned(plan: Optional[Plan], mark: Optional[Mark], now: float) -> Plan:
    """The plan that holds at `now`: one that is young and begins at the mark is kept, so that all parts of a search,
    which ask one after the other, read and judge the same window."""
    if (
        plan is not None
        and 0 <= now - plan.made <= PLAN_SECONDS
        and (mark is None or plan.window.start == window_of(mark, now).start)
    ):
        return plan
    return Plan(window_of(mark, now), int(now))


def behind_seconds(mark: Mark, now: float) -> int:
    """How much index time waits to be judged, beyond the quarter of an hour that any run leaves."""
    return max(0, bucket_of(now - LAG_SECONDS) - mark.judged_until)
