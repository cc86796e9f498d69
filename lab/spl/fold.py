"""Equal events travel as one row.

Logs repeat themselves: with its id and its time put aside, nearly every event is equal to one seen before. A search
that comes to an unordered `stats` asks of id and time only which groups they fall into and what they add up to. Up to
there a row may stand for many events: what they share, a `Kind`, is computed once, and what each has of its own
travels beside it (`Members`). A command that reads or changes a field of the events' own gets the row in as many pieces
as that field has values, so that no command but `stats` knows about all this.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Callable, Collection, Iterable, Iterator, Optional, Union

from lab.events import Block, Slice
from lab.spl.command import POSITION, Command, Event, Members, Run
from lab.spl.commands_extract import Rex
from lab.spl.commands_row import Eval, Search, Where
from lab.spl.evalparse import Field, Node, fields_of
from lab.spl.jsonfields import FieldPicker, fields_of_raw
from lab.spl.memo import EvalLoop
from lab.spl.searchexpr import EVERYTHING, META_FIELDS
from lab.spl.values import Row, tidy

EVENT_FIELDS = frozenset({"_raw", "_time", "_indextime"})
"""Fields in which no two events are expected to be equal."""
MOST_KINDS = 20_000
"""Kinds that are remembered, about 3 kB each; with more a leading part starts anew."""
MOST_EVENTS = 100_000
"""Events whose own fields are kept, about 300 bytes each, per leading part."""

Step = Union[tuple[str, Node], Search, Where]
"""An assignment of `eval`, or a filter."""


# -- rows in pieces ----------------------------------------------------------------------------------------------------


def unfolded(rows: list[Row], command: Command) -> list[Row]:
    """The rows in pieces that `command` can take for rows like any other."""
    out: list[Row] = []
    cuts: dict[int, Optional[_Cut]] = {}
    for row in rows:
        members = row.get(POSITION)
        if members.__class__ is not Members:
            out.append(row)
            continue
        places, events = row[POSITION]
        if id(places) not in cuts:
            cuts[id(places)] = _cut(places, command)
        cut = cuts[id(places)]
        if cut is None:
            out.append(row)
        else:
            out.extend(cut(row, events))
    return out


def refolded(rows: list[Row], fields: Collection[str]) -> list[Row]:
    """Rows that stand for several events and are equal in `fields` as one; other fields are left out."""
    out: list[Row] = []
    known: dict[tuple[Any, ...], list[Event]] = {}
    for row in rows:
        members = row.get(POSITION)
        if members.__class__ is not Members:
            out.append(row)
            continue
        places, events = row[POSITION]
        key = (id(places), *map(row.get, fields))
        try:
            held = known.get(key)
        except TypeError:  # a multivalue is no key
            out.append(row)
            continue
        if held is None:
            held = known[key] = []
            out.append({**{name: row[name] for name in fields if name in row}, POSITION: Members(places, held)})
        held.extend(events)
    return out


_Cut = Callable[[Row, "list[Event]"], Iterator[Row]]


def _cut(places: dict[str, int], command: Command) -> Optional[_Cut]:
    """How a row is taken apart for a command; None when it can stay whole."""
    touched = command.touched(places)
    names = [name for name in places if touched is None or name in touched]
    if touched is None:
        return lambda row, events: (_piece(row, event, places, names, event[0]) for event in events)
    if not names:
        return None
    left = {name: place for name, place in places.items() if name not in touched}
    values_of = itemgetter(*(places[name] for name in names))

    def pieces(row: Row, events: list[Event]) -> Iterator[Row]:
        groups: dict[Any, list[Event]] = {}
        try:
            for event in events:
                values = values_of(event)
                if values in groups:
                    groups[values].append(event)
                else:
                    groups[values] = [event]
        except TypeError:  # a multivalue is no key
            groups = {n: [event] for n, event in enumerate(events)}
        for same in groups.values():
            yield _piece(row, same[0], places, names, Members(left, same))

    return pieces


def _piece(row: Row, event: Event, places: dict[str, int], names: list[str], position: Any) -> Row:
    piece = row.copy()
    for name in names:
        value = event[places[name]]
        if value is not None:
            piece[name] = value
    piece[POSITION] = position
    return piece


# -- what is whose -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """What a leading part does per event and what per kind.

    `own` are the fields that events keep. `keyed` are hidden fields with the results of assignments that read what is
    an event's alone and are read by others (`cba_tail`, null for nearly every event): part of the kind. `unshared` are
    raw fields that are not, `shared` those that are and that the assignments per event read as well.
    """

    own: tuple[str, ...]
    keyed: tuple[str, ...]
    unshared: tuple[str, ...]
    shared: tuple[str, ...]
    own_meta: frozenset[str]
    """Those of EVENT_FIELDS that the assignments per event read."""
    per_event: EvalLoop
    per_kind: tuple[Union[EvalLoop, Search, Where], ...]
    kept: frozenset[str]
    """The fields of a kind that are read later."""
    picker: Optional[FieldPicker]


def leading_commands(commands: list[Command], pure: int) -> Optional[int]:
    """How many of a plan's first `pure` commands are its leading part: up to the last that reads what is an event's
    alone. None when that cannot be folded, for others than eval, rex, where and search are among them."""
    steps = next((n for n in range(pure) if not _is_step(commands[n])), pure)
    if any(touched is None or touched for touched in (c.touched(EVENT_FIELDS) for c in commands[steps:pure])):
        return None
    return max((n + 1 for n in range(steps) if commands[n].touched(EVENT_FIELDS)), default=0)


def _is_step(command: Command) -> bool:
    return isinstance(command, (Eval, Where, Search)) or (
        isinstance(command, Rex) and command.assignments() is not None
    )


def program(
    source: Search, commands: list[Command], wanted: frozenset[str], grouped: frozenset[str]
) -> Optional[Program]:
    """The program of a leading part of which the fields `wanted` are read later, those in `grouped` not merely to be
    aggregated. None when it cannot be folded."""
    steps: list[Step] = []
    for command in commands:
        if isinstance(command, Eval):
            steps.extend((name, node) for name, node, _ in command.assignments)
        elif isinstance(command, Rex):
            steps.extend(command.assignments() or ())
        elif isinstance(command, (Search, Where)):
            steps.append(command)
    asked = source.expression.fields()
    used, read = _needed(steps, wanted)
    common, common_read = _needed(steps, grouped)
    unshared = (read | asked) - common_read - asked - {*META_FIELDS}
    told = _split_steps(steps, used, common, EVENT_FIELDS.union(unshared))
    if told is None or asked & (EVENT_FIELDS - {"_raw"}):
        return None
    own, keyed = told
    event_steps: list[tuple[str, Node]] = []
    kind_steps: list[Step] = []
    for n, step in enumerate(steps):
        if not isinstance(step, tuple):
            kind_steps.append(step)
        elif n in used:
            event_steps.append(step)
            if n in keyed:
                event_steps.append((keyed[n], Field(step[0])))
                kind_steps.append((step[0], Field(keyed[n])))
            elif n in common:
                kind_steps.append(step)
    outputs = own & wanted
    per_event, event_fields = _needed(event_steps, outputs.union(keyed.values()))
    picked = (read | asked) - EVENT_FIELDS - {*META_FIELDS}
    return Program(
        own=tuple(sorted(outputs)),
        keyed=tuple(keyed.values()),
        unshared=tuple(sorted(unshared - EVENT_FIELDS)),
        shared=tuple(sorted(event_fields - unshared - EVENT_FIELDS)),
        own_meta=EVENT_FIELDS & event_fields,
        per_event=EvalLoop([step for n, step in enumerate(event_steps) if n in per_event]),
        per_kind=tuple(_loops(kind_steps)),
        kept=wanted - own,
        picker=FieldPicker(picked) if picked else None,
    )


def _needed(steps: Iterable[Step], wanted: Iterable[str]) -> tuple[set[int], set[str]]:
    """Which assignments make the wanted fields, filters passed, and which raw fields all of that reads."""
    need, used = set(wanted), set()
    for n, step in reversed(list(enumerate(steps))):
        if not isinstance(step, tuple):
            need |= step.reads
        elif step[0] in need:
            used.add(n)
            need.discard(step[0])
            need |= fields_of(step[1])
    return used, need


def _split_steps(
    steps: list[Step], used: set[int], common: set[int], alone: frozenset[str]
) -> Optional[tuple[frozenset[str], dict[int, str]]]:
    """Which fields are the events' own in the end, and which assignments have to be part of the kind, with hidden names
    for their results. None when a filter reads what is an event's own."""
    own, keyed = set(alone), {}
    for n, step in enumerate(steps):
        if not isinstance(step, tuple):
            if step.reads & own:
                return None
            continue
        name, node = step
        reads_own = not own.isdisjoint(fields_of(node))
        own.discard(name)
        if n in used and n not in common:
            own.add(name)
        elif n in used and reads_own:
            if _is_read(name, n + 1, steps, common):
                keyed[n] = f"\0keyed {n}"
            else:
                own.add(name)
    return frozenset(own), keyed


def _is_read(name: str, start: int, steps: list[Step], common: set[int]) -> bool:
    """Whether a filter, or an assignment of `common`, reads the field from `start` on before it is assigned anew."""
    for n in range(start, len(steps)):
        step = steps[n]
        if not isinstance(step, tuple):
            if name in step.reads:
                return True
        elif n in common and name in fields_of(step[1]):
            return True
        elif step[0] == name:
            return False
    return False


def _loops(steps: list[Step]) -> Iterator[Union[EvalLoop, Search, Where]]:
    """The steps with neighbouring assignments in one loop."""
    for is_assignment, group in groupby(steps, key=lambda step: isinstance(step, tuple)):
        if is_assignment:
            yield EvalLoop([step for step in group if isinstance(step, tuple)])
        else:
            yield from (step for step in group if not isinstance(step, tuple))


# -- leading parts -----------------------------------------------------------------------------------------------------


class Kind:
    """Equal events: the row that the leading part makes of them, None when it drops them."""

    __slots__ = ("row",)

    def __init__(self) -> None:
        self.row: Optional[Row] = None


class Portion:
    """The first `seen` events of a block, by kind. `found` are those that the base search finds."""

    __slots__ = ("found", "kinds", "seen")

    def __init__(self) -> None:
        self.seen = 0
        self.found: list[int] = []
        self.kinds: dict[Kind, list[Event]] = {}


class Leading:
    """The leading part of all plans that begin alike: the events it has read by kind, block by block."""

    def __init__(self, source: Search, commands: list[Command]) -> None:
        self.source = source
        self.length = len(commands)
        self._commands = commands
        self._wanted: frozenset[str] = frozenset()
        self._grouped: frozenset[str] = frozenset()
        self._kinds: dict[Any, Kind] = {}
        self._portions: OrderedDict[int, Portion] = OrderedDict()
        self._events = 0
        self.program: Optional[Program] = None

    def serves(self, wanted: frozenset[str], grouped: frozenset[str]) -> bool:
        """Takes on a plan that reads those fields; False when that would make the events unlike for the others, or
        these for the plan, or when they cannot be folded."""
        both, both_grouped = self._wanted | wanted, self._grouped | grouped
        if self.program is not None:
            if (both, both_grouped) == (self._wanted, self._grouped):
                return True
            if (self._wanted - self._grouped) & grouped or (wanted - grouped) & self._grouped:
                return False
        made = program(self.source, self._commands, both, both_grouped)
        if made is None:
            return False
        self._wanted, self._grouped, self.program = both, both_grouped, made
        self._kinds.clear()
        self._portions.clear()
        self._events = 0
        return True

    def rows(self, parts: Iterable[Slice], run: Run) -> list[Row]:
        """A row per kind of the events in `parts` of the store."""
        assert self.program is not None
        places = {name: n for n, name in enumerate(self.program.own, 1)}
        found: dict[Kind, list[Event]] = {}
        for part in parts:
            visible = None if part.all else set(part.positions)
            portion = self._portion(part.block, run)
            run.engine.note_reads(part, portion.found, run)
            for kind, events in portion.kinds.items():
                if visible is not None:
                    events = [event for event in events if event[0] in visible]
                if kind in found:
                    found[kind].extend(events)
                elif events:
                    found[kind] = events.copy()
        return [{**(kind.row or {}), POSITION: Members(places, events)} for kind, events in found.items()]

    def _portion(self, block: Block, run: Run) -> Portion:
        portion = self._portions.get(block.hour)
        if portion is None:
            portion = self._portions[block.hour] = Portion()
        self._portions.move_to_end(block.hour)
        if portion.seen < len(block):
            fresh = range(portion.seen, len(block))
            self._take_in(portion, block, fresh, run)
            portion.seen = len(block)
            self._events += len(fresh)
            while self._events > MOST_EVENTS and len(self._portions) > 1:
                _, dropped = self._portions.popitem(last=False)
                self._events -= dropped.seen
        return portion

    def _take_in(self, portion: Portion, block: Block, positions: range, run: Run) -> None:
        """Sort events into kinds."""
        assert self.program is not None
        own, keyed = self.program.own, self.program.keyed
        events, found = [], []
        for event, meta, row in self._read(block, positions, run):
            events.append(event)
            found.append((meta, row))
        portion.found.extend(map(itemgetter(POSITION), events))
        self.program.per_event.run(events, run.now)
        if len(self._kinds) > MOST_KINDS:
            self._kinds.clear()
        fresh: list[tuple[Kind, Row]] = []
        sorted_out: list[tuple[Kind, Event]] = []
        for event, (meta, row) in zip(events, found):
            of_event = event.get
            key = (id(meta), tuple(row.items()), *map(of_event, keyed))
            try:
                kind = self._kinds.get(key)
            except TypeError:  # a multivalue is no key
                key = tuple(map(repr, key))
                kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = Kind()
                row.update(meta)
                row.update((name, event[name]) for name in keyed if name in event)
                row[POSITION] = len(fresh)
                fresh.append((kind, row))
            sorted_out.append((kind, (event[POSITION], *map(of_event, own))))
        self._compute(fresh, run)
        for kind, own_fields in sorted_out:
            if kind.row is not None:
                portion.kinds.setdefault(kind, []).append(own_fields)

    def _read(self, block: Block, positions: range, run: Run) -> Iterator[tuple[Row, dict[str, str], Row]]:
        """Of each event that the source search finds: what the assignments per event read, its metadata and what it
        may share with others."""
        assert self.program is not None
        what = self.program
        expression, picker = self.source.expression, what.picker
        needs_raw, needs_index_time = "_raw" in what.own_meta, "_indextime" in what.own_meta
        for n, raw, meta, rest in run.engine.found(expression, block, positions):
            row = fields_of_raw(raw, picker) if picker is not None else {}
            if rest is not EVERYTHING and not rest.test({**row, "_raw": raw.decode("utf-8", "replace")}):
                continue
            event: Row = {POSITION: n, "_time": tidy(block.times[n])}
            if needs_raw:
                event["_raw"] = raw.decode("utf-8", "replace")
            if needs_index_time:
                event["_indextime"] = tidy(block.indextimes[n])
            for name in what.unshared:
                if name in row:
                    event[name] = row.pop(name)
            for name in what.shared:
                if name in meta:
                    event[name] = meta[name]
                elif name in row:
                    event[name] = row[name]
            yield event, meta, row

    def _compute(self, kinds: list[tuple[Kind, Row]], run: Run) -> None:
        """What the leading part makes of new kinds."""
        assert self.program is not None
        rows = [row for _, row in kinds]
        for step in self.program.per_kind:
            rows = step.run(rows, run.now) if isinstance(step, EvalLoop) else step.run(rows, run)
        for row in rows:
            kinds[row[POSITION]][0].row = {name: row[name] for name in self.program.kept if name in row}
