"""The promise of DESIGN §3, for every detection: the same logs give the same findings, however they are delivered and
searched.

What happens is made of each detection's scenario file (`tests.support.variety`), so a new detection is held to it too.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.terms import SECONDS_PER_DAY
from tests.scenarios.scenario import load_all
from tests.support.pipeline import OVERLAP, Delivery, Pipeline, Seen, replay
from tests.support.plain import Watched, deduplicated, raised
from tests.support.variety import Variety, varieties

HOUR = 3600
CADENCES = st.sampled_from([900, 1800, HOUR, 6 * HOUR, SECONDS_PER_DAY])
CHUNK = 20

every_detection = pytest.mark.parametrize("detection_id", load())
some = settings(max_examples=30, deadline=None)


@functools.lru_cache
def settings_of(detection_id: str) -> list[Variety]:
    return varieties(get(detection_id), load_all())


@st.composite
def happenings(draw: st.DrawFn, detection_id: str) -> tuple[Variety, list[Seen]]:
    """A past and what comes after it."""
    variety = draw(st.sampled_from(settings_of(detection_id)))
    return variety, draw(variety.lists)


def reference(variety: Variety, events: list[Seen]) -> list[dict[str, Any]]:
    """Everything in one search, in order of time."""
    pipeline = Pipeline(variety.detection)
    pipeline.search(sorted([*variety.past, *events], key=lambda seen: seen.time))
    return pipeline.found()


@every_detection
def test_any_cadence(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), CADENCES)
    def holds(happening: tuple[Variety, list[Seen]], cadence: int) -> None:
        variety, events = happening
        deliveries = [Delivery(seen, seen.time + 1) for seen in [*variety.past, *events]]
        assert replay(variety.detection, deliveries, cadence, variety.since).found() == reference(variety, events)

    holds()


@every_detection
def test_any_order_within_the_overlap_and_twice(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), CADENCES, st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], cadence: int, random: Any) -> None:
        variety, events = happening
        deliveries = [Delivery(seen, seen.time + random.randint(1, OVERLAP)) for seen in [*variety.past, *events]]
        again = [seen for seen in events if random.random() < 0.3]
        deliveries += [Delivery(seen, seen.time + random.randint(1, OVERLAP)) for seen in again]
        random.shuffle(deliveries)
        assert replay(variety.detection, deliveries, cadence, variety.since).found() == reference(variety, events)

    holds()


@every_detection
def test_any_chunks_and_any_order_within_a_day(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), st.integers(1, 4), st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], chunk: int, random: Any) -> None:
        variety, events = happening
        shuffled = [*variety.past, *events]
        random.shuffle(shuffled)
        pipeline = Pipeline(variety.detection)
        pipeline.search(shuffled, chunk=chunk)
        assert pipeline.found() == reference(variety, events)

    holds()


@every_detection
def test_searching_everything_again_changes_nothing(detection_id: str) -> None:
    @some
    @given(happenings(detection_id))
    def holds(happening: tuple[Variety, list[Seen]]) -> None:
        variety, events = happening
        pipeline = Pipeline(variety.detection)
        everything = [*variety.past, *events]
        pipeline.search(everything, now=1)
        findings, histories = dict(pipeline.findings.documents), dict(pipeline.histories.documents)
        signals = dict(pipeline.signals.signals)
        pipeline.search(everything, now=2)
        assert pipeline.findings.documents == findings
        assert pipeline.histories.documents == histories
        assert pipeline.signals.signals == signals

    holds()


@every_detection
def test_what_is_raised_and_counted_is_what_the_rules_say(detection_id: str) -> None:
    @some
    @given(happenings(detection_id))
    def holds(happening: tuple[Variety, list[Seen]]) -> None:
        variety, events = happening
        pipeline = Watched(variety.detection)
        pipeline.search([*variety.past, *events])
        assert raised(pipeline) == deduplicated(variety.detection, pipeline.matches)

    holds()


class Killed(Exception):
    """The process is gone."""


@contextlib.contextmanager
def dying(pipeline: Pipeline, survived: int) -> Iterator[Callable[[], int]]:
    """Its stores take `survived` writes and raise Killed on the next; gives the number of writes so far."""
    written = 0

    def mortal(write: Callable[..., None]) -> Callable[..., None]:
        def writing(*arguments: Any) -> None:
            nonlocal written
            if written == survived:
                raise Killed
            written += 1
            write(*arguments)

        return writing

    patched = [
        (store, name) for store in vars(pipeline).values() for name in ("save", "delete") if hasattr(store, name)
    ]
    for store, name in patched:
        setattr(store, name, mortal(getattr(store, name)))
    try:
        yield lambda: written
    finally:
        for store, name in patched:
            delattr(store, name)


@every_detection
def test_killed_at_any_write_and_run_again(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), st.floats(0, 1, exclude_max=True))
    def holds(happening: tuple[Variety, list[Seen]], point: float) -> None:
        variety, events = happening
        everything = [*variety.past, *events]
        undisturbed, killed = Pipeline(variety.detection), Pipeline(variety.detection)
        with dying(undisturbed, survived=-1) as writes:
            undisturbed.search(everything, chunk=CHUNK)
        with dying(killed, survived=int(point * writes())), pytest.raises(Killed):
            killed.search(everything, chunk=CHUNK)
        killed.search(everything, chunk=CHUNK)
        assert killed.found() == undisturbed.found() == reference(variety, events)

    holds()


def variety_of(detection_id: str, name: str) -> Variety:
    return next(variety for variety in settings_of(detection_id) if variety.name.startswith(name))


def test_a_day_is_not_judged_before_the_day_before_is_complete() -> None:
    """The second sighting of RU is late: judged at once, the third would be raised though RU is established by then."""
    variety = variety_of("cloud_unusual_country", "variation 2, a cloud identity")
    (fields,) = variety.own
    early, late, judged = (
        Seen(variety.since + day * SECONDS_PER_DAY + second, f"{day}", fields)
        for day, second in ((0, 40_000), (1, 84_600), (2, 600))
    )
    deliveries = [Delivery(seen, seen.time + 60) for seen in [*variety.past, early, judged]]
    deliveries.append(Delivery(late, late.time + 5_400))
    found = replay(variety.detection, deliveries, 900, variety.since).found()
    assert found == reference(variety, [early, late, judged])
    assert [f["first_time"] for f in found if f["first_time"] >= variety.since] == [early.time, late.time]


def test_a_retry_may_come_before_the_first_try() -> None:
    """A function is counted once, and the finding reaches from the first try to the last, whichever is seen first."""
    variety = variety_of("cloud_function_unusual_runtime", "base")
    (fields,) = variety.own
    start = variety.since + 36_000
    tried, retried = Seen(start, "tried", fields), Seen(start + 60, "retried", fields)
    deliveries = [
        *(Delivery(seen, seen.time + 60) for seen in [*variety.past, retried]),
        Delivery(tried, start + 3_600),
    ]
    found = replay(variety.detection, deliveries, 900, variety.since).found()
    assert found == reference(variety, [tried, retried])
    last = found[-1]
    assert (last["first_time"], last["last_time"], last["count"]) == (start, start + 60, 1)
