"""The few shapes that the plots of the documents are drawn with, as SVG."""

from __future__ import annotations

from html import escape
from typing import Sequence

COLOURS = ("#0b6e99", "#d9730d", "#4d8055", "#9b51a0", "#b03a2e", "#6b6f76", "#8a6d3b", "#2f3e9e")
"""Of lines that are to be told apart."""
GRID = "#dddddd"


def picture(width: int, height: int, parts: Sequence[str]) -> str:
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([f'{begin}font-size="12">', ground, *parts, "</svg>"]) + "\n"


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def path(points: Sequence[tuple[float, float]], colour: str) -> str:
    """A line through points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{colour}" stroke-width="2"/>'


def text(x: float, y: float, words: str, anchor: str) -> str:
    """`anchor`: start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333333">{escape(words)}</text>'


def legend(x: float, y: float, number: int, name: str) -> list[str]:
    """The line of a legend that begins at (x, y), and what it stands for."""
    at = y + 12 + 20 * number
    return [line(x, at, x + 20, at, COLOURS[number % len(COLOURS)], 3), text(x + 26, at + 4, name, "start")]
