"""Things observed by whom they are used (a resource by its hosts): what their histories keep, and what that answers.

A day names at most `limit` values; of a day with more it is only kept that there were more. `plain` below says what the
answers are without any limit, straight from the observations.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Mapping, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get
from cba.detection.catalogue import load as catalogue
from cba.detection.reader import Document, read_detection
from cba.errors import DetectionErrors
from cba.findings.verdicts import targets_of
from cba.history.days import KEPT_DAYS, RETENTION_DAYS
from cba.history.evidence import Evidence, ScopeEvidence, scope_evidence
from cba.history.history import BENIGN, CROWD, MALICIOUS, History, ScopeView, Subject, Terms, view
from cba.history.remembered import Histories
from cba.judging.listing import Reading, list_histories
from cba.scoring.explain import explain
from cba.scoring.facts import RowFacts
from cba.store.histories import decode, encode
from tests.scenarios.scenario import load
from tests.support.memory import MemoryHistories

RARE = get("process_rare_cloud_resource")
TERMS = Terms()
D = 20_500
LONG_AGO = 0
SUBJECT = Subject("resource_host", "b.s3.amazonaws.com")

Observations = list[tuple[str, int]]
# Around the days of a judgement and the ends of training, retention and what is kept.
DAYS = st.one_of(st.integers(D - 35, D + 9), st.integers(D - 110, D + 9))
OBSERVATIONS = st.lists(st.tuples(st.sampled_from("ABCDEF"), DAYS), max_size=60)
LIMITS = st.integers(1, 4)


def learned(observations: Observations, limit: int | None) -> History:
    history = History()
    for value, day in observations:
        history.learn(value, day, limit)
    return history


def seen(history: History, limit: int | None, day: int = D, activation: int = LONG_AGO) -> ScopeView:
    return view(history, day, activation, TERMS, {}, limit)


class Plain(NamedTuple):
    """What was seen in the training period before day D: how many values, on how many days, the most on one of them."""

    spread: int
    busy: int
    most: int


def plain(observations: Observations) -> Plain:
    by_day: dict[int, set[str]] = {}
    for value, day in observations:
        if D - TERMS.training <= day < D:
            by_day.setdefault(day, set()).add(value)
    values = set().union(*by_day.values())
    return Plain(len(values), len(by_day), max(map(len, by_day.values()), default=0))


# --- What is kept -----------------------------------------------------------------------------------------------------


@given(OBSERVATIONS, LIMITS)
def test_counting_up_to_the_limit_is_exact(observations: Observations, limit: int) -> None:
    found, expected = seen(learned(observations, limit), limit), plain(observations)
    assert found.training_days == expected.busy
    assert min(found.choices, limit + 1) == min(expected.spread, limit + 1)
    if expected.most <= limit:
        assert found.choices == expected.spread


@given(OBSERVATIONS, LIMITS)
def test_where_no_day_has_more_than_the_limit_nothing_is_missing(observations: Observations, limit: int) -> None:
    if max((len({v for v, d in observations if d == day}) for _value, day in observations), default=0) <= limit:
        assert learned(observations, limit) == learned(observations, None)


@given(OBSERVATIONS, LIMITS, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(observations: Observations, limit: int, random: Any) -> None:
    shuffled = observations + [each for each in observations if random.random() < 0.5]
    random.shuffle(shuffled)
    assert seen(learned(shuffled, limit), limit) == seen(learned(observations, limit), limit)


@given(OBSERVATIONS, LIMITS, st.sets(st.integers(0, 60)))
def test_pieces_do_not_matter(observations: Observations, limit: int, writes: set[int]) -> None:
    """The history is written and read again in between, what is old forgotten."""
    history = History()
    for at, (value, day) in enumerate(observations):
        history.learn(value, day, limit)
        if at in writes:
            history.forget()
            history = decode(encode(SUBJECT, history))
    assert seen(history, limit) == seen(learned(observations, limit), limit)


@given(OBSERVATIONS, LIMITS)
def test_a_day_looks_the_same_whatever_was_learned_of_it_and_later(observations: Observations, limit: int) -> None:
    before = learned([(value, day) for value, day in observations if day < D], limit)
    assert seen(learned(observations, limit), limit) == seen(before, limit)


@given(OBSERVATIONS, LIMITS)
def test_learning_says_whether_it_changed_anything(observations: Observations, limit: int) -> None:
    history = History()
    for value, day in observations:
        before = encode(SUBJECT, history)
        assert history.learn(value, day, limit) == (encode(SUBJECT, history) != before)


def test_the_day_that_has_one_more_gives_up_its_names_and_no_other_day_does() -> None:
    history = learned([("A", D - 3), ("A", D - 2), ("B", D - 2)], limit=2)
    assert history.learn("C", D - 2, 2)
    assert not history.learn("A", D - 2, 2)
    assert {name: days.encode() for name, days in history.values.items()} == {
        "A": f"{D - 3},{D - 3},1",
        CROWD: f"{D - 2},{D - 2},1",
    }


# --- What that answers ------------------------------------------------------------------------------------------------


def evidence_of(observations: Observations, value: str, limit: int = 2, verdict: str = "") -> ScopeEvidence:
    history = learned(observations, limit)
    return scope_evidence("b.s3.amazonaws.com", history, seen(history, limit), value, verdict)


def test_a_value_is_new_until_it_is_established_and_in_a_crowd_nobody_is() -> None:
    assert evidence_of([], "A").new
    assert evidence_of([("A", D - 1)], "A").new
    assert not evidence_of([("A", D - 2), ("A", D - 1)], "A").new
    crowd = [(value, day) for value in "BCD" for day in (D - 1, D - 2)]
    assert not evidence_of(crowd, "A").new
    assert evidence_of([(value, D - 1) for value in "BCD"], "A").new, "one crowded day is not usual yet"


def test_a_thing_is_familiar_when_it_would_be_established_were_all_its_values_one() -> None:
    assert not evidence_of([("A", D - 1)], "X").familiar
    assert evidence_of([("A", D - 2), ("B", D - 1)], "X").familiar
    assert evidence_of([("A", D - 7)], "X").familiar
    assert not evidence_of([("A", D - 31), ("B", D - 32)], "X").familiar
    assert not evidence_of([("A", D), ("B", D)], "X").familiar
    assert not evidence_of([("A", D - RETENTION_DAYS - 1), ("B", D - 1)], "X").familiar, "older than the retention"


def facts(found: ScopeEvidence, order: tuple[str, ...] = RARE.scopes) -> RowFacts:
    return RowFacts(Evidence(D, "endpoint", True, {"host": "A"}, {"resource": {"host": found}}), {}, order)


def test_a_thing_beside_the_scopes_answers_itself_trained_or_not() -> None:
    young = facts(evidence_of([("B", D - 1)], "A"))
    assert not young.trained("resource", "host")
    assert (young.new("resource", "host"), young.spread("resource", "host"), young.busy("resource", "host")) == (
        True,
        1,
        1,
    )
    assert not facts(evidence_of([("A", D - 2), ("A", D - 1)], "A")).new("resource", "host")
    unknown = RowFacts(Evidence(D, "endpoint", True, {}, {}), {}, RARE.scopes)
    assert not unknown.new("resource", "host")
    assert (unknown.spread("resource", "host"), unknown.familiar("resource", "host")) == (0, False)


def test_what_an_analyst_calls_malicious_never_becomes_usual() -> None:
    often = [("A", D - ago) for ago in range(1, 20)]
    condemned, unjudged = facts(evidence_of(often, "A", verdict=MALICIOUS)), facts(evidence_of(often, "A"))
    for found, answers in ((unjudged, (False, 1, 19, True)), (condemned, (True, 0, 0, False))):
        asked = ("resource", "host")
        assert (found.new(*asked), found.spread(*asked), found.busy(*asked), found.familiar(*asked)) == answers


def told(found: ScopeEvidence) -> str:
    evidence = Evidence(D, "endpoint", True, {"host": "A"}, {"resource": {"host": found}})
    return explain(RARE, evidence, {}, ())


def test_it_is_told_by_whom_it_was_used() -> None:
    assert told(evidence_of([], "A")) == "Resource b.s3.amazonaws.com: no host in the 30 days before."
    assert told(evidence_of([("B", D - 1)], "A")).endswith(": 1 host (B) on 1 of the 30 days before.")
    assert told(evidence_of([("B", D - 1), ("C", D - 2)], "A")).endswith(": 2 hosts (B, C) on 2 of the 30 days before.")
    crowd = [(value, D - 1) for value in "BCD"]
    assert told(evidence_of(crowd, "A")).endswith(": at least 3 hosts on 1 of the 30 days before.")
    assert told(evidence_of([*crowd, ("B", D - 2)], "A")).endswith(": at least 3 hosts (B) on 2 of the 30 days before.")
    many = [(f"ws{ago:02}", D - ago) for ago in range(1, 15)]
    crowd = [(value, D - 20) for value in "BCD"]
    shown = "ws01, ws02, ws03, ws04, ws05"
    assert told(evidence_of([*crowd, *many], "A")).endswith(
        f": at least 15 hosts ({shown}) on 15 of the 30 days before."
    )


def test_a_listing_shows_the_crowd() -> None:
    histories = {SUBJECT: learned([("A", D - 2), *((value, D - 1) for value in "BCD")], limit=2)}
    rows = list_histories(histories, {"resource_host": Reading(TERMS, LONG_AGO, 2)}, {}, D)
    assert [(row["profile"], row["value"], row["days_training"]) for row in rows] == [
        ("resource_host", CROWD, 1),
        ("resource_host", "A", 1),
    ]


# --- How many are named -----------------------------------------------------------------------------------------------


def counting(*conditions: str) -> str:
    """What is wrong with a detection that asks for these."""
    when = " and ".join(("new(host, tool)", *conditions))
    with pytest.raises(DetectionErrors) as caught:
        read_detection(Document("x.yml", {**RARE.document, "variations": [], "when": when}), catalogue().populations)
    return str(caught.value)


@pytest.mark.parametrize("condition", ["4 > spread(resource, host)", "not spread(resource, host) >= 7"])
def test_no_condition_counts_further_than_is_named(condition: str) -> None:
    assert "needs names_a_day of the profile to be as large; it is 2" in counting(condition)


def test_scopes_that_ask_one_another_name_everything() -> None:
    assert {profile.scope for p in catalogue().populations.values() for profile in p.profiles if profile.names_a_day} == {
        "resource", "function"
    }  # fmt: skip


# --- What it costs ----------------------------------------------------------------------------------------------------


def size(history: History) -> int:
    """Bytes of the history's document."""
    return len(json.dumps(encode(SUBJECT, history), ensure_ascii=False).encode())


HOSTS = 10_000
LIMIT = next(profile.names_a_day for profile in RARE.asked if profile.name == "resource_host")


def test_something_popular_costs_no_more_than_something_rare() -> None:
    """Ten thousand hosts, and one; every day of what is kept."""
    days = range(D - KEPT_DAYS, D)
    popular = learned([(f"workstation-{host:05}", day) for day in days[-3:] for host in range(HOSTS)], LIMIT)
    rare = learned([("workstation-00000", day) for day in days[-3:]], LIMIT)
    assert list(popular.values) == [CROWD]
    assert size(popular) < size(rare) < 250


def test_the_most_a_thing_can_cost() -> None:
    """As many hosts a day as are named, every day others: what is older than the retention goes."""
    limit, history = LIMIT, History()
    assert limit is not None
    sizes = []
    for day in range(D, D + 3 * KEPT_DAYS):
        for number in range(limit):
            history.learn(f"workstation-{day}-{number}", day, limit)
        history.forget()
        sizes.append(size(history))
    assert len(history.values) == (KEPT_DAYS + 1) * limit
    assert max(sizes) == sizes[-1] < 12_000
    assert sizes[2 * KEPT_DAYS] == sizes[-1]


def test_a_popular_resource_is_written_three_times_a_day_at_most() -> None:
    """Each host of it changes something until the day is crowded, and nothing from then on."""

    class Counting(MemoryHistories):
        def __init__(self) -> None:
            super().__init__()
            self.saved: list[Subject] = []

        def save(self, histories: Mapping[Subject, History]) -> None:
            self.saved += histories
            super().save(histories)

    store = Counting()
    for host in range(50):
        # Every host in a search of its own.
        histories = Histories(store, {SUBJECT.profile: 2})
        histories.want([SUBJECT])
        histories.learn(SUBJECT, f"ws{host}", D)
        histories.flush()
    assert store.saved.count(SUBJECT) == 3


@given(OBSERVATIONS, LIMITS, st.sets(st.integers(0, 60)), st.sampled_from([1, 2, 3]))
def test_runs_and_writers_do_not_matter(observations: Observations, limit: int, runs: set[int], writers: int) -> None:
    """Each run reads what all writers have kept, and adds to its own; a day is crowded whoever saw its values."""
    store = MemoryHistories()
    histories = Histories(store, {SUBJECT.profile: limit})
    for at, (value, day) in enumerate(observations):
        if at in runs:
            histories.flush()
            histories = Histories(store.of(f"writer {at % writers}"), {SUBJECT.profile: limit})
        histories.want([SUBJECT])
        histories.learn(SUBJECT, value, day)
    histories.flush()
    read_again = Histories(store, {SUBJECT.profile: limit})
    for each in (histories, read_again):
        each.want([SUBJECT])
        assert each.view(SUBJECT, D, LONG_AGO, TERMS) == seen(learned(observations, limit), limit)


# --- The detection ----------------------------------------------------------------------------------------------------


def test_a_finding_is_judged_by_the_host_of_its_resource() -> None:
    """Benign silences it for that host; malicious keeps it coming, however often it was seen."""
    scenario = next(s for s in load("process_rare_cloud_resource") if s.name.startswith("base,"))
    today = max(scenario.events, key=lambda event: event.time)
    repeats = [dataclasses.replace(today, time=today.time + day * 86_400, event_id=f"+{day}") for day in range(8)]

    def raised(verdict: str) -> int:
        pipeline = scenario.pipeline(RARE)
        pipeline.search(scenario.events)
        (finding,) = [f for f in pipeline.found() if f["first_time"] == today.time]
        (target,) = targets_of(RARE, finding)
        assert target == (("resource_host", "drop.s3.amazonaws.com"), "ws1")
        if verdict:
            document = {"profile": target.subject.profile, "entity": target.subject.entity, "value": target.value}
            pipeline.verdicts.save([{**document, "verdict": verdict, "finding_id": finding["finding_id"]}])
        pipeline.search(repeats[1:])
        return len([f for f in pipeline.found() if f["first_time"] > today.time])

    assert (raised(""), raised(BENIGN), raised(MALICIOUS)) == (1, 0, 7)


def test_training_ends_where_it_is_said_to() -> None:
    """The first and the last day of the training period count, those beside them do not."""
    edges = {D - 31: 0, D - 30: 1, D - 1: 1, D: 0}
    assert {day: seen(learned([("A", day)], 2), 2).choices for day in edges} == edges
    assert seen(learned([("A", D - RETENTION_DAYS)], 2), 2).active_days == 1
