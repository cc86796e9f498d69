"""The second core: what the searches of a long replay find in the events, computed ahead of them by another process.

In Splunk indexers find, normalise and reduce events, and the search head runs the commands that keep state. A replay is
divided in the same way. The beginning of a search, up to the first command that reads or writes what searches change (a
command of the app, a KV store lookup), depends on the events, the time range and CSV lookups alone. So its rows are
those that the search head would have found itself; it does that wherever something they depend on has changed since.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional, Sequence

from lab.conf import AppConf
from lab.errors import LabError
from lab.events import EventStore
from lab.garbage import collecting_between
from lab.spl.engine import Engine
from lab.spl.values import Row
from lab.spl.window import TimeWindow

if TYPE_CHECKING:
    from types import TracebackType

LONG = 50_000
"""Events from which on a replay is worth a process that takes a second to start."""
HELD = 8
"""Beginnings kept until it is their turn."""


class Dispatch(NamedTuple):
    """A search to begin."""

    spl: str
    window: TimeWindow
    sid: str


@dataclass(frozen=True)
class Job:
    """What the other process is told."""

    app: AppConf
    lookups: Optional[Path]
    events: EventStore
    dispatches: Sequence[Dispatch]


class Ahead:
    """The beginnings of the searches of a replay, asked for in their order."""

    def __init__(self, engine: Engine, dispatches: Sequence[Dispatch]) -> None:
        self.engine = engine
        self._counts = engine.events.counts.copy()
        self._reach = {dispatch.spl: engine.reach(dispatch.spl) for dispatch in dispatches}
        self._basis = {spl: (reach, engine.stamps(spl)) for spl, reach in self._reach.items()}
        self._coming = [dispatch for dispatch in dispatches if engine.detached(dispatch.spl)]
        job = Job(engine.app, engine.lookups.folder, engine.events, self._coming.copy())
        self._coming.reverse()
        self._found: queue.Queue[Optional[list[Row]]] = queue.Queue(HELD)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.ahead"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            pickle.dump(job, stdin, pickle.HIGHEST_PROTOCOL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def rows(self, dispatch: Dispatch) -> Optional[list[Row]]:
        """The rows of a search after its first `engine.detached` commands; None if these are to be run here: they are
        nothing that could be begun, they fail, or what they depend on has changed."""
        if not self._coming or self._coming[-1] != dispatch:
            return None
        self._coming.pop()
        rows = self._found.get()
        return None if self._is_stale(dispatch.spl) else rows

    def _is_stale(self, spl: str) -> bool:
        if self.engine.events.counts != self._counts:
            self._counts = self.engine.events.counts.copy()
            self._reach = {known: self.engine.reach(known) for known in self._reach}
        return (self._reach[spl], self.engine.stamps(spl)) != self._basis[spl]

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                self._found.put(marshal.load(self._process.stdout))
        except (EOFError, ValueError):
            self._coming.clear()
            self._found.put(None)  # somebody may be waiting

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._process.kill()
        while self._reader.is_alive():
            while not self._found.empty():
                self._found.get()
            self._reader.join(0.01)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """Reads a job, writes the rows of its searches; null for one that fails, which the search head will meet."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the search head ends this process
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 (the search head wrote it)
    engine = Engine(job.app, job.events, None, None, job.lookups)
    for dispatch in job.dispatches:
        engine.compile(dispatch.spl)
    with collecting_between() as collect:
        for dispatch in job.dispatches:
            try:
                rows = engine.begin(dispatch.spl, dispatch.window, dispatch.sid)
            except LabError:
                rows = None
            marshal.dump(rows, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            collect()


if __name__ == "__main__":
    main()
