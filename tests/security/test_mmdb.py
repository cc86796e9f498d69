"""IP databases that somebody made, or damaged: read, or refused in a sentence, soon and in little memory."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.enrich import files
from cba.enrich.errors import GeoDatabaseError
from cba.enrich.geo import SHIPPED_DATABASE, GeoReader
from tests.security import examples
from tests.security.limits import within

CORPUS = sorted((Path(__file__).parent / "corpus" / "mmdb").iterdir())
ADDRESSES = ["0.0.0.1", "1.1.1.1", "8.8.8.8", "223.255.255.255", "2001:4860::1", "2a00::1", "::1", "", "x" * 1000]
MARKER = b"\xab\xcd\xefMaxMind.com"


def read(path: Path) -> str:
    """Looks addresses up; what is wrong with the file, if something is."""
    try:
        with within(20):
            reader = GeoReader(path)
            for text in ADDRESSES:
                found = reader.lookup(text)
                assert all(isinstance(value, str) and len(value) <= 200 for value in found)
            reader.databases, reader.date  # noqa: B018 (cbahealth asks for them)
    except GeoDatabaseError as problem:
        assert len(str(problem)) < 6000 and str(path) in str(problem)
        return str(problem)
    return ""


def text(value: str) -> bytes:
    return sized(2, len(value.encode())) + value.encode()


def number(kind: int, value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return sized(kind, len(data)) + data


def sized(kind: int, size: int) -> bytes:
    """The control bytes of a value."""
    rest = b""
    if size >= 65821:
        size, rest = 31, (size - 65821).to_bytes(3, "big")
    elif size >= 285:
        size, rest = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        size, rest = 29, bytes([size - 29])
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + rest


def pointer(to: int) -> bytes:
    return bytes([0x38]) + struct.pack("!I", to)


def encoded(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return sized(14, int(value))
    if isinstance(value, float):
        return sized(3, 8) + struct.pack("!d", value)
    if isinstance(value, int):
        return number(9, value) if value >= 0 else sized(8, 4) + struct.pack("!i", value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return sized(7, len(value)) + b"".join(text(k) + encoded(v) for k, v in value.items())
    assert isinstance(value, list)
    return sized(11, len(value)) + b"".join(map(encoded, value))


METADATA = {
    "node_count": 1, "record_size": 24, "ip_version": 6, "database_type": "x", "languages": ["en"], "binary_format_major_version": 2,
    "binary_format_minor_version": 0, "build_epoch": 1_700_000_000, "description": {"en": "x"},
}  # fmt: skip


def made(records: bytes, nodes: List[Tuple[int, int]], **metadata: Any) -> bytes:
    """A file with this record section and these nodes of 24 bits."""
    tree = b"".join(left.to_bytes(3, "big") + right.to_bytes(3, "big") for left, right in nodes)
    told: Dict[str, Any] = {**METADATA, "node_count": len(nodes), **metadata}
    return tree + b"\0" * 16 + records + MARKER + encoded(told)


def every(record: bytes) -> bytes:
    """A file in which each address has the one record."""
    return made(record, [(17, 17)])


def laughing(width: int, depth: int) -> bytes:
    """A map of lists that name the next list again and again: a few kilobytes that stand for width ** depth values."""
    start = sized(7, 1) + text("a")
    item = len(sized(11, width)) + width * 5
    lists = b"".join(sized(11, width) + pointer(len(start) + (level + 1) * item) * width for level in range(depth))
    return start + lists + encoded({"country": "US"})


CYCLE = made(encoded({"country": "US"}), [(0, 0)])
LADDER = made(encoded({"country": "US"}), [(n + 1, n + 1) for n in range(199)] + [(200, 200)])
FILES = {
    "a cycle": (CYCLE, "hold neither"),
    "a cycle of two": (made(b"", [(1, 1), (0, 0)]), "hold neither"),
    "each node twice from the one before": (LADDER, "hold neither"),
    "a record that stands for itself": (every(pointer(0)), "damaged"),
    "a map that holds itself": (every(sized(7, 1) + text("a") + pointer(0)), "damaged"),
    "a list that holds itself twice": (every(sized(7, 1) + text("a") + sized(11, 2) + pointer(0) * 2), "damaged"),
    "lists of lists": (every(laughing(100, 20)), "more than 2000 values"),
    "a record of many values": (every(encoded({"a": [0] * 100_000, "country": "US"})), "more than 2000 values"),
    "a record of a long text": (every(encoded({"country": "US", "name": "x" * 1_000_000})), "more than 65536 bytes"),
    "a list that is said to be long": (every(sized(7, 1) + text("a") + sized(11, 16_000_000)), "damaged"),
    "a number of a megabyte": (every(encoded({"asn": sized(9, 1_000_000) + b"\xff" * 1_000_000})), "a number has"),
    "a key that is a map": (every(sized(7, 1) + sized(7, 0) + text("a")), "damaged"),
    "a pointer out of the file": (every(pointer(2**32 - 1)), "damaged"),
    "a record out of the file": (made(b"", [(2**24 - 1, 2**24 - 1)]), "damaged"),
    "a list for a record": (every(encoded([1])), "where a map is expected"),
    "no node": (made(encoded({}), []), "hold neither"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_made_to_harm(name: str, tmp_path: Path) -> None:
    content, words = FILES[name]
    (tmp_path / "x.mmdb").write_bytes(content)
    assert words in read(tmp_path / "x.mmdb")


def test_what_these_files_are_made_of_is_right(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(every(encoded({"country": "FR", "asn": 15169, "name": "a\nb " + "x" * 300})))
    assert read(tmp_path / "x.mmdb") == ""
    geo = GeoReader(tmp_path / "x.mmdb").lookup("1.1.1.1")
    assert (geo.country, geo.asn) == ("FR", "15169") and geo.as_org.startswith("a b xxx") and len(geo.as_org) == 200


ODD = [
    None,
    -1,
    0,
    1,
    2,
    3,
    5,
    23,
    25,
    2**31,
    2**63,
    2**127,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "24",
    "x" * 5000,
    [],
    [1],
    {},
    {"en": [1]},
    True,
]


@pytest.mark.parametrize("key", sorted(METADATA))
def test_metadata_of_any_kind(key: str, tmp_path: Path) -> None:
    path = tmp_path / "x.mmdb"
    for value in ODD:
        told = {k: v for k, v in {**METADATA, key: value}.items() if v is not None}
        path.write_bytes((17).to_bytes(3, "big") * 2 + b"\0" * 16 + encoded({"country": "US"}) + MARKER + encoded(told))
        read(path)


@pytest.mark.parametrize("file", CORPUS, ids=lambda path: path.name)
def test_the_corpus(file: Path) -> None:
    assert read(file)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=4))
@examples(400)
def test_a_damaged_file(tmp_path: Path, places: list[tuple[float, int, bytes]]) -> None:
    whole = made(
        encoded({"country": {"iso_code": "US"}, "as": {"number": 1, "organization": "x"}})
        + encoded({"asn": "AS2", "name": "y", "list": [1.5, True, -3]}),
        [(n + 1, 250) for n in range(96)] + [(97, 215), (98, 266), (215, 266)] + [(215, 266)] * 100,
    )
    data = bytearray(whole)
    for where, cut, put in places:
        at = int(where * len(data))
        data[at : at + cut] = put
    (tmp_path / "x.mmdb").write_bytes(data)
    read(tmp_path / "x.mmdb")


@given(st.integers(0, 3), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3))
@examples(20)
def test_a_damaged_file_of_the_apps_own_kind(tmp_path: Path, tail: int, places: list[tuple[float, int]]) -> None:
    """Where records and metadata are: in the last part of the file."""
    data = bytearray(SHIPPED_DATABASE.read_bytes())
    for where, put in places:
        data[-1 - int(where * 10 ** (tail + 2))] = put
    (tmp_path / "x.mmdb").write_bytes(data)
    read(tmp_path / "x.mmdb")


def test_a_file_that_is_larger_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IP_DATABASE", files.Kind("database", ".mmdb", 1000))
    (tmp_path / "x.mmdb").write_bytes(b"x" * 1001)
    assert "larger than" in read(tmp_path / "x.mmdb")
