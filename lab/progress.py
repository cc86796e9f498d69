"""A small progress bar on stderr: one line that is redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Optional, TextIO

WIDTH = 28
REDRAW_SECONDS = 0.1
LINE_SECONDS = 5.0


class Progress:
    """`with Progress(total, "replay") as progress: progress.update(done, "2022-07-27 · 3 findings")`."""

    def __init__(self, total: float, label: str, stream: Optional[TextIO] = None) -> None:
        self.total = total
        self.label = label
        self.stream = stream if stream is not None else sys.stderr
        self.tty = self.stream.isatty()
        self.started = time.monotonic()
        self._drawn = self.started if not self.tty else 0.0
        self._width = 0
        self._last: Optional[str] = None

    def update(self, done: float, note: str = "") -> None:
        """Say how far it is; cheap to call often."""
        now = time.monotonic()
        if now - self._drawn < (REDRAW_SECONDS if self.tty else LINE_SECONDS):
            self._last = self._line(done, note)
            return
        self._drawn = now
        self._show(self._line(done, note))

    def _line(self, done: float, note: str) -> str:
        share = min(max(done / self.total, 0.0), 1.0) if self.total > 0 else 1.0
        filled = int(share * WIDTH)
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] " if self.tty else ""
        seconds = time.monotonic() - self.started
        return f"{self.label} {bar}{share:4.0%} {seconds:5.1f} s  {note}".rstrip()

    def _show(self, line: str) -> None:
        self._last = None
        if not self.tty:
            self.stream.write(line + "\n")
        else:
            line = line[:118]
            self.stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        self.stream.flush()

    def close(self) -> None:
        """Show the last state and leave the line."""
        if self._last is not None:
            self._show(self._last)
        if self.tty:
            self.stream.write("\n")
            self.stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
