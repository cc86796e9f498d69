"""The other cores: what the searches of a long replay find in the events, computed ahead of them by other processes.

In Splunk indexers find, normalise and reduce events, and the search head runs the commands that keep state. A replay is
divided in the same way. The beginning of a search, up to the first command that reads or writes what searches change (a
command of the app, a KV store lookup), depends on its text, the time range and CSV lookups alone. So its rows are those
that the search head would have found itself; it does that wherever something they depend on has changed since.

The time range of a search may be said by a subsearch when it runs. It is forecast then (lab/forecast.py), and rows are
only used where text and time range turn out as forecast.
"""

from __future__ import annotations

import contextlib
import itertools
import marshal
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Sequence

from lab.conf import AppConf
from lab.errors import LabError
from lab.events import EventStore
from lab.forecast import Forecast
from lab.garbage import collecting_garbage
from lab.protocol import CommandRunner
from lab.spl.engine import Engine, Ready
from lab.spl.values import Row
from lab.spl.window import TimeWindow

if TYPE_CHECKING:
    from types import TracebackType

LONG = 50_000
"""Events from which on a replay is worth processes that take a second to start."""
HELD = 16
"""Beginnings computed or under way until it is their turn."""


class Dispatch(NamedTuple):
    """A search that will run, the window it is dispatched with and the id of its run."""

    spl: str
    window: TimeWindow
    sid: str


class Beginning(NamedTuple):
    """A search as it is run (`Ready`), the time range it looks at and the id of its run."""

    text: str
    window: TimeWindow
    sid: str


Begun = Optional[tuple[list[Row], dict[str, int]]]
"""Rows after the detached commands, and what was read for them (`Run.reads`)."""


@dataclass(frozen=True)
class World:
    """What the other processes are told."""

    app: AppConf
    lookups: Optional[Path]
    events: EventStore
    dispatch_dir: Optional[Path]


class _Turn:
    """A run to come. `version` counts how often its beginning was forecast anew."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        self.beginning: Optional[Beginning] = None
        self.version = 0
        self.taken = self.done = False
        self.begun: Begun = None

    def expect(self, beginning: Optional[Beginning]) -> None:
        if beginning != self.beginning:
            self.beginning = beginning
            self.version += 1
            self.taken = self.done = False


class Ahead:
    """The beginnings of the searches of a replay, asked for in their order."""

    def __init__(self, engine: Engine, dispatches: Sequence[Dispatch], processes: Optional[int] = None) -> None:
        self.engine = engine
        self._counts = self._known_counts = engine.events.counts.copy()
        self._bases: dict[str, tuple[int, list[Any]]] = {}
        self._reach: dict[str, int] = {}
        self._forecasts: dict[str, Forecast] = {}
        self._owners: dict[str, int] = {}
        """Which process has begun a search before, and knows more of its events than others."""
        self._turns = deque(self._turn(dispatch) for dispatch in dispatches if self._can_begin(dispatch.spl))
        self._waiting = {turn.dispatch for turn in self._turns}
        self._changed = threading.Condition()
        self._closed = False
        dispatch_dir = engine.commands.dispatch_dir if engine.commands is not None else None
        told = World(engine.app, engine.lookups.folder, engine.events, dispatch_dir)
        world = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
        count = processes or os.cpu_count() or 1
        self._processes = [_process() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._serve, args=(number, process, world), daemon=True)
            for number, process in enumerate(self._processes)
        ]
        for thread in self._threads:
            thread.start()

    def _can_begin(self, spl: str) -> bool:
        """False for a search of which it is known that nothing of it can be begun."""
        if self.engine.is_open(spl):
            self._forecasts.setdefault(spl, Forecast())
            return True
        return bool(self.engine.detached(spl))

    def _turn(self, dispatch: Dispatch) -> _Turn:
        turn = _Turn(dispatch)
        if dispatch.spl not in self._forecasts:
            ready = self.engine.ready(dispatch.spl, dispatch.window, sid=dispatch.sid)
            turn.beginning = self._beginning(ready)
        return turn

    def _beginning(self, ready: Ready) -> Beginning:
        if ready.text not in self._bases:
            reach = self.engine.reach(ready.text, self._counts)
            self._bases[ready.text] = reach, self.engine.stamps(ready.text)
            self._reach[ready.text] = self.engine.reach(ready.text, self._known_counts)
        return Beginning(ready.text, ready.window, ready.run.sid)

    # -- the search head's side ---------------------------------------------------------------------------------------

    def rows(self, dispatch: Dispatch, ready: Ready) -> Optional[list[Row]]:
        """The rows of a search after its first `engine.detached` commands; None if these are to be run here: they are
        nothing that could be begun, nobody has begun them, they fail, or what they depend on turned out otherwise."""
        with self._changed:
            if dispatch not in self._waiting:
                return None
            turn = self._next_turn()
            while turn.dispatch != dispatch:  # runs that failed before they asked
                turn = self._next_turn()
            beginning = self._beginning(ready)
            expected = turn.beginning == beginning
            self._learn(dispatch.spl, ready, expected)
            self._changed.notify_all()
            if not expected or not turn.taken:
                turn.expect(None)  # whoever is at it need not keep it
                return None
            self._changed.wait_for(lambda: turn.done)
        if turn.begun is None or self._is_stale(beginning.text):
            return None
        rows, reads = turn.begun
        ready.run.reads.update(reads)
        return rows

    def _next_turn(self) -> _Turn:
        turn = self._turns.popleft()
        self._waiting.discard(turn.dispatch)
        return turn

    def _learn(self, spl: str, ready: Ready, expected: bool) -> None:
        forecast = self._forecasts.get(spl)
        if forecast is None or not ready.plan.detached(self.engine):
            return
        forecast.seen(ready.window)
        if expected:
            return
        turns = [turn for turn in self._turns if turn.dispatch.spl == spl]
        for turn, window in zip(turns, forecast.coming(turn.dispatch.window for turn in turns)):
            turn.expect(Beginning(ready.text, window, turn.dispatch.sid))

    def _is_stale(self, text: str) -> bool:
        if self.engine.events.counts != self._known_counts:
            self._known_counts = self.engine.events.counts.copy()
            self._reach = {known: self.engine.reach(known, self._known_counts) for known in self._reach}
        return (self._reach[text], self.engine.stamps(text)) != self._bases[text]

    # -- the other processes' side ------------------------------------------------------------------------------------

    def _serve(self, number: int, process: subprocess.Popen[bytes], world: bytes) -> None:
        """Hands turns to a process until it ends."""
        assert process.stdin is not None and process.stdout is not None
        turn: Optional[_Turn] = None
        try:
            process.stdin.write(world)
            while (turn := self._take(number)) is not None:
                beginning, version = turn.beginning, turn.version
                assert beginning is not None
                marshal.dump((beginning.text, astuple(beginning.window), beginning.sid), process.stdin)
                process.stdin.flush()
                self._give(turn, version, marshal.load(process.stdout))
        except (OSError, EOFError, ValueError):
            pass  # it died, or was ended; the rest is left to others and to the search head
        finally:
            if turn is not None:
                self._give(turn, turn.version, None)

    def _take(self, number: int) -> Optional[_Turn]:
        """The turn that a process begins next; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next(number) is not None)
            turn = None if self._closed else self._next(number)
            if turn is not None:
                turn.taken = True
                self._owners.setdefault(turn.dispatch.spl, number)
            return turn

    def _give(self, turn: _Turn, version: int, begun: Begun) -> None:
        with self._changed:
            if turn.version == version:
                turn.begun, turn.done = begun, True
            self._changed.notify_all()

    def _next(self, number: int) -> Optional[_Turn]:
        """The first turn for a process: of a search that is its own, else one that nobody is at."""
        near = itertools.islice(self._turns, HELD)
        free = [turn for turn in near if turn.beginning is not None and not turn.taken]
        own = (turn for turn in free if self._owners.get(turn.dispatch.spl, number) == number)
        return next(own, free[0] if free else None)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for process in self._processes:
            process.kill()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.wait()
            assert process.stdin is not None and process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()


def _process() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab.ahead"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def main() -> None:
    """Reads the world, then beginnings, and writes their rows; null for one that fails, which the search head will
    meet."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the search head ends this process
    world: World = pickle.load(sys.stdin.buffer)  # noqa: S301 (the search head wrote it)
    # As on an indexer: no KV store and no search head to ask.
    own = None if world.dispatch_dir is None else CommandRunner(world.app, dispatch_dir=world.dispatch_dir / "ahead")
    engine = Engine(world.app, world.events, None, own, world.lookups)
    with collecting_garbage() as collect:
        while True:
            try:
                text, window, sid = marshal.load(sys.stdin.buffer)
            except EOFError:
                return
            try:
                begun: Begun = engine.begin(text, TimeWindow(*window), sid)
            except LabError:
                begun = None
            marshal.dump(begun, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            collect()


if __name__ == "__main__":
    main()
