"""Recall against false alerts, as an SVG picture: one line for each detector, the mean of the organizations."""

from __future__ import annotations

import math
from typing import Sequence

from lab import svg

from .run import Evaluation

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 430, 52, 190, 20, 50
FEWEST, MOST = 0.03, 200.0
STEPS = 120
GRID = (0.1, 1.0, 10.0, 100.0)


def _x(rate: float) -> float:
    share = (math.log(rate) - math.log(FEWEST)) / (math.log(MOST) - math.log(FEWEST))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(recall: float) -> float:
    return HEIGHT - BOTTOM - recall * (HEIGHT - TOP - BOTTOM)


def _at(curve: Sequence[tuple[float, float]], rate: float) -> float:
    """The recall that is reached with so many false alerts at most."""
    return max((recall for false, recall in curve if false <= rate), default=0.0)


def plot(evaluations: Sequence[Evaluation], names: Sequence[str]) -> str:
    """The picture for detectors of these names."""
    rates = [FEWEST * (MOST / FEWEST) ** (step / STEPS) for step in range(STEPS + 1)]
    about = "false alerts a day and 1,000 identities, when warm"
    parts = [
        svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, about, "middle"),
        svg.text(LEFT - 8, TOP - 6, "recall", "end"),
    ]
    for rate in GRID:
        parts.append(svg.line(_x(rate), TOP, _x(rate), HEIGHT - BOTTOM))
        parts.append(svg.text(_x(rate), HEIGHT - BOTTOM + 16, f"{rate:g}", "middle"))
    for tenth in range(0, 11, 2):
        parts.append(svg.line(LEFT, _y(tenth / 10), WIDTH - RIGHT, _y(tenth / 10)))
        parts.append(svg.text(LEFT - 8, _y(tenth / 10) + 4, f"{tenth / 10:g}", "end"))
    for number, name in enumerate(names):
        curves = [evaluation.result(name).curve for evaluation in evaluations]
        points = [(_x(rate), _y(sum(_at(curve, rate) for curve in curves) / len(curves))) for rate in rates]
        parts.append(svg.path(points, svg.COLOURS[number % len(svg.COLOURS)]))
        parts.extend(svg.legend(WIDTH - RIGHT + 10, TOP, number, name))
    return svg.picture(WIDTH, HEIGHT, parts)
