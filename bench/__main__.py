"""`./dev bench`: how often each event is read and how long searches are; rows a second and peak memory of every command
beside an SDK echo, through the real protocol; the most that storms make commands hold; a month of generated logs
through all searches; bytes of a history in the KV store; --scale: a batch among up to a million entities, beside what
people do today. Tables and aims: docs/performance.md, which --write renews."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

from bench import commands, document, fleet, inventions, lookups, plot, reading, report, scale, storms
from bench.commands import recorded_rows
from bench.driver import CHUNK_ROWS
from bench.replay import filled, measured_apart, organization_of, replay
from bench.storage import history_bytes
from demo import Organization
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.terminal import going_on

EVENTS = 200_000
QUICK_EVENTS = 30_000
QUICK_STORM = 2_000
LONG_TERM_EVENTS = 1_000_000
MANY_DETECTIONS = 50
READ = Organization(days=1, events_per_day=2000)
"""A day of logs, each search run at each of its 96 ticks."""
STORM_REPETITIONS = 2
"""A storm's peak hardly differs from run to run."""
PICTURE = "docs/scale.svg"
TABLES = ("reads", "replay", "histories", "commands", "storms", "million")
"""What is measured but for --scale."""

Tables = Iterator[tuple[str, str]]
"""The name of a table's place in docs/performance.md, and the table."""


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS:,} events, 2 repetitions")
    parser.add_argument("--million", action="store_true", help=f"also replay {LONG_TERM_EVENTS:,} events, once")
    parser.add_argument("--scale", action="store_true", help="instead: a batch among 10,000 to a million entities")
    parser.add_argument("--events", type=int, metavar="N", help=f"size of the replay (default {EVENTS:,})")
    parser.add_argument("--rows", type=int, default=100_000, metavar="N", help="most rows per command (100,000)")
    parser.add_argument("--repetitions", type=int, metavar="N", help="runs of each, medians of which are told (5)")
    parser.add_argument("--only", metavar="TABLE,…", help=f"some of {', '.join(TABLES)}")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {document.PAGE}")
    options = parser.parse_args(arguments)
    options.events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    options.repetitions = options.repetitions or (2 if options.quick else 5)
    options.only = options.only.split(",") if options.only else [name for name in TABLES if name != "million"]
    if options.million:
        options.only.append("million")
    if wrong := set(options.only) - set(TABLES):
        parser.error(f"there is no table {', '.join(sorted(wrong))}; there are {', '.join(TABLES)}")
    return options


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    print(
        f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    )
    measured: dict[str, str] = {}
    try:
        for name, made in _scaled(options) if options.scale else _everything(options):
            print(f"\n{name}\n\n{made}", flush=True)
            measured[name] = made
        if options.write:
            document.write(APP_DIR, measured)
            print(f"written: {document.PAGE}")
    except (LabError, LookupError, commands.CommandFailed, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _everything(options: argparse.Namespace) -> Tables:
    only = options.only
    if "reads" in only:
        yield "reads", _reading()
    if "replay" in only:
        yield "replay", report.replayed([measured_apart(options.events) for _number in range(options.repetitions)])
    if "histories" in only or "commands" in only:
        organization = organization_of(options.events)
        with filled(organization) as (head, home):
            replay(head, organization, going_on)
            yield "histories", report.stored(history_bytes(head.kv.collection("cba_history").find()))
            rows = {**recorded_rows(head, options.rows), **fleet.rows(options.rows)}
            head.events.close()
            if "commands" in only:
                cases = commands.cases(rows)
                results = [commands.measure(case, head, options.repetitions, home, going_on) for case in cases]
                yield "commands", report.commands(results)
    if "storms" in only:
        yield "storms", _storms(QUICK_STORM if options.quick else CHUNK_ROWS)
    if "million" in only:
        yield "million", report.replayed([measured_apart(LONG_TERM_EVENTS)])


def _reading() -> str:
    """How often events are read, by the detections that there are and by many more."""
    shipped = reading.measure(APP_DIR, READ)
    with reading.copied_detections(MANY_DETECTIONS) as copy:
        return report.reads(shipped, reading.measured_apart(copy, READ), MANY_DETECTIONS)


def _storms(rows: int) -> str:
    """The memory that storms of so many rows take."""
    with tempfile.TemporaryDirectory(prefix="cba-bench-") as folder, SearchHead(APP_DIR, Path(folder)) as head:
        peaks = [
            [storms.measure(storm, head, Path(folder), going_on) for storm in storms.storms(rows)]
            for _number in range(STORM_REPETITIONS)
        ]
        return report.storms(peaks)


def _scaled(options: argparse.Namespace) -> Tables:
    sizes = scale.ENTITIES[:-1] if options.quick else scale.ENTITIES
    identities = [source for source in scale.PROFILES if source != scale.ENDPOINT]
    batches, stored = [], []
    ways: tuple[Callable[[int, Path, int], lookups.Lookup], ...] = (lookups.baseline, lookups.first_seen)
    with tempfile.TemporaryDirectory(prefix="cba-scale-") as name:
        for sources in (identities, [scale.ENDPOINT]):
            folder = Path(name) / sources[0]
            more, kept = scale.measure(sources, sizes, folder, options.repetitions, going_on)
            batches += more
            stored += kept
        todays = [way(size, Path(name), options.repetitions) for way in ways for size in sizes]
        with SearchHead(APP_DIR, Path(name) / "invented") as head:
            rows = QUICK_STORM if options.quick else CHUNK_ROWS
            made = inventions.all_kinds(rows, head, Path(name), going_on)
    yield "invented", report.invented(made)
    yield "scale", report.scaled(batches)
    yield "bytes", report.remembered(stored)
    yield "today", report.against(batches, todays)
    if options.write:
        (APP_DIR / PICTURE).write_text(plot.plot(batches, todays), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
