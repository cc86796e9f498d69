"""What an attacker costs who invents values, as many as he can have logged: hosts' tools, resources, functions' roles,
identities. Runs of `cbajudge`, one after the other, each with so many that were never seen before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

from bench.driver import Splunkd, encode, required_fields, run
from lab.chunked import Row
from lab.kvstore import Collection
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

TODAY = 20_500
DAY = 86_400
RUNS = 20
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Invention:
    """Values of a kind that were invented, over so many runs: seconds of the first and of the last run, the most memory
    of one, and what is kept of them in the end."""

    kind: str
    values: int
    first_seconds: float
    last_seconds: float
    memory: Optional[int]
    documents: int
    bytes: int


def _endpoint(number: int, at: int, **more: str) -> Row:
    told = {"tool": "tool.exe to s3.amazonaws.com", "process": "tool.exe", "resource": "own.s3.amazonaws.com", **more}
    return {
        "bucket": at, "indexed": at, "events": 1, "event_times": at, "source_kind": "endpoint", "host": "host-7",
        "outcome": "success", "resource_scope": "tenant", **told,
    }  # fmt: skip


def _tool(number: int, at: int) -> Row:
    return _endpoint(number, at, tool=f"p{number}.exe to s3.amazonaws.com", process=f"p{number}.exe")


def _resource(number: int, at: int) -> Row:
    return _endpoint(number, at, resource=f"r{number}.s3.amazonaws.com")


def _identity(number: int, at: int) -> Row:
    return {
        "bucket": at, "indexed": at, "events": 1, "event_times": at, "source_kind": "aws", "provider": "aws",
        "identity": f"arn:aws:iam::000000000001:user/u{number}", "identity_type": "user", "project": "000000000001",
        "country": "NL", "outcome": "success", "src_ip": "198.51.100.7",
    }  # fmt: skip


KINDS: dict[str, tuple[str, Callable[[int, int], Row]]] = {
    "tools of one host": ("endpoint", _tool),
    "resources of one host": ("endpoint", _resource),
    "identities": ("aws", _identity),
}


def measure(kind: str, rows: int, head: SearchHead, home: Path, told: Callable[[str], None]) -> Invention:
    """RUNS runs of so many rows, a day each, in an empty store."""
    source, made = KINDS[kind]
    histories = head.kv.collection("cba_history")
    histories.delete(None)
    splunkd = Splunkd(head.splunkd.uri, head.splunkd.session_key)
    script, args = APP_DIR / "bin" / "cbajudge.py", (f"source={source}",)
    fields = required_fields(script, args, splunkd, home)
    seconds, peaks = [], []
    for number in range(RUNS):
        told(f"invented {kind}: run {number + 1} of {RUNS}")
        at = (TODAY + number) * DAY
        invented = [made(number * rows + k, at) for k in range(rows)]
        one = run(script, args, encode(fields, invented), rows, splunkd, home)
        seconds.append(one.seconds)
        peaks.append(one.peak_bytes or 0)
    documents, size = _kept(histories)
    return Invention(kind, RUNS * rows, seconds[0], seconds[-1], max(peaks) or None, documents, size)


def _kept(collection: Collection) -> tuple[int, int]:
    """The documents and their bytes."""
    sizes = list(_sizes(collection))
    return len(sizes), sum(sizes)


def _sizes(collection: Collection) -> Iterator[int]:
    for document in collection.scan():
        yield sum(len(str(value)) for value in document.values())


def all_kinds(rows: int, head: SearchHead, home: Path, told: Callable[[str], None]) -> Sequence[Invention]:
    return [measure(kind, rows, head, home, told) for kind in KINDS]
