"""The lookup cba_countries names every country as the map does that the page Findings draws."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from cba.enrich.geo import SHIPPED_DATABASE
from cba.enrich.mmdb import MmdbFile

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "viewer" / "node_modules" / "@splunk" / "visualization-context" / "GeoJsonProvider.js"
FEATURE = re.compile(r'name: "([^"]+)", iso2: "(\w\w)"')


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    with (ROOT / "lookups" / "cba_countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["country"]: row["name"] for row in csv.DictReader(file)}


def test_every_country_of_the_map_is_named_as_there(names: dict[str, str]) -> None:
    if not MAP.exists():
        pytest.skip("the viewer's packages are not installed; ./dev serve installs them")
    features = FEATURE.findall(MAP.read_text(encoding="utf-8"))
    assert len(features) > 200
    assert names == {code: re.sub(r"\\x(..)", lambda hexa: chr(int(hexa[1], 16)), name) for name, code in features}


def test_every_country_of_the_ip_database_is_named(names: dict[str, str]) -> None:
    database = MmdbFile(SHIPPED_DATABASE, "")
    codes = {database.record(pointer).get("country") for pointer in set(database.pointers())} - {None}
    # The Netherlands Antilles are no country any more, and not on the map.
    assert codes - names.keys() <= {"AN"}
