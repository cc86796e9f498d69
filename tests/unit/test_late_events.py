"""Events that come late, by whatever reckoning: nothing waits for them, and each is judged in event time when it comes."""

from __future__ import annotations

import pytest

from cba.detection.catalogue import get
from cba.terms import SECONDS_PER_DAY
from tests.support.pipeline import Delivery, Pipeline, Seen, replay, runs

HOUR = 3600
FIRST_DAY = 20_500
DETECTION = get("cloud_unusual_country")


def call(day: int, hour: int, country: str) -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + hour * HOUR
    fields = {"source_kind": "aws", "project": "1", "identity": "ada", "country": country, "src_ip": country}
    return Seen(time, f"{time}{country}", fields)


@pytest.mark.parametrize("late", [0, 1, 3, 10, 23, 47, 100])
@pytest.mark.parametrize("cadence", [900, HOUR])
def test_nothing_is_too_late(late: int, cadence: int) -> None:
    theft = call(21, 12, "RU")
    deliveries = [Delivery(seen, seen.time + 300) for seen in (call(day, 12, "NL") for day in range(22))]
    deliveries.append(Delivery(theft, theft.time + late * HOUR))
    found = replay(Pipeline(DETECTION), deliveries, cadence, (FIRST_DAY + 21) * SECONDS_PER_DAY).found()
    assert [(finding["variation"], finding["first_time"]) for finding in found] == [("v2", theft.time)]


@pytest.mark.parametrize("hour", [0, 1, 12, 23])
def test_an_event_is_judged_by_the_run_after_it_at_any_hour(hour: int) -> None:
    theft = call(21, hour, "RU")
    deliveries = [Delivery(seen, seen.time + 1) for seen in (*(call(day, 0, "NL") for day in range(21)), theft)]
    pipeline = Pipeline(DETECTION)
    judged = [now for now in runs(pipeline, deliveries, 900, theft.time - 900) if pipeline.found()]
    assert judged[0] - theft.time <= 2 * 900


@pytest.mark.parametrize("cadence", [900, SECONDS_PER_DAY])
def test_of_two_calls_in_one_second_a_finding_shows_the_same_whichever_comes_first(cadence: int) -> None:
    """Also when the other was searched an hour before."""
    shown = [shown_of_two_calls(first, cadence) for first in ("1", "2")]
    assert shown[0] == shown[1] and shown[0][1] == 2


def shown_of_two_calls(first: str, cadence: int) -> tuple[str, int]:
    """Of a call in project 1 and one in project 2 the one that a finding shows, and how many it counts."""
    theft = call(21, 12, "RU")
    calls = [theft, Seen(theft.time, f"{theft.event_id} in 2", {**theft.fields, "project": "2"})]
    deliveries = [Delivery(seen, seen.time + 300) for seen in (call(day, 12, "NL") for day in range(22))]
    deliveries += [Delivery(seen, seen.time + (300 if seen.fields["project"] == first else 3900)) for seen in calls]
    (found,) = replay(Pipeline(DETECTION), deliveries, cadence, (FIRST_DAY + 21) * SECONDS_PER_DAY).found()
    return found["project"], found["count"]
