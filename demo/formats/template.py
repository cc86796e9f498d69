"""Raw logs at speed: a log line is built once as JSON with holes, and each event only fills the holes.

A hole is written `@@X@@` inside a JSON string, or `@@#X@@` (the whole string) for a bare number. The letters:

    T event time        R time of receipt (GCP's receiveTimestamp)      S start of the session
    I source address    A, B two version-4 UUIDs     N a decimal number of up to 19 digits     H 16 hex digits
    E event time in epoch milliseconds           W event time as Windows writes it
"""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
from typing import Any, Callable

from lab.events import Event

LETTERS = "TRSIABNHEW"
BITS = 320
"""Random bits one event consumes: identifiers, milliseconds and delay, all from one draw."""
LATE_DATA_OVERLAP = 7200
MAX_DELAY = 6600
"""Seconds; below the 2 h overlap within which the order of delivery must not matter."""

DAY = 86400
_CLOCK = [f"T{s // 3600:02d}:{s % 3600 // 60:02d}:{s % 60:02d}" for s in range(DAY)]
_HOLE = re.compile(r'"@@#([A-Z])@@"|@@([A-Z])@@')


def delays(median: float, spread: float, late_share: float = 0.0, late: tuple[float, float] = (0, 0)) -> list[float]:
    """A table of 4096 delivery delays in seconds: log-normal, with a share of late ones between `late` bounds."""
    rng = random.Random(f"{median}/{spread}/{late_share}/{late}")
    table = [
        rng.uniform(*late) if rng.random() < late_share else median * math.exp(rng.gauss(0, spread))
        for _ in range(4096)
    ]
    return [round(min(max(seconds, 0.5), MAX_DELAY), 1) for seconds in table]


@dataclasses.dataclass(frozen=True)
class Stream:
    """One input of the Splunk deployment: how its events are labelled, stamped and delayed.

    `delays` are drawn from at random; `fractions[ms]` ends a time stamp; `whole_seconds`: `_time` has no milliseconds.
    """

    source_kind: str
    index: str
    sourcetype: str
    source: str
    host: str
    delays: list[float] = dataclasses.field(repr=False)
    fractions: tuple[str, ...] = dataclasses.field(repr=False)
    whole_seconds: bool = False


def fractions(make: Callable[[int], str]) -> tuple[str, ...]:
    """The thousand possible endings of a time stamp, by millisecond."""
    return tuple(make(ms) for ms in range(1000))


WHOLE_SECONDS = fractions(lambda ms: "Z")
MILLISECONDS = fractions(lambda ms: f".{ms:03d}Z")


@dataclasses.dataclass(frozen=True)
class Template:
    """A raw event with holes: `text` in %-format and which values fill it, in order."""

    stream: Stream
    text: str
    holes: tuple[int, ...]

    @classmethod
    def of(cls, stream: Stream, record: dict[str, Any]) -> Template:
        """Compile a record whose strings contain holes."""
        order: list[int] = []

        def hole(found: re.Match[str]) -> str:
            order.append(LETTERS.index(found.group(1) or found.group(2)))
            return "%s"

        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).replace("%", "%%")
        return cls(stream, _HOLE.sub(hole, text), tuple(order))


@dataclasses.dataclass(frozen=True)
class Day:
    """One UTC day: its first second and its ISO date."""

    start: int
    date: str


def render(template: Template, day: Day, second: int, address: str, bits: int) -> Event:
    """One event at `second` of `day` from `address`. Pure: equal `bits` give equal bytes."""
    stream = template.stream
    digits = f"{bits:080x}"
    ms = bits % 1000
    ending = stream.fractions[ms]
    clock = day.date + _CLOCK[second]
    delay = stream.delays[bits & 4095]
    values = (
        clock + ending,
        day.date + _CLOCK[min(second + 1, DAY - 1)] + ending,
        day.date + _CLOCK[second - second % 14400] + "Z",
        address,
        f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}",
        f"{digits[30:38]}-{digits[38:42]}-4{digits[42:45]}-b{digits[45:48]}-{digits[48:60]}",
        (bits >> 24) & 0x7FFFFFFFFFFFFFFF,
        digits[60:76],
        (day.start + second) * 1000 + ms,
        f"{day.date} {_CLOCK[second][1:]}.{ms:03d}",
    )
    time = float(day.start + second) if stream.whole_seconds else day.start + second + ms / 1000
    raw = template.text % tuple([values[hole] for hole in template.holes])
    return Event(time, round(time + delay, 3), stream.index, stream.sourcetype, stream.source, stream.host, raw)
