"""Writes what was measured into docs/performance.md, each table in the place of the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from marked import Section

PAGE = "docs/performance.md"


def section(name: str) -> Section:
    """The place of a table."""
    return Section(f"<!-- written by ./dev bench --write: {name} -->", f"<!-- end of {name} -->")


def write(root: Path, tables: Mapping[str, str]) -> None:
    """Puts tables, each under the name of its place, into the page. Raises LookupError for a place that is not there;
    then nothing is written."""
    text = (root / PAGE).read_text("utf-8")
    for name, made in tables.items():
        text = section(name).replaced(text, made)
    (root / PAGE).write_text(text, "utf-8")
