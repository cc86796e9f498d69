"""The pages Welcome and Health from an empty installation to an active detection: what they say and where they lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, Optional
from urllib.parse import unquote

import pytest

from cba.detection.catalogue import load
from cba.detection.model import source_search
from cba.terms import SOURCES
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.views import read_view
from tests.replay.test_triage import ADA, BOB, DAY, JUDGE, NOON, START, call
from tests.views.test_views import full_query

COUNTRY, TITLE = "cloud_unusual_country", "API call from unusual country"
DETECTIONS = load().detections.values()
PAIRS = sum(len(detection.sources) for detection in DETECTIONS)
OF_AWS = [detection for detection in DETECTIONS if "aws" in detection.sources]


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
            row
            for row in self.rows(page, name)
            if row["Detection"] in (COUNTRY, TITLE) and source in (None, row.get("Source"))
        )
        return row

    def of_aws(self, page: str, name: str) -> dict[str, Any]:
        (row,) = (row for row in self.rows(page, name) if row["Source"] == "aws")
        return row

    def next_step(self) -> str:
        return str(self.of_aws("welcome", "next")["Next"])


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    with SearchHead(APP_DIR, tmp_path) as head:
        yield head


def after(head: SearchHead, days: int) -> Pages:
    """So many days of the same people in the same country; the search of AWS runs on each, and nothing else."""
    head.events.add([call(who, day, NOON, "NL") for day in range(days) for who in (ADA, BOB)])
    head.enable([JUDGE])
    head.scheduler.replay(START, START + days * DAY + 4 * 3600, "1d")
    return Pages(head, START + days * DAY)


def test_an_empty_installation_says_what_to_do_first(head: SearchHead) -> None:
    pages = Pages(head, START)
    all_sources = len(SOURCES)
    assert pages.numbers() == [f"0 of {all_sources}", f"0 of {all_sources}", f"0 of {all_sources}", f"0 of {PAIRS}"]
    assert {row["Data"] for row in pages.rows("welcome", "arrived")} == {"none"}
    assert {(row["Days"], row["Learned"]) for row in pages.rows("welcome", "back_fill")} == {(0, "░" * 11)}
    first = "back-fill it (step 2), then turn it on; without a back-fill it is active from 2026-01-15"
    assert [row["Next"] for row in pages.rows("welcome", "next")] == [first] * all_sources
    assert {(row["Next"], row["State"]) for row in pages.rows("welcome", "alerts")} == {("", "off")}
    assert [row["count"] for row in pages.rows("health", "off")] == [PAIRS]
    assert pages.of_country("health", "coverage").items() >= {"aws": "off", "gws": "off", "Alerts": "0 of 8"}.items()
    assert {row["Judged"] for row in pages.rows("health", "judged")} == {"not yet"}
    assert all(
        row["Why"].endswith("Judge is disabled: enable it under Reports") for row in pages.rows("health", "states")
    )


def test_it_waits_says_until_when_and_becomes_active(head: SearchHead) -> None:
    pages = after(head, 10)
    all_sources = len(SOURCES)
    assert pages.numbers() == [f"1 of {all_sources}", f"0 of {all_sources}", f"1 of {all_sources}", f"0 of {PAIRS}"]
    assert pages.next_step() == "wait: first findings from 2026-01-15, or back-fill it"
    state = {"State": "waiting", "Days left": "4", "First day": "2026-01-01", "Last day": "2026-01-10"}
    assert pages.of_country("health", "states", "aws").items() >= state.items()
    pages = after(head, 22)
    assert pages.numbers()[:3] == [f"1 of {all_sources}"] * 3
    assert pages.next_step() == "read the findings; it settles until 2026-01-31"
    row = pages.of_aws("welcome", "next")
    assert (row["Search"], row["Active from"], row["Settled from"]) == ("on", "2026-01-15", "2026-01-31")
    active = int(row["Active"].split(" of ")[0])
    assert row["Active"] == f"{active} of {len(OF_AWS)}" and pages.number("raising") == f"{active} of {PAIRS}"
    alerts = pages.of_country("welcome", "alerts")
    assert (alerts["Alerts"], alerts["Next"]) == (
        "0 of 8",
        "read its findings for a week, then enable the alerts you want",
    )
    assert alerts["Speaks from"] == "2026-01-15"
    head.kv.collection("cba_setup").batch_save(
        [{"_key": "aws", "source": "aws", "step": "learning", "progress": 37, "message": ""}]
    )
    assert pages.of_aws("welcome", "back_fill")["Doing"] == "learns: 37 %"
    head.enable(["CBA - API call from unusual country - Base (informational)"])
    assert pages.of_country("welcome", "alerts")["Next"] == "raises alerts"


def test_what_was_back_filled_is_turned_on_next(head: SearchHead) -> None:
    pages = after(head, 22)
    head.enable([JUDGE], False)
    assert pages.next_step() == "turn it on: it is active at once"
    learned = pages.of_aws("welcome", "back_fill")
    assert (learned["Days"], learned["Of"], learned["Learned"]) == (22, 44, "█" * 5 + "░" * 6)


def test_health_says_how_far_a_source_has_been_judged(head: SearchHead) -> None:
    pages = after(head, 22)
    pages.now = START + 22 * DAY + 4 * 3600
    judged = pages.of_aws("health", "judged")
    assert (judged["Judged"], judged["Until"], judged["Stopped"]) == ("up to date", "2026-01-23T03:45:00Z", "")
    pages.now += 3 * 3600
    assert pages.of_aws("health", "judged").items() >= {"Judged": "behind", "Behind": "3 hours"}.items()
    pages.now += 3 * DAY
    assert pages.rows("health", "judged")[0].items() >= {"Source": "aws", "Behind": "3 days"}.items()
    fault = {"_key": f"aws:{COUNTRY}", "source": "aws", "detection": COUNTRY, "message": "broken", "time": START}
    head.kv.collection("cba_faults").batch_save([fault])
    assert pages.of_aws("health", "judged")["Stopped"] == COUNTRY
    why = pages.of_country("health", "states", "aws")
    assert why["State"] == "fault" and why["Why"].endswith("the other detections went on: broken")


def test_health_counts_what_arrived_too_late_to_be_judged(head: SearchHead) -> None:
    """No event is passed over in silence; and what is counted can be judged by hand."""
    now = START + 22 * DAY
    late = [(18, "RU", 22), (17, "NL", 22), (20, "NL", 22), (21, "RU", 22), (15, "RU", 20)]
    for day, country, arrived in late:
        event = call(ADA, day, NOON + 3600, country)
        head.events.add([replace(event, indextime=float(START + arrived * DAY - 3600))])
    pages = after(head, 22)
    assert pages.now == now

    def raised() -> list[tuple[str, int]]:
        found = head.kv.collection("cba_findings").find({"detection": COUNTRY})
        return sorted((each["country"], (each["first_time"] - START) // DAY) for each in found)

    assert raised() == [("RU", 21)], "that of the day before came in time"
    (row,) = pages.rows("health", "late")
    assert row == {"Source": "aws", "Events": 2, "First": "2026-01-18 13:00 UTC", "Last": "2026-01-19 13:00 UTC"}
    search = f'| savedsearch "{source_search("aws", "Rows")}" | cbajudge source=aws'
    head.search(search, START + 17 * DAY, START + 19 * DAY, now=now)
    assert raised() == [("RU", 18), ("RU", 21)]
    pages.now += 2 * DAY
    assert pages.rows("health", "late") == []


def test_health_draws_coverage_freshness_and_growth(head: SearchHead) -> None:
    pages = after(head, 22)
    covered = pages.of_country("health", "coverage")
    assert covered.items() >= {"aws": "active", "azure": "off"}.items() and "endpoint" not in covered
    aws = pages.rows("health", "fresh")[0]
    assert (aws["Source"], aws["Data"], aws["Newest"], aws["Age"]) == (
        "aws",
        "fresh",
        "2026-01-22 12:00 UTC",
        "12 hours",
    )
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
    assert len(reports) == len(SOURCES)
    assert reports <= set(head.app.stanzas("savedsearches"))


def test_every_technique_is_called_by_its_name(head: SearchHead) -> None:
    assert [row for row in Pages(head, START).rows("health", "attack") if not row.get("Name")] == []
