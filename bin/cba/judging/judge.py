"""Judges the rows of one source for every detection, and learns them: the whole way, once."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import operator
from typing import Iterable, Iterator, Mapping, Optional, Sequence

from ..detection.catalogue import Catalogue
from ..errors import DamagedError, RefusedError, RowError, StoreError
from ..findings.breaker import Opened
from ..history.remembered import Histories
from ..home.calls import concerns_homes
from ..home.finder import HomeFinder
from ..terms import date_text
from .detecting import DetectionJudge, Kinds, Scored
from .evidence import SourceDays
from .learning import Observation, Teacher
from .preparing import Prepared, Preparer
from .rows import CANDIDATE_OF, Row, is_judged
from .stores import JudgeSettings, Stores

BATCH = 500
"""Rows that are prepared, learned and judged together: enough to ask the store for many at once, few enough to hold."""
IDLE_LIMIT = 5_000
"""How many different rows are kept in mind that nobody has anything to say about; with more, they are looked at
again."""


class Mode(enum.Enum):
    """What a judge does with rows: both is the scheduled search, LEARN a back-fill, JUDGE a backtest."""

    BOTH = "true"
    LEARN = "only"
    JUDGE = "false"

    @property
    def learns(self) -> bool:
        return self is not Mode.JUDGE

    @property
    def judges(self) -> bool:
        return self is not Mode.LEARN


@dataclasses.dataclass
class Report:
    """What a run did: rows and events taken, how far event times were ahead of and behind the time at which they were
    indexed (seconds), detections that stopped and why, and the breakers that opened, each with its detection."""

    rows: int = 0
    events: int = 0
    ahead: int = 0
    behind: int = 0
    first_day: Optional[int] = None
    last_day: Optional[int] = None
    faults: dict[str, str] = dataclasses.field(default_factory=dict)
    opened: list[tuple[str, Opened]] = dataclasses.field(default_factory=list)
    refused: dict[str, None] = dataclasses.field(default_factory=dict)
    """What the store says of documents that it does not take."""


Candidates = Mapping[DetectionJudge, Kinds]


class Judge:
    """Takes the rows of one source, in order of their days. `now` (epoch seconds) stamps what is raised."""

    def __init__(
        self,
        source: str,
        catalogue: Catalogue,
        settings: JudgeSettings,
        stores: Stores,
        now: int,
        mode: Mode = Mode.BOTH,
    ) -> None:
        self.report = Report()
        self._source = source
        self._stores = stores
        self._mode = mode
        mine = [detection for detection in catalogue.detections.values() if source in detection.sources]
        named = {detection.population for detection in mine}
        populations = [population for population in catalogue.populations.values() if population.name in named]
        limits = {p.name: p.names_a_day for each in populations for p in each.profiles if p.names_a_day is not None}
        self._teachers = {population.name: Teacher(population) for population in populations}
        self._histories = Histories(stores.histories, limits, stores.verdicts if mode.judges else None, mode.learns)
        self._homes = HomeFinder(stores.homes, mode.learns)
        self._preparer = Preparer(source, populations, stores.lists, self._homes, settings, keep_calls=mode.judges)
        on = [detection for detection in mine if detection.id not in settings.off] if mode.judges else []
        judges = [DetectionJudge(detection, source, settings, stores, now) for detection in on]
        # What asks for other findings is judged when those are recorded.
        self.detections = sorted(judges, key=lambda judge: judge.detection.asks_for_findings)
        self._days: Optional[SourceDays] = None
        self._days_read = False
        self._days_changed = False
        self._idle: set[tuple[tuple[str, str], ...]] = set()
        """Rows of this day that teach nothing new and of which nobody has anything to say."""
        self._day: Optional[int] = None

    def take(self, rows: Iterable[Row]) -> None:
        """Judges and learns rows, and writes what changed.

        Raises RowError for a row that is out of order of days or cannot be read, StoreError when the store fails; then
        the run is to be repeated, which changes nothing that it had written.
        """
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                self._take(batch)
                batch = []
        if batch:
            self._take(batch)

    def _take(self, rows: Sequence[Row]) -> None:
        self._see(rows)
        told: dict[tuple[tuple[str, str], ...], None] = {}
        fresh: list[Row] = []
        for row in rows:
            if row.day != self._day:
                self._turn_to(row.day)
                told.clear()
            key = _idle_key(row)
            if key is None:
                fresh.append(row)
            elif key not in self._idle:
                fresh.append(row)
                told[key] = None
        prepared = self._preparer.prepare(fresh) if fresh else []
        candidates = self._candidates(prepared)
        wanted = self._want(prepared, candidates)
        for seen, day in wanted:
            self._histories.learn(seen.subject, seen.value, day)
        if any(each.row.day < rows[0].day for each in prepared):  # a call that was kept is of the day before
            for judge in self.detections:
                judge.forget()
        spoken = self._judge(candidates) if self._mode.judges else set()
        if len(self._idle) > IDLE_LIMIT:
            self._idle.clear()
        self._idle.update(key for key in told if key not in spoken)
        # Calls that were kept are let go with the homes, so what came of them is written before.
        self.flush()

    def flush(self) -> None:
        """Writes what was learned since the last time; harmless to repeat."""
        for flush in (self._histories.flush, self._homes.flush):
            try:
                flush()
            except RefusedError as error:
                self.report.refused[str(error)] = None
        if self._days_changed and self._days is not None:
            self._stores.sources.save(self._source, self._days)
            self._days_changed = False

    def sentences(self) -> list[str]:
        """What was passed over, for the person who runs the search."""
        refused = (f"what was learned is not kept: {text}" for text in self.report.refused)
        of_detections = (sentence for judge in self.detections for sentence in judge.sentences())
        passed_over = (f"passed over: {text}" for text in self._stores.verdicts.complaints)
        return [*self._preparer.sentences(), *of_detections, *refused, *passed_over]

    def _see(self, rows: Sequence[Row]) -> None:
        """Counts rows, and takes their days as days of the source."""
        report = self.report
        if not self._days_read:
            self._days = self._stores.sources.load(self._source)
            self._days_read = True
        report.rows += len(rows)
        for row in rows:
            report.events += row.events
            report.ahead = max(report.ahead, row.bucket - row.indexed)
            report.behind = max(report.behind, row.indexed - row.bucket)
        for day in {row.day for row in rows}:
            report.first_day = day if report.first_day is None else min(report.first_day, day)
            report.last_day = day if report.last_day is None else max(report.last_day, day)
            seen = SourceDays.on(day) if self._days is None else self._days.seen(day)
            if seen != self._days:
                self._days = seen
                self._days_changed = self._mode.learns

    def _turn_to(self, day: int) -> None:
        if self._day is not None and day < self._day:
            raise RowError(
                f"a row of {date_text(day)} comes after rows of {date_text(self._day)}: a later day is judged with the "
                "earlier ones learned, so put `| sort 0 bucket` before this command"
            )
        self._day = day
        self._idle.clear()

    def _want(self, prepared: Sequence[Prepared], candidates: Candidates) -> list[tuple[Observation, int]]:
        """Has the histories read that these rows ask and teach; what they teach, with its day."""
        taught: dict[tuple[Observation, int], None] = {}
        for each in prepared:
            day = each.row.day
            for seen in self._teachers[each.population].news(each.cells, day):
                taught[seen, day] = None
        subjects = {seen.subject for seen, _day in taught}
        for judge, mine in candidates.items():
            for (_place, row), *_alike in mine.values():
                subjects.update(judge.subjects(row))
        self._histories.want(subjects)
        return list(taught)

    def _candidates(self, prepared: Sequence[Prepared]) -> Candidates:
        """What each detection has to look at."""
        of_population: dict[str, list[tuple[int, Prepared]]] = {name: [] for name in self._teachers}
        for place, each in enumerate(prepared):
            of_population[each.population].append((place, each))
        return {judge: judge.kinds(of_population[judge.detection.population]) for judge in self.detections}

    def _judge(self, candidates: Candidates) -> set[tuple[tuple[str, str], ...]]:
        """Has every detection judge its candidates; the rows that one of them had something to say about."""
        spoken: set[tuple[tuple[str, str], ...]] = set()
        stirred: list[tuple[DetectionJudge, str, int]] = []
        for judge, mine in candidates.items():
            with self._apart(judge):
                scored = self._scored(judge, mine)
                opened = judge.record(scored) if scored else []
                spoken.update(key for each, _said in scored if (key := _idle_key(each.row)) is not None)
                self.report.opened.extend((judge.detection.id, each) for each in opened)
            stirred.extend((judge, name, second) for name, second in judge.stirred.items())
            judge.stirred.clear()
        for judge in [judge for judge in self.detections if judge.detection.asks_for_findings]:
            by_others: dict[str, int] = {}
            for other, name, second in stirred:
                if other is not judge:
                    by_others[name] = min(second, by_others.get(name, second))
            with self._apart(judge):
                judge.reconsider(by_others)
        return spoken

    @contextlib.contextmanager
    def _apart(self, judge: DetectionJudge) -> Iterator[None]:
        """What goes wrong here stops this detection and no other; a store that fails stops the run."""
        try:
            yield
        except StoreError as error:
            if not isinstance(error, (DamagedError, RefusedError)):
                raise
            self._stop(judge, error)
        except Exception as error:
            self._stop(judge, error)

    def _scored(self, judge: DetectionJudge, candidates: Kinds) -> list[tuple[Prepared, Scored]]:
        """The rows that a detection has something to say about, in their order, and what."""
        found: list[tuple[int, Prepared, Scored]] = []
        for kind, rows in candidates.items():
            said = judge.score(kind, rows[0][1], self._days, self._histories)
            if said is not None:
                found.extend((place, prepared, said) for place, prepared in rows)
        return [(prepared, said) for _place, prepared, said in sorted(found, key=operator.itemgetter(0))]

    def _stop(self, judge: DetectionJudge, error: Exception) -> None:
        """A detection with a fault judges no further in this run; cbahealth says so, and the others go on."""
        self.detections.remove(judge)
        self.report.faults[judge.detection.id] = f"{type(error).__name__}: {error}"


def _idle_key(row: Row) -> Optional[tuple[tuple[str, str], ...]]:
    """What rows have in common that are alike to everybody all day long; None for a row whose time of day matters: a
    candidate of a detection of its own (which may count events), and what concerns the homes of workloads."""
    cells = row.cells
    if CANDIDATE_OF in cells or concerns_homes(cells):
        return None
    return tuple(cells.items()) if is_judged(cells) else ()
