"""The bytes of search command protocol v2: chunks, CSV bodies, `__mv_` twins.

A chunk is `chunked 1.0,<metadata length>,<body length>\\n` + JSON metadata + CSV body. Every field has a twin column
`__mv_<field>` that holds `$a$;$b$` for a multivalue and is empty otherwise; the plain column then holds the values
joined by line breaks. Seen in recordings of splunkd 6.3 and 8.2.1, and in splunklib/searchcommands/internals.py;
described in
https://dev.splunk.com/enterprise/docs/devtools/customsearchcommands and
https://github.com/TiVo/splunk-search-command-examples.
"""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import repeat
from typing import Any, Mapping, NamedTuple, Optional, Protocol, Sequence

from lab.errors import LabError
from lab.spl.values import text as to_text

csv.field_size_limit(100 * 1024 * 1024)

INDEX_FIELD = "_chunked_idx"
MV_PREFIX = "__mv_"
Row = dict[str, Any]

_HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*(\d+)\s*,\s*(\d+)\s*\n")
_MV_ITEM = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")


class ByteReader(Protocol):
    """The part of a binary file that reading chunks takes."""

    def readline(self) -> bytes: ...

    def read(self, size: int) -> bytes: ...


class Chunk(NamedTuple):
    """Metadata and CSV text of one chunk."""

    metadata: dict[str, Any]
    body: str


class Table(NamedTuple):
    """A decoded body: plain fields and their columns; a cell is text, a list of texts, or None when empty."""

    fields: list[str]
    columns: list[list[Any]]
    height: int


def encode_chunk(metadata: Optional[dict[str, Any]], body: str = "") -> bytes:
    """The bytes of a chunk; `metadata` None or {} writes none.

    >>> encode_chunk({"finished": True})
    b'chunked 1.0,17,0\\n{"finished":true}'
    """
    meta = json.dumps(metadata, separators=(",", ":")).encode("utf-8") if metadata else b""
    data = body.encode("utf-8", "surrogateescape")
    return b"chunked 1.0,%d,%d\n" % (len(meta), len(data)) + meta + data


def read_chunk(stream: ByteReader) -> Optional[Chunk]:
    """The next chunk of a stream, None at its end; LabError for anything that is not a chunk."""
    header = stream.readline()
    if not header:
        return None
    match = _HEADER.fullmatch(header)
    if match is None:
        raise LabError(f"not a chunk header: {header[:200]!r}. Does the command print to stdout?")
    meta_length, body_length = int(match[1]), int(match[2])
    meta, body = _exactly(stream, meta_length), _exactly(stream, body_length)
    try:
        metadata = json.loads(meta) if meta else {}
    except ValueError as problem:
        raise LabError(f"the chunk's metadata is not JSON ({problem}): {meta[:200]!r}") from None
    return Chunk(metadata, body.decode("utf-8", "surrogateescape"))


def _exactly(stream: ByteReader, length: int) -> bytes:
    data = stream.read(length) if length else b""
    if len(data) != length:
        raise LabError(f"the chunk ends after {len(data)} of {length} bytes.")
    return data


def decode_chunk(data: bytes) -> Chunk:
    """The one chunk that `data` holds; LabError for less or more than one."""
    stream = io.BytesIO(data)
    chunk = read_chunk(stream)
    if chunk is None or stream.read(1):
        raise LabError("expected the bytes of exactly one chunk.")
    return chunk


def encode_multivalue(values: Sequence[Any]) -> str:
    """`["a", "b$"]` as `$a$;$b$$$`."""
    return ";".join("$" + to_text(v).replace("$", "$$") + "$" for v in values)


def decode_multivalue(encoded: str) -> list[str]:
    return [item.replace("$$", "$") for item in _MV_ITEM.findall(encoded)]


def encode_rows(fields: Sequence[str], rows: Sequence[Row], indexed: bool = False) -> str:
    """CSV of `rows` with the columns splunkd sends: fields, `_chunked_idx` when `indexed`, then all their twins.

    Without rows this is the header alone. Numbers are written as Splunk shows them; a null cell is empty.
    """
    return encode_columns({field: [row.get(field) for row in rows] for field in fields}, len(rows), indexed)


def encode_columns(cells: Mapping[str, list[Any]], height: int, indexed: bool) -> str:
    """As `encode_rows`, of the cells of each field."""
    columns: list[Any] = []
    twins: list[Any] = []
    for values in cells.values():
        plain, twin = _column(values)
        columns.append(plain)
        twins.append(twin)
    names = list(cells)
    if indexed:
        names.append(INDEX_FIELD)
        columns.append(range(height))
        twins.append(repeat("", height))
    out = io.StringIO()
    out.write(",".join(map(_quote_name, [*names, *(MV_PREFIX + name for name in names)])) + "\n")
    csv.writer(out, lineterminator="\n").writerows(zip(*columns, *twins))
    return out.getvalue()


def _column(values: list[Any]) -> tuple[list[Any], Any]:
    """(plain column, twin column). Text and null pass as they are, which is what most columns hold."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None), int}:
        return values, repeat("", len(values))
    if list not in kinds:
        return [to_text(v) for v in values], repeat("", len(values))
    twins = [encode_multivalue(v) if type(v) is list else "" for v in values]
    return [to_text(v) for v in values], twins


def _quote_name(name: str) -> str:
    """splunkd quotes column names that begin with an underscore."""
    if name.startswith("_") or any(c in name for c in ',"\n'):
        return '"' + name.replace('"', '""') + '"'
    return name


def decode_table(body: str) -> Table:
    """The columns of a CSV body, `__mv_` twins folded in. Empty cells are None (null)."""
    reader = csv.reader(io.StringIO(body, newline=""))
    header = next(reader, None)
    if header is None:
        return Table([], [], 0)
    records = [record for record in reader if record]
    odd = next((record for record in records if len(record) != len(header)), None)
    if odd is not None:
        raise LabError(f"a CSV row has {len(odd)} cells under {len(header)} columns: {odd[:5]!r}")
    by_name = dict(zip(header, zip(*records))) if records else {}
    fields, columns = [], []
    for name in header:
        if name.startswith(MV_PREFIX):
            continue
        cells = [cell or None for cell in by_name.get(name, ())]
        twin = by_name.get(MV_PREFIX + name, ())
        if any(twin):
            cells = [decode_multivalue(t) if t else cell for cell, t in zip(cells, twin)]
        fields.append(name)
        columns.append(cells)
    return Table(fields, columns, len(records))


def decode_rows(body: str) -> list[Row]:
    """The rows of a CSV body; null cells are left out."""
    table = decode_table(body)
    return [
        {name: value for name, value in zip(table.fields, values) if value is not None}
        for values in zip(*table.columns)
    ]
