"""The committed tables have every row of the page they were taken from, where that page is at hand. Tables of further
detections were taken from the vendor's catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.scenarios.rows import TABLES, Table

PAGE = "../reference/detections.md"
_SECTION = re.compile(r"^##+ (?:[A-Z]\d?)\. `(?P<id>\w+)`(?P<rest>.*)$")
_ROW = re.compile(
    r"^\| (?P<number>\w+)(?: \(\d+\))? \| (?P<name>.+?) \| (?P<severity>\w+) \|\s*(?P<kind>\w?)\s*\| .+ \|$"
)
_CHAIN = re.compile(r"A(?:∧[BC])*")
_SEVERITIES = ("High", "Medium", "Low", "Informational")
_KINDS = {"": "exclusive", "E": "escalation", "D": "downgrade", "X": "exclusive"}


@pytest.fixture
def sections(shared: Callable[[str], Path]) -> dict[str, list[str]]:
    """The page's lines by detection."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in shared(PAGE).read_text("utf-8").splitlines():
        heading = _SECTION.match(line)
        if heading:
            lines = found.setdefault(heading["id"], [heading["rest"]])
        elif line.startswith("#"):
            lines = []
        else:
            lines.append(line)
    return found


def of_the_page(sections: dict[str, list[str]]) -> Iterator[tuple[str, Table]]:
    """The tables of the detections that have a section."""
    return ((detection, table) for detection, table in TABLES.items() if detection in sections)


def test_every_detection_of_the_page_has_a_table(sections: dict[str, list[str]]) -> None:
    assert set(sections) <= set(TABLES)


def test_every_row_of_the_page_is_in_the_table(sections: dict[str, list[str]]) -> None:
    for detection, table in of_the_page(sections):
        rows = [match for line in sections[detection] if (match := _ROW.match(line))]
        assert bool(rows) == bool(table.rows), detection
        assert [(row["number"], row["severity"].lower(), _KINDS[row["kind"]]) for row in rows] == [
            (row.number.removeprefix("v"), row.severity, row.kind) for row in table.rows
        ]
        for row, ours in zip(rows, table.rows):
            name = row["name"]
            if name == "(same name as base)":
                assert ours.name == table.base.name
            else:
                assert ours.name.endswith(name.lstrip("… ")), ours.name


def test_every_period_and_key_of_the_page_is_in_the_table(sections: dict[str, list[str]]) -> None:
    common = next(line for line in sections["cloud_unusual_country"][1:] if " · dedup " in line)
    assert "dedup 1 d" in common
    for detection, table in of_the_page(sections):
        facts = next((line for line in sections[detection][1:] if " · dedup " in line), "")
        if facts:
            stated: Any = re.search(r"dedup (\d) d by \(([\w, ]+)\)", facts)
            assert int(stated[1]) == table.deduplication
            # The page calls the identity of a compute instance its role.
            assert tuple(stated[2].replace("role", "identity").split(", ")) == table.key
            assert facts.startswith(table.base.severity.capitalize())
            assert set(re.findall(r"\bT\d{4}(?:\.\d{3})?\b", facts)) == set(table.techniques)
            assert tuple(re.findall(r"\bTA\d{4}\b", facts)) == table.tactics


def test_every_chain_of_the_page_is_in_the_table(sections: dict[str, list[str]]) -> None:
    for detection, table in of_the_page(sections):
        if table.chains:
            text = " ".join(sections[detection])
            start = text.index(next(line for line in sections[detection] if line.startswith("A∧")))
            assert severities_of(text[start:].split("silent:")[0]) == {
                (chain.signals, severity) for chain in table.chains for severity in chain.severities
            }


def severities_of(text: str) -> set[tuple[frozenset[str], str]]:
    """`A∧B∧C High · A∧B or A∧C Medium · …` as (signals, severity); what is said to be silent is left out."""
    found = set()
    for part in text.split(" · "):
        said = part.split(".")[0]
        for severity in _SEVERITIES:
            if severity in said:
                chains = _CHAIN.findall(said.split(severity)[0]) or _CHAIN.findall(said)
                found |= {(frozenset(chain.split("∧")), severity.lower()) for chain in chains}
    return found
