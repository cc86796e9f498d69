"""Rows that no search should make: every command answers them with rows or with its own sentence, soon, in little memory."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cba.command.sdk import GeneratingCommand
from cba.command.table import Table, decode_multivalue, read_tables
from cba.errors import RowError
from lab.chunked import encode_multivalue, encode_rows
from lab.errors import LabError
from tests.security import examples
from tests.security.commands import COMMANDS, answers, kind_of, needed
from tests.security.limits import within
from tests.support.workbench import FIRST_DAY, Workbench, reduced

CORPUS = Path(__file__).parent / "corpus"
CELLS: list[str] = json.loads((CORPUS / "cells.json").read_text("utf-8"))
BODIES = sorted((CORPUS / "chunks").iterdir())
INTERNALS = re.compile(r'Traceback|fault of the app|at "[^"]*\.py"')
GOOD = reduced(FIRST_DAY, "ann", "NL", variation="2", evidence="-", fqdn="a.s3.amazonaws.com")
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with Workbench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


def fields_of(bench: Workbench, command: str) -> list[str]:
    """The fields that a command asks for, and those that rows usually have."""
    replies, _end = answers(bench, command, needed(command), "")
    asked = replies[0].metadata.get("required_fields") or [] if replies else []
    return list(dict.fromkeys([*asked, *GOOD]))


def sound(end: str) -> None:
    assert not INTERNALS.search(end), end
    assert len(end) < 6000


@pytest.mark.parametrize("command", COMMANDS)
def test_any_cells_in_any_fields(bench: Workbench, command: str) -> None:
    names = fields_of(bench, command)
    strange = st.one_of(st.sampled_from(CELLS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    cells = st.one_of(strange, st.lists(strange, min_size=2, max_size=3))
    rows = st.lists(st.dictionaries(st.sampled_from(names), cells, max_size=6), min_size=1, max_size=4)

    @given(rows)
    @examples(30)
    def every(changes: list[dict[str, Any]]) -> None:
        body = encode_rows(names, [{**GOOD, **change} for change in changes])
        with within(20):
            _replies, end = answers(bench, command, needed(command), body)
        sound(end)

    every()


@pytest.mark.parametrize("command", COMMANDS)
def test_any_lines(bench: Workbench, command: str) -> None:
    """Bytes that are no CSV of the protocol: ragged rows, quotes without end, columns twice."""
    names = fields_of(bench, command)
    good = encode_rows(names, [GOOD, GOOD])
    damage = st.tuples(
        st.integers(0, len(good)),
        st.integers(0, 60),
        st.sampled_from(["", ",", '"', "\n", "\r", "\0", "a,b", '""', ",,,\n", "é"]),
    )

    @given(st.lists(damage, min_size=1, max_size=3))
    @examples(30)
    def every(places: list[tuple[int, int, str]]) -> None:
        body = good
        for at, length, put in places:
            body = body[:at] + put + body[at + length :]
        with within(20):
            _replies, end = answers(bench, command, needed(command), body)
        sound(end)

    every()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("file", BODIES, ids=lambda path: path.name)
def test_the_corpus_of_chunks(bench: Workbench, command: str, file: Path) -> None:
    with within(20):
        _replies, end = answers(bench, command, needed(command), file.read_bytes().decode("utf-8", "surrogateescape"))
    sound(end)


BIG = [
    "x" * MEGABYTE,
    "$" * MEGABYTE,
    '{"a":' * (MEGABYTE // 5),
    "1" * MEGABYTE,
    "a." * (MEGABYTE // 2),
    "/" * MEGABYTE,
]


@pytest.mark.parametrize("command", [name for name in COMMANDS if not issubclass(kind_of(name), GeneratingCommand)])
def test_cells_of_a_megabyte(command: str, tmp_path: Path) -> None:
    """One in each field in turn, in a process of its own."""
    with Workbench(tmp_path, sys.executable) as bench:
        names = fields_of(bench, command)
        for cell in BIG:
            rows = [{**dict.fromkeys(names, "-"), **GOOD, name: cell} for name in names[:12]]
            with within(30):
                try:
                    bench.runner.run(command, needed(command), rows, bench.info(command))
                except LabError as problem:
                    sound(problem.message)
            assert (bench.runner.statistics.peak_rss or 0) < 400 * MEGABYTE


@given(st.lists(st.text(st.sampled_from("$;ab\n"), max_size=6), min_size=1, max_size=6))
@example(["$;$", ";", "$", ""])
@examples(1000)
def test_several_values_are_read_as_they_were_written(values: list[str]) -> None:
    assert decode_multivalue(encode_multivalue(values)) == values


@given(st.text(st.sampled_from("$;a"), max_size=12))
@examples(1000)
def test_what_is_no_list_of_values_is_refused_with_its_row(text: str) -> None:
    found = decode_multivalue(text)
    assert found is None or encode_multivalue(found) == text
    if found is None and text:
        table = Table(["t", "__mv_t"], [["1", ""], ["x", text]])
        with pytest.raises(RowError, match="field t of row 2 has several values that cannot be read"):
            list(table.multivalues("t"))


@pytest.mark.parametrize(
    "text", ["$" * 2_000_000, "$" * 2_000_001 + "x", "$a" * 1_000_000, "$;" * 1_000_000, "$a$;" * 500_000]
)
def test_lists_of_values_take_time_by_their_length(text: str) -> None:
    with within(5):
        decode_multivalue(text)


def rows_of(text: str) -> list[list[str]]:
    return [row for table in read_tables(io.StringIO(text, newline="\n")) for row in table.rows]


@given(st.lists(st.lists(st.text(st.sampled_from('ab"\n,'), max_size=3), max_size=4), min_size=1, max_size=5))
@examples(300)
def test_a_ragged_row_is_named_and_never_taken_for_another(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["a", "b"], *rows])
    ragged = next((n for n, row in enumerate(rows, 1) if len(row) != 2), None)
    if ragged is None:
        assert rows_of(out.getvalue()) == rows
    else:
        with pytest.raises(
            RowError, match=f"row {ragged} of a chunk from splunkd has {len(rows[ragged - 1])} cells under 2 columns"
        ):
            rows_of(out.getvalue())


def test_an_empty_line_is_the_empty_cell_of_a_row_with_one() -> None:
    assert rows_of("a\n1\n\n2\n") == [["1"], [""], ["2"]]


def test_what_is_wrong_above_is_said_when_all_below_has_been_sent(tmp_path: Path) -> None:
    """splunkd hands over a chunk to its end before it takes an answer; of a command that closes its input earlier it is
    only known that it ended unexpectedly."""
    with Workbench(tmp_path, sys.executable) as bench:
        rows = [{**GOOD, "bucket": "yesterday"}, *[GOOD] * 50_000]
        complaint = bench.complaint("cbajudge", "source=aws", rows=rows)
    assert "field bucket of row 1 is 'yesterday'" in complaint
