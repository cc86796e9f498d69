"""The animated picture: what is put together is a PNG of which every frame is one of those that went in."""

from __future__ import annotations

import struct
import zlib

import pytest

from demo.picture import PICTURE, _chunk, _chunks, animated

HEAD = b"\x89PNG\r\n\x1a\n"


def png(shade: int, width: int = 2) -> bytes:
    """A picture of one row in one shade of grey."""
    head = struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" + bytes([shade]) * width)
    return HEAD + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def test_frames_are_kept_in_order_and_numbered() -> None:
    frames = [png(shade) for shade in (1, 2, 3)]
    chunks = list(_chunks(animated(frames, seconds=2)))
    assert [name for name, _data in chunks] == [
        b"IHDR", b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"fcTL", b"fdAT", b"IEND",
    ]  # fmt: skip
    assert struct.unpack(">II", chunks[1][1]) == (3, 0)
    numbers = [struct.unpack(">I", data[:4])[0] for name, data in chunks if name in (b"fcTL", b"fdAT")]
    assert numbers == list(range(5))
    shown = [chunks[3][1], chunks[5][1][4:], chunks[7][1][4:]]
    assert [zlib.decompress(data)[1] for data in shown] == [1, 2, 3]
    assert struct.unpack(">HH", chunks[2][1][20:24]) == (2, 1)


def test_frames_of_another_size_and_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match="frame 2 is of another size"):
        animated([png(1), png(1, width=3)])
    with pytest.raises(ValueError, match="not a PNG"):
        animated([b"GIF89a"])


def test_the_picture_in_the_documents_is_one() -> None:
    names = [name for name, _data in _chunks(PICTURE.read_bytes())]
    assert names[:2] == [b"IHDR", b"acTL"] and names.count(b"fcTL") == 7
