"""Records scored rows as findings, reading and writing them through a store.

The recorder keeps the windows of the entities it has met in this run, derives their findings after each batch, and
writes those that changed. Killed at any point and run again, it ends with the same findings.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Iterable, Mapping, Optional, Protocol, Sequence

from ..detection.model import Detection
from ..errors import DamagedError
from ..scoring.surprise import moved_score
from ..terms import LISTED_SEPARATOR, LISTED_VALUES, SECONDS_PER_DAY, bucket_of, day_of, severity_rank
from .flood import is_flood
from .windows import (
    Atom,
    AtomKey,
    Neighbour,
    Record,
    Sighting,
    Window,
    derive,
    finding_id,
    in_order,
    period_seconds,
    place,
    times_of,
)

HELD_ENTITIES = 200
"""How many entities are held whole from one batch to the next. Of more, only what their windows have counted is."""

Document = dict[str, object]
FURTHER = " Raised further: "
"""Begins the sentence that says which other finding has made an entity suspicious."""


class FindingStore(Protocol):
    """Where findings live; `store.findings.FindingCollection` is the one in Splunk."""

    def of_entities(self, entities: Sequence[str], since: int) -> list[Document]:
        """Every finding whose entity or identity is one of `entities` and whose last event is at `since` (epoch
        seconds) or later."""

    def save(self, documents: Sequence[Document]) -> None: ...

    def delete(self, finding_ids: Sequence[str]) -> None: ...


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What recording says of a row: the finding its first event belongs to, and whether this run raised it."""

    finding_id: str
    raised: bool


class Recorder:
    """Deduplicates one detection's scored rows into findings. `now` (epoch seconds) stamps when they were raised."""

    def __init__(self, detection: Detection, store: FindingStore, now: int) -> None:
        self.detection = detection
        self.store = store
        self.now = now
        self._period = period_seconds(detection)
        self._entities: dict[str, _Entity] = {}
        self._resting: dict[str, str] = {}
        """entity -> what its windows have counted in this run, of those that are not held whole"""

    def record(self, sightings: Sequence[tuple[str, Sighting]]) -> list[Optional[Outcome]]:
        """Records (entity, sighting) pairs; rows of one day may come in any order. One outcome per pair, in order; None
        for one that is no finding, as its identity is not suspicious.

        Raises StoreError when the store fails; whatever it had accepted by then is kept and is written again unchanged
        when the search is repeated.
        """
        if not sightings:
            return []
        self._load({entity for entity, _s in sightings}, min(s.seconds[0] for _e, s in sightings))
        touched: dict[str, None] = {}
        placed: list[tuple[_Entity, Window, AtomKey]] = []
        if self.detection.signals:
            self._replace_chains(sightings)
        for name, sighting in sightings:
            entity = self._entities[name]
            windows = place(entity.windows.setdefault(sighting.key, []), sighting, self._period)
            entity.touched.update((id(window), window) for window in windows)
            placed.append((entity, windows[0], sighting.atom))
            touched[name] = None
        for name in touched:
            self._entities[name].derive(self.detection, self.now)
        self._write([self._entities[name] for name in touched])
        outcomes = [entity.outcome(window, atom) for entity, window, atom in placed]
        self._rest()
        return outcomes

    def reconsider(self, stirred: Mapping[str, int]) -> None:
        """Derives the findings of entities anew of which other detections have found something: entity or identity ->
        the first second of it. Raises StoreError when the store fails."""
        if not stirred:
            return
        self._load(set(stirred), min(stirred.values()))
        entities = []
        for name, second in stirred.items():
            entity = self._entities[name]
            after = [window for windows in entity.windows.values() for window in windows if window.last >= second]
            if after:
                entity.touched.update((id(window), window) for window in after)
                entity.derive(self.detection, self.now)
                entities.append(entity)
        self._write(entities)
        self._rest()

    def _rest(self) -> None:
        """Lets go of what is long, where entities are many: everything but counts is in the store, too."""
        if len(self._entities) <= HELD_ENTITIES:
            return
        if not self.detection.signals:  # the moments of chains come whole each time
            self._resting.update({name: entity.rest() for name, entity in self._entities.items()})
        self._entities.clear()

    def _awake(self, name: str, since: int) -> _Entity:
        entity = self._entities.get(name)
        if entity is None:
            entity = self._entities[name] = _Entity(name, since)
            resting = self._resting.pop(name, None)
            if resting is not None:
                entity.wake(resting)
        return entity

    def _replace_chains(self, sightings: Sequence[tuple[str, Sighting]]) -> None:
        """Clears the way for the moments of chains: they come whole for their key each time, from the earliest on, and
        what was said of a moment before may have changed with a signal that came late."""
        chains: dict[tuple[str, str], list[Sighting]] = {}
        for name, sighting in sightings:
            chains.setdefault((name, sighting.key), []).append(sighting)
        for (name, key), moments in chains.items():
            self._entities[name].replace_chain(key, moments, self._period)

    def _load(self, names: set[str], earliest: int) -> None:
        """Reads the findings of entities as they are now, far enough back for their open windows and for suspicion.

        They are read each time: another detection may have found something about an entity that this run has met
        before, and the search of another source may have counted events in the same finding.
        """
        # Windows that reach into the earliest one open up to two periods before it; their neighbours a day earlier.
        since = earliest - 2 * self._period - SECONDS_PER_DAY
        for name in names:
            entity = self._awake(name, since)
            since = min(since, entity.since)
        documents: dict[str, list[Document]] = {}
        for document in self.store.of_entities(sorted(names), since):
            for name in {str(document["entity"]), str(document.get("identity"))}:
                documents.setdefault(name, []).append(document)
        for name in names:
            self._entities[name].since = since
            self._entities[name].restore(self.detection, documents.get(name, []))

    def _write(self, entities: Iterable[_Entity]) -> None:
        saved: list[Document] = []
        gone: list[str] = []
        for entity in entities:
            saved.extend(entity.changed)
            gone.extend(entity.superseded)
        if saved:
            self.store.save(saved)
        if gone:
            self.store.delete(gone)
        for entity in entities:
            entity.written()


class _Entity:
    """The findings and windows of one entity in this run."""

    def __init__(self, name: str, since: int) -> None:
        self.name = name
        self.since = since
        self.windows: dict[str, list[Window]] = {}
        self.touched: dict[int, Window] = {}
        self.documents: dict[str, Document] = {}
        self.neighbours: dict[str, Neighbour] = {}
        self.finding_of: dict[tuple[int, AtomKey], str] = {}
        self.raised_now: set[str] = set()
        self.changed: list[Document] = []
        self.superseded: list[str] = []
        self.before: dict[str, list[dict[AtomKey, Atom]]] = {}
        self.moments: dict[str, dict[str, Sighting]] = {}

    def replace_chain(self, key: str, moments: Sequence[Sighting], period: int) -> None:
        """Sets the windows of a chain's key back to what lies before its moments, and places those met in this run."""
        if key not in self.before:
            earliest = min(moment.bucket for moment in moments)
            kept = [
                {atom: known for atom, known in window.atoms.items() if atom.bucket < earliest}
                for window in self.windows.get(key, [])
            ]
            self.before[key] = [atoms for atoms in kept if atoms]
        windows = self.windows[key] = []
        for atoms in self.before[key]:
            window = Window(key, min(known.first for known in atoms.values()))
            for atom, known in atoms.items():
                window.restore(atom, known.count, known.first, known.last)
            windows.append(window)
        met = self.moments.setdefault(key, {})
        met.update({moment.part: moment for moment in moments})
        for moment in sorted(met.values(), key=lambda moment: (moment.seconds, moment.part)):
            self.touched.update((id(window), window) for window in place(windows, moment, period))

    def rest(self) -> str:
        """What `wake` needs to go on counting, as JSON; what rows say only where it is no finding so far."""
        windows = [
            window.to_list(lambda key, window=window: (id(window), key) in self.finding_of)  # type: ignore[misc]
            for windows in self.windows.values()
            for window in windows
        ]
        return json.dumps([self.since, windows])

    def wake(self, text: str) -> None:
        """Takes over what `rest` has kept."""
        self.since, windows = json.loads(text)
        for window in map(Window.from_list, windows):
            self.windows.setdefault(window.key, []).append(window)

    def restore(self, detection: Detection, documents: Iterable[Document]) -> None:
        """Takes over stored findings: those of this detection on the entity as windows, others as neighbours."""
        self.documents, self.neighbours = {}, {}
        for document in documents:
            if is_flood(document):
                continue
            try:
                self._restore(detection, document)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise DamagedError(
                    f"KV store collection cba_findings: document {document.get('_key')} (a finding on "
                    f"{document.get('entity')}) is damaged: {error!r}. Restore it from a backup, or delete it."
                ) from error

    def _restore(self, detection: Detection, document: Document) -> None:
        known, atoms = str(document["finding_id"]), decode_atoms(str(document["atoms"]))
        neighbour = _neighbour(document, atoms)
        if document["detection"] != detection.id or document["entity"] != self.name:
            self.neighbours[known] = neighbour
            return
        self.documents[known] = document
        raised = _whole(document["first_time"])
        key, opened_day = str(document["key"]), _whole(document["opened_day"])
        windows = self.windows.setdefault(key, [])
        window = next((each for each in windows if day_of(each.opened) == opened_day), None)
        if window is None:
            window = Window(key, raised)
            windows.append(window)
        for atom, (count, first, last) in atoms.items():
            window.restore(atom, count, first, last)
        ranked = sorted(atoms, key=lambda atom: (in_order(detection, atom), atom))
        cause = next((atom for atom in ranked if atoms[atom][1] == raised), None)
        if cause is not None:
            told = {**document, "explanation": str(document.get("explanation", "")).partition(FURTHER)[0]}
            window.tell(cause, raised, str(document.get("part", "")), told)

    def derive(self, detection: Detection, now: int) -> None:
        """Derives the findings of every window with events at or after the earliest touched one; finds what changed."""
        start = min(window.opened for window in self.touched.values())
        affected = [w for windows in self.windows.values() for w in windows if w.last >= start]
        ids = {finding for finding, document in self.documents.items() if _inside(document, affected)}
        ids |= {f for f, document in self.documents.items() if document["key"] in self.moments and self._gone(document)}
        outside = [
            _neighbour(document, decode_atoms(str(document["atoms"])))
            for finding, document in self.documents.items()
            if finding not in ids
        ]
        records = list(derive(detection, affected, [*outside, *self.neighbours.values()]))
        wanted: dict[str, Document] = {}
        for record in records:
            document = self._document(detection, record, now)
            identifier = str(document["finding_id"])
            wanted[identifier] = document
            self.finding_of.update({(id(record.window), atom): identifier for atom in record.atoms})
        self._absorb(ids - set(wanted), wanted)
        self.raised_now.update(set(wanted) - set(self.documents))
        self.changed = [d for finding, d in wanted.items() if _content(d) != _content(self.documents.get(finding, {}))]
        self.superseded = sorted(ids - set(wanted))
        self.documents.update(wanted)

    def _gone(self, document: Document) -> bool:
        """Whether the window of a stored finding is no more."""
        opened = (day_of(window.opened) for window in self.windows[str(document["key"])])
        return _whole(document["opened_day"]) not in opened

    def _document(self, detection: Detection, record: Record, now: int) -> Document:
        window, variation = record.window, record.variation
        identifier = finding_id(detection.id, window.key, window.opened, variation.severity)
        stored = self.documents.get(identifier, {})
        count = sum(window.atoms[key].count for key in record.atoms)
        last = max(window.atoms[key].last for key in record.atoms)
        details = _details(detection, window, record, stored)
        return {
            **details,
            **_scored(details, variation.severity),
            **_listed(detection, window, record, stored),
            "_key": identifier,
            "finding_id": identifier,
            "detection": detection.id,
            "variation": variation.id,
            "name": variation.name,
            "severity": variation.severity,
            "severity_id": variation.rank,
            "key": window.key,
            "opened_day": day_of(window.opened),
            "first_time": record.first,
            "last_time": last,
            "count": count,
            "suppressed_count": count - 1,
            "last_suppressed_time": last if count > 1 else 0,
            "atoms": encode_atoms({key: window.atoms[key] for key in record.atoms}),
            "explanation": _explanation(str(details.get("explanation", "")), record),
            "related_finding": record.suspicious_of or "",
            "raised_time": stored.get("raised_time", now),
            "updated_time": now,
            "absorbed": stored.get("absorbed", ""),
        }

    def _absorb(self, gone: set[str], wanted: Mapping[str, Document]) -> None:
        """A finding that a more severe one of its window replaces is named there: what analysts have said of it,
        shows."""
        for finding in sorted(gone):
            old = self.documents[finding]
            for document in wanted.values():
                if document["key"] == old["key"] and document["opened_day"] == old["opened_day"]:
                    names = dict.fromkeys(f"{document['absorbed']} {old.get('absorbed', '')} {finding}".split())
                    document["absorbed"] = " ".join(names)

    def written(self) -> None:
        """The store has taken everything: forget what was only there to be written."""
        for finding in self.superseded:
            self.documents.pop(finding, None)
        self.changed, self.superseded = [], []
        self.touched = {}

    def outcome(self, window: Window, atom: AtomKey) -> Optional[Outcome]:
        finding = self.finding_of.get((id(window), atom))
        return Outcome(finding, finding in self.raised_now) if finding is not None else None


def _inside(document: Mapping[str, object], windows: Iterable[Window]) -> bool:
    """Whether a stored finding belongs to one of these windows."""
    opened_day = _whole(document["opened_day"])
    return any(w.key == document["key"] and day_of(w.opened) == opened_day for w in windows)


def _whole(number: object) -> int:
    """A number of a document, which the KV store keeps as a double. Raises ValueError for what is none."""
    return int(float(str(number)))


def _neighbour(document: Mapping[str, object], atoms: Mapping[AtomKey, tuple[int, int, int]]) -> Neighbour:
    rank = severity_rank(str(document["severity"]))
    return Neighbour(times_of(atoms), str(document["key"]), str(document["finding_id"]), rank)


def _listed(detection: Detection, window: Window, record: Record, stored: Mapping[str, object]) -> Document:
    """What the rows of the quarter of an hour list in which the finding begins, those that an earlier run has met
    included: the first values in order, so that it does not matter which came first. Nothing where this run has met
    none of them; of a chain its opening row says what was done."""
    cause = record.cause
    same = [key for key in record.atoms if key._replace(indexed=cause.indexed) == cause]
    began = bucket_of(_whole(stored["first_time"])) if stored else None
    told: Document = {}
    for name in detection.list_names:
        values = set().union(*(window.listed.get(key, {}).get(name, ()) for key in same))
        if values and began == cause.bucket and stored["variation"] == record.variation.id and stored.get(name):
            values.update(str(stored[name]).split(LISTED_SEPARATOR))
        if values:
            told[name] = LISTED_SEPARATOR.join(sorted(values)[:LISTED_VALUES])
    return told


def _details(detection: Detection, window: Window, record: Record, stored: Mapping[str, object]) -> Document:
    """What the row of the finding's first event says; for a finding whose first event came earlier, what is stored. Of
    rows whose events begin in the same second it is the first by `part`, whichever came or was indexed first."""
    alike = (key for key in record.atoms if (key.plain, key.suspected) == (record.cause.plain, record.cause.suspected))
    found = min(
        (window.details[key] for key in alike if key in window.details), key=lambda each: each[:2], default=None
    )
    if found is not None and (not stored or found[:2] <= (_whole(stored["first_time"]), str(stored.get("part", "")))):
        return dict(found[2])
    if stored:
        return dict(stored)
    first = min(window.details.values(), key=lambda detail: detail[:2], default=None)
    return dict(first[2]) if first is not None else {}


def _scored(details: Document, severity: str) -> Document:
    """The score, where the row was scored for another severity: its identity has turned out to be suspicious."""
    told = str(details.get("severity", severity))
    if told == severity:
        return {}
    return {"anomaly_score": str(moved_score(_whole(details["anomaly_score"]), told, severity))}


def _explanation(explanation: str, record: Record) -> str:
    if not record.suspicious_of:
        return explanation
    return f"{explanation}{FURTHER}finding {record.suspicious_of} came up on it in the 24 hours before."


def _content(document: Mapping[str, object]) -> dict[str, object]:
    """A finding without what every run stamps anew."""
    return {field: value for field, value in document.items() if field not in ("updated_time", "_user")}


def encode_atoms(atoms: Mapping[AtomKey, Atom]) -> str:
    """`{"bucket|indexed|plain|suspected": [count, first, last]}` as compact JSON; times in epoch seconds."""
    told = {"|".join(map(str, key)): [atoms[key].count, atoms[key].first, atoms[key].last] for key in sorted(atoms)}
    return json.dumps(told, separators=(",", ":"))


def decode_atoms(text: str) -> dict[AtomKey, tuple[int, int, int]]:
    """The inverse of `encode_atoms`."""
    atoms: dict[AtomKey, tuple[int, int, int]] = {}
    for name, (count, first, last) in json.loads(text).items():
        bucket, indexed, plain, suspected = name.split("|")
        atoms[AtomKey(int(bucket), int(indexed), plain, suspected)] = (count, first, last)
    return atoms
