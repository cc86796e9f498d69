"""Events that come later than the overlap: judged in event time up to a day late, as the searches look by index time."""

from __future__ import annotations

import pytest

from cba.detection.catalogue import get
from cba.terms import SECONDS_PER_DAY
from tests.support.pipeline import Delivery, Seen, replay

HOUR = 3600
FIRST_DAY = 20_500
DETECTION = get("cloud_unusual_country")


def call(day: int, hour: int, country: str) -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + hour * HOUR
    fields = {"source_kind": "aws", "project": "1", "identity": "ada", "country": country, "src_ip": country}
    return Seen(time, f"{time}{country}", fields)


@pytest.mark.parametrize("late", [1, 3, 10, 23])
@pytest.mark.parametrize("cadence", [900, HOUR])
def test_hours_late_is_not_too_late(late: int, cadence: int) -> None:
    theft = call(21, 12, "RU")
    deliveries = [Delivery(seen, seen.time + 300) for seen in (call(day, 12, "NL") for day in range(22))]
    deliveries.append(Delivery(theft, theft.time + late * HOUR))
    found = replay(DETECTION, deliveries, cadence, (FIRST_DAY + 21) * SECONDS_PER_DAY).found()
    assert [(finding["variation"], finding["first_time"]) for finding in found] == [("2", theft.time)]


@pytest.mark.parametrize("first", ["1", "2"])
def test_of_two_calls_in_one_second_a_finding_shows_the_same_whichever_comes_first(first: str) -> None:
    """The call in project 1 stands for the finding, also when the one in project 2 was searched an hour before."""
    theft = call(21, 12, "RU")
    calls = [theft, Seen(theft.time, f"{theft.event_id} in 2", {**theft.fields, "project": "2"})]
    deliveries = [Delivery(seen, seen.time + 300) for seen in (call(day, 12, "NL") for day in range(22))]
    deliveries += [Delivery(seen, seen.time + (300 if seen.fields["project"] == first else 3900)) for seen in calls]
    (found,) = replay(DETECTION, deliveries, 900, (FIRST_DAY + 21) * SECONDS_PER_DAY).found()
    assert (found["project"], found["count"]) == ("1", 2)
