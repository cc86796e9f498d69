"""The terms of DESIGN §3 on histories: established, trained, and that a day only ever looks at earlier days."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cba.history.days import KEPT_DAYS
from cba.history.history import BENIGN, MALICIOUS, MOST_CHARACTERS, MOST_VALUES, History, Terms, view

TERMS = Terms()
D = 20_500
LONG_AGO = 0

OBSERVATIONS = st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(D - 120, D + 5)), max_size=60)


def learned(observations: list[tuple[str, int]]) -> History:
    history = History()
    for value, day in observations:
        history.learn(value, day)
    return history


def established(*days: int, activation: int = LONG_AGO, verdicts: dict[str, str] | None = None) -> bool:
    history = learned([("RU", D - ago) for ago in days])
    return "RU" in view(history, D, activation, TERMS, verdicts or {}).established


def test_a_value_of_two_days_is_established_however_recent() -> None:
    assert established(2, 1)
    assert not established(1)


def test_a_value_of_one_day_is_established_after_a_week() -> None:
    assert established(7)
    assert not established(6)


def test_days_older_than_the_training_period_do_not_count() -> None:
    assert established(30)
    assert not established(31)
    assert not established(40, 35)
    assert established(80, 3), "first seen long ago, and once within the training period"


def test_what_was_seen_before_the_source_was_active_needs_no_second_sighting() -> None:
    assert established(3, activation=D - 2)
    assert not established(3, activation=D - 3)


def test_the_day_itself_never_counts() -> None:
    assert not established(0)
    assert not established(1, 0)


def test_a_verdict_overrides_the_days() -> None:
    assert not established(20, 10, 5, verdicts={"RU": MALICIOUS})
    assert established(1, verdicts={"RU": BENIGN})
    assert established(verdicts={"RU": BENIGN}), "benign at once, even unseen"


def test_trained_needs_age_active_days_and_something_established() -> None:
    assert view(learned([("NL", D - ago) for ago in (14, 4, 3, 2, 1)]), D, LONG_AGO, TERMS, {}).trained
    assert not view(learned([("NL", D - ago) for ago in (13, 4, 3, 2, 1)]), D, LONG_AGO, TERMS, {}).trained
    assert not view(learned([("NL", D - ago) for ago in (14, 3, 2, 1)]), D, LONG_AGO, TERMS, {}).trained
    forgotten = [("NL", D - ago) for ago in (60, 59, 58, 57, 56)]
    assert not view(learned(forgotten), D, LONG_AGO, TERMS, {}).trained, "nothing of the training period is left"


def test_forgetting_is_exact() -> None:
    """A value goes once it counts for none of the days that may be judged again, as of the entity's own last day."""
    history = History()
    for value, day in (("gone", D - KEPT_DAYS - 1), ("kept", D - KEPT_DAYS), ("new", D)):
        history.learn(value, day)
    history.forget()
    assert sorted(history.values) == ["kept", "new"]


@given(OBSERVATIONS)
def test_learning_is_idempotent_and_order_free(observations: list[tuple[str, int]]) -> None:
    assert learned(observations) == learned(observations[::-1]) == learned(observations * 2)


@given(OBSERVATIONS, st.integers(0, 60))
def test_learning_in_pieces_and_merging_is_learning_at_once(observations: list[tuple[str, int]], at: int) -> None:
    one, other = learned(observations[:at]), learned(observations[at:])
    assert one.union(other) == other.union(one) == learned(observations)


@given(OBSERVATIONS)
def test_a_day_looks_the_same_whatever_was_learned_of_it_and_later(observations: list[tuple[str, int]]) -> None:
    past = learned([(value, day) for value, day in observations if day < D])
    assert view(learned(observations), D, LONG_AGO, TERMS, {}) == view(past, D, LONG_AGO, TERMS, {})


def test_invented_values_are_bounded_and_displace_nothing_that_was_seen_often() -> None:
    """An identity that asks for a million paths: what it was known with stays, and what does not fit is new again."""
    history = History()
    for day in range(D - 20, D):
        history.learn("usual", day)
    for at in range(MOST_VALUES + 500):
        history.learn(f"invented {at}", D)
    history.forget()
    assert len(history.values) == MOST_VALUES and "usual" in history.values
    again = History(history.values)
    again.forget()
    assert again == history, "what was kept stays kept"


def test_long_names_are_bounded_too() -> None:
    history = History()
    history.learn("usual", D - 1)
    for at in range(300):
        history.learn(f"{at} {'x' * 8_000}", D)
    history.forget()
    assert "usual" in history.values and sum(map(len, history.values)) <= MOST_CHARACTERS
