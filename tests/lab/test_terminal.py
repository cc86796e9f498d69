"""Tables and progress on the command line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lab.export import row
from lab.progress import Progress
from lab.terminal import PLAIN_WIDTH, drawn, grid, on, text

FINDING = {
    "first_time": "2026-02-05T03:12:00Z", "severity": "high", "detection": "cloud_unusual_country", "variation": "v7",
    "key": ["arn:aws:iam::432109876543:user/[bold]backup[/bold]", "RU"], "count": 3, "explanation": "Country RU: " + "first time " * 40,
}  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 140])
def test_findings_are_folded_to_the_terminal_and_never_cut(width: int) -> None:
    console = drawn(width, colour=False)
    console.print(grid(("time (UTC)", "severity", "what, and why"), [row(FINDING)]))
    lines = text(console).splitlines()
    assert max(map(len, lines)) <= width
    together = "".join(text(console).split())
    assert "user/[bold]backup[/bold]RUx3" in together, "what stands in logs is no markup"
    assert together.count("firsttime") == 40 and "2026-02-0503:12" in together


def test_in_a_pipe_there_are_no_colours() -> None:
    console = on(io.StringIO())
    assert (console.width, console.is_terminal) == (PLAIN_WIDTH, False)


def test_progress_elsewhere_than_on_a_terminal_is_a_line_at_the_end() -> None:
    stream = io.StringIO()
    with Progress(10, "Replaying", stream) as progress:
        for done in range(11):
            progress.update(done, f"day {done}")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("Replaying 100%") and line.endswith("day 10")


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr("lab.progress.on", lambda file: Console(file=file, force_terminal=True, width=80, _environ={}))
    with Progress(10, "Replaying", stream) as progress:
        progress.update(10, "[day] 10")
    assert "Replaying" in stream.getvalue() and "100%" in stream.getvalue()
