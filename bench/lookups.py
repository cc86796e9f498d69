"""What people do today in the place of histories, over so many pairs of who and what: a baseline lookup that is read
whole, added to and written again, and first-seen over the raw events of thirty days.

Python's csv stands in for Splunk, and is kind to it: `inputlookup | append | stats | outputlookup`, and a search over
raw events, do no less.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from bench.arithmetic import Summary
from bench.scale import DAY, batch, pairs_of
from cba.terms import SECONDS_PER_DAY

EVENTS_PER_PAIR = 4
"""Raw events of thirty days for each pair: few, and kind to first-seen."""


@dataclass(frozen=True)
class Lookup:
    """One run of a way over so many pairs: rows read and written, and seconds."""

    way: str
    pairs: int
    rows_read: int
    rows_written: int
    seconds: Summary


def baseline(pairs: int, folder: Path, repetitions: int) -> Lookup:
    """The usual baseline lookup: all rows are read, the batch's are added, and all are written again."""
    path = folder / "baseline.csv"
    month = (DAY - 30) * SECONDS_PER_DAY, (DAY - 1) * SECONDS_PER_DAY
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((*pair, *month) for pair in pairs_of(pairs))

    def once(number: int) -> None:
        known: dict[tuple[str, str], tuple[int, int]] = {}
        with open(path, encoding="utf-8", newline="") as file:
            for entity, value, *times in csv.reader(file):
                known[entity, value] = int(times[0]), int(times[1])
        for row in batch("aws", pairs, number):
            key = row["identity"], row["country"]
            first, last = known.get(key, (row["bucket"], row["bucket"]))
            known[key] = min(first, row["bucket"]), max(last, row["bucket"])
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((*key, *times) for key, times in known.items())

    return Lookup("baseline lookup", pairs, pairs, pairs, _timed(once, repetitions))


def first_seen(pairs: int, folder: Path, repetitions: int) -> Lookup:
    """First-seen over raw events: all events of thirty days are read, and those pairs given that begin in the batch."""
    path = folder / "events.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for k in range(EVENTS_PER_PAIR):
            writer.writerows((*pair, (DAY - 30 + 7 * k) * SECONDS_PER_DAY) for pair in pairs_of(pairs))

    def once(number: int) -> int:
        first: dict[tuple[str, str], int] = {}
        with open(path, encoding="utf-8", newline="") as file:
            for entity, value, second in csv.reader(file):
                key, at = (entity, value), int(second)
                first[key] = min(at, first.get(key, at))
        return sum((row["identity"], row["country"]) not in first for row in batch("aws", pairs, number))

    return Lookup("first-seen over 30 days", pairs, EVENTS_PER_PAIR * pairs, 0, _timed(once, repetitions))


def _timed(once: Callable[[int], object], repetitions: int) -> Summary:
    seconds = []
    for number in range(repetitions):
        began = time.perf_counter()
        once(number)
        seconds.append(time.perf_counter() - began)
    return Summary.of(seconds)
