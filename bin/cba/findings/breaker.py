"""Circuit breakers: what matches far too often stops raising findings, and says so by a finding of its own.

A *match* is what would be a finding: a deduplication key on a UTC day, in a severity. However often it is repeated on
that day, and in whatever lesser severity, it is one match: one key from six thousand addresses is no flood.

- The breaker of an *entity* opens at its ENTITY_LIMIT-th match of a UTC day, and closes when the day ends. So one
  entity, which may be an attacker's, never silences the others.
- The breaker of a *detection* opens at the match that makes its threshold full within 24 hours. That is a change of the
  world, such as a wrong IP database, and it stays open until somebody acknowledges it.

Either opens for the severity that most of its matches have: what is more severe than what flooded it is raised as
before, and counts towards the next opening. The match that opens it and those before it may raise findings. So may
their repeats, which are counted in the findings there are.

All of that is event time, and matches of one second are ordered by their key. What is kept is the first second of each
match, merged by minimum; so re-runs count nothing twice, and with events in order any cadence opens it at the same
match. Events that come late, around the moment it opens, may show that it should have opened earlier; a finding
raised meanwhile stays.

An acknowledgement closes the breaker of a detection from the next whole bucket on, and counting begins anew there. What
matched while it was open stays unraised however often it is searched again.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import hashlib
import itertools
import json
from typing import Iterable, Iterator, Mapping, NamedTuple, Optional, Protocol, Sequence

from ..detection.model import Detection
from ..errors import OptionError
from ..terms import BUCKET_SECONDS, SECONDS_PER_DAY, SEVERITIES, day_of, time_text
from .windows import Sighting

ENTITY_LIMIT = 100
"""Matches of one entity on a UTC day."""
PERIOD_SECONDS = SECONDS_PER_DAY
KEPT_DAYS = 4
"""For how many days matches are kept: events come late, and searches are repeated."""


class Match(NamedTuple):
    """What would be a finding. `entity` and `key` are digests: what is kept does not grow with the names."""

    day: int
    entity: str
    key: str
    rank: int


class Opening(NamedTuple):
    """The match that opened a breaker: its second and key. Of later ones those of severity `rank` or less are
    silenced."""

    time: int
    key: str
    rank: int

    def silences(self, time: int, key: str, rank: int) -> bool:
        """Whether a match comes after it and is not more severe."""
        return (time, key) > (self.time, self.key) and rank <= self.rank


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
    """What is kept of a detection's breaker: each match's first second, openings, and acknowledgements, oldest
    first."""

    matches: Mapping[Match, int] = dataclasses.field(default_factory=dict)
    openings: tuple[Opening, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()

    def closed_by(self, opening: Opening) -> Optional[int]:
        """The bucket at which the opening ended, None while it lasts."""
        return min((each.resumes for each in self.acknowledged if each.resumes > opening.time), default=None)

    @property
    def open(self) -> Optional[Opening]:
        """Of the openings that last, the one of the highest severity; None while it is closed."""
        return max(self.lasting, key=lambda opening: opening.rank, default=None)

    @property
    def lasting(self) -> list[Opening]:
        """The openings that nobody has ended."""
        return [each for each in self.openings if self.closed_by(each) is None]

    @property
    def era(self) -> int:
        """The bucket from which matches count towards the next opening."""
        return max((each.resumes for each in self.acknowledged), default=0)

    def silences(self, time: int, key: str, rank: int) -> bool:
        """Whether a match at that second raises nothing."""
        for opening in self.openings:
            closed = self.closed_by(opening)
            if opening.silences(time, key, rank) and (closed is None or time < closed):
                return True
        return False

    def count(self, now: int) -> int:
        """Matches of the 24 hours before `now` since the last acknowledgement, of which those silenced are none."""
        since = max(self.era, now - PERIOD_SECONDS)
        return sum(since <= second < now for second in self.matches.values())

    def with_openings(self, found: Iterable[Opening]) -> BreakerState:
        """The state with these openings, too. Of two that last, one that is no earlier and silences no more is
        dropped."""
        lasting = {*self.lasting, *found}
        needless = {
            one for one, other in itertools.permutations(lasting, 2) if other[:2] <= one[:2] and other.rank >= one.rank
        }
        ended = (each for each in self.openings if self.closed_by(each) is not None)
        return dataclasses.replace(self, openings=(*ended, *sorted(lasting - needless)))

    def acknowledge(self, now: int, by: str, comment: str) -> Acknowledgement:
        """The acknowledgement that closes it. Raises OptionError when it is not open at `now`."""
        opening = self.open
        if opening is None:
            raise OptionError("the breaker is not open; there is nothing to acknowledge")
        if now < min(self.lasting).time:
            raise OptionError("the search's time range ends before the breaker opened; search up to now")
        return Acknowledgement(now, by, comment)


class BreakerStore(Protocol):
    """Where the state of a detection's breaker lives, of one source; `store.breakers.BreakerCollection` is the one in
    Splunk."""

    def load(self) -> BreakerState: ...

    def save(self, state: BreakerState) -> None:
        """Keeps matches and openings; acknowledgements are another writer's."""


class Opened(NamedTuple):
    """A breaker that has opened: whose, None for the detection's own; and how many matches filled it. `era` tells it
    from earlier times: the day of an entity's, and when counting began of a detection's."""

    entity: Optional[str]
    opening: Opening
    limit: int
    era: int


class Admission(NamedTuple):
    """`sightings`: for each that came what may raise a finding of it, None for nothing; and what opened."""

    sightings: list[Optional[Sighting]]
    opened: list[Opened]


class Breaker:
    """The breakers of a detection, in one source, and of its entities."""

    def __init__(self, detection: Detection, store: BreakerStore) -> None:
        self._detection = detection
        self._store = store
        self._changed: Optional[BreakerState] = None

    def admit(self, sightings: Sequence[tuple[str, Sighting]]) -> Admission:
        """Which of these (entity, sighting) may raise a finding. What follows is kept by `keep`."""
        if not sightings:
            return Admission([], [])
        state = self._store.load()  # each time: another run may count, too, and somebody close it meanwhile
        matches = dict(state.matches)
        names: dict[str, str] = {}
        found: list[Match] = []
        for entity, sighting in sightings:
            match = self._match(entity, sighting)
            found.append(match)
            names[match.entity] = entity
            matches[match] = min(matches.get(match, sighting.seconds[0]), sighting.seconds[0])
        weighed = _Weighed(dataclasses.replace(state, matches=matches), self._detection.breaker)
        changed = weighed.state
        self._changed = changed if changed != state else None
        opened = [
            Opened(None, each, self._detection.breaker, state.era)
            for each in _unsaid((each for each in changed.openings if each not in state.openings), state.lasting)
        ]
        if weighed.of_entities:
            known = _Weighed(state, self._detection.breaker).of_entities
            opened += (
                Opened(names[entity], each, ENTITY_LIMIT, day)
                for (day, entity), openings in weighed.of_entities.items()
                for each in _unsaid(openings, known.get((day, entity), ()))
            )
        raised: dict[tuple[int, str], int] = {}
        for match in changed.matches:
            raised[match.day, match.key] = max(match.rank, raised.get((match.day, match.key), 0))
        admitted = (
            self._admitted(match, sighting, weighed, raised.get((match.day, match.key), 0))
            for match, (_entity, sighting) in zip(found, sightings)
        )
        return Admission(list(admitted), opened)

    def keep(self) -> None:
        """Keeps what the last `admit` came to: after what it has to say is written, or a death would leave it
        unsaid."""
        if self._changed is not None:
            self._store.save(self._changed)
            self._changed = None

    def _match(self, entity: str, sighting: Sighting) -> Match:
        rank = self._detection.variation(sighting.plain or sighting.suspected).rank
        return Match(day_of(sighting.seconds[0]), _digest(entity), _digest(sighting.key), rank)

    def _admitted(self, match: Match, sighting: Sighting, weighed: _Weighed, raised: int) -> Optional[Sighting]:
        """The sighting, if it raises something or repeats what was raised; what there is of it in a more severe
        variation, if that is silenced; else None."""
        time = sighting.seconds[0]
        if match.rank <= raised or not weighed.silences(match, time):
            return sighting
        if sighting.suspected and sighting.suspected != sighting.plain:
            worse = match._replace(rank=self._detection.variation(sighting.suspected).rank)
            if not weighed.silences(worse, time):
                return dataclasses.replace(sighting, plain="")
        return None


class _Weighed:
    """Matches counted in order of their time: `state` with the openings that follow and without the matches that they
    silence, and `of_entities`, the openings of (day, entity)."""

    def __init__(self, state: BreakerState, threshold: int) -> None:
        self.of_entities: dict[tuple[int, str], list[Opening]] = {}
        self.state = state
        self.state = state.with_openings(self._openings(threshold))
        newest = max((match.day for match in state.matches), default=0)
        kept = {
            match: second
            for match, second in sorted(state.matches.items())
            if match.day > newest - KEPT_DAYS and not self.silences(match, second)
        }
        self.state = dataclasses.replace(self.state, matches=kept)

    def silences(self, match: Match, second: int) -> bool:
        mine = self.of_entities.get((match.day, match.entity), ())
        if any(opening.silences(second, match.key, match.rank) for opening in mine):
            return True
        return self.state.silences(second, match.key, match.rank)

    def _openings(self, threshold: int) -> Iterator[Opening]:
        level = 0
        raised: dict[tuple[int, str], int] = {}
        within: collections.deque[tuple[int, int]] = collections.deque()
        of_entity: dict[tuple[int, str], list[int]] = {}
        ordered = sorted((second, match.key, -match.rank, match) for match, second in self.state.matches.items())
        for second, key, _rank, match in ordered:
            rank = match.rank
            if second < self.state.era or rank <= level or self.silences(match, second):
                continue
            if rank <= raised.get((match.day, key), 0):
                continue  # a repeat
            raised[match.day, key] = rank
            mine = of_entity.setdefault((match.day, match.entity), [])
            mine.append(rank)
            if len(mine) >= ENTITY_LIMIT:
                opening = Opening(second, key, _most(mine))
                self.of_entities.setdefault((match.day, match.entity), []).append(opening)
                mine[:] = [each for each in mine if each > opening.rank]
            within.append((second, rank))
            while within[0][0] <= second - PERIOD_SECONDS:
                within.popleft()
            if len(within) >= threshold:
                level = _most([each for _second, each in within])
                yield Opening(second, key, level)
                within = collections.deque(each for each in within if each[1] > level)


def _unsaid(found: Iterable[Opening], known: Iterable[Opening]) -> list[Opening]:
    """Of the openings found those for a severity for which there was none: a late event that moves one says nothing
    new."""
    ranks = {opening.rank for opening in known}
    return [opening for opening in found if opening.rank not in ranks]


def _most(ranks: Sequence[int]) -> int:
    """The severity that most of them have; of several the highest."""
    counted = collections.Counter(ranks)
    return max(counted, key=lambda rank: (counted[rank], rank))


def _digest(text: str) -> str:
    """Eight characters: of 20,000 kept at most, two are taken for one in a million million cases."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return base64.urlsafe_b64encode(digest).decode()


def silenced_text(opening: Opening) -> str:
    """Which severities an opening silences, in words."""
    named = SEVERITIES[: opening.rank]
    return named[0] if len(named) == 1 else f"{named[-1]} or less"


def message(detection_id: str, opened: Opened) -> str:
    """What is said, once, when a breaker opens."""
    silenced = silenced_text(opened.opening)
    if opened.entity is not None:
        return (
            f"{detection_id} has found {opened.limit} things on {opened.entity} that day by "
            f"{time_text(opened.opening.time)}. Until midnight UTC it raises nothing more of severity {silenced} on "
            "it; what is more severe is still raised, and it goes on learning"
        )
    return (
        f"{detection_id} matched {opened.limit} times within the 24 hours to {time_text(opened.opening.time)} and "
        f"raises no more findings of severity {silenced}; what is more severe is still raised, and it goes on "
        f"learning. Find out why, then run | cbaacknowledge detection={detection_id}"
    )


def encode_matches(matches: Mapping[Match, int]) -> str:
    """`{"day": {"entity": ["key second rank", …]}}` as compact JSON; seconds of the day."""
    told: dict[int, dict[str, list[str]]] = {}
    for match, second in sorted(matches.items()):
        of_day = told.setdefault(match.day, {})
        said = f"{match.key} {second - match.day * SECONDS_PER_DAY} {match.rank}"
        of_day.setdefault(match.entity, []).append(said)
    return json.dumps(told, separators=(",", ":"))


def decode_matches(text: str) -> dict[Match, int]:
    """The inverse of `encode_matches`. Raises ValueError on anything else."""
    matches: dict[Match, int] = {}
    for day, entities in json.loads(text or "{}").items():
        for entity, said in entities.items():
            for each in said:
                key, second, rank = each.split(" ")
                matches[Match(int(day), entity, key, int(rank))] = int(day) * SECONDS_PER_DAY + int(second)
    return matches
