"""The finding that says that a breaker opened: an alert of its own, for what is silenced must not be silent.

It stands among the findings of the detection, as the variation VARIATION, which is none of the detection's YAML: no
condition raises it, and it teaches nothing.
"""

from __future__ import annotations

import json
from typing import Mapping

from ..detection.model import Detection
from ..terms import ORGANIZATION, day_of, severity_rank
from .breaker import Opened, message
from .ids import identifier

VARIATION = "breaker"
SEVERITY = "medium"
SCORE = 50
"""Its anomaly score: nothing is compared, so it is neither likely nor unlikely."""

Document = dict[str, object]


def is_flood(finding: Mapping[str, object]) -> bool:
    """Whether a finding says that a breaker opened."""
    return finding.get("variation") == VARIATION


def flood_name(detection: Detection) -> str:
    """What the finding is called."""
    return f"Too many findings: {detection.name}"


def flood_finding(detection: Detection, source: str, opened: Opened, now: int) -> Document:
    """The finding. Its id names whose breaker it is and for which severity it opened, not the moment, which late events
    may change."""
    whose = opened.entity or ORGANIZATION
    told = (VARIATION, detection.id, source, opened.entity or "", str(opened.era), str(opened.opening.rank))
    known_as = identifier(*told)
    time = opened.opening.time
    return {
        "_key": known_as,
        "finding_id": known_as,
        "detection": detection.id,
        "variation": VARIATION,
        "variations_matched": VARIATION,
        "name": flood_name(detection),
        "severity": SEVERITY,
        "severity_id": severity_rank(SEVERITY),
        "source_kind": source,
        "entity": whose,
        **({detection.entity: opened.entity} if opened.entity is not None else {}),
        "key": json.dumps([source, whose], ensure_ascii=False),
        "opened_day": day_of(time),
        "first_time": time,
        "last_time": time,
        "count": opened.limit,
        "suppressed_count": 0,
        "last_suppressed_time": 0,
        "anomaly_score": str(SCORE),
        "explanation": f"{message(detection.id, opened)}.",
        "attack": " ".join(detection.tactics + detection.techniques),
        "atoms": "{}",
        "evidence": "",
        "related_finding": "",
        "absorbed": "",
        "raised_time": now,
        "updated_time": now,
    }
