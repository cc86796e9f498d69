"""Chunks as tables: what came goes out again, new columns beside it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from cba.command.table import Table, columns_of

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=12)


def body(names: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows])
    return out.getvalue()


def written(table: Table, names: list[str], columns: list[list[str]]) -> list[list[str]]:
    out = io.StringIO()
    table.write(out, names, columns)
    return list(csv.reader(io.StringIO(out.getvalue())))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8))
def test_every_cell_survives(rows: list[tuple[str, str, str]]) -> None:
    table = Table.read(body(["a", "b"], [[a, b] for a, b, _new in rows]))
    out = written(table, ["c"], [[new for _a, _b, new in rows]])
    assert out == [["a", "b", "c"], *([a, b, new] for a, b, new in rows)]


def test_a_column_that_is_written_again_is_replaced_with_its_twin() -> None:
    table = Table.read(body(["a", "__mv_a", "b"], [["1\n2", "$1$;$2$", "x"]]))
    assert written(table, ["a"], [["new"]]) == [["b", "a"], ["x", "new"]]


def test_multiple_values() -> None:
    table = Table.read(body(["t", "__mv_t"], [["1\n2", "$1$;$2$"], ["3", ""], ["", ""], ["a$b\nc", "$a$$b$;$c$"]]))
    assert list(table.multivalues("t")) == [["1", "2"], ["3"], [], ["a$b", "c"]]


def test_absent_columns_read_as_empty() -> None:
    table = Table.read(body(["a"], [["1"], ["2"]]))
    assert list(table.column("b")) == ["", ""]
    assert list(table.multivalues("b")) == [[], []]


def test_an_empty_chunk_has_no_columns() -> None:
    table = Table.read("")
    assert (table.names, table.rows) == ([], [])
    assert columns_of([], 2) == [(), ()]
