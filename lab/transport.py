"""How a conversation with a search command is carried: a real process, or an instance of its class in this process.

A conversation is a generator that yields the bytes to send, is sent the reply, and returns the rows. Both transports
move the very same bytes (a test compares them).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import inspect
import io
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Callable, Generator, Iterator, Optional

from lab.chunked import Chunk, Row, decode_chunk, read_chunk
from lab.errors import LabError

Conversation = Generator[bytes, Chunk, "list[Row]"]
Exchanged = Callable[[bytes, bytes], None]
STDERR_SHOWN = 4000


def talk_to_process(
    script: Path,
    talk: Conversation,
    exchanged: Exchanged,
    python: Optional[str],
    home: Path,
    timeout: float,
    started: Callable[[Callable[[], None]], None] = lambda ending: None,
) -> tuple[list[Row], Optional[int]]:
    """Hold the conversation with `python script`; the rows and the child's peak resident memory in bytes. `started` is
    given what ends the child.

    LabError carries what went wrong, the exit code and the end of stderr.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV_"))}
    environment["SPLUNK_HOME"] = str(home)
    peak: Optional[int] = None
    answer: list[Row] = []
    problem: Optional[LabError] = None
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [python or sys.executable, str(script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        started(process.kill)
        watchdog = threading.Timer(timeout, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = _talk(process.stdin, process.stdout, talk, exchanged)
            peak = _peak_rss(process.pid)
        except LabError as error:
            problem = error
        except BrokenPipeError:
            problem = LabError("the command closed its input.")
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            rest = process.stdout.read()
            process.stdout.close()
            code = process.wait()
            watchdog.cancel()
        stderr.seek(0)
        said = stderr.read().decode("utf-8", "replace").strip()[-STDERR_SHOWN:]
    if problem is None and code != 0:
        problem = LabError("the command failed after its last answer.")
    if problem is None and rest:
        problem = LabError(f"the command wrote {len(rest)} bytes too many: {rest[:100]!r}")
    if problem is not None:
        raise _ended(problem, code, said) from problem
    return answer, peak


def _ended(problem: LabError, code: int, said: str) -> LabError:
    if not code and not said:
        return problem
    return LabError(f"{problem.message} (exit code {code}" + (f"; stderr: {said})" if said else ")"))


def _talk(stdin: IO[bytes], stdout: IO[bytes], talk: Conversation, exchanged: Exchanged) -> list[Row]:
    message = next(talk)
    while True:
        stdin.write(message)
        stdin.flush()
        listener = _Listener(stdout)
        reply = read_chunk(listener)
        if reply is None:
            raise LabError("the command ended without an answer.")
        exchanged(message, listener.heard)
        try:
            message = talk.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def talk_in_process(kind: type[Any], script: Path, talk: Conversation, exchanged: Exchanged) -> list[Row]:
    """Hold the conversation with an instance of a SearchCommand class."""
    line = _Line(talk, exchanged)
    code, said = 0, ""
    with _undisturbed():
        try:
            kind().process([str(script)], line.stdin, line.stdout, True)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        except Exception:  # what would end a process with a traceback on stderr
            code, said = 1, traceback.format_exc().strip()[-STDERR_SHOWN:]
    return line.result(code, said)


def command_class(script: Path, name: str) -> type[Any]:
    """Import the file of a command and find its SearchCommand class: the one of that name, else the only one."""
    module = _load(script)
    # The app's own copy of the SDK, put on the path by the module just loaded.
    from splunklib.searchcommands.search_command import SearchCommand

    found = {
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, SearchCommand) and not value.__module__.startswith("splunklib.")
    }
    named = [kind for kind in found if getattr(kind, "name", None) == name]
    choice = named if len(named) == 1 else [kind for kind in found if kind.__module__ == module.__name__] or list(found)
    if len(choice) != 1:
        names = ", ".join(sorted(kind.__name__ for kind in found)) or "none"
        raise LabError(f"{script.name} should define one search command class; found: {names}.")
    return choice[0]


def raise_in_thread(thread: int, kind: type[BaseException]) -> None:
    """Let an exception of that kind rise in another thread as soon as it executes Python again."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))


class _Listener:
    """Reads from a stream and remembers what was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._parts: list[bytes] = []

    @property
    def heard(self) -> bytes:
        return b"".join(self._parts)

    def readline(self) -> bytes:
        self._parts.append(self._stream.readline())
        return self._parts[-1]

    def read(self, size: int) -> bytes:
        self._parts.append(self._stream.read(size))
        return self._parts[-1]


class _Line:
    """Both ends of an in-process conversation: reading past the input takes the reply and fetches the next chunk."""

    def __init__(self, talk: Conversation, exchanged: Callable[[bytes, bytes], None]) -> None:
        self._talk = talk
        self._exchanged = exchanged
        self._sent = next(talk)
        self._answer: Optional[list[Row]] = None
        self._problem: Optional[LabError] = None
        self.stdin = _Pull(self._sent, self._next)
        self.stdout = io.BytesIO()

    def _next(self) -> bytes:
        """The next input, b"" at the end. The output so far must be exactly one chunk."""
        if self._answer is not None or self._problem is not None:
            return b""
        received = self.stdout.getvalue()
        self.stdout.seek(0)
        self.stdout.truncate()
        try:
            reply = decode_chunk(received) if received else None
            if reply is None:
                raise LabError("the command ended without an answer.")
            self._exchanged(self._sent, received)
            self._sent = self._talk.send(reply)
            return self._sent
        except StopIteration as done:
            self._answer = done.value
        except LabError as problem:
            self._problem = problem
        return b""

    def result(self, code: int, said: str) -> list[Row]:
        if self._answer is None and self._problem is None:
            self._next()  # the command stopped reading: what it wrote last says why
        if self._problem is None and self._answer is not None and self.stdout.getvalue():
            self._problem = LabError(f"the command wrote {len(self.stdout.getvalue())} bytes too many.")
        if self._problem is None and code:
            self._problem = LabError("the command failed after its last answer.")
        if self._problem is None and self._answer is None:
            self._problem = LabError("the command stopped reading before the last chunk.")
        if self._problem is not None:
            raise _ended(self._problem, code, said) from self._problem
        assert self._answer is not None
        # A line and its stdin know each other, so they live until the garbage collector comes by; not so the rows.
        answer, self._answer = self._answer, []
        return answer


class _Pull(io.RawIOBase):
    """A readable stream of bytes that are fetched when the reader gets there."""

    def __init__(self, first: bytes, more: Callable[[], bytes]) -> None:
        self._buffer = io.BytesIO(first)
        self._more = more

    def readable(self) -> bool:
        return True

    def _refill(self) -> bool:
        data = self._more()
        self._buffer = io.BytesIO(data)
        return bool(data)

    def readline(self, size: Optional[int] = -1) -> bytes:
        line = self._buffer.readline()
        return line if line or not self._refill() else self._buffer.readline()

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        data = self._buffer.read(size)
        return data if data or not self._refill() else self._buffer.read(size)


_TEMPDIR = tempfile.tempdir


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Put back what splunklib changes for the whole process (tempfile.tempdir): to what it was at first, for a command
    that was killed may not have come to put it back, and others run at the same time."""
    try:
        yield
    finally:
        tempfile.tempdir = _TEMPDIR


def _load(script: Path) -> ModuleType:
    """Import a command's file without running it, with bin/ on the path as when it is run."""
    folder = str(script.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(f"lab_command_{script.stem}_{abs(hash(script))}", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _peak_rss(pid: int) -> Optional[int]:
    """Peak resident memory in bytes of a live process (Linux). rusage would count the parent's pages before exec."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
