"""Who may know whom: the folders of `bin/cba` without circles, and the tools beside it from the app outwards
(ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
CBA = ROOT / "bin" / "cba"
OUTSIDE = {
    "lab": {"demo", "bench", "benchmark", "package", "prove", "tests"},
    "package": {"demo", "bench", "benchmark", "prove", "tests"},
    "demo": {"bench", "benchmark", "package", "prove", "tests"},
    "bench": {"benchmark", "package", "prove", "tests"},
    "benchmark": {"bench", "package", "prove", "tests"},
    "prove": {"bench", "benchmark", "tests"},
}
"""What each tool must not import."""


def imported(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports."""
    package = file.relative_to(ROOT / "bin" if CBA in file.parents else ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{name.name}" for name in node.names)


def folder_of(module: str) -> str:
    """The folder of `bin/cba` that a module is in, or the module itself where it stands in none."""
    inside = module.split(".")[1:]
    return inside[0] if inside else ""


def test_the_folders_of_the_library_have_no_circles() -> None:
    folders = {path.name for path in CBA.iterdir() if path.is_dir()}
    known: dict[str, set[str]] = {folder: set() for folder in folders}
    for folder in folders:
        for file in (CBA / folder).rglob("*.py"):
            used = {folder_of(module) for module in imported(file) if module.startswith("cba.")}
            known[folder] |= (used & folders) - {folder}
    graphlib.TopologicalSorter(known).prepare()  # raises CycleError, which names the circle
    assert known["judging"] and known["store"]


@pytest.mark.parametrize("tool", OUTSIDE)
def test_a_tool_imports_nothing_from_further_out(tool: str) -> None:
    for file in (ROOT / tool).rglob("*.py"):
        found = {module.split(".")[0] for module in imported(file)} & OUTSIDE[tool]
        assert not found, f"{file.relative_to(ROOT)} imports {', '.join(found)}"


def test_the_library_imports_no_tool() -> None:
    for file in CBA.rglob("*.py"):
        assert not {module.split(".")[0] for module in imported(file)} & {"tests", *OUTSIDE}, file
