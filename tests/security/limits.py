"""A fuzzer finds a hang as a failure, not by hanging."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType
from typing import Iterator, Optional


class TooLong(BaseException):
    """Nothing that catches errors catches this."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises TooLong when what is in it takes longer."""

    def ring(_signal: int, _frame: Optional[FrameType]) -> None:
        raise TooLong(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
