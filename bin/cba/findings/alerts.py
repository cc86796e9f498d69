"""Alerts: each finding of a variation is handed to the variation's alert once, and exactly once.

An alert keeps by itself how far it has come, by the time at which findings were raised (its *mark*), and which findings
of the last two days before the mark it has raised, for a finding may be saved later than it says, or change its
variation. Neither the schedule, the search's time range nor its throttling matter: a run looks at everything from two
days before the mark on, and raises what it has not raised yet. The mark moves with the findings, not with the clock, so
an outage may last as long as it likes.

A run that is repeated under its own search id is handed the same findings again.
"""

from __future__ import annotations

from typing import AbstractSet, Iterable, Iterator, Mapping, NamedTuple, Optional, Protocol

from ..errors import OptionError
from ..terms import SECONDS_PER_DAY
from .reserved import RESERVED

MARGIN_SECONDS = 2 * SECONDS_PER_DAY
"""How much later than it says a finding may be saved."""
FIRST_SECONDS = SECONDS_PER_DAY
"""How far back the first run of an alert looks."""

Document = dict[str, object]

FIRST = ("finding_id", "detection", "variation", "name", "severity", "entity", "key", "anomaly_score", "count")
LAST = ("chain_timeline", "chain_steps", "explanation")
"""Splunk extracts the fields of an event from its beginning only, up to a number of bytes and of fields (limits.conf,
[kv] and [spath]): what tells a finding from others stands in front, long texts at the end."""
KEPT_BACK = frozenset({"evidence", "atoms", "part", "absorbed"})
"""What only commands read. It is kept with the finding."""


class Mark(NamedTuple):
    """How far an alert has come. It raises no finding of before `since`; everything before `until` less the margin is
    done. Both are epoch seconds and compared with when findings were raised."""

    since: int
    until: int

    @property
    def start(self) -> int:
        """The earliest finding that is still looked at."""
        return max(self.since, self.until - MARGIN_SECONDS)


class Raised(NamedTuple):
    """A finding that an alert was handed: by which alert, when the finding was raised, and in which search."""

    alert: str
    raised_time: int
    sid: str


class AlertStore(Protocol):
    """Where an alert keeps what it has raised; `store.alerts.AlertCollection` is the one in Splunk."""

    def mark(self) -> Optional[Mark]:
        """How far the alert has come; None before its first run."""

    def raised(self, finding_ids: Iterable[str]) -> dict[str, Raised]:
        """Which of these findings were raised, by any alert."""

    def save(self, raised: Mapping[str, Raised], mark: Mark) -> None:
        """Keeps what was raised, the mark last."""


def alert_name(detection_id: str, variation_id: str) -> str:
    """What an alert is called where it keeps its mark. The saved search may have another name."""
    return f"{detection_id}:{variation_id}"


def first_mark(now: int) -> Mark:
    """The mark of an alert that runs for the first time at `now`."""
    return Mark(now - FIRST_SECONDS, now - FIRST_SECONDS)


class Alert:
    """What one run of an alert, the search `sid` at `now`, raises; `mark` is how far it had come before.

    It is told the findings there are since `mark.start`, part by part. `findings` are then those to be raised, `raised`
    and `mark` what is to be kept.
    """

    def __init__(self, name: str, mark: Mark, sid: str, now: int) -> None:
        self.name = name
        self.sid = sid
        self.now = now
        # A clock that was ahead when the mark was made, or is behind now: what is raised by it must not be passed over.
        self.mark = mark._replace(until=min(mark.until, now))
        self.findings: list[Document] = []
        self.raised: dict[str, Raised] = {}
        self._start = self.mark.start

    def take(self, findings: Iterable[Document], raised: Mapping[str, Raised]) -> None:
        """Takes findings of the variation, of which `raised` were raised before."""
        until = self.mark.until
        for finding in findings:
            identifier, time = str(finding["finding_id"]), whole(finding["raised_time"])
            if time < self._start:
                continue
            # A clock that was ahead must not carry the mark past findings that are still to come.
            until = max(until, min(time, self.now))
            known = raised.get(identifier)
            if known is None or (known.alert, known.sid) == (self.name, self.sid):
                self.findings.append(finding)
                self.raised[identifier] = Raised(self.name, time, self.sid)
            elif known.alert != self.name:
                # It was raised as another variation and has changed since: from now on this alert remembers it.
                self.raised[identifier] = known._replace(alert=self.name)
        self.mark = self.mark._replace(until=until)

    def rows(self) -> Iterator[Document]:
        """The findings to be raised, in the order in which they were found, as rows that all have the same fields."""
        ordered = sorted(self.findings, key=lambda finding: (whole(finding["raised_time"]), str(finding["finding_id"])))
        names = _in_order({name for finding in ordered for name in finding if _is_shown(name)})
        for finding in ordered:
            row = {name: _cell(finding.get(name, "")) for name in names}
            yield {"_time": whole(finding["first_time"]), **row, "drilldown_end": whole(finding["last_time"]) + 1}


def whole(number: object) -> int:
    """A number of a document, which the KV store keeps as a double. Raises ValueError for what is none."""
    return int(float(str(number)))


def found_variation(variation_ids: Iterable[str], wanted: str, detection_id: str) -> str:
    """The variation asked for. Raises OptionError listing those there are."""
    known = list(variation_ids)
    if wanted not in known:
        raise OptionError(f"variation={wanted} is not one of {detection_id}: {', '.join(known)}")
    return wanted


def _is_shown(field: str) -> bool:
    return not field.startswith("_") and field not in RESERVED and field not in KEPT_BACK


def _in_order(names: AbstractSet[str]) -> list[str]:
    """The names as they stand in an event."""
    rest = sorted(names - {*FIRST, *LAST})
    return [*(name for name in FIRST if name in names), *rest, *(name for name in LAST if name in names)]


def _cell(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
