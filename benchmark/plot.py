"""Recall against false alerts, as an SVG picture: one line for each detector, the mean of the organizations."""

from __future__ import annotations

import math
from html import escape
from typing import Sequence

from .run import Evaluation

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 430, 52, 190, 20, 50
FEWEST, MOST = 0.03, 200.0
COLOURS = ("#0b6e99", "#d9730d", "#4d8055", "#9b51a0", "#b03a2e", "#6b6f76")
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
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for rate in GRID:
        parts.append(_line(_x(rate), TOP, _x(rate), HEIGHT - BOTTOM, "#dddddd"))
        parts.append(_text(_x(rate), HEIGHT - BOTTOM + 16, f"{rate:g}", "middle"))
    for tenth in range(0, 11, 2):
        parts.append(_line(LEFT, _y(tenth / 10), WIDTH - RIGHT, _y(tenth / 10), "#dddddd"))
        parts.append(_text(LEFT - 8, _y(tenth / 10) + 4, f"{tenth / 10:g}", "end"))
    parts.append(
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "false alerts a day and 1,000 identities, when warm", "middle")
    )
    parts.append(_text(LEFT - 8, TOP - 6, "recall", "end"))
    for number, name in enumerate(names):
        curves = [evaluation.result(name).curve for evaluation in evaluations]
        points = [(rate, sum(_at(curve, rate) for curve in curves) / len(curves)) for rate in rates]
        path = " ".join(f"{_x(rate):.1f},{_y(recall):.1f}" for rate, recall in points)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            _line(WIDTH - RIGHT + 10, TOP + 12 + 20 * number, WIDTH - RIGHT + 30, TOP + 12 + 20 * number, colour, 3)
        )
        parts.append(_text(WIDTH - RIGHT + 36, TOP + 16 + 20 * number, name, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333333">{escape(text)}</text>'
