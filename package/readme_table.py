"""The table of detections in README.md, between two comments; the rest of the file is written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

from cba.detection.model import Detection

FILE = "README.md"
BEGIN = "<!-- Generated from content/ by ./dev generate; edit that instead. -->"
END = "<!-- End of what is generated. -->"

_TABLE = re.compile(f"(?s)({re.escape(BEGIN)}\n).*?(\n{re.escape(END)})")


def files(root: Path, detections: Iterable[Detection]) -> dict[str, str]:
    """The file with the table as it follows from the detections."""
    text = (root / FILE).read_text("utf-8")
    changed, times = _TABLE.subn(lambda found: found.group(1) + table(detections) + found.group(2), text)
    if times != 1:
        raise ValueError(f"{FILE} has no place for the table of detections: {BEGIN} … {END}")
    return {FILE: changed}


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
