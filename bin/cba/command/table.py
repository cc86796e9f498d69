"""Search results as tables of text cells, read and written without building a dictionary per row.

splunk-sdk keeps the protocol (getinfo, options, messages); only the CSV body goes this way, which is several times
faster than one ordered dictionary per row. A chunk comes as several tables, so that no command holds it whole. A field
`x` may come with a twin column `__mv_x` that holds its multiple values as `$a$;$b$`, a dollar doubled.
https://github.com/splunk/splunk-sdk-python/blob/2.1.1/splunklib/searchcommands/search_command.py
"""

from __future__ import annotations

import csv
from typing import Iterable, Iterator, Optional, Sequence, TextIO

from ..errors import RowError

_MV = "__mv_"
_SHOWN = 100
"""Characters of a cell that a message repeats."""


MOST_ROWS = 500
"""Rows of a chunk that are held at once where a command says nothing else."""
MOST_CHARACTERS = 4_000_000


class Table:
    """Some rows of a chunk: `names` of the columns as they came, `rows` of cells (text; "" is absent), and how many
    rows of the chunk came `before` them."""

    def __init__(self, names: Sequence[str], rows: list[list[str]], before: int = 0) -> None:
        self.names = list(names)
        self.rows = rows
        self.before = before
        self._at = {name: index for index, name in enumerate(self.names)}

    def position(self, index: int) -> int:
        """Where in the chunk a row is that has this index here, counted from 1, as messages say it."""
        return self.before + index + 1

    def column(self, name: str) -> Sequence[str]:
        """The cells of a field from top to bottom; all "" when the chunk has no such field."""
        index = self._at.get(name)
        if index is None:
            return [""] * len(self.rows)
        return [row[index] for row in self.rows]

    def rows_of(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """The cells of these fields, row by row."""
        return list(zip(*map(self.column, names)))

    def multivalues(self, name: str) -> Iterator[list[str]]:
        """The values of a field row by row: its many values, its one, or none. Raises RowError naming field and row."""
        plain, many = self.column(name), self.column(_MV + name)
        for index, (single, encoded) in enumerate(zip(plain, many)):
            if encoded:
                values = decode_multivalue(encoded)
                if values is None:
                    shown, position = encoded[:_SHOWN], self.position(index)
                    raise RowError(f"field {name} of row {position} has several values that cannot be read: {shown!r}")
                yield values
            else:
                yield [single] if single else []

    def write(
        self,
        out: TextIO,
        names: Sequence[str],
        columns: Sequence[Sequence[str]],
    ) -> None:
        """Writes every column as it came, and the new ones after them; a new one replaces a column of its name. The
        first rows of a chunk come with a header."""
        replaced = {self._at[name] for name in names if name in self._at}
        replaced |= {self._at[_MV + name] for name in names if _MV + name in self._at}
        writer = csv.writer(out)
        kept = [index for index in range(len(self.names)) if index not in replaced]
        if not self.before:
            writer.writerow([*(self.names[index] for index in kept), *names])
        if not replaced:
            writer.writerows([*row, *new] for row, new in zip(self.rows, zip(*columns)))
            return
        writer.writerows([*(row[index] for index in kept), *new] for row, new in zip(self.rows, zip(*columns)))


class _Lines:
    """Lines of CSV for a reader, and how many `characters` they had since somebody set that to 0. A NUL, which Python
    3.9 refuses in a CSV file, is replaced by U+FFFD."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.characters += len(line)
            yield line.replace("\0", "\ufffd") if "\0" in line else line


def read_tables(lines: Iterable[str], most_rows: int = MOST_ROWS) -> Iterator[Table]:
    """The rows of a CSV body, in tables of so many rows, or fewer where they are long; none for a body without rows.

    Raises RowError for a row that is no CSV, or has more or fewer cells than the header: which of them belongs to which
    field nobody knows.
    """
    counted = _Lines(lines)
    reader = csv.reader(iter(counted))
    rows: list[list[str]] = []
    before = 0
    try:
        names = next(reader, [])
        width = len(names)
        for row in reader:
            if len(row) != width:
                if row or width != 1:
                    position = before + len(rows) + 1
                    raise RowError(f"row {position} of a chunk from splunkd has {len(row)} cells under {width} columns")
                row.append("")  # an empty line is the one empty cell of a row
            rows.append(row)
            if len(rows) == most_rows or counted.characters > MOST_CHARACTERS:
                yield Table(names, rows, before)
                before += len(rows)
                rows = []
                counted.characters = 0
    except csv.Error as error:
        raise RowError(f"row {before + len(rows) + 1} of a chunk from splunkd is not CSV ({error})") from error
    if rows:
        yield Table(names, rows, before)


def decode_multivalue(encoded: str) -> Optional[list[str]]:
    """The values of `$a$;$b$`, a dollar doubled; None for anything else. Looks at each character once or twice, however
    many dollars there are."""
    if len(encoded) < 2 or encoded[0] != "$" or encoded[-1] != "$":
        return None
    if "$$" not in encoded:
        simple = encoded[1:-1].split("$;$")
        return simple if encoded.count("$") == 2 * len(simple) else None
    values, start, length = [], 1, len(encoded)
    while True:
        end = encoded.find("$", start)
        while 0 <= end < length - 1 and encoded[end + 1] == "$":
            end = encoded.find("$", end + 2)
        if end < 0:
            return None
        values.append(encoded[start:end].replace("$$", "$"))
        if end == length - 1:
            return values
        if encoded[end + 1 : end + 3] != ";$":
            return None
        start = end + 3


def columns_of(rows: Iterable[Sequence[str]], width: int) -> list[Sequence[str]]:
    """Rows of new cells turned into columns; `width` columns even when there is no row."""
    turned: list[Sequence[str]] = list(zip(*rows))
    return turned or [()] * width
