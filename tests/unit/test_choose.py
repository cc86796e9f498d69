"""Which variation is raised, in both orders of precedence."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cba.detection.choose import AS_LISTED, BY_SEVERITY, choose
from cba.detection.model import Detection
from cba.history.evidence import Evidence
from cba.scoring.facts import RowFacts

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "detections" / "cloud_unusual_country.yml").read_text("utf-8"))

VARIATIONS = [
    {"id": "1", "name": "down", "severity": "informational", "kind": "downgrade", "when": 'down == "y"'},
    {"id": "2", "name": "first", "severity": "low", "kind": "escalation", "when": 'first == "y"'},
    {"id": "3", "name": "second", "severity": "low", "kind": "exclusive", "when": 'second == "y"'},
    {"id": "4", "name": "worst", "severity": "high", "kind": "escalation", "when": 'worst == "y"'},
]


def detection(base: str = "1 == 1") -> Detection:
    document = copy.deepcopy(DOCUMENT)
    document.update(when='say == "y"', base={"when": base}, variations=VARIATIONS, severity="low")
    return Detection.from_dict(document, "x.yml")


def chosen(precedence: str, *matching: str, base: str = "1 == 1") -> tuple[str, str] | None:
    fields = {"say": "y", **dict.fromkeys(matching, "y")}
    facts = RowFacts(Evidence(1, "aws", True, {}, {}), fields, ("identity",))
    choice = choose(detection(base), facts, precedence)
    return (choice.variation.name, " ".join(v.id for v in choice.matched)) if choice else None


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
    assert chosen(BY_SEVERITY, "down", "worst") == ("worst", "base 1 4")


def test_nothing_matches() -> None:
    assert chosen(BY_SEVERITY, base="1 == 2") is None


def test_under_its_own_condition_only() -> None:
    facts = RowFacts(Evidence(1, "aws", True, {}, {}), {"worst": "y"}, ("identity",))
    assert choose(detection(), facts) is None
