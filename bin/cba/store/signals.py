"""Signals in the collection `cba_signals`: one document each, found by the fields they join by."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from splunklib.client import Service

from ..correlate.chains import Signal
from ..correlate.correlator import Joins
from ..detection.model import Detection
from ..errors import DamagedError
from .collection import Collection

NAME = "cba_signals"
_VALUES_PER_QUERY = 50


class SignalCollection:
    """Implements `correlate.correlator.SignalStore` for one detection."""

    def __init__(self, service: Service, detection: Detection) -> None:
        self._collection = Collection(service, NAME)
        self._detection = detection

    def joined(self, joins: Joins) -> list[Signal]:
        """Every kept signal of the detection that has one of these values in one of these fields, or as its subject."""
        wanted = [{field: value} for field in sorted(joins) for value in sorted(joins[field])]
        found: dict[str, Signal] = {}
        for start in range(0, len(wanted), _VALUES_PER_QUERY):
            batch = wanted[start : start + _VALUES_PER_QUERY]
            for document in self._collection.find({"$and": [{"detection": self._detection.id}, {"$or": batch}]}):
                found[document["_key"]] = self._decode(document)
        return list(found.values())

    def save(self, signals: Sequence[Signal]) -> None:
        """Inserts or replaces these signals."""
        self._collection.save([self._encode(signal) for signal in signals])

    def _encode(self, signal: Signal) -> dict[str, Any]:
        return {
            "_key": signal.key,
            "detection": self._detection.id,
            "kinds": " ".join(signal.kinds),
            "first_time": signal.time,
            "bucket": signal.bucket,
            "seconds": " ".join(map(str, signal.seconds)),
            "events": signal.events,
            "row": json.dumps(signal.row, separators=(",", ":"), ensure_ascii=False),
            "subject": signal.subject,
            "evidence": signal.evidence,
            **{field: signal.joins.get(field, "") for field in self._detection.joined_by},
        }

    def _decode(self, document: Mapping[str, Any]) -> Signal:
        """The signal of a document. Raises DamagedError naming the document when it cannot be read."""
        try:
            return Signal(
                key=document["_key"],
                kinds=tuple(document["kinds"].split()),
                bucket=int(document["bucket"]),
                seconds=tuple(map(int, document["seconds"].split())),
                events=int(document["events"]),
                joins={name: str(document[name]) for name in self._detection.joined_by if document.get(name)},
                row=dict(json.loads(document["row"])),
                subject=str(document["subject"]),
                evidence=str(document["evidence"]),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DamagedError(
                f"KV store collection {NAME}: document {document.get('_key')} (a signal of "
                f"{document.get('detection')}) is damaged: {error!r}. Restore it from a backup, or delete it."
            ) from error
