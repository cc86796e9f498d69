"""Splunk's five-field cron in UTC: `minute hour day-of-month month day-of-week`.

Lists, ranges, steps and `*`; days of the week are 0-6 with 0 = Sunday
(https://docs.splunk.com/Documentation/Splunk/latest/Alert/CronExpressions). Names are refused, as "the Splunk cron
implementation does not currently support names of months or days"
(https://docs.splunk.com/Documentation/Splunk/latest/Admin/Savedsearchesconf). When both day fields are restricted a day
matches either of them, which is what cron has always done.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left
from dataclasses import dataclass
from typing import Iterator

from lab.errors import LabError

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
DAY = 86400
HORIZON_DAYS = 366 * 5  # 29 February comes round within that


@dataclass(frozen=True)
class Cron:
    """A parsed expression. Times are epoch seconds on whole minutes, UTC."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def matches_day(self, day: int) -> bool:
        """`day` is a UTC day number (epoch seconds // 86400)."""
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        if date.month not in self.months:
            return False
        in_month, in_week = date.day in self.days, (day + 4) % 7 in self.weekdays  # 1970-01-01 was a Thursday
        return in_month or in_week if self.either_day else in_month and in_week

    def times(self, start: float, end: float) -> Iterator[int]:
        """Times t with start < t <= end."""
        offsets = [hour * 3600 + minute * 60 for hour in self.hours for minute in self.minutes]
        for day in range(int(start // DAY), int(end // DAY) + 1):
            if not self.matches_day(day):
                continue
            for at in range(bisect_left(offsets, start - day * DAY), len(offsets)):
                moment = day * DAY + offsets[at]
                if moment > end:
                    return
                if moment > start:
                    yield moment

    def next(self, after: float) -> int:
        """The first time later than `after`; LabError when there is none within five years."""
        for moment in self.times(after, after + HORIZON_DAYS * DAY):
            return moment
        raise LabError(f"cron_schedule '{self.text}' never comes due.")


def parse_cron(text: str) -> Cron:
    """Parse an expression; LabError says which field is wrong.

    >>> parse_cron("*/15 * * * *").minutes
    (0, 15, 30, 45)
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise LabError(f"cron_schedule '{text}' has {len(parts)} fields; it takes 5: minute hour day month weekday.")
    sets = [_field(part, text, *field) for part, field in zip(parts, FIELDS)]
    minutes, hours, days, months, weekdays = sets
    either = parts[2] != "*" and parts[4] != "*"
    return Cron(
        text,
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        frozenset(days),
        frozenset(months),
        frozenset(weekdays),
        either,
    )


def _field(part: str, text: str, name: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for item in part.split(","):
        span, slash, step_text = item.partition("/")
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = low, high
        elif first_text.isdigit() and (last_text.isdigit() if dash else True):
            first = int(first_text)
            last = int(last_text) if dash else (high if slash else first)
        else:
            raise LabError(f"cron_schedule '{text}': {name} '{item}' is not a number, range, list or step (no names).")
        if slash and not (step_text.isdigit() and int(step_text) > 0):
            raise LabError(f"cron_schedule '{text}': {name} '{item}' has no step of 1 or more after '/'.")
        if not low <= first <= last <= high:
            raise LabError(f"cron_schedule '{text}': {name} '{item}' is outside {low}-{high}.")
        values.update(range(first, last + 1, int(step_text) if slash else 1))
    return values
