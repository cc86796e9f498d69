"""`./dev bench`: how often each event is read and how long searches are; rows a second and peak memory of every command
beside an SDK echo, through the real protocol; the most that storms make commands hold; a month of generated logs
through all searches; bytes of a history in the KV store. Aims: docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence

from bench import commands, fleet, reading, report, scale, storms
from bench.commands import recorded_rows
from bench.driver import CHUNK_ROWS
from bench.replay import organization_of, replay
from bench.storage import history_bytes
from cba.detection.catalogue import load
from demo import Organization, lists
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


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS:,} events, 2 repetitions")
    parser.add_argument("--million", action="store_true", help=f"also replay {LONG_TERM_EVENTS:,} events")
    parser.add_argument(
        "--scale",
        action="store_true",
        help="instead: a batch among 10,000 to a million entities, beside a lookup",
    )
    parser.add_argument("--events", type=int, metavar="N", help=f"size of the replay (default {EVENTS:,})")
    parser.add_argument("--rows", type=int, default=100_000, metavar="N", help="most rows per command (100,000)")
    parser.add_argument("--repetitions", type=int, metavar="N", help="pairs of command and echo (default 5)")
    options = parser.parse_args(arguments)
    options.events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    options.repetitions = options.repetitions or (2 if options.quick else 5)
    return options


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{os.cpu_count()} cores, {python}, {platform.system()}")
    try:
        if options.scale:
            sizes = scale.ENTITIES[:-1] if options.quick else scale.ENTITIES
            print(scale.main(scale.PROFILES, sizes, options.repetitions))
            return 0
        print(_reading(), flush=True)
        with _head(organization_of(options.events)) as (head, organization, home):
            replayed = replay(head, organization, going_on)
            print(report.replayed(replayed), flush=True)
            print(report.stored(history_bytes(head.kv.collection("cba_history").find())), flush=True)
            rows = {**recorded_rows(head, options.rows), **fleet.rows(options.rows)}
            head.events.close()
            results = []
            for case in commands.cases(rows):
                results.append(commands.measure(case, head, options.repetitions, home, going_on))
            print(report.commands(results), flush=True)
        print(_storms(QUICK_STORM if options.quick else CHUNK_ROWS), flush=True)
        if options.million:
            with _head(organization_of(LONG_TERM_EVENTS)) as (head, organization, _home):
                print(report.replayed(replay(head, organization, going_on)))
    except (LabError, commands.CommandFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _reading() -> str:
    """How often events are read, by the detections that there are and by many more."""
    shipped = reading.measure(APP_DIR, READ)
    with reading.copied_detections(MANY_DETECTIONS) as copy:
        many = reading.measured_apart(copy, READ)
    return reading.table(shipped, len(load().detections)) + "\n" + reading.table(many, MANY_DETECTIONS)


def _storms(rows: int) -> str:
    """The memory that storms of so many rows take."""
    with tempfile.TemporaryDirectory(prefix="cba-bench-") as folder, SearchHead(APP_DIR, Path(folder)) as head:
        return report.storms([storms.measure(storm, head, Path(folder), going_on) for storm in storms.storms(rows)])


@contextmanager
def _head(organization: Organization) -> Iterator[tuple[SearchHead, Organization, Path]]:
    """A search head of its own with the organization's lists; and its folder."""
    with tempfile.TemporaryDirectory(prefix="cba-bench-") as folder:
        state = Path(folder)
        with SearchHead(APP_DIR, state) as head:
            lists.fill(head, lists.all_rows(organization))
            yield head, organization, state


if __name__ == "__main__":
    sys.exit(main())
