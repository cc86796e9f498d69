"""Chunks and their CSV bodies, against the bytes of recordings of splunkd and against the SDK's own reader and
writer."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from splunklib.searchcommands.internals import RecordWriterV2
from splunklib.searchcommands.search_command import SearchCommand

from lab.chunked import (
    decode_chunk,
    decode_multivalue,
    decode_rows,
    encode_chunk,
    encode_multivalue,
    encode_rows,
    read_chunk,
)
from lab.errors import LabError

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\x00"), max_size=12)
FILLED = TEXT.filter(bool)
VALUES = st.one_of(FILLED, st.lists(FILLED, min_size=2, max_size=4))
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "_time", "x y", 'q,"']), VALUES), min_size=1, max_size=5)


def test_a_recorded_chunk() -> None:
    recorded = (
        b'chunked 1.0,37,85\n{"action":"execute","finished":false}age,"_chunked_idx","__mv_age","__mv__chunked_idx"\n'
        b"66,0,,\n18,1,,\n25,2,,\n96,3,,\n52,4,,\n"
    )
    body = encode_rows(["age"], [{"age": n} for n in (66, 18, 25, 96, 52)], indexed=True)
    assert decode_chunk(recorded.replace(b",85\n", b",%d\n" % len(body))).body == body
    assert (
        encode_chunk({"action": "execute", "finished": False}, body).split(b"\n", 1)[1] == recorded.split(b"\n", 1)[1]
    )


def test_numbers_read_as_splunk_shows_them() -> None:
    rows = [{"n": 5.0, "m": 1700000000.25, "k": 7, "s": "007"}]
    assert decode_rows(encode_rows(["n", "m", "k", "s"], rows)) == [
        {"n": "5", "m": "1700000000.25", "k": "7", "s": "007"}
    ]


@given(values=st.lists(TEXT, min_size=1, max_size=5))
def test_multivalues(values: list[str]) -> None:
    assert decode_multivalue(encode_multivalue(values)) == values
    assert SearchCommand._decode_list(encode_multivalue(values)) == values


@given(rows=ROWS)
def test_rows_there_and_back(rows: list[dict[str, Any]]) -> None:
    fields = sorted({name for row in rows for name in row})
    assert decode_rows(encode_rows(fields, rows)) == (rows if fields else [])


@given(rows=ROWS)
def test_the_sdk_reads_what_we_write_and_we_read_what_it_writes(rows: list[dict[str, Any]]) -> None:
    fields = ["a", "b", "_time", "x y", 'q,"']
    reader = object.__new__(SearchCommand)
    read = [dict(record) for record in reader._read_csv_records(io.StringIO(encode_rows(fields, rows), newline=""))]
    assert [{k: v for k, v in record.items() if v} for record in read] == rows
    out = io.BytesIO()
    writer = RecordWriterV2(out)
    writer.write_records([{name: row.get(name) for name in fields} for row in rows])
    writer.write_chunk(finished=True)
    chunk = decode_chunk(out.getvalue())
    assert chunk.metadata == {"finished": True}
    assert decode_rows(chunk.body) == rows


def test_streams_of_chunks() -> None:
    stream = io.BytesIO(encode_chunk({"a": 1}) + encode_chunk(None, "x\n1\n"))
    first, second = read_chunk(stream), read_chunk(stream)
    assert first is not None
    assert first.metadata == {"a": 1}
    assert second is not None
    assert decode_rows(second.body) == [{"x": "1"}]
    assert read_chunk(stream) is None
    with pytest.raises(LabError, match=r"exactly one chunk"):
        decode_chunk(b"")
    with pytest.raises(LabError, match=r"exactly one chunk"):
        decode_chunk(encode_chunk({}) + b"x")
