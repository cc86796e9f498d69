"""The app's library over rows, with stores in memory: what the shipped searches find, and what they would without an
idea.

The lab runs the app itself; this runs the judge of its searches, on the same rows, a day's runs after the other's. A
test holds the one against the other. Ideas are removed where rows, lists and thresholds allow it; the one that they do
not allow is a patch of the library at its seam, for the length of a run, and never of the shipped app.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import dataclasses
import functools
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

from cba.detection.catalogue import Catalogue, load
from cba.history.evidence import HOME, Evidence, ScopeEvidence
from cba.history.history import History, Subject
from cba.history.remembered import NoVerdicts, Remembered
from cba.home.homes import Home
from cba.judging.evidence import SourceDays
from cba.judging.judge import Judge
from cba.judging.rows import SKIP_REASON, Row
from cba.judging.stores import JudgeSettings, Stores
from cba.lists.declared import LISTS
from cba.lists.match import ListTables
from cba.store.lists import LOOKUPS
from cba.store.memory import MemoryBreaker, MemorySignals

from ..rows import Rows, refused
from .alert import Alert
from .ours import alert_of

Finding = dict[str, Any]
ListRows = Mapping[str, Sequence[Mapping[str, str]]]
HOME_FACTS = ("workload", "home_of", "home_in", "home_how", "home_hint")


class _Histories:
    """One writer's histories beside all others' (`store.histories`)."""

    def __init__(self, documents: dict[Subject, dict[str, History]], writer: str) -> None:
        self._documents, self._writer = documents, writer

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, Remembered]:
        found = {}
        for subject in subjects:
            kept = self._documents.get(subject)
            if kept:
                own = History(kept[self._writer].values) if self._writer in kept else History()
                everybody = own
                if kept.keys() != {self._writer}:
                    everybody = functools.reduce(History.union, kept.values())
                    everybody = History(everybody.values)
                found[subject] = Remembered(own, everybody)
        return found

    def save(self, histories: Mapping[Subject, History]) -> None:
        for subject, history in histories.items():
            self._documents.setdefault(subject, {})[self._writer] = History(history.values)


class _Sources:
    def __init__(self) -> None:
        self._days: dict[str, SourceDays] = {}

    def load(self, source: str) -> Optional[SourceDays]:
        return self._days.get(source)

    def save(self, source: str, days: SourceDays) -> None:
        known = self._days.get(source)
        self._days[source] = days if known is None else known.union(days)


class _Homes:
    def __init__(self) -> None:
        self._homes: dict[str, Home] = {}

    def load(self, workloads: Iterable[str]) -> dict[str, Home]:
        return {name: copy.deepcopy(self._homes[name]) for name in workloads if name in self._homes}

    def save(self, homes: Mapping[str, Home]) -> None:
        self._homes.update(copy.deepcopy(dict(homes)))


class _Findings:
    """All detections' findings, found by entity."""

    def __init__(self) -> None:
        self.documents: dict[str, Finding] = {}
        self._of: dict[str, set[str]] = {}

    def of_entities(self, entities: Sequence[str], since: int) -> list[Finding]:
        names = sorted({name for entity in entities for name in self._of.get(entity, ())})
        found = (self.documents[name] for name in names if name in self.documents)
        return [copy.deepcopy(document) for document in found if document["last_time"] >= since]

    def save(self, documents: Sequence[Finding]) -> None:
        for document in documents:
            name = str(document["finding_id"])
            self.documents[name] = dict(document)
            for entity in {document["entity"], document.get("identity")} - {None}:
                self._of.setdefault(entity, set()).add(name)

    def delete(self, finding_ids: Sequence[str]) -> None:
        for name in finding_ids:
            self.documents.pop(name, None)


def judge(rows: Rows, lists: ListRows, catalogue: Optional[Catalogue] = None) -> list[Finding]:
    """What is found in the rows, as documents of the KV store in order of time. Raises RuntimeError for a fault."""
    catalogue = catalogue or load()
    documents: dict[Subject, dict[str, History]] = {}
    sources, homes, findings = _Sources(), _Homes(), _Findings()
    signals: dict[str, MemorySignals] = {}
    breakers: dict[str, MemoryBreaker] = {}
    for day, source, mine in rows.runs():
        stores = Stores(
            histories=_Histories(documents, source),
            sources=sources,
            verdicts=NoVerdicts(),
            homes=homes,
            findings=findings,
            signals=lambda detection: signals.setdefault(detection.id, MemorySignals()),
            breakers=lambda detection, source=source: breakers.setdefault(  # type: ignore[misc]
                f"{detection.id}/{source}", MemoryBreaker()
            ),
            lists=ListTables(lists),
        )
        run = Judge(source, catalogue, JudgeSettings(), stores, (day + 1) * 86_400)
        run.take(mine)
        if run.report.faults:
            raise RuntimeError(f"judging {source}: {run.report.faults}")
    return sorted(findings.documents.values(), key=lambda each: (each["first_time"], each["finding_id"]))


@dataclasses.dataclass(frozen=True)
class Ablation:
    """The app without an idea."""

    name: str
    run: Callable[[Rows, ListRows], list[Finding]]
    cited: str = "this repository, one idea removed"

    def alerts(self, rows: Rows, lists: ListRows) -> list[Alert]:
        return [alert_of(finding) for finding in self.run(rows, lists)]


def with_shipped(kept: ListRows) -> ListRows:
    """What people keep and what ships, together."""
    together: dict[str, list[Mapping[str, str]]] = {name: list(rows) for name, rows in kept.items()}
    for declared in LISTS.values():
        if declared.shipped:
            with open(LOOKUPS / f"{declared.defaults}.csv", encoding="utf-8-sig", newline="") as file:
                together.setdefault(declared.name, []).extend(csv.DictReader(file))
    return together


@contextlib.contextmanager
def _no_back_off() -> Iterator[None]:
    """The library's question to a scope is answered by that scope alone, or by nobody."""
    shipped = Evidence.asked

    def asked(self: Evidence, scope: str, dimension: str, order: Sequence[str]) -> Optional[ScopeEvidence]:
        found = self.scopes.get(scope, {}).get(dimension)
        if scope not in order:
            return found
        if found is not None and (found.trained or found.verdict):
            return found
        return self.scopes.get(HOME, {}).get(dimension)

    Evidence.asked = asked  # type: ignore[method-assign]
    try:
        yield
    finally:
        Evidence.asked = shipped  # type: ignore[method-assign]


def _without_back_off(rows: Rows, lists: ListRows) -> list[Finding]:
    with _no_back_off():
        return judge(rows, lists)


def without_provisional(rows: Rows, lists: ListRows) -> list[Finding]:
    """With the setting that one day makes a value normal."""
    catalogue = load()
    detections = {
        name: dataclasses.replace(each, terms=dataclasses.replace(each.terms, established_days=1))
        for name, each in catalogue.detections.items()
    }
    return judge(rows, lists, catalogue.with_detections(detections))


def _without_breakthrough(findings: Sequence[Finding]) -> list[Finding]:
    """What is left when of a window only the first finding is raised, however severe the later ones are."""
    first: dict[tuple[Any, ...], Finding] = {}
    for finding in findings:
        first.setdefault((finding["detection"], finding["key"], finding["opened_day"]), finding)
    return list(first.values())


def _changed(rows: Rows, change: Callable[[Row], Row]) -> Rows:
    return Rows({source: [change(row) for row in mine] for source, mine in rows.of.items()})


def _without(row: Row, *names: str) -> Row:
    return row._replace(cells={name: text for name, text in row.cells.items() if name not in names})


ABLATIONS: tuple[Ablation, ...] = (
    Ablation("without back-off", _without_back_off),
    Ablation("without provisional values", without_provisional),
    Ablation("without break-through", lambda rows, lists: _without_breakthrough(judge(rows, lists))),
    Ablation(
        "without home region", lambda rows, lists: judge(_changed(rows, lambda row: _without(row, *HOME_FACTS)), lists)
    ),
    Ablation(
        "without egress ranges",
        lambda rows, lists: judge(rows, {name: rows for name, rows in lists.items() if name != "egress_ranges"}),
    ),
    Ablation(
        "refused sign-ins counted",
        lambda rows, lists: judge(
            _changed(rows, lambda row: _without(row, SKIP_REASON) if refused(row) else row), lists
        ),
    ),
)
