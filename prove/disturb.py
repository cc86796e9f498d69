"""What goes wrong in a round, drawn from a seed: what splunkd answers, who is killed, when nobody is there, whose clock
jumps. Each disturbance is put in place before the day and says in a few words what it was."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import Any, Callable, Optional

from cba.detection.model import source_search
from cba.terms import SOURCES
from lab import faults
from lab.errors import RunFailed
from lab.runs import Run
from lab.savedsearch import ScheduledSearch
from lab.splunkd import CUT, DROP, DROP_AFTER, KILL, KILL_AFTER, PARTIAL, RESET, SHORT, SLOW, Fault
from prove.world import HOUR, World

REQUEST = r"storage/collections/data|configs/conf-"
SAVE = r"/batch_save$"
STATUSES = (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)
TRANSIENT = (DROP, DROP_AFTER, RESET, CUT, SHORT)
SLOWNESS = 0.4
"""Seconds that a slow answer takes; a round's commands wait for half of that."""
AHEAD = (45, 2 * HOUR, 5 * HOUR, 26 * HOUR, 10 * 24 * HOUR)
"""How far a clock is ahead: by less than the lag that searches leave, or further than from one run to the next. What is
in between nobody can tell from a late run (docs/reliability.md)."""
BEHIND = (45, 600, HOUR, 5 * HOUR, 26 * HOUR, 10 * 24 * HOUR)


@dataclasses.dataclass
class Round:
    """A day that is disturbed: what is skipped and what happens after each run is decided here."""

    world: World
    rng: random.Random
    requests: int
    """How many there are in an undisturbed day."""
    told: list[str] = dataclasses.field(default_factory=list)
    set_up: list[Fault] = dataclasses.field(default_factory=list)
    skipped: float = 0.0
    doubled: float = 0.0
    runs_skipped: int = 0
    runs_doubled: int = 0
    jumps: list[tuple[float, float, float]] = dataclasses.field(default_factory=list)
    runs_astray: int = 0
    unwritten: int = 0

    def hit(self, pattern: str, action: Any, times: int = 1, most: Optional[int] = None) -> None:
        nth = self.rng.randint(1, most or self.requests)
        self.set_up.append(self.world.head.splunkd.fail(pattern, action, nth, times))

    @property
    def struck(self) -> int:
        """How many requests were hit."""
        return self.unwritten + sum(max(0, min(fault.seen - fault.nth + 1, fault.times)) for fault in self.set_up)

    def moment(self) -> float:
        return self.rng.uniform(self.world.start, self.world.end)

    def skips(self, run: Run) -> bool:
        if self.rng.random() < self.skipped:
            self.runs_skipped += 1
            return True
        return False

    def after_run(self, _done: float, _all: float, name: str) -> None:
        if name.endswith("- Judge") and self.rng.random() < self.doubled:
            self.runs_doubled += 1
            beside(self.world, name, self.world.head.scheduler.clock)
            self.world.head.splunkd.killed = False


def beside(world: World, name: str, now: float) -> None:
    """A second run of a search, which may be hit like any other."""
    with contextlib.suppress(RunFailed):
        faults.second_run(world.head, name)(now)


def refused(round_: Round) -> None:
    """An answer with a status, once, a few times, or as long as nobody gives up."""
    status, times = round_.rng.choice(STATUSES), round_.rng.choice((1, 1, 2, 4, 5, 12))
    round_.hit(REQUEST, status, times)
    round_.told.append(f"{times} × {status}")


def broken(round_: Round) -> None:
    """A connection that is cut or reset, an answer that ends early."""
    action, times = round_.rng.choice(TRANSIENT), round_.rng.choice((1, 1, 3, 5, 9))
    round_.hit(REQUEST, action, times)
    round_.told.append(f"{times} × {action}")


def slow(round_: Round) -> None:
    times = round_.rng.choice((1, 3, 5))
    round_.hit(REQUEST, SLOW, times)
    round_.told.append(f"{times} × slow")


def half_saved(round_: Round) -> None:
    times = round_.rng.choice((1, 2, 5, 6))
    round_.hit(SAVE, PARTIAL, times, max(1, round_.requests // 5))
    round_.told.append(f"{times} × half a batch saved")


def killed(round_: Round) -> None:
    """The command that sends the n-th request, or the n-th write, is killed: before it arrives or after."""
    action = round_.rng.choice((KILL, KILL_AFTER))
    writes = round_.rng.random() < 0.7
    round_.hit(faults.WRITE.pattern if writes else REQUEST, action, 1, max(1, round_.requests // 5) if writes else None)
    round_.told.append(f"{action} at a {'write' if writes else 'request'}")


def disk_full(round_: Round) -> None:
    """Nothing can be written for a while; what is there can be read."""
    since = round_.moment()
    until = since + round_.rng.uniform(0.2, 5) * HOUR
    clock = round_.world.head.scheduler

    def full() -> None:
        if since <= clock.clock < until:
            round_.unwritten += 1
            raise OSError(28, "No space left on device")

    round_.world.head.splunkd.fail(faults.WRITE.pattern, full, 1, 1 << 40)
    round_.told.append(f"disk full for {(until - since) / HOUR:.1f} h")


def store_away(round_: Round) -> None:
    since = round_.moment()
    until = since + round_.rng.uniform(0.2, 6) * HOUR
    faults.kvstore_away(round_.world.head, since, until)
    round_.told.append(f"KV store away for {(until - since) / HOUR:.1f} h")


def head_away(round_: Round) -> None:
    since = round_.moment()
    until = min(round_.world.end, since + round_.rng.uniform(0.2, 12) * HOUR)
    faults.search_head_away(round_.world.head, since, until)
    round_.told.append(f"search head away for {(until - since) / HOUR:.1f} h")


def skipping(round_: Round) -> None:
    round_.skipped = round_.rng.uniform(0.05, 0.7)
    round_.told.append(f"{round_.skipped:.0%} of runs skipped")


def doubling(round_: Round) -> None:
    round_.doubled = round_.rng.uniform(0.05, 0.5)
    round_.told.append(f"{round_.doubled:.0%} of runs doubled")


def overtaken(round_: Round) -> None:
    """A second run of a source's search, for this window or the next, in the middle of the first."""
    name = source_search(round_.rng.choice(SOURCES), "Judge")
    later = round_.rng.choice((0, 0, 900, 3600))

    def second() -> None:
        beside(round_.world, name, round_.world.head.scheduler.clock + later)

    round_.set_up.append(
        faults.meanwhile(round_.world.head, round_.rng.randint(1, max(1, round_.requests // 5)), second)
    )
    round_.told.append(f"a second run {'at once' if not later else f'{later} s ahead'}")


def clock_jump(round_: Round) -> None:
    """The search head's clock is ahead or behind for a while: what searches take for now."""
    since = round_.moment()
    until = since + round_.rng.uniform(0.1, 3) * HOUR
    by = round_.rng.choice((*AHEAD, *(-seconds for seconds in BEHIND)))
    round_.jumps.append((since, until, by))
    round_.told.append(f"clock {by:+} s for {(until - since) / HOUR:.1f} h")


DISTURBANCES: tuple[Callable[[Round], None], ...] = (
    refused, broken, slow, half_saved, killed, killed, disk_full, store_away, head_away, skipping, doubling, overtaken,
    clock_jump,
)  # fmt: skip


def with_jumping_clock(round_: Round, search: Callable[[ScheduledSearch, Run], Any]) -> Callable[..., Any]:
    """The scheduler's search, whose clock jumps; what was indexed by then, it does not change."""

    def jumped(found: ScheduledSearch, run: Run) -> Any:
        by = next((by for since, until, by in round_.jumps if since <= run.at < until), 0)
        if not by:
            return search(found, run)
        round_.runs_astray += 1
        moved: dict[str, Any] = {
            name: None if (time := getattr(run, name)) is None else time + by
            for name in ("earliest", "latest", "index_earliest", "index_latest")
        }
        return search(found, dataclasses.replace(run, now=int(run.now + by), sid=f"{run.sid}_{by:.0f}", **moved))

    return jumped
