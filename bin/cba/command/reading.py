"""From a chunk's cells to rows of a source."""

from __future__ import annotations

from typing import Iterator, Sequence

from ..judging.rows import GEO_FIELDS, TIME_FIELDS, Row, read_row
from .table import Table

NAMED_TIMES = TIME_FIELDS[:3]


def row_names(row_fields: Sequence[str]) -> tuple[str, ...]:
    """The fields of a source's rows beside their times: those its search groups by, and what cbageo adds."""
    return tuple(dict.fromkeys((*row_fields, *GEO_FIELDS)))


def read_rows(table: Table, row_fields: Sequence[str]) -> Iterator[Row]:
    """The chunk's rows. Raises RowError naming field, value and row. A row without a bucket is none: a search may append
    one so that it never ends without any."""
    names = row_names(row_fields)
    times = zip(*(table.column(name) for name in NAMED_TIMES))
    cells = zip(*(table.column(name) for name in names))
    seconds = table.multivalues(TIME_FIELDS[3])
    for position, (time, second, cell) in enumerate(zip(times, seconds, cells), 1):
        if time[0]:
            yield read_row(time, second, names, cell, position)
