"""Chunks of the protocol, read and answered in portions."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from splunklib.searchcommands.internals import RecordWriterV2

from cba.command.chunks import Answer, read_chunk
from cba.errors import RowError
from lab.chunked import decode_chunk, encode_chunk
from lab.replay import APP_DIR
from lab.transport import command_class


@given(st.lists(st.tuples(st.binary(max_size=30), st.booleans()), max_size=5))
def test_each_chunk_ends_where_the_next_begins_whether_it_is_read_or_not(bodies: list[tuple[bytes, bool]]) -> None:
    stream = io.BytesIO(
        b"".join(b"chunked 1.0,20,%d\n" % len(body) + b'{"action":"execute"}' + body for body, _read in bodies)
    )
    for body, read in bodies:
        chunk = read_chunk(stream)
        assert chunk is not None
        assert chunk[0].action == "execute"
        assert len(chunk[1]) == len(body)
        if read:
            assert "".join(chunk[1]) == body.decode("utf-8", "replace")
        chunk[1].drain()
    assert read_chunk(stream) is None


def test_a_chunk_that_ends_too_early_is_a_fault_and_not_a_shorter_one() -> None:
    stream = io.BytesIO(encode_chunk({"action": "execute"}, "a\n1\n2\n")[:-2])
    chunk = read_chunk(stream)
    assert chunk is not None
    with pytest.raises(RowError, match="a chunk from splunkd ends 2 bytes too early"):
        list(chunk[1])


def test_what_is_no_chunk_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transport header"):
        read_chunk(io.BytesIO(b"GET / HTTP/1.1\n"))


@given(st.text(max_size=200), st.booleans())
def test_an_answer_is_the_chunk_that_the_sdk_would_write(text: str, finished: bool) -> None:
    def written(with_answer: bool) -> bytes:
        out = io.BytesIO()
        writer: Any = RecordWriterV2(out)
        writer.write_message("INFO", "said")
        if with_answer:
            answer = Answer()
            answer.text.write(text)
            answer.send(writer, finished)
        else:
            writer._buffer.write(text)
            writer.write_chunk(finished=finished)
        assert writer.is_flushed
        return out.getvalue()

    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = ""
    ours, theirs = decode_chunk(written(True)), decode_chunk(written(False))
    assert ours == theirs


def test_what_is_neither_getinfo_nor_rows_is_refused() -> None:
    searchinfo = {
        "args": [], "raw_args": [], "dispatch_dir": "/tmp", "sid": "1", "app": "a", "owner": "o", "username": "o",
        "session_key": "", "splunkd_uri": "", "splunk_version": "9.4.3", "search": "", "command": "cbageo",
        "maxresultrows": 50_000, "earliest_time": "0", "latest_time": "0",
    }  # fmt: skip
    asked = {"action": "getinfo", "preview": False, "searchinfo": searchinfo}
    sent, out = io.BytesIO(encode_chunk(asked) + encode_chunk({"action": "end"}, "src_ip\n1.1.1.1\n")), io.BytesIO()
    with pytest.raises(SystemExit):
        command_class(APP_DIR / "bin" / "cbageo.py", "cbageo")().process(["cbageo.py"], sent, out)
    assert b"stopped by a fault of the app itself (RuntimeError)" in out.getvalue()
