"""From expanded search text to a compiled pipeline: which command class for which name, projection, event source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterator, Optional

from lab.errors import LabError, SplError
from lab.spl import commands_extract, commands_lookup, commands_row, commands_set, stats
from lab.spl.command import Command, Run, Wanted
from lab.spl.commands_custom import Custom
from lab.spl.fold import Leading, leading_commands, refolded, unfolded
from lab.spl.jsonfields import FieldPicker
from lab.spl.rawpaths import Arrays
from lab.spl.searchexpr import META_FIELDS
from lab.spl.text import Segment, bracketed, split_pipeline
from lab.spl.values import Row

if TYPE_CHECKING:
    from lab.lookups import LookupTables

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
    "xyseries": commands_set.Xyseries,
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

    def __init__(self, source: Optional[commands_row.Search], commands: list[Command], segments: list[Segment]) -> None:
        self.source = source
        self.commands = commands
        self.segments = segments
        self.fields: Wanted = None
        self.ordered = True
        self.prefix = 0
        self.cache_key: Optional[str] = None
        self.picker: Optional[FieldPicker] = None
        self.leading: Optional[Leading] = None
        self._reads: list[tuple[Wanted, Wanted]] = []

    def bind(self, wanted: Wanted, ordered: bool, grouped: Wanted = None) -> None:
        """`wanted`: fields read after this pipeline; `ordered`: whether the order of its rows matters there; `grouped`:
        those of the fields that are not merely aggregated, None unless an unordered `stats` follows row-wise commands.
        """
        reads = []
        for command in reversed(self.commands):
            reads.append((wanted, grouped))
            if isinstance(command, commands_set.Multisearch):
                command.bind_plans(wanted, ordered, grouped)
            if isinstance(command, stats.Stats) and not isinstance(command, stats.Eventstats):
                ordered = command.ordered
                grouped = None if ordered else command.grouping
            elif command.ordered or not command.row_wise:
                ordered = ordered or command.ordered or not isinstance(command, commands_set.Multisearch)
                grouped = None
            elif grouped is not None:
                grouped = command.bind(grouped)
            wanted = command.bind(wanted)
        self.ordered = ordered
        if self.source is None:
            return
        self._reads = [(wanted, grouped), *reversed(reads)]
        self.prefix = next((n for n, c in enumerate(self.commands) if not (c.row_wise and c.pure)), len(self.commands))
        self.cache_key = f"{self._begins(self.prefix)}\0{sorted(wanted) if wanted is not None else '*'}"
        self.fields = self.source.bind(wanted)
        names = None if self.fields is None else self.fields - STORED_FIELDS
        self.picker = FieldPicker(names) if names is None or names else None

    def take_paths(self) -> None:
        """Reads paths that the search takes of its events at once as fields of the events (lab.spl.rawpaths)."""
        for plan in self.plans():
            arrays: Arrays = {}
            for command in plan.commands:
                if isinstance(command, (commands_row.Eval, commands_row.Where)):
                    command.take_paths(arrays)
                elif not isinstance(
                    command, (commands_row.Search, commands_extract.Rex, commands_lookup.LookupCommand)
                ):
                    break

    def shows_all_fields(self) -> bool:
        """Whether all fields of events are read. Known after `bind`."""
        return any(plan.fields is None for plan in self.plans())

    def _begins(self, count: int) -> str:
        """The text of the source and the first commands."""
        return "|".join(f"{segment.name} {segment.args}" for segment in self.segments[: count + 1])

    def fold(self, known: dict[str, list[Leading]]) -> None:
        """Joins one of the leading parts `known` by their text, or adds one, where its events can be folded."""
        for plan in self.plans():
            count = leading_commands(plan.commands, plan.prefix)
            if count is None:
                continue
            wanted, grouped = plan._reads[count]
            if wanted is None or grouped is None:
                continue
            assert plan.source is not None
            begun = known.setdefault(plan._begins(count), [])
            fresh = Leading(plan.source, plan.commands[:count])
            plan.leading = next((leading for leading in (*begun, fresh) if leading.serves(wanted, grouped)), None)
            if plan.leading is fresh:
                begun.append(fresh)

    def plans(self) -> list[Plan]:
        """The plans with a source: this one, or those of a multisearch."""
        if self.source is not None:
            return [self]
        return [plan for c in self.commands if isinstance(c, commands_set.Multisearch) for plan in c.plans]

    def columns(self) -> Optional[list[str]]:
        known: Optional[list[str]] = None
        for command in self.commands:
            known = command.columns(known)
        return known

    def tables(self, count: Optional[int] = None) -> Iterator[str]:
        """The names of the lookups that the first commands, or all, look up."""
        for command in self.commands[:count]:
            if isinstance(command, commands_lookup.LookupCommand):
                yield command.table
            elif isinstance(command, commands_set.Multisearch):
                for plan in command.plans:
                    yield from plan.tables()

    def detached(self, lookups: LookupTables) -> int:
        """How many commands, `stats` among them, depend on events, the window and CSV lookups alone; 0 for none."""
        count = next((n for n, c in enumerate(self.commands) if not c.is_detached(lookups)), len(self.commands))
        return count if self.plans() and any(isinstance(c, stats.Stats) for c in self.commands[:count]) else 0

    def run(self, run: Run, begun: Optional[list[Row]] = None, stop: Optional[int] = None) -> list[Row]:
        """`begun`: the rows after the detached commands; `stop`: how many commands to run."""
        rows, done = begun or [], 0
        if begun is not None:
            done = self.detached(run.lookups)
        elif self.source is not None:
            rows, done = run.engine.events_of(self, run)
        folded = begun is None and any(plan.leading is not None for plan in self.plans())
        for command in self.commands[done:stop]:
            try:
                if folded:
                    rows = refolded(rows, command.reads) if isinstance(command, stats.Stats) else rows
                    rows = unfolded(rows, command)
                    folded = not isinstance(command, stats.Stats)
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
            source = commands_row.Search(segments[0])
        commands: list[Command] = []
        for n, segment in enumerate(segments[1:] if source else segments):
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
        return Plan(source, commands, segments)

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
