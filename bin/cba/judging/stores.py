"""What a judge reads and writes, and under which settings it judges."""

from __future__ import annotations

import dataclasses
from typing import Callable, Optional, Protocol

from ..correlate.correlator import SignalStore
from ..detection.choose import BY_SEVERITY
from ..detection.model import Detection
from ..findings.breaker import BreakerStore
from ..findings.record import FindingStore
from ..history.remembered import HistoryStore, Verdicts
from ..home.finder import HomeStore
from ..lists.match import Lists
from .evidence import SourceDays

TIME_WINDOW = 24 * 3600


class SourceStore(Protocol):
    """Where the days of sources are kept, for one writer; `store.sources.SourceCollection` is the one in Splunk."""

    def load(self, source: str) -> Optional[SourceDays]:
        """The days on which a source delivered events, as all writers know them; None for no day."""

    def save(self, source: str, days: SourceDays) -> None:
        """Adds days to those that this writer knows."""


@dataclasses.dataclass(frozen=True)
class Stores:
    """Everything a judge of one source reads and writes. Signals and breakers are asked for per detection."""

    histories: HistoryStore
    sources: SourceStore
    verdicts: Verdicts
    homes: HomeStore
    findings: FindingStore
    signals: Callable[[Detection], SignalStore]
    breakers: Callable[[Detection], BreakerStore]
    lists: Lists


@dataclasses.dataclass(frozen=True)
class JudgeSettings:
    """`precedence`: which of several matching variations is raised. `time_window`: seconds before and after an opening
    signal in which others belong to its chain. `off`: detections that are switched off. `egress`: (network, country or
    label) of the company's own exits, beside those of the list."""

    precedence: str = BY_SEVERITY
    failed_calls_escalate: bool = False
    time_window: int = TIME_WINDOW
    off: frozenset[str] = frozenset()
    egress: tuple[tuple[str, str], ...] = ()
