"""Judges rows for one detection under given settings and keeps what it would have raised, in memory.

The way is the scheduled searches' own (`judging.judge`); histories are only read: a day is judged by earlier days only,
whatever has been learned since. So under today's settings a trial finds what the searches have found.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterable, Optional

from ..detection.catalogue import Catalogue
from ..detection.model import Detection
from ..findings.breaker import Opening
from ..findings.record import Document
from ..judging.judge import Judge, Mode
from ..judging.rows import Row
from ..judging.stores import JudgeSettings, Stores
from ..store.memory import MemoryBreaker, MemoryFindings, MemorySignals


class Trial:
    """One run over rows of any sources, in order of days. `stores` gives what is kept of a source, of which nothing is
    written; `now` stamps the findings, in epoch seconds."""

    def __init__(
        self,
        detection: Detection,
        catalogue: Catalogue,
        settings: JudgeSettings,
        stores: Callable[[str], Stores],
        now: int,
    ) -> None:
        self._detection = detection
        self._catalogue = catalogue.with_detections({detection.id: detection})
        self._settings = dataclasses.replace(settings, off=frozenset())
        self._stores = stores
        self._now = now
        self._judges: dict[str, Judge] = {}
        self._findings: Optional[MemoryFindings] = None
        self._signals = MemorySignals()

    @property
    def findings(self) -> dict[str, Document]:
        """What would have been raised so far, by finding id."""
        return self._findings.documents if self._findings is not None else {}

    @property
    def training(self) -> int:
        """The training period in days."""
        return self._detection.terms.training

    @property
    def opening(self) -> Optional[Opening]:
        """The match that opened a breaker, after which nothing was raised."""
        opened = (opened for judge in self._judges.values() for _detection, opened in judge.report.opened)
        return min((each.opening for each in opened if each.entity is None), default=None)

    @property
    def first_day(self) -> Optional[int]:
        """The first day that was judged."""
        days = [judge.report.first_day for judge in self._judges.values() if judge.report.first_day is not None]
        return min(days, default=None)

    @property
    def fault(self) -> str:
        """What stopped the detection, "" for nothing."""
        return next((fault for judge in self._judges.values() for fault in judge.report.faults.values()), "")

    def take(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Judges rows, each with its source. Raises RowError for one that cannot be judged, StoreError when a store
        fails."""
        of_sources: dict[str, list[Row]] = {}
        for source, row in rows:
            of_sources.setdefault(source, []).append(row)
        for source, mine in of_sources.items():
            self._judge(source).take(mine)

    def _judge(self, source: str) -> Judge:
        if source not in self._judges:
            kept = self._stores(source)
            if self._findings is None:
                self._findings = MemoryFindings(self._detection.id, kept.findings)
            breaker, findings = MemoryBreaker(), self._findings
            stores = dataclasses.replace(
                kept, findings=findings, signals=lambda _detection: self._signals, breakers=lambda _detection: breaker
            )
            self._judges[source] = Judge(source, self._catalogue, self._settings, stores, self._now, Mode.JUDGE)
        return self._judges[source]
