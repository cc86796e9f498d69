"""How the cost of one batch depends on how much is remembered: the histories of ten thousand to a million entities, and
the rows that a source's search finds in a quarter of an hour, handed to `cbajudge` in a process of its own.

The histories are heavy-tailed, as real ones: most entities know one value or two, few know a dozen; and most rows are
of the entities that are seen most. The six sources of identities share one store of histories, as in an organization;
that of endpoints has hosts and resources. Beside it, what people do today over as many pairs (`lookups`).
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from bench.arithmetic import Summary
from bench.driver import Measurement, Splunkd, encode, required_fields, run
from cba.history.days import DaySet
from cba.history.history import History, Subject
from cba.store.histories import encode as document_of
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY, SOURCES
from lab.chunked import Row
from lab.replay import APP_DIR
from lab.rest import Request, Response
from lab.searchhead import SearchHead

ENTITIES = (10_000, 100_000, 1_000_000)
FEWEST = ENTITIES[0]
ROWS = 1_000
DAY = 20_500
COUNTRIES = ("NL", "DE", "US", "IN", "PL", "GB", "SG", "FR", "ES", "BE", "IT", "SE", "IE", "BR", "JP", "AU")
PROJECTS = 97
ENDPOINT = "endpoint"
PROFILES = {
    **dict.fromkeys(SOURCES, ("identity_country",)),
    **dict.fromkeys(("aws", "azure", "gcp"), ("identity_country", "identity_project")),
    ENDPOINT: ("host_tool", "resource_host"),
}
"""What each source asks of the entities of every row of its batch, and remembers of them."""
WRITER = "the past"
"""Of the histories that were there before."""


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
    """The documents of a profile when so many entities are remembered, and the bytes of each."""

    profile: str
    entities: int
    bytes_each: Summary


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


def name_of(profile: str, number: int) -> str:
    """An entity as logs call it."""
    kind = profile.partition("_")[0]
    if kind == "identity":
        return f"arn:aws:iam::{100_000_000_000 + number % PROJECTS}:user/person-{number:07}"
    return f"workstation-{number:07}" if kind == "host" else f"tenant-{number:07}.s3.amazonaws.com"


def history_of(profile: str, number: int) -> History:
    """What such an entity is remembered with: one value, or more, up to a dozen, as chance has it."""
    chance = random.Random(f"{profile}/{number}")
    known = min(int(chance.paretovariate(1.2)), 12)
    first = DAY - chance.randint(20, 55)
    days = DaySet(first, DAY - 1, (1 << (DAY - first)) - 1)
    if profile == "identity_project":
        names = [f"{100_000_000_000 + (number + k) % PROJECTS}" for k in range(known)]
    elif profile == "resource_host":
        names = [name_of("host_tool", number + k) for k in range(min(known, 2))]
    else:
        countries = [COUNTRIES[0], *chance.sample(COUNTRIES[1:], known - 1)]
        names = countries if profile != "host_tool" else [f"tool-{name}.exe to s3.amazonaws.com" for name in countries]
    return History(dict.fromkeys(names, days))


def grow(head: SearchHead, profile: str, since: int, until: int, told: Callable[[str], None]) -> None:
    """Remembers more entities."""
    collection = head.kv.collection("cba_history")
    batch: list[dict[str, Any]] = []
    for number in range(since, until):
        batch.append(document_of(Subject(profile, name_of(profile, number)), history_of(profile, number), WRITER))
        if len(batch) == 5_000:
            collection.save_all(batch)
            batch = []
            told(f"{profile}: {number:,} of {until:,} remembered")
    collection.save_all(batch)


def batch(source: str, entities: int, seed: int) -> list[Row]:
    """The rows of one quarter of an hour."""
    chance, start = random.Random(f"{source}/{seed}"), DAY * SECONDS_PER_DAY + 36_000 + seed * BUCKET_SECONDS
    rows = []
    for _number in range(ROWS):
        # The same draw among however many there are: only what is remembered grows.
        number = min(int(chance.paretovariate(0.35)) - 1, FEWEST - 1) * (entities // FEWEST)
        row: Row = {"bucket": start, "indexed": start, "events": 3, "event_times": start, "source_kind": source}
        if source == ENDPOINT:
            row.update(
                host=name_of("host_tool", number), resource=name_of("resource_host", number), outcome="success",
                resource_scope="tenant", tool="tool-NL.exe to s3.amazonaws.com", process="tool-NL.exe",
            )  # fmt: skip
        else:
            row.update(
                provider=source, project=f"{100_000_000_000 + number % PROJECTS}", outcome="success",
                identity=name_of("identity_country", number), identity_type="user",
                src_ip=f"198.51.{number % 256}.7", country="NL",
            )  # fmt: skip
        rows.append(row)
    return rows


def measure(
    sources: Sequence[str], sizes: Sequence[int], folder: Path, repetitions: int, told: Callable[[str], None]
) -> tuple[list[Batch], list[Stored]]:
    """The cost of batches of sources that share a store of histories, as these grow."""
    batches, stored, before = [], [], 0
    profiles = list(dict.fromkeys(profile for source in sources for profile in PROFILES[source]))
    with SearchHead(APP_DIR, folder) as head:
        traffic, splunkd = Traffic(head), Splunkd(head.splunkd.uri, head.splunkd.session_key)
        days = {"first_day": DAY - 60, "last_day": DAY - 1, "days": DaySet(DAY - 60, DAY - 1, (1 << 60) - 1).encode()}
        head.kv.collection("cba_sources").save_all(
            [{"_key": f"{source}:{source}", "source": source, "writer": source, **days} for source in sources]
        )
        for size in sizes:
            for profile in profiles:
                grow(head, profile, before, size, told)
                stored.append(_stored(profile, size))
            before = size
            for source in sources:
                told(f"{source}: batches among {size:,} entities")
                batches.append(batches_of(source, size, splunkd, traffic, folder, repetitions))
    return batches, stored


def batches_of(source: str, size: int, splunkd: Splunkd, traffic: Traffic, folder: Path, repetitions: int) -> Batch:
    """What the batches of a source cost when so many entities are remembered."""
    script, args = APP_DIR / "bin" / "cbajudge.py", (f"source={source}",)
    fields = required_fields(script, args, splunkd, folder)
    measured: list[tuple[Measurement, int, int]] = []
    for number in range(repetitions + 1):  # the first teaches what all batches meet
        chunks = encode(fields, batch(source, size, number))
        traffic.since()
        measured.append((run(script, args, chunks, ROWS, splunkd, folder), *traffic.since()))
    ones, requests, moved = zip(*measured[1:])
    return Batch(
        source, size, Summary.of([one.seconds for one in ones]), Summary.of(requests), Summary.of(moved),
        Summary.of([one.peak_bytes or 0 for one in ones]),
    )  # fmt: skip


def _stored(profile: str, size: int) -> Stored:
    sample = range(0, size, max(1, size // 2_000))
    found = (document_of(Subject(profile, name_of(profile, n)), history_of(profile, n), WRITER) for n in sample)
    sizes = [len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode()) for each in found]
    return Stored(profile, size, Summary.of(sizes))


def pairs_of(count: int) -> Iterator[tuple[str, str]]:
    """So many pairs of an identity and a country that are known."""
    for number in range(count):
        yield name_of("identity_country", number), "NL"
