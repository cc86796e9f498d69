"""Conditions in words, as the docs of the detections have them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from words import LEAVES, in_words

import content
from cba.detection.condition import Node, parse
from cba.detection.model import Detection

DETECTIONS = content.load(Path(__file__).parents[2]).detections
STEPS = {"A": "Deployment"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("new(project, runtime)", "the runtime is new to the project"),
        ("not new(project, runtime)", "the runtime is known to the project"),
        ("seen(identity, country) <= 10", "the identity has at most 10 established countries"),
        ("not seen(identity, country) <= 10", "the identity has more than 10 established countries"),
        ("days(identity, country) == 1", "the identity had the same country on exactly 1 day of the training period"),
        ("days(identity, country) == 0", "the identity had no such country in the training period"),
        ('source_kind != "aws"', "the source is not AWS"),
        ("chained(A)", "the chain has *Deployment*"),
        (
            "trained(host, tool) and new(host, tool) and (new(project, a) or new(project, b))",
            "the host is trained, and the pair of process and kind of cloud is new to the host, and (the a is new to the "
            "project or the b is new to the project)",
        ),
        (
            "not (trained(host, tool) and new(project, a))",
            "the host is not yet trained or the a is known to the project",
        ),
        ('mood == "odd"', '`mood == "odd"`'),
    ],
)
def test_a_condition_in_words(condition: str, words: str) -> None:
    assert in_words(parse(condition), STEPS) == words


def conditions(detection: Detection) -> list[Node]:
    return [*detection.conditions, *(signal.when for signal in detection.signals)]


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_every_condition_that_ships_has_words(detection: Detection) -> None:
    names = {signal.id: signal.name for signal in detection.signals}
    for condition in conditions(detection):
        assert not re.search(r"[a-z]\(|==|>=|<=", in_words(condition, names)), condition


def test_nothing_has_words_that_no_detection_asks() -> None:
    asked = {str(node) for each in DETECTIONS.values() for condition in conditions(each) for node in condition.walk()}
    asked |= {text.replace("!=", "==") for text in asked}
    assert set(LEAVES) - asked == set()


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_a_detection_says_how_it_is_tuned_and_what_its_logs_cannot_show(detection: Detection) -> None:
    assert detection.document["tuning"] and detection.document["limits_of_logs"]
