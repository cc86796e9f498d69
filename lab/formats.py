"""Forms of logs that are no JSON and that people have all the same, turned into what a Splunk would have indexed.

- Sysmon as XML, as Event Viewer, wevtutil and Get-WinEvent write it: <Event> after <Event>, with or without an element
  around them, in lines or in one. Each stays XML, as the universal forwarder sends it with renderXml.
- Sysmon as text, as the forwarder sends it without renderXml (LogName=…, Message=Dns query: …): becomes flat JSON.
- Microsoft 365's audit log as CSV, from Purview or Search-UnifiedAuditLog | Export-Csv: its column AuditData is the
  event (https://learn.microsoft.com/en-us/purview/audit-log-export-records).
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from typing import Any, Iterable, Iterator, NamedTuple, Optional, Union

EVENT_CHARACTERS = 1 << 20
"""Characters of the longest XML event that is read; Windows writes 64 kB at most."""
CELL_CHARACTERS = 64 << 20
XML_START = re.compile(r"<Event[\s>]")
XML_END = "</Event>"
XML_TIMES = (
    ("UtcTime", re.compile(r"<Data Name=['\"]UtcTime['\"]>([^<]+)")),
    ("EventTime", re.compile(r"<TimeCreated SystemTime=['\"]([^'\"]+)")),
)
BETWEEN_TAGS = re.compile(r">\s+<")
TEXT_START = re.compile(r"^LogName=", re.MULTILINE)
TEXT_TIME = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}\s.*[AP]M")
TEXT_HEADER = ("LogName", "SourceName", "EventCode", "ComputerName", "RecordNumber")
"""What stands before the message and is kept. User= there is not the user of the event."""
MESSAGE_FIELD = re.compile(r"(\w+): ?(.*)")
DELIMITERS = ",;\t"
BINARY = {
    b"ElfFile\0": "a binary event log (.evtx): export it as XML (wevtutil qe FILE /lf:true /f:xml > sysmon.xml)",
    b"PK\x03\x04": "a zip archive: unpack it first",
}


class Document(NamedTuple):
    """An event, the line it begins in, and its raw text, where it has one of its own."""

    line: int
    event: Any
    text: Optional[str]


class Trouble(NamedTuple):
    """What could not be read, and in which line."""

    line: int
    reason: str


Read = Iterator[Union[Document, Trouble]]


def utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a file as UTF-8 without a byte order mark, by which UTF-16 is known (PowerShell's Out-File)."""
    decoder: Optional[codecs.IncrementalDecoder] = None
    begin, begun = b"", False
    for chunk in chunks:
        if not begun:
            begin += chunk
            if len(begin) < len(codecs.BOM_UTF8):
                continue
            decoder, chunk, begun = _utf16(begin), begin.removeprefix(codecs.BOM_UTF8), True
        yield chunk if decoder is None else decoder.decode(chunk).encode("utf-8", "replace")
    if not begun:
        yield begin
    elif decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _utf16(begin: bytes) -> Optional[codecs.IncrementalDecoder]:
    marked = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return codecs.getincrementaldecoder("utf-16")("replace") if marked else None


def is_xml(head: str) -> bool:
    return head.startswith("<") or XML_START.search(head) is not None


def is_event_text(head: str) -> bool:
    return not head.startswith(("{", "[")) and TEXT_START.search(head) is not None


def is_csv(head: str) -> bool:
    """Its header, which may come after a line #TYPE, names the column AuditData."""
    return not head.startswith(("{", "[", "<")) and any("auditdata" in line.lower() for line in head.splitlines()[:2])


# -- Sysmon ------------------------------------------------------------------------------------------------------------


def read_xml(chunks: Iterable[bytes]) -> Read:
    """Every <Event> of a file, by its tags; what stands between two events is left out (an element around all, syslog's
    beginning of a line)."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest, line, found = "", 1, False
    for chunk in chunks:
        rest, at = rest + decode(chunk), 0
        while (start := XML_START.search(rest, at)) is not None:
            end = rest.find(XML_END, start.end())
            length = (len(rest) if end < 0 else end) - start.start()
            if end < 0 and length <= EVENT_CHARACTERS:
                break
            found = True
            line += rest.count("\n", at, start.start())
            if length > EVENT_CHARACTERS:
                yield Trouble(line, f"an <Event> of more than {EVENT_CHARACTERS >> 20} MB, or one that does not end")
                at = start.start() + len("<Event")
                line += rest.count("\n", start.start(), at)
                continue
            if (next_one := XML_START.search(rest, start.end(), end)) is not None:
                yield Trouble(line, "an <Event> that does not end")
                line += rest.count("\n", start.start(), next_one.start())
                at = next_one.start()
                continue
            text = rest[start.start() : end + len(XML_END)]
            yield Document(line, _xml_times(text), BETWEEN_TAGS.sub("><", text))
            at = end + len(XML_END)
            line += text.count("\n")
        keep = start.start() if start is not None else max(at, len(rest) - len("<Event"))
        line += rest.count("\n", at, keep)
        rest = rest[keep:]
    if XML_START.match(rest):
        yield Trouble(line, "an <Event> that does not end")
    elif not found:
        yield Trouble(1, "XML without an <Event>")


def _xml_times(text: str) -> dict[str, str]:
    found = ((name, pattern.search(text)) for name, pattern in XML_TIMES)
    return {name: match.group(1) for name, match in found if match is not None}


def read_event_text(lines: Iterable[tuple[int, bytes]]) -> Read:
    """Records of NAME=value, each beginning with LogName= and mostly with a line before that with the local time."""
    record: list[str] = []
    begin, time = 1, ""
    for number, data in lines:
        line = data.decode("utf-8", "replace").rstrip("\r")
        if line.startswith("LogName="):
            following = record.pop() if record and TEXT_TIME.fullmatch(record[-1].strip()) else ""
            if record:
                yield _from_text(begin, time, record)
            begin, time, record = number - bool(following), following, [line]
        else:
            record.append(line)
    if record:
        yield _from_text(begin, time, record)


def _from_text(line: int, time: str, record: list[str]) -> Union[Document, Trouble]:
    header: dict[str, str] = {}
    message: dict[str, str] = {}
    in_message = False
    for each in record:
        if in_message:
            field = MESSAGE_FIELD.fullmatch(each.strip())
            if field is not None:
                message.setdefault(field.group(1), field.group(2).strip())
        else:
            name, _, value = each.partition("=")
            in_message = name == "Message"
            if name in TEXT_HEADER:
                header[name] = value.strip()
    if not header:
        return Trouble(line, f"not an event of Windows as text: {record[0][:60]}")
    times = {"EventTime": time.strip()} if time else {}
    event = {**times, **header, **message}
    return Document(line, event, json.dumps(event, ensure_ascii=False, separators=(",", ":")))


# -- Microsoft 365 -----------------------------------------------------------------------------------------------------


def read_audit_csv(lines: Iterable[tuple[int, bytes]]) -> Read:
    """The column AuditData of each row; Export-Csv of Windows PowerShell writes a line #TYPE before the header."""
    texts = (data.decode("utf-8", "replace").rstrip("\r") + "\n" for _, data in lines)
    skipped, header = 0, "\n"
    while header and (not header.strip() or header.startswith("#TYPE")):
        header = next(texts, "")
        skipped += 1
    for mark in DELIMITERS:
        names = [name.strip().lower() for name in next(csv.reader([header], delimiter=mark), [])]
        if "auditdata" in names:
            yield from _rows(texts, mark, names.index("auditdata"), skipped)
            return
    yield Trouble(skipped, f"CSV without a column AuditData: {header.strip()[:60]}")


def _rows(texts: Iterable[str], mark: str, column: int, skipped: int) -> Read:
    csv.field_size_limit(CELL_CHARACTERS)
    rows = csv.reader(texts, delimiter=mark)
    while True:
        line = skipped + rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Trouble(line, f"CSV that cannot be read further: {error}")
            return
        if not cells:
            continue
        event = audit_data(cells[column]) if column < len(cells) else None
        yield Trouble(line, "AuditData is not a JSON object") if event is None else Document(line, event, cells[column])


def audit_data(text: object) -> Optional[dict[str, Any]]:
    """The event that AuditData holds as text; None where it holds none."""
    try:
        event = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
