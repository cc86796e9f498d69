"""The history of one entity in one profile: value -> set of days, and the terms that are defined over it.

Every term about day D looks at days before D only, so judging a day gives the same answer whether that day, or later
days, have been learned already.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Iterable, Iterator, Mapping, NamedTuple, Optional

from .days import KEPT_DAYS, RETENTION_DAYS, DaySet, popcount

BENIGN = "benign"
MALICIOUS = "malicious"

CROWD = "*"
"""Stands for the values of a day on which a thing had more of them than its history names (`History.learn`)."""

MOST_VALUES = 10_000
MOST_CHARACTERS = 1_000_000
"""How many values one history names, and how long they are together. Names are chosen by whoever is logged: without a
limit, one identity's inventions would make a document that the KV store refuses."""
NEARLY = 0.99
"""Of MOST_CHARACTERS: what was let go leaves less room than the next value needs."""

HALF_LIFE_DAYS = 10
_DECAY = [0.5 ** (age / HALF_LIFE_DAYS) for age in range(RETENTION_DAYS + 1)]


@dataclasses.dataclass(frozen=True)
class Terms:
    """The periods and thresholds a detection judges by; all are days or numbers of days."""

    training: int = 30
    activation: int = 14
    trained_days: int = 5
    trained_age: int = 14
    established_days: int = 2
    established_age: int = 7


class Subject(NamedTuple):
    """Whose history: a profile, such as `identity_country`, and one of its entities."""

    profile: str
    entity: str


class History:
    """What one entity has been seen with: value -> days. `limit`: how many values a day names, see `learn`."""

    __slots__ = ("limit", "values")

    def __init__(self, values: Optional[Mapping[str, DaySet]] = None, limit: Optional[int] = None) -> None:
        self.values: dict[str, DaySet] = dict(values or {})
        self.limit = limit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.values == other.values

    def __repr__(self) -> str:
        return f"History({self.values})"

    def learn(self, value: str, day: int, limit: Optional[int] = None) -> bool:
        """Adds one observation; True when that changed anything.

        With a `limit` a day names at most so many values; of a day with more it is only kept that there were more
        (CROWD). So something popular costs less than something rare. Every day stands for itself: what is kept of it
        depends on what was seen on it, in whatever order, and on no other day.
        """
        if limit is not None:
            if self._has(CROWD, day):
                return False
            named = [name for name, days in self.values.items() if days.has(day)]
            if value not in named and len(named) >= limit:
                for name in named:
                    self._take_out(name, day)
                value = CROWD
        known = self.values.get(value)
        days = DaySet.of(day) if known is None else known.union(DaySet.of(day))
        if days == known:
            return False
        self.values[value] = days
        return True

    def _has(self, value: str, day: int) -> bool:
        days = self.values.get(value)
        return days is not None and days.has(day)

    def _take_out(self, value: str, day: int) -> None:
        left = self.values[value].without(day)
        if left is None:
            del self.values[value]
        else:
            self.values[value] = left

    @property
    def last(self) -> Optional[int]:
        """The latest day on which anything was seen."""
        return max((days.last for days in self.values.values()), default=None)

    def union(self, other: History) -> History:
        """Everything that either has seen."""
        merged = History(self.values, self.limit or other.limit)
        for value, days in other.values.items():
            known = merged.values.get(value)
            merged.values[value] = days if known is None else known.union(days)
        merged.settle()
        return merged

    def settle(self) -> None:
        """Where there is a limit: leaves of a day that has more values than that, or is known to have more, only that
        it had more. So what several runs or writers have named of one day is what one would have kept of it."""
        if self.limit is None or not self.values:
            return
        last = self.last or 0
        masks = {value: days.mask << (last - days.last) for value, days in self.values.items() if value != CROWD}
        # By a number, the days on which so many values were seen, as masks whose bit 0 is `last`.
        at_least = [0] * (self.limit + 2)
        for mask in masks.values():
            for count in range(self.limit, 0, -1):
                at_least[count + 1] |= at_least[count] & mask
            at_least[1] |= mask
        crowd = self.values.get(CROWD)
        crowded = at_least[-1] | (crowd.mask << (last - crowd.last) if crowd is not None else 0)
        for value, mask in masks.items():
            for day in _days_of(mask & crowded, last):
                self._take_out(value, day)
        for day in _days_of(at_least[-1], last):
            known = self.values.get(CROWD)
            self.values[CROWD] = DaySet.of(day) if known is None else known.union(DaySet.of(day))

    def forget(self) -> None:
        """Drops values that no longer count for the entity's last day or the days shortly before; and of more values
        than anything real has (MOST_VALUES, MOST_CHARACTERS) those seen on the fewest days, of these the youngest.
        Whoever invents values does not get others' forgotten, and what was forgotten is new again."""
        oldest = (self.last or 0) - KEPT_DAYS
        for value in [value for value, days in self.values.items() if days.last < oldest]:
            del self.values[value]
        if len(self.values) > MOST_VALUES or sum(map(len, self.values)) > MOST_CHARACTERS:
            room = MOST_CHARACTERS
            kept: dict[str, DaySet] = {}
            for value, days in sorted(self.values.items(), key=_importance):
                room -= len(value)
                if room < 0 or len(kept) == MOST_VALUES:
                    break
                kept[value] = days
            self.values = kept

    @property
    def is_full(self) -> bool:
        """Whether values have been let go, or the next ones will."""
        return len(self.values) >= MOST_VALUES or sum(map(len, self.values)) >= NEARLY * MOST_CHARACTERS


def _importance(item: tuple[str, DaySet]) -> tuple[int, int, int, str]:
    """Seen on many days, and early, first; a long name last of those alike."""
    value, days = item
    return -popcount(days.mask), days.first, len(value), value


def _days_of(mask: int, last: int) -> Iterator[int]:
    """The days of a mask whose bit 0 is `last`."""
    while mask:
        low = mask & -mask
        yield last - low.bit_length() + 1
        mask ^= low


class ScopeView(NamedTuple):
    """One entity's history of one dimension as it stood at the start of day `day`: all that scoring may know.

    `established` are the values that count as normal (`known`: the same, most usual first); `active_days` and
    `trained` speak of the entity itself; `weights` are the decayed day counts per value that `scoring` ranks by, and
    `choices` their number. `training_days` and `familiar` take all values for one: on how many days of the training
    period there was any, and whether such a value would be established.

    Of a history with a limit, `known` are all values of the training period, CROWD first; with a day among them that
    had more values than are named, `choices` is more than the limit. `crowded`: such days are normal, so that nobody
    can be told to be new.
    """

    day: int
    training: int
    since: Optional[int]
    trained: bool
    active_days: int
    established: frozenset[str]
    known: tuple[str, ...]
    weights: Mapping[str, float]
    total_weight: float
    new_values_rate: float
    choices: int
    training_days: int
    familiar: bool
    crowded: bool


def view(
    history: History,
    day: int,
    activation_day: int,
    terms: Terms,
    verdicts: Mapping[str, str],
    limit: Optional[int] = None,
) -> ScopeView:
    """What `history` says on day `day`; `limit` is the number of values it was learned with.

    `activation_day` is the first day on which the event's source is active: values first seen before it need no second
    sighting, for there was nothing to tell them from. `verdicts` maps a value to `benign` or `malicious` and overrides.
    Days older than the retention are as if they had never been, whether they are forgotten yet or not.
    """
    training_start = day - terms.training
    established: dict[str, int] = {}
    weights: dict[str, float] = {}
    in_training = (1 << terms.training) - 1
    active = 0
    arrivals: list[float] = []
    for value, days in history.values.items():
        retained = days.between(day - RETENTION_DAYS, day - 1)
        if not retained:
            continue
        active |= retained
        first = day - retained.bit_length()
        seen_days = popcount(retained & in_training)
        if seen_days:
            weights[value] = _decayed(retained & in_training)
        if first >= training_start:
            arrivals.append(_DECAY[day - first])
        if _is_established(first, seen_days, day, activation_day, terms, verdicts.get(value)):
            established[value] = seen_days
    for value, verdict in verdicts.items():
        if verdict == BENIGN:
            established.setdefault(value, 0)
    since = day - active.bit_length() if active else None
    active_days = popcount(active)
    training_days = popcount(active & in_training)
    trained = (
        since is not None
        and since <= day - terms.trained_age
        and active_days >= terms.trained_days
        and bool(established)
    )
    known = sorted(established, key=lambda value: (-established[value], value))
    choices = len(weights)
    if limit is not None:
        known = sorted(weights, key=lambda value: (value != CROWD, -weights[value], value))
        choices = max(choices, limit + 1) if CROWD in weights else choices
    return ScopeView(
        day=day,
        training=terms.training,
        since=since,
        trained=trained,
        active_days=active_days,
        established=frozenset(established),
        known=tuple(known),
        weights=weights,
        # Exact sums, so that the order in which values were learned or read back does not show.
        total_weight=round(math.fsum(weights.values()), 3),
        new_values_rate=math.fsum(arrivals),
        choices=choices,
        training_days=training_days,
        familiar=_long_or_often(day - active.bit_length(), training_days, day, activation_day, terms),
        crowded=limit is not None and CROWD in established,
    )


def _is_established(
    first: int, seen_days: int, day: int, activation_day: int, terms: Terms, verdict: Optional[str]
) -> bool:
    if verdict is not None:
        return verdict == BENIGN
    return _long_or_often(first, seen_days, day, activation_day, terms)


def _long_or_often(first: int, seen_days: int, day: int, activation_day: int, terms: Terms) -> bool:
    if seen_days >= terms.established_days:
        return True
    early = first <= day - terms.established_age or first < activation_day
    return seen_days >= 1 and early


def _decayed(mask: int) -> float:
    """Sum of the half-life weights of the days in a mask whose bit 0 is yesterday (age 1)."""
    total = 0.0
    while mask:
        low = mask & -mask
        total += _DECAY[low.bit_length()]
        mask ^= low
    return total


def observations(history: History) -> Iterable[tuple[str, DaySet]]:
    """The values and their days, most recently seen first."""
    return sorted(history.values.items(), key=lambda item: (-item[1].last, item[0]))
