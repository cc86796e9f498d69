"""The shipped app itself, through the lab: its own searches and commands over the raw events."""

from __future__ import annotations

import json
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


def run(head: SearchHead, *searches: str) -> None:
    """Runs the app's searches whose text has one of these over everything in the head's event store, day by day: those
    that judge, and the one that notes whom AWS has quarantined. What hands findings over to alert actions is left out:
    it adds nothing to them."""
    texts = searches or (JUDGE, QUARANTINED)
    wanted = {
        name
        for name, search in head.scheduler.searches().items()
        if any(text in search.stanza.get("search", "") for text in texts)
    }
    replay(head, "1d", "The shipped app", wanted.__contains__)


def tick_after(indexed: float) -> float:
    """When the app's next run after an event was indexed has judged it."""
    return math.ceil(indexed / TICK) * TICK + LATENESS


def alert_of(finding: Mapping[str, Any]) -> Alert:
    """A finding (as the KV store has it) as an alert. One about a chain is about each of the steps that it tells."""
    detection = get(str(finding["detection"]))
    steps = json.loads(str(finding.get("chain_steps") or "[]"))
    names = {
        str(finding.get("entity") or ""),
        str(finding.get("identity") or ""),
        *(str(step["who"]) for step in steps),
    }
    first = int(float(finding["first_time"]))
    return Alert(
        about=detection.id,
        source=str(finding["source_kind"]),
        who=tuple(sorted(names - {""})),
        seconds=(first, *(int(step["time"]) for step in steps if int(step["time"]) <= first)),
        score=float(finding.get("anomaly_score") or 0.0),
        severity=str(finding["severity"]),
        variation=str(finding["variation"]),
        place=str(finding.get("country") or ""),
    )
