"""Writing a MaxMind DB file (https://maxmind.github.io/MaxMind-DB/), as small as the format allows.

Written here because the writers on the package index insert network by network: too slow for a million networks and
without the two things that make this file small:

- equal subtrees are stored once (the tree becomes a directed graph, which no reader notices);
- equal strings and maps are stored once and named by pointers, the most used ones where pointers are shortest.

The result depends on the input alone: two builds of the same data are byte-equal.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections import Counter
from typing import Dict, List, Mapping, Sequence, Tuple, Union

from .ranges import Segment

Map = Tuple[Tuple[str, "Value"], ...]  # a map as sorted pairs, so that it can be a dictionary key
Value = Union[str, int, Map]

_POINTER, _STRING, _MAP, _UINT16, _UINT32, _UINT64, _ARRAY = 1, 2, 7, 5, 6, 9, 11
_MARKER = b"\xab\xcd\xefMaxMind.com"
_RECORD_BITS = 24
_EMPTY = -1


def frozen(pairs: Mapping[str, Value]) -> Map:
    """A map value; empty texts, zero numbers and empty maps are left out."""
    return tuple((key, pairs[key]) for key in sorted(pairs) if pairs[key] not in ("", 0, ()))


class Tree:
    """The search tree. A reference is a node (>= 0), nothing (-1), or a record (-2 - its number)."""

    def __init__(self) -> None:
        self._nodes: List[Tuple[int, int]] = []
        self._known: Dict[Tuple[int, int], int] = {}

    def _node(self, left: int, right: int) -> int:
        if left == right and left < 0:
            return left  # both halves say the same: one shorter prefix says it too
        pair = (left, right)
        node = self._known.get(pair)
        if node is None:
            node = self._known[pair] = len(self._nodes)
            self._nodes.append(pair)
        return node

    def build(self, table: Sequence[Segment[int]], bits: int) -> int:
        """The subtree for a table (values are record numbers) over addresses of that many bits."""
        firsts = [segment[0] for segment in table]
        lasts = [segment[1] for segment in table]

        def subtree(start: int, bits: int, low: int, high: int) -> int:
            """The subtree of start .. start + 2^bits - 1, which segments low .. high - 1 touch."""
            if low == high:
                return _EMPTY
            if high - low == 1 and firsts[low] <= start and lasts[low] >= start + (1 << bits) - 1:
                return -2 - table[low][2]
            middle = start + (1 << bits - 1)
            left = subtree(start, bits - 1, low, bisect_left(firsts, middle, low, high))
            right = subtree(middle, bits - 1, bisect_left(lasts, middle, low, high), high)
            return self._node(left, right)

        return subtree(0, bits, 0, len(table))

    def grafted(self, v6: int, v4: int) -> int:
        """The IPv6 tree with the IPv4 tree at ::/96, where readers look for it. Nothing may be there before."""
        path = []
        node = v6
        for _ in range(96):
            left, right = self._nodes[node] if node >= 0 else (node, node)
            path.append(right)
            node = left
        if node != _EMPTY:
            raise ValueError("the IPv6 table has ranges inside ::/96, where the IPv4 tree belongs")
        node = v4
        for right in reversed(path):
            node = self._node(node, right)
        return node

    def ordered(self, root: int) -> List[Tuple[int, int]]:
        """The nodes reachable from `root`, renumbered so that it is 0 and a walk mostly goes forward."""
        numbers: Dict[int, int] = {}
        stack = [root]
        while stack:
            node = stack.pop()
            if node < 0 or node in numbers:
                continue
            numbers[node] = len(numbers)
            left, right = self._nodes[node]
            stack += (right, left)
        return [
            (numbers[left] if left >= 0 else left, numbers[right] if right >= 0 else right)
            for left, right in (self._nodes[node] for node in numbers)
        ]


class Records:
    """The record section: every string and map once; nested values by pointer."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._offsets: Dict[Union[str, Map], int] = {}

    def add(self, value: Union[str, Map]) -> int:
        """The offset of a string or map, written if it is new."""
        offset = self._offsets.get(value)
        if offset is None:
            if isinstance(value, str):
                encoded = _string(value)
            else:
                for key, item in value:  # what the map points at comes before it
                    self.add(key)
                    if not isinstance(item, int):
                        self.add(item)
                encoded = _control(_MAP, len(value)) + b"".join(
                    self._reference(key) + self._reference(item) for key, item in value
                )
            offset = self._offsets[value] = len(self.data)
            self.data += encoded
        return offset

    def _reference(self, value: Value) -> bytes:
        """The value itself or a pointer to it, whichever is shorter."""
        if isinstance(value, int):
            return _number(_UINT32, value)
        pointer = _pointer(self._offsets[value])
        return _string(value) if isinstance(value, str) and len(_string(value)) < len(pointer) else pointer


def database(
    v4: Sequence[Segment[Map]], v6: Sequence[Segment[Map]], kind: str, description: str, build_epoch: int
) -> bytes:
    """The file: two tables of records, and what the metadata says of them."""
    uses = Counter(value for table in (v4, v6) for _, _, value in table)
    ordered = sorted(uses, key=lambda value: (-uses[value], repr(value)))
    records = Records()
    for key in sorted({key for value in ordered for key in _keys(value)}):
        records.add(key)  # keys first: pointers to the first 2 KiB take two bytes
    offsets = [records.add(value) for value in ordered]
    numbers = {value: number for number, value in enumerate(ordered)}

    tree = Tree()
    roots = [
        tree.build([(first, last, numbers[value]) for first, last, value in table], bits)
        for table, bits in ((v4, 32), (v6, 128))
    ]
    nodes = tree.ordered(tree.grafted(roots[1], roots[0]))
    highest = len(nodes) + 16 + len(records.data)
    if highest >= 1 << _RECORD_BITS:
        raise ValueError(f"{len(nodes)} nodes and {len(records.data)} bytes of records do not fit {_RECORD_BITS} bits")

    def written(reference: int) -> bytes:
        if reference < 0:
            reference = len(nodes) if reference == _EMPTY else len(nodes) + 16 + offsets[-2 - reference]
        return reference.to_bytes(_RECORD_BITS // 8, "big")

    metadata = {
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, build_epoch),
        "database_type": (_STRING, kind),
        "description": (_MAP, {"en": description}),
        "ip_version": (_UINT16, 6),
        "languages": (_ARRAY, ["en"]),
        "node_count": (_UINT32, len(nodes)),
        "record_size": (_UINT16, _RECORD_BITS),
    }
    parts = [b"".join(written(left) + written(right) for left, right in nodes), bytes(16), bytes(records.data)]
    parts += [_MARKER, _control(_MAP, len(metadata))]
    parts += [_string(key) + _plain(code, value) for key, (code, value) in metadata.items()]
    return b"".join(parts)


def _keys(value: Value) -> List[str]:
    if not isinstance(value, tuple):
        return []
    return [key for pair in value for key in (pair[0], *_keys(pair[1]))]


def _plain(kind: int, value: object) -> bytes:
    """A metadata value, which the format wants without pointers."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return _control(_MAP, len(value)) + b"".join(_string(k) + _string(v) for k, v in value.items())
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(_string(item) for item in value)
    if isinstance(value, int):
        return _number(kind, value)
    raise TypeError(f"no metadata value: {value!r}")


def _control(kind: int, size: int) -> bytes:
    """The control byte(s) of a field."""
    if size < 29:
        low, more = size, b""
    elif size < 29 + 256:
        low, more = 29, bytes([size - 29])
    elif size < 285 + 65536:
        low, more = 30, struct.pack("!H", size - 285)
    else:
        raise ValueError(f"a field of {size} bytes does not belong into an IP database")
    return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


def _string(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return _control(_STRING, len(encoded)) + encoded


def _number(kind: int, number: int) -> bytes:
    encoded = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _control(kind, len(encoded)) + encoded


def _pointer(offset: int) -> bytes:
    """A pointer; four sizes, each starting where the smaller one ends."""
    if offset < 2048:
        return struct.pack("!H", _POINTER << 13 | offset)
    if offset < 526336:
        shifted = offset - 2048
        return bytes([_POINTER << 5 | 1 << 3 | shifted >> 16]) + struct.pack("!H", shifted & 0xFFFF)
    shifted = offset - 526336
    if shifted >= 1 << 27:
        return bytes([_POINTER << 5 | 3 << 3]) + struct.pack("!I", offset)
    return bytes([_POINTER << 5 | 2 << 3 | shifted >> 24]) + (shifted & 0xFFFFFF).to_bytes(3, "big")
