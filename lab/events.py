"""The lab's event store: append-only, raw text on disk, times in memory, found by hour.

Events are kept in blocks of one hour of event time. A block only ever grows, so whatever was computed for its first n
events stays right for them: the engine caches the per-event part of a search by (block, search text).
"""

from __future__ import annotations

import bisect
import tempfile
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Iterable, Iterator, Optional, Union

BLOCK_SECONDS = 3600
Meta = tuple[str, str, str, str]
"""(index, sourcetype, source, host)"""


@dataclass
class Event:
    """One log line. Times are epoch seconds; `indextime` is when it was delivered."""

    time: float
    indextime: float
    index: str
    sourcetype: str
    source: str
    host: str
    raw: str


class Block:
    """All events of one hour, in order of arrival. Positions are local (0 … len-1)."""

    __slots__ = (
        "first_indexed",
        "hour",
        "indextimes",
        "last_indexed",
        "lengths",
        "metas",
        "newest",
        "offsets",
        "oldest",
        "times",
    )

    def __init__(self, hour: int) -> None:
        self.hour = hour
        self.times = array("d")
        self.indextimes = array("d")
        self.metas = array("l")
        self.offsets = array("q")
        self.lengths = array("l")
        self.oldest = float("inf")
        self.newest = float("-inf")
        self.first_indexed = float("inf")
        self.last_indexed = float("-inf")

    def __len__(self) -> int:
        return len(self.times)

    def note(self, known: int) -> None:
        """Take notice of the events from the one at `known` on."""
        if known == len(self):
            return
        times, indextimes = self.times[known:], self.indextimes[known:]
        self.oldest, self.newest = min(self.oldest, min(times)), max(self.newest, max(times))
        self.first_indexed = min(self.first_indexed, min(indextimes))
        self.last_indexed = max(self.last_indexed, max(indextimes))


@dataclass(frozen=True)
class Slice:
    """The positions of `block` that a window sees, in order of arrival; `all` when it sees the whole block."""

    block: Block
    positions: Union[range, list[int]]
    all: bool


class EventStore:
    """Append-only store of raw events, found by event time, index time and visibility.

    `path` is the spool file; without one a temporary file is used, which disappears with the store.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        # Open as long as the store lives; close() or the end of the store closes it.
        self._spool: IO[bytes] = (
            open(path, "w+b") if path else tempfile.NamedTemporaryFile(prefix="lab-events-")  # noqa: SIM115
        )
        self._end = 0
        self._buffer: list[bytes] = []
        self._blocks: dict[int, Block] = {}
        self._hours: list[int] = []
        self._meta_ids: dict[Meta, int] = {}
        self.metas: list[Meta] = []
        self.counts: list[int] = []
        """How many events there are of each of `metas`."""
        self.reads: Optional[Counter[tuple[str, str]]] = None
        """By search and source type, how many events the runs of a search found with its base search, whatever becomes
        of them later; an event counts as often as it is found. Not counted unless somebody sets a Counter."""

    def __len__(self) -> int:
        return sum(self.counts)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which reads the same spool."""
        return {**self.__dict__, "_spool": self._spool.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _spool=open(state["_spool"], "rb"))  # noqa: SIM115

    def add(self, events: Iterable[Event]) -> int:
        """Append events (any order); returns how many."""
        known = len(self)
        buffer, end = self._buffer, self._end
        hour, meta, meta_id = -1, None, 0
        block = Block(hour)
        touched: dict[int, tuple[Block, int]] = {}
        try:
            for event in events:
                time = event.time
                if hour != time // BLOCK_SECONDS or hour not in touched:
                    hour = int(time // BLOCK_SECONDS)
                    block = self._block(hour)
                    touched.setdefault(hour, (block, len(block)))
                if meta != (event.index, event.sourcetype, event.source, event.host):
                    meta = event.index, event.sourcetype, event.source, event.host
                    meta_id = self._meta_id(meta)
                raw = event.raw.encode("utf-8", "surrogateescape")
                block.offsets.append(end)
                block.lengths.append(len(raw))
                block.metas.append(meta_id)
                block.indextimes.append(event.indextime)
                block.times.append(time)
                buffer.append(raw)
                end += len(raw)
                if len(buffer) >= 4096:
                    self._flush(end)
        finally:  # what came before an error stays
            self._flush(end)
            for block, first in touched.values():
                block.note(first)
                for meta_id, number in Counter(block.metas[first:]).items():
                    self.counts[meta_id] += number
        return len(self) - known

    def _block(self, hour: int) -> Block:
        block = self._blocks.get(hour)
        if block is None:
            block = self._blocks[hour] = Block(hour)
        return block

    def _meta_id(self, meta: Meta) -> int:
        known = self._meta_ids.get(meta)
        if known is None:
            known = self._meta_ids[meta] = len(self.metas)
            self.metas.append(meta)
            self.counts.append(0)
        return known

    def _flush(self, end: int) -> None:
        """Write what came since, up to `end` of the spool."""
        if self._buffer:
            self._spool.seek(self._end)
            self._spool.write(b"".join(self._buffer))
            self._spool.flush()
            self._end = end
            self._buffer.clear()

    def first_time(self) -> Optional[float]:
        return min((b.oldest for b in self._blocks.values()), default=None)

    def last_time(self) -> Optional[float]:
        return max((b.newest for b in self._blocks.values()), default=None)

    def scan(
        self,
        earliest: Optional[float],
        latest: Optional[float],
        visible_at: Optional[float] = None,
        index_earliest: Optional[float] = None,
        index_latest: Optional[float] = None,
    ) -> Iterator[Slice]:
        """Blocks with events in [earliest, latest), newest block first.

        `visible_at` hides what was indexed after that time; `index_earliest`/`index_latest` are [a, b) on index time.
        """
        low = float("-inf") if earliest is None else earliest
        high = float("inf") if latest is None else latest
        index_low = float("-inf") if index_earliest is None else index_earliest
        index_high = float("inf") if index_latest is None else index_latest
        seen_until = float("inf") if visible_at is None else visible_at
        if len(self._hours) != len(self._blocks):
            self._hours = sorted(self._blocks)
        first = bisect.bisect_left(self._hours, low // BLOCK_SECONDS) if low != float("-inf") else 0
        last = bisect.bisect_right(self._hours, high // BLOCK_SECONDS) if high != float("inf") else len(self._hours)
        for hour in reversed(self._hours[first:last]):
            block = self._blocks[hour]
            if block.newest < low or block.oldest >= high:
                continue
            if block.last_indexed < index_low or block.first_indexed >= index_high or block.first_indexed > seen_until:
                continue
            whole_time = block.oldest >= low and block.newest < high
            whole_index = index_low <= block.first_indexed and seen_until >= block.last_indexed < index_high
            if whole_time and whole_index:
                yield Slice(block, range(len(block)), True)
                continue
            times, indexed = block.times, block.indextimes
            positions = [
                n
                for n in range(len(times))
                if low <= times[n] < high and indexed[n] <= seen_until and index_low <= indexed[n] < index_high
            ]
            if positions:
                yield Slice(block, positions, False)

    def reader(self, block: Block, positions: Iterable[int]) -> Callable[[int], bytes]:
        """A function position → raw bytes. Reads the block's part of the spool at once where it is compact."""
        wanted = list(positions)
        if not wanted:
            return lambda n: b""
        start = min(block.offsets[n] for n in wanted)
        stop = max(block.offsets[n] + block.lengths[n] for n in wanted)
        total = sum(block.lengths[n] for n in wanted)
        offsets, lengths, spool = block.offsets, block.lengths, self._spool
        if stop - start <= 2 * total + 65536:
            spool.seek(start)
            data = spool.read(stop - start)
            return lambda n: data[offsets[n] - start : offsets[n] - start + lengths[n]]

        def read_one(n: int) -> bytes:
            spool.seek(offsets[n])
            return spool.read(lengths[n])

        return read_one

    def close(self) -> None:
        self._spool.close()
