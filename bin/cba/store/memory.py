"""Stores for one run: what is written is there for the rest of it and gone afterwards."""

from __future__ import annotations

from typing import Protocol, Sequence

from ..correlate.chains import Signal
from ..correlate.correlator import SUBJECT, Joins
from ..findings.breaker import BreakerState
from ..findings.record import Document


class MemorySignals:
    """Implements `correlate.correlator.SignalStore`."""

    def __init__(self) -> None:
        self.signals: dict[str, Signal] = {}
        self._keys: dict[tuple[str, str], set[str]] = {}

    def joined(self, joins: Joins) -> list[Signal]:
        found = {
            key for field, values in joins.items() for value in values for key in self._keys.get((field, value), ())
        }
        return [self.signals[key] for key in sorted(found)]

    def save(self, signals: Sequence[Signal]) -> None:
        for signal in signals:
            self.signals[signal.key] = signal
            for item in (*signal.joins.items(), (SUBJECT, signal.subject)):
                self._keys.setdefault(item, set()).add(signal.key)


class MemoryBreaker:
    """Implements `findings.breaker.BreakerStore`."""

    def __init__(self) -> None:
        self.state = BreakerState()

    def load(self) -> BreakerState:
        return self.state

    def save(self, state: BreakerState) -> None:
        self.state = state


class KeptFindings(Protocol):
    """The findings there are; `store.findings.FindingCollection` has them."""

    def of_entities(self, entities: Sequence[str], since: int) -> list[Document]: ...


class MemoryFindings:
    """Implements `findings.record.FindingStore` for a detection. Of the findings that are kept it shows those of other
    detections, which make an entity suspicious; the detection's own are what the run is to find out."""

    def __init__(self, detection_id: str, kept: KeptFindings) -> None:
        self.documents: dict[str, Document] = {}
        self._detection_id = detection_id
        self._kept = kept

    def of_entities(self, entities: Sequence[str], since: int) -> list[Document]:
        others = (d for d in self._kept.of_entities(entities, since) if d["detection"] != self._detection_id)
        named = set(entities)
        own = (d for d in self.documents.values() if {d["entity"], d.get("identity")} & named)
        return [*others, *own]

    def save(self, documents: Sequence[Document]) -> None:
        self.documents.update({str(document["finding_id"]): document for document in documents})

    def delete(self, finding_ids: Sequence[str]) -> None:
        for finding_id in finding_ids:
            self.documents.pop(finding_id, None)
