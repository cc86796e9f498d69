"""`| cbaacknowledge` in conversation with splunkd: a breaker opens and is closed for each source by itself."""

from __future__ import annotations

import pytest

from cba.detection.catalogue import get
from cba.findings.breaker import Match, encode_matches
from cba.terms import time_text
from tests.support.workbench import CHOSEN, DETECTION, FIRST_DAY, LATEST, TODAY, Workbench, reduced

DAY = 86_400


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    """Two sources with a past, and a detection that has matched almost too often today in both of them."""
    for source in ("aws", "azure"):
        past = [reduced(day, "ann", "NL", source_kind=source) for day in range(FIRST_DAY, TODAY)]
        bench.search(past, "learn=only", source=source)
        counted = {"detection": DETECTION, "source": source, "openings": "[]"}
        told = {Match(TODAY, f"entity {n // 90}", f"key{n}", 3): TODAY * DAY for n in range(get(DETECTION).breaker - 2)}
        key = f"counted:{DETECTION}:{source}"
        bench.kv.collection("cba_breakers").batch_save([{"_key": key, **counted, "matches": encode_matches(told)}])
    return bench


def storm(bench: Workbench, source: str, day: int = TODAY, countries: str = "RU CN KP") -> None:
    rows = [reduced(day, "ann", country, source_kind=source) for country in countries.split()]
    bench.search(rows, source=source)


def countries(bench: Workbench) -> list[str]:
    return sorted(str(finding["country"]) for finding in bench.findings() if finding["variation"] != "breaker")


def test_each_source_has_its_own(bench: Workbench) -> None:
    storm(bench, "aws")
    assert len(countries(bench)) == 2, "the third opened it"
    assert any("cbaacknowledge detection=cloud_unusual_country" in text for text in bench.warnings())
    storm(bench, "azure", countries="IR")
    assert len(countries(bench)) == 3, "azure goes on"
    (row,) = bench.run("cbaacknowledge", CHOSEN, "comment=a new office", rows=None)
    assert (row["source"], row["comment"], row["acknowledged_by"]) == ("aws", "a new office", "admin")
    assert row["acknowledged"] == time_text(LATEST)
    storm(bench, "aws", TODAY + 2, countries="BY")
    assert "BY" in countries(bench)
    later = TODAY * DAY + 37_800
    bench.search([reduced(TODAY, "ann", "CU", bucket=later, indexed=later, event_times=str(later))])
    assert "CU" not in countries(bench), "what matched while it was open stays unraised"


def test_both_are_closed_at_once(bench: Workbench) -> None:
    for source in ("aws", "azure"):
        storm(bench, source)
    rows = bench.run("cbaacknowledge", CHOSEN, rows=None)
    assert [row["source"] for row in rows] == ["aws", "azure"]
    kept = bench.kv.collection("cba_breakers").find()
    assert sorted(document["_key"] for document in kept) == [
        f"{what}:cloud_unusual_country:{source}" for what in ("acknowledged", "counted") for source in ("aws", "azure")
    ]


def test_nothing_is_open(bench: Workbench) -> None:
    complaint = bench.complaint("cbaacknowledge", CHOSEN, rows=None)
    assert "the breaker of cloud_unusual_country is not open; there is nothing to acknowledge" in complaint


def test_a_preview_closes_nothing(bench: Workbench) -> None:
    storm(bench, "aws")
    before = bench.writes()
    bench.talk("cbaacknowledge", [CHOSEN], [("", False)], preview=True)
    assert bench.writes() == before
