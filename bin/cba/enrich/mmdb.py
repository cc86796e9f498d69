"""Reading one MaxMind DB file (the format, https://maxmind.github.io/MaxMind-DB/), fast in pure Python.

The format: a binary search tree over address bits whose leaves point into a section of records. `maxminddb` decodes the
records; the walk through the tree is our own, because maxminddb's pure-Python look-up costs more than three times as
much. A record is known by its pointer, so a caller can keep what it made of a record and decode each only once.
"""

from __future__ import annotations

import operator
import struct
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Set, Tuple

from maxminddb.decoder import Decoder
from maxminddb.errors import InvalidDatabaseError

from . import files
from .errors import GeoDatabaseError

_METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
_METADATA_MAX_BYTES = 128 * 1024  # where in the file's end the format allows the marker
_SEPARATOR_BYTES = 16  # between tree and records
_V4_IN_V6_BITS = 96  # an IPv6 tree holds IPv4 under ::/96

# A record of the largest databases in use has some 300 values and 10 KB of text. Pointers let a small file be endless:
# a record may name another a thousand times, which names a third as often.
_MOST_VALUES = 2_000
_MOST_BYTES = 65_536
_LONGEST_NUMBER = 16

# What a damaged file makes the decoder raise.
_DECODE_FAULTS = (
    InvalidDatabaseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    ArithmeticError,
    MemoryError,
    struct.error,
)

Record = Dict[str, Any]
Branch = Callable[[bytes, int, int], int]  # (buffer, node, bit) -> next node


def _branch_24(buffer: bytes, node: int, bit: int) -> int:
    at = node * 6 + bit * 3
    return buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]


def _branch_28(buffer: bytes, node: int, bit: int) -> int:
    at = node * 7
    if bit:
        return (buffer[at + 3] & 0x0F) << 24 | buffer[at + 4] << 16 | buffer[at + 5] << 8 | buffer[at + 6]
    return (buffer[at + 3] & 0xF0) << 20 | buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]


def _branch_32(buffer: bytes, node: int, bit: int) -> int:
    at = node * 8 + bit * 4
    return int.from_bytes(buffer[at : at + 4], "big")


class _BoundedDecoder(Decoder):
    """maxminddb's decoder, which takes any number of values for a record, with an end."""

    _POINTER, _NUMBERS, _CONTAINERS = 1, (5, 6, 8, 9, 10), (7, 11)

    values_read = 0
    _values_left = _bytes_left = 0

    def record(self, offset: int) -> Any:
        """The value at an offset. Raises one of _DECODE_FAULTS."""
        self._values_left, self._bytes_left = _MOST_VALUES, _MOST_BYTES
        value, _ = self.decode(offset)
        return value

    def decode(self, offset: int) -> Tuple[Any, int]:
        self._values_left -= 1
        self.values_read += 1
        if self._values_left < 0:
            raise InvalidDatabaseError(f"a record has more than {_MOST_VALUES} values")
        found: Tuple[Any, int] = super().decode(offset)
        return found

    def _size_from_ctrl_byte(self, ctrl_byte: int, offset: int, type_num: int) -> Tuple[int, int]:
        size, offset = super()._size_from_ctrl_byte(ctrl_byte, offset, type_num)
        if type_num in self._NUMBERS and size > _LONGEST_NUMBER:
            raise InvalidDatabaseError(f"a number has {size} bytes")
        if type_num != self._POINTER and type_num not in self._CONTAINERS:
            self._bytes_left -= size
            if self._bytes_left < 0:
                raise InvalidDatabaseError(f"a record has more than {_MOST_BYTES} bytes")
        return size, offset


_BRANCHES: Dict[int, Branch] = {24: _branch_24, 28: _branch_28, 32: _branch_32}


class MmdbFile:
    """A MaxMind DB file held in memory (a file on disk stays replaceable while a search runs)."""

    def __init__(self, path: Path, remedy: str) -> None:
        """Read the file; GeoDatabaseError (ending in `remedy`) when it is missing or no MaxMind DB."""
        self.path = path
        self._remedy = remedy
        try:
            self._buffer = files.read(path, files.IP_DATABASE)
        except OSError as error:
            raise self._error(f"the IP database cannot be read ({error.strerror or error})") from error
        metadata = self._read_metadata()
        try:
            self.type = str(metadata["database_type"])
            self.built = datetime.fromtimestamp(metadata["build_epoch"], timezone.utc)
            self.description = str((metadata.get("description") or {}).get("en", ""))
            self._nodes = operator.index(metadata["node_count"])
            self._branch = _BRANCHES[metadata["record_size"]]
            self._record_bits: int = metadata["record_size"]
            self._address_bits = {4: 32, 6: 128}[metadata["ip_version"]]
            records_at = self._nodes * metadata["record_size"] // 4 + _SEPARATOR_BYTES
        except (*_DECODE_FAULTS, OSError) as error:
            raise self._error(f"the IP database has damaged metadata ({error!r})") from error
        if self._nodes < 0 or records_at > len(self._buffer):
            raise self._error("the IP database is cut short")
        # A pointer p > node count names the record at `p - node count - separator` of the record section.
        self._pointer_offset = records_at - self._nodes - _SEPARATOR_BYTES
        self._decoder = _BoundedDecoder(self._buffer, records_at)
        self._v4_root = self._find_v4_root()
        self._v4_subtrees: Dict[int, int] = {}

    def _error(self, problem: str) -> GeoDatabaseError:
        return GeoDatabaseError(self.path, problem, self._remedy)

    def _read_metadata(self) -> Record:
        marker = self._buffer.rfind(_METADATA_MARKER, max(0, len(self._buffer) - _METADATA_MAX_BYTES))
        if marker < 0:
            raise self._error("this is no MaxMind DB file, or it is cut short")
        start = marker + len(_METADATA_MARKER)
        try:
            metadata = _BoundedDecoder(self._buffer, start).record(start)
        except _DECODE_FAULTS as error:
            raise self._error(f"the IP database has damaged metadata ({error!r})") from error
        if not isinstance(metadata, dict):
            raise self._error("the IP database has damaged metadata")
        return metadata

    def _find_v4_root(self) -> int:
        node = 0
        if self._address_bits == 128:
            for _ in range(_V4_IN_V6_BITS):
                if node >= self._nodes:
                    break
                node = self._branch(self._buffer, node, 0)
        return node

    def find(self, packed: bytes) -> int:
        """The pointer of the record for an address of 4 or 16 bytes; 0 when the file has none."""
        if len(packed) == 4:
            node, bits_left = self._v4_subtree(packed), 16
        elif self._address_bits == 128:
            node, bits_left = 0, 128
        else:
            return 0
        number = int.from_bytes(packed, "big")
        buffer, nodes = self._buffer, self._nodes
        if self._record_bits == 24:  # our own file: the branch written out, calls cost more than the work
            while bits_left and node < nodes:
                bits_left -= 1
                at = node * 6 + (number >> bits_left & 1) * 3
                node = buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]
        else:
            branch = self._branch
            while bits_left and node < nodes:
                bits_left -= 1
                node = branch(buffer, node, number >> bits_left & 1)
        return node if node > nodes else 0

    def _v4_subtree(self, packed: bytes) -> int:
        """Where the walk stands after the first 16 bits; at most 65,536 of them are remembered."""
        head = packed[0] << 8 | packed[1]
        node = self._v4_subtrees.get(head)
        if node is None:
            node = self._v4_root
            for shift in range(15, -1, -1):
                if node >= self._nodes:
                    break
                node = self._branch(self._buffer, node, head >> shift & 1)
            self._v4_subtrees[head] = node
        return node

    def record(self, pointer: int) -> Record:
        """The record a pointer of `find` names; GeoDatabaseError when that place of the file is damaged."""
        try:
            value = self._decoder.record(pointer + self._pointer_offset)
        except _DECODE_FAULTS as error:
            raise self._error(f"the IP database is damaged ({error!r})") from error
        if not isinstance(value, dict):
            raise self._error(f"the IP database holds {type(value).__name__} where a map is expected")
        return value

    @property
    def values_read(self) -> int:
        """How many values of records have been decoded so far."""
        return self._decoder.values_read

    def pointers(self, most_nodes: Optional[int] = None) -> Iterator[int]:
        """Each record's pointer, once per network that has it, in address order; of the first `most_nodes` nodes.

        A node that is met again (IPv4 hangs in an IPv6 tree in several places) is not walked again: in a damaged tree
        that would have no end.
        """
        stack = [0]
        met: Set[int] = set()
        while stack:
            node = stack.pop()
            if node > self._nodes:
                yield node
            elif node < self._nodes and node not in met:
                if len(met) == most_nodes:
                    return
                met.add(node)
                for bit in (1, 0):
                    stack.append(self._branch(self._buffer, node, bit))
