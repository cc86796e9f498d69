"""What `cbahealth` says of a detection that has learned nothing yet, or only something."""

from __future__ import annotations

import pytest

from cba.detection.catalogue import get
from cba.findings.breaker import BreakerState
from cba.health import ACTIVE, LEARNING, Census, IpData, rows, take_census
from cba.history.baseline import SourceStatus, Subject
from cba.history.days import DaySet
from cba.history.history import History

DAY = 20_500
NOW = (DAY + 1) * 86_400 - 1


def state(detection_id: str, *known: tuple[str, str]) -> tuple[object, object]:
    """State and reason, with 30 days of (profile, value) learned and the source active."""
    detection = get(detection_id)
    days = DaySet(DAY - 30, DAY - 1, (1 << 30) - 1)
    histories = [(Subject(profile, "organization"), History({value: days}), 100) for profile, value in known]
    census: Census = take_census(detection, histories, DAY, DAY - 16)
    statuses = {source: SourceStatus(days) for source in detection.sources}
    row = next(rows(detection, statuses, census, BreakerState(), IpData("", 0, ""), NOW))
    return row["state"], row["reason"]


@pytest.mark.parametrize(
    ("detection_id", "known", "expected"),
    [
        ("cloud_unusual_country", [], LEARNING),
        ("cloud_unusual_country", [("organization_country", "NL")], ACTIVE),
        # One of the dimensions that may be absent is enough.
        ("compute_identity_outside_region", [("compute_organization_region", "eu-west-1")], ACTIVE),
        ("compute_identity_outside_region", [], LEARNING),
        # What nobody has a history of is new.
        ("serverless_execution_iaas", [], ACTIVE),
    ],
)
def test_learning_is_what_keeps_a_detection_silent(
    detection_id: str, known: list[tuple[str, str]], expected: str
) -> None:
    found, reason = state(detection_id, *known)
    assert found == expected
    assert bool(reason) is (expected == LEARNING)
