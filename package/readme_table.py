"""The table of detections in README.md, between two comments; the rest of the file is written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable

from marked import Section

from cba.detection.model import Detection

FILE = "README.md"
SECTION = Section(
    "<!-- Generated from content/ by ./dev generate; edit that instead. -->", "<!-- End of what is generated. -->"
)


def files(root: Path, detections: Iterable[Detection]) -> dict[str, str]:
    """The file with the table as it follows from the detections."""
    return {FILE: SECTION.replaced((root / FILE).read_text("utf-8"), table(detections))}


def table(detections: Iterable[Detection]) -> str:
    """One row for each detection, linked to its page."""
    rows = (
        f"| [{detection.name}](docs/detections/{detection.id}.md) | {detection.severity} | {_variations(detection)} "
        f"| {', '.join(detection.sources)} |"
        for detection in detections
    )
    return "\n".join(("| detection | base severity | variations | sources |", "|---|---|---|---|", *rows))


def _variations(detection: Detection) -> str:
    """How many there are, and how severe they get."""
    worst = max(detection.all_variations, key=lambda variation: variation.rank)
    more = f", up to {worst.severity}" if worst.rank > detection.base.rank else ""
    return f"{len(detection.variations)}{more}"
