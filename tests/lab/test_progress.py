from __future__ import annotations

import io
import re

import pytest

from lab.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_is_redrawn() -> None:
    out = Terminal()
    with Progress(10, "replay", out) as progress:
        progress.update(5, "half")
        progress.update(10, "done")
    drawn = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", out.getvalue())
    assert drawn.count("\n") == 1 and drawn.endswith("done\n"), "one line, and the next word stands below it"
    assert "\r" in drawn and "━" in drawn
    assert "100%" in drawn.rsplit("\r", 1)[1]


def test_a_file_gets_a_line_now_and_then_and_the_last_state(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("lab.progress.time.monotonic", lambda: now[0])
    out = io.StringIO()
    with Progress(4, "replay", out) as progress:
        for done in range(5):
            now[0] += 2.0
            progress.update(done, f"step {done}")
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["2", "4"]
    assert "\r" not in out.getvalue()
    assert "[" not in out.getvalue()
