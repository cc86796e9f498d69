"""The signals of a serverless chain arrive in any order, whatever order they happened in: the findings are the same."""

from __future__ import annotations

import itertools

import pytest

from cba.detection.catalogue import get
from cba.terms import SECONDS_PER_DAY
from tests.scenarios.scenario import Scenario
from tests.scenarios.scenario import load as scenarios
from tests.scenarios.test_scenarios import check
from tests.support.pipeline import Delivery, replay

DETECTION = get("serverless_execution_iaas")
QUARTER = 900
CHAINS = [
    scenario
    for scenario in scenarios("serverless_execution_iaas")
    if any(expected.variation == "v3" for expected in scenario.raises)
]


def test_the_scenarios_have_every_order_of_events() -> None:
    orders = set()
    for scenario in CHAINS:
        today = [seen for seen in scenario.events if seen.time >= scenario.today * SECONDS_PER_DAY]
        orders.add(tuple(seen.fields["signal_kind"] for seen in sorted(today, key=lambda seen: seen.time)))
    assert orders >= set(itertools.permutations(("deployment", "privilege", "use")))


@pytest.mark.parametrize("order", itertools.permutations(range(3)), ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize("scenario", CHAINS, ids=lambda scenario: scenario.name)
def test_any_order_of_arrival(scenario: Scenario, order: tuple[int, ...]) -> None:
    """Searched every quarter of an hour, and an event arrives in each."""
    since = scenario.today * SECONDS_PER_DAY
    past = [Delivery(seen, seen.time + 300) for seen in scenario.events if seen.time < since]
    today = sorted((seen for seen in scenario.events if seen.time >= since), key=lambda seen: seen.time)
    last = max(seen.time for seen in today)
    late = [Delivery(today[index], last + place * QUARTER) for place, index in enumerate(order, 1)]
    check(scenario, DETECTION, replay(scenario.pipeline(DETECTION), [*past, *late], QUARTER, since))
