"""A month of the generated organization's logs through every scheduled search of the app, a day at a time.

measured_apart(200_000)             # in a process of its own, so that memory is this replay's alone
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

from bench.driver import peak_bytes
from demo import Organization, events, lists
from lab.copies import environment
from lab.replay import AFTERMATH, APP_DIR, is_shipped_schedule
from lab.searchhead import SearchHead
from lab.spl.engine import Ready
from lab.terminal import going_on

DAYS = 30
CADENCE = "1d"
BURST = 20
COMMANDS = ("cbawindow", "cbageo", "cbajudge", "cbaalerts")


@dataclass(frozen=True)
class Replayed:
    """Events, and the seconds of every part; the sum of `parts` is the whole. `memory`: the peaks of the process and of
    the second one that it keeps busy, in bytes."""

    events: int
    reduced_rows: int
    dispatches: int
    findings: int
    parts: Mapping[str, float]
    memory: tuple[int, int] = (0, 0)

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


def organization_of(count: int) -> Organization:
    """The organization that leaves about `count` events in 30 days, in bursts as real ones do: CloudTrail has 10 to 30
    events for each kind and quarter of an hour."""
    return Organization(days=DAYS, events_per_day=round(count / DAYS), burst=BURST)


def replay(head: SearchHead, organization: Organization, told: Callable[[str], None]) -> Replayed:
    """Fills the head with the organization's events and replays them. Generating the events is not counted."""
    clock = _Clock()
    count = 0
    for _day, day in groupby(events(organization), key=lambda event: int(event.time // 86_400)):
        told(f"logs of day {_day}")
        batch = list(day)
        with clock.part("ingest"):
            count += head.events.add(batch)
    clock.watch(head)
    started = time.perf_counter()
    done = head.scheduler.replay(
        organization.first_time, organization.last_time + AFTERMATH, CADENCE, is_shipped_schedule,
        progress=lambda _seconds, _all, note: told(note),
    )  # fmt: skip
    clock.seconds["scheduler and actions"] = time.perf_counter() - started - clock.inside
    return Replayed(
        count, clock.rows["cbageo"], done.runs, len(head.kv.collection("cba_findings").find()), clock.parts()
    )


def measured_apart(count: int) -> Replayed:
    """A replay of so many events in a process of its own. Raises subprocess.CalledProcessError when it fails."""
    command = [sys.executable, "-m", "bench.replay", str(count)]
    done = subprocess.run(command, check=True, cwd=APP_DIR, env=environment(APP_DIR), stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout)
    return Replayed(**{**told, "memory": tuple(told["memory"])})


@contextmanager
def filled(organization: Organization) -> Iterator[tuple[SearchHead, Path]]:
    """A search head of its own with the organization's lists; and its folder."""
    with tempfile.TemporaryDirectory(prefix="cba-bench-") as folder, SearchHead(APP_DIR, Path(folder)) as head:
        lists.fill(head, lists.all_rows(organization))
        yield head, Path(folder)


def _main(count: int) -> Replayed:
    organization = organization_of(count)
    with filled(organization) as (head, _folder):
        done = replay(head, organization, going_on)
    # Of a process that a large one began, getrusage says no less than that one had; /proc knows the own.
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return replace(done, memory=(peak_bytes(os.getpid()) or 0, others))


class _Clock:
    """Where the time goes: ingest, searches without their commands, each command, and what is left."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.rows: Counter[str] = Counter()
        self.inside = 0.0
        self._commands = 0.0

    def part(self, name: str) -> _Part:
        return _Part(self, name)

    def watch(self, head: SearchHead) -> None:
        """From now on the head's searches and commands are timed."""
        finish, run = head.engine.finish, head.commands.run

        def timed_search(ready: Ready, *args: Any) -> Any:
            before, self._commands = time.perf_counter(), 0.0
            try:
                return finish(ready, *args)
            finally:
                spent = time.perf_counter() - before
                self.inside += spent
                self.seconds[_kind(ready.run.search)] += spent - self._commands

        def timed_run(command: str, args: Any, rows: Any, info: Any) -> Any:
            before = time.perf_counter()
            try:
                return run(command, args, rows, info)
            finally:
                spent = time.perf_counter() - before
                self._commands += spent
                self.seconds[command] += spent
                self.rows[command] += len(rows or ())

        setattr(head.engine, "finish", timed_search)  # noqa: B010 (a method of this one object)
        setattr(head.commands, "run", timed_run)  # noqa: B010

    def parts(self) -> dict[str, float]:
        first = ("ingest", "normalise and reduce", *COMMANDS)
        names = [*first, *sorted(set(self.seconds) - set(first))]
        return {name: self.seconds[name] for name in names}


class _Part:
    def __init__(self, clock: _Clock, name: str) -> None:
        self._clock, self._name, self._before = clock, name, 0.0

    def __enter__(self) -> None:
        self._before = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._clock.seconds[self._name] += time.perf_counter() - self._before


def _kind(spl: str) -> str:
    if "cbajudge" in spl:
        return "normalise and reduce"
    return "alerts" if "cbaalerts" in spl else "other searches over events"


if __name__ == "__main__":
    print(json.dumps(asdict(_main(int(sys.argv[1])))))
