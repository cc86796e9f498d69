"""The commands' common base: a table in, the same rows with more columns out."""

from __future__ import annotations

from typing import Any, Iterator, Sequence

from splunklib import client
from splunklib.searchcommands import StreamingCommand

from ..errors import CbaError, RowError
from .table import Table, missing


class AnnotatingCommand(StreamingCommand):
    """Adds columns to every row and drops none.

    A subclass says which fields it reads (`needs`, asked of splunkd as required_fields so that nothing else is sent)
    and which it adds (`adds`), and implements `annotate`. An error of the app ends the search with its own sentence.
    """

    def needs(self) -> Sequence[str]:
        """The fields the command reads; those the search must have are checked in every chunk."""
        raise NotImplementedError

    def adds(self) -> Sequence[str]:
        """The fields every row gets."""
        raise NotImplementedError

    def annotate(self, table: Table) -> Sequence[Sequence[str]]:
        """The new columns, in the order of `adds`, each as long as the table."""
        raise NotImplementedError

    def optional(self) -> Sequence[str]:
        """Those of `needs` that a search may leave out."""
        return ()

    def prepare(self) -> None:
        try:
            self.configuration.required_fields = list(self.needs())
        except CbaError as error:
            self._fail(error)

    def stream(self, records: Iterator[Any]) -> Iterator[Any]:
        raise AssertionError("chunks are handled whole, in _execute_chunk_v2")

    def _execute_chunk_v2(self, process: Any, chunk: tuple[Any, str]) -> None:
        table = Table.read(chunk[1])
        try:
            absent = missing(table, (name for name in self.needs() if name not in self.optional()))
            if absent:
                raise RowError(f"the search has no field {absent}; the command needs {', '.join(self.needs())}")
            columns = self.annotate(table) if table.rows else [()] * len(self.adds())
        except (CbaError, ValueError) as error:
            self._fail(error)
        if table.names:
            table.write(self._record_writer._buffer, self.adds(), columns)

    def _fail(self, error: Exception) -> None:
        """Ends the search with the error's own words, without a traceback. Braces would be taken for a format."""
        self.write_error("{}", f"{self.name}: {error}")
        raise SystemExit(1)

    @property
    def previewing(self) -> bool:
        """Whether splunkd runs the command for a preview, in which nothing may be written."""
        return bool(getattr(self.metadata, "preview", False))


def connect(command: Any) -> client.Service:
    """The service of the search head that runs `command`, as the user who runs it."""
    return command.service
