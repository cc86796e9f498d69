"""Looks rows up in the histories and learns them: the engine of `cbabaseline`, without a search head around it.

A row is one group of events of one UTC day. Rows come in day order, because a day is judged with all earlier days of
the same run already learned; within a day their order does not matter, since a day never counts for itself.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Callable, Iterable, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple, TypeVar

from ..detection.model import Detection
from ..errors import RowError
from .days import DaySet, date_text
from .evidence import ORGANIZATION, Evidence, ScopeEvidence, scope_evidence
from .history import History, ScopeView, view

ABSENT = frozenset({"", "-"})

SILENT_INACTIVE = "source inactive"
SILENT_UNTRAINED = "organization untrained"
SILENT_EMPTY = "nothing to compare"


class Subject(NamedTuple):
    """Whose history: `profile` is scope and dimension, such as `identity_country`."""

    profile: str
    entity: str


Asked = Tuple[Subject, str, str, str]
"""A history that a row belongs to: subject, scope, dimension, and the row's value."""


@dataclasses.dataclass(frozen=True)
class SourceStatus:
    """The UTC days on which a source delivered any event."""

    days: DaySet

    @classmethod
    def on(cls, day: int) -> SourceStatus:
        return cls(DaySet.of(day))

    @property
    def first_day(self) -> int:
        return self.days.first

    @property
    def last_day(self) -> int:
        return self.days.last

    def seen(self, day: int) -> SourceStatus:
        return SourceStatus(self.days.union(DaySet.of(day)))


class HistoryStore(Protocol):
    """Where histories live; `store.histories.HistoryCollection` is the one in Splunk."""

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, History]: ...

    def save(self, histories: Mapping[Subject, History]) -> None: ...


class StatusStore(Protocol):
    """Where source statuses live."""

    def load(self) -> dict[str, SourceStatus]: ...

    def save(self, statuses: Mapping[str, SourceStatus]) -> None: ...


class Verdicts(Protocol):
    """What analysts have decided about values; `store.verdicts.VerdictCollection` is the one in Splunk."""

    def load(self, subjects: Iterable[Subject]) -> Mapping[Subject, Mapping[str, str]]:
        """value -> `benign` or `malicious`, for those subjects that have a verdict."""


class NoVerdicts:
    """Nobody has decided anything yet."""

    def load(self, subjects: Iterable[Subject]) -> Mapping[Subject, Mapping[str, str]]:
        return {}


class Row(NamedTuple):
    """A reduced row: its day, source, why it is left out (or absent), the entity per field of `Detection.entity_fields`
    and the value per dimension."""

    day: int
    source: str
    skip_reason: str
    entities: tuple[str, ...]
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What `cbabaseline` adds to a row: the evidence, or why there is none, or why it stays silent."""

    evidence: Optional[Evidence]
    silent_reason: str

    @functools.cached_property
    def text(self) -> str:
        """The evidence as JSON, "" without any; made when somebody asks, for most rows have nothing to say."""
        return self.evidence.to_json() if self.evidence else ""


ONLY_LEARNED = Answer(None, "only learned")

HELD_VALUES = 200_000
"""How many values, of all histories together, are held from one batch to the next; with more, they are read again."""

T = TypeVar("T")


class Baseline:
    """Learns and looks up the profiles of one detection. `learn` and `judge` say which of the two it does."""

    def __init__(
        self,
        detection: Detection,
        histories: HistoryStore,
        statuses: StatusStore,
        verdicts: Optional[Verdicts] = None,
        learn: bool = True,
        judge: bool = True,
    ) -> None:
        self.detection = detection
        self.learn = learn
        self.judge = judge
        self._histories = histories
        self._status_store = statuses
        self._verdicts = verdicts or NoVerdicts()
        self._statuses: Optional[dict[str, SourceStatus]] = None
        self._known: dict[Subject, History] = {}
        self._decided: dict[Subject, Mapping[str, str]] = {}
        self._changed: dict[Subject, None] = {}
        self._statuses_changed = False
        self._day: Optional[int] = None
        self._views: dict[tuple[Subject, int], ScopeView] = {}
        self._dimensions = detection.dimensions
        entity_at = {scope: at for at, scope in enumerate(detection.entity_fields)}
        self._profiles = [
            (detection.profile(scope, dimension), scope, entity_at.get(scope), dimension, value_at)
            for value_at, dimension in enumerate(detection.dimensions)
            for scope in detection.observe
            if dimension in detection.observe[scope]
        ]
        self._limits = detection.limits

    def process(self, rows: Sequence[Row]) -> list[Answer]:
        """Answers a batch of rows in day order, learns them, and writes what changed.

        Raises RowError when a row is out of day order, StoreError when the store fails.
        """
        return self.tell(rows, lambda answer: answer)

    def tell(self, rows: Sequence[Row], words: Callable[[Answer], T]) -> list[T]:
        """As `process`, with what `words` makes of the answers: they are large and not kept. Equal rows share one."""
        self._load(rows)
        told: dict[Row, T] = {}
        for position, row in enumerate(rows, 1):
            if row.day != self._day:
                self._turn_to(row.day, position)
            if row not in told:
                told[row] = words(self._row(row))
        self.flush()
        return [told[row] for row in rows]

    def flush(self) -> None:
        """Writes what was learned since the last time; harmless to repeat."""
        if self._changed:
            for subject in self._changed:
                self._known[subject].forget()
            self._histories.save({subject: self._known[subject] for subject in self._changed})
            self._changed.clear()
        if self._statuses_changed and self._statuses is not None:
            self._status_store.save(self._statuses)
            self._statuses_changed = False

    def _load(self, rows: Sequence[Row]) -> None:
        if self._statuses is None:
            self._statuses = self._status_store.load()
        if sum(len(history.values) for history in self._known.values()) > HELD_VALUES:
            for held in (self._known, self._decided, self._views):
                held.clear()
        wanted = {s for row in set(rows) for s, _scope, _dimension, _value in self._subjects(row)} - self._known.keys()
        if wanted:
            found = self._histories.load(wanted)
            self._known.update({subject: found.get(subject) or History() for subject in wanted})
            if self.judge:
                self._decided.update(self._verdicts.load(wanted))

    def _subjects(self, row: Row) -> Iterable[Asked]:
        """The histories a row belongs to."""
        if row.skip_reason not in ABSENT:
            return
        for profile, scope, entity_at, dimension, value_at in self._profiles:
            entity = ORGANIZATION if entity_at is None else row.entities[entity_at]
            value = row.values[value_at]
            if entity not in ABSENT and value not in ABSENT:
                yield Subject(profile, entity), scope, dimension, value

    def _row(self, row: Row) -> Answer:
        asked = tuple(self._subjects(row))
        if self.learn:
            self._learn(row, asked)
        return self._judge(row, asked) if self.judge else ONLY_LEARNED

    def _turn_to(self, day: int, position: int) -> None:
        if self._day is not None and day < self._day:
            raise RowError(
                f"row {position} of this batch is of {date_text(day)} and comes after rows of {date_text(self._day)}: "
                "a later day is judged with the earlier ones learned, so put `| sort 0 day` before this command"
            )
        self._day = day
        self._views.clear()

    def _learn(self, row: Row, asked: Iterable[Asked]) -> None:
        assert self._statuses is not None
        status = self._statuses.get(row.source)
        seen = SourceStatus.on(row.day) if status is None else status.seen(row.day)
        if seen != status:
            self._statuses[row.source] = seen
            self._statuses_changed = True
        for subject, _scope, _dimension, value in asked:
            if self._known[subject].learn(value, row.day, self._limits.get(subject.profile)):
                self._changed[subject] = None

    def _judge(self, row: Row, asked: Sequence[Asked]) -> Answer:
        if row.skip_reason not in ABSENT:
            return Answer(None, row.skip_reason)
        for dimension, value in zip(self._dimensions, row.values):
            if value in ABSENT and dimension not in self.detection.optional:
                return Answer(None, f"no {dimension}")
        # A signal of a chain need not be compared with anything; it is judged by what it is.
        if all(value in ABSENT for value in row.values) and not self.detection.signals:
            return Answer(None, SILENT_EMPTY)
        if row.entities[0] in ABSENT:
            return Answer(None, f"no {self.detection.scopes[0]}")
        assert self._statuses is not None
        status = self._statuses.get(row.source) or SourceStatus.on(row.day)
        activation_day = status.first_day + self.detection.terms.activation
        scopes: dict[str, dict[str, ScopeEvidence]] = {}
        verdicts = self._verdicts_on(asked) if self._decided else {}
        for subject, scope, dimension, value in asked:
            seen = self._view(subject, row.day, activation_day)
            verdict = verdicts.get((scope, dimension), "")
            found = scope_evidence(subject.entity, self._known[subject], seen, value, verdict)
            scopes.setdefault(scope, {})[dimension] = found
        active = row.day >= activation_day
        values = {name: v for name, v in zip(self._dimensions, row.values) if v not in ABSENT}
        evidence = Evidence(row.day, row.source, active, values, scopes, self.detection.terms.training)
        return Answer(evidence, self._silence(evidence))

    def _verdicts_on(self, asked: Iterable[Asked]) -> dict[tuple[str, str], str]:
        """What holds for the row's value per (scope, dimension): the scope's own verdict, else the next wider one's."""
        own = {
            (scope, dimension): self._decided.get(subject, {}).get(value, "")
            for subject, scope, dimension, value in asked
        }
        holding: dict[tuple[str, str], str] = {}
        for dimension in self._dimensions:
            verdict = ""
            for scope in reversed(self.detection.scopes):
                verdict = own.get((scope, dimension), "") or verdict
                holding[scope, dimension] = verdict
        return {**own, **holding}

    def _silence(self, evidence: Evidence) -> str:
        if not evidence.active:
            return SILENT_INACTIVE
        judged = self.detection.untrained_is_new or evidence.answerable(self.detection.scopes, self.detection.optional)
        return "" if judged else SILENT_UNTRAINED

    def _view(self, subject: Subject, day: int, activation_day: int) -> ScopeView:
        """A history as of the start of the day; computed once per day, before or after the day itself is learned."""
        key = (subject, activation_day)
        seen = self._views.get(key)
        if seen is None:
            decided = self._decided.get(subject, {})
            limit = self._limits.get(subject.profile)
            seen = view(self._known[subject], day, activation_day, self.detection.terms, decided, limit)
            self._views[key] = seen
        return seen
