"""The commands' common base: what every command of the app refuses and says, and commands that work on tables."""

from __future__ import annotations

import csv
import gc
import math
import sys
import time
import traceback
from typing import Any, Iterable, Iterator, Mapping, Sequence

from splunklib import client

from ..errors import GUIDE, CbaError, OptionError, RowError, StoreError
from ..store.configuration import settings
from ..store.connection import connected
from ..store.splunkd import Refused
from .chunks import Answer, Body, read_chunk
from .log import LOGGED_AS, log, open_log
from .sdk import (
    REFUSED_OPTIONS,
    EventingCommand,
    GeneratingCommand,
    NoOptionsOfTheSdk,
    SearchCommand,
    StreamingCommand,
    environment,
    name_of,
    not_read,
)
from .table import MOST_ROWS, Table, read_tables

_SAID = 4000
"""Characters of a message that are shown."""
_TOLD = 1000
"""Characters of a text that came from a search that one line of the log keeps."""


def _told(text: str) -> str:
    """A text as the log has it between quotes, so that none can add fields to its line."""
    return text[:_TOLD].replace('"', "'")


def _short(message: str) -> str:
    """A message as a person reads it: names and values in it may have any length."""
    return message if len(message) <= _SAID else message[:_SAID] + " …"


class AppCommand(NoOptionsOfTheSdk):
    """Mixed into every command of the app before the SDK's class, generating ones too: what a search cannot make a
    command do, and how a command says things."""

    name: str
    metadata: Any
    choices: Mapping[str, Sequence[str]] = {}
    """Options that take one of a few words. (The SDK's own validators do not say which.)"""

    def process(self, argv: Sequence[str] = (), *args: Any, **more: Any) -> None:
        # Protocol 1, which splunkd speaks where commands.conf lacks chunked, has a parser of options of its own.
        if len(argv) > 1:
            raise SystemExit(f"{argv[0]}: the commands of this app speak protocol 2 only: set chunked = true")
        super().process(argv, *args, **more)  # type: ignore[misc]

    def prepare(self) -> None:
        for path in not_read:
            open_log(lambda: "WARNING")
            log.warning('command=%s sid=%s not_read="%s"', self.name, self._sid, _told(path))
        for option, words in self.choices.items():
            if getattr(self, option) not in words:
                self._fail(
                    OptionError(f"{option}={getattr(self, option)} is not one of {', '.join(filter(None, words))}")
                )

    def _protocol_v2_option_parser(self, argument: str) -> Any:
        self._refuse_options_of_the_sdk(argument)
        return super()._protocol_v2_option_parser(argument)  # type: ignore[misc]

    def _refuse_options_of_the_sdk(self, argument: str) -> None:
        """Says why, for an argument that would reach into the SDK, and who tried; without it splunkd would only be told
        that there is no such option."""
        option = name_of(argument)
        if option not in REFUSED_OPTIONS:
            return
        open_log(lambda: "WARNING")
        log.warning('command=%s sid=%s user="%s" refused="%s"', self.name, self._sid, self._user, _told(argument))
        self._fail(
            OptionError(
                f"{option} is refused: splunk-sdk's own options let a search run code and read files on this server "
                f"({GUIDE}/security.html). The attempt is logged"
            )
        )

    def write_error(self, message: str, *args: Any) -> None:
        """Says it as it is: the SDK takes every message for a format, its own about options included, so that a brace
        in one ends in a KeyError."""
        super().write_error("{}", _short(message.format(*args) if args else message))  # type: ignore[misc]

    def write_warning(self, message: str, *args: Any) -> None:
        super().write_warning("{}", _short(message.format(*args) if args else message))  # type: ignore[misc]

    def _fail(self, error: Exception) -> None:
        """Ends the search with the error's own words, without a traceback."""
        log.error('command=%s sid=%s error="%s"', self.name, self._sid, _told(str(error)))
        self.write_error(f"{self.name}: {error}")
        raise SystemExit(1)

    def _report_unexpected_error(self) -> None:
        """A fault of the app: a sentence for the person; the traceback, which has paths and values, for the logs."""
        kind = getattr(sys.exc_info()[0], "__name__", "error")
        open_log(lambda: "ERROR")
        log.error("command=%s sid=%s fault=%s", self.name, self._sid, kind, exc_info=True)
        environment.splunklib_logger.error(traceback.format_exc())
        self.write_error(f"{self.name}: stopped by a fault of the app itself ({kind}); {LOGGED_AS} has the details")

    @property
    def _sid(self) -> str:
        return str(getattr(self._searchinfo, "sid", ""))

    @property
    def _user(self) -> str:
        return _told(str(getattr(self._searchinfo, "username", "")))

    @property
    def _searchinfo(self) -> Any:
        return getattr(self.metadata, "searchinfo", None)

    @property
    def previewing(self) -> bool:
        """Whether splunkd runs the command for a preview, in which nothing may be written."""
        return bool(getattr(self.metadata, "preview", False))


class TableCommand(AppCommand, SearchCommand):
    """Takes a chunk as tables, adds columns to every row and drops none.

    A subclass says which fields it reads (`needs`, asked of splunkd as required_fields so that nothing else is sent)
    and which it adds (`adds`), and implements `annotate`. An error of the app ends the search with its own sentence.
    """

    rows_at_once = MOST_ROWS
    """How many rows of a chunk are taken together."""

    _empty: Sequence[str] | None = None
    _answer: Answer

    def needs(self) -> Sequence[str]:
        """The fields the command reads."""
        raise NotImplementedError

    def adds(self) -> Sequence[str]:
        """The fields every row gets."""
        raise NotImplementedError

    def annotate(self, table: Table) -> Sequence[Sequence[str]]:
        """The new columns, in the order of `adds`, each as long as the table."""
        raise NotImplementedError

    def optional(self) -> Sequence[str]:
        """Those of `needs` that may be empty in every row without a word."""
        return ()

    def prepare(self) -> None:
        super().prepare()
        try:
            self.configuration.required_fields = list(dict.fromkeys(self.needs()))
        except CbaError as error:
            self._fail(error)

    def _execute_v2(self, ifile: Any, process: Any) -> None:
        """As the SDK's, with a body that is read in portions."""
        stream = self._as_binary_stream(ifile)
        # What was imported stays until the end: to look through it for garbage again and again is in vain. Once in a
        # process: who runs several commands in one has garbage among the rest by then.
        if not gc.get_freeze_count():
            gc.freeze()
        while (chunk := read_chunk(stream)) is not None:
            metadata, body = chunk
            self._finished = getattr(metadata, "finished", False)
            self._record_writer.is_flushed = False
            self._metadata.update(metadata)
            self._answer = Answer()
            try:
                if getattr(metadata, "action", None) != "execute":
                    raise RuntimeError(f"expected the action execute, not {getattr(metadata, 'action', None)}")
                self._execute_chunk_v2(process, chunk)
            finally:
                body.drain()
            self._answer.send(self._record_writer, self._finished)

    def _execute_chunk_v2(self, process: Any, chunk: tuple[Any, Body]) -> None:
        started, rows = time.monotonic(), 0
        try:
            for table in read_tables(chunk[1], self.rows_at_once):
                self._take(table)
                self._look_for_empty_fields(table)
                rows += len(table.rows)
            if rows:
                seconds = time.monotonic() - started
                log.info("command=%s sid=%s rows=%d seconds=%.3f", self.name, self._sid, rows, seconds)
            if self._finished:
                self._conclude()
        except RecursionError:
            self._fail(RowError("a value of a row is nested too deep to be read"))
        except (CbaError, ValueError, csv.Error) as error:
            self._fail(error)
        if self._finished and self._empty:
            self.write_warning(f"{self.name}: no row has a value in {' or '.join(self._empty)}; is the field missing?")

    def _take(self, table: Table) -> None:
        """Answers some rows of a chunk."""
        table.write(self._answer.text, self.adds(), self.annotate(table))

    def _conclude(self) -> None:
        """Answers what is left to say after the last chunk."""

    def _look_for_empty_fields(self, table: Table) -> None:
        """Keeps the fields that no row has had so far. splunkd sends a required field that a search lacks as an empty
        column, so this is the only sign of a missing or misspelt one."""
        if self._empty is None:
            self._empty = [name for name in self.needs() if name not in self.optional()]
        if self._empty:
            self._empty = [name for name in self._empty if not any(table.column(name))]


class AnnotatingCommand(TableCommand, StreamingCommand):
    """Answers row for row. Distributed, or with `distributed=False` on the search head."""

    def stream(self, records: Iterator[Any]) -> Iterator[Any]:
        raise AssertionError("chunks are taken as tables, in _execute_chunk_v2")


class SummarisingCommand(TableCommand, EventingCommand):
    """Takes all rows and then answers others of its own, on the search head."""

    def take(self, table: Table) -> None:
        """Looks at some rows."""
        raise NotImplementedError

    def summary(self) -> Iterable[Sequence[str]]:
        """The answer: rows with a cell for each field of `adds`."""
        raise NotImplementedError

    def _take(self, table: Table) -> None:
        self.take(table)

    def _conclude(self) -> None:
        csv.writer(self._answer.text).writerows([self.adds(), *self.summary()])

    def transform(self, records: Iterator[Any]) -> Iterator[Any]:
        raise AssertionError("chunks are taken as tables, in _execute_chunk_v2")


class AnsweringCommand(AppCommand, GeneratingCommand):
    """Answers rows of its own. An error of the app ends the search with its own sentence."""

    def answer(self) -> Iterable[Mapping[str, Any]]:
        """The rows."""
        raise NotImplementedError

    def generate(self) -> Iterator[Mapping[str, Any]]:
        try:
            yield from self.answer()
        except CbaError as error:
            self._fail(error)


def connect(command: Any) -> client.Service:
    """The service of the search head that runs `command`, as the user who runs it. Raises StoreError without one."""
    service = command.service
    if service is None:
        raise StoreError("splunkd gave no address of the KV store; run the command on a search head")
    connected(service)
    open_log(lambda: settings(service, "logging")["loglevel"])
    return service


def ip_database(command: Any) -> str:
    """The IP database that is set, "" for none and where there is no splunkd that knows: on an indexer."""
    service = command.service
    try:
        return settings(connected(service), "enrichment")["ip_database"] if service is not None else ""
    except Refused:
        return ""


def end_of_search(command: Any) -> int:
    """The end of the search's time range in epoch seconds, so that a re-run stamps as the scheduled run would; the
    clock's time for a search without one."""
    latest = command.metadata.searchinfo.latest_time
    return int(latest) if latest and math.isfinite(latest) else int(time.time())
