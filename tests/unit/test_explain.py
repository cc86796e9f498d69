"""Explanations are made from what decided: what is new first, then what the row says of itself, then what is known."""

from __future__ import annotations

import re

import pytest

from cba.detection.catalogue import load
from cba.scoring.names import named
from tests.scenarios.scenario import Scenario, load_all
from tests.support.plain import Watched

DETECTIONS = load().detections
RAISING = [scenario for scenario in load_all() if scenario.raises]
NEW = re.compile(r"first time in|no history yet|on only|too young|^Resource ")
"""A resource is told by whom it was used: by others than the host."""


def explanations(detection: str, name: str) -> list[str]:
    scenario = next(s for s in RAISING if s.detection == detection and s.name == name)
    pipeline = scenario.pipeline(DETECTIONS[detection])
    pipeline.search(scenario.events)
    return [f["explanation"] for f in pipeline.found() if f["first_time"] >= scenario.today * 86_400]


def test_what_is_new_comes_first_and_what_is_known_last() -> None:
    name = "variation 3, a country new to the role through an AS it knows"
    (said,) = explanations("compute_identity_outside_region", name)
    assert re.findall(r"(?:^|(?<=\. ))(Country|Home region|Region|Network)", said) == [
        "Country",
        "Home region",
        "Region",
        "Network",
    ]


def test_why_a_list_made_it_more_severe() -> None:
    (said,) = explanations("cloud_unusual_country", "variation 6, an identity on the watch list")
    assert said.startswith("Country Germany: first time in 30 days for identity ")
    assert said.endswith(". On the watch list: leaves at the end of the month.")


def test_what_decided_although_nobody_is_compared_in_it() -> None:
    """A known deployer is why the alert is no more than Informational."""
    name = "variation 1, the same by an identity that deploys functions every week"
    (said,) = explanations("cloud_function_unusual_runtime", name)
    assert said.endswith(" Identity arn:aws:iam::111111111111:role/deploy: function write on 3 of the 30 days before.")


@pytest.mark.parametrize("scenario", RAISING, ids=lambda scenario: scenario.id)
def test_every_explanation_begins_with_what_is_new_unless_the_row_speaks_for_itself(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    pipeline = scenario.pipeline(detection, Watched)
    pipeline.search(scenario.events)
    for match in pipeline.matches:
        if not detection.signals:
            first = match.details["explanation"].partition(". ")[0]
            assert NEW.search(first), match.details["explanation"]


def test_countries_have_their_names() -> None:
    assert (named("country", "ID"), named("country", "vpn"), named("asn", "ID")) == ("Indonesia", "vpn", "ID")
