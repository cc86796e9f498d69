"""Every row of every table (`rows.py`) is a variation of its detection, and a scenario raises it as exactly that."""

from __future__ import annotations

import functools
from typing import Iterator

import pytest

from cba.detection.catalogue import load
from tests.scenarios.rows import ACTIVATION_DAYS, TABLES, TRAINING_DAYS, TableRow
from tests.scenarios.scenario import Scenario, load_all

DETECTIONS = load().detections
SCENARIOS = load_all()
NEAR_MISSES = 3

every_table = pytest.mark.parametrize("name", TABLES)
with_rows = pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.rows])
with_chains = pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.chains])


def of(name: str) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.detection == name]


@functools.lru_cache
def chains_raised(name: str) -> frozenset[tuple[frozenset[str], str]]:
    """(signals of the chain, severity) of everything that a detection's scenarios raise, their histories included.

    `C_invoked` is a way of being C. Signals that no row speaks of say more of the others: that a destination is outside
    the organization, for one.
    """
    letters = frozenset().union(*(chain.signals for chain in TABLES[name].chains))
    found = set()
    for scenario in of(name):
        pipeline = scenario.pipeline(DETECTIONS[name])
        pipeline.search(scenario.events)
        for finding in pipeline.found():
            signals = {signal.partition("_")[0] for signal in finding["chain_signals"].split()}
            found.add((letters & signals, finding["severity"]))
    return frozenset(found)


def without_scenario() -> Iterator[str]:
    for name, table in TABLES.items():
        raised = {expected.variation for scenario in of(name) for expected in scenario.raises}
        yield from (f"{name}: {row.number}, {row.name}" for row in table.rows if row.number not in raised)
        for chain in table.chains:
            for severity in chain.severities:
                if (chain.signals, severity) not in chains_raised(name):
                    yield f"{name}: {' and '.join(sorted(chain.signals))}, {severity}"


def test_every_row_has_a_scenario() -> None:
    """What fails here is the list of what is missing; `test_scenarios` holds each scenario to what it says."""
    assert list(without_scenario()) == []


@every_table
def test_there_are_near_misses(name: str) -> None:
    assert sum(not scenario.raises for scenario in of(name)) >= NEAR_MISSES


@every_table
def test_the_detection_is_what_its_page_says(name: str) -> None:
    detection, table = DETECTIONS[name], TABLES[name]
    periods = detection.periods
    assert (periods.activation, periods.training) == (ACTIVATION_DAYS, TRAINING_DAYS)
    assert (periods.deduplication, detection.deduplicate_by) == (table.deduplication, table.key)
    assert (set(detection.techniques), set(detection.sources)) == (set(table.techniques), set(table.sources))
    assert detection.tactics == table.tactics or not table.tactics


@with_rows
def test_variations_severities_kinds_names_and_order(name: str) -> None:
    variations = DETECTIONS[name].all_variations
    assert [TableRow(v.id, v.severity, v.kind, v.name) for v in variations] == list(TABLES[name].rows)


@with_chains
def test_a_chain_is_as_severe_as_its_signals_make_it(name: str) -> None:
    """A row holds for chains of its signals and more, unless a row for more says otherwise (A and C, as A, B and C)."""
    for signals, severity in chains_raised(name):
        fitting = [chain for chain in TABLES[name].chains if chain.signals <= signals]
        closest = [chain for chain in fitting if not any(chain.signals < other.signals for other in fitting)]
        assert severity in frozenset().union(*(chain.severities for chain in closest)), sorted(signals)


@with_chains
def test_a_chain_detection_has_no_other_severities(name: str) -> None:
    on_page = frozenset().union(*(chain.severities for chain in TABLES[name].chains))
    assert {variation.severity for variation in DETECTIONS[name].all_variations} == on_page
