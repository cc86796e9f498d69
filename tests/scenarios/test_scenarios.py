"""Every scenario through the library: the histories, the choice, the deduplication, in one search and day by day."""

from __future__ import annotations

import pytest

from cba.detection.catalogue import load
from cba.detection.model import Detection
from cba.history.days import SECONDS_PER_DAY
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Delivery, Pipeline, replay

DETECTIONS = load()
SCENARIOS = load_all()


def check(scenario: Scenario, detection: Detection, pipeline: Pipeline) -> None:
    found = [f for f in pipeline.found() if f["first_time"] >= scenario.today * SECONDS_PER_DAY]
    assert [(f["variation"], f["identity"], f[scenario.value]) for f in found] == [
        (e["variation"], e["identity"], e["value"]) for e in scenario.raises
    ]
    for finding, expected in zip(found, scenario.raises):
        assert finding["first_time"] == expected["first_time"]
        for field in ("count", "suppressed_count", "severity", "name"):
            assert finding[field] == expected.get(field, finding[field]), field
        assert expected.get("says", "") in finding["explanation"]
        assert expected.get("matched", finding["variations_matched"]) == finding["variations_matched"]
        assert finding["attack"].split() == [*detection.tactics, *detection.techniques]
        assert 0 <= int(finding["anomaly_score"]) <= 100


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_in_one_search(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    pipeline = Pipeline(detection)
    pipeline.search(scenario.events)
    check(scenario, detection, pipeline)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_at_a_cadence_of_six_hours(scenario: Scenario) -> None:
    detection = DETECTIONS[scenario.detection]
    deliveries = [Delivery(event, event.time + 300) for event in scenario.events]
    since = scenario.today * SECONDS_PER_DAY
    check(scenario, detection, replay(detection, deliveries, 6 * 3600, since))


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_every_variation_has_a_scenario_and_there_are_near_misses(detection: Detection) -> None:
    mine = [scenario for scenario in SCENARIOS if scenario.detection == detection.id]
    raised = {str(expected["variation"]) for scenario in mine for expected in scenario.raises}
    assert raised == {variation.id for variation in detection.all_variations}
    assert any(not scenario.raises for scenario in mine)
