"""Stores in memory with the semantics of the KV store's: documents in, the same documents out."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any, Iterable, Mapping, Optional, Sequence

from cba.findings.breaker import Acknowledgement, BreakerState
from cba.findings.verdicts import Target
from cba.history.history import History, Subject
from cba.history.remembered import Remembered
from cba.home.homes import Home
from cba.judging.evidence import SourceDays
from cba.store import histories as encoding
from cba.store import homes as home_encoding
from cba.store import memory
from cba.store.memory import MemorySignals

__all__ = [
    "MemoryBreaker", "MemoryFindings", "MemoryHistories", "MemoryHomes", "MemorySignals", "MemorySources",
    "MemoryTriage", "MemoryVerdicts",
]  # fmt: skip


class MemoryHistories:
    """Keeps the histories of writers encoded, as the KV store does, so that every load gives objects of its own. This one
    speaks for one writer; `of` gives another that has the same documents."""

    def __init__(self, writer: str = "") -> None:
        self.writer = writer
        self.documents: dict[tuple[Subject, str], dict[str, Any]] = {}
        self._subjects: dict[Subject, set[str]] = {}

    def of(self, writer: str) -> MemoryHistories:
        other = MemoryHistories(writer)
        other.documents, other._subjects = self.documents, self._subjects
        return other

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, Remembered]:
        found: dict[Subject, Remembered] = {}
        for subject in subjects:
            histories = {w: encoding.decode(self.documents[subject, w]) for w in self._subjects.get(subject, ())}
            if histories:
                own = histories.get(self.writer, History())
                together = (
                    functools.reduce(History.union, histories.values()) if histories.keys() != {self.writer} else own
                )
                found[subject] = Remembered(own, together)
        return found

    def save(self, histories: Mapping[Subject, History]) -> None:
        for subject, history in histories.items():
            known = self.documents.get((subject, self.writer))
            together = history if known is None else encoding.decode(known).union(history)
            together.forget()
            self.documents[subject, self.writer] = encoding.encode(subject, together, self.writer)
            self._subjects.setdefault(subject, set()).add(self.writer)

    def values(self, profile: str) -> dict[str, set[str]]:
        """entity -> values of one profile."""
        found: dict[str, set[str]] = {}
        for (subject, _writer), document in self.documents.items():
            if subject.profile == profile:
                found.setdefault(subject.entity, set()).update(encoding.decode(document).values)
        return found


class MemorySources:
    """The days of sources."""

    def __init__(self) -> None:
        self.days: dict[str, SourceDays] = {}

    def load(self, source: str) -> Optional[SourceDays]:
        return self.days.get(source)

    def save(self, source: str, days: SourceDays) -> None:
        known = self.days.get(source)
        self.days[source] = days if known is None else known.union(days)


class MemoryFindings:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def of_entities(self, entities: Sequence[str], since: int) -> list[dict[str, Any]]:
        about = [d for d in self.documents.values() if {d["entity"], d.get("identity")} & set(entities)]
        return copy.deepcopy([document for document in about if document["last_time"] >= since])

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {name: copy.deepcopy(self.documents[name]) for name in finding_ids if name in self.documents}

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self.documents.update({document["finding_id"]: copy.deepcopy(document) for document in documents})

    def delete(self, finding_ids: Sequence[str]) -> None:
        for finding_id in finding_ids:
            self.documents.pop(finding_id, None)


class MemoryHomes:
    """Keeps homes encoded, as the KV store does."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def load(self, workloads: Iterable[str]) -> dict[str, Home]:
        return {w: home_encoding.decode(self.documents[w]) for w in workloads if w in self.documents}

    def save(self, homes: Mapping[str, Home]) -> None:
        self.documents.update({workload: home_encoding.encode(workload, home) for workload, home in homes.items()})


class MemoryTriage:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {name: dict(self.documents[name]) for name in finding_ids if name in self.documents}

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self.documents.update({document["_key"]: dict(document) for document in documents})


class MemoryVerdicts:
    def __init__(self) -> None:
        self.documents: dict[Target, dict[str, Any]] = {}
        self.complaints: dict[str, None] = {}

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, dict[str, str]]:
        decided: dict[Subject, dict[str, str]] = {}
        for subject in subjects:
            for target, document in self.documents.items():
                if target.subject == subject and document["verdict"]:
                    decided.setdefault(subject, {})[target.value] = document["verdict"]
        return decided

    def by_targets(self, targets: Iterable[Target]) -> dict[Target, dict[str, Any]]:
        return {target: dict(self.documents[target]) for target in targets if target in self.documents}

    def of_findings(self, finding_ids: Sequence[str]) -> dict[Target, dict[str, Any]]:
        return {t: dict(document) for t, document in self.documents.items() if document["finding_id"] in finding_ids}

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        for document in documents:
            target = Target(Subject(document["profile"], document["entity"]), document["value"])
            self.documents[target] = dict(document)


class MemoryBreaker(memory.MemoryBreaker):
    def save(self, state: BreakerState) -> None:
        self.state = dataclasses.replace(state, acknowledged=self.state.acknowledged)

    def acknowledge(self, state: BreakerState, acknowledgement: Acknowledgement) -> None:
        self.state = dataclasses.replace(self.state, acknowledged=(*state.acknowledged, acknowledgement))
