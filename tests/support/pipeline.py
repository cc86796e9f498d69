"""A source's search in miniature: the reduction in Python, then the very judge of the scheduled searches, over stores in
memory.

`Pipeline.search` is one run over some events; `replay` is a scheduler that delivers events late, in any order, twice, and
runs at any cadence over index time.
"""

from __future__ import annotations

import bisect
import collections
import contextlib
import dataclasses
import itertools
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

from cba.detection.catalogue import Catalogue, load
from cba.detection.choose import BY_SEVERITY
from cba.detection.model import Detection, list_name
from cba.judging.detecting import DetectionJudge
from cba.judging.fields import FieldFacts
from cba.judging.judge import Judge, Mode
from cba.judging.rows import CANDIDATE_OF, GEO_FIELDS, SKIP_REASON, SOURCE_FIELD, Row, is_judged
from cba.judging.stores import JudgeSettings, Stores
from cba.judging.window import Mark, Window, window_of
from cba.lists.match import ListTables
from cba.terms import ABSENT, LISTED_SEPARATOR, LISTED_VALUES, bucket_of
from tests.support.memory import (
    MemoryBreaker,
    MemoryFindings,
    MemoryHistories,
    MemoryHomes,
    MemorySignals,
    MemorySources,
    MemoryVerdicts,
)

HOME_FACTS = ("home_of", "home_in", "home_how")
"""What a skipped event is read for all the same."""

Lists = Mapping[str, Sequence[Mapping[str, object]]]
Finding = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Seen:
    """An event as a source's search gives it, with its place: its second, id, and fields (absent ones left out). `indexed`
    is the second at which it can be searched, when that is not at once."""

    time: int
    event_id: str
    fields: Mapping[str, str]
    indexed: Optional[int] = None

    def field(self, name: str) -> str:
        return self.fields.get(name, ABSENT)

    @property
    def source(self) -> str:
        return self.fields[SOURCE_FIELD]


class Pipeline:
    """The state of one detection, or of several together: their stores, and a fresh judge for every search."""

    def __init__(
        self,
        detection: Detection,
        precedence: str = BY_SEVERITY,
        lists: Optional[Lists] = None,
        failed_calls_escalate: bool = False,
        beside: Sequence[Detection] = (),
        content: Optional[Catalogue] = None,
    ) -> None:
        self.content = content or load()
        self.detection = detection
        self.detections = {each.id: each for each in (detection, *beside)}
        self.precedence = precedence
        self.settings = JudgeSettings(precedence, failed_calls_escalate)
        self.lists = ListTables(lists)
        self.histories = MemoryHistories()
        self.sources = MemorySources()
        self.homes = MemoryHomes()
        self.findings = MemoryFindings()
        self.verdicts = MemoryVerdicts()
        self.breakers = {name: MemoryBreaker() for name in self.detections}
        self.signals_of = {name: MemorySignals() for name in self.detections}
        self.mark: Optional[Mark] = None

    @property
    def breaker(self) -> MemoryBreaker:
        return self.breakers[self.detection.id]

    @property
    def signals(self) -> MemorySignals:
        return self.signals_of[self.detection.id]

    @property
    def catalogue(self) -> Catalogue:
        return self.content.with_detections(self.detections)

    @property
    def stores(self) -> Stores:
        return Stores(
            self.histories, self.sources, self.verdicts, self.homes, self.findings,
            lambda detection: self.signals_of[detection.id], lambda detection: self.breakers[detection.id], self.lists,
        )  # fmt: skip

    @property
    def kept(self) -> list[Any]:
        """Every store that a judge writes to."""
        stores = (self.histories, self.sources, self.homes, self.findings)
        return [*stores, *self.breakers.values(), *self.signals_of.values()]

    def search(self, events: Iterable[Seen], now: int = 0, mode: Mode = Mode.BOTH) -> None:
        """One run over these events, of each day for one source after the other, as searches do that run side by side. A
        fault of the detection is a fault of the test."""
        for source, rows in itertools.groupby(self.reduce(events), key=lambda each: each[0]):
            judge = self.judge(source, now, mode)
            judge.take(row for _source, row in rows)
            assert not judge.report.faults, judge.report.faults

    def judge(self, source: str, now: int = 0, mode: Mode = Mode.BOTH) -> Judge:
        """The judge of one run."""
        judge = Judge(source, self.catalogue, self.settings, self.stores, now, mode)
        for each in judge.detections:
            self.watch(each)
        return judge

    def watch(self, judge: DetectionJudge) -> None:
        """For whoever wants to see what the detection's judge records."""

    def reduce(self, events: Iterable[Seen]) -> list[tuple[str, Row]]:
        """The rows that the searches of the events' sources give, in order of days, sources and time."""
        groups: dict[tuple[str, int, int, tuple[tuple[str, str], ...]], list[Seen]] = collections.defaultdict(list)
        for event in events:
            indexed = bucket_of(event.time if event.indexed is None else event.indexed)
            cells = tuple(sorted(self.cells(event).items()))
            groups[event.source, bucket_of(event.time), indexed, cells].append(event)
        rows = []
        for (source, bucket, indexed, cells), seen in sorted(groups.items()):
            seconds = tuple(sorted({event.time for event in seen}))
            count = len({event.event_id for event in seen})
            rows.append((source, Row(bucket, indexed, count, seconds, dict(cells), self.listed(source, seen))))
        return sorted(rows, key=lambda each: (each[1].day, each[0]))

    def listed(self, source: str, events: Iterable[Seen]) -> dict[str, str]:
        """What a row lists of its events."""
        lists = {}
        for field, name in self._lists(source).items():
            values = sorted({each.fields[field] for each in events if each.fields.get(field, ABSENT) != ABSENT})
            if values:
                lists[name] = LISTED_SEPARATOR.join(values[:LISTED_VALUES])
        return lists

    def _lists(self, source: str) -> dict[str, str]:
        """The fields of which the source's rows have lists, each with the list's name."""
        return {name[: -len(list_name(""))]: name for name in self.catalogue.sources[source].listed}

    def cells(self, event: Seen) -> dict[str, str]:
        """What the search keeps of an event: of one that is never judged the reason, and what it tells of homes."""
        shape = self.catalogue.sources[event.source]
        only_listed = self._lists(event.source).keys() - {*shape.row_fields}
        given = {
            name: text
            for name, text in event.fields.items()
            if text != ABSENT and name != SOURCE_FIELD and name not in only_listed
        }
        unknown = given.keys() - {*shape.row_fields, *(GEO_FIELDS if shape.geo else ())}
        assert not unknown, f"the rows of {event.source} have no field {', '.join(sorted(unknown))}"
        if not is_judged(given):
            return {name: text for name, text in given.items() if name in (SKIP_REASON, *HOME_FACTS)}
        candidate_of = [name for name, detection in self.detections.items() if is_candidate(detection, event)]
        if candidate_of:
            given[CANDIDATE_OF] = " ".join(candidate_of)
        return given

    def found(self) -> list[dict[str, Any]]:
        """The findings in order of time, without what the moment of running stamps on them, and which findings that were
        raised meanwhile they have replaced."""
        stamps = ("raised_time", "updated_time", "absorbed")
        documents = ({k: v for k, v in d.items() if k not in stamps} for d in self.findings.documents.values())
        return sorted(
            documents, key=lambda document: (document["first_time"], document["key"], document["severity_id"])
        )


def is_candidate(detection: Detection, event: Seen) -> bool:
    condition = detection.candidates
    return condition is not None and bool(condition.evaluate(FieldFacts(event.fields)))


RAISED = (
    "finding_id", "detection", "variation", "name", "severity", "key", "opened_day", "first_time", "last_time", "count",
    "atoms", "related_finding",
)  # fmt: skip
"""What is said of a finding whichever of its rows it shows."""


def differences(found: Iterable[Finding], expected: Iterable[Finding]) -> list[str]:
    """What tells them apart, a line each. What another finding raised further, though its events were counted before that
    was known, shows the row that its window began with: of those that were counted none is kept."""
    here, there = (
        {f["finding_id"]: {name: f.get(name) for name in (RAISED if f["related_finding"] else f)} for f in side}
        for side in (found, expected)
    )
    return [
        f"{name} of {key}: {here.get(key, {}).get(name)!r}, expected {there.get(key, {}).get(name)!r}"
        for key in sorted({*here, *there})
        for name in sorted({*here.get(key, {}), *there.get(key, {})})
        if here.get(key, {}).get(name) != there.get(key, {}).get(name)
    ]


def stored(pipeline: Pipeline) -> list[Any]:
    """Everything that judges have written."""
    documents = (pipeline.histories.documents, pipeline.findings.documents, pipeline.homes.documents)
    states = {name: breaker.state for name, breaker in pipeline.breakers.items()}
    signals = {name: dict(store.signals) for name, store in pipeline.signals_of.items()}
    return [*(dict(each) for each in documents), states, signals, dict(pipeline.sources.days)]


@dataclasses.dataclass(frozen=True)
class Delivery:
    """An event and the second at which it can be searched."""

    event: Seen
    delivered: int


def indexed(deliveries: Iterable[Delivery]) -> list[Seen]:
    """The events with the seconds at which they can be searched."""
    return [dataclasses.replace(each.event, indexed=each.delivered) for each in deliveries]


def replay(pipeline: Pipeline, deliveries: Sequence[Delivery], cadence: int, since: int) -> Pipeline:
    """Runs the search every `cadence` seconds from second `since` on until everything delivered has been judged, each run
    over the window of index time that it would read; the first takes everything before as well, as a back-fill and a
    search do."""
    for _run in runs(pipeline, deliveries, cadence, since):
        pass
    return pipeline


def runs(pipeline: Pipeline, deliveries: Sequence[Delivery], cadence: int, since: int) -> Iterator[int]:
    """The same, run by run; gives the time of each run that is over. A run that fails is repeated by the next, for the mark
    comes last."""
    waiting = sorted(indexed(deliveries), key=_when_indexed)
    times = [_when_indexed(event) for event in waiting]
    now = since
    while pipeline.mark is None or pipeline.mark.judged_until <= times[-1]:
        window = Window(0, bucket_of(now)) if pipeline.mark is None else window_of(pipeline.mark, now)
        events = waiting[bisect.bisect_left(times, window.start) : bisect.bisect_left(times, window.end)]
        try:
            if events:
                pipeline.search(events, now)
            pipeline.mark = window.moved(pipeline.mark)
        except Killed:
            pass
        yield now
        now += cadence


class Killed(BaseException):
    """The process is gone: no fault that anything could go on after."""


@contextlib.contextmanager
def dying(stores: Iterable[Any], survived: int) -> Iterator[Callable[[], int]]:
    """These stores take `survived` writes together and raise Killed instead of the next, once; gives the number of writes
    so far."""
    written = 0

    def mortal(write: Callable[..., None]) -> Callable[..., None]:
        def writing(*arguments: Any) -> None:
            nonlocal written
            written += 1
            if written == survived + 1:
                raise Killed
            write(*arguments)

        return writing

    patched = [(store, name) for store in stores for name in ("save", "delete") if hasattr(store, name)]
    for store, name in patched:
        setattr(store, name, mortal(getattr(store, name)))
    try:
        yield lambda: written
    finally:
        for store, name in patched:
            delattr(store, name)


def _when_indexed(event: Seen) -> int:
    assert event.indexed is not None
    return event.indexed
