"""What a batch costs by how much is remembered, as an SVG picture: a line for each source, and what people do today."""

from __future__ import annotations

import math
from typing import Mapping, Sequence

from bench.lookups import Lookup
from bench.scale import Batch
from lab import svg

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 430, 52, 210, 20, 50


def plot(batches: Sequence[Batch], lookups: Sequence[Lookup]) -> str:
    """Seconds a run, both axes logarithmic."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for one in batches:
        lines.setdefault(one.source, []).append((one.entities, one.seconds.median))
    for other in lookups:
        lines.setdefault(other.way, []).append((other.pairs, other.seconds.median))
    sizes = sorted({size for points in lines.values() for size, _seconds in points})
    seconds = [value for points in lines.values() for _size, value in points]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    return svg.picture(WIDTH, HEIGHT, _drawn(lines, sizes, low, max(high, low + 1)))


def _drawn(lines: Mapping[str, Sequence[tuple[int, float]]], sizes: Sequence[int], low: int, high: int) -> list[str]:
    widest = math.log10(sizes[-1] / sizes[0]) or 1.0

    def x(size: int) -> float:
        return LEFT + math.log10(size / sizes[0]) / widest * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    about = "entities, or pairs, that are remembered"
    parts = [
        svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, about, "middle"),
        svg.text(LEFT + 40, TOP - 6, "seconds a run", "end"),
    ]
    for size in sizes:
        parts.append(svg.line(x(size), TOP, x(size), HEIGHT - BOTTOM))
        parts.append(svg.text(x(size), HEIGHT - BOTTOM + 16, f"{size:,}", "middle"))
    for power in range(low, high + 1):
        parts.append(svg.line(LEFT, y(10**power), WIDTH - RIGHT, y(10**power)))
        parts.append(svg.text(LEFT - 8, y(10**power) + 4, f"{10**power:g}", "end"))
    for number, (name, points) in enumerate(lines.items()):
        through = [(x(size), y(value)) for size, value in points]
        parts.append(svg.path(through, svg.COLOURS[number % len(svg.COLOURS)]))
        parts.extend(svg.legend(WIDTH - RIGHT + 10, TOP, number, name))
    return parts
