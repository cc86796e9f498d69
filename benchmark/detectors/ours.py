"""The shipped app itself, through the lab: its own searches and commands over the raw events."""

from __future__ import annotations

import math
from typing import Any, Mapping

from cba.detection.catalogue import get
from lab.replay import replay
from lab.searchhead import SearchHead

from .alert import Alert

JUDGE, QUARANTINED = "cbajudge ", "cba_quarantined"
TICK = 900
LATENESS = 60
"""The searches run a minute after each quarter of an hour."""


def run(head: SearchHead) -> list[dict[str, Any]]:
    """The findings of the app's judging searches over everything in the head's event store, day by day. What hands
    findings over to alert actions is left out: it adds nothing to them."""
    wanted = {
        name
        for name, search in head.scheduler.searches().items()
        if JUDGE in search.stanza.get("search", "") or QUARANTINED in search.stanza.get("search", "")
    }
    return replay(head, "1d", "The shipped app", wanted.__contains__)


def tick_after(indexed: float) -> float:
    """When the app's next run after an event was indexed has judged it."""
    return math.ceil(indexed / TICK) * TICK + LATENESS


def alert_of(finding: Mapping[str, Any]) -> Alert:
    """A finding (as the KV store has it) as an alert."""
    detection = get(str(finding["detection"]))
    names = {str(finding.get("entity") or ""), str(finding.get("identity") or "")} - {""}
    return Alert(
        about=detection.id,
        source=str(finding["source_kind"]),
        who=tuple(sorted(names)),
        seconds=(int(float(finding["first_time"])),),
        score=float(finding.get("anomaly_score") or 0.0),
        severity=str(finding["severity"]),
        variation=str(finding["variation"]),
    )
