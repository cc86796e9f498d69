"""Chunks as tables: what came goes out again, new columns beside it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.command import table as tables
from cba.command.table import Table, columns_of, read_tables
from cba.errors import RowError

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=12)


def body(names: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows])
    return out.getvalue()


def table_of(text: str) -> Table:
    (table,) = read_tables(io.StringIO(text, newline="\n"))
    return table


def written(table: Table, names: list[str], columns: list[list[str]]) -> list[list[str]]:
    out = io.StringIO()
    table.write(out, names, columns)
    return list(csv.reader(io.StringIO(out.getvalue())))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8))
def test_every_cell_survives(rows: list[tuple[str, str, str]]) -> None:
    table = table_of(body(["a", "b"], [[a, b] for a, b, _new in rows]))
    out = written(table, ["c"], [[new for _a, _b, new in rows]])
    assert out == [["a", "b", "c"], *([a, b, new] for a, b, new in rows)]


def test_a_column_that_is_written_again_is_replaced_with_its_twin() -> None:
    table = table_of(body(["a", "__mv_a", "b"], [["1\n2", "$1$;$2$", "x"]]))
    assert written(table, ["a"], [["new"]]) == [["b", "a"], ["x", "new"]]


def test_multiple_values() -> None:
    table = table_of(body(["t", "__mv_t"], [["1\n2", "$1$;$2$"], ["3", ""], ["", ""], ["a$b\nc", "$a$$b$;$c$"]]))
    assert list(table.multivalues("t")) == [["1", "2"], ["3"], [], ["a$b", "c"]]


def test_absent_columns_read_as_empty() -> None:
    table = table_of(body(["a"], [["1"], ["2"]]))
    assert list(table.column("b")) == ["", ""]
    assert list(table.multivalues("b")) == [[], []]


def test_an_empty_chunk_has_no_tables() -> None:
    assert list(read_tables([])) == []
    assert list(read_tables(["a,b\n"])) == []
    assert columns_of([], 2) == [(), ()]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=12), st.integers(1, 5), st.integers(1, 40))
def test_in_portions_it_is_the_same_answer(rows: list[tuple[str, str, str]], height: int, characters: int) -> None:
    """However few rows or characters are held at once."""
    text = body(["a", "b"], [[a, b] for a, b, _new in rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "MOST_CHARACTERS", characters)
        out = io.StringIO()
        done = 0
        for table in read_tables(io.StringIO(text, newline="\n"), height):
            assert 0 < len(table.rows) <= height
            assert table.position(0) == done + 1
            table.write(out, ["c"], [[new for _a, _b, new in rows[done : done + len(table.rows)]]])
            done += len(table.rows)
    assert done == len(rows)
    assert out.getvalue() == (body(["a", "b", "c"], [list(row) for row in rows]) if rows else "")


def test_messages_count_rows_from_the_top_of_the_chunk() -> None:
    many = ["a,__mv_a\n", "1,\n", "2,\n", "3,$\n"]
    with pytest.raises(RowError, match="field a of row 3 has several values"):
        [list(table.multivalues("a")) for table in read_tables(many, 2)]
    with pytest.raises(RowError, match="row 4 of a chunk from splunkd has 3 cells under 2 columns"):
        list(read_tables([*many, "4,,\n"], 2))
