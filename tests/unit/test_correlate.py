"""Chains: which signals belong together, at which moments more is known, and that arrival does not matter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.correlate.chains import MOST_OF_A_KIND, SHOWN, Signal, moments
from cba.correlate.correlator import MOST_A_DAY, Correlator
from cba.detection.catalogue import Catalogue, from_documents
from cba.errors import DetectionErrors
from cba.judging import judge
from cba.terms import SECONDS_PER_DAY
from tests.support.effort import examples
from tests.support.memory import MemorySignals
from tests.support.pipeline import Delivery, Pipeline, Seen, indexed, replay

HOUR = 3600
FIRST_DAY = 20_500

DOCUMENT: dict[str, Any] = {
    "id": "chained_test",
    "name": "A function was deployed by somebody new",
    "severity": "low",
    "description": "d",
    "attackers_goals": "g",
    "investigative_actions": ["a"],
    "false_positives": ["f"],
    "attack": {"tactics": ["TA0002"], "techniques": ["T1648"]},
    "sources": ["aws"],
    "periods": {"activation": "14d", "training": "30d", "deduplication": "5d"},
    "trained_days": 1,
    "deduplicate_by": ["identity", "function"],
    "candidates": "present(kind)",
    "keeps": ["signal_what"],
    "population": "test",
    "untrained": "new",
    "optional": ["deployment"],
    "signals": {
        "A": {"name": "deployment", "when": "present(deployment)"},
        "B": {"name": "privilege", "when": 'kind == "privilege"'},
        "C": {"name": "use", "when": 'kind == "use"'},
        "other": {"name": "other's use", "when": 'kind == "other"', "apart": "identity"},
        "burst": {"name": "burst", "when": 'kind == "call"', "repeated": {"times": 4, "seconds": 600}},
    },
    "joined_by": ["chain_function", "chain_role"],
    "remarks": ["$chain_timeline$"],
    "when": "chained(A) and (chained(B) or chained(C) or chained(other) or chained(burst)"
            " or days(identity, deployment) == 0)",
    "variations": [
        {"id": "v1", "name": "and privileged", "severity": "medium", "kind": "escalation", "when": "chained(B)"},
        {"id": "v2", "name": "and used", "severity": "medium", "kind": "escalation",
         "when": "chained(C) or chained(burst)"},
        {"id": "v4", "name": "and used by others", "severity": "medium", "kind": "escalation", "when": "chained(other)"},
        {"id": "v3", "name": "and both", "severity": "high", "kind": "escalation", "when": "chained(B) and chained(C)"},
    ],
}  # fmt: skip
SCOPES = ("identity", "project", "organization")
PROFILES = {
    "test": {"about": "Everybody.", "rows": "plain", "profiles": {scope: ["deployment"] for scope in SCOPES}},
}  # fmt: skip
FIELDS = ["project", "identity", "function", "signal_what", "chain_function", "chain_role", "kind", "deployment"]
SHAPES = {"aws": {"row_fields": [*FIELDS, "skip_reason"], "list_fields": [], "listed": [], "geo": True}}


def read(document: Any) -> Catalogue:
    return from_documents("test", PROFILES, SHAPES, [document])


CONTENT = read(DOCUMENT)
DETECTION = CONTENT.detections["chained_test"]


def event(day: int, second: int, kind: str, who: str = "eve", function: str = "f", role: str = "r") -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + second
    fields = {"source_kind": "aws", "project": "p", "identity": who, "kind": kind, "signal_what": kind}
    if kind == "deploy":
        fields.update(deployment="write", function=function)
    if kind in ("deploy", "use", "other", "call"):
        fields["chain_function"] = function
    if kind in ("deploy", "privilege"):
        fields["chain_role"] = role
    return Seen(time, f"{time}{who}{kind}{function}{role}", fields)


# A pipeline deploys every other day; everybody else has never done so.
PAST = [event(day, 12 * HOUR, "deploy", "pipeline", "shop", "shop-role") for day in range(0, 21, 2)]


def fresh() -> Pipeline:
    return Pipeline(DETECTION, content=CONTENT)


def found(events: list[Seen]) -> list[tuple[str, str, int]]:
    pipeline = fresh()
    pipeline.search([*PAST, *events])
    return [(f["variation"], f["severity"], f["count"]) for f in pipeline.found()]


def test_deployment_then_privilege_then_use() -> None:
    events = [event(22, 36_000, "deploy"), event(22, 36_100, "privilege"), event(22, 40_000, "use")]
    assert found(events) == [("base", "low", 1), ("v1", "medium", 1), ("v3", "high", 1)]


def test_signals_before_the_deployment_count_from_its_moment_on() -> None:
    events = [event(22, 36_000, "privilege"), event(22, 36_100, "use"), event(22, 36_200, "deploy")]
    assert found(events) == [("v3", "high", 1)]


def test_a_known_deployer_alone_is_silent_and_not_in_a_chain() -> None:
    deploy = event(22, 36_000, "deploy", "pipeline")
    assert found([deploy]) == []
    assert found([deploy, event(22, 36_100, "privilege", "pipeline")]) == [("v1", "medium", 1)]


@pytest.mark.parametrize(("apart", "chained"), [(24 * HOUR, True), (24 * HOUR + 1, False)])
def test_the_time_window_holds_to_the_second(apart: int, chained: bool) -> None:
    deploy, use = event(22, 1000, "deploy", "pipeline"), event(22, 1000 + apart, "use")
    assert bool(found([deploy, use])) is chained
    before = event(22, 1000, "use")
    assert bool(found([before, event(22, 1000 + apart, "deploy", "pipeline")])) is chained


def test_signals_of_other_functions_and_roles_do_not_join() -> None:
    others = [event(22, 36_100, "privilege", role="s"), event(22, 36_200, "use", function="g")]
    assert found([event(22, 36_000, "deploy", "pipeline"), *others]) == []


@pytest.mark.parametrize(("seconds", "chained"), [((0, 1, 2), False), ((0, 1, 2, 599), True), ((0, 1, 2, 600), False)])
def test_a_burst_needs_so_many_events_within_its_seconds(seconds: tuple[int, ...], chained: bool) -> None:
    calls = [event(22, 36_800 + second, "call") for second in seconds]  # across the end of a quarter of an hour
    assert found([event(22, 36_000, "deploy", "pipeline"), *calls]) == ([("v2", "medium", 1)] if chained else [])


@pytest.mark.parametrize(("who", "chained"), [("mallory", True), ("pipeline", False)])
def test_a_step_that_must_be_somebody_elses(who: str, chained: bool) -> None:
    deploy, use = event(22, 36_000, "deploy", "pipeline"), event(22, 36_100, "other", who)
    assert found([deploy, use]) == ([("v4", "medium", 1)] if chained else [])


@pytest.mark.parametrize("calls", [3, 4])
def test_the_timeline_leaves_out_what_never_counts(calls: int) -> None:
    pipeline = fresh()
    burst = [event(22, 36_100 + second, "call") for second in range(calls)]
    pipeline.search([*PAST, event(22, 36_000, "deploy"), *burst])
    *_, last = pipeline.found()
    assert ("burst: call by eve (4 times)" in last["explanation"]) is (calls == 4)
    assert ("burst" in last["explanation"]) is (calls == 4)


def test_the_timeline_tells_the_whole_chain() -> None:
    pipeline = fresh()
    pipeline.search([*PAST, event(22, 36_000, "deploy"), event(22, 36_100, "privilege", "mallory")])
    *_, last = pipeline.found()
    assert last["explanation"].startswith(
        "2026-03-10T10:00:00Z deployment: deploy by eve; 2026-03-10T10:01:40Z privilege: privilege by mallory"
    )
    assert last["identity"] == "eve", "the finding is about who deployed"


LATER = st.builds(
    event,
    day=st.integers(21, 24),
    second=st.one_of(st.sampled_from([0, 600, 5_000, 80_000, 84_600, 86_399]), st.integers(0, 86_399)),
    kind=st.sampled_from(["deploy", "deploy", "privilege", "use", "call", "call"]),
    who=st.sampled_from(["eve", "pipeline"]),
    function=st.sampled_from(["f", "f", "g"]),
    role=st.sampled_from(["r", "r", "s"]),
)
DAYS = st.lists(LATER, max_size=12, unique_by=lambda seen: seen.event_id)
SINCE = (FIRST_DAY + 21) * SECONDS_PER_DAY


def reference(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    pipeline = fresh()
    pipeline.search(indexed(deliveries))
    return pipeline.found()


@examples(60)
@given(DAYS, st.sampled_from([900, HOUR, 6 * HOUR, SECONDS_PER_DAY]), st.randoms(use_true_random=False))
def test_any_cadence_and_any_order_within_a_day(events: list[Seen], cadence: int, random: Any) -> None:
    days = [(seen, seen.time // SECONDS_PER_DAY * SECONDS_PER_DAY) for seen in [*PAST, *events]]
    deliveries = [Delivery(seen, start + random.randrange(SECONDS_PER_DAY)) for seen, start in days]
    assert replay(fresh(), deliveries, cadence, SINCE).found() == reference(deliveries)


@examples(40)
@given(DAYS, st.integers(1, 4))
def test_any_batches_and_again(events: list[Seen], batch: int) -> None:
    deliveries = [Delivery(seen, seen.time) for seen in [*PAST, *events]]
    pipeline = fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "BATCH", batch)
        pipeline.search(indexed(deliveries))
    assert pipeline.found() == reference(deliveries)
    pipeline.search(indexed(deliveries), now=2)
    assert pipeline.found() == reference(deliveries)


def test_a_chain_is_found_by_what_its_opener_shares_with_others() -> None:
    """The use names the function, the privilege the role: only the deployment knows both."""
    store = MemorySignals()
    correlator = Correlator(DETECTION, store, 24 * HOUR)

    def signal(key: str, kind: str, time: int, **joins: str) -> Signal:
        return Signal(key, (kind,), 0, (time,), 1, joins, {"identity": "eve"}, "eve of f" if kind == "A" else "")

    assert correlator.correlate([signal("b", "B", 10, chain_role="r")]) == []
    assert correlator.correlate([signal("c", "C", 30, chain_function="f")]) == []
    found = correlator.correlate([signal("a", "A", 20, chain_role="r", chain_function="f")])
    assert [(moment.second, moment.kinds) for moment in found] == [(20, ("A", "B")), (30, ("A", "B", "C"))]
    later = Correlator(DETECTION, store, 24 * HOUR).correlate([signal("d", "C", 40, chain_function="f")])
    assert [moment.second for moment in later] == [20, 30, 40], "all moments of a subject come together"


def test_all_chains_of_a_subject_come_together() -> None:
    """Also those that share nothing but the subject: whoever records them replaces what was known of it."""
    store = MemorySignals()
    for key, role in (("a", "r"), ("z", "s")):
        found = Correlator(DETECTION, store, 24 * HOUR).correlate(
            [Signal(key, ("A",), 0, (5,), 1, {"chain_role": role}, {}, "eve of f")]
        )
    assert [moment.opener.key for moment in found] == ["a", "z"]


def test_a_second_deployment_opens_a_chain_of_its_own() -> None:
    first, second = (Signal(k, ("A",), 0, (t,), 1, {"chain_role": "r"}, {}, "eve") for k, t in (("a", 5), ("z", 9)))
    assert [moment.second for moment in moments(DETECTION, first, [first, second], 60)] == [5]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"joined_by": []}, "signals and joined_by go together"),
        ({"when": "chained(D)"}, "asks for a signal that the detection does not have"),
        ({"signals": {"A": {"name": "x"}}}, "needs name and when"),
        (
            {"signals": {"A": {"name": "x", "when": "present(a)", "repeated": {"times": "4", "seconds": 9}}}},
            "a whole number of at least",
        ),
    ],
)
def test_a_faulty_chain_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(DetectionErrors) as caught:
        read({**DOCUMENT, **change})
    assert problem in str(caught.value)


# ---- Without measure -------------------------------------------------------------------------------------------------


def test_a_role_that_reads_a_thousand_names_costs_no_thousand_moments_and_hides_no_other_kind() -> None:
    """The privilege comes behind a flood of uses, and is told all the same."""
    uses = [event(22, 36_100 + 20 * at, "use", who=f"reader-{at}") for at in range(1_000)]
    events = [event(22, 36_000, "deploy"), *uses, event(22, 70_000, "privilege")]
    pipeline = fresh()
    pipeline.search([*PAST, *events])
    first, second, third = pipeline.found()
    assert [each["variation"] for each in (first, second, third)] == ["base", "v2", "v3"]
    assert second["count"] == MOST_OF_A_KIND
    assert third["chain_timeline"].endswith(f"; and {MOST_A_DAY + 2 - SHOWN} more"), "of those that were kept"
    assert len(json.loads(third["chain_steps"])) == MOST_OF_A_KIND + 2
    assert len(pipeline.signals.signals) <= MOST_A_DAY + len(PAST) + 2


def test_what_is_left_out_is_said() -> None:
    pipeline = fresh()
    judge = pipeline.judge("aws")
    uses = [event(22, 36_100 + 20 * at, "use", who=f"reader-{at}") for at in range(MOST_A_DAY + 50)]
    judge.take(row for _source, row in pipeline.reduce([*PAST, event(22, 36_000, "deploy"), *uses]))
    assert "chained_test: 50 signals more than 200 of a kind on one day belong to no chain" in judge.sentences()
