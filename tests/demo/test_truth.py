"""The hidden attacks are what they say: the rules, stated independently, raise them, and nothing unlabelled."""

from __future__ import annotations

import datetime

import pytest

from demo import Organization, benign_surprises, decoys, events, hidden_attacks
from demo.attacks import VARIATIONS
from demo.report import compare
from tests.support.oracle import Raised, expected_findings


def as_finding(raised: Raised) -> dict[str, object]:
    moment = datetime.datetime.fromtimestamp(raised.first_time, datetime.timezone.utc).isoformat()
    name, severity = VARIATIONS[raised.variation]
    return {
        "variation": raised.variation, "name": name, "severity": severity, "identity": raised.identity,
        "country": raised.country, "project": raised.project, "first_time": moment, "last_time": moment,
    }  # fmt: skip


@pytest.fixture(scope="module", params=[(7, 500), ("other seed", 500), (7, 2000)], ids=str)
def world(request: pytest.FixtureRequest) -> tuple[Organization, list[Raised]]:
    seed, events_per_day = request.param
    organization = Organization(seed=seed, events_per_day=events_per_day)
    return organization, expected_findings(organization, events(organization))


def test_every_variation_has_an_attack() -> None:
    assert {attack.variation for attack in hidden_attacks(Organization())} == set(VARIATIONS)


def test_attacks_raise_exactly_their_variation(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    outcome = compare([as_finding(r) for r in raised], hidden_attacks(organization))
    for attack in hidden_attacks(organization):
        about = outcome.attacks[attack.id]
        assert [f["variation"] for f in about] == [attack.variation] * attack.findings, attack.id
        assert {f["project"] for f in about} == {attack.project}, attack.id
        assert compare(about[:1], [attack]).attacks[attack.id]
        first = datetime.datetime.fromisoformat(str(about[0]["first_time"])).timestamp()
        assert first == pytest.approx(attack.first_time, abs=1), attack.id


def test_surprises_are_raised_as_labelled(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    for surprise in benign_surprises(organization):
        about = [
            r for r in raised
            if (r.identity, r.country) == (surprise.identity, surprise.country)
            and surprise.first_time <= r.first_time <= surprise.last_time + 1
        ]  # fmt: skip
        assert about and about[0].variation == surprise.variation, surprise.id
        assert len(about) <= 2, surprise.id


def test_nothing_else_is_raised(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    outcome = compare(
        [as_finding(r) for r in raised],
        hidden_attacks(organization),
        benign_surprises(organization),
        decoys(organization),
    )
    assert (outcome.missed, outcome.decoys, outcome.unexplained) == ([], [], [])


def test_without_attacks_only_travel_is_left() -> None:
    organization = Organization(events_per_day=500)
    raised = expected_findings(organization, events(organization, attacks=False))
    outcome = compare([as_finding(r) for r in raised], [], benign_surprises(organization))
    assert outcome.unexplained == []
    assert {r.country for r in raised} <= {s.country for s in benign_surprises(organization)}


def test_repeats_within_a_day_are_suppressed(world: tuple[Organization, list[Raised]]) -> None:
    _, raised = world
    stolen = [r for r in raised if r.country == "RU"]
    assert [r.count for r in stolen] == [5]
