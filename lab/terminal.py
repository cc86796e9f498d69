"""What the command line prints on: as wide as the terminal, in its colours; long texts are folded, never cut.

console = on(sys.stdout)
console.print(grid([("", ""), ("time (UTC)", "")], rows))
"""

from __future__ import annotations

import io
import sys
from typing import Iterable, Sequence, TextIO, Union

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 120
"""Columns where nobody says how many there are: in a file, in a pipe."""
COLOURS = {"critical": "bold red", "high": "bold red", "medium": "yellow", "low": "cyan", "informational": "dim"}

Cell = Union[str, Text]


def on(stream: TextIO) -> Console:
    """A console on a stream."""
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def going_on(what: str) -> None:
    """Says in one line, on a terminal, what is going on; what is reported goes to stdout."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what[:100]:100}\r")
        sys.stderr.flush()


def drawn(width: int, colour: bool) -> Console:
    """A console whose output `text` gives."""
    return Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None,
        highlight=False, markup=False, emoji=False, no_color=not colour, _environ={},
    )  # fmt: skip


def text(console: Console) -> str:
    """What was printed on a drawn console, without blanks at the ends of lines."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def grid(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """A table whose last column takes the room that is left; the others are as wide as they need. Texts are printed as
    they are: what stands in logs is no markup."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=False, header_style="", show_header=any(heads))
    for head in heads[:-1]:
        table.add_column(head, no_wrap=True)
    table.add_column(heads[-1], overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
