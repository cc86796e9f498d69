"""The score orders findings: a value new to everybody before one new to the project before one new to the identity; what
nobody has ever done before what is done; what is new where nothing is before what is new where everything is; and of
things alike the more severe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.history.evidence import ScopeEvidence
from cba.scoring.surprise import anomaly_score, come_far, moved_score, surprise, surprising
from cba.terms import SEVERITIES


def scope(weight: float, total: float, choices: int = 5, arrivals: float = 0.0) -> ScopeEvidence:
    return ScopeEvidence(
        "x", True, weight == 0, 1, 0, None, None, 20, 20_000, ("NL",), weight, total, choices, arrivals
    )


WEIGHTS = st.floats(0.1, 12)
TOTALS = st.floats(13, 200)
SEVERE = st.sampled_from(SEVERITIES)
SHARES = st.floats(0, 1)


@given(WEIGHTS, TOTALS, TOTALS, TOTALS)
def test_the_wider_the_novelty_the_greater_the_surprise(
    seen: float, own: float, project: float, everybody: float
) -> None:
    known = surprise([scope(seen, own), scope(seen, project), scope(seen, everybody)])
    new_to_identity = surprise([scope(0, own), scope(seen, project), scope(seen, everybody)])
    new_to_project = surprise([scope(0, own), scope(0, project), scope(seen, everybody)])
    new_to_all = surprise([scope(0, own), scope(0, project), scope(0, everybody)])
    assert known < new_to_identity < new_to_project < new_to_all


@given(TOTALS, st.floats(0, 3), st.integers(0, 2))
def test_what_is_new_to_the_restless_is_less_surprising(total: float, arrivals: float, who: int) -> None:
    calm = [scope(0, total), scope(0, total), scope(0, total)]
    restless = [*calm[:who], scope(0, total, arrivals=arrivals), *calm[who + 1 :]]
    assert 0 <= surprising(restless) <= surprising(calm) <= 1


@given(TOTALS, st.floats(0, 3))
def test_an_organization_to_which_the_value_is_not_new_may_be_as_restless_as_it_likes(
    total: float, arrivals: float
) -> None:
    known = surprising([scope(0, total), scope(3, total), scope(3, total)])
    assert surprising([scope(0, total), scope(3, total), scope(3, total, arrivals=arrivals)]) == known


@given(WEIGHTS, st.floats(0, 1))
def test_days_long_past_count_less(weight: float, faded: float) -> None:
    fresh = surprise([scope(weight, 20), scope(0, 20), scope(0, 20)])
    stale = surprise([scope(weight * faded, 20), scope(0, 20), scope(0, 20)])
    assert stale >= fresh


def test_somebody_without_a_past_takes_the_project_as_prior() -> None:
    newcomer, usual_there = scope(0, 0, 0), scope(10, 12)
    assert surprise([newcomer, usual_there, usual_there]) < 1
    assert surprise([newcomer, scope(0, 12), scope(0, 100)]) > 8


def test_what_nobody_has_ever_done_is_surprising_and_the_more_so_the_more_could_have() -> None:
    nobody = scope(0, 0, 0)
    assert 3 < surprise([nobody]) < surprise([nobody, nobody]) < surprise([nobody, nobody, nobody])


def test_no_evidence_no_surprise() -> None:
    assert surprise([]) == 0.0
    assert surprising([]) == 0.0


@given(SEVERE, SEVERE, SHARES)
def test_the_more_severe_of_things_alike_comes_first(one: str, other: str, surprised: float) -> None:
    first, second = (anomaly_score(severity, surprised) for severity in (one, other))
    assert 0 <= first <= 100
    assert (first > second) == (SEVERITIES.index(one) > SEVERITIES.index(other))
    assert moved_score(first, one, other) == second


@given(SEVERE, SHARES, SHARES)
def test_the_more_surprising_of_a_severity_comes_first(severity: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert anomaly_score(severity, less) <= anomaly_score(severity, more)


def test_the_ends_of_the_score() -> None:
    assert (anomaly_score("informational", 0.0), anomaly_score("critical", 1.0)) == (0, 100)
    assert anomaly_score("low", 1.0) > anomaly_score("high", 0.3), "what nobody has heard of may outrank a severity"


def test_a_chain_of_three_signals_is_whole() -> None:
    assert [come_far(kinds) for kinds in (0, 1, 3, 4)] == pytest.approx([0, 1 / 3, 1, 1])
