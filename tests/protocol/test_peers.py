"""`| cbahistory peers=…`: how many others were seen with what a finding is about."""

from __future__ import annotations

import json

import pytest

from cba.detection.catalogue import load
from cba.judging import peers
from cba.store.histories import HistoryCollection
from tests.support.workbench import FIRST_DAY, TODAY, Row, Workbench, reduced, story

ELSEWHERE = "222222222222"


def others() -> list[Row]:
    """Three more of ann's project, of whom two have been in RU, one of them since; and one of another who has, too."""
    known = [("cleo", "NL", "111111111111"), ("dora", "NL", "111111111111"), ("emil", "RU", ELSEWHERE)]
    rows = [
        reduced(day, who, country, project=project)
        for day in range(FIRST_DAY, TODAY)
        for who, country, project in known
    ]
    rows += [reduced(TODAY - 3, "cleo", "RU"), reduced(TODAY + 1, "dora", "RU")]
    return sorted(rows, key=lambda row: row["bucket"])


def asked(bench: Workbench, *options: str) -> Row:
    (finding,) = [each for each in bench.stored()["cba_findings"] if (each["entity"], each["country"]) == ("ann", "RU")]
    (row,) = bench.run("cbahistory", f"peers={finding['finding_id']}", *options, rows=None)
    return row


@pytest.fixture()
def there(here: Workbench) -> Workbench:
    here.search(others(), "learn=only")
    here.search(story())
    return here


def test_how_many_of_the_project_were_ever_seen_with_it(there: Workbench) -> None:
    row = asked(there)
    assert (row["dimension"], row["value"], row["among"]) == ("country", "RU", "project 111111111111")
    assert (row["others"], row["with_any"]) == ("3", "3"), "bob, cleo and dora"
    assert (row["before"], row["since"], row["who"]) == ("1", "1", "cleo, dora")
    assert row["complete"] == "1"


def test_in_more_than_can_be_looked_at_it_is_some_of_the_organization(
    there: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "MOST", 2)
    row = asked(there)
    assert (row["among"], row["complete"]) == ("the organization", "0")
    assert int(row["others"]) <= 2
    everybody = asked(there, "everybody=true")
    assert (everybody["among"], everybody["others"], everybody["complete"]) == ("project 111111111111", "3", "1")


def test_who_else_was_seen_in_a_project_is_asked_of_everybody(there: Workbench) -> None:
    """Of those in the project all have been there."""
    finding = {
        "finding_id": "f", "project": ELSEWHERE, "first_time": TODAY * 86_400,
        "evidence": json.dumps(
            {"values": {"project": ELSEWHERE}, "scopes": {"identity": {"project": {"entity": "ann"}}}}
        ),
    }  # fmt: skip
    histories = HistoryCollection(there.service())
    (row,) = peers.list_peers(finding, load().detections["unusual_cross_project_activity"], histories)
    assert (row["among"], row["others"], row["before"], row["who"]) == ("the organization", 4, 1, "emil")


def test_what_is_about_no_value_has_no_others(there: Workbench) -> None:
    finding = {"finding_id": "f", "first_time": TODAY * 86_400}
    histories = HistoryCollection(there.service())
    assert list(peers.list_peers(finding, load().detections["cloud_unusual_country"], histories)) == []


def test_a_finding_that_is_not_there(here: Workbench) -> None:
    assert here.run("cbahistory", "peers=nope", rows=None) == []
    assert any("there is no finding nope" in warning for warning in here.warnings())


def test_it_stands_alone(here: Workbench) -> None:
    complaint = here.complaint("cbahistory", "peers=nope", "entity=ann", rows=None)
    assert "peers=<id> stands alone: the finding says of whom and of what" in complaint
