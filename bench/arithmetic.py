"""The few numbers that the bench reports: median, spread, and ratios pair by pair."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Sequence


@dataclass(frozen=True)
class Summary:
    """The median of some measurements and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Raises ValueError for no measurement at all."""
        if not values:
            raise ValueError("nothing was measured")
        return cls(statistics.median(values), min(values), max(values))


def pairwise(ours: Sequence[float], others: Sequence[float]) -> Summary:
    """The ratios ours/others, each of two measurements taken one right after the other.

    A machine that slows down for a while slows both halves of a pair, so their ratio stays; the ratio of two medians
    would not. Raises ValueError when the measurements are not pairs.
    """
    if len(ours) != len(others):
        raise ValueError(f"{len(ours)} measurements and {len(others)} are not pairs")
    return Summary.of([one / other for one, other in zip(ours, others)])
