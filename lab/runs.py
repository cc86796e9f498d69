"""Which runs of a scheduled search are due when: the ticks of its cron, cadences that merge them, absences.

A coarser cadence (1h, 1d) merges the runs of a search into one whose window is the union of theirs. It happens at the
end of its hour or day with the clock of its last tick: it sees what was indexed by then, and what is indexed later
belongs to the next run, which reads from there. Nothing has to wait for stragglers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, NamedTuple, Optional, Sequence

CADENCES = {"15m": 900, "1h": 3600, "1d": 86400}
LOOKBACK = 86_400
"""limits.conf [scheduler] max_continuous_scheduled_search_lookback = 24h: older runs are not made up for."""

Absence = tuple[float, float]
"""From when to when (not included) no search runs."""


@dataclass(frozen=True)
class Run:
    """One dispatch of a search. `first` and `now` are its first and last cron tick (equal unless runs were merged).

    `at` is when it happens, `seen` until when the events it sees were indexed; times are epoch seconds, None for an
    open end.
    """

    name: str
    at: int
    first: int
    now: int
    seen: int
    earliest: Optional[float]
    latest: Optional[float]
    index_earliest: Optional[float]
    index_latest: Optional[float]
    sid: str


class Due(NamedTuple):
    """When a run happens, its first and last tick, and until when it sees events."""

    at: int
    first: int
    last: int
    seen: int


def due(ticks: Iterable[int], cadence: str, absences: Sequence[Absence], continuous: bool) -> Iterator[Due]:
    """The runs for the ticks of a search, grouped by cadence; 15m keeps every tick.

    Ticks during an absence are lost, unless the search is scheduled continuously (realtime_schedule = 0): then they run
    when the search head is back, with the windows they would have had:
    https://help.splunk.com/splunk-enterprise/create-dashboards-and-reports/reporting-manual/9.3/report-management/configure-the-priority-of-scheduled-reports
    """
    length, every = CADENCES[cadence], cadence == "15m"
    group: Optional[int] = None
    first = last = seen = 0
    for tick in ticks:
        runs = _happens(tick, absences, continuous) if absences else tick
        if runs is None:
            continue
        at = runs if every else -(-runs // length) * length
        if at != group or every:
            if group is not None:
                yield Due(group, first, last, seen)
            group, first = at, tick
        last, seen = tick, runs
    if group is not None:
        yield Due(group, first, last, seen)


def _happens(tick: int, absences: Sequence[Absence], continuous: bool) -> Optional[int]:
    """When the run of a tick happens; None for never."""
    at: float = tick
    for since, until in sorted(absences):
        if since <= at < until:
            if not continuous or tick < until - LOOKBACK:
                return None
            at = until
    return int(-(-at // 1))
