"""The score orders findings: a value new to everybody before one new to the project before one new to the identity."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cba.history.evidence import ScopeEvidence
from cba.scoring.surprise import anomaly_score, surprise


def scope(weight: float, total: float, choices: int = 5, arrivals: float = 0.0) -> ScopeEvidence:
    return ScopeEvidence(
        "x", True, weight == 0, 1, 0, None, None, 20, 20_000, ("NL",), weight, total, choices, arrivals
    )


WEIGHTS = st.floats(0.1, 12)
TOTALS = st.floats(13, 200)


@given(WEIGHTS, TOTALS, TOTALS, TOTALS)
def test_the_wider_the_novelty_the_greater_the_surprise(
    seen: float, own: float, project: float, everybody: float
) -> None:
    known = surprise([scope(seen, own), scope(seen, project), scope(seen, everybody)])
    new_to_identity = surprise([scope(0, own), scope(seen, project), scope(seen, everybody)])
    new_to_project = surprise([scope(0, own), scope(0, project), scope(seen, everybody)])
    new_to_all = surprise([scope(0, own), scope(0, project), scope(0, everybody)])
    assert known < new_to_identity < new_to_project < new_to_all


@given(TOTALS, st.floats(0, 3))
def test_a_restless_identity_is_less_surprising(total: float, arrivals: float) -> None:
    calm = anomaly_score([scope(0, total), scope(0, total), scope(0, total)])
    restless = anomaly_score([scope(0, total, arrivals=arrivals), scope(0, total), scope(0, total)])
    assert 0 <= restless <= calm <= 100


@given(WEIGHTS, st.floats(0, 1))
def test_days_long_past_count_less(weight: float, faded: float) -> None:
    fresh = surprise([scope(weight, 20), scope(0, 20), scope(0, 20)])
    stale = surprise([scope(weight * faded, 20), scope(0, 20), scope(0, 20)])
    assert stale >= fresh


def test_somebody_without_a_past_takes_the_project_as_prior() -> None:
    newcomer, usual_there = scope(0, 0, 0), scope(10, 12)
    assert surprise([newcomer, usual_there, usual_there]) < 1
    assert surprise([newcomer, scope(0, 12), scope(0, 100)]) > 8


def test_no_evidence_no_surprise() -> None:
    assert surprise([]) == 0.0
    assert anomaly_score([]) == 0
