"""Findings as the KV store keeps them, for whoever needs some without judging anything."""

from __future__ import annotations

import json
from typing import Any

from cba.detection.catalogue import get

DETECTION = get("cloud_unusual_country")


def kept_finding(
    name: str, time: int, who: str = "ann", country: str = "RU", variation: str = "v2", **more: Any
) -> dict[str, Any]:
    """A finding of the country detection, of one event at that second, raised ten minutes later."""
    chosen = DETECTION.variation(variation)
    return {
        "_key": name, "finding_id": name, "detection": DETECTION.id, "variation": variation, "name": chosen.name,
        "severity": chosen.severity, "severity_id": chosen.rank, "entity": who, "identity": who, "country": country,
        "project": "111111111111", "source_kind": "aws", "key": json.dumps([who, country]), "opened_day": time // 86_400,
        "first_time": time, "last_time": time, "count": 1, "suppressed_count": 0, "last_suppressed_time": 0,
        "raised_time": time + 600, "updated_time": time + 600, "explanation": f"Country {country}: first time.",
        "absorbed": "", **more,
    }  # fmt: skip
