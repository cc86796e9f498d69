"""A chunk of search results as a table of text cells, read and written without building a dictionary per row.

splunk-sdk keeps the protocol (getinfo, options, messages, one reply per chunk); only the CSV body goes this way, which
is several times faster than one ordered dictionary per row. A field `x` may come with a twin column `__mv_x` that holds
its multiple values as `$a$;$b$`, a dollar doubled.
https://github.com/splunk/splunk-sdk-python/blob/2.1.1/splunklib/searchcommands/search_command.py
"""

from __future__ import annotations

import csv
import re
from typing import Iterable, Iterator, Optional, Sequence, TextIO

from ..errors import RowError

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MV = "__mv_"
_SHOWN = 100
"""Characters of a cell that a message repeats."""


class Table:
    """One chunk: `names` of the columns as they came, and `rows` of cells (text; "" is absent)."""

    def __init__(self, names: Sequence[str], rows: list[list[str]]) -> None:
        self.names = list(names)
        self.rows = rows
        self._at = {name: index for index, name in enumerate(self.names)}

    @classmethod
    def read(cls, body: str) -> Table:
        """Parses a CSV body; an empty one gives a table without columns and rows.

        Raises RowError for a row that is no CSV, or has more or fewer cells than the header: which of them belongs to
        which field nobody knows. A NUL, which Python 3.9 refuses in a CSV file, is replaced by U+FFFD.
        """
        if "\0" in body:
            body = body.replace("\0", "\ufffd")
        # Line by line, because a StringIO of the body takes four bytes a character. (str.splitlines knows more ends.)
        reader = csv.reader(map(re.Match.group, _LINE.finditer(body)))
        names: list[str] = []
        rows: list[list[str]] = []
        try:
            names = next(reader, [])
            rows.extend(reader)
        except csv.Error as error:
            raise RowError(f"row {len(rows) + 1} of a chunk from splunkd is not CSV ({error})") from error
        width = len(names)
        for position, row in enumerate(rows, 1):
            if len(row) != width:
                if row or width != 1:
                    raise RowError(f"row {position} of a chunk from splunkd has {len(row)} cells under {width} columns")
                row.append("")  # an empty line is the one empty cell of a row
        return cls(names, rows)

    def column(self, name: str) -> Sequence[str]:
        """The cells of a field from top to bottom; all "" when the chunk has no such field."""
        index = self._at.get(name)
        if index is None:
            return [""] * len(self.rows)
        return [row[index] for row in self.rows]

    def multivalues(self, name: str) -> Iterator[list[str]]:
        """The values of a field row by row: its many values, its one, or none. Raises RowError naming field and row."""
        plain, many = self.column(name), self.column(_MV + name)
        for position, (single, encoded) in enumerate(zip(plain, many), 1):
            if encoded:
                values = decode_multivalue(encoded)
                if values is None:
                    shown = encoded[:_SHOWN]
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
        """Writes every column as it came, and the new ones after them; a new one replaces a column of its name."""
        replaced = {self._at[name] for name in names if name in self._at}
        replaced |= {self._at[_MV + name] for name in names if _MV + name in self._at}
        writer = csv.writer(out)
        if not replaced:
            writer.writerow([*self.names, *names])
            writer.writerows([*row, *new] for row, new in zip(self.rows, zip(*columns)))
            return
        kept = [index for index in range(len(self.names)) if index not in replaced]
        writer.writerow([*(self.names[index] for index in kept), *names])
        writer.writerows([*(row[index] for index in kept), *new] for row, new in zip(self.rows, zip(*columns)))


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
