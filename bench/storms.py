"""What an attacker or a bad day can send: as many different rows as a chunk holds, and enormous cells. Memory only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

from bench.commands import WRITTEN
from bench.driver import CHUNK_ROWS, Splunkd, encode, required_fields, run
from cba.command.reading import row_columns
from cba.detection.catalogue import load
from cba.judging.rows import CANDIDATE_OF, SKIP_REASON, SOURCE_FIELD
from lab.chunked import Row
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

SOURCE = "aws"
DETECTION = "cloud_unusual_country"
TODAY = 20_500
DAY = 86_400
PAST_DAYS = 21
MEGABYTE = 2**20
FEW = {
    "action": "UpdateFunctionCode", "package_type": "Zip", "runtime": "python3.12", "runtime_exact": "true",
    "function_write": "true", "region": "sa-east-1", "home_in": "eu-west-1", "global_service": "", "login": "console",
    "compute_action": "RunInstances", "compute_region": "sa-east-1", "secret_operation": "GetSecretValue",
    "asn": "64500", "as_org": "A network", "cloud_provider": "", "cloud_region": "", "ip_scope": "public",
    "signal_kind": "", "home_how": "AssumeRole by EC2",
}  # fmt: skip
"""Fields with few values, whatever somebody does."""


@dataclass(frozen=True)
class Storm:
    """Rows that a command gets when it knows `past`, if anything."""

    name: str
    command: str
    rows: Sequence[Row]
    past: Sequence[Row] = ()

    @property
    def args(self) -> tuple[str, ...]:
        return {"cbageo": ("ip=src_ip",), "cbabaseline": (f"detection={DETECTION}",)}.get(
            self.command, (f"source={SOURCE}",)
        )


@dataclass(frozen=True)
class Peak:
    """The most memory that a command held (bytes; None where the system does not tell), and how long it took."""

    storm: Storm
    memory: Optional[int]
    seconds: float


def storms(rows: int = CHUNK_ROWS) -> list[Storm]:
    """All of them, of at most so many rows."""
    strangers = [_row(TODAY, number, country="NL") for number in range(rows)]
    elsewhere = [_everywhere_new(number) for number in range(rows)]
    past = [_row(TODAY - ago, 0, country="NL") for ago in range(PAST_DAYS, 0, -1)]
    big = [
        _row(TODAY, number, identity=_big(number), src_ip=_big(number + 1), project=_big(number))
        for number in range(20)
    ]
    values = [_row(TODAY, 0, country="NL", identity="ann", project="p", asn=str(number)) for number in range(2 * rows)]
    return [
        Storm("each row of another identity and account", "cbajudge", strangers),
        Storm("each row of somebody somewhere new, with all there is to say", "cbajudge", elsewhere, past),
        Storm("each row of somebody somewhere new, with all there is to say", "cbabaseline", elsewhere, past),
        Storm("20 rows with cells of a megabyte", "cbageo", big),
        Storm("20 rows with cells of a megabyte", "cbajudge", big),
        Storm("20 rows with cells of a megabyte", "cbabaseline", big),
        Storm("ever new values of one entity", "cbajudge", values),
    ]


def measure(storm: Storm, head: SearchHead, home: Path, told: Callable[[str], None]) -> Peak:
    """Runs the command in a process of its own, in empty collections but for what it learns of the past."""
    told(f"storm: {storm.name}, {storm.command}")
    splunkd = Splunkd(head.splunkd.uri, head.splunkd.session_key)
    for name in WRITTEN:
        head.kv.collection(name).delete(None)
    if storm.past:
        _run(APP_DIR / "bin" / "cbajudge.py", (f"source={SOURCE}",), storm.past, splunkd, home)
    return Peak(storm, *_run(APP_DIR / "bin" / f"{storm.command}.py", storm.args, storm.rows, splunkd, home))


def _run(
    script: Path, args: tuple[str, ...], rows: Sequence[Row], splunkd: Splunkd, home: Path
) -> tuple[Optional[int], float]:
    needed = required_fields(script, args, splunkd, home)
    measured = run(script, args, encode(needed, rows), len(rows), splunkd, home)
    return measured.peak_bytes, measured.seconds


def _row(day: int, number: int, **more: str) -> Row:
    at = day * DAY + number % 96 // 96 * 900
    return {
        "bucket": at, "indexed": at, "events": 1, "event_times": at, SOURCE_FIELD: SOURCE, "provider": SOURCE,
        "identity": f"user-{number:030}", "identity_type": "user", "project": f"{number:012}", "outcome": "success",
        "src_ip": f"198.51.{number % 250}.{number // 250 % 250}", **more,
    }  # fmt: skip


def _everywhere_new(number: int) -> Row:
    """A candidate of all detections of the source, with a value of its own in every field that somebody can fill as he
    likes; the provider's words and the world's networks are what they are."""
    catalogue = load()
    of_source = [each.id for each in catalogue.detections.values() if SOURCE in each.sources]
    values = {name: f"{name}-{number:06}" for name in row_columns(catalogue.sources[SOURCE]) if name not in FEW}
    told = _row(TODAY, number, country="RU", project="000000000000", **FEW)
    return {**values, **told, CANDIDATE_OF: " ".join(of_source), SKIP_REASON: ""}


def _big(number: int) -> str:
    return f"{number:08}" * (MEGABYTE // 8)
