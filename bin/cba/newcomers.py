"""How many values a detection meets for the first time, day by day, and whose: who invents values is seen here."""

from __future__ import annotations

import collections
import statistics
from typing import Iterable, Mapping, NamedTuple, Optional

from .terms import date_text

DAYS = 30
LEAST = 1_000
TIMES = 20
FEWEST_DAYS = 7
"""A day is a flood when it has LEAST values that were never seen before, and TIMES as many as a middle day of
FEWEST_DAYS or more: at first everything is new."""
SHOWN = 200
"""Characters of a name that a sentence shows."""
NAMES = 16


class Flood(NamedTuple):
    """The day with most values that were never seen before; `usual` is a middle day's number. `who` brought at least
    `theirs` of them, "" where nobody brought many."""

    day: int
    values: int
    usual: int
    who: str
    theirs: int

    def sentence(self) -> str:
        """For whoever looks after the app."""
        by = f"at least {self.theirs:,} of them by {self.who[:SHOWN]}" if self.who else "by many"
        return (
            f"{self.values:,} values were new on {date_text(self.day)}, {self.usual:,} on a middle day, {by}: a "
            "migration, or somebody invents them. They cost room, some 200 bytes each, until they have not been seen "
            "for a month or so; nothing else is forgotten for them"
        )


class Newcomers:
    """Counts values by the day on which they were first seen, over the DAYS before `today`. `since`: the day from which
    on many of them are told; before, everything is new.

    Who brought most of a day's is found with NAMES counters, however many there are (Misra and Gries, Finding repeated
    elements, 1982): who brought more than one in NAMES + 1 is among them, with that many too few at most.
    """

    def __init__(self, today: int, since: int) -> None:
        self.first_seen: collections.Counter[int] = collections.Counter()
        self._today = today
        self._since = since
        self._by: dict[int, dict[str, int]] = {}

    def meet(self, day: int, who: str) -> None:
        """A value that was first seen on that day, of somebody."""
        if not self._today - DAYS <= day < self._today:
            return
        self.first_seen[day] += 1
        most = self._by.setdefault(day, {})
        if who in most or len(most) < NAMES:
            most[who] = most.get(who, 0) + 1
            return
        for name in list(most):
            most[name] -= 1
            if not most[name]:
                del most[name]

    def flood(self) -> Optional[Flood]:
        """The greatest flood; None where there is none, or too few days to tell."""
        days = [day for day in self.days() if day >= self._since]
        if len(days) < FEWEST_DAYS:
            return None
        counts = [self.first_seen[day] for day in days]
        values = max(counts)
        usual = int(statistics.median(counts))
        if values < max(LEAST, TIMES * usual):
            return None
        day = days[counts.index(values)]
        who, theirs = max(self.brought(day).items(), key=lambda item: (item[1], item[0]), default=("", 0))
        return Flood(day, values, usual, who if 2 * theirs >= values else "", theirs)

    def brought(self, day: int) -> Mapping[str, int]:
        """Who brought how many of a day's at least: those who may have brought most."""
        return self._by.get(day, {})

    def days(self) -> Iterable[int]:
        """The days that are counted, oldest first."""
        return range(self._today - DAYS, self._today)
