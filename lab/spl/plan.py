"""From expanded search text to a compiled pipeline: which command class for which name, projection, event source."""

from __future__ import annotations

from typing import Callable, Optional

from lab.errors import LabError, SplError
from lab.spl import commands_extract, commands_lookup, commands_row, commands_set, stats
from lab.spl.command import Command, Run, Wanted
from lab.spl.commands_custom import Custom
from lab.spl.jsonfields import FieldPicker
from lab.spl.searchexpr import META_FIELDS
from lab.spl.text import Segment, bracketed, split_pipeline
from lab.spl.values import Row

COMMANDS: dict[str, Callable[[Segment], Command]] = {
    "search": commands_row.Search,
    "where": commands_row.Where,
    "eval": commands_row.Eval,
    "rex": commands_extract.Rex,
    "regex": commands_extract.Regex,
    "spath": commands_extract.Spath,
    "rename": commands_row.Rename,
    "fields": commands_row.Fields,
    "fillnull": commands_row.Fillnull,
    "mvexpand": commands_row.Mvexpand,
    "table": commands_set.Table,
    "head": commands_set.Head,
    "tail": commands_set.Tail,
    "reverse": commands_set.Reverse,
    "dedup": commands_set.Dedup,
    "sort": commands_set.Sort,
    "bin": commands_set.Bin,
    "bucket": commands_set.Bin,
    "addinfo": commands_set.Addinfo,
    "makeresults": commands_set.Makeresults,
    "stats": stats.Stats,
    "eventstats": stats.Eventstats,
    "lookup": commands_lookup.LookupCommand,
    "inputlookup": commands_lookup.Inputlookup,
    "outputlookup": commands_lookup.Outputlookup,
}

STORED_FIELDS = frozenset({"_time", "_raw", "_indextime", *META_FIELDS})


class Plan:
    """A compiled pipeline. `source` is the event search it starts with, if any; `commands` follow it.

    `bind` must be called once before running: it walks backwards, so that the source extracts only what is read,
    and finds out whether anybody cares for the order of events.
    """

    def __init__(self, source: Optional[commands_row.Search], commands: list[Command], text: str) -> None:
        self.source = source
        self.commands = commands
        self.text = text
        self.fields: Wanted = None
        self.ordered = True
        self.prefix = 0
        self.cache_key: Optional[str] = None
        self.picker: Optional[FieldPicker] = None

    def bind(self, wanted: Wanted, ordered: bool) -> None:
        """`wanted`: fields read after this pipeline; `ordered`: whether the order of its rows matters there."""
        for command in reversed(self.commands):
            if isinstance(command, commands_set.Multisearch):
                command.bind_plans(wanted, ordered)
            wanted = command.bind(wanted)
            if isinstance(command, stats.Stats) and not isinstance(command, stats.Eventstats):
                ordered = command.ordered
            elif command.ordered or not command.row_wise:
                ordered = ordered or command.ordered or not isinstance(command, commands_set.Multisearch)
        self.ordered = ordered
        if self.source is None:
            return
        self.prefix = next((n for n, c in enumerate(self.commands) if not (c.row_wise and c.pure)), len(self.commands))
        self.cache_key = f"{self.text}\0{sorted(wanted) if wanted is not None else '*'}\0{self.prefix}"
        self.fields = self.source.bind(wanted)
        names = None if self.fields is None else self.fields - STORED_FIELDS
        self.picker = FieldPicker(names) if names is None or names else None

    def columns(self) -> Optional[list[str]]:
        known: Optional[list[str]] = None
        for command in self.commands:
            known = command.columns(known)
        return known

    def run(self, run: Run) -> list[Row]:
        rows: list[Row] = []
        rest = self.commands
        if self.source is not None:
            rows = run.engine.events_of(self, run)
            rest = self.commands[self.prefix :]
        for command in rest:
            try:
                rows = command.run(rows, run)
            except LabError as error:
                if isinstance(error, SplError) and error.position is None:
                    error.position = command.position
                raise
        return rows


class Compiler:
    """Compiles expanded search text. `custom` are the commands of the app's commands.conf."""

    def __init__(self, custom: frozenset[str]) -> None:
        self.custom = custom

    def pipeline(self, text: str, offset: int = 0) -> Plan:
        """Parse and check one pipeline. Raises SplError with the offset of what is wrong."""
        segments = split_pipeline(text, offset)
        source: Optional[commands_row.Search] = None
        if segments[0].name == "search":
            source = commands_row.Search(segments.pop(0))
        commands: list[Command] = []
        for n, segment in enumerate(segments):
            first = n == 0 and source is None
            command = self._build(segment, first)
            appends = isinstance(command, commands_lookup.Inputlookup) and command.append
            if first and not command.generating and not appends:
                raise SplError(
                    f"'{segment.name}' needs rows: start with a search or a generating command.",
                    position=segment.position,
                )
            if command.generating and not first:
                raise SplError(f"'{segment.name}' must be the first command.", position=segment.position)
            commands.append(command)
        return Plan(source, commands, text)

    def _build(self, segment: Segment, first: bool) -> Command:
        if segment.name in ("multisearch", "append"):
            plans = [self.pipeline(body, at) for body, at in bracketed(segment.args, segment.args_position)]
            maker = commands_set.Multisearch if segment.name == "multisearch" else commands_set.Append
            return maker(segment, plans)
        if segment.name in COMMANDS:
            return COMMANDS[segment.name](segment)
        if segment.name in self.custom:
            return Custom(segment, first)
        raise SplError(
            f"unknown command '{segment.name}'. Add it to lab/spl with a case in tests/spl/cases, or to commands.conf.",
            position=segment.position,
        )
