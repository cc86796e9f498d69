"""Deduplication of every detection, made from its scenarios: what they raise happens again, to the second."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import json
from typing import Iterator, Sequence

import pytest

from cba.detection.catalogue import load
from cba.detection.model import Detection
from cba.findings.record import Recorder
from cba.findings.windows import Sighting, period_seconds
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Pipeline, Seen
from tests.support.plain import Raised, Watched, deduplicated, raised, rank

DETECTIONS = load().detections
RAISING = [scenario for scenario in load_all() if scenario.raises]


def firsts() -> Iterator[Scenario]:
    """Of every detection and variation the first scenario that raises it."""
    seen = set()
    for scenario in RAISING:
        variations = {(scenario.detection, expected.variation) for expected in scenario.raises}
        if variations - seen:
            seen |= variations
            yield scenario


FIRSTS = list(firsts())


def later(events: Sequence[Seen], seconds: int) -> list[Seen]:
    """The same events again, that much later."""
    return [dataclasses.replace(e, time=e.time + seconds, event_id=f"{e.event_id}+{seconds}") for e in events]


def repeated(scenario: Scenario, detection: Detection) -> tuple[list[Seen], list[list[Seen]]]:
    """The scenario's past, and what happens on its day three times: then, and a second before and at the very end of
    the deduplication period."""
    since, period = scenario.today * SECONDS_PER_DAY, period_seconds(detection)
    past = [event for event in scenario.events if event.time < since]
    today = [event for event in scenario.events if event.time >= since]
    return past, [today, later(today, period - 1), later(today, period)]


def restarted(pipeline: Watched) -> Watched:
    """The same stores, read back by commands that know nothing else."""
    anew = Watched(pipeline.detection)
    kept = {name: value for name, value in vars(pipeline).items() if name != "detection"}
    vars(anew).update(copy.deepcopy(kept))
    return anew


def search(scenario: Scenario, detection: Detection) -> Watched:
    past, times = repeated(scenario, detection)
    pipeline = scenario.pipeline(detection, Watched)
    pipeline.search([*past, *itertools.chain.from_iterable(times)])
    return pipeline


@pytest.mark.parametrize("scenario", FIRSTS, ids=lambda scenario: scenario.id)
def test_repeats_are_raised_and_counted_as_the_rules_say(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    pipeline = search(scenario, detection)
    assert raised(pipeline) == deduplicated(detection, pipeline.matches)


@pytest.mark.parametrize("scenario", FIRSTS, ids=lambda scenario: scenario.id)
def test_across_restarts(scenario: Scenario) -> None:
    """A restart before every event: windows, counts and break-through are in the stores, nowhere else."""
    detection = DETECTIONS[scenario.detection]
    past, times = repeated(scenario, detection)
    pipeline = scenario.pipeline(detection, Watched)
    pipeline.search(past)
    bucket: list[Seen] = []
    for event in sorted(itertools.chain.from_iterable(times), key=lambda event: event.time):
        # A search sees each quarter of an hour whole, so far.
        bucket = [e for e in bucket if e.time // BUCKET_SECONDS == event.time // BUCKET_SECONDS] + [event]
        pipeline = restarted(pipeline)
        pipeline.search(bucket)
    assert pipeline.found() == search(scenario, detection).found()


def comes_again(scenario: Scenario, detection: Detection) -> bool:
    """Whether what raised its first finding is a match again when the period is over."""
    again = scenario.raises[0].first_time + period_seconds(detection)
    return any(again in match.seconds for match in search(scenario, detection).matches)


def to_the_second(scenario: Scenario, detection: Detection) -> bool:
    """Whether the scenario shows the end of the period: what raised its one finding is counted a second before the
    period is over, and raised again when it is."""
    pipeline = search(scenario, detection)
    first, period = scenario.raises[0].first_time, period_seconds(detection)
    key = json.dumps(scenario.raises[0].key(detection), ensure_ascii=False)
    seconds = {s for match in pipeline.matches if match.key == key for s in match.seconds}
    if len(scenario.raises) > 1 or not {first, first + period - 1, first + period} <= seconds:
        return False
    found = [finding for finding in raised(pipeline, since=first) if finding.key == key]
    events = sum(match.events for match in pipeline.matches if match.key == key and match.seconds[0] >= first)
    return (
        [finding.first_time for finding in found] == [first, first + period]
        and found[0].count > 1
        and sum(finding.count for finding in found) == events
    )


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_the_period_ends_to_the_second(detection: Detection) -> None:
    mine = [scenario for scenario in FIRSTS if scenario.detection == detection.id]
    if not any(comes_again(scenario, detection) for scenario in mine):
        pytest.skip("what it raises is a first time, which is over before its period")
    assert any(to_the_second(scenario, detection) for scenario in mine)


@functools.lru_cache
def samples(detection_id: str) -> dict[str, tuple[str, Sighting]]:
    """A match of every variation, from the scenarios: (entity, match)."""
    detection = DETECTIONS[detection_id]
    found: dict[str, tuple[str, Sighting]] = {}
    for scenario in FIRSTS:
        if scenario.detection == detection_id:
            pipeline = scenario.pipeline(detection, Watched)
            pipeline.search(scenario.events)
            for match in pipeline.matches:
                for variation in {match.plain, match.suspected} - found.keys():
                    found[variation] = str(match.details["entity"]), dataclasses.replace(match, plain=variation)
    return found


def pairs() -> Iterator[tuple[Detection, str, str]]:
    for detection in DETECTIONS.values():
        for one, other in itertools.product(detection.all_variations, repeat=2):
            yield detection, one.id, other.id


@pytest.mark.parametrize(("detection", "one", "other"), pairs(), ids=lambda each: getattr(each, "id", each))
def test_only_a_higher_severity_breaks_through(detection: Detection, one: str, other: str) -> None:
    """Any variation after any other, under the same key, at the first and the last second of its period and after."""
    found = samples(detection.id)
    entity, first = found[one]
    start, period = 20_500 * SECONDS_PER_DAY + 36_000, period_seconds(detection)
    soon = start + BUCKET_SECONDS
    pipeline = Pipeline(detection)
    seen: list[tuple[str, Sighting]] = []
    for variation, second in ((one, start), (other, soon), (other, start + period - 1), (other, start + period)):
        bucket = second // BUCKET_SECONDS * BUCKET_SECONDS
        match = dataclasses.replace(
            found[variation][1], key=first.key, part=str(second), counted=str(second), bucket=bucket, indexed=bucket, seconds=(second,), events=1,
            suspected=variation, details={**found[variation][1].details, "entity": entity},
        )  # fmt: skip
        # Searches overlap: each sees again what those before have seen.
        seen.append((entity, match))
        Recorder(detection, pipeline.findings, second).record(seen)
    rose = rank(detection, other) > rank(detection, one)
    assert raised(pipeline) == [
        Raised(start, first.key, one, 1 if rose else 3),
        *([Raised(soon, first.key, other, 2)] if rose else []),
        Raised(start + period, first.key, other, 1),
    ]
