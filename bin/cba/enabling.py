"""Enabling what is recommended: each source that has data learns what is indexed, one after the other, and is then
turned on. Alerts are not: findings are read for a while first.

Everything is derived anew from what runs and what has data, so that a run that was cut off is simply begun again:
learning a day twice changes nothing.
"""

from __future__ import annotations

import dataclasses
import time
from typing import AbstractSet, Callable, Iterable, Mapping, Protocol, Sequence

from .detection.model import BREAKER_SEARCH, MAINTENANCE_SEARCH, QUARANTINE_SEARCH, SETUP_SEARCH, source_search
from .errors import CbaError
from .terms import SOURCES

NO_DATA, OFF, WAITING, LEARNING, FAILED, ON = STEPS = ("no data", "off", "waiting", "learning", "failed", "on")
UPKEEP = (BREAKER_SEARCH, MAINTENANCE_SEARCH)
BESIDE: Mapping[str, tuple[str, ...]] = {"aws": (QUARANTINE_SEARCH,)}
"""source -> what is turned on with it"""
LOOK_SECONDS = 5.0
"""How often a back-fill that runs is looked at."""
RUNS = ""
"""What is said of a saved search that runs, in place of why it does not."""


@dataclasses.dataclass(frozen=True)
class Step:
    """How far a source has come; `progress` is that of its back-fill, in percent."""

    source: str
    step: str
    progress: int = 0
    message: str = ""

    @property
    def next(self) -> str:
        """What comes next, for a person."""
        return {
            NO_DATA: "no event in the last 30 days: name its indexes under Configuration > Sources, then start again",
            OFF: "switched off under Configuration > Sources",
            WAITING: "learns what is indexed (44 days), then is turned on",
            LEARNING: f"learns what is indexed, {self.progress} % done; then it is turned on",
            FAILED: f"its back-fill failed: {self.message}",
            ON: "on: the page Welcome says on which day each detection speaks",
        }[self.step]


@dataclasses.dataclass(frozen=True)
class Job:
    """A search that was started: whether it has ended, why it failed (empty: it did not), and percent done."""

    ended: bool
    problem: str = ""
    progress: int = 0


class Searches(Protocol):
    """The saved searches of the app; `store.searches.SavedSearches` are those in Splunk."""

    def enable(self, name: str, on: bool = True) -> None:
        """Turns a saved search on or off."""

    def dispatch(self, name: str) -> str:
        """Starts it over its own time range; the search's id."""

    def job(self, sid: str) -> Job:
        """How far a search that was started has come."""


def plan(with_data: AbstractSet[str], running: Mapping[str, str], off: AbstractSet[str]) -> list[Step]:
    """What is to be done for each source; `running` says of a saved search why it does not run, RUNS where it does."""
    return [Step(source, _step(source, with_data, running, off)) for source in SOURCES]


def _step(source: str, with_data: AbstractSet[str], running: Mapping[str, str], off: AbstractSet[str]) -> str:
    if source in off:
        return OFF
    if running.get(source_search(source, "Judge")) == RUNS:
        return ON
    return WAITING if source in with_data else NO_DATA


def merged(steps: Iterable[Step], known: Mapping[str, Step]) -> list[Step]:
    """The plan as a person sees it: with what a run that is at work, or has ended, has said of a source."""
    return [
        known[step.source] if step.step == WAITING and known.get(step.source, step).step in (LEARNING, FAILED) else step
        for step in steps
    ]


def start(searches: Searches, steps: Sequence[Step]) -> bool:
    """Turns the search on that does the rest; whether there is anything to do."""
    wanted = any(step.step == WAITING for step in steps)
    if wanted:
        searches.enable(SETUP_SEARCH)
    return wanted


def carry_out(
    searches: Searches,
    steps: Sequence[Step],
    keep: Callable[[Step], None],
    pause: Callable[[float], None] = time.sleep,
) -> list[Step]:
    """Does what is planned, one source after the other, and turns the search off that does it. `keep` is told each step
    as it is taken. What goes wrong with one source stops no other."""
    for name in UPKEEP:
        searches.enable(name)
    done = []
    for step in steps:
        if step.step == WAITING:
            try:
                step = _learned(searches, step.source, keep, pause)
            except CbaError as error:
                step = Step(step.source, FAILED, 0, str(error))
        keep(step)
        done.append(step)
    searches.enable(SETUP_SEARCH, False)
    return done


def _learned(searches: Searches, source: str, keep: Callable[[Step], None], pause: Callable[[float], None]) -> Step:
    keep(Step(source, LEARNING))
    sid, told = searches.dispatch(source_search(source, "Backfill")), 0
    job = searches.job(sid)
    while not job.ended:
        if job.progress != told:
            told = job.progress
            keep(Step(source, LEARNING, told))
        pause(LOOK_SECONDS)
        job = searches.job(sid)
    if job.problem:
        return Step(source, FAILED, job.progress, job.problem)
    for name in (source_search(source, "Judge"), *BESIDE.get(source, ())):
        searches.enable(name)
    return Step(source, ON, 100)
