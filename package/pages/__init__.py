"""The analysts' pages: Dashboard Studio views, generated. `files()` gives every file below the root.

`board` knows how a view is written; each other module is one page. What a page shows is read in this order: searches,
inputs, panels from top to bottom.
"""

from __future__ import annotations

from pages import entity, finding, findings, health, tuning, welcome
from pages.board import Board, navigation

PAGES: tuple[Board, ...] = (
    findings.page(),
    finding.page(),
    entity.page(),
    health.page(),
    tuning.page(),
    welcome.page(),
)
"""In the order of the navigation bar."""

OTHER_VIEWS = ("search", "reports", "configuration")


def files() -> dict[str, str]:
    """Path below the root -> content."""
    views = {f"default/data/ui/views/{page.name}.xml": page.xml() for page in PAGES}
    return {**views, "default/data/ui/nav/default.xml": navigation([page.name for page in PAGES], OTHER_VIEWS)}
