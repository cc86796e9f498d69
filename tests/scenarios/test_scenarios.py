"""Every scenario through the library: the histories, the choice, the deduplication, in one search and day by day."""

from __future__ import annotations

import json
from typing import Sequence

import pytest

from cba.detection.catalogue import load
from cba.detection.model import Detection
from cba.scoring.surprise import SURPRISE_POINTS, anomaly_score
from cba.terms import SECONDS_PER_DAY
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Delivery, Pipeline, replay

DETECTIONS = load().detections
SCENARIOS = load_all()


def check(scenario: Scenario, detection: Detection, pipeline: Pipeline) -> None:
    found = [f for f in pipeline.found() if f["first_time"] >= scenario.today * SECONDS_PER_DAY]
    assert [(f["variation"], f["first_time"], json.loads(f["key"])) for f in found] == [
        (expected.variation, expected.first_time, expected.key(detection)) for expected in scenario.raises
    ]
    for finding, expected in zip(found, scenario.raises):
        variation = detection.variation(expected.variation)
        states = {"severity": variation.severity, "name": variation.name, **expected.states}
        known = [*detection.deduplicate_by, *({"identity"} & expected.fields.keys() & finding.keys())]
        states |= {name: expected.fields[name] for name in known if name not in expected.states}
        assert {field: str(finding[field]) for field in states} == states
        for piece in expected.says:
            assert piece in finding["explanation"]
        assert finding["entity"] == finding[detection.entity]
        assert finding["attack"].split() == [*detection.tactics, *detection.techniques]
        least = anomaly_score(variation.severity, 0.0)
        assert least <= int(finding["anomaly_score"]) <= least + SURPRISE_POINTS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_in_one_search(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    pipeline = scenario.pipeline(detection)
    pipeline.search(scenario.events)
    check(scenario, detection, pipeline)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_at_a_cadence_of_six_hours(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    deliveries = [Delivery(event, event.time + 300) for event in scenario.events]
    since = scenario.today * SECONDS_PER_DAY
    check(scenario, detection, replay(scenario.pipeline(detection), deliveries, 6 * 3600, since))


def gaps(detection: Detection, scenarios: Sequence[Scenario]) -> list[str]:
    """What the scenarios of a detection leave out, as sentences."""
    missing: list[str] = []
    raised = [expected for scenario in scenarios for expected in scenario.raises]
    for variation in detection.all_variations:
        mine = [expected for expected in raised if expected.variation == variation.id]
        if not mine:
            missing.append(f"no scenario raises variation {variation.id}, {variation.name}")
        elif not any(expected.says and {"severity", "name"} <= expected.states.keys() for expected in mine):
            missing.append(f"no scenario of variation {variation.id} states its severity, its name and what it says")
    if all(scenario.raises for scenario in scenarios):
        missing.append("no near-miss")
    return missing


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_the_scenarios_leave_nothing_out(detection: Detection) -> None:
    assert gaps(detection, [scenario for scenario in SCENARIOS if scenario.detection == detection.id]) == []
