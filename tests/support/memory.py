"""Stores in memory with the semantics of the KV store's: documents in, the same documents out."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Iterable, Mapping, Sequence

from cba.backtest import memory as backtest
from cba.backtest.memory import MemorySignals
from cba.findings.breaker import Acknowledgement, BreakerState
from cba.findings.verdicts import Target
from cba.history.baseline import SourceStatus, Subject
from cba.history.history import History
from cba.home.homes import Home
from cba.store import histories as encoding
from cba.store import homes as home_encoding

__all__ = [
    "MemoryBreaker", "MemoryFindings", "MemoryHistories", "MemoryHomes", "MemorySignals", "MemoryStatuses",
    "MemoryTriage", "MemoryVerdicts",
]  # fmt: skip


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
        about = [d for d in self.documents.values() if {d["entity"], d.get("identity")} & set(entities)]
        return copy.deepcopy([document for document in about if document["last_time"] >= since])

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {name: copy.deepcopy(self.documents[name]) for name in finding_ids if name in self.documents}

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self.documents.update({document["_key"]: copy.deepcopy(document) for document in documents})

    def delete(self, finding_ids: Sequence[str]) -> None:
        for finding_id in finding_ids:
            self.documents.pop(finding_id, None)


class MemoryHomes:
    """Keeps homes encoded, as the KV store does."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def load(self, workloads: Iterable[str]) -> dict[str, Home]:
        self.asked += workloads
        return {w: home_encoding.decode(self.documents[w]) for w in self.asked if w in self.documents}

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


class MemoryBreaker(backtest.MemoryBreaker):
    def save(self, state: BreakerState) -> None:
        self.state = dataclasses.replace(state, acknowledged=self.state.acknowledged)

    def acknowledge(self, state: BreakerState, acknowledgement: Acknowledgement) -> None:
        self.state = dataclasses.replace(self.state, acknowledged=(*state.acknowledged, acknowledgement))
