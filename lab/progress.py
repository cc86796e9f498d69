"""How far something is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Optional, TextIO

from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from lab.terminal import on

LINE_SECONDS = 5.0


class Progress:
    """`with Progress(total, "replay") as progress: progress.update(done, "2022-07-27 · 3 findings")`."""

    def __init__(self, total: float, label: str, stream: Optional[TextIO] = None) -> None:
        self.total = total
        self.label = label
        self.stream = stream if stream is not None else sys.stderr
        self.started = self._said = time.monotonic()
        self._last: Optional[tuple[float, str]] = None
        self._bar: Optional[Bar] = None
        if self.stream.isatty():
            columns = (
                TextColumn("{task.description}", markup=False), BarColumn(28), TaskProgressColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}", markup=False),
            )  # fmt: skip
            self._bar = Bar(*columns, console=on(self.stream))
            self._task = self._bar.add_task(label, total=total or 1, note="")
            self._bar.start()

    def update(self, done: float, note: str = "") -> None:
        """Say how far it is; cheap to call often."""
        self._last = (done, note)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note)
        elif time.monotonic() - self._said >= LINE_SECONDS:
            self._say(done, note)

    def _say(self, done: float, note: str) -> None:
        self._said, self._last = time.monotonic(), None
        share = min(max(done / self.total, 0.0), 1.0) if self.total > 0 else 1.0
        self.stream.write(f"{self.label} {share:4.0%} {self._said - self.started:5.1f} s  {note}".rstrip() + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Show the last state and leave the line."""
        if self._bar is not None:
            self._bar.stop()
        elif self._last is not None:
            self._say(*self._last)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
