"""Which variation is raised, in both orders of precedence."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cba.detection.choose import AS_LISTED, BY_SEVERITY, choose
from cba.detection.model import Detection
from cba.history.evidence import Evidence
from cba.scoring.facts import RowFacts
from tests.support.documents import detection_of, document

DOCUMENT: dict[str, Any] = document("cloud_unusual_country")

VARIATIONS = [
    {"id": "v1", "name": "down", "severity": "informational", "kind": "downgrade", "when": 'down == "y"'},
    {"id": "v2", "name": "first", "severity": "low", "kind": "escalation", "when": 'first == "y"'},
    {"id": "v3", "name": "second", "severity": "low", "kind": "exclusive", "when": 'second == "y"'},
    {"id": "v4", "name": "worst", "severity": "high", "kind": "escalation", "when": 'worst == "y"'},
]


def detection(base: str = "1 == 1") -> Detection:
    changed = copy.deepcopy(DOCUMENT)
    # What it compares with does not matter here.
    changed.update(compares=["country"], when='say == "y"', base={"when": base}, variations=VARIATIONS, severity="low")
    return detection_of(changed)


def chosen(precedence: str, *matching: str, base: str = "1 == 1") -> tuple[str, str] | None:
    fields = {"say": "y", **dict.fromkeys(matching, "y")}
    facts = RowFacts(Evidence(1, "aws", True, {}, {}), fields, ("identity",))
    choice = choose(detection(base), facts, precedence)
    return (choice.variation.name, " ".join(each.variation.id for each in choice.matched)) if choice else None


@pytest.mark.parametrize(
    ("matching", "by_severity", "as_listed"),
    [
        ([], DOCUMENT["name"], DOCUMENT["name"]),
        (["down"], "down", "down"),
        (["down", "second"], "second", "down"),
        (["first", "second"], "first", "first"),
        (["first", "worst"], "worst", "first"),
        (["second"], "second", "second"),  # as severe as base, and it says more
    ],
)
def test_precedence(matching: list[str], by_severity: str, as_listed: str) -> None:
    one, other = chosen(BY_SEVERITY, *matching), chosen(AS_LISTED, *matching)
    assert one and one[0] == by_severity
    assert other and other[0] == as_listed


def test_all_matches_are_told() -> None:
    assert chosen(BY_SEVERITY, "down", "worst") == ("worst", "base v1 v4")


def test_the_reasons_are_those_of_the_detection_and_the_chosen_variation_first() -> None:
    facts = RowFacts(Evidence(1, "aws", True, {}, {}), {"say": "y", "first": "y", "worst": "y"}, ("identity",))
    choice = choose(detection(), facts)
    assert choice is not None
    assert [str(reason.node) for reason in choice.reasons] == ['say == "y"', 'worst == "y"', "1 == 1", 'first == "y"']


def test_nothing_matches() -> None:
    assert chosen(BY_SEVERITY, base="1 == 2") is None


def test_under_its_own_condition_only() -> None:
    facts = RowFacts(Evidence(1, "aws", True, {}, {}), {"worst": "y"}, ("identity",))
    assert choose(detection(), facts) is None
