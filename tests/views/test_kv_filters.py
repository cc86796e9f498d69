"""`inputlookup <collection> where …` is answered by the KV store, which tells the number 5 from the text "5". Which of them a
filter's "5" asks for is not documented. So no filter of the app asks for anything that could be a number: either reading
finds the same. (Searches that run in the lab are refused where a value could be one.)

https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/inputlookup"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Iterator

import pytest

import content
from lab.conf import load_app
from lab.lookups import definition
from lab.spl.values import number
from lab.views import read_view, view_names

ROOT = Path(__file__).resolve().parents[2]
APP = load_app(ROOT)
WORDS = {
    ("cba_findings", "finding_id"): "cba.findings.ids makes none that looks like a number",
    ("cba_findings", "detection"): "ids of detections begin with a letter",
    ("cba_findings", "variation"): "base, or v and a number",
    ("cba_findings", "severity"): "words",
    ("cba_history", "profile"): "names of profiles, which begin with a letter",
}
"""What filters compare, and why its values are no numbers."""


def texts() -> Iterator[str]:
    """All searches of the app, and all texts in which searches stand."""
    for conf in ("savedsearches", "macros"):
        for stanza in APP.stanzas(conf).values():
            yield from stanza.settings.values()
    for name in view_names(ROOT):
        yield from strings(read_view(ROOT, name).definition)
    with (ROOT / "lookups" / "cba_drilldowns.csv").open(encoding="utf-8", newline="") as file:
        yield from (row["search"] for row in csv.DictReader(file))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        yield path.read_text(encoding="utf-8")


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


FILTER = re.compile(r"inputlookup +(?:\w+=\w+ +)*(\w+) +where +")
FIELD = re.compile(r'(?:^|[\s("])(\w+) *(?:=|!=|<=?|>=?|IN\b) *(?:\\*")*([\w*.-]*)')


def filters() -> Iterator[tuple[str, str, str]]:
    """Lookup, field and what it is compared with (empty: put in when the search is made) of every filter."""
    for text in texts():
        for found in FILTER.finditer(text):
            rest = re.split(r" *(?:\||\n\n|`$|\]|, \\?\"earliest)", text[found.end() :], maxsplit=1)[0]
            for field, value in FIELD.findall(rest):
                yield found[1], field, value


def test_filters_are_found() -> None:
    assert {(lookup, field) for lookup, field, _ in filters()} == set(WORDS)


@pytest.mark.parametrize(("lookup", "field", "value"), sorted(set(filters())))
def test_a_filter_compares_texts_that_are_no_numbers(lookup: str, field: str, value: str) -> None:
    assert number(value) is None
    collection = APP.stanza("collections", definition(APP.stanza("transforms", lookup)).collection)
    assert collection.get(f"field.{field}") == "string"


def test_ids_of_detections_and_variations_are_no_numbers() -> None:
    shipped = content.load(ROOT)
    names = [*shipped.detections]
    names += [variation.id for each in shipped.detections.values() for variation in each.variations]
    assert names and not [name for name in names if number(name) is not None]
