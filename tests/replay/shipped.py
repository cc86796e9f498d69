"""The searches that the app ships, and what they have found of one detection."""

from __future__ import annotations

from typing import Any

from cba.detection.model import source_search
from lab.searchhead import SearchHead


def judges(*sources: str) -> list[str]:
    """The searches that judge these sources, each for all detections."""
    return [source_search(source, "Judge") for source in sources]


def judge_at_once(head: SearchHead, source: str, now: float) -> None:
    """Judges everything that the head has of a source in one run, whenever it was indexed."""
    head.search(f'| savedsearch "CBA - {source} - Rows" | cbajudge source={source}', earliest=0, latest=now, now=now)


def findings_of(head: SearchHead, detection: str) -> list[dict[str, Any]]:
    """The findings of a detection as the KV store has them, in order of time."""
    found = [each for each in head.kv.collection("cba_findings").find() if each["detection"] == detection]
    return sorted(found, key=lambda finding: float(finding["first_time"]))
