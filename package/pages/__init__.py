"""The analysts' pages: Dashboard Studio views, generated. `files()` gives every file below the root.

`board` knows how a view is written; each other module is one page. What a page shows is read in this order: searches,
inputs, panels from top to bottom.
"""

from __future__ import annotations

from typing import Mapping

from cba.detection.model import Detection
from pages import countries, entity, finding, findings, health, start, tuning, welcome
from pages.board import Board, navigation

OTHER_VIEWS = ("search", "reports", "configuration")


def boards(detections: Mapping[str, Detection]) -> tuple[Board, ...]:
    """The pages in the order of the navigation bar."""
    return (
        findings.page(),
        finding.page(detections),
        entity.page(),
        countries.page(),
        health.page(),
        tuning.page(detections),
        welcome.page(),
    )


def files(detections: Mapping[str, Detection]) -> dict[str, str]:
    """Path below the root -> content."""
    made = boards(detections)
    views = {f"default/data/ui/views/{page.name}.xml": page.xml() for page in made}
    views[f"default/data/ui/views/{start.NAME}.xml"] = start.xml()
    names = [start.NAME, *(page.name for page in made)]
    return {**views, "default/data/ui/nav/default.xml": navigation(names, OTHER_VIEWS)}
