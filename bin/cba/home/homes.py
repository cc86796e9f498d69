"""The home region of a workload: what is remembered of it, and what that says about a call. Pure: no I/O, no clock.

A *workload* is what credentials were issued to: an instance (`i-0abc…`) or a function (its role's ARN, `/`, its name).
Its home region is, first that is known:

1. the region that the call itself names (its *hint*);
2. what was learned on days before: from the cloud's own acts (STRONG; a function may have several homes, for it may be
   deployed to several regions under one name), else from what the workload said of itself first (WEAK, for whoever has
   its credentials can say the same);
3. the lookup `instance_inventory`;
4. its own calls on the 30 days before: at least 20, at least 80 % of them to one region. They are counted once a
   quarter of an hour, so that a burst of a minute does not outvote the work of days;
5. only of a workload of which none of that is known: what is learned from the day itself on.

What was known before a day decides about it at once and is not touched by the day itself, as with all histories. The
fifth is the exception, because instances are robbed on the day they are made: of such a workload, what its cloud said
by then counts, else, on its first two days, what it says first within a day afterwards. Calls that come before
anything is known are *kept* with the workload until then, so it does not matter which of the two is delivered first.
Merging is by minimum, maximum and union.
"""

from __future__ import annotations

import dataclasses
from typing import Collection, Iterable, Mapping, NamedTuple, Optional

from ..history.days import KEPT_DAYS, RETENTION_DAYS, popcount
from ..terms import BUCKET_SECONDS, SECONDS_PER_DAY

TRAINING_DAYS = 30
KEPT_CALL_DAYS = TRAINING_DAYS + KEPT_DAYS - RETENTION_DAYS
"""Calls are kept a little longer than they count, so that a day can be judged again later with the same answer."""
OWN_CALLS = 20
OWN_SHARE = 0.8

NAMED = "named in the event"
NAMED_BEFORE = "named in an earlier event"
STRONG = (NAMED_BEFORE, "AssumeRole by EC2", "AssumeRole by Lambda", "RunInstances", "CreateFunction")
WEAK = "UpdateInstanceInformation"
HOWS = (*STRONG, WEAK)
INVENTORY = "list instance_inventory"
ITS_CALLS = "its own calls"

KNOWN = "known"
UNKNOWN = "unknown"

WAITS_SECONDS = SECONDS_PER_DAY
"""How long a call is kept for its workload's home to become known."""
KEPT_CALLS = 200
"""How many different calls are kept of one workload; of more it is only counted that there were more."""


class Known(NamedTuple):
    """The home regions of a workload (all but always one) and how they are known, in words for a person."""

    regions: tuple[str, ...]
    source: str


@dataclasses.dataclass
class Home:
    """What is remembered of one workload.

    `facts`: region -> how it was learned -> epoch second of the quarter of an hour from which on that counts.
    `calls`: region -> UTC day -> mask of the quarters of an hour with calls (bit 0 = midnight).
    `met_day`: the last day on which it called; `known_day`: the last on which its home was known when it did;
    `first_day`, `last_day`: the first and the last day of anything.
    `kept`: name of a call -> the call as text, of calls that came before the home was known; `not_kept`: how many more.
    """

    facts: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    calls: dict[str, dict[int, int]] = dataclasses.field(default_factory=dict)
    met_day: Optional[int] = None
    known_day: Optional[int] = None
    last_day: int = 0
    first_day: Optional[int] = None
    kept: dict[str, str] = dataclasses.field(default_factory=dict)
    not_kept: int = 0

    def learn_fact(self, region: str, how: str, since: int, day: int) -> bool:
        """Adds a fact; True when that changed anything."""
        hows = self.facts.setdefault(region, {})
        earliest = min(since, hows.get(how, since))
        changed = hows.get(how) != earliest
        hows[how] = earliest
        return self._touch(day) or changed

    def learn_call(self, region: str, day: int, quarter: int) -> bool:
        """Adds a call in a quarter of an hour of a day (0 … 95); True when that changed anything."""
        days = self.calls.setdefault(region, {})
        mask = days.get(day, 0) | 1 << quarter
        changed = days.get(day) != mask
        days[day] = mask
        return self._touch(day) or changed

    def meet(self, day: int, known: bool) -> bool:
        """The workload called on a day, its home known or not; True when that changed anything."""
        before = (self.met_day, self.known_day)
        self.met_day = max(self.met_day or day, day)
        if known:
            self.known_day = max(self.known_day or day, day)
        return self._touch(day) or before != (self.met_day, self.known_day)

    def _touch(self, day: int) -> bool:
        before = (self.first_day, self.last_day)
        self.last_day = max(self.last_day, day)
        self.first_day = day if self.first_day is None else min(self.first_day, day)
        return before != (self.first_day, self.last_day)

    def keep(self, name: str, call: str, day: int) -> bool:
        """Keeps a call until the home is known, if it may wait for that; True when that changed anything."""
        if name in self.kept or not self.waits(day):
            return False
        if len(self.kept) >= KEPT_CALLS:
            self.not_kept += 1
        else:
            self.kept[name] = call
        return True

    def waits(self, day: int) -> bool:
        """Whether calls of a day wait for the home to become known. Of a workload that nobody could place for days they
        do not: its home will not come with the next hour."""
        return self.first_day is None or day <= self.first_day + 1

    def release(self) -> dict[str, str]:
        """The kept calls by their names, which are kept no longer."""
        calls = dict(sorted(self.kept.items()))
        self.kept, self.not_kept = {}, 0
        return calls

    def unite(self, other: Home, let_go: Collection[str] = ()) -> None:
        """Adds what another run has remembered meanwhile, but for kept calls that were let go here."""
        for region, hows in other.facts.items():
            mine = self.facts.setdefault(region, {})
            mine.update({how: min(since, mine.get(how, since)) for how, since in hows.items()})
        for region, days in other.calls.items():
            masks = self.calls.setdefault(region, {})
            masks.update({day: mask | masks.get(day, 0) for day, mask in days.items()})
        self.met_day = max((day for day in (self.met_day, other.met_day) if day is not None), default=None)
        self.known_day = max((day for day in (self.known_day, other.known_day) if day is not None), default=None)
        self.first_day = min((day for day in (self.first_day, other.first_day) if day is not None), default=None)
        self.last_day = max(self.last_day, other.last_day)
        self.kept = {**{name: call for name, call in other.kept.items() if name not in let_go}, **self.kept}

    def forget(self) -> None:
        """Drops the calls that no longer count for the workload's last day or the days shortly before, and those that
        were kept in vain."""
        if self.first_day is not None and self.last_day > self.first_day + 2:
            self.kept, self.not_kept = {}, 0
        oldest = self.last_day - KEPT_CALL_DAYS
        kept = {region: {d: m for d, m in days.items() if d >= oldest} for region, days in self.calls.items()}
        self.calls = {region: days for region, days in kept.items() if days}

    def knows_before(self, time: int) -> bool:
        """Whether a fact counts from before the epoch second `time` on."""
        return any(since < time for hows in self.facts.values() for since in hows.values())


def known_home(home: Home, bucket: int, inventory: str) -> Optional[Known]:
    """The home of a workload as it stands for a call in the quarter of an hour `bucket` (epoch second of its start);
    None while it is unknown. `inventory`: what the list instance_inventory says, "" for nothing."""
    day = bucket // SECONDS_PER_DAY
    known = _by_facts(home.facts, day * SECONDS_PER_DAY)
    if known is None and inventory:
        known = Known((inventory,), INVENTORY)
    if known is None:
        known = _by_calls(home.calls, day)
    if known is None:
        known = _by_facts(home.facts, bucket + 1)
    if known is None and home.waits(day):
        # Whether the fact and the call are read at once or one after the other: only what may be kept can wait for it.
        later = [since for hows in home.facts.values() for since in hows.values() if since <= bucket + WAITS_SECONDS]
        known = _by_facts(home.facts, min(later) + 1) if later else None
    return known


def _by_facts(facts: Mapping[str, Mapping[str, int]], before: int) -> Optional[Known]:
    """The home by what counts from before the second `before` on."""
    if not facts:
        return None
    counting = {region: {how for how, since in hows.items() if since < before} for region, hows in facts.items()}
    strong = set().union(*counting.values()) & set(STRONG)
    if strong:
        regions = sorted(region for region, hows in counting.items() if strong & hows)
        return Known(tuple(regions), min(strong, key=STRONG.index))
    said = sorted((facts[region][WEAK], region) for region, hows in counting.items() if WEAK in hows)
    return Known((said[0][1],), WEAK) if said else None


def _by_calls(calls: Mapping[str, Mapping[int, int]], day: int) -> Optional[Known]:
    """The home by the workload's own calls of the training period before `day`."""
    counts = {
        region: sum(popcount(mask) for d, mask in days.items() if day - TRAINING_DAYS <= d < day)
        for region, days in calls.items()
    }
    total = sum(counts.values())
    if total < OWN_CALLS:
        return None
    region = max(sorted(counts), key=counts.__getitem__)
    return Known((region,), ITS_CALLS) if counts[region] >= OWN_SHARE * total else None


def outside(known: Known, region: str, public: bool, source_region: str, foreign: bool = False) -> str:
    """How a call left the home region, in words; "" when it did not.

    `region`: where it went, "" for a service that has none; `public`: whether it came from a public address;
    `source_region`: the cloud's region that publishes this address, "" for any other; `foreign`: whether it came
    through another account's VPC endpoint, in whatever region that is.
    """
    ways = []
    if region and region not in known.regions:
        ways.append(f"went to {region}")
    if foreign:
        ways.append("came through another account's VPC endpoint")
    elif public and source_region not in known.regions:
        ways.append(f"came from outside {', '.join(known.regions)}")
    return " and ".join(ways)


def quarter_of(bucket: int) -> int:
    """Which quarter of an hour of its day a bucket is."""
    return bucket % SECONDS_PER_DAY // BUCKET_SECONDS


class Tally(NamedTuple):
    """Of how many of the workloads that called lately the home is known, and of how many not."""

    known: int
    unknown: int


def tally(homes: Iterable[Home], day: int) -> Tally:
    """Counts the workloads that called in the training period before `day` or on it, by whether the home was known
    when they last did."""
    met = [home for home in homes if home.met_day is not None and home.met_day >= day - TRAINING_DAYS]
    known = sum(home.known_day == home.met_day for home in met)
    return Tally(known, len(met) - known)
