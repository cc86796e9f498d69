"""What `cbahealth` says of a detection that is off, that has learned nothing yet, or only something."""

from __future__ import annotations

from typing import Any, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get
from cba.detection.model import source_search, variation_search
from cba.findings.breaker import BreakerState, Opening
from cba.health import (
    ACTIVE,
    BEHIND,
    BREAKER_OPEN,
    FAULT,
    LEARNING,
    NO_DATA,
    OFF,
    SILENT,
    STATES,
    WAITING,
    Census,
    IpData,
    Judged,
    Switches,
    rows,
    take_census,
)
from cba.history.days import DaySet
from cba.history.history import CROWD, MOST_VALUES, History, Subject
from cba.judging.evidence import SourceDays
from cba.judging.window import Mark
from cba.newcomers import NAMES, Newcomers
from cba.store.searches import DISABLED, RUNS

DAY = 20_500
NOW = (DAY + 1) * 86_400 - 1
COUNTRY = "cloud_unusual_country"
JUDGE = source_search("aws", "Judge")
ALL_ON = Switches({}, frozenset())
MONTH = DaySet(DAY - 30, DAY - 1, (1 << 30) - 1)


def row(
    detection_id: str,
    *known: tuple[str, str],
    days: DaySet | None = MONTH,
    switches: Switches = ALL_ON,
    judged: Judged | None = None,
) -> dict[str, Any]:
    """The row of its first source, with 30 days of (profile, value) learned and the source seen on `days`."""
    detection = get(detection_id)
    histories = [(Subject(profile, "organization"), History({value: MONTH}), 100) for profile, value in known]
    census: Census = take_census(detection, histories, DAY, DAY - 16)
    statuses = {source: SourceDays(days) for source in detection.sources} if days else {}
    runs = {detection.sources[0]: judged or Judged()}
    return next(rows(detection, statuses, census, runs, IpData("", 0, ""), switches, NOW))


@pytest.mark.parametrize(
    ("detection_id", "known", "expected"),
    [
        (COUNTRY, [], LEARNING),
        (COUNTRY, [("organization_country", "NL")], ACTIVE),
        # One of the dimensions that may be absent is enough.
        ("compute_identity_outside_region", [("compute_organization_region", "eu-west-1")], ACTIVE),
        ("compute_identity_outside_region", [], LEARNING),
        # What nobody has a history of is new.
        ("serverless_execution_iaas", [], ACTIVE),
    ],
)
def test_learning_is_what_keeps_a_detection_silent(
    detection_id: str, known: list[tuple[str, str]], expected: str
) -> None:
    found = row(detection_id, *known)
    assert found["state"] == expected
    assert bool(found["reason"]) is (expected == LEARNING)


@pytest.mark.parametrize(
    ("searches", "sources_off", "reason"),
    [
        ({JUDGE: DISABLED}, [], f"the search {JUDGE} is disabled: enable it under Reports"),
        ({JUDGE: RUNS}, ["aws"], "source aws is switched off: change that on the page Configuration"),
        (
            {JUDGE: DISABLED}, ["aws"],
            f"the search {JUDGE} is disabled: enable it under Reports; "
            "source aws is switched off: change that on the page Configuration",
        ),
    ],
)  # fmt: skip
def test_a_detection_that_is_off_says_why_and_what_to_do(
    searches: Mapping[str, str], sources_off: list[str], reason: str
) -> None:
    found = row(COUNTRY, ("organization_country", "NL"), switches=Switches(searches, frozenset(sources_off)))
    assert (found["state"], found["reason"]) == (OFF, reason)


@pytest.mark.parametrize("switches", [ALL_ON, Switches({JUDGE: RUNS}, frozenset({"gcp"}))])
def test_another_source_and_searches_that_may_not_be_read_switch_nothing_off(switches: Switches) -> None:
    assert row(COUNTRY, ("organization_country", "NL"), switches=switches)["state"] == ACTIVE


def test_a_detection_that_is_switched_off_by_itself() -> None:
    found = row(COUNTRY, ("organization_country", "NL"), switches=Switches({}, frozenset(), frozenset({COUNTRY})))
    assert (found["state"], found["reason"]) == (
        OFF,
        "the detection is switched off: change that on the page Configuration",
    )


def test_the_first_state_that_holds_is_the_one() -> None:
    """Everything that keeps a source from raising at once, taken away one by one."""
    off = Switches({JUDGE: DISABLED}, frozenset())
    opened = BreakerState({}, (Opening(NOW - 60, "x", 3),), ())
    late = Mark(NOW - 9_000, NOW - 7_200)
    old, young = DaySet(DAY - 40, DAY - 9, 1), DaySet(DAY - 3, DAY - 1, 0b111)
    known = ("organization_country", "NL")
    found = [
        row(COUNTRY, days=None, switches=off, judged=Judged(late, "KeyError: 'x'", opened)),
        row(COUNTRY, days=None, judged=Judged(late, "KeyError: 'x'", opened)),
        row(COUNTRY, days=None, judged=Judged(late, "", opened)),
        row(COUNTRY, days=None, judged=Judged(late)),
        row(COUNTRY, days=old, judged=Judged(late)),
        row(COUNTRY, days=old, judged=Judged(Mark(0, NOW))),
        row(COUNTRY, days=young),
        row(COUNTRY),
        row(COUNTRY, known),
    ]
    assert tuple(each["state"] for each in found) == STATES
    assert STATES == (OFF, FAULT, BREAKER_OPEN, NO_DATA, BEHIND, SILENT, WAITING, LEARNING, ACTIVE)


def test_how_far_a_source_has_been_judged() -> None:
    found = row(COUNTRY, judged=Judged(Mark(0, NOW // 900 * 900 - 1800), ahead=7_200))
    assert (found["judged_until"], found["behind_minutes"], found["clock_ahead_minutes"]) == (
        "2026-02-16T23:15:00Z", 30, 120
    )  # fmt: skip


def test_the_variations_that_raise_alerts_are_counted() -> None:
    names = [variation_search(get(COUNTRY), variation) for variation in get(COUNTRY).all_variations]
    some = {name: RUNS if at < 3 else DISABLED for at, name in enumerate(names)}
    found = row(COUNTRY, switches=Switches(some, frozenset()))
    assert (found["alerts_on"], found["alerts"]) == (3, 8)
    assert row(COUNTRY)["alerts_on"] == "", "nobody may read them"


def test_when_it_will_be_active_and_when_settled() -> None:
    young = row(COUNTRY, days=DaySet(DAY - 3, DAY - 1, 0b111))
    assert (young["first_day"], young["active_from"], young["training_full"]) == (
        "2026-02-13",
        "2026-02-27",
        "2026-03-15",
    )
    nothing = row(COUNTRY, days=None)
    assert (nothing["active_from"], nothing["training_full"]) == ("2026-03-02", "2026-03-18"), "if it began today"


def test_growth_counts_each_value_on_the_day_it_was_first_seen() -> None:
    detection = get(COUNTRY)
    history = History({"NL": MONTH, "SE": DaySet(DAY - 2, DAY - 1, 0b11), "old": DaySet(DAY - 80, DAY - 1, 1),
                       "today": DaySet.of(DAY), CROWD: DaySet.of(DAY - 2)})  # fmt: skip
    histories = [(Subject("identity_country", who), history, 100) for who in ("ada", "bob")]
    census = take_census(detection, histories, DAY, DAY - 16)
    (found, *_) = rows(detection, {}, census, {}, IpData("", 0, ""), ALL_ON, NOW)
    growth = dict(pair.split("=") for pair in str(found["values_first_seen"]).split(" "))
    assert {day: count for day, count in growth.items() if count != "0"} == {"2026-01-17": "2", "2026-02-14": "2"}
    assert (len(growth), found["history_values"], found["history_documents"]) == (30, 8, 2)


# -- somebody invents values ----------------------------------------------------------------------------------------------

OLD = DaySet(DAY - 60, DAY - 1, (1 << 60) - 1)
ON_FIFTH = DaySet.of(DAY - 5)


def reason(detection_id: str, histories: list[tuple[Subject, History, int]], first_day: int = DAY - 60) -> str:
    """Why an active detection is not as it should be, when its first source has been there since a day."""
    detection = get(detection_id)
    census = take_census(detection, histories, DAY, first_day + detection.terms.activation)
    statuses = {detection.sources[0]: SourceDays(DaySet(first_day, DAY - 1, (1 << (DAY - first_day)) - 1))}
    told = next(rows(detection, statuses, census, {}, IpData("", 0, ""), ALL_ON, NOW))
    assert told["state"] == ACTIVE
    return str(told["reason"])


def usual(detection_id: str) -> list[tuple[Subject, History, int]]:
    """An organization that is known well, and meets two values a day."""
    profiles = [profile.name for profile in get(detection_id).asked if profile.scope == "organization"]
    known = {f"v{day}-{k}": DaySet(day, DAY - 1, 1) for day in range(DAY - 30, DAY) for k in range(2)}
    return [(Subject(name, "organization"), History({"NL": OLD, **known}), 100) for name in profiles]


def test_nothing_is_said_of_an_organization_that_meets_a_few_values_a_day() -> None:
    assert reason("process_rare_cloud_resource", usual("process_rare_cloud_resource")) == ""


def test_a_host_that_invents_resources_is_named() -> None:
    """A beacon that looks up a name of its own each time: each resource is a history of its own."""
    invented = [
        (Subject("resource_host", f"r{n}.s3.amazonaws.com"), History({"host-7": ON_FIFTH}), 200) for n in range(5_000)
    ]
    others = [
        (Subject("resource_host", f"o{n}.s3.amazonaws.com"), History({f"host-{n}": ON_FIFTH}), 200) for n in range(500)
    ]
    mixed = [each for pair in zip(invented[:500], others) for each in pair] + invented[500:]
    told = reason("process_rare_cloud_resource", [*usual("process_rare_cloud_resource"), *mixed])
    assert told.startswith("5,502 values were new on 2026-02-11, 2 on a middle day, at least ")
    assert "of them by host-7: a migration, or somebody invents them" in told


def test_many_new_identities_are_nobodys() -> None:
    invented = [(Subject("identity_country", f"user-{n}"), History({"NL": ON_FIFTH}), 200) for n in range(5_000)]
    told = reason(COUNTRY, [*usual(COUNTRY), *invented])
    assert "5,002 values were new on 2026-02-11" in told
    assert "on a middle day, by many: " in told


def test_the_first_days_are_no_flood() -> None:
    everything = [
        (Subject("identity_country", f"user-{n}"), History({"NL": DaySet(DAY - 20, DAY - 1, 1)}), 200)
        for n in range(5_000)
    ]
    assert reason(COUNTRY, [*usual(COUNTRY), *everything], first_day=DAY - 20) == ""


def test_a_full_history_is_named() -> None:
    values = {f"tool-{n} to s3.amazonaws.com": DaySet(DAY - 40, DAY - 1, 1) for n in range(MOST_VALUES)}
    told = reason(
        "process_rare_cloud_resource",
        [*usual("process_rare_cloud_resource"), (Subject("host_tool", "host-7"), History(values), 9)],
    )
    assert told.startswith("the history of host-7 is full: beyond 10,000 values")


@given(st.lists(st.sampled_from([*"abcdefghijklmnopqrstuvwxyz", "many"]), max_size=200))
def test_who_brought_most_is_found_with_few_counters(brought: list[str]) -> None:
    """Misra and Gries: a count is never too high, and too low by a share at most."""
    newcomers = Newcomers(DAY, DAY - 30)
    for who in brought:
        newcomers.meet(DAY - 1, who)
    for who in set(brought):
        counted = newcomers.brought(DAY - 1).get(who, 0)
        assert brought.count(who) - len(brought) / (NAMES + 1) <= counted <= brought.count(who)
