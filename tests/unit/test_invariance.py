"""The two promises of the design (ARCHITECTURE.md) for every detection: the same logs give the same findings, however they are
delivered and searched; and what comes late takes nothing away.

What happens is made of each detection's scenario file (`tests.support.variety`), so a new detection is held to it too.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.detection.model import EVENT_ID, Detection
from cba.findings import record
from cba.findings.record import decode_atoms
from cba.history import remembered
from cba.home import finder
from cba.judging import detecting, judge
from cba.terms import SECONDS_PER_DAY, SOURCES
from tests.support.effort import examples
from tests.support.pipeline import Delivery, Finding, Pipeline, Seen, differences, dying, indexed, replay, runs, stored
from tests.support.plain import Watched, deduplicated, raised
from tests.support.variety import Variety, of_detection, of_source

HOUR = 3600
CADENCES = st.sampled_from([900, 1800, HOUR, 6 * HOUR, SECONDS_PER_DAY])

every_detection = pytest.mark.parametrize("detection_id", load().detections)
some = examples(30)


@st.composite
def happenings(draw: st.DrawFn, detection_id: str) -> tuple[Variety, list[Seen]]:
    """A past and what comes after it."""
    variety = draw(st.sampled_from(of_detection(detection_id)))
    return variety, draw(variety.lists)


def at_once(events: Iterable[Seen]) -> list[Delivery]:
    return [Delivery(seen, seen.time + 1) for seen in events]


def any_order(events: Iterable[Seen], random: Any) -> list[Delivery]:
    """Delivered at any time of its day, also before or long after it happened."""
    days = ((seen, seen.time // SECONDS_PER_DAY * SECONDS_PER_DAY) for seen in events)
    return [Delivery(seen, start + random.randrange(SECONDS_PER_DAY)) for seen, start in days]


def reference(variety: Variety, deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Everything in one search, in order of days."""
    pipeline = variety.pipeline()
    pipeline.search(indexed(deliveries))
    return pipeline.found()


# --- The first promise: days in their order ------------------------------------------------------------------------------


@every_detection
def test_any_cadence(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), CADENCES)
    def holds(happening: tuple[Variety, list[Seen]], cadence: int) -> None:
        variety, events = happening
        deliveries = at_once([*variety.past, *events])
        found = replay(variety.pipeline(), deliveries, cadence, variety.since).found()
        assert differences(found, reference(variety, deliveries)) == []

    holds()


@every_detection
def test_any_order_within_a_day(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), CADENCES, st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], cadence: int, random: Any) -> None:
        variety, events = happening
        deliveries = any_order([*variety.past, *events], random)
        random.shuffle(deliveries)
        found = replay(variety.pipeline(), deliveries, cadence, variety.since).found()
        assert differences(found, reference(variety, deliveries)) == []

    holds()


@every_detection
def test_whenever_events_are_indexed_within_their_day(detection_id: str) -> None:
    """Counts are kept per quarter of an hour of index time, so only these may stand in another of a window's findings."""

    def without_index_time(found: Iterable[Finding]) -> list[dict[str, Any]]:
        counted = ("atoms", "count", "suppressed_count", "last_time", "last_suppressed_time")
        return [{name: value for name, value in finding.items() if name not in counted} for finding in found]

    def totals(found: Iterable[Finding]) -> dict[tuple[str, int], int]:
        windows: dict[tuple[str, int], int] = {}
        for finding in found:
            window = finding["key"], finding["opened_day"]
            windows[window] = windows.get(window, 0) + finding["count"]
        return windows

    @some
    @given(happenings(detection_id), st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], random: Any) -> None:
        variety, events = happening
        everything = [*variety.past, *events]
        here, there = reference(variety, at_once(everything)), reference(variety, any_order(everything, random))
        assert differences(without_index_time(here), without_index_time(there)) == []
        if variety.detection.counted_by == EVENT_ID:  # a thing that is tried again may be counted once per quarter
            assert totals(here) == totals(there)

    if not get(detection_id).signals:  # a chain has a moment per row, and rows are of one quarter of index time
        holds()


HELD = st.sampled_from([0, 1, 1_000])


def hold_at_most(patch: pytest.MonkeyPatch, held: int) -> None:
    """How much a judge holds from one batch to the next."""
    patch.setattr(record, "HELD_ENTITIES", held)
    patch.setattr(finder, "HELD_HOMES", held)
    patch.setattr(detecting, "SAID_LIMIT", held)
    patch.setattr(remembered, "HELD_VALUES", held)


@every_detection
def test_any_batches_and_any_order_within_a_day(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), st.integers(1, 4), HELD, st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], batch: int, held: int, random: Any) -> None:
        variety, events = happening
        deliveries = at_once([*variety.past, *events])
        random.shuffle(deliveries)
        pipeline = variety.pipeline(Shuffled)
        pipeline.random = random
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "BATCH", batch)
            hold_at_most(patch, held)
            pipeline.search(indexed(deliveries))
        assert differences(pipeline.found(), reference(variety, deliveries)) == []

    holds()


class Shuffled(Pipeline):
    """Whose rows come in any order within a day."""

    random: Any = None

    def reduce(self, events: Iterable[Seen]) -> list[Any]:
        rows = super().reduce(events)
        self.random.shuffle(rows)
        return sorted(rows, key=lambda each: (each[1].day, each[0]))


@every_detection
def test_searching_everything_again_changes_nothing(detection_id: str) -> None:
    @some
    @given(happenings(detection_id))
    def holds(happening: tuple[Variety, list[Seen]]) -> None:
        variety, events = happening
        pipeline = variety.pipeline()
        deliveries = at_once([*variety.past, *events])
        pipeline.search(indexed(deliveries), now=1)
        before = stored(pipeline)
        pipeline.search(indexed(deliveries), now=2)
        assert stored(pipeline) == before

    holds()


@every_detection
def test_what_is_raised_and_counted_is_what_the_rules_say(detection_id: str) -> None:
    @some
    @given(happenings(detection_id))
    def holds(happening: tuple[Variety, list[Seen]]) -> None:
        variety, events = happening
        pipeline = variety.pipeline(Watched)
        pipeline.search([*variety.past, *events])
        assert raised(pipeline) == deduplicated(variety.detection, pipeline.matches)

    holds()


@every_detection
def test_killed_at_any_write_and_run_again(detection_id: str) -> None:
    @some
    @given(happenings(detection_id), CADENCES, st.floats(0, 1, exclude_max=True), st.integers(1, 30))
    def holds(happening: tuple[Variety, list[Seen]], cadence: int, point: float, batch: int) -> None:
        variety, events = happening
        deliveries = at_once([*variety.past, *events])
        undisturbed, killed = variety.pipeline(), variety.pipeline()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "BATCH", batch)
            with dying(undisturbed.kept, survived=-1) as writes:
                replay(undisturbed, deliveries, cadence, variety.since)
            with dying(killed.kept, survived=int(point * writes())):
                replay(killed, deliveries, cadence, variety.since)
        expected = reference(variety, deliveries)
        assert differences(undisturbed.found(), expected) == []
        assert differences(killed.found(), expected) == []

    holds()


# --- All detections of a source together ---------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_all_detections_of_a_source_at_any_cadence_and_in_any_order(source: str) -> None:
    beside = [detection for detection in load().detections.values() if source in detection.sources]

    @examples(60)
    @given(st.data(), CADENCES, HELD, st.integers(1, 500), st.randoms(use_true_random=False))
    def holds(data: st.DataObject, cadence: int, held: int, batch: int, random: Any) -> None:
        one, other = (data.draw(st.sampled_from(of_source(source))) for _ in range(2))
        past = {(seen.time, tuple(sorted(seen.fields.items()))): seen for seen in (*one.past, *other.past)}
        happened = [*past.values(), *data.draw(one.lists), *data.draw(other.lists)]
        deliveries = any_order([seen for seen in happened if seen.source == source], random)
        pieces, whole = (one.pipeline(beside=beside) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "BATCH", batch)
            hold_at_most(patch, held)
            replay(pieces, deliveries, cadence, one.since)
        whole.search(indexed(deliveries))
        assert differences(pieces.found(), whole.found()) == []

    holds()


# --- The second promise: what comes late takes nothing away ---------------------------------------------------------------


def stands(earlier: Finding, now: Iterable[Finding], detection: Detection) -> bool:
    """Whether what raised a finding is in a finding still, and in one that is as severe at least."""
    moment = earlier["first_time"]
    return any(
        finding["key"] == earlier["key"]
        and finding["severity_id"] >= earlier["severity_id"]
        and finding["first_time"] <= moment <= finding["last_time"]
        for finding in now
    )


@every_detection
def test_what_comes_late_takes_nothing_away(detection_id: str) -> None:
    @examples(60)
    @given(happenings(detection_id), CADENCES, st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], cadence: int, random: Any) -> None:
        variety, events = happening
        deliveries = at_once([*variety.past, *events])
        late = [random.random() < 0.3 for _ in deliveries]
        deliveries = [
            Delivery(each.event, each.delivered + is_late * random.randrange(7 * SECONDS_PER_DAY))
            for each, is_late in zip(deliveries, late)
        ]
        pipeline = variety.pipeline()
        before: list[dict[str, Any]] = []
        for _now in runs(pipeline, deliveries, cadence, variety.since):
            found = pipeline.found()
            assert all(stands(finding, found, variety.detection) for finding in before)
            before = found

    holds()


@every_detection
def test_what_the_order_of_days_without_them_raised_stays(detection_id: str) -> None:
    @examples(60)
    @given(happenings(detection_id), CADENCES, st.randoms(use_true_random=False))
    def holds(happening: tuple[Variety, list[Seen]], cadence: int, random: Any) -> None:
        variety, events = happening
        everything = [*variety.past, *events]
        late = [seen for seen in everything if random.random() < 0.3]
        in_time = at_once(seen for seen in everything if seen not in late)
        end = max(seen.time for seen in everything) + SECONDS_PER_DAY
        deliveries = [*in_time, *(Delivery(seen, end + random.randrange(SECONDS_PER_DAY)) for seen in late)]
        found = replay(variety.pipeline(), deliveries, cadence, variety.since).found() if deliveries else []
        without = reference(variety, in_time) if in_time else []
        assert [finding for finding in without if not stands(finding, found, variety.detection)] == []

    holds()


# --- Single cases ----------------------------------------------------------------------------------------------------------


def variety_of(detection_id: str, name: str) -> Variety:
    return next(variety for variety in of_detection(detection_id) if variety.name.startswith(name))


def test_nothing_waits() -> None:
    """The second sighting of RU is late: the third is judged at once, and raised though RU was established by then."""
    variety = variety_of("cloud_unusual_country", "variation 2, a cloud identity")
    (fields,) = variety.own
    early, late, judged = (
        Seen(variety.since + day * SECONDS_PER_DAY + second, f"{day}", fields)
        for day, second in ((0, 40_000), (1, 84_600), (2, 600))
    )
    deliveries = at_once([*variety.past, early, judged])
    deliveries.append(Delivery(late, late.time + 5_400))
    found = replay(variety.pipeline(), deliveries, 900, variety.since).found()
    assert [f["first_time"] for f in found if f["first_time"] >= variety.since] == [
        early.time, late.time, judged.time
    ]  # fmt: skip


def test_a_retry_may_come_before_the_first_try() -> None:
    """A function is counted once, and the finding reaches from the first try to the last, whichever is seen first."""
    variety = variety_of("cloud_function_unusual_runtime", "base")
    (fields,) = variety.own
    start = variety.since + 36_000
    tried, retried = Seen(start, "tried", fields), Seen(start + 60, "retried", fields)
    deliveries = [*at_once([*variety.past, retried]), Delivery(tried, start + 3_600)]
    *_, last = replay(variety.pipeline(), deliveries, 900, variety.since).found()
    assert (last["first_time"], last["last_time"]) == (start, start + 60)
    assert json.loads(last["atoms"]).keys() == {
        f"{key.bucket}|{key.indexed}|{key.plain}|{key.suspected}" for key in decode_atoms(last["atoms"])
    }


def test_what_begins_earlier_by_a_late_event_makes_suspicious_still() -> None:
    """The finding on US, of a few hours before, turns out to have begun the day before that."""
    variety = variety_of("cloud_unusual_country", "variation 6")
    us, de = variety.own
    began, went_on, judged = (
        Seen(variety.since + hour * 3_600, name, fields)
        for hour, name, fields in ((1, "US, late", us), (22, "US", us), (35, "DE", de))
    )
    deliveries = [*at_once([*variety.past, went_on, judged]), Delivery(began, judged.time + 3_600)]
    found = replay(variety.pipeline(), deliveries, 900, variety.since).found()
    assert [(f["first_time"], f["variation"]) for f in found if f["country"] == "DE"] == [(judged.time, "v6")]
