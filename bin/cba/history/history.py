"""The history of one entity in one profile: value -> set of days, and the terms that DESIGN §3 defines over it.

Every term about day D looks at days before D only, so judging a day gives the same answer whether that day, or later
days, have been learned already.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Iterable, Mapping, Optional

from .days import KEPT_DAYS, RETENTION_DAYS, DaySet, popcount

BENIGN = "benign"
MALICIOUS = "malicious"

SIDE_VALUES = 32
"""How many values the history of a thing beside the scopes keeps (`History.learn`): a popular resource costs no more
than this many hosts."""

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


class History:
    """What one entity has been seen with. `first` is the entity's first day ever, which outlives forgotten values."""

    __slots__ = ("first", "values")

    def __init__(self, first: Optional[int] = None, values: Optional[Mapping[str, DaySet]] = None) -> None:
        self.first = first
        self.values: dict[str, DaySet] = dict(values or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and (self.first, self.values) == (other.first, other.values)

    def __repr__(self) -> str:
        return f"History(first={self.first}, values={self.values})"

    def learn(self, value: str, day: int, limit: Optional[int] = None) -> bool:
        """Adds one observation; True when that changed anything.

        With a `limit` only so many values are kept, those that came first (of one day, those with the smallest digests,
        so that the order within it does not matter). A history that is full says so by its number of values, and as
        long as it is not, nothing is missing: what was known before a day never depends on what came later.
        """
        known = self.values.get(value)
        days = DaySet.of(day) if known is None else known.union(DaySet.of(day))
        if days == known:
            return False
        self.values[value] = days
        if self.first is None or day < self.first:
            self.first = day
        if limit is not None and len(self.values) > limit:
            last = max(self.values, key=lambda name: (self.values[name].first, _digest(name)))
            del self.values[last]
            return last != value
        return True

    def union(self, other: History) -> History:
        """Everything that either has seen."""
        firsts = [first for first in (self.first, other.first) if first is not None]
        merged = History(min(firsts) if firsts else None, self.values)
        for value, days in other.values.items():
            known = merged.values.get(value)
            merged.values[value] = days if known is None else known.union(days)
        return merged

    def forget(self, today: int) -> bool:
        """Drops values that no longer count for `today` or the days shortly before; True when anything went."""
        gone = [value for value, days in self.values.items() if days.last < today - KEPT_DAYS]
        for value in gone:
            del self.values[value]
        return bool(gone)


def _digest(value: str) -> bytes:
    return hashlib.blake2b(value.encode("utf-8"), digest_size=8).digest()


@dataclasses.dataclass(frozen=True)
class ScopeView:
    """One entity's history of one dimension as it stood at the start of day `day`: all that scoring may know.

    `established` are the values that count as normal (`known`: the same, most usual first); `active_days` and
    `trained` speak of the entity itself; `weights` are the decayed day counts per value that `scoring` ranks by, and
    `choices` their number, or the limit of a history that is full. `training_days` and `familiar` take all values for
    one: on how many days of the training period there was any, and whether such a value would be established.
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
    """
    training_start = day - terms.training
    established: dict[str, int] = {}
    weights: dict[str, float] = {}
    active = 0
    arrivals = 0.0
    before = 0
    for value, days in history.values.items():
        if days.first >= day:
            continue
        before += 1
        retained = days.between(day - RETENTION_DAYS, day - 1)
        active |= retained
        trained_mask = retained & ((1 << terms.training) - 1)
        seen_days = popcount(trained_mask)
        if seen_days:
            weights[value] = _decayed(trained_mask)
        if days.first >= training_start:
            arrivals += _DECAY[day - days.first]
        if _is_established(days, seen_days, day, activation_day, terms, verdicts.get(value)):
            established[value] = seen_days
    for value, verdict in verdicts.items():
        if verdict == BENIGN:
            established.setdefault(value, 0)
    since = history.first if history.first is not None and history.first < day else None
    active_days = popcount(active)
    training_days = popcount(active & ((1 << terms.training) - 1))
    trained = (
        since is not None
        and since <= day - terms.trained_age
        and active_days >= terms.trained_days
        and bool(established)
    )
    known = sorted(established, key=lambda value: (-established[value], value))
    return ScopeView(
        day=day,
        training=terms.training,
        since=since,
        trained=trained,
        active_days=active_days,
        established=frozenset(known),
        known=tuple(known),
        weights=weights,
        total_weight=round(sum(weights.values()), 3),
        new_values_rate=arrivals,
        choices=len(weights) if limit is None or before < limit else limit,
        training_days=training_days,
        familiar=since is not None and _long_or_often(since, training_days, day, activation_day, terms),
    )


def _is_established(
    days: DaySet, seen_days: int, day: int, activation_day: int, terms: Terms, verdict: Optional[str]
) -> bool:
    if verdict is not None:
        return verdict == BENIGN
    return _long_or_often(days.first, seen_days, day, activation_day, terms)


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
