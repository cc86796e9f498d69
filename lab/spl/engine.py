"""The search engine: expands macros, compiles each search text once, reads events block by block and runs the pipeline.

The leading row-wise commands of an event search are pure functions of the event. Their results are kept per block of
events and search text, because scheduled searches with overlapping windows see the same events again and again.
"""

from __future__ import annotations

import operator
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from lab.conf import AppConf
from lab.errors import LabError, SplError
from lab.events import Block, EventStore, Slice
from lab.lookups import LookupTables
from lab.spl.command import POSITION, Run
from lab.spl.evalcompile import evaluate_text
from lab.spl.jsonfields import FieldPicker, pick_fields
from lab.spl.macros import Expanded, expand
from lab.spl.plan import Compiler, Plan
from lab.spl.searchexpr import META_FIELDS, Everything
from lab.spl.values import Row, tidy

if TYPE_CHECKING:
    from lab.protocol import CommandRunner

CACHED_ROWS = 100_000
"""Rows kept in the per-block cache, over all searches (about 1 kB each)."""
_EXTRACTION_KEYS = ("EXTRACT-", "REPORT-", "EVAL-", "FIELDALIAS-", "LOOKUP-", "TRANSFORMS-")
_PAIR = re.compile(r'(?:^|[\s,;|&?(\[{])([A-Za-z_][\w.:-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;|&")\]}]*))')


@dataclass(frozen=True)
class TimeWindow:
    """What a run sees: event time in [earliest, latest), None for open; nothing indexed after `now`."""

    earliest: Optional[float]
    latest: Optional[float]
    now: float
    index_earliest: Optional[float] = None
    index_latest: Optional[float] = None


@dataclass
class SearchResult:
    """Rows of a search; a key missing from a row is null. `fields` is the column order."""

    fields: list[str]
    rows: list[Row]


@dataclass
class _Compiled:
    plan: Plan
    expanded: Expanded


class _Cached:
    """Prefix results of the first `seen` events of a block: the rows and which event each comes from."""

    __slots__ = ("positions", "rows", "seen")

    def __init__(self) -> None:
        self.seen = 0
        self.positions: list[int] = []
        self.rows: list[Row] = []


class Engine:
    """Runs searches of `app` over `events`, with its lookups and commands. `state_dir` takes the CSVs they write."""

    def __init__(
        self,
        app: AppConf,
        events: EventStore,
        kv: Any,
        commands: Optional[CommandRunner],
        state_dir: Optional[Path] = None,
    ) -> None:
        self.app = app
        self.events = events
        self.commands = commands
        self.lookups = LookupTables(app, kv, state_dir)
        self._compiler = Compiler(
            frozenset(commands.names()) if commands is not None else frozenset(app.stanzas("commands"))
        )
        self._compiled: dict[tuple[str, str, str], _Compiled] = {}
        self._cache: OrderedDict[tuple[str, int], _Cached] = OrderedDict()
        self._cached_rows = 0
        self._runs = 0
        self._check_props()

    def _check_props(self) -> None:
        for stanza in self.app.stanzas("props").values():
            for key in stanza.settings:
                if key.startswith(_EXTRACTION_KEYS):
                    raise stanza.error(key, f"the lab does not know search-time setting '{key}' of props.conf.")

    def expand(self, spl: str) -> Expanded:
        """Macro-expanded text with the origin of each part."""
        return expand(spl, self.app, evaluate_text)

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
                plan = self._compiler.pipeline(expanded.text)
                plan.bind(None, True)
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
        compiled = self._compile(spl, file, stanza)
        self._runs += 1
        run = Run(self, window, sid or f"{int(window.now)}.{self._runs}", spl, self.lookups)
        try:
            rows = compiled.plan.run(run)
        except LabError as error:
            raise _placed(error, compiled.expanded, file, stanza) from None
        for row in rows:
            row.pop(POSITION, None)
        return SearchResult(_columns(compiled.plan.columns(), rows), rows)

    # -- events ----------------------------------------------------------------------------------------------------
    def events_of(self, plan: Plan, run: Run) -> list[Row]:
        """Events of the window through the plan's pure prefix, newest first when order matters. The rows are fresh."""
        window = run.window
        out: list[Row] = []
        scan = self.events.scan(window.earliest, window.latest, window.now, window.index_earliest, window.index_latest)
        for part in scan:
            cached = self._prefix_rows(plan, part.block, run)
            rows = self._select(cached, part)
            if plan.ordered:
                times = part.block.times
                rows = sorted(rows, key=lambda r: times[r[POSITION]], reverse=True)
            out.extend(map(dict.copy, rows))
        return out

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
            rows = self._read(plan, block, range(cached.seen, len(block)))
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

    def _read(self, plan: Plan, block: Block, positions: range) -> list[Row]:
        """Rows of the events the source search matches, with only the fields the plan reads."""
        assert plan.source is not None
        expression = plan.source.expression
        verdicts: dict[int, Optional[bool]] = {}
        metas: dict[int, dict[str, str]] = {}
        chosen: list[int] = []
        named_index = "index" in expression.fields()
        for n in positions:
            meta_id = block.metas[n]
            verdict = verdicts.get(meta_id, _UNSEEN)
            if verdict is _UNSEEN:
                meta = metas[meta_id] = dict(zip(META_FIELDS, self.events.metas[meta_id]))
                # Without index= Splunk searches the role's default indexes (main).
                default = named_index or meta["index"] == "main"
                verdict = verdicts[meta_id] = expression.verdict(meta) if default else False
            if verdict is not False:
                chosen.append(n)
        if not chosen:
            return []
        read = self.events.reader(block, chosen)
        wanted = plan.fields
        picker = plan.picker
        needs_raw = wanted is None or "_raw" in wanted
        meta_fields = [m for m in META_FIELDS if wanted is None or m in wanted]
        with_index_time = wanted is None or "_indextime" in wanted
        rows: list[Row] = []
        for n in chosen:
            raw = read(n)
            row: Row = {POSITION: n, "_time": tidy(block.times[n])}
            if picker is not None and not (raw[:1] in (b"{", b"[") and pick_fields(raw, picker, row)):
                _pairs(raw.decode("utf-8", "replace"), picker, row)
            if meta_fields:
                meta = metas[block.metas[n]]
                for name in meta_fields:
                    row[name] = meta[name]
            if needs_raw:
                row["_raw"] = raw.decode("utf-8", "replace")
            if with_index_time:
                row["_indextime"] = tidy(block.indextimes[n])
            rows.append(row)
        if all(verdicts[block.metas[n]] for n in chosen):
            return rows
        test = expression.test
        return rows if isinstance(expression, Everything) else [r for r in rows if test(r)]

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


_UNSEEN: Any = object()


def _pairs(raw: str, picker: FieldPicker, row: Row) -> None:
    """KV_MODE=auto: ``key=value`` and ``key="value"`` pairs; the first of a name counts."""
    for name, quoted, bare in _PAIR.findall(raw):
        if name not in row and (picker.names is None or name in picker.names):
            row[name] = quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted else bare


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
