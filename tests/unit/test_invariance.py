"""The promise of DESIGN §3: the same logs give the same findings, however they are delivered and searched."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cba.detection.catalogue import get
from cba.history.days import SECONDS_PER_DAY
from tests.support.pipeline import OVERLAP, Delivery, Pipeline, Seen, replay

DETECTION = get("cloud_unusual_country")
FIRST_DAY = 20_500
HOUR = 3600


def event(day: int, second: int, who: str, country: str, key: str = "") -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + second
    fields = {
        "source_kind": "aws", "project": f"p{who in 'ab'}", "identity": who, "country": country,
        "src_ip": f"ip-{country}{second % 2}", "access_key": f"key-{who}",
    }  # fmt: skip
    if key:
        fields["compromised_reason"] = key
    return Seen(time, f"{time}{who}{country}{key}", fields)


# Three weeks of everybody's usual country make them trained and the source active; then anything may happen.
PAST = [event(day, 12 * HOUR, who, home) for day in range(21) for who, home in zip("abc", ("NL", "DE", "US"))]
# Mostly one person in one country around midnight, where one day is judged while the day before may still come in.
LATER = st.builds(
    event,
    day=st.integers(21, 24),
    second=st.one_of(st.sampled_from([0, 600, 5_000, 80_000, 84_600, 86_399]), st.integers(0, 86_399)),
    who=st.sampled_from("aaaabcd"),
    country=st.sampled_from(["RU", "RU", "RU", "US", "DE", "NL", "-"]),
    key=st.sampled_from(["", "", "", "leaked"]),
)
DAYS = st.lists(LATER, max_size=14, unique_by=lambda seen: seen.event_id)
CADENCES = st.sampled_from([900, 1800, HOUR, 6 * HOUR, SECONDS_PER_DAY])
SINCE = (FIRST_DAY + 21) * SECONDS_PER_DAY


def reference(events: list[Seen]) -> list[dict[str, Any]]:
    """Everything in one search, in order of time."""
    pipeline = Pipeline(DETECTION)
    pipeline.search(sorted([*PAST, *events], key=lambda seen: seen.time))
    return pipeline.found()


@settings(max_examples=60, deadline=None)
@given(DAYS, CADENCES)
def test_any_cadence(events: list[Seen], cadence: int) -> None:
    deliveries = [Delivery(seen, seen.time + 1) for seen in [*PAST, *events]]
    assert replay(DETECTION, deliveries, cadence, SINCE).found() == reference(events)


@settings(max_examples=60, deadline=None)
@given(DAYS, CADENCES, st.randoms(use_true_random=False))
def test_any_order_within_the_overlap_and_twice(events: list[Seen], cadence: int, random: Any) -> None:
    deliveries = [Delivery(seen, seen.time + random.randint(1, OVERLAP)) for seen in [*PAST, *events]]
    again = [seen for seen in events if random.random() < 0.3]
    deliveries += [Delivery(seen, seen.time + random.randint(1, OVERLAP)) for seen in again]
    random.shuffle(deliveries)
    assert replay(DETECTION, deliveries, cadence, SINCE).found() == reference(events)


def test_a_day_is_not_judged_before_the_day_before_is_complete() -> None:
    """The second sighting of RU is late: judged at once, the third would be raised though RU is established by then."""
    early, late, judged = event(21, 40_000, "a", "RU"), event(22, 84_600, "a", "RU"), event(23, 600, "a", "RU")
    deliveries = [Delivery(seen, seen.time + 60) for seen in [*PAST, early, judged]]
    deliveries.append(Delivery(late, late.time + 5_400))
    found = replay(DETECTION, deliveries, 900, SINCE).found()
    assert found == reference([early, late, judged])
    assert [finding["first_time"] for finding in found] == [early.time, late.time]


@settings(max_examples=40, deadline=None)
@given(DAYS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_chunks_and_any_order_within_a_day(events: list[Seen], chunk: int, random: Any) -> None:
    shuffled = [*PAST, *events]
    random.shuffle(shuffled)
    pipeline = Pipeline(DETECTION)
    pipeline.search(shuffled, chunk=chunk)
    assert pipeline.found() == reference(events)


@settings(max_examples=40, deadline=None)
@given(DAYS)
def test_searching_everything_again_changes_nothing(events: list[Seen]) -> None:
    pipeline = Pipeline(DETECTION)
    everything = [*PAST, *events]
    pipeline.search(everything, now=1)
    findings, histories = dict(pipeline.findings.documents), dict(pipeline.histories.documents)
    pipeline.search(everything, now=2)
    assert pipeline.findings.documents == findings
    assert pipeline.histories.documents == histories


class Killed(Exception):
    """The process is gone."""


@settings(max_examples=60, deadline=None)
@given(DAYS, st.integers(0, 12))
def test_killed_at_any_write_and_run_again(events: list[Seen], survived: int) -> None:
    everything = [*PAST, *events]
    pipeline = Pipeline(DETECTION)
    left = survived

    def dying(save: Any) -> Any:
        def write(*arguments: Any) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            save(*arguments)

        return write

    stores = (pipeline.histories, pipeline.statuses, pipeline.findings)
    kept = [store.save for store in stores]
    for store in stores:
        store.save = dying(store.save)  # type: ignore[method-assign]
    with contextlib.suppress(Killed):
        pipeline.search(everything, chunk=20)
    for store, save in zip(stores, kept):
        store.save = save  # type: ignore[method-assign]
    pipeline.search(everything, chunk=20)
    assert pipeline.found() == reference(events)
