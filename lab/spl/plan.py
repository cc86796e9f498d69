"""From expanded search text to a compiled pipeline: which command class for which name, projection, event source."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional

from lab.errors import LabError, SplError
from lab.spl import commands_extract, commands_lookup, commands_row, commands_set, stats
from lab.spl.command import Command, Run, Wanted
from lab.spl.commands_custom import Custom, split_arguments
from lab.spl.fold import Leading, leading_commands, refolded, unfolded
from lab.spl.jsonfields import FieldPicker
from lab.spl.rawpaths import Arrays
from lab.spl.searchexpr import META_FIELDS, parse_base
from lab.spl.subsearch import Return, Subsearches
from lab.spl.text import Segment, around_subsearches, bracketed, split_pipeline
from lab.spl.values import Row

if TYPE_CHECKING:
    from lab.spl.engine import Engine

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
    "dedup": commands_set.Dedup,
    "sort": commands_set.Sort,
    "bin": commands_set.Bin,
    "bucket": commands_set.Bin,
    "xyseries": commands_set.Xyseries,
    "addinfo": commands_set.Addinfo,
    "makeresults": commands_set.Makeresults,
    "stats": stats.Stats,
    "eventstats": stats.Eventstats,
    "streamstats": stats.Streamstats,
    "lookup": commands_lookup.LookupCommand,
    "inputlookup": commands_lookup.Inputlookup,
    "outputlookup": commands_lookup.Outputlookup,
}

MOST_CLOSED = 100
"""Plans kept of one search, by what its subsearches made of it."""
STORED_FIELDS = frozenset({"_time", "_raw", "_indextime", *META_FIELDS})


class Plan:
    """A compiled pipeline. `source` is the event search it starts with, if any; `commands` follow it.

    `bind` must be called once before running: it walks backwards, so that the source extracts only what is read,
    and finds out whether anybody cares for the order of events.
    """

    def __init__(
        self,
        source: Optional[commands_row.Source],
        commands: list[Command],
        segments: list[Segment],
        subsearches: Optional[Subsearches] = None,
        compiler: Optional[Compiler] = None,
    ) -> None:
        self.source = source
        self.commands = commands
        self.segments = segments
        self.subsearches = subsearches
        """Those of the base search. Until they have run `source` is without what they will say."""
        self._compiler = compiler
        self._closed: dict[str, Plan] = {}
        self._bound: tuple[Wanted, bool, Wanted] = (None, True, None)
        self._known: Optional[dict[str, list[Leading]]] = None
        self.fields: Wanted = None
        self.ordered = True
        self.prefix = 0
        self.cache_key: Optional[str] = None
        self.picker: Optional[FieldPicker] = None
        self.leading: Optional[Leading] = None
        self._reads: list[tuple[Wanted, Wanted]] = []

    def bind(self, wanted: Wanted, ordered: bool, grouped: Wanted = None) -> Wanted:
        """Answers which fields it reads of the rows it is given.

        `wanted`: fields read after this pipeline; `ordered`: whether the order of its rows matters there; `grouped`:
        those of the fields that are not merely aggregated, None unless an unordered `stats` follows row-wise commands.
        """
        self._bound = (wanted, ordered, grouped)
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
            return wanted
        self._reads = [(wanted, grouped), *reversed(reads)]
        self.prefix = next((n for n, c in enumerate(self.commands) if not (c.row_wise and c.pure)), len(self.commands))
        self.cache_key = f"{self._begins(self.prefix)}\0{sorted(wanted) if wanted is not None else '*'}"
        self.fields = self.source.bind(wanted)
        names = None if self.fields is None else self.fields - STORED_FIELDS
        self.picker = FieldPicker(names) if names is None or names else None
        return frozenset()

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
        return " | ".join(f"{segment.name} {segment.args}" for segment in self.segments[: count + 1])

    @cached_property
    def text(self) -> str:
        """The search as it is run, but for its time modifiers."""
        return ("" if self.source is not None else "| ") + self._begins(len(self.segments))

    def ready(self, run: Run) -> tuple[Plan, Run]:
        """What is run once the subsearches have told what the base search says, and the run over its time range.

        Searches that differ only in their time modifiers are one plan, so that what is known of its events stays known.
        """
        if self.source is None:
            return self, run
        if self.subsearches is None:
            return self, replace(run, window=run.window.modified(self.source.modifiers))
        text = self.subsearches.replaced(run)
        try:
            base = parse_base(text)
            plan = self._closed.get(base.text)
            if plan is None:
                if len(self._closed) == MOST_CLOSED:
                    self._closed.clear()
                plan = self._closed[base.text] = self._closed_as(base.text)
            return plan, replace(run, window=run.window.modified(base.modifiers))
        except SplError as problem:
            problem.message += f" In what its subsearches made of it: {text[:200]}"
            problem.position = self.source.position
            raise

    def _closed_as(self, text: str) -> Plan:
        assert self._compiler is not None
        segments = [replace(self.segments[0], args=text), *self.segments[1:]]
        return self._compiler.prepared(segments, self._known, self._bound)

    def fold(self, known: dict[str, list[Leading]]) -> None:
        """Joins one of the leading parts `known` by their text, or adds one, where its events can be folded."""
        self._known = known
        for plan in self.plans():
            if plan.subsearches is not None:
                continue
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

    def columns(self, known: Optional[list[str]] = None) -> Optional[list[str]]:
        """The columns in their order as far as the text tells; `known`: those of the rows it is given."""
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
            elif isinstance(command, commands_set.Appendpipe):
                yield from command.plan.tables()

    def detached(self, engine: Engine) -> int:
        """How many commands, `stats` among them, depend on events, the window and CSV lookups alone; 0 for none."""
        if self.subsearches is not None:
            return 0
        count = next((n for n, c in enumerate(self.commands) if not c.is_detached(engine)), len(self.commands))
        return count if self.plans() and any(isinstance(c, stats.Stats) for c in self.commands[:count]) else 0

    def run(self, run: Run, begun: Optional[list[Row]] = None, stop: Optional[int] = None) -> list[Row]:
        """`begun`: the rows after the detached commands; `stop`: how many commands to run."""
        plan, run = self.ready(run)
        if plan is not self:
            return plan.run(run, begun, stop)
        rows, done = begun or [], 0
        if begun is not None:
            done = self.detached(run.engine)
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
    """Compiles expanded search text. `custom` are the commands of the app's commands.conf, `configuration` asks one
    what it is."""

    def __init__(self, custom: frozenset[str], configuration: Callable[[str, list[str]], dict[str, Any]]) -> None:
        self.custom = custom
        self._configuration = configuration
        self._configurations: dict[tuple[str, str], dict[str, Any]] = {}

    def pipeline(self, text: str, offset: int = 0) -> Plan:
        """Parse and check one pipeline. Raises SplError with the offset of what is wrong."""
        return self.assembled(split_pipeline(text, offset))

    def assembled(self, segments: list[Segment], given: bool = False) -> Plan:
        """The pipeline of these commands. `given`: it works on rows that it is given."""
        source: Optional[commands_row.Source] = None
        subsearches: Optional[Subsearches] = None
        if segments[0].name == "search" and not given:
            subsearches = self._subsearches(segments[0])
            args = segments[0].args if subsearches is None else subsearches.placeholders()
            source = commands_row.Source(replace(segments[0], args=args))
            segments = [replace(segments[0], args=source.text if subsearches is None else args), *segments[1:]]
        commands: list[Command] = []
        over_events = source is not None
        for n, segment in enumerate(segments[1:] if source else segments):
            first = n == 0 and source is None and not given
            command = self._build(segment, first, over_events)
            over_events = over_events and not isinstance(command, stats.Stats)
            appends = isinstance(command, commands_lookup.Inputlookup) and command.append
            if first and not command.generating and not appends:
                raise SplError(
                    f"'{segment.name}' needs rows: start with a search or a generating command.",
                    position=segment.position,
                )
            if command.generating and not first:
                raise SplError(f"'{segment.name}' must be the first command.", position=segment.position)
            commands.append(command)
        return Plan(source, commands, segments, subsearches, self)

    def prepared(
        self,
        segments: list[Segment],
        known: Optional[dict[str, list[Leading]]],
        bound: tuple[Wanted, bool, Wanted] = (None, True, None),
    ) -> Plan:
        """The pipeline of these commands as it is best run: bound, and folded with the leading parts `known`."""
        plan = self.assembled(segments)
        plan.bind(*bound)
        if not plan.shows_all_fields():
            plan = self.assembled(segments)
            plan.take_paths()
            plan.bind(*bound)
        if known is not None:
            plan.fold(known)
        return plan

    def _subsearches(self, segment: Segment) -> Optional[Subsearches]:
        texts, bodies = around_subsearches(segment.args, segment.args_position)
        if not bodies:
            return None
        plans = [self.pipeline(body, position) for body, position in bodies]
        for plan in plans:
            plan.bind(None, True)
        return Subsearches(texts, plans)

    def _build(self, segment: Segment, first: bool, over_events: bool) -> Command:
        if segment.name in ("multisearch", "append"):
            plans = [self.pipeline(body, at) for body, at in bracketed(segment.args, segment.args_position)]
            maker = commands_set.Multisearch if segment.name == "multisearch" else commands_set.Append
            return maker(segment, plans)
        if segment.name == "appendpipe":
            return commands_set.Appendpipe(segment, self._subpipeline(segment))
        if segment.name in COMMANDS:
            return COMMANDS[segment.name](segment)
        if segment.name == "return":
            return Return(segment)
        if segment.name in self.custom:
            configuration = self._configured(segment) if over_events else {}
            return Custom(segment, first, configuration, self._subsearches(segment))
        raise SplError(
            f"unknown command '{segment.name}'. Add it to lab/spl with a case in tests/spl/cases, or to commands.conf.",
            position=segment.position,
        )

    def _configured(self, segment: Segment) -> dict[str, Any]:
        key = segment.name, segment.args
        if key not in self._configurations:
            self._configurations[key] = self._configuration(segment.name, split_arguments(segment.args))
        return self._configurations[key]

    def _subpipeline(self, segment: Segment) -> Plan:
        """What `appendpipe [stats …]` runs. Its first command stands with or without a pipe before it."""
        args = segment.args
        options = re.match(r"run_in_preview\s*=\s*\w+\s*(?=\[)", args)
        start = options.end() if options else 0
        bodies = bracketed(args[start:], segment.args_position + start)
        if len(bodies) != 1:
            raise SplError("appendpipe takes one [subpipeline].", position=segment.position)
        body, at = bodies[0]
        piped = body if body.lstrip().startswith("|") else f"|{body}"
        return self.assembled(split_pipeline(piped, at - len(piped) + len(body)), given=True)
