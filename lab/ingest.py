"""Log files of the seven sources -> events of the lab's store.

Reads what people have on disk: JSON lines, one JSON document (an event, an array of events, or the provider's wrapper:
CloudTrail `{"Records": […]}`, Azure `{"records": […]}`, Admin SDK and Kubernetes lists `{"items": […]}`, CloudWatch
`{"logEvents": […]}` …), pretty-printed or several documents in a row; what lab/formats.py knows besides; each also
gzipped and in UTF-16; folders recursively, in sorted order. Event time comes from the event itself, as Splunk's add-ons
take it.

Nothing is fatal: what cannot be read is handed to `on_problem` with its file, line and reason, and reading goes on.
A file is streamed line by line; only a file that is one JSON document is held in memory as a whole.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional

from lab import formats
from lab.events import Event
from lab.logtime import PLAUSIBLE, PLAUSIBLE_YEARS, parse_time, shown

try:
    import orjson
except ImportError:  # the lab runs on a bare Python as well, only slower
    orjson = None  # type: ignore[assignment]

Json = dict[str, Any]

ENDINGS = ("json", "jsonl", "ndjson", "log")
"""Of the files that are taken from a folder. A file named explicitly is read whatever its name."""
MORE_ENDINGS = {"endpoint": ("xml",), "m365": ("csv",)}
MORE_FORMS = {
    "endpoint": ", and Sysmon as XML (<Event> after <Event>) or as text of the event log (LogName=…, Message=…)",
    "m365": ", and Purview's or Search-UnifiedAuditLog's CSV with its column AuditData",
}

WRAPPERS = ("Records", "records", "items", "entries", "value", "logEvents")
"""Keys under which providers deliver a list of events in one document."""

LIST_START = re.compile(rf'(?:\{{\s*"(?:{"|".join(WRAPPERS)})"\s*:\s*)?\[')

CHUNK_BYTES = 1 << 18
HEAD_BYTES = 4096
"""By which the form of a file is told."""


@dataclass(frozen=True)
class SourceFormat:
    """How one source looks on disk: its add-on's `sourcetype`, and `times`, the paths of the event time, best first."""

    sourcetype: str
    times: tuple[tuple[str, ...], ...]


def _paths(*dotted: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in dotted)


SOURCES: dict[str, SourceFormat] = {
    "aws": SourceFormat("aws:cloudtrail", _paths("eventTime", "@timestamp")),
    "azure": SourceFormat(
        "azure:monitor:activity",
        _paths("time", "TimeGenerated", "eventTimestamp", "activityDateTime", "createdDateTime", "body.time"),
    ),
    "gcp": SourceFormat(
        "google:gcp:pubsub:message", _paths("timestamp", "data.timestamp", "receiveTimestamp", "data.receiveTimestamp")
    ),
    # The event's own time, then the envelope's (GKE `timestamp`, AKS `time`, CloudWatch `timestamp` in milliseconds).
    "kubernetes": SourceFormat(
        "kube:apiserver:audit",
        _paths("requestReceivedTimestamp", "stageTimestamp", "timestamp", "data.timestamp", "time", "TimeGenerated"),
    ),
    "m365": SourceFormat("o365:management:activity", _paths("CreationTime", "TimeGenerated", "Timestamp")),
    "gws": SourceFormat("gws:reports:activity", _paths("id.time")),
    # Sysmon, Defender and CrowdStrike name their events' time differently; CIM events are free to.
    "endpoint": SourceFormat(
        "cba:endpoint",
        _paths(
            "UtcTime",
            "winlog.event_data.UtcTime",
            "properties.Timestamp",
            "Timestamp",
            "ContextTimeStamp",
            "@timestamp",
            "TimeGenerated",
            "EventTime",
            "timestamp",
            "time",
            "_time",
        ),
    ),
}


LINE_BYTES = 64 << 20
"""Bytes of the longest line that is read."""
PIECE_BYTES = 1 << 20
"""Bytes that are unzipped at a time."""
MOST_BROKEN = 1000
"""Broken documents in a file that is not read line by line, after which the rest of it is left."""
DOCUMENT_START = re.compile(r"^[\[{]", re.MULTILINE)


@dataclass(frozen=True)
class Problem:
    """Something that could not be read. `line` counts from 1; None when it concerns the whole file."""

    file: Path
    line: Optional[int]
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        return f"{place}: {self.reason}"


OnProblem = Callable[[Problem], None]


def forms(source: str) -> str:
    """Which forms of logs are read, for whoever has another one."""
    more = MORE_FORMS.get(source, "")
    return (
        f"{source} logs are read as JSON (lines, documents, arrays, the provider's own wrapper){more}; "
        "in UTF-8 or UTF-16, plain or gzipped, or a folder of such files"
    )


def read_events(
    source: str,
    paths: Iterable[Path],
    since: Optional[float] = None,
    until: Optional[float] = None,
    on_problem: OnProblem = lambda problem: None,
) -> Iterator[Event]:
    """Yield the events of `paths` (files or folders) of one source kind whose time is in [since, until), epoch seconds.

    Events come file by file in the order of the files, not sorted by time. `_indextime` is the event's time, as if
    delivered at once. Raises ValueError for an unknown source kind only.
    """
    form = SOURCES.get(source)
    if form is None:
        raise ValueError(f"unknown source {source!r}; choose one of: {', '.join(SOURCES)}")
    low = float("-inf") if since is None else since
    high = float("inf") if until is None else until
    for path in paths:
        for file in _files(path, source, on_problem):
            for line, document, text in _documents(file, source, on_problem):
                for raw, event in _events(file, line, document, text, on_problem):
                    if source == "m365" and (inner := formats.audit_data(event.get("AuditData"))) is not None:
                        raw, event = str(event["AuditData"]), inner
                    time = event_time(form, event)
                    if time is not None and not PLAUSIBLE[0] <= time < PLAUSIBLE[1]:
                        reason = f"event time not between {PLAUSIBLE_YEARS}: {shown(time)}"
                        on_problem(Problem(file, line, reason))
                    elif time is None:
                        wanted = ", ".join(".".join(p) for p in form.times)
                        on_problem(Problem(file, line, f"no event time: none of {wanted} holds a time"))
                    elif low <= time < high:
                        yield Event(time, time, "main", _sourcetype(form, event, raw), str(file), source, raw)


def _files(path: Path, source: str, on_problem: OnProblem) -> Iterator[Path]:
    if path.is_dir():
        endings = (*ENDINGS, *MORE_ENDINGS.get(source, ()))
        pattern = re.compile(rf"\.({'|'.join(endings)})(\.gz)?$", re.IGNORECASE)
        found = sorted(p for p in path.rglob("*") if pattern.search(p.name) and p.is_file())
        if not found:
            named = f"{', '.join(f'.{ending}' for ending in endings[:-1])} or .{endings[-1]}"
            on_problem(Problem(path, None, f"no {named} file (plain or .gz) in this folder"))
        yield from found
    elif path.exists():
        yield path
    else:
        on_problem(Problem(path, None, "no such file or folder"))


# -- bytes to documents -----------------------------------------------------------------------------------------------


def _documents(file: Path, source: str, on_problem: OnProblem) -> Iterator[tuple[int, Any, Optional[str]]]:
    """Yield (line, event or parsed JSON, its raw text when it has one of its own)."""
    head = _head(file)
    for magic, reason in formats.BINARY.items():
        if head.startswith(magic):
            on_problem(Problem(file, None, reason))
            return
    other = _other_form(file, source, head.decode("utf-8", "replace").lstrip(), on_problem)
    if other is None:
        yield from _json(file, on_problem)
        return
    for each in other:
        if isinstance(each, formats.Trouble):
            on_problem(Problem(file, each.line, each.reason))
        else:
            yield each


def _other_form(file: Path, source: str, head: str, on_problem: OnProblem) -> Optional[formats.Read]:
    """The reader for a file of this source that is no JSON; None for one that is, or that nobody knows."""
    if source == "endpoint" and formats.is_event_text(head):
        return formats.read_event_text(enumerate(_lines(file, on_problem), start=1))
    if source == "endpoint" and formats.is_xml(head) and not head.startswith(("{", "[")):
        return formats.read_xml(_told(file, on_problem))
    if source == "m365" and formats.is_csv(head):
        return formats.read_audit_csv(enumerate(_lines(file, on_problem), start=1))
    return None


def _head(file: Path) -> bytes:
    """The first bytes, as UTF-8; what cannot be read is told by those who read on."""
    found = b""
    try:
        for piece in formats.utf8(_chunks(file)):
            found += piece
            if len(found) >= HEAD_BYTES:
                break
    except (OSError, EOFError, zlib.error):
        pass
    return found[:HEAD_BYTES]


def _told(file: Path, on_problem: OnProblem) -> Iterator[bytes]:
    """The file's bytes up to a read error, which is told."""
    try:
        yield from formats.utf8(_chunks(file))
    except (OSError, EOFError, zlib.error) as error:
        on_problem(Problem(file, None, f"cannot read further: {error}"))


def _json(file: Path, on_problem: OnProblem) -> Iterator[tuple[int, Any, Optional[str]]]:
    lines = enumerate(_lines(file, on_problem), start=1)
    by_line = ".jsonl" in file.name.lower() or ".ndjson" in file.name.lower()
    for number, data in lines:
        stripped = data.strip()
        if not stripped:
            continue
        try:
            document, text = _loads(stripped), stripped.decode("utf-8")
        except ValueError as error:
            if not by_line:
                rest = b"\n".join([data, *(later for _, later in lines)])
                yield from _whole(file, rest, number, on_problem)
                return
            on_problem(Problem(file, number, f"not JSON: {_reason(stripped, error)}"))
        else:
            yield number, document, text
            by_line = True  # the first line is a document of its own, so this file is JSON lines


def _whole(file: Path, data: bytes, first_line: int, on_problem: OnProblem) -> Iterator[tuple[int, Any, None]]:
    """Documents that span lines: one, or several in a row. After a broken one, go on at the next that starts a line."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        on_problem(Problem(file, first_line, f"not UTF-8 text: {error.reason} at byte {error.start}"))
        return
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    position, line, counted, broken = _skip_space(text, 0), first_line, 0, 0
    while position < len(text):
        line, counted = line + text.count("\n", counted, position), position
        try:
            document, end = _decoded(decoder, text, position)
        except ValueError as error:
            end = position
            for element, after in _salvage(decoder, text, position):
                yield line, element, None
                end = after
            where = line + text.count("\n", position, getattr(error, "pos", position))
            on_problem(Problem(file, where, f"not JSON: {getattr(error, 'msg', error)}"))
            broken += 1
            if broken == MOST_BROKEN:  # each costs a look at all of the text before it
                on_problem(Problem(file, where, f"not read further: {MOST_BROKEN} documents before are broken"))
                return
            following = DOCUMENT_START.search(text, max(end, position + 1))
            end = following.start() if following else len(text)
        else:
            yield line, document, None
        position = _skip_space(text, end)


def _decoded(decoder: json.JSONDecoder, text: str, position: int) -> tuple[Any, int]:
    """The document at a position and where it ends; ValueError also for one that is nested too deep."""
    try:
        return decoder.raw_decode(text, position)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _salvage(decoder: json.JSONDecoder, text: str, position: int) -> Iterator[tuple[Any, int]]:
    """The complete elements of a list that breaks off, e.g. the CloudTrail records of a truncated download."""
    start = LIST_START.match(text, position)
    at = start.end() if start else len(text)
    while True:
        at = _skip_space(text, at, " \t\r\n,")
        try:
            element, at = _decoded(decoder, text, at)
        except (ValueError, IndexError):
            return
        yield element, at


def _skip_space(text: str, position: int, space: str = " \t\r\n") -> int:
    while position < len(text) and text[position] in space:
        position += 1
    return position


def _lines(file: Path, on_problem: OnProblem) -> Iterator[bytes]:
    """The file's lines, unzipped; on a read error the complete lines before it, then the broken last one."""
    number, rest = 0, b""
    try:
        for chunk in formats.utf8(_chunks(file)):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            number += len(lines)
            yield from lines
            if len(rest) > LINE_BYTES:
                raise OSError(f"a line of more than {LINE_BYTES >> 20} MB")
    except (OSError, EOFError, zlib.error) as error:
        on_problem(Problem(file, number + 1, f"cannot read further: {error}"))
    if rest and len(rest) <= LINE_BYTES:
        yield rest


def _chunks(file: Path) -> Iterator[bytes]:
    """Raises OSError, zlib.error, or EOFError for a gzip file that breaks off."""
    with file.open("rb") as handle:
        head = handle.read(CHUNK_BYTES)
        if not head.startswith(b"\x1f\x8b"):
            while head:
                yield head
                head = handle.read(CHUNK_BYTES)
            return
        member = zlib.decompressobj(wbits=31)
        while head:
            yield member.decompress(head, PIECE_BYTES)
            while member.unconsumed_tail:  # a few bytes may be a thousand times as many
                yield member.decompress(member.unconsumed_tail, PIECE_BYTES)
            head = member.unused_data
            if member.eof:
                member = zlib.decompressobj(wbits=31)
                head = head.lstrip(b"\0")  # padding between members
                fresh = not head
            else:
                fresh = False
            head = head or handle.read(CHUNK_BYTES)
        if not fresh:
            raise EOFError("the gzip file is truncated")


def _loads(data: bytes) -> Any:
    if orjson is not None:
        return orjson.loads(data)
    try:
        return json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _reason(data: bytes, error: ValueError) -> str:
    return f"{getattr(error, 'msg', error)}: {data[:60].decode('utf-8', 'replace')}"


# -- documents to events ----------------------------------------------------------------------------------------------


def _events(
    file: Path, line: int, document: Any, text: Optional[str], on_problem: OnProblem
) -> Iterator[tuple[str, Json]]:
    """As `_unwrap`; what is nested so deep that it cannot be written again is told."""
    try:
        yield from _unwrap(document, text)
    except RecursionError:
        on_problem(Problem(file, line, "nested too deep"))


def _unwrap(document: Any, text: Optional[str]) -> Iterator[tuple[str, Json]]:
    """Yield (raw text, event) for every event in a document, in lists of lists too."""
    if isinstance(document, list):
        waiting = [iter(document)]
        while waiting:
            for item in waiting[-1]:
                if isinstance(item, list):
                    waiting.append(iter(item))
                    break
                yield from _unwrap(item, None)
            else:
                waiting.pop()
        return
    if not isinstance(document, dict):
        yield (text if text is not None else _dump(document)), {}
        return
    for key in WRAPPERS:
        members = document.get(key)
        if isinstance(members, list) and (not members or isinstance(members[0], dict)):
            # CloudWatch says which log group its events come from beside the list, so each event keeps it.
            outer = {k: document[k] for k in ("logGroup", "logStream", "owner") if k in document and key == "logEvents"}
            for member in members:
                event = {**outer, **member} if isinstance(member, dict) else {}
                yield _dump(event or member), event
            return
    yield (text if text is not None else _dump(document)), document


def _dump(value: Any) -> str:
    """Compact JSON; the same text with and without orjson, because event ids may be a digest of it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode("utf-8")


def _sourcetype(form: SourceFormat, event: Json, raw: str) -> str:
    if form.sourcetype == "cba:endpoint":
        return _endpoint_sourcetype(event, raw)
    if form.sourcetype != "gws:reports:activity":
        return form.sourcetype
    application = _at(event, ("id", "applicationName"))
    return f"gws:reports:{application}" if isinstance(application, str) and application else form.sourcetype


def _endpoint_sourcetype(event: Json, raw: str) -> str:
    """Which product wrote an endpoint event, by the keys only it has."""
    if raw.startswith("<"):
        return "sysmon:linux" if "Linux-Sysmon" in raw else "XmlWinEventLog"
    if "event_simpleName" in event:
        return "crowdstrike:events:sensor"
    if "ActionType" in event or _at(event, ("properties", "ActionType")) is not None:
        return "mscs:azure:eventhub:defender:advancedhunting"
    sysmon = "EventID" in event or "EventCode" in event or _at(event, ("winlog", "event_id")) is not None
    return "sysmon:json" if sysmon else "cba:endpoint"


def event_time(form: SourceFormat, event: Json) -> Optional[float]:
    """Epoch seconds of an event, None when it has none. Kubernetes events are looked for inside their envelopes too."""
    if form.sourcetype == "kube:apiserver:audit":
        inner = event.get("message", _at(event, ("properties", "log")))
        if isinstance(inner, str) and inner.startswith("{"):
            try:
                time = event_time(form, json.loads(inner))
            except (ValueError, RecursionError):
                time = None
            if time is not None:
                return time
    for path in form.times:
        value = _at(event, path)
        if value is not None:
            time = parse_time(value)
            if time is not None:
                return time
    return None


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
