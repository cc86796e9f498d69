"""Writes what was measured into docs/quality.md, between two marks, and its picture beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from marked import Section, table

from . import report
from .detectors.others import OTHERS
from .parameters import all_numbers
from .plot import plot
from .run import OURS, OURS_BY_SEVERITY, Evaluation

SECTION = Section("<!-- written by ./dev benchmark --write -->", "<!-- end of what ./dev benchmark writes -->")
PAGE, PICTURE = "docs/quality.md", "docs/benchmark.svg"


def write(root: Path, evaluations: Sequence[Evaluation]) -> list[str]:
    """The files that were written. Raises LookupError when the page lacks its marks."""
    page = root / PAGE
    names = [OURS, OURS_BY_SEVERITY, *(other.name for other in OTHERS)]
    (root / PICTURE).write_text(plot(evaluations, names), "utf-8")
    picture = f"![Recall against false alerts]({Path(PICTURE).name})"
    made = "\n\n".join((report.tables(evaluations), picture, numbers()))
    page.write_text(SECTION.replaced(page.read_text("utf-8"), made), "utf-8")
    return [PAGE, PICTURE]


def numbers() -> str:
    """What normal life consists of: the parameters with their reasons."""
    rows = ((f"{each.value:g}", each.about, each.because) for _name, each in all_numbers())
    return table(("number", "of", "because"), rows)
