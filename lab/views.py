"""The app's pages as Splunk Web would find them: default/data/ui/views/*.xml and default/data/ui/nav/default.xml.

Only those of Dashboard Studio are drawn. The page in Simple XML on which the app opens shows nothing and leads on.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError

STUDIO = "2"
"""The version of a dashboard that is one of Dashboard Studio."""


@dataclass(frozen=True)
class View:
    """A Dashboard Studio view; `definition` is what the XML carries as JSON."""

    name: str
    label: str
    definition: dict[str, Any]


def read_view(app_dir: Path, name: str) -> View:
    """Raises LabError naming the file where there is no such view or it is not one of Dashboard Studio."""
    path = app_dir / "default" / "data" / "ui" / "views" / f"{name}.xml"
    root = _parsed(path)
    if root.tag != "dashboard" or root.get("version") != STUDIO:
        raise LabError('is not a Dashboard Studio view (<dashboard version="2">)', path)
    try:
        definition = json.loads(root.findtext("definition") or "")
    except ValueError as problem:
        raise LabError(f"its definition is not JSON: {problem}", path) from None
    return View(name, root.findtext("label") or name, definition)


def view_names(app_dir: Path) -> list[str]:
    """All Dashboard Studio views of the app, by name."""
    paths = (app_dir / "default" / "data" / "ui" / "views").glob("*.xml")
    return sorted(path.stem for path in paths if _parsed(path).get("version") == STUDIO)


def leading_on(app_dir: Path, name: str) -> tuple[str, str, str]:
    """Of a page that only leads on: its search, where to go when that finds nothing, and where else. LabError for one
    that is not of that form."""
    path = app_dir / "default" / "data" / "ui" / "views" / f"{name}.xml"
    root = _parsed(path)
    targets = [found.findtext("link") or "" for found in root.iter("condition")]
    query, matches = root.findtext("search/query") or "", [found.get("match") for found in root.iter("condition")]
    if not query or matches != ["'job.resultCount' == 0", None]:
        raise LabError("does not lead on by whether its search finds anything", path)
    return query, targets[0], targets[1]


@dataclass(frozen=True)
class Navigation:
    """The bar: its colour, the names of views in order, and the one that comes first."""

    color: str
    views: list[str]
    first: str


def read_navigation(app_dir: Path) -> Navigation:
    path = app_dir / "default" / "data" / "ui" / "nav" / "default.xml"
    root = _parsed(path)
    entries = list(root.iter("view"))
    if not entries:
        raise LabError("names no view", path)
    first = next((entry for entry in entries if entry.get("default") == "true"), entries[0])
    return Navigation(
        root.get("color") or "#333333", [str(entry.get("name")) for entry in entries], str(first.get("name"))
    )


def _parsed(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()  # noqa: S314 (a file of the app)
    except OSError:
        raise LabError("there is no such page", path) from None
    except ElementTree.ParseError as problem:
        raise LabError(f"is not XML: {problem}", path) from None
