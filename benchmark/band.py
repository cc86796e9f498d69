"""What the quick run is expected to give: a band for each number, committed beside the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Mapping

from .run import OURS, Evaluation

FILE = Path(__file__).parent / "expected.json"


def numbers(evaluation: Evaluation) -> dict[str, float]:
    """The numbers that have a band."""
    ours = evaluation.result(OURS)
    plain = ours.recall(stealthy=False)
    return {
        "found without stealth": plain.share,
        "found by their detection, without stealth": plain.own / plain.made,
        "found as their variation, without stealth": plain.exact / plain.made,
        "found, all": ours.recall().share,
        "false alerts": ours.rates["all"],
        "false alerts, Low and higher": ours.rates["low or higher"],
        "recall at 10 false alerts": ours.at_budget[10.0],
        "faults": float(len(evaluation.faults)),
        **{f"found, all: {result.name}": result.recall().share for result in evaluation.results[2:]},
    }


def read() -> dict[str, tuple[float, float]]:
    """name -> (least, most)."""
    return {name: (least, most) for name, (least, most) in json.loads(FILE.read_text("utf-8")).items()}


def outside(found: Mapping[str, float], expected: Mapping[str, tuple[float, float]]) -> list[str]:
    """What is not as expected, in sentences."""
    said = [f"{name} is expected and was not measured" for name in expected.keys() - found.keys()]
    for name, value in found.items():
        if name not in expected:
            said.append(f"{name} is {value:.3f}, and {FILE.name} says nothing of it")
            continue
        least, most = expected[name]
        if not least <= value <= most:
            said.append(f"{name} is {value:.3f}, expected {least:g} to {most:g}")
    return sorted(said)
