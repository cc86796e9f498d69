"""Chunks of the search command protocol, read and answered in portions.

splunk-sdk holds a chunk as bytes, as text, as rows, and its answer as text and bytes again: some hundred megabytes for
50,000 rows of a storm. Here the body is read from the pipe as it is parsed, and of the answer only its bytes are held,
because its length comes first. https://github.com/splunk/splunk-sdk-python/blob/2.1.1/splunklib/searchcommands
"""

from __future__ import annotations

import io
import json
from typing import IO, Any, Iterator, Optional

from ..errors import RowError
from .sdk import RecordWriter, SearchCommand

_BLOCK = 1 << 16


class _Limited(io.RawIOBase):
    """The next `left` bytes of a stream, which stays open."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self.left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            return 0
        data = self._stream.read(min(len(buffer), self.left))
        if not data:
            raise RowError(f"a chunk from splunkd ends {self.left} bytes too early")
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class Body:
    """The text of a chunk, line by line, once. Bytes that are no UTF-8 read as U+FFFD, as with the SDK."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._length = length
        self._bytes = _Limited(stream, length)
        self._text = io.TextIOWrapper(io.BufferedReader(self._bytes, _BLOCK), "utf-8", "replace", newline="\n")

    def __len__(self) -> int:
        """How many bytes it has."""
        return self._length

    def __iter__(self) -> Iterator[str]:
        return self._text

    def drain(self) -> None:
        """Reads what is left and lets it go: splunkd hands over a chunk to its end before it takes an answer."""
        while self._bytes.left and self._text.read(_BLOCK):
            pass


class Answer:
    """What a command answers to a chunk: CSV written to `text`."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self.text = io.TextIOWrapper(self._bytes, "utf-8", "replace", newline="")

    def send(self, writer: RecordWriter, finished: bool) -> None:
        """Writes it as the answer to the chunk, with the messages and metrics that the SDK's writer has collected."""
        self.text.flush()
        metadata: dict[str, Any] = {"inspector": dict(writer._inspector)} if writer._inspector else {}
        told = json.dumps({**metadata, "finished": finished})
        body = self._bytes.getbuffer()
        writer.write(f"chunked 1.0,{len(told)},{len(body)}\n".encode("ascii"))
        writer.write(told.encode("ascii"))
        for start in range(0, len(body), _BLOCK):
            writer.write(bytes(body[start : start + _BLOCK]))
        writer._ofile.flush()
        writer.is_flushed = True
        writer._clear()


def read_chunk(stream: IO[bytes]) -> Optional[tuple[Any, Body]]:
    """The next chunk of a stream: metadata, and a body that is still to be read; None at the end.

    Raises RuntimeError with the SDK's words for what is no chunk.
    """
    header = stream.readline()
    found = SearchCommand._header.match(header.decode("utf-8", "replace"))
    metadata = stream.read(int(found[1])) if found else b""
    alone = f"chunked 1.0,{len(metadata)},0\n".encode("ascii") if found else header
    chunk = SearchCommand._read_chunk(io.BytesIO(alone + metadata))
    return None if chunk is None else (chunk[0], Body(stream, int(found[2]) if found else 0))
