"""Stores in memory with the semantics of the KV store's: documents in, the same documents out."""

from __future__ import annotations

import copy
from typing import Any, Iterable, Mapping, Sequence

from cba.history.baseline import SourceStatus, Subject
from cba.history.history import History
from cba.store import histories as encoding


class MemoryHistories:
    """Keeps histories encoded, as the KV store does, so that every load gives objects of its own."""

    def __init__(self) -> None:
        self.documents: dict[Subject, dict[str, Any]] = {}

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, History]:
        return {s: encoding.decode(self.documents[s]) for s in subjects if s in self.documents}

    def save(self, histories: Mapping[Subject, History]) -> None:
        self.documents.update({subject: encoding.encode(subject, history) for subject, history in histories.items()})


class MemoryStatuses:
    def __init__(self) -> None:
        self.statuses: dict[str, SourceStatus] = {}

    def load(self) -> dict[str, SourceStatus]:
        return dict(self.statuses)

    def save(self, statuses: Mapping[str, SourceStatus]) -> None:
        self.statuses.update(statuses)


class MemoryFindings:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def of_entities(self, entities: Sequence[str], since: int) -> list[dict[str, Any]]:
        wanted = [d for d in self.documents.values() if d["entity"] in entities and d["last_time"] >= since]
        return copy.deepcopy(wanted)

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self.documents.update({document["_key"]: copy.deepcopy(document) for document in documents})

    def delete(self, finding_ids: Sequence[str]) -> None:
        for finding_id in finding_ids:
            self.documents.pop(finding_id, None)
