"""The search engine: expands macros, compiles each search text once, reads events block by block and runs the pipeline.

The leading row-wise commands of an event search are pure functions of the event. Their results are kept per block of
events and search text, because scheduled searches with overlapping windows see the same events again and again.
"""

from __future__ import annotations

import itertools
import operator
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Optional, Sequence

from lab.conf import AppConf
from lab.errors import LabError, SplError
from lab.events import Block, EventStore, Slice
from lab.lookups import LookupTables
from lab.spl.command import POSITION, Run, Wanted
from lab.spl.evalcompile import evaluate_text
from lab.spl.fold import Leading
from lab.spl.inlined import inline, names_saved_search
from lab.spl.jsonfields import FieldPicker, fields_of_raw
from lab.spl.macros import Expanded, expand
from lab.spl.plan import STORED_FIELDS, Compiler, Plan
from lab.spl.searchexpr import EVERYTHING, META_FIELDS, NOTHING, Expression, by_text, given
from lab.spl.searchtime import SearchTime
from lab.spl.text import split_pipeline
from lab.spl.values import Row, tidy
from lab.spl.window import TimeWindow

if TYPE_CHECKING:
    from lab.protocol import CommandRunner

CACHED_ROWS = 100_000
"""Rows kept in the per-block cache, over all searches (about 1 kB each)."""
_EXTRACTION_KEYS = ("EXTRACT-", "REPORT-", "EVAL-", "FIELDALIAS-", "LOOKUP-", "TRANSFORMS-")


@dataclass
class SearchResult:
    """Rows of a search; a key missing from a row is null. `fields` is the column order."""

    fields: list[str]
    rows: list[Row]


@dataclass
class _Compiled:
    plan: Plan
    expanded: Expanded


@dataclass(frozen=True)
class Ready:
    """A search whose subsearches have run. `window` is what its base search looks at."""

    plan: Plan
    run: Run
    compiled: _Compiled
    file: str
    stanza: str

    @property
    def text(self) -> str:
        """The search as it is run: macros and subsearches written out, time modifiers left out."""
        return self.plan.text

    @property
    def window(self) -> TimeWindow:
        return self.run.window


class _Cached:
    """Prefix results of the first `seen` events of a block: the rows and which event each comes from. `found` are the
    events that the base search finds."""

    __slots__ = ("found", "positions", "rows", "seen")

    def __init__(self) -> None:
        self.seen = 0
        self.found: list[int] = []
        self.positions: list[int] = []
        self.rows: list[Row] = []


class Engine:
    """Runs searches of `app` over `events`, with its lookups and commands. `state_dir` takes the CSVs they write.
    `addons`: what other apps of the search head make of events at search time."""

    def __init__(
        self,
        app: AppConf,
        events: EventStore,
        kv: Any,
        commands: Optional[CommandRunner],
        state_dir: Optional[Path] = None,
        addons: Optional[SearchTime] = None,
    ) -> None:
        self.app = app
        self._addons = addons
        self.events = events
        self.commands = commands
        self.lookups = LookupTables(app, kv, state_dir)
        self._compiler = Compiler(
            frozenset(commands.names()) if commands is not None else frozenset(app.stanzas("commands")),
            commands.configuration if commands is not None else lambda name, args: {},
        )
        self._compiled: dict[tuple[str, str, str], _Compiled] = {}
        self._cache: OrderedDict[tuple[str, int], _Cached] = OrderedDict()
        self._cached_rows = 0
        self._leading: dict[str, list[Leading]] = {}
        self._given: dict[
            int, tuple[Expression, dict[int, Optional[tuple[dict[str, str], Expression, Expression]]]]
        ] = {}
        """By the id of an expression, which is kept so that no other gets the id: what is left of it per metadata."""
        self._runs = 0
        self._check_props()

    def _check_props(self) -> None:
        for stanza in self.app.stanzas("props").values():
            for key in stanza.settings:
                if key.startswith(_EXTRACTION_KEYS):
                    raise stanza.error(key, f"the lab does not know search-time setting '{key}' of props.conf.")

    def expand(self, spl: str) -> Expanded:
        """Macro-expanded text with the origin of each part."""
        return expand(inline(spl, self.app), self.app, evaluate_text)

    def compile(self, spl: str, file: str = "(ad hoc)", stanza: str = "") -> Plan:
        """Compile (once) and check a search without running it. Raises LabError naming file, stanza and position."""
        return self._compile(spl, file, stanza).plan

    def _compile(self, spl: str, file: str, stanza: str) -> _Compiled:
        key = (spl, file, stanza)
        held = self._compiled.get(key)
        if held is None:
            expanded = Expanded(spl, ())
            try:
                expanded = self.expand(spl)
                # Events that add-ons change are read one by one: equal texts need not give equal fields.
                known = self._leading if self._addons is None else None
                plan = self._compiler.prepared(split_pipeline(expanded.text), known)
            except LabError as error:
                raise _placed(error, expanded, file, stanza) from None
            held = self._compiled[key] = _Compiled(plan, expanded)
        return held

    def search(
        self,
        spl: str,
        window: TimeWindow,
        *,
        file: str = "(ad hoc)",
        stanza: str = "",
        sid: Optional[str] = None,
    ) -> SearchResult:
        """Run one search to its end. Raises LabError naming `file`, `stanza` and the position in the expanded text."""
        return self.finish(self.ready(spl, window, file=file, stanza=stanza, sid=sid))

    def ready(
        self,
        spl: str,
        window: TimeWindow,
        *,
        file: str = "(ad hoc)",
        stanza: str = "",
        sid: Optional[str] = None,
    ) -> Ready:
        """Compile a search and run its subsearches. LabError as `search`."""
        compiled = self._compile(spl, file, stanza)
        if names_saved_search(spl) and window.earliest is None and window.latest is None:
            raise LabError("savedsearch over all time takes the saved search's range: give one.").located(file, stanza)
        self._runs += 1
        run = Run(self, window, sid or f"{int(window.now)}.{self._runs}", spl, self.lookups)
        try:
            plan, run = compiled.plan.ready(run)
        except LabError as error:
            raise _placed(error, compiled.expanded, file, stanza) from None
        return Ready(plan, run, compiled, file, stanza)

    def finish(self, ready: Ready, begun: Optional[list[Row]] = None) -> SearchResult:
        """Run a search to its end, from `begun` (`begin`) on where given. LabError as `search`."""
        try:
            rows = ready.plan.run(ready.run, begun)
        except LabError as error:
            raise _placed(error, ready.compiled.expanded, ready.file, ready.stanza) from None
        if self.events.reads is not None:
            for sourcetype, count in ready.run.reads.items():
                self.events.reads[ready.stanza or ready.file, sourcetype] += count
        for row in rows:
            row.pop(POSITION, None)
        return SearchResult(_columns(ready.plan.columns(), rows), rows)

    def postprocess(self, found: SearchResult, spl: str, window: TimeWindow) -> SearchResult:
        """What a post-process search, as a chain of a dashboard is one, makes of a job's results, which stay as they
        are; `window` is the job's. `search` of search/v2/jobs/{sid}/results:
        https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTsearch"""
        expanded = self.expand(spl)
        try:
            plan = self._compiler.assembled(split_pipeline(expanded.text), given=True)
            plan.bind(None, ordered=True)
            self._runs += 1
            run = Run(self, window, f"{int(window.now)}.{self._runs}", spl, self.lookups)
            rows = plan.run(run, list(map(dict.copy, found.rows)))
        except LabError as error:
            raise _placed(error, expanded, "(ad hoc)", "") from None
        return SearchResult(_columns(plan.columns(found.fields), rows), rows)

    # -- beginnings ------------------------------------------------------------------------------------------------
    def is_open(self, spl: str) -> bool:
        """Whether subsearches say a part of the search when it runs."""
        return self.compile(spl).subsearches is not None

    def detached(self, spl: str) -> int:
        """How many commands of a search depend on nothing that searches change."""
        return self.compile(spl).detached(self)

    def begin(self, spl: str, window: TimeWindow, sid: str) -> tuple[list[Row], dict[str, int]]:
        """The rows of a search without subsearches after its detached commands, and what it read (`Run.reads`)."""
        plan = self.compile(spl)
        run = Run(self, window, sid, spl, self.lookups)
        return plan.run(run, stop=plan.detached(self)), dict(run.reads)

    def reach(self, spl: str, counts: Sequence[int]) -> int:
        """How many events of all times a search may find by their metadata; `counts`: how many there are of each."""
        sources = [plan.source.expression for plan in self.compile(spl).plans() if plan.source is not None]
        metas = [dict(zip(META_FIELDS, meta)) for meta in self.events.metas]
        found = [any(given(source, meta) != NOTHING for source in sources) for meta in metas]
        return sum(itertools.compress(counts, found))

    def stamps(self, spl: str) -> list[Any]:
        """Changes whenever a lookup of the search's detached commands does."""
        plan = self.compile(spl)
        return [self.lookups.stamp(self.lookups.find(name)) for name in plan.tables(plan.detached(self))]

    # -- events ----------------------------------------------------------------------------------------------------
    def events_of(self, plan: Plan, run: Run) -> tuple[list[Row], int]:
        """Events of the window and how many of the plan's commands they have been through, newest first when order
        matters. The rows are fresh."""
        window = run.window
        parts = list(
            self.events.scan(window.earliest, window.latest, window.visible, window.index_earliest, window.index_latest)
        )
        if plan.leading is not None:
            before = run.reads.copy()
            try:
                return plan.leading.rows(parts, run), plan.leading.length
            except LabError:
                run.reads = (
                    before  # computed for more events than the search would: each by itself tells whether it fails
                )
        out: list[Row] = []
        for part in parts:
            cached = self._prefix_rows(plan, part.block, run)
            self.note_reads(part, cached.found, run)
            rows = self._select(cached, part)
            if plan.ordered:
                times = part.block.times
                rows = sorted(rows, key=lambda r: times[r[POSITION]], reverse=True)
            out.extend(map(dict.copy, rows))
        return out, plan.prefix

    def note_reads(self, part: Slice, found: Iterable[int], run: Run) -> None:
        """`found`: the events of the block that the base search finds."""
        if self.events.reads is None:
            return
        seen = found if part.all else set(part.positions).intersection(found)
        for meta_id, count in Counter(map(part.block.metas.__getitem__, seen)).items():
            run.reads[self.events.metas[meta_id][1]] += count

    @staticmethod
    def _select(cached: _Cached, part: Slice) -> list[Row]:
        if part.all:
            return cached.rows
        visible = set(part.positions)
        return [row for n, row in zip(cached.positions, cached.rows) if n in visible]

    def _prefix_rows(self, plan: Plan, block: Block, run: Run) -> _Cached:
        key = (str(plan.cache_key), block.hour)
        cached = self._cache.get(key)
        if cached is None:
            cached = self._cache[key] = _Cached()
        self._cache.move_to_end(key)
        if cached.seen < len(block):
            rows = self._read(plan, block, range(cached.seen, len(block)), run.window.now)
            cached.found.extend(map(operator.itemgetter(POSITION), rows))
            for command in plan.commands[: plan.prefix]:
                rows = command.run(rows, run)
            cached.rows.extend(rows)
            cached.positions.extend(map(operator.itemgetter(POSITION), rows))
            cached.seen = len(block)
            self._cached_rows += len(rows)
            while self._cached_rows > CACHED_ROWS and len(self._cache) > 1:
                _, dropped = self._cache.popitem(last=False)
                self._cached_rows -= len(dropped.rows)
        return cached

    def found(
        self, expression: Expression, block: Block, positions: range
    ) -> Iterator[tuple[int, bytes, dict[str, str], Expression]]:
        """Position, raw text and metadata of the events that the expression may match, and what of it their fields
        have to tell."""
        known = self._given.setdefault(id(expression), (expression, {}))[1]
        ids = block.metas[positions.start : positions.stop]
        for meta_id in set(ids).difference(known):
            meta = dict(zip(META_FIELDS, self.events.metas[meta_id]))
            on_text, rest = by_text(given(expression, meta))
            known[meta_id] = None if rest == NOTHING else (meta, on_text, rest)
        chosen = [n for n, meta_id in zip(positions, ids) if known[meta_id] is not None]
        read = self.events.reader(block, chosen)
        for n in chosen:
            raw = read(n)
            meta, on_text, rest = known[block.metas[n]]  # type: ignore[misc]
            if on_text is EVERYTHING or on_text.test({"_raw": raw.decode("utf-8", "replace")}):
                yield n, raw, meta, rest

    def _wanted(self, plan: Plan) -> tuple[Wanted, Optional[FieldPicker]]:
        """The fields that the plan reads, and what reads them from the text; with those that add-ons read or make."""
        if self._addons is None or plan.fields is None:
            return plan.fields, plan.picker
        wanted = plan.fields | self._addons.names
        return wanted, FieldPicker(wanted - STORED_FIELDS)

    def _read(self, plan: Plan, block: Block, positions: range, now: float) -> list[Row]:
        """Rows of the events the source search matches, with only the fields the plan reads."""
        assert plan.source is not None
        expression = plan.source.expression
        wanted, picker = self._wanted(plan)
        needs_raw = wanted is None or "_raw" in wanted
        meta_fields = [m for m in META_FIELDS if wanted is None or m in wanted]
        with_index_time = wanted is None or "_indextime" in wanted
        rows: list[Row] = []
        for n, raw, meta, rest in self.found(expression, block, positions):
            row: Row = {POSITION: n, "_time": tidy(block.times[n])}
            if picker is not None:
                row.update(fields_of_raw(raw, picker))
            for name in meta_fields:
                row[name] = meta[name]
            if needs_raw:
                row["_raw"] = raw.decode("utf-8", "replace")
            if with_index_time:
                row["_indextime"] = tidy(block.indextimes[n])
            if self._addons is not None:
                self._addons.apply(row, meta["sourcetype"], now)
            if rest.test(row):
                rows.append(row)
        return rows

    # -- custom commands -------------------------------------------------------------------------------------------
    def run_custom(self, name: str, args: list[str], rows: Optional[list[Row]], run: Run) -> list[Row]:
        from lab.protocol import SearchInfo

        if self.commands is None:
            raise LabError(f"command '{name}': this engine was made without a command runner.")
        window = run.window
        info = SearchInfo(
            sid=run.sid,
            search=run.search,
            earliest_time=window.earliest,
            latest_time=window.latest,
            now=window.now,
            app=self.app.name,
        )
        return list(self.commands.run(name, args, rows, info))


def _columns(known: Optional[list[str]], rows: list[Row]) -> list[str]:
    names = dict.fromkeys(known or ())
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def _placed(error: LabError, expanded: Expanded, file: str, stanza: str) -> LabError:
    """Fill in file and stanza, and quote the text around the position."""
    if isinstance(error, SplError) and isinstance(error.position, int):
        position = error.position
        excerpt = " ".join(expanded.text[max(position - 20, 0) : position + 40].split())
        macro = expanded.origin(position)
        origin = f" (in macro `{macro.name}`, {macro.file} line {macro.line})" if macro else ""
        error.message = f"{error.message} Near: …{excerpt}…{origin}"
    return error.located(file, stanza)
