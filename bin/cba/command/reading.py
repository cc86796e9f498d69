"""From a chunk's cells to rows of a source."""

from __future__ import annotations

from typing import Iterator, Sequence

from ..detection.catalogue import Catalogue
from ..detection.model import SourceShape
from ..errors import RowError
from ..judging.rows import GEO_FIELDS, SOURCE_FIELD, TIME_FIELDS, Row, read_row
from .table import Table

NAMED_TIMES = TIME_FIELDS[:3]


def row_columns(shape: SourceShape) -> tuple[str, ...]:
    """The fields of a source's rows beside their times: those its search groups by, what cbageo adds, and what a row
    lists."""
    return tuple(dict.fromkeys((*_names(shape), *shape.listed)))


def all_columns(catalogue: Catalogue, sources: Sequence[str]) -> tuple[str, ...]:
    """The fields of the rows of any of these sources."""
    return tuple(dict.fromkeys(name for source in sources for name in row_columns(catalogue.sources[source])))


def read_rows(table: Table, shape: SourceShape) -> Iterator[Row]:
    """The rows of a table of one source. Raises RowError naming field, value and row."""
    return (row for _at, row in _rows(table, shape, range(len(table.rows))))


def rows_of_sources(table: Table, catalogue: Catalogue, sources: Sequence[str]) -> dict[str, list[tuple[int, Row]]]:
    """The rows of a table by their field source_kind, each with its place in the table. Raises RowError for a source
    that is none of these."""
    places: dict[str, list[int]] = {}
    for at, source in enumerate(table.column(SOURCE_FIELD)):
        places.setdefault(source, []).append(at)
    for source in places:
        if source not in sources:
            position = table.position(places[source][0])
            raise RowError(
                f"field {SOURCE_FIELD} of row {position} is {source!r}, not one of {', '.join(sources)}; "
                f'rows come from | savedsearch "CBA - {sources[0]} - Rows"'
            )
    return {source: list(_rows(table, catalogue.sources[source], at)) for source, at in places.items()}


def _names(shape: SourceShape) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*shape.row_fields, *GEO_FIELDS)))


def _rows(table: Table, shape: SourceShape, at: Sequence[int]) -> Iterator[tuple[int, Row]]:
    names = _names(shape)
    times, cells = table.rows_of(NAMED_TIMES), table.rows_of(names)
    listed = [(name, table.column(name)) for name in shape.listed]
    seconds = list(table.multivalues(TIME_FIELDS[3]))
    for place in at:
        texts = [(name, column[place]) for name, column in listed]
        yield place, read_row(times[place], seconds[place], names, cells[place], table.position(place), texts)
