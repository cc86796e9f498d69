"""The hidden attacks are what they say. Every variation of the detections that the demo is about has one; and the rules of
`cloud_unusual_country`, stated independently, raise its attacks and nothing unlabelled."""

from __future__ import annotations

import datetime
from typing import TypeVar

import pytest

from cba.detection.catalogue import get
from demo import Organization, benign_surprises, decoys, events, hidden_attacks
from demo.attacks import Truth
from demo.report import compare
from tests.support.oracle import Raised, expected_findings

DETECTION = "cloud_unusual_country"
SHOWN_WHOLE = {
    "cloud_function_unusual_runtime", "cloud_unusual_country", "compute_identity_outside_region",
    "process_rare_cloud_resource", "serverless_execution_iaas", "serverless_execution_office",
    "serverless_execution_saas",
}  # fmt: skip
"""The detections that the demo is about; of the others it shows what comes up beside."""
T = TypeVar("T", bound=Truth)


def about_countries(truths: list[T]) -> list[T]:
    return [truth for truth in truths if truth.detection == DETECTION]


def as_finding(raised: Raised) -> dict[str, object]:
    moment = datetime.datetime.fromtimestamp(raised.first_time, datetime.timezone.utc).isoformat()
    variation = get(DETECTION).variation(raised.variation)
    return {
        "detection": DETECTION, "variation": raised.variation, "name": variation.name, "severity": variation.severity,
        "identity": raised.identity, "key": [raised.identity, raised.country], "project": raised.project,
        "first_time": moment, "last_time": moment,
    }  # fmt: skip


@pytest.fixture(scope="module", params=[(7, 500), ("other seed", 500), (7, 2000)], ids=str)
def world(request: pytest.FixtureRequest) -> tuple[Organization, list[Raised]]:
    seed, events_per_day = request.param
    organization = Organization(seed=seed, events_per_day=events_per_day)
    return organization, expected_findings(organization, events(organization))


def test_every_variation_of_the_detections_shown_whole_has_an_attack() -> None:
    attacked = {(attack.detection, attack.variation) for attack in hidden_attacks(Organization())}
    wanted = {(name, variation.id) for name in SHOWN_WHOLE for variation in get(name).all_variations}
    assert wanted <= attacked, "variations without an attack in demo/stories"


def test_every_detection_shown_whole_has_decoys() -> None:
    assert {decoy.detection for decoy in decoys(Organization())} == SHOWN_WHOLE


def test_attacks_raise_exactly_their_variation(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    outcome = compare([as_finding(r) for r in raised], about_countries(hidden_attacks(organization)))
    for attack, about in outcome.attacks.items():
        assert [f["variation"] for f in about] == [attack.variation] * attack.findings, attack.id
        assert {f["project"] for f in about} == {attack.project}, attack.id
        assert compare(about[:1], [attack]).attacks[attack]
        first = datetime.datetime.fromisoformat(str(about[0]["first_time"])).timestamp()
        assert first == pytest.approx(attack.first_time, abs=1), attack.id


def test_surprises_are_raised_as_labelled(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    for surprise in about_countries(benign_surprises(organization)):
        about = [
            r for r in raised
            if (r.identity, r.country) == surprise.key
            and surprise.first_time <= r.first_time <= surprise.last_time + 1
        ]  # fmt: skip
        assert about and about[0].variation == surprise.variation, surprise.id
        assert len(about) <= 2, surprise.id


def test_nothing_else_is_raised(world: tuple[Organization, list[Raised]]) -> None:
    organization, raised = world
    outcome = compare(
        [as_finding(r) for r in raised],
        about_countries(hidden_attacks(organization)),
        benign_surprises(organization),
        decoys(organization),
    )
    assert (outcome.missed, outcome.decoys, outcome.unexplained) == ([], [], [])


def test_without_attacks_only_travel_is_left() -> None:
    organization = Organization(events_per_day=500)
    raised = expected_findings(organization, events(organization, attacks=False))
    outcome = compare([as_finding(r) for r in raised], [], benign_surprises(organization))
    assert outcome.unexplained == []
    assert {r.country for r in raised} <= {s.key[1] for s in about_countries(benign_surprises(organization))}


def test_repeats_within_a_day_are_suppressed(world: tuple[Organization, list[Raised]]) -> None:
    _, raised = world
    stolen = [r for r in raised if r.country == "RU"]
    assert [r.count for r in stolen] == [5]
