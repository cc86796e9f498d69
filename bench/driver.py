"""Drives a command over the chunked protocol and measures nothing but the command.

What is sent was encoded before the clock starts, and what comes back is read as bytes and not looked into; the same
for every command. The clock runs from the first byte of the first chunk of rows to the last byte of the last answer.
Starting the interpreter and the getinfo exchange are timed apart.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Mapping, Optional, Sequence

from lab.chunked import INDEX_FIELD, Row, encode_chunk, encode_rows

CHUNK_ROWS = 50_000


class CommandFailed(Exception):
    """A command ended early or answered with an error; the text says which and what it said."""


@dataclass(frozen=True)
class Answers:
    """What getinfo said, and the head of the first answer, to see that the command did its work."""

    required_fields: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Measurement:
    """One run: seconds until getinfo was answered, seconds for all rows, peak resident bytes (None: not Linux)."""

    start_seconds: float
    seconds: float
    rows: int
    peak_bytes: Optional[int]
    answers: Answers

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True)
class Splunkd:
    """Where a command finds its search head."""

    uri: str
    session_key: str


def encode(fields: Sequence[str], rows: Sequence[Row], chunk_rows: int = CHUNK_ROWS) -> list[bytes]:
    """The execute chunks splunkd sends for required `fields`, the last one header only."""
    chunks = []
    for at in range(0, len(rows), chunk_rows):
        body = encode_rows(fields, rows[at : at + chunk_rows], indexed=True)
        chunks.append(encode_chunk({"action": "execute", "finished": False}, body))
    chunks.append(encode_chunk({"action": "execute", "finished": True}, encode_rows(fields, [], indexed=True)))
    return chunks


def run(
    script: Path, args: Sequence[str], chunks: Sequence[bytes], rows: int, splunkd: Splunkd, home: Path
) -> Measurement:
    """Sends the chunks to `python script`, each after the answer to the one before; `home` is its SPLUNK_HOME."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["SPLUNK_HOME"] = str(home)
    with (home / "stderr").open("w+b") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        with process, contextlib.suppress(BrokenPipeError):
            try:
                metadata, _body = _exchange(process.stdin, process.stdout, _getinfo(script, args, splunkd, home))
                ready = time.perf_counter()
                first = b""
                for number, chunk in enumerate(chunks):
                    _metadata, body = _exchange(process.stdin, process.stdout, chunk)
                    first = first or body if number == 0 else first
                ended = time.perf_counter()
                peak = peak_bytes(process.pid)
                process.stdin.close()
                config = json.loads(metadata)
                answers = Answers(tuple(config.get("required_fields", ())), _head(first))
                return Measurement(ready - started, ended - ready, rows, peak, answers)
            except CommandFailed as error:
                process.kill()
                stderr.seek(0)
                said = stderr.read().decode("utf-8", "replace").strip()[-2000:]
                raise CommandFailed(f"{script.name}: {error}" + (f"; stderr: {said}" if said else "")) from None
    raise CommandFailed(f"{script.name}: closed its input")


def required_fields(script: Path, args: Sequence[str], splunkd: Splunkd, home: Path) -> tuple[str, ...]:
    """The fields a command asks splunkd for, as its answer to getinfo says."""
    return run(script, args, [], 0, splunkd, home).answers.required_fields


def _getinfo(script: Path, args: Sequence[str], splunkd: Splunkd, home: Path) -> bytes:
    searchinfo: dict[str, Any] = {
        "args": list(args), "raw_args": list(args), "dispatch_dir": str(home), "sid": "1700000000.1",
        "app": "cloud_behavior_analytics", "owner": "admin", "username": "admin", "session_key": splunkd.session_key,
        "splunkd_uri": splunkd.uri, "splunk_version": "9.4.3", "search": "", "command": script.stem,
        "maxresultrows": CHUNK_ROWS, "earliest_time": "0", "latest_time": "0",
    }  # fmt: skip
    return encode_chunk({"action": "getinfo", "preview": False, "searchinfo": searchinfo})


def _exchange(stdin: IO[bytes], stdout: IO[bytes], message: bytes) -> tuple[bytes, bytes]:
    """Sends a chunk; (metadata, body) of the answer. The bodies stay bytes."""
    stdin.write(message)
    stdin.flush()
    header = stdout.readline()
    if not header.startswith(b"chunked 1.0,"):
        raise CommandFailed(f"answered {header[:200]!r} instead of a chunk")
    meta_length, body_length = (int(part) for part in header.split(b",")[1:])
    metadata, body = stdout.read(meta_length), stdout.read(body_length)
    if len(body) != body_length:
        raise CommandFailed("ended in the middle of an answer")
    if b'"ERROR"' in metadata or b'"FATAL"' in metadata:
        raise CommandFailed(_said(json.loads(metadata)))
    return metadata, body


def _said(metadata: Mapping[str, Any]) -> str:
    return "; ".join(text for _level, text in metadata.get("inspector", {}).get("messages", []))


def _head(body: bytes) -> tuple[str, ...]:
    """The plain field names of an answer."""
    names = next(csv.reader(io.StringIO(body[: body.find(b"\n") + 1].decode())), [])
    return tuple(name for name in names if not name.startswith("__mv_") and name != INDEX_FIELD)


def peak_bytes(pid: int) -> Optional[int]:
    """Peak resident memory of a live process, where the system tells (Linux)."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
