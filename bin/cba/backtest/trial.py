"""Judges a detection's rows under given settings and keeps what it would have raised, in memory.

The steps are those of the detection's search (`cbabaseline`, `cbacorrelate`, `cbascore`, `cbarecord`); histories are
only read: a day is judged by earlier days only, whatever has been learned since. So under today's settings a trial
finds what the search has found.
"""

from __future__ import annotations

import dataclasses
from typing import Optional

from ..command.chains import CHAIN_FIELDS, moment_rows, read_signals, signal_fields
from ..command.rows import evidence_text, read_rows, read_sightings, record_fields, row_fields
from ..command.table import Table
from ..correlate.correlator import Correlator
from ..detection.model import Detection
from ..findings.breaker import Breaker, Opening
from ..findings.record import Document, Recorder
from ..history.baseline import Baseline, HistoryStore, StatusStore, Verdicts
from ..scoring.score import NO_EVIDENCE, SCORE_FIELDS, Scorer
from .memory import KeptFindings, MemoryBreaker, MemoryFindings, MemorySignals


@dataclasses.dataclass(frozen=True)
class Stores:
    """What a trial reads."""

    histories: HistoryStore
    statuses: StatusStore
    verdicts: Verdicts
    findings: KeptFindings


@dataclasses.dataclass(frozen=True)
class Setup:
    """A detection under some settings; `window` is TimeWindow in seconds."""

    detection: Detection
    precedence: str
    window: int


def trial_fields(detection: Detection) -> tuple[str, ...]:
    """The fields of a row that a trial reads: those of the detection's search before `cbabaseline`."""
    read = (*row_fields(detection), *record_fields(detection), *Scorer(detection).fields)
    chained = signal_fields(detection) if detection.signals else ()
    made = {"evidence", *CHAIN_FIELDS, *SCORE_FIELDS}
    return tuple(name for name in dict.fromkeys((*read, *chained)) if name not in made)


class Trial:
    """One run over all rows, chunk by chunk, in order of days. `now` stamps the findings, in epoch seconds."""

    def __init__(self, setup: Setup, stores: Stores, now: int) -> None:
        detection = self._detection = setup.detection
        self._baseline = Baseline(detection, stores.histories, stores.statuses, stores.verdicts, learn=False)
        self._correlator = Correlator(detection, MemorySignals(), setup.window) if detection.signals else None
        self._scorer = Scorer(detection, setup.precedence)
        self._breaker = Breaker(detection.breaker, MemoryBreaker())
        self._findings = MemoryFindings(detection.id, stores.findings)
        self._recorder = Recorder(detection, self._findings, now)
        self.opening: Optional[Opening] = None
        """the match that opened the breaker, after which nothing was raised"""
        self.first_day: Optional[int] = None
        """the first day that was judged"""

    @property
    def findings(self) -> dict[str, Document]:
        """What would have been raised so far, by finding id."""
        return self._findings.documents

    @property
    def training(self) -> int:
        """The training period in days."""
        return self._detection.terms.training

    def take(self, table: Table) -> None:
        """Judges a chunk. Raises RowError naming field, value and row, StoreError when a store fails."""
        scored = self._scored(self._correlated(self._judged(table)))
        sightings = [(entity, sighting) for _at, entity, sighting in read_sightings(scored, self._detection)]
        admitted = self._breaker.admit([sighting for _entity, sighting in sightings])
        self.opening = self.opening or self._breaker.opened_now
        self._recorder.record([found for found, may_raise in zip(sightings, admitted) if may_raise])

    def _judged(self, table: Table) -> Table:
        """The rows that something can be said of, with their evidence."""
        given = read_rows(table, self._detection)
        self.first_day = given[0].day if self.first_day is None else self.first_day
        texts = self._baseline.tell(given, lambda answer: evidence_text(self._detection, answer))
        rows = [[*row, text] for row, text in zip(table.rows, texts) if text != NO_EVIDENCE]
        return Table([*table.names, "evidence"], rows)

    def _correlated(self, table: Table) -> Table:
        """With the moments of chains after the rows."""
        if self._correlator is None:
            return table
        names = [*table.names, *CHAIN_FIELDS]
        moments = self._correlator.correlate(read_signals(table, self._detection))
        return Table(names, [[*row, *[""] * len(CHAIN_FIELDS)] for row in table.rows] + [*moment_rows(moments, names)])

    def _scored(self, table: Table) -> Table:
        """The rows that have a variation."""
        inputs = zip(*(table.column(name) for name in ("evidence", *self._scorer.fields)))
        scores = (self._scorer.score(*cells) for cells in inputs)
        rows = [[*row, *score] for row, score in zip(table.rows, scores) if score.variation]
        return Table([*table.names, *SCORE_FIELDS], rows)
