"""Draws the app's icons into static/: a cloud, what is normal in it, and the one thing that stands out.

    python package/icons.py

appIcon is shown on dark bars, appIconAlt on light pages; each in 36 and 72 pixels, as Splunk asks for.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Callable

STATIC = Path(__file__).resolve().parent.parent / "static"
SAMPLES = 4  # per pixel and direction

Color = tuple[int, int, int]
Shape = Callable[[float, float], bool]

NAVY: Color = (23, 43, 77)
WHITE: Color = (255, 255, 255)
SKY: Color = (120, 190, 255)
AMBER: Color = (255, 153, 31)


def circle(x0: float, y0: float, radius: float) -> Shape:
    return lambda x, y: (x - x0) ** 2 + (y - y0) ** 2 <= radius**2


def box(left: float, top: float, right: float, bottom: float, radius: float) -> Shape:
    """A rectangle with round corners."""

    def inside(x: float, y: float) -> bool:
        dx = max(left + radius - x, 0.0, x - right + radius)
        dy = max(top + radius - y, 0.0, y - bottom + radius)
        return dx * dx + dy * dy <= radius * radius

    return inside


def union(*shapes: Shape) -> Shape:
    return lambda x, y: any(shape(x, y) for shape in shapes)


CLOUD = union(
    circle(0.34, 0.56, 0.15), circle(0.53, 0.44, 0.20), circle(0.70, 0.57, 0.14), box(0.2, 0.55, 0.84, 0.71, 0.08)
)
# On a square from 0 to 1, later ones on top: (shape, color)
BARS = tuple((box(x, top, x + 0.075, 0.66, 0.03), SKY) for x, top in ((0.27, 0.56), (0.385, 0.51), (0.5, 0.55)))
OUTLIER = ((box(0.615, 0.16, 0.69, 0.66, 0.03), AMBER),)
ON_DARK = ((CLOUD, WHITE), *((shape, NAVY) for shape, _ in BARS), *OUTLIER)
ON_LIGHT = ((box(0.02, 0.02, 0.98, 0.98, 0.2), NAVY), (CLOUD, WHITE), *BARS, *OUTLIER)


def draw(layers: tuple[tuple[Shape, Color], ...], size: int) -> bytes:
    """RGBA rows, each with PNG's filter byte 0 before it."""
    rows = bytearray()
    for py in range(size):
        rows.append(0)
        for px in range(size):
            seen = [_sample(layers, px, py, i, size) for i in range(SAMPLES * SAMPLES)]
            covered = [color for color in seen if color is not None]
            mean = (
                [round(sum(color[i] for color in covered) / len(covered)) for i in range(3)] if covered else [0, 0, 0]
            )
            rows += bytes([*mean, round(255 * len(covered) / len(seen))])
    return bytes(rows)


def _sample(layers: tuple[tuple[Shape, Color], ...], px: int, py: int, index: int, size: int) -> Color | None:
    x = (px + (index % SAMPLES + 0.5) / SAMPLES) / size
    y = (py + (index // SAMPLES + 0.5) / SAMPLES) / size
    for shape, color in reversed(layers):
        if shape(x, y):
            return color
    return None


def png(rows: bytes, size: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main() -> None:
    STATIC.mkdir(exist_ok=True)
    for name, layers in (("appIcon", ON_DARK), ("appIconAlt", ON_LIGHT)):
        for suffix, size in (("", 36), ("_2x", 72)):
            (STATIC / f"{name}{suffix}.png").write_bytes(png(draw(layers, size), size))


if __name__ == "__main__":
    main()
