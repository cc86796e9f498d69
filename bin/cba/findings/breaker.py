"""The circuit breaker: a detection that matches far too often stops raising findings until somebody acknowledges it.

A *match* is what would raise or count in one finding within a quarter of an hour: the scored rows of one deduplication
key. One key from six thousand addresses is one match, not a flood. The match that makes the detection's
threshold full within 24 hours opens the breaker: it and those before it may raise findings, those after it raise none.
The 24 hours are a match's own 15-minute bucket and the 95 before it; within a bucket, matches are in order of their
first second. All of that is event time. Matches are counted per quarter of an hour of event time and of index time, and
the counts merge by maximum, as those of findings do. So re-runs count nothing twice, events of one quarter that are
read by several runs are counted together, and with events in order any cadence opens it at the same match.

What does not hold: events that come late, around the moment it opens, may show that it should have opened earlier, and
a finding raised meanwhile stays; and a search with more matches than a batch holds counts batch by batch.

An acknowledgement closes it from the next whole bucket on, and counting begins anew there. What matched while it was
open stays unraised however often it is searched again.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Mapping, NamedTuple, Optional, Protocol, Sequence

from ..errors import OptionError
from ..terms import BUCKET_SECONDS, bucket_of, time_text
from .windows import Sighting

PERIOD_SECONDS = 24 * 3600
KEPT_SECONDS = 4 * PERIOD_SECONDS


class Quarters(NamedTuple):
    """The quarters of an hour in which matches happened and were indexed."""

    bucket: int
    indexed: int


class Opening(NamedTuple):
    """The match that opened the breaker: its first second, and its key, by which matches of one second are ordered."""

    time: int
    part: str


class Acknowledgement(NamedTuple):
    """When (epoch seconds, event time) somebody closed the breaker, and who."""

    time: int
    by: str
    comment: str

    @property
    def resumes(self) -> int:
        """The bucket from which findings are raised and matches counted again: the next one."""
        return (self.time // BUCKET_SECONDS + 1) * BUCKET_SECONDS


@dataclasses.dataclass(frozen=True)
class BreakerState:
    """What is kept of a detection's breaker: matches, openings, and acknowledgements, oldest first."""

    counts: Mapping[Quarters, int] = dataclasses.field(default_factory=dict)
    openings: tuple[Opening, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()

    def closed_by(self, opening: Opening) -> Optional[int]:
        """The bucket at which the opening ended, None while it lasts."""
        later = [each.resumes for each in self.acknowledged if each.resumes > opening.time]
        return min(later, default=None)

    @property
    def open(self) -> Optional[Opening]:
        """The opening that lasts, or None."""
        return next((each for each in self.openings if self.closed_by(each) is None), None)

    @property
    def era(self) -> int:
        """The bucket from which matches count towards the next opening."""
        return max((each.resumes for each in self.acknowledged), default=0)

    def silences(self, time: int, part: str) -> bool:
        """Whether a match at that second raises nothing."""
        for opening in self.openings:
            closed = self.closed_by(opening)
            if (time, part) > opening and (closed is None or time < closed):
                return True
        return False

    def matches(self, now: int) -> int:
        """Matches of the 24 hours before `now` since the last acknowledgement; while it is open none are counted."""
        since = max(self.era, now - PERIOD_SECONDS)
        return sum(count for quarters, count in self.counts.items() if since <= quarters.bucket < now)

    def acknowledge(self, now: int, by: str, comment: str) -> Acknowledgement:
        """The acknowledgement that closes it. Raises OptionError when it is not open at `now`."""
        opening = self.open
        if opening is None:
            raise OptionError("the breaker is not open; there is nothing to acknowledge")
        if now < opening.time:
            raise OptionError("the search's time range ends before the breaker opened; search up to now")
        return Acknowledgement(now, by, comment)


class BreakerStore(Protocol):
    """Where the state of a detection's breaker lives, of one source; `store.breakers.BreakerCollection` is the one in
    Splunk."""

    def load(self) -> BreakerState: ...

    def save(self, state: BreakerState) -> None:
        """Keeps counts and openings; acknowledgements are another writer's."""


class Breaker:
    """Lets matches pass, or not. `threshold` is in matches per 24 hours."""

    def __init__(self, threshold: int, store: BreakerStore) -> None:
        self.threshold = threshold
        self._store = store
        self._seen: dict[Quarters, dict[str, int]] = {}
        """the keys of this run and their first seconds"""
        self._opened_now: Optional[Opening] = None

    def admit(self, sightings: Sequence[Sighting]) -> list[bool]:
        """Which of these matches may raise a finding; counts them and keeps the state."""
        self._opened_now = None
        if not sightings:
            return []
        state = self._store.load()  # each time: another run may count, too, and somebody close it meanwhile
        for sighting in sightings:
            if not state.silences(sighting.seconds[0], sighting.key):
                keys = self._seen.setdefault(Quarters(sighting.bucket, sighting.indexed), {})
                keys[sighting.key] = min(keys.get(sighting.key, sighting.seconds[0]), sighting.seconds[0])
        counts = dict(state.counts)
        for quarters in {Quarters(sighting.bucket, sighting.indexed) for sighting in sightings} & self._seen.keys():
            counts[quarters] = max(counts.get(quarters, 0), len(self._seen[quarters]))
        openings = _with(state, self._find(counts, state.era))
        changed = BreakerState(_recent(counts), openings, state.acknowledged)
        if changed.open is not None:
            changed = dataclasses.replace(changed, counts=self._until(changed.open, changed.counts))
        if changed != state:
            self._store.save(changed)
        self._opened_now = changed.open if state.open is None else None
        return [not changed.silences(sighting.seconds[0], sighting.key) for sighting in sightings]

    @property
    def opened_now(self) -> Optional[Opening]:
        """The opening, if the last `admit` was what opened the breaker."""
        return self._opened_now

    def _find(self, counts: Mapping[Quarters, int], era: int) -> Optional[Opening]:
        """The match that fills the threshold first, of those since `era`."""
        per_bucket: dict[int, int] = {}
        for quarters, count in counts.items():
            if quarters.bucket >= era:
                per_bucket[quarters.bucket] = per_bucket.get(quarters.bucket, 0) + count
        buckets = sorted(per_bucket)
        total, start = 0, 0
        for bucket in buckets:
            while buckets[start] <= bucket - PERIOD_SECONDS:
                total -= per_bucket[buckets[start]]
                start += 1
            missing = self.threshold - total
            total += per_bucket[bucket]
            if per_bucket[bucket] >= missing:
                rows = sorted(
                    (second, part)
                    for quarters, seen in self._seen.items()
                    if quarters.bucket == bucket
                    for part, second in seen.items()
                )
                # An earlier run may have counted more rows than this one sees: then the bucket's end is the moment.
                last = rows[missing - 1] if len(rows) >= missing else (bucket + BUCKET_SECONDS - 1, "")
                return Opening(*last)
        return None

    def _until(self, opening: Opening, counts: Mapping[Quarters, int]) -> dict[Quarters, int]:
        """The counts up to the match that opened the breaker, so that they are the same at any cadence."""
        kept = {quarters: count for quarters, count in counts.items() if quarters.bucket <= opening.time}
        for quarters in kept:
            if quarters.bucket == bucket_of(opening.time):
                seen = sum((second, part) <= opening for part, second in self._seen.get(quarters, {}).items())
                kept[quarters] = min(kept[quarters], seen) if seen else kept[quarters]
        return kept


def _with(state: BreakerState, found: Optional[Opening]) -> tuple[Opening, ...]:
    """The openings with the one found; of two that nothing lies between, the earlier."""
    lasting = state.open
    if found is None or (lasting is not None and lasting <= found):
        return state.openings
    return (*(each for each in state.openings if each != lasting), found)


def _recent(counts: Mapping[Quarters, int]) -> dict[Quarters, int]:
    newest = max((quarters.bucket for quarters in counts), default=0)
    return {quarters: count for quarters, count in sorted(counts.items()) if quarters.bucket > newest - KEPT_SECONDS}


def message(detection_id: str, threshold: int, opening: Opening) -> str:
    """What the search says, once, when the breaker opens."""
    return (
        f"{detection_id} matched {threshold} times within the 24 hours to {time_text(opening.time)} and raises no more "
        f"findings; it goes on learning. Find out why, then run | cbaacknowledge detection={detection_id}"
    )


def encode_counts(counts: Mapping[Quarters, int]) -> str:
    """`{"bucket|indexed": count}` as compact JSON."""
    told = {f"{quarters.bucket}|{quarters.indexed}": count for quarters, count in sorted(counts.items())}
    return json.dumps(told, separators=(",", ":"))


def decode_counts(text: str) -> dict[Quarters, int]:
    """The inverse of `encode_counts`. Raises ValueError on anything else."""
    counts: dict[Quarters, int] = {}
    for name, count in json.loads(text or "{}").items():
        bucket, indexed = name.split("|")
        counts[Quarters(int(bucket), int(indexed))] = int(count)
    return counts
