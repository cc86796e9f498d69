"""Tables of address ranges as pure functions: from whatever a source gives to sorted, disjoint segments.

A segment is `(first, last, value)`: an inclusive range of addresses as numbers of one IP version, and what holds there.
A *table* is a list of segments in address order that do not overlap. Every function here returns a table.
"""

from __future__ import annotations

from typing import Callable, Iterable, List, Optional, Sequence, Tuple, TypeVar

V = TypeVar("V")
A = TypeVar("A")
B = TypeVar("B")
Segment = Tuple[int, int, V]
Range = Tuple[int, int]


def merged(segments: Iterable[Segment[V]]) -> List[Segment[V]]:
    """A table with neighbours of equal value made one."""
    table: List[Segment[V]] = []
    for first, last, value in segments:
        if table and table[-1][1] + 1 == first and table[-1][2] == value:
            table[-1] = (table[-1][0], last, value)
        else:
            table.append((first, last, value))
    return table


def nested(segments: Iterable[Segment[V]], inherit: Optional[Callable[[V, V], V]] = None) -> List[Segment[V]]:
    """Ranges that lie inside each other or apart, in any order: the narrowest range decides.

    `inherit(inner, outer)` says what holds in an inner range (its own value by default). Ranges that cross, which clean
    data does not have, are cut where the later one begins. Of two equal ranges the later in the input decides.
    """
    table: List[Segment[V]] = []
    open_ranges: List[Tuple[int, V]] = []  # (last, value), each inside the one before it
    position = 0  # everything before it is written

    def write(upto: int) -> None:
        """Write what the open ranges say about position .. upto."""
        nonlocal position
        while open_ranges and position <= upto:
            last, value = open_ranges[-1]
            end = min(last, upto)
            if position <= end:
                table.append((position, end, value))
                position = end + 1
            if last <= upto:
                open_ranges.pop()
        position = max(position, upto + 1)

    for first, last, value in sorted(segments, key=lambda segment: (segment[0], -segment[1])):
        write(first - 1)
        while open_ranges and open_ranges[-1][0] < first:
            open_ranges.pop()
        if open_ranges and inherit is not None:
            value = inherit(value, open_ranges[-1][1])
        open_ranges.append((last, value))
    if open_ranges:
        write(max(last for last, _ in open_ranges))
    return merged(table)


def without(segments: Iterable[Segment[V]], holes: Sequence[Range]) -> List[Segment[V]]:
    """The table with the `holes` (in any order, may overlap) cut out."""
    ordered = sorted(holes)
    table: List[Segment[V]] = []
    for first, last, value in segments:
        for hole_first, hole_last in ordered:
            if hole_last < first or hole_first > last:
                continue
            if first < hole_first:
                table.append((first, hole_first - 1, value))
            first = hole_last + 1
            if first > last:
                break
        if first <= last:
            table.append((first, last, value))
    return table


def joined(left: Sequence[Segment[A]], right: Sequence[Segment[B]]) -> List[Segment[Tuple[Optional[A], Optional[B]]]]:
    """Two tables laid over each other: wherever either says something, what both say (None = nothing)."""
    starts = [s[0] for s in left] + [s[0] for s in right]
    ends = [s[1] + 1 for s in left] + [s[1] + 1 for s in right]
    cuts = sorted({*starts, *ends})
    table: List[Segment[Tuple[Optional[A], Optional[B]]]] = []
    i = j = 0
    for first, after in zip(cuts, cuts[1:]):
        while i < len(left) and left[i][1] < first:
            i += 1
        while j < len(right) and right[j][1] < first:
            j += 1
        a = left[i][2] if i < len(left) and left[i][0] <= first else None
        b = right[j][2] if j < len(right) and right[j][0] <= first else None
        if a is not None or b is not None:
            table.append((first, after - 1, (a, b)))
    return merged(table)
