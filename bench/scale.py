"""How the cost of one batch depends on how much is remembered: the histories of ten thousand to a million entities, and
the rows that a source's search finds in a quarter of an hour, handed to `cbajudge` in a process of its own.

The histories are heavy-tailed, as real ones: most entities know one value or two, few know a dozen; and most rows are
of the entities that are seen most. Beside it, what people do today over as many pairs (`lookup`): a baseline lookup
that is read whole, added to, summarised and written again.
"""

from __future__ import annotations

import csv
import json
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Iterator, Sequence

from bench.arithmetic import Summary
from bench.driver import Measurement, Splunkd, encode, required_fields, run
from cba.history.days import DaySet
from cba.history.history import History, Subject
from cba.store.histories import encode as document_of
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY
from lab.chunked import Row
from lab.replay import APP_DIR
from lab.rest import Request, Response
from lab.searchhead import SearchHead

ENTITIES = (10_000, 100_000, 1_000_000)
FEWEST = ENTITIES[0]
REPETITIONS = 5
ROWS = 1_000
DAY = 20_500
COUNTRIES = ("NL", "DE", "US", "IN", "PL", "GB", "SG", "FR", "ES", "BE", "IT", "SE", "IE", "BR", "JP", "AU")
PROFILES = {
    "aws": "identity_country", "azure": "identity_country", "gcp": "identity_country", "kubernetes": "identity_country",
    "m365": "identity_country", "gws": "identity_country", "endpoint": "host_tool",
}  # fmt: skip
"""The profile that each source asks for every row."""


@dataclass(frozen=True)
class Batch:
    """What the batches of a source cost with so many entities: medians with lowest and highest."""

    source: str
    entities: int
    seconds: Summary
    requests: Summary
    bytes_moved: Summary
    peak_bytes: Summary


@dataclass(frozen=True)
class Stored:
    entities: int
    documents: int
    bytes_each: Summary


@dataclass(frozen=True)
class Lookup:
    """One run of the usual baseline lookup over so many pairs, beside the pairs that ours reads and writes."""

    pairs: int
    rows_read: int
    rows_written: int
    seconds: Summary


class Traffic:
    """Requests to the KV store and the bytes of their bodies and answers."""

    def __init__(self, head: SearchHead) -> None:
        self.requests = self.bytes = 0
        answer = head.splunkd.endpoints.answer

        def counted(request: Request) -> Response:
            response = answer(request)
            if "storage/collections/data" in request.path:
                self.requests += 1
                self.bytes += len(request.body) + len(response.body)
            return response

        setattr(head.splunkd.endpoints, "answer", counted)  # noqa: B010 (a method of this one object)

    def since(self) -> tuple[int, int]:
        """What there was since the last time."""
        told, self.requests, self.bytes = (self.requests, self.bytes), 0, 0
        return told


def name_of(number: int, source: str) -> str:
    """An entity as logs call it."""
    if source == "endpoint":
        return f"workstation-{number:07}"
    return f"arn:aws:iam::{100_000_000_000 + number % 997}:user/person-{number:07}"


def grow(head: SearchHead, source: str, since: int, until: int) -> None:
    """Remembers more entities."""
    collection = head.kv.collection("cba_history")
    batch: list[dict[str, Any]] = []
    for number in range(since, until):
        batch.append(document_of(*_history(source, number), writer=source))
        if len(batch) == 5_000:
            collection.save_all(batch)
            batch = []
    collection.save_all(batch)


def _history(source: str, number: int) -> tuple[Subject, History]:
    chance = random.Random(number)
    known = min(int(chance.paretovariate(1.2)), 12)
    first = DAY - chance.randint(20, 55)
    days = DaySet(first, DAY - 1, (1 << (DAY - first)) - 1)
    names = [COUNTRIES[0], *chance.sample(COUNTRIES[1:], known - 1)]
    values = names if source != "endpoint" else [f"tool-{name}.exe to s3.amazonaws.com" for name in names]
    return Subject(PROFILES[source], name_of(number, source)), History(dict.fromkeys(values, days))


def batch(source: str, entities: int, seed: int) -> list[Row]:
    """The rows of one quarter of an hour."""
    chance, start = random.Random(f"{source}/{seed}"), DAY * SECONDS_PER_DAY + 36_000 + seed * BUCKET_SECONDS
    rows = []
    for _number in range(ROWS):
        # The same draw among however many there are: only the history grows.
        number = min(int(chance.paretovariate(0.35)) - 1, FEWEST - 1) * (entities // FEWEST)
        row: Row = {"bucket": start, "indexed": start, "events": 3, "event_times": start, "source_kind": source}
        if source == "endpoint":
            row.update(
                host=name_of(number, source), resource="shared.s3.amazonaws.com", outcome="success",
                tool="tool-NL.exe to s3.amazonaws.com", process="tool-NL.exe",
            )  # fmt: skip
        else:
            row.update(
                provider=source, project=f"project-{number % 97}", identity=name_of(number, source),
                identity_type="user", src_ip=f"198.51.{number % 256}.7", country="NL", outcome="success",
            )  # fmt: skip
        rows.append(row)
    return rows


def measure(source: str, sizes: Sequence[int], folder: Path, repetitions: int) -> tuple[list[Batch], list[Stored]]:
    """The cost of batches as the histories of a source's entities grow."""
    batches, stored, before = [], [], 0
    with SearchHead(APP_DIR, folder) as head:
        traffic, splunkd = Traffic(head), Splunkd(head.splunkd.uri, head.splunkd.session_key)
        script, args = APP_DIR / "bin" / "cbajudge.py", (f"source={source}",)
        days = {"_key": f"{source}:{source}", "source": source, "writer": source, "first_day": DAY - 60,
                "last_day": DAY - 1, "days": DaySet(DAY - 60, DAY - 1, (1 << 60) - 1).encode()}  # fmt: skip
        head.kv.collection("cba_sources").save_all([days])
        fields = required_fields(script, args, splunkd, folder)
        for size in sizes:
            grow(head, source, before, size)
            before = size
            run(
                script, args, encode(fields, batch(source, size, 0)), ROWS, splunkd, folder
            )  # what all batches have met
            measured: list[tuple[Measurement, int, int]] = []
            traffic.since()
            for number in range(1, repetitions + 1):
                chunks = encode(fields, batch(source, size, number))
                one = run(script, args, chunks, ROWS, splunkd, folder)
                measured.append((one, *traffic.since()))
            batches.append(
                Batch(
                    source, size,
                    Summary.of([one.seconds for one, _requests, _bytes in measured]),
                    Summary.of([requests for _one, requests, _bytes in measured]),
                    Summary.of([moved for _one, _requests, moved in measured]),
                    Summary.of([one.peak_bytes or 0 for one, _requests, _bytes in measured]),
                )
            )  # fmt: skip
            stored.append(_stored(source, size))
    return batches, stored


def _stored(source: str, size: int) -> Stored:
    sample = range(0, size, max(1, size // 5_000))
    found = [document_of(*_history(source, number), writer=source) for number in sample]
    sizes = [len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode()) for each in found]
    return Stored(size, size, Summary.of(sizes))


def lookup(pairs: int, folder: Path, repetitions: int) -> Lookup:
    """The usual baseline lookup, in Python's csv as the kindest stand-in: all rows are read, the batch's are added, and
    all are written again. Splunk's own `inputlookup | stats | outputlookup` does no less."""
    path, seconds = folder / "baseline.csv", []
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(_pairs(pairs))
    for number in range(repetitions):
        began = time.perf_counter()
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
        seconds.append(time.perf_counter() - began)
    return Lookup(pairs, pairs, pairs, Summary.of(seconds))


def _pairs(count: int) -> Iterator[tuple[str, str, int, int]]:
    for number in range(count):
        yield name_of(number, "aws"), "NL", (DAY - 30) * SECONDS_PER_DAY, (DAY - 1) * SECONDS_PER_DAY


def table(batches: Sequence[Batch], stored: Sequence[Stored]) -> str:
    """Markdown; each figure with its ratio to the smallest size."""
    lines = [
        "| source | entities | seconds a batch | ratio | KV requests | KB moved | ratio | peak memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    first: dict[str, Batch] = {}
    for one in batches:
        base = first.setdefault(one.source, one)
        lines.append(
            f"| {one.source} | {one.entities:,} | {_spread(one.seconds, 2)} | "
            f"{one.seconds.median / base.seconds.median:.2f} | {one.requests.median:.0f} | "
            f"{one.bytes_moved.median / 1000:,.0f} | "
            f"{one.bytes_moved.median / base.bytes_moved.median:.2f} | {one.peak_bytes.median / 1e6:.0f} |"
        )
    sizes = {one.entities: one.bytes_each for one in stored}
    told = (f"Bytes a history, {n:,} entities: {s.median:.0f} ({s.low:.0f}–{s.high:.0f})." for n, s in sizes.items())
    lines += ["", *told]
    return "\n".join(lines) + "\n"


def against(batches: Sequence[Batch], lookups: Sequence[Lookup]) -> str:
    """Markdown: the lookup beside one batch of ours, by pairs."""
    ours = {one.entities: one for one in batches if one.source == "aws"}
    lines = [
        "| pairs | lookup: rows read and written a run | seconds a run | ours: rows touched | seconds a run "
        "| lookup/ours, rows | lookup/ours, seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in lookups:
        mine = ours[one.pairs]
        touched = 2 * len({row["identity"] for row in batch("aws", one.pairs, 1)})
        moved = one.rows_read + one.rows_written
        lines.append(
            f"| {one.pairs:,} | {moved:,} | {_spread(one.seconds, 2)} | {touched:,} | {_spread(mine.seconds, 2)} | "
            f"{moved / touched:,.0f} | {one.seconds.median / mine.seconds.median:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _spread(summary: Summary, digits: int) -> str:
    return f"{summary.median:.{digits}f} ({summary.low:.{digits}f}–{summary.high:.{digits}f})"


def main(sources: Iterable[str], sizes: Sequence[int], repetitions: int) -> str:
    """Everything, as Markdown."""
    batches: list[Batch] = []
    stored: list[Stored] = []
    with tempfile.TemporaryDirectory(prefix="cba-scale-") as name:
        for source in sources:
            more, kept = measure(source, sizes, Path(name) / source, repetitions)
            batches += more
            stored += kept if source == "aws" else []
        lookups = [lookup(size, Path(name), repetitions) for size in sizes]
    return table(batches, stored) + "\n" + against(batches, lookups)
