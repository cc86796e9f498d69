"""Run the app's search commands over the real chunked protocol v2, as splunkd does.

The conversation, from recordings of splunkd 8.2.1 (commands with and without required_fields) and the settings of
https://docs.splunk.com/Documentation/Splunk/latest/Admin/Commandsconf:

1. `getinfo` with all of searchinfo; the reply says type, generating and required_fields.
2. `execute` chunks. A streaming or stateful command with required_fields gets those and `_chunked_idx` only, and its
   answer is merged back by `_chunked_idx`; without them it gets every field. One reply per chunk.
3. A last chunk, header only, with finished true; the answer to it has no rows.

What real splunkd does with a merged answer that drops or adds rows is not documented, so the lab refuses it: the app's
commands annotate and never drop.

Two transports carry the same conversation. "process" starts the interpreter on bin/<filename>; "inprocess" imports the
command class and feeds it the same bytes, chunk by chunk, through file-like objects.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, Callable, Generator, Mapping, Optional, Sequence
from urllib.parse import quote

from lab.chunked import (
    INDEX_FIELD,
    Chunk,
    Row,
    Table,
    decode_chunk,
    decode_multivalue,
    decode_rows,
    decode_table,
    encode_chunk,
    encode_columns,
    encode_multivalue,
    encode_rows,
    read_chunk,
)
from lab.conf import AppConf, Stanza
from lab.errors import LabError, RunFailed, RunKilled
from lab.spl.values import text as to_text
from lab.transport import Conversation, command_class, raise_in_thread, talk_in_process, talk_to_process

__all__ = [
    "CommandRunner", "RunStatistics", "SearchInfo", "decode_chunk", "decode_multivalue", "decode_rows", "encode_chunk",
    "encode_multivalue", "encode_rows", "read_chunk",
]  # fmt: skip

SPLUNK_VERSION = "9.4.3"
# The settings that chunked commands honour; the others of the spec are for protocol v1 and ignored by splunkd.
SETTINGS = frozenset({"chunked", "filename", "is_risky", "maxwait", "maxchunksize", "python.required", "python.version",
                      "run_in_preview"})  # fmt: skip
MERGED_TYPES = ("streaming", "stateful")
TYPES = (*MERGED_TYPES, "events", "reporting")


@dataclass
class SearchInfo:
    """What a command learns about its search. Times are epoch seconds, None for unbounded (sent as "0")."""

    sid: str
    search: str
    earliest_time: Optional[float] = None
    latest_time: Optional[float] = None
    now: float = 0.0
    app: str = ""
    owner: str = "admin"
    preview: bool = False
    raw_args: Optional[list[str]] = None


@dataclass
class RunStatistics:
    """Of the last run: rows out, peak memory of the child in bytes (process mode on Linux), bytes each way."""

    rows: int = 0
    peak_rss: Optional[int] = None
    sent: int = 0
    received: int = 0


@dataclass(frozen=True)
class Command:
    """A stanza of commands.conf, checked."""

    name: str
    script: Path
    is_risky: bool
    run_in_preview: bool
    stanza: Stanza


@dataclass
class CommandRunner:
    """Runs the commands of an app. `mode` is "inprocess" or "process"; `python` the interpreter of the latter.

    `chunk_rows` is the size of a chunk (50,000 is what splunkd sends after transforming commands; 100-2,500 before).
    `header_only_chunks` puts an empty chunk before each full one, as splunkd does now and then. `extra_starts` starts
    the command that many times with nothing but getinfo first, as splunkd does for parsing and previews.
    `on_exchange(sent, received)` sees the bytes of every exchange.
    """

    app: AppConf
    mode: str = "inprocess"
    python: Optional[str] = None
    splunkd_uri: str = ""
    session_key: str = ""
    dispatch_dir: Optional[Path] = None
    chunk_rows: int = 50_000
    header_only_chunks: bool = False
    extra_starts: int = 0
    timeout: float = 900.0
    on_exchange: Optional[Callable[[bytes, bytes], None]] = None
    messages: list[tuple[str, str, str]] = field(default_factory=list)
    """(command, level, text) of every message below ERROR"""
    statistics: RunStatistics = field(default_factory=RunStatistics)

    def __post_init__(self) -> None:
        if self.mode not in ("inprocess", "process"):
            raise LabError(f"mode '{self.mode}' is not known; use inprocess or process.")
        self._commands = {
            name: _command(stanza, self.app.app_dir) for name, stanza in self.app.stanzas("commands").items()
        }
        self._classes: dict[Path, type[Any]] = {}
        self._ending: Optional[Callable[[], None]] = None
        self._last: Optional[Path] = None
        self._dispatch = Path(self.dispatch_dir) if self.dispatch_dir else Path(tempfile.gettempdir()) / "lab-dispatch"

    def names(self) -> set[str]:
        return set(self._commands)

    def is_risky(self, command: str) -> bool:
        return self._command(command).is_risky

    def run(self, command: str, args: Sequence[str], rows: Optional[Sequence[Row]], info: SearchInfo) -> list[Row]:
        """The rows a command answers. `rows` None runs it as a generating command.

        Raises LabError with the command's own message (and stderr, and exit code) when it fails, when it breaks the
        protocol, or when a streaming or stateful command does not answer one row per row.
        """
        known = self._command(command)
        if info.preview and not known.run_in_preview:
            return list(rows or [])
        dispatch = self._folder(info.sid)
        metadata = self._getinfo(known, list(args), info, dispatch)
        self.statistics = RunStatistics()
        try:
            for _ in range(self.extra_starts):
                self._carry(known, _only_getinfo(metadata, {}))
            answer = self._carry(known, self._conversation(known, metadata, rows))
        except LabError as problem:
            raise RunFailed(f"command {command}: {problem.message}", known.stanza.file, command) from problem
        finally:
            self._ending = None
        self.statistics.rows = len(answer)
        return answer

    def configuration(self, command: str, args: Sequence[str]) -> dict[str, Any]:
        """What a command answers to getinfo: type, required_fields … Nothing for one that ends in an error: it will
        say so when it runs."""
        known, info = self._command(command), SearchInfo(sid="getinfo", search="")
        found: dict[str, Any] = {}
        with contextlib.suppress(LabError):
            metadata = self._getinfo(known, list(args), info, self._folder(info.sid))
            self._carry(known, _only_getinfo(metadata, found))
        return found

    def _folder(self, sid: str) -> Path:
        """The dispatch folder of a search. That of the search before goes: its job has expired."""
        folder = self._dispatch / sid
        if folder != self._last:
            self.close()
            folder.mkdir(parents=True, exist_ok=True)
            self._last = folder
        return folder

    def close(self) -> None:
        """Remove the dispatch folder of the last search."""
        if self._last is not None:
            shutil.rmtree(self._last, ignore_errors=True)
            self._last = None

    def kill(self) -> None:
        """End the command that is running where it stands. For another thread, such as the one that answers it."""
        if self._ending is not None:
            self._ending()

    def _command(self, name: str) -> Command:
        known = self._commands.get(name)
        if known is None:
            names = ", ".join(sorted(self._commands)) or "none"
            raise LabError(f"no command '{name}'. Known: {names}.", "default/commands.conf")
        return known

    def _getinfo(self, command: Command, args: list[str], info: SearchInfo, dispatch: Path) -> dict[str, Any]:
        return {
            "action": "getinfo",
            "preview": info.preview,
            "streaming_command_will_restart": False,
            "searchinfo": {
                "args": args,
                "raw_args": info.raw_args if info.raw_args is not None else args,
                "dispatch_dir": str(dispatch),
                "sid": info.sid,
                "app": info.app or self.app.name,
                "owner": info.owner,
                "username": info.owner,
                "session_key": self.session_key,
                "splunkd_uri": self.splunkd_uri,
                "splunk_version": SPLUNK_VERSION,
                "search": quote(info.search, safe=""),
                "command": command.name,
                "maxresultrows": 50_000,
                "earliest_time": to_text(info.earliest_time) if info.earliest_time is not None else "0",
                "latest_time": to_text(info.latest_time) if info.latest_time is not None else "0",
            },
        }

    # -- the conversation ---------------------------------------------------------------------------------------------

    def _conversation(self, command: Command, metadata: dict[str, Any], rows: Optional[Sequence[Row]]) -> Conversation:
        """Yields what to send, is sent the reply, returns the rows."""
        reply = yield encode_chunk(metadata)
        self._heed(command, reply)
        config = reply.metadata
        kind = config.get("type", "stateful")
        if kind not in TYPES:
            raise LabError(f"the getinfo reply has type '{kind}'; known: {', '.join(TYPES)}.")
        if bool(config.get("generating")) != (rows is None):
            place = (
                "is generating: it goes first in a search" if rows is not None else "is not generating: it needs rows"
            )
            raise LabError(f"the command {place}.")
        if rows is None:
            return (yield from self._generate(command))
        required = config.get("required_fields")
        fields = None if required is None or "*" in required else list(dict.fromkeys(required))
        if kind in MERGED_TYPES:
            return (yield from self._annotate(command, rows, fields))
        return (yield from self._transform(command, rows, fields if kind == "reporting" else None))

    def _execute(self, command: Command, body: str, finished: bool) -> Generator[bytes, Chunk, Chunk]:
        reply = yield encode_chunk({"action": "execute", "finished": finished}, body)
        self._heed(command, reply)
        return reply

    def _generate(self, command: Command) -> Conversation:
        """A generating command is asked again until it says finished."""
        out: list[Row] = []
        while True:
            reply = yield from self._execute(command, "", False)
            out.extend(decode_rows(reply.body))
            if reply.metadata.get("finished"):
                return out

    def _annotate(self, command: Command, rows: Sequence[Row], fields: Optional[list[str]]) -> Conversation:
        """Streaming and stateful commands: one row for a row, merged by `_chunked_idx` when fields are selected."""
        out: list[Row] = []
        sent_fields = fields if fields is not None else _all_fields(rows)
        empty = encode_rows(sent_fields, [], indexed=fields is not None)
        for at in range(0, len(rows), self.chunk_rows):
            if self.header_only_chunks:
                _no_rows((yield from self._execute(command, empty, False)))
            part = rows[at : at + self.chunk_rows]
            sent = {field: [row.get(field) for row in part] for field in sent_fields}
            body = encode_columns(sent, len(part), indexed=fields is not None)
            reply = yield from self._execute(command, body, False)
            table = decode_table(reply.body)
            if table.height != len(part):
                raise LabError(
                    f"answered {table.height} rows for {len(part)}. Commands of type streaming and stateful annotate"
                    " rows; let the SPL after them filter."
                )
            out.extend(_merge(part, sent, table, indexed=fields is not None))
            if reply.metadata.get("finished") and at + self.chunk_rows < len(rows):
                raise LabError(f"said finished after {at + len(part)} of {len(rows)} rows.")
        _no_rows((yield from self._execute(command, empty, True)))
        return out

    def _transform(self, command: Command, rows: Sequence[Row], fields: Optional[list[str]]) -> Conversation:
        """Events and reporting commands: what they answer replaces the rows."""
        out: list[Row] = []
        sent_fields = fields if fields is not None else _all_fields(rows)
        for at in range(0, len(rows), self.chunk_rows):
            part = rows[at : at + self.chunk_rows]
            reply = yield from self._execute(command, encode_rows(sent_fields, part), False)
            out.extend(decode_rows(reply.body))
        reply = yield from self._execute(command, encode_rows(sent_fields, []), True)
        return out + decode_rows(reply.body)

    def _heed(self, command: Command, reply: Chunk) -> None:
        """Raise for errors the reply carries; keep its other messages."""
        if reply.metadata.get("error"):
            raise LabError(str(reply.metadata["error"]))
        inspector = reply.metadata.get("inspector") or {}
        errors = []
        for level, text in inspector.get("messages", []):
            if level in ("ERROR", "FATAL"):
                errors.append(text)
            else:
                self.messages.append((command.name, level, text))
        if errors:
            raise LabError("; ".join(errors))

    # -- transports ---------------------------------------------------------------------------------------------------

    def _carry(self, command: Command, talk: Conversation) -> list[Row]:
        if self.mode == "process":
            home = self._dispatch.parent
            answer, peak = talk_to_process(
                command.script, talk, self._exchanged, self.python, home, self.timeout, self._started
            )
            self.statistics.peak_rss = peak
            return answer
        kind = self._classes.get(command.script)
        if kind is None:
            kind = self._classes[command.script] = command_class(command.script, command.name)
        self._started(partial(raise_in_thread, threading.get_ident(), RunKilled))
        return talk_in_process(kind, command.script, talk, self._exchanged)

    def _started(self, ending: Callable[[], None]) -> None:
        self._ending = ending

    def _exchanged(self, sent: bytes, received: bytes) -> None:
        self.statistics.sent += len(sent)
        self.statistics.received += len(received)
        if self.on_exchange is not None:
            self.on_exchange(sent, received)


def _command(stanza: Stanza, app_dir: Path) -> Command:
    for key in stanza.settings:
        if key not in SETTINGS:
            raise stanza.error(
                key, f"'{key}' is not a setting that chunked commands honour: {', '.join(sorted(SETTINGS))}."
            )
    if not stanza.boolean("chunked"):
        raise stanza.error("chunked", "the lab runs commands of protocol v2 only: set chunked = true.")
    filename = stanza.get("filename") or f"{stanza.name}.py"
    script = (app_dir / "bin" / filename).resolve()
    if not script.is_file() or script.suffix != ".py":
        raise stanza.error("filename", f"bin/{filename} is not a Python file of the app.")
    if not stanza.get("python.required"):
        raise stanza.error("python.required", "python.required is not set (AppInspect refuses that): set 3.9, 3.13.")
    # run_in_preview defaults to false for chunked commands from 9.0.5 on; set it explicitly to be safe on older ones.
    return Command(stanza.name, script, stanza.boolean("is_risky"), stanza.boolean("run_in_preview"), stanza)


def _only_getinfo(metadata: dict[str, Any], found: dict[str, Any]) -> Conversation:
    reply = yield encode_chunk(metadata)
    found.update(reply.metadata)
    return []


def _no_rows(reply: Chunk) -> None:
    table = decode_table(reply.body)
    if table.height:
        raise LabError(f"answered {table.height} rows for a chunk without rows.")


def _all_fields(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _merge(rows: Sequence[Row], sent: Mapping[str, list[Any]], answer: Table, indexed: bool) -> list[Row]:
    """Rows with the answer's fields put over them. A null in the answer removes the field.

    Cells that come back as they were sent keep their value (an int stays an int), so that a command costs nothing in
    fields it only reads.
    """
    if indexed:
        order = _order(answer, len(rows))
        if order != list(range(len(rows))):
            rows = [rows[n] for n in order]
            sent = {name: [cells[n] for n in order] for name, cells in sent.items()}
    out = [dict(row) for row in rows] if indexed else [{} for _ in rows]
    for name, cells in zip(answer.fields, answer.columns):
        before = sent.get(name)
        if name == INDEX_FIELD or (indexed and before == cells):
            continue
        if before is None and None not in cells:
            for target, cell in zip(out, cells):
                target[name] = cell
            continue
        for target, held, cell in zip(out, before or repeat(None), cells):
            if cell is None:
                target.pop(name, None)
            else:
                target[name] = held if held is not None and _same(held, cell) else cell
    return out


def _same(before: Any, cell: Any) -> bool:
    if type(before) is list:
        return type(cell) is list and before == cell
    return type(cell) is str and (before if type(before) is str else to_text(before)) == cell


def _order(answer: Table, count: int) -> list[int]:
    if INDEX_FIELD not in answer.fields:
        raise LabError(f"the answer has no {INDEX_FIELD}, by which splunkd merges it. Yield the records that came in.")
    try:
        order = [int(cell) for cell in answer.columns[answer.fields.index(INDEX_FIELD)]]
    except (TypeError, ValueError):
        order = []
    if sorted(order) != list(range(count)):
        raise LabError(f"the answer's {INDEX_FIELD} are not those that were sent, each once.")
    return order
