"""A round: the day of a world, disturbed as a seed says, and what is different afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
import time
from typing import Iterator, Sequence

from cba.store import connection
from cba.store import splunkd as store
from lab.events import Event
from lab.splunkd import KILL
from prove.disturb import DISTURBANCES, REQUEST, SLOWNESS, Round, with_jumping_clock
from prove.world import AFTER, HOUR, Left, World, differences, weaker

ALERT = re.compile(r"cbaalerts detection=(\w+) variation=(\w+)")
DAY = 24 * HOUR


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a round did, and what it changed: nothing, if the app keeps its promise."""

    seed: str
    kind: str
    told: Sequence[str]
    requests_hit: int
    runs_failed: int
    runs_skipped: int
    runs_doubled: int
    runs_astray: int
    findings: int
    differences: Sequence[str]
    seconds: float


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Commands in this process ask as often as ever, but do not wait in between."""
    before = store.RETRY_PAUSES, connection.TIMEOUT
    store.RETRY_PAUSES, connection.TIMEOUT = (0.0, 0.0, 0.0, 0.0), SLOWNESS / 2
    try:
        yield
    finally:
        store.RETRY_PAUSES, connection.TIMEOUT = before


class Proof:
    """The rounds of one world. An undisturbed day is lived through first, for comparison."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests = 0
        self.expected = self._undisturbed()

    def _undisturbed(self, until: float = 0.0) -> Left:
        self.world.again()
        counter = self.world.head.splunkd.fail(REQUEST, KILL, 1, 0)
        self.world.live(self.world.start, self.world.end, "1h")
        self.requests = self.requests or counter.seen
        self.world.live(self.world.end, max(until, self.world.end + AFTER), "1h")
        failures = self.world.head.scheduler.failures()
        if failures:
            raise AssertionError(f"an undisturbed run failed: {failures[0]}")
        return self.world.left()

    def round(self, seed: str, most: int = 5, only: Sequence[str] = ()) -> Outcome:
        """One disturbed day; findings, counts, histories and alerts must be those of the undisturbed one."""
        rng, world, began = random.Random(f"round/{seed}"), self.world, time.monotonic()
        world.again()
        world.head.splunkd.slow_seconds = SLOWNESS
        round_ = Round(world, rng, self.requests)
        possible = [each for each in DISTURBANCES if not only or each.__name__ in only]
        for disturb in rng.choices(possible, k=rng.randint(1, most)):
            disturb(round_)
        cadence = rng.choice(("15m", "1h", "1h"))
        before = world.head.scheduler._search
        world.head.scheduler._search = with_jumping_clock(round_, before)
        try:
            with impatient():
                world.live(world.start, world.end, cadence, round_.skips, round_.after_run)
        finally:
            world.head.scheduler._search = before
        struck = round_.struck
        self._mended()
        world.live(world.end, world.end + AFTER, "1h")
        found = world.left()
        return Outcome(
            seed, f"faults, every {cadence}", round_.told, struck, sum(world.failed().values()), round_.runs_skipped,
            round_.runs_doubled, round_.runs_astray, len(found.findings),
            list(differences(found, self.expected, self._alerts_stopped())), time.monotonic() - began,
        )  # fmt: skip

    def late(self, seed: str) -> Outcome:
        """A day of which events come up to a day late, and twice: nothing is hidden, and no history is another."""
        rng, world, began = random.Random(f"late/{seed}"), self.world, time.monotonic()
        delayed, doubled = rng.uniform(0.02, 0.3), rng.uniform(0.02, 0.3)
        until = world.end + DAY + AFTER
        expected = self._undisturbed(until)
        logs: list[Event] = []
        late = twice = 0
        for event in world.todays:
            if rng.random() < delayed:
                event, late = _later(event, rng), late + 1
            logs.append(event)
            if rng.random() < doubled:
                logs.append(_later(event, rng))
                twice += 1
        world.deliver(logs)
        try:
            world.again()
            world.live(world.start, until, rng.choice(("15m", "1h", "1h")))
            found = world.left()
        finally:
            world.deliver(world.todays)
        told = [f"{late} events up to a day late", f"{twice} events twice"]
        return Outcome(
            seed, "late and twice", told, 0, sum(world.failed().values()), 0, 0, 0, len(found.findings),
            list(weaker(found, expected)), time.monotonic() - began,
        )  # fmt: skip

    def _mended(self) -> None:
        head = self.world.head
        head.splunkd.faults.clear()
        head.kv.is_away = lambda: False

    def _alerts_stopped(self) -> set[str]:
        """The findings of those alerts of which a run failed."""
        searches = self.world.head.scheduler.searches()
        stopped = set()
        for name in self.world.failed():
            stopped.update(ALERT.findall(searches[name].stanza.get("search", "")))
        return {
            key for key, each in self.expected.findings.items() if (each["detection"], each["variation"]) in stopped
        }


def _later(event: Event, rng: random.Random) -> Event:
    return dataclasses.replace(event, indextime=event.indextime + rng.uniform(0, DAY))
