"""The pages Welcome and Health from an empty installation to an active detection: what they say and where they lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Optional
from urllib.parse import unquote

import pytest

from cba.detection.catalogue import load
from cba.terms import SOURCES
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.views import read_view
from tests.replay.test_triage import ADA, BOB, DAY, DETECT, NOON, START, call
from tests.views.test_views import full_query

COUNTRY = "cloud_unusual_country"
DETECTIONS, PAIRS = len(load()), sum(len(detection.sources) for detection in load().values())


class Pages:
    """The searches of the pages over one search head, at a moment of the logs."""

    def __init__(self, head: SearchHead, now: float) -> None:
        self.head = head
        self.now = now

    def rows(self, page: str, name: str) -> list[dict[str, Any]]:
        definition = read_view(APP_DIR, page).definition
        base = name
        while "extend" in definition["dataSources"][base]["options"]:
            base = definition["dataSources"][base]["options"]["extend"]
        times = definition["dataSources"][base]["options"]["queryParameters"]
        earliest: Optional[str] = None if times["earliest"] == "0" else times["earliest"]
        return self.head.search(full_query(definition, name), earliest, times["latest"], now=self.now).rows

    def number(self, name: str) -> str:
        """One of the numbers at the top of Welcome."""
        ((value,),) = ([*row.values()] for row in self.rows("welcome", name))
        return str(value)

    def numbers(self) -> list[str]:
        return [self.number(name) for name in ("with_data", "learned", "turned_on", "raising")]

    def of_country(self, page: str, name: str, source: Optional[str] = None) -> dict[str, Any]:
        (row,) = (
            row for row in self.rows(page, name) if row["Detection"] == COUNTRY and source in (None, row.get("Source"))
        )
        return row

    def next_step(self) -> str:
        return str(self.of_country("welcome", "next")["Next"])


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    with SearchHead(APP_DIR, tmp_path) as head:
        yield head


def after(head: SearchHead, days: int) -> Pages:
    """So many days of the same people in the same country; the country detection runs on each, and nothing else."""
    head.events.add([call(who, day, NOON, "NL") for day in range(days) for who in (ADA, BOB)])
    head.enable([DETECT])
    head.scheduler.replay(START, START + days * DAY + 4 * 3600, "1d")
    return Pages(head, START + days * DAY)


def test_an_empty_installation_says_what_to_do_first(head: SearchHead) -> None:
    pages = Pages(head, START)
    assert pages.numbers() == [f"0 of {len(SOURCES)}", f"0 of {PAIRS}", f"0 of {DETECTIONS}", f"0 of {PAIRS}"]
    assert {row["Data"] for row in pages.rows("welcome", "arrived")} == {"none"}
    assert {(row["Days"], row["Learned"]) for row in pages.rows("welcome", "back_fill")} == {(0, "░" * 11)}
    first = "back-fill it (step 2), then turn it on; without a back-fill it is active from 2026-01-15"
    assert [row["Next"] for row in pages.rows("welcome", "next")] == [first] * DETECTIONS
    assert [row["count"] for row in pages.rows("health", "off")] == [PAIRS]
    assert pages.of_country("health", "coverage").items() >= {"aws": "off", "gws": "off", "Alerts": "0 of 8"}.items()
    assert all(
        row["Why"].endswith("Detect is disabled: enable it under Reports") for row in pages.rows("health", "states")
    )


def test_it_waits_says_until_when_and_becomes_active(head: SearchHead) -> None:
    pages = after(head, 10)
    assert pages.numbers() == [f"1 of {len(SOURCES)}", f"0 of {PAIRS}", f"1 of {DETECTIONS}", f"0 of {PAIRS}"]
    assert pages.next_step() == "wait: first findings from 2026-01-15, or back-fill it"
    state = {"State": "waiting", "Days left": "4", "First day": "2026-01-01", "Last day": "2026-01-10"}
    assert pages.of_country("health", "states", "aws").items() >= state.items()
    pages = after(head, 22)
    assert pages.numbers() == [f"1 of {len(SOURCES)}", f"1 of {PAIRS}", f"1 of {DETECTIONS}", f"1 of {PAIRS}"]
    assert pages.next_step() == "read the findings; enable the alerts you want"
    row = pages.of_country("welcome", "next")
    assert (row["Search"], row["Alerts"], row["Active from"], row["Settled from"]) == (
        "on", "0 of 8", "2026-01-15", "2026-01-31",
    )  # fmt: skip
    head.enable(["CBA - cloud_unusual_country - Base"])
    assert pages.next_step() == "read the findings; it settles until 2026-01-31"


def test_what_was_back_filled_is_turned_on_next(head: SearchHead) -> None:
    pages = after(head, 22)
    head.enable([DETECT], False)
    assert pages.next_step() == "turn it on: it is active at once"
    learned = pages.of_country("welcome", "back_fill", "aws")
    assert (learned["Days"], learned["Of"], learned["Learned"]) == ("22", "44", "█" * 5 + "░" * 6)


def test_health_draws_coverage_freshness_and_growth(head: SearchHead) -> None:
    pages = after(head, 22)
    covered = pages.of_country("health", "coverage")
    assert covered.items() >= {"aws": "active", "azure": "no data"}.items() and "endpoint" not in covered
    aws = pages.rows("health", "fresh")[0]
    assert (aws["Source"], aws["Data"], aws["Newest"], aws["Age"]) == ("aws", "fresh", "2026-01-22 12:00", "12 hours")
    growth = pages.rows("health", "growth")
    assert len(growth) == 30
    # NL for ada, bob, their project and the organization.
    assert [(row["_time"], row[COUNTRY]) for row in growth if row[COUNTRY]] == [(START, 4)]
    size = pages.of_country("health", "size")
    assert size.items() >= {"Histories": 4, "Values": 4, "New in 30 days": 4, "Identities compared": 2}.items()


def test_a_source_that_stopped_is_late(head: SearchHead) -> None:
    pages = after(head, 20)
    pages.now += 5 * DAY
    (aws, *others) = pages.rows("welcome", "arrived")
    assert (aws["Data"], aws["Age"]) == ("late", "6 days")
    assert {row["Data"] for row in others} == {"none"}


def test_every_row_leads_to_a_report_that_is_there(head: SearchHead) -> None:
    reports = {unquote(row["_report"].rpartition("/")[2]) for row in Pages(head, START).rows("welcome", "back_fill")}
    assert len(reports) == DETECTIONS
    assert reports <= set(head.app.stanzas("savedsearches"))


def test_every_technique_is_called_by_its_name(head: SearchHead) -> None:
    assert [row for row in Pages(head, START).rows("health", "attack") if not row.get("Name")] == []
