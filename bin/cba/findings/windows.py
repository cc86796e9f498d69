"""Deduplication windows, in event time, as a pure function of what was seen.

A *window* belongs to one deduplication key (say identity and country). Its first event opens it; for the length of the
deduplication period further events are counted in it and raise nothing, unless they are strictly more severe than all
before them: then they raise a finding of their own in the same window.

What a window knows is a set of *atoms*, one per quarter of an hour in which events happened, quarter of an hour in
which they were indexed, and variation: number of events, first and last second. A search reads whole quarters of index
time, so an atom that is read again has the same count; atoms merge by maximum and minimum, and the findings are
derived from the atoms, sorted by time, anew each time. So it does not matter in which order within a day, how often,
or in which pieces events are delivered. What comes after a later day was judged opens a window of its own, and removes
none.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence

from ..detection.model import Detection, Variation
from ..terms import LOW, SECONDS_PER_DAY, day_of
from .ids import identifier

SUSPICIOUS_SECONDS = 24 * 3600


class AtomKey(NamedTuple):
    """The quarters of an hour in which events happened and were indexed, and the pair of variations they have: plain,
    and if the entity is suspicious."""

    bucket: int
    indexed: int
    plain: str
    suspected: str


@dataclasses.dataclass
class Atom:
    """The events of one atom. `stored` is the count known before this run; `parts` counts this run's events by the row
    that brought them, so that a row that comes twice counts once."""

    first: int
    last: int
    stored: int = 0
    parts: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def count(self) -> int:
        return max(self.stored, sum(self.parts.values()))

    def see(self, part: str, count: int, first: int, last: int) -> None:
        self.parts[part] = max(self.parts.get(part, 0), count)
        self.first = min(self.first, first)
        self.last = max(self.last, last)


@dataclasses.dataclass(frozen=True)
class Sighting:
    """One row that a detection has something to say about: events of one quarter of an hour. `seconds` are their
    distinct times, ascending. `part` orders rows of one second, `counted` names what is counted once: the row, or the
    thing that its events are about. `listed`: field -> the values of its events."""

    key: str
    part: str
    counted: str
    bucket: int
    indexed: int
    seconds: tuple[int, ...]
    events: int
    plain: str
    suspected: str
    details: Mapping[str, str]
    listed: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def atom(self) -> AtomKey:
        return AtomKey(self.bucket, self.indexed, self.plain, self.suspected)


class Window:
    """What one deduplication window of one key has seen, from second `opened` to second `last`.

    `details` keeps, per atom, the row of its first event, and `listed` what its rows list.
    """

    def __init__(self, key: str, second: int) -> None:
        self.key = key
        self.opened = second
        self.last = second
        self.atoms: dict[AtomKey, Atom] = {}
        self.details: dict[AtomKey, tuple[int, str, Mapping[str, object]]] = {}
        self.listed: dict[AtomKey, dict[str, set[str]]] = {}

    def restore(self, key: AtomKey, count: int, first: int, last: int) -> None:
        """Takes an atom over from a stored finding."""
        self._reach(first, last)
        known = self.atoms.get(key)
        if known is None:
            self.atoms[key] = Atom(first, last, count)
        else:
            known.stored = max(known.stored, count)
            known.first, known.last = min(known.first, first), max(known.last, last)

    def see(self, sighting: Sighting, seconds: Sequence[int], count: int) -> None:
        """Adds the events of a row that fall at `seconds` (ascending, not empty)."""
        self._reach(seconds[0], seconds[-1])
        key = sighting.atom
        atom = self.atoms.get(key)
        if atom is None:
            atom = self.atoms[key] = Atom(seconds[0], seconds[-1])
        atom.see(sighting.counted, count, seconds[0], seconds[-1])
        self.tell(key, seconds[0], sighting.part, sighting.details)
        for name, values in sighting.listed.items():
            self.listed.setdefault(key, {}).setdefault(name, set()).update(values)

    def tell(self, key: AtomKey, second: int, part: str, details: Mapping[str, object]) -> None:
        """What the row says whose events begin at that second, unless another one comes before it."""
        known = self.details.get(key)
        if known is None or (second, part) < known[:2]:
            self.details[key] = (second, part, details)

    def to_list(self, told: Callable[[AtomKey], bool]) -> list[object]:
        """What `from_list` needs to go on counting, for JSON. What rows say is kept of the atoms that nobody is `told`
        of so far."""
        atoms = [
            (*key, atom.first, atom.last, atom.stored, atom.parts, None if told(key) else self.details.get(key))
            for key, atom in self.atoms.items()
        ]
        return [self.key, self.opened, self.last, atoms]

    @classmethod
    def from_list(cls, told: Sequence[Any]) -> Window:
        """The inverse of `to_list`."""
        key, opened, last, atoms = told
        window = cls(key, opened)
        window.last = last
        for *name, first, end, stored, parts, detail in atoms:
            window.atoms[AtomKey(*name)] = Atom(first, end, stored, parts)
            if detail is not None:
                window.tell(AtomKey(*name), *detail)
        return window

    def _reach(self, first: int, last: int) -> None:
        self.opened = min(self.opened, first)
        self.last = max(self.last, last)


def place(windows: list[Window], sighting: Sighting, period: int) -> list[Window]:
    """Puts a row's events into the key's `windows`, opening new ones at the end of the list; returns those touched.

    `period` is the deduplication period in seconds. A row that straddles the end of a window is split at the second:
    each later second counts as one event, the rest of the row's events belong to the earlier part. A row may have more
    seconds than events, where it counts things that several events are about; then each part has one at least.
    """
    parts: list[tuple[Window, list[int]]] = []
    for second in sighting.seconds:
        window = _window_for(windows, sighting, second, period)
        if not parts or parts[-1][0] is not window:
            parts.append((window, []))
        parts[-1][1].append(second)
        # A late second moves the opening back, and with it the end, for the seconds that follow.
        window.opened = min(window.opened, second)
    later = [min(len(seconds), sighting.events) for _window, seconds in parts[1:]]
    for (window, seconds), count in zip(parts, (max(1, sighting.events - sum(later)), *later)):
        window.see(sighting, seconds, count)
    return [window for window, _seconds in parts]


def _window_for(windows: list[Window], sighting: Sighting, second: int, period: int) -> Window:
    around = [window for window in windows if window.opened <= second < window.opened + period]
    if around:
        # What was counted before is counted there again, whatever has opened around it meanwhile.
        return min(around, key=lambda window: (sighting.atom not in window.atoms, window.opened))
    for window in windows:
        # A late event of the day on which a window opened moves its opening back.
        if second < window.opened and day_of(second) == day_of(window.opened):
            return window
    opened = Window(sighting.key, second)
    windows.append(opened)
    return opened


@dataclasses.dataclass
class Record:
    """A finding to be: the event that raised it, the atoms counted in it, and when these begin, as a Neighbour has
    it."""

    window: Window
    variation: Variation
    cause: AtomKey
    first: int
    suspicious_of: Optional[str]
    atoms: list[AtomKey] = dataclasses.field(default_factory=list)
    times: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """A finding on the same entity that may make it suspicious: when its events were (the first second of each quarter
    of an hour and variation, ascending), its key and its id."""

    times: list[int]
    key: str
    finding_id: str
    rank: int


def derive(detection: Detection, windows: Iterable[Window], others: Iterable[Neighbour]) -> Iterator[Record]:
    """The findings of an entity's windows, in event time. `others` are its findings outside these windows.

    Events of one quarter and variation are judged together, whenever they were indexed, so that the same events give
    the same findings however late they come.
    """
    neighbours = [other for other in others if other.rank >= LOW]
    current: dict[int, Record] = {}
    moments = sorted(
        (
            (min(window.atoms[key].first for key in alike), in_order(detection, alike[0]), window.key, alike, window)
            for window in windows
            for alike in _alike(window.atoms)
        ),
        key=lambda moment: moment[:4],
    )
    records: list[Record] = []
    for first, _order, window_key, alike, window in moments:
        key = alike[0]
        cause = _suspicious(neighbours, window_key, first)
        raised_as = key.suspected if cause and key.suspected else key.plain
        if not raised_as:
            continue  # something only where the identity is suspicious
        variation = detection.variation(raised_as)
        record = current.get(id(window))
        if record is None or variation.rank > record.variation.rank:
            suspicious_of = cause if key.suspected != key.plain else None
            record = current[id(window)] = Record(window, variation, key, first, suspicious_of)
            records.append(record)
            if variation.rank >= LOW:
                raised = finding_id(detection.id, window_key, window.opened, variation.severity)
                neighbours.append(Neighbour(record.times, window_key, raised, variation.rank))
        record.atoms.extend(alike)
        record.times.append(first)
    return iter(records)


def _alike(atoms: Iterable[AtomKey]) -> Iterator[list[AtomKey]]:
    """Atoms that differ only in when they were indexed."""
    in_order_of_index = sorted(atoms, key=lambda key: (_event_part(key), key.indexed))
    return (list(keys) for _same, keys in itertools.groupby(in_order_of_index, _event_part))


def _event_part(key: AtomKey) -> tuple[int, str, str]:
    return key.bucket, key.plain, key.suspected


def in_order(detection: Detection, key: AtomKey) -> tuple[int, str, str]:
    """What comes first of one second: the most severe; whenever it was indexed. Raises KeyError for a variation that
    the detection no longer has."""
    return -detection.variation(key.plain or key.suspected).rank, key.plain, key.suspected


def times_of(atoms: Mapping[AtomKey, tuple[int, int, int]]) -> list[int]:
    """When the events of a finding with these atoms (count, first and last second) were, as a Neighbour has it."""
    return sorted(min(atoms[key][1] for key in alike) for alike in _alike(atoms))


def _suspicious(neighbours: Iterable[Neighbour], key: str, second: int) -> Optional[str]:
    """The id of the other finding of Low or more of which an event was last in the 24 hours before, if any. That it was
    raised then is not asked: an event that comes late may raise it earlier, and must not take anything away."""
    latest = [
        (neighbour.times[before - 1], neighbour.finding_id)
        for neighbour in neighbours
        if neighbour.key != key
        and (before := bisect.bisect_left(neighbour.times, second))
        and neighbour.times[before - 1] >= second - SUSPICIOUS_SECONDS
    ]
    return max(latest)[1] if latest else None


def finding_id(detection_id: str, key: str, opened: int, severity: str) -> str:
    """The id of a finding. It names the day on which the window opened, which no late event changes, and the severity,
    of which a window raises each at most once; so it is the same however the events were delivered."""
    return identifier(detection_id, key, str(day_of(opened)), severity)


def period_seconds(detection: Detection) -> int:
    """The deduplication period in seconds."""
    return detection.periods.deduplication * SECONDS_PER_DAY
