"""Both orders of precedence over every scenario: what is chosen, and what deduplication then makes of it."""

from __future__ import annotations

from typing import Callable, Iterable

import pytest

from cba.detection.catalogue import load
from cba.detection.choose import AS_LISTED, BY_SEVERITY
from cba.detection.model import Detection
from tests.scenarios.scenario import Scenario, load_all
from tests.support.plain import Watched, by_severity, deduplicated, first_match, matching, raised

DETECTIONS = load().detections
RAISING = [scenario for scenario in load_all() if scenario.raises]
Rule = Callable[[Detection, Iterable[str]], str]


@pytest.mark.parametrize(("precedence", "rule"), [(AS_LISTED, first_match), (BY_SEVERITY, by_severity)])
@pytest.mark.parametrize("scenario", RAISING, ids=lambda scenario: scenario.id)
def test_the_choice(scenario: Scenario, precedence: str, rule: Rule) -> None:
    detection = DETECTIONS[scenario.detection]
    pipeline = scenario.pipeline(detection, Watched, precedence=precedence)
    pipeline.search(scenario.events)
    assert pipeline.matches
    for match in pipeline.matches:
        holding = matching(detection, match.details, suspect=False)
        assert match.plain == rule(detection, holding)
        assert match.suspected == rule(detection, matching(detection, match.details, suspect=True))
        assert match.details["variations_matched"].split() == holding
    assert raised(pipeline) == deduplicated(detection, pipeline.matches)


def test_the_two_orders_differ_somewhere() -> None:
    """Else the scenarios would not tell them apart: a custom runtime by a known identity is a downgrade as listed."""
    detection = DETECTIONS["cloud_function_unusual_runtime"]
    scenario = next(s for s in RAISING if s.name == "variation 3, a container image, even by a known identity")
    chosen = []
    for precedence in (AS_LISTED, BY_SEVERITY):
        pipeline = scenario.pipeline(detection, Watched, precedence=precedence)
        pipeline.search(scenario.events)
        chosen.append([finding.variation for finding in raised(pipeline, scenario.today * 86_400)])
    assert chosen == [["v1"], ["v3"]]
