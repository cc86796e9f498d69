"""Alerts exactly once, as pure logic: whatever is saved when, however often and seldom an alert runs."""

from __future__ import annotations

from typing import Any, Iterable, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.errors import OptionError
from cba.findings.alerts import FIRST_SECONDS, MARGIN_SECONDS, Alert, Mark, Raised, first_mark, found_variation
from cba.findings.reserved import RESERVED
from cba.findings.triage import KEPT
from lab.conf import load_app
from lab.replay import APP_DIR
from tests.support.effort import examples

NOW = 1_767_225_600
HOUR = 3600
DAY = 24 * HOUR
MINE, OTHER = "detection:base", "detection:v2"


class Memory:
    """Implements `findings.alerts.AlertStore`, for several alerts."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.kept: dict[str, Raised] = {}


def finding(name: str, raised: int, **more: Any) -> dict[str, Any]:
    return {"finding_id": name, "raised_time": raised, "first_time": raised - 60, "last_time": raised - 30, **more}


def run(
    store: Memory, findings: Iterable[dict[str, Any]], now: int, sid: str = "", dies: bool = False, name: str = MINE
) -> list[str]:
    """One run, as the command makes it; `dies` before anything is kept. The ids of what it hands out."""
    mark = store.marks.get(name) or first_mark(now)
    alert = Alert(name, mark, sid or f"s{now}", now)
    for one in findings:
        alert.take([one], store.kept)
    if not dies:
        store.kept.update(alert.raised)
        store.marks[name] = alert.mark
    return [str(row["finding_id"]) for row in alert.rows()]


def test_each_finding_once() -> None:
    store, there = Memory(), [finding("a", NOW - HOUR)]
    assert run(store, there, NOW) == ["a"]
    assert run(store, there, NOW + 900) == []
    there.append(finding("b", NOW + 800))
    assert run(store, there, NOW + 1800) == ["b"]


def test_the_first_run_begins_a_day_before_and_never_goes_further_back() -> None:
    store = Memory()
    there = [finding("old", NOW - FIRST_SECONDS - 1), finding("young", NOW - FIRST_SECONDS)]
    assert run(store, there, NOW) == ["young"]
    assert run(store, there, NOW + DAY) == []


def test_a_run_that_dies_before_it_kept_anything_raises_with_the_next() -> None:
    store, there = Memory(), [finding("a", NOW - HOUR)]
    assert run(store, there, NOW, dies=True) == ["a"]
    assert run(store, there, NOW + 900) == ["a"]


def test_a_run_repeated_under_its_own_id_is_handed_the_same_again() -> None:
    store, there = Memory(), [finding("a", NOW - HOUR)]
    assert run(store, there, NOW, sid="scheduler__1") == ["a"]
    assert run(store, there, NOW, sid="scheduler__1") == ["a"]
    assert run(store, there, NOW + 900, sid="scheduler__2") == []


def test_what_was_saved_up_to_two_days_late_is_raised() -> None:
    store, there = Memory(), [finding("a", NOW)]
    run(store, there, NOW + 60)
    there.append(finding("late", NOW - MARGIN_SECONDS + 1))
    store.marks[MINE] = store.marks[MINE]._replace(since=0)
    assert run(store, there, NOW + 900) == ["late"]
    assert run(store, there, NOW + 1800) == []


@pytest.mark.parametrize("away", [HOUR, 3 * HOUR, 3 * DAY, 40 * DAY, 400 * DAY])
def test_an_outage_of_any_length(away: int) -> None:
    """Of the alert, and of what records findings: the mark moves with the findings, not with the clock."""
    store, there = Memory(), [finding("a", NOW)]
    run(store, there, NOW + 60)
    there += [finding("b", NOW + 600), finding("c", NOW + away)]
    assert run(store, there, NOW + away + 60) == ["b", "c"]
    for tick in range(10):
        assert run(store, there, NOW + away + 900 * tick) == []
    store, there = Memory(), [finding("a", NOW)]
    for tick in range(0, away, max(900, away // 100)):
        run(store, there, NOW + 60 + tick)
    assert run(store, [*there, finding("b", NOW + 600)], NOW + away + 900) == ["b"]


def test_a_clock_that_was_ahead_loses_nothing() -> None:
    store, there = Memory(), [finding("ahead", NOW + 30 * DAY)]
    assert run(store, there, NOW) == ["ahead"], "it is there, so it is raised"
    there.append(finding("a", NOW + 600))
    assert run(store, there, NOW + 900) == ["a"]
    assert [run(store, there, NOW + day * DAY) for day in range(1, 60)] == [[]] * 59


def test_a_finding_that_changes_its_variation_is_raised_by_one_alert_only() -> None:
    """A late event of the same window may make another variation of the same severity of it; its id stays."""
    store, a = Memory(), finding("a", NOW)
    assert run(store, [a], NOW + 60, name=OTHER) == ["a"]
    assert run(store, [a], NOW + 900, name=MINE) == []
    newer = finding("b", NOW + 10 * DAY)
    assert run(store, [newer], NOW + 10 * DAY, name=OTHER) == ["b"]
    assert run(store, [a], NOW + 11 * DAY, name=MINE) == [], "the alert it belongs to now remembers it"


@pytest.mark.parametrize("by", [HOUR, 5 * DAY, 400 * DAY])
def test_a_clock_of_the_search_head_that_is_ahead_for_a_while_loses_and_repeats_nothing(by: int) -> None:
    store, there = Memory(), [finding("a", NOW - HOUR)]
    assert run(store, there, NOW) == ["a"]
    there.append(finding("b", NOW + by + 600))
    assert run(store, there, NOW + by + 900) == ["b"]
    there.append(finding("c", NOW + 1500))
    assert run(store, there, NOW + 1800) == ["c"]
    assert [run(store, there, NOW + day * DAY) for day in range(1, 20)] == [[]] * 19


@pytest.mark.parametrize("by", [HOUR, 5 * DAY, 20 * DAY])
def test_a_clock_of_the_search_head_that_is_behind_for_a_while_loses_and_repeats_nothing(by: int) -> None:
    store, there = Memory(), [finding("a", NOW - HOUR)]
    assert run(store, [], NOW - 30 * DAY) == []
    assert run(store, there, NOW) == ["a"]
    there.append(finding("b", NOW - by + 600))
    handed = run(store, there, NOW - by + 900)
    there.append(finding("c", NOW + 1500))
    handed += run(store, there, NOW + 1800)
    assert sorted(handed) == ["b", "c"]
    assert [run(store, there, NOW + day * DAY) for day in range(1, 20)] == [[]] * 19


SAVED = st.lists(st.tuples(st.integers(0, 20 * DAY), st.integers(0, MARGIN_SECONDS - 1)), max_size=30)


@examples(200)
@given(
    SAVED,
    st.lists(st.integers(0, 25 * DAY), max_size=60),
    st.sets(st.integers(0, 59), max_size=10),
    st.randoms(use_true_random=False),
)
def test_whenever_it_runs_every_finding_is_raised_once(
    saved: list[tuple[int, int]], ticks: list[int], deaths: set[int], random: Any
) -> None:
    """Findings are saved up to the margin after the time they name; runs come at any time and may die."""
    store = Memory()
    there = [(NOW + raised + late, finding(f"f{n}", NOW + raised)) for n, (raised, late) in enumerate(saved)]
    raised: list[str] = []
    run(store, [], NOW)
    for n, tick in enumerate(sorted(ticks)):
        visible = [each for at, each in there if at <= NOW + tick]
        random.shuffle(visible)
        dies = n in deaths
        handed = run(store, visible, NOW + tick, sid=f"s{n}", dies=dies)
        raised += [] if dies else handed
    raised += run(store, [each for _at, each in there], NOW + 30 * DAY)
    assert sorted(raised) == sorted(str(each["finding_id"]) for _at, each in there)


# -- rows --------------------------------------------------------------------------------------------------------------


def rows(*findings: dict[str, Any], name: Optional[str] = None) -> list[dict[str, Any]]:
    alert = Alert(name or MINE, first_mark(NOW), "s", NOW)
    alert.take(findings, {})
    return list(alert.rows())


def test_rows_are_findings_with_the_times_that_drilldowns_need() -> None:
    (row,) = rows(finding("a", NOW, country="RU", count=2.0, _key="a", _user="nobody"))
    assert row == {
        "_time": NOW - 60, "finding_id": "a", "raised_time": NOW, "first_time": NOW - 60, "last_time": NOW - 30,
        "country": "RU", "count": 2, "drilldown_end": NOW - 29,
    }  # fmt: skip


def test_all_rows_have_all_fields_and_the_order_in_which_they_were_raised() -> None:
    first, second = rows(finding("b", NOW, region="eu"), finding("a", NOW - 60, country="RU"))
    assert list(first) == list(second)
    assert [(row["finding_id"], row["country"], row["region"]) for row in (first, second)] == [
        ("a", "RU", ""), ("b", "", "eu"),
    ]  # fmt: skip


def test_no_row_has_a_field_that_enterprise_security_takes_for_its_own() -> None:
    """cba.findings.reserved names the sources."""
    told = dict.fromkeys(RESERVED, "x")
    (row,) = rows(finding("a", NOW, **told))
    assert not row.keys() & RESERVED
    assert {"status", "owner", "comment", "urgency", "tag", "security_domain", "risk_object"} <= RESERVED


def test_nothing_that_a_finding_has_is_lost_by_that() -> None:
    """No field of a finding is called like one of Enterprise Security's; what analysts say is no field of a finding."""
    fields = {
        name.strip() for name in load_app(APP_DIR).stanza("transforms", "cba_findings").get("fields_list").split(",")
    }
    assert not fields & RESERVED
    assert not fields & set(KEPT)
    assert {"severity", "entity", "host", "explanation"} <= fields


def test_an_unknown_variation_is_named() -> None:
    assert found_variation(["base", "v2"], "v2", "d") == "v2"
    with pytest.raises(OptionError, match="variation=v9 is not one of d: base, v2"):
        found_variation(["base", "v2"], "v9", "d")


def test_what_tells_a_finding_stands_in_front_and_what_only_commands_read_stays_back() -> None:
    alert = Alert(MINE, first_mark(NOW), "s", NOW)
    texts = {"explanation": "long", "chain_steps": "[…]", "evidence": "{…}", "atoms": "{…}", "absorbed": ""}
    alert.take([finding("a", NOW - HOUR, **texts, country="RU", severity="low", detection="d")], {})
    (row,) = alert.rows()
    names = list(row)
    assert names[:4] == ["_time", "finding_id", "detection", "severity"]
    assert names[-3:] == ["chain_steps", "explanation", "drilldown_end"] and "country" in names
    assert not {"evidence", "atoms", "absorbed"} & set(names)
