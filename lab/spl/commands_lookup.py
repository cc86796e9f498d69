"""lookup, inputlookup, outputlookup.

Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Lookup, …/Inputlookup, …/Outputlookup
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Collection, Mapping, Optional

from lab.errors import SplError
from lab.spl.command import POSITION, Command, Run, Wanted, extend
from lab.spl.searchexpr import Comparison, Expression, parse_search, parts_of, uses
from lab.spl.text import ArgTokens, Segment
from lab.spl.values import Row, members, multivalue, number

if TYPE_CHECKING:
    from lab.lookups import Lookup
    from lab.spl.engine import Engine


NUMBERS = ("number", "time")
"""Types of fields in collections.conf that hold numbers."""


class LookupCommand(Command):
    """`lookup <name> <field> [AS <event field>] … [OUTPUT|OUTPUTNEW <field> [AS <event field>] …]`."""

    name = "lookup"
    row_wise = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "lookup")
        options = tokens.options("local", "update")
        if options.get("update", "false").lower() not in ("false", "f", "0"):
            raise tokens.error("update=true is not supported by the lab.")
        self.table = tokens.take().text
        self.match: list[tuple[str, str]] = []
        self.output: Optional[list[tuple[str, str]]] = None
        self.only_new = False
        while tokens.peek() is not None:
            word = tokens.accept("output", "outputnew")
            if word is not None:
                if self.output is not None:
                    raise tokens.error("OUTPUT and OUTPUTNEW may stand only once.")
                self.output = []
                self.only_new = word.text.lower() == "outputnew"
                continue
            if tokens.accept(","):
                continue
            name = tokens.take().text
            event = tokens.take().text if tokens.accept("as") else name
            (self.match if self.output is None else self.output).append((name, event))
        if not self.match:
            raise tokens.error("expected the field to look up.")
        if self.output == []:
            raise tokens.error("OUTPUT needs at least one field.")

    def bind(self, wanted: Wanted) -> Wanted:
        if wanted is None or self.output is None:
            return None
        outputs = {event for _, event in self.output}
        return (wanted if self.only_new else wanted - outputs) | {event for _, event in self.match}

    def touched(self, names: Collection[str]) -> Collection[str]:
        if self.output is None:
            return names
        return {event for _, event in self.match + self.output if event in names}

    def is_detached(self, engine: Engine) -> bool:
        return not engine.lookups.find(self.table).collection

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, [event for _, event in self.output]) if self.output is not None else None

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        tables = run.lookups
        lookup = tables.find(self.table)
        header = tables.header(lookup)
        known = {*header, "_key"} if lookup.collection else set(header)
        for name, _ in self.match + (self.output or []):
            if name not in known:
                raise SplError(
                    f"lookup '{self.table}' has no field '{name}'. It has: {', '.join(header) or 'none'}.",
                    position=self.position,
                )
        matched = [name for name, _ in self.match]
        outputs = self.output if self.output is not None else [(h, h) for h in header if h not in matched]
        find = tables.matcher(lookup, tuple(matched), {})
        events = [event for _, event in self.match]
        filled: dict[tuple[Any, ...], list[tuple[str, Any]]] = {}
        for row in rows:
            if self.only_new and any(event in row for _, event in outputs):
                continue
            values = tuple([row.get(event) for event in events])
            try:
                cells = filled[values]
            except KeyError:
                cells = filled[values] = _cells(lookup, outputs, [] if None in values else find(values))
            except TypeError:  # a multivalue is no key
                cells = _cells(lookup, outputs, [] if None in values else find(values))
            for event, value in cells:
                if value is not None:
                    row[event] = value
                else:
                    row.pop(event, None)
        return rows


def _cells(lookup: Lookup, outputs: list[tuple[str, str]], found: list[Row]) -> list[tuple[str, Any]]:
    """What an event gets from the rows found for it: field and value, None for null."""
    cells: list[tuple[str, Any]] = []
    missing = lookup.min_matches - len(found)
    for name, event in outputs:
        held: list[Any] = [m for f in found for m in members(f.get(name)) if m != ""]
        if missing > 0 and lookup.default_match:
            held.extend([lookup.default_match] * missing)
        cells.append((event, held[0] if len(held) == 1 else multivalue(held)))
    return cells


class Inputlookup(Command):
    """`inputlookup [append=b] [start=n] [max=n] <name> [where <search expression>]`."""

    name = "inputlookup"
    generating = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "inputlookup")
        options = tokens.options("append", "start", "max", "strict")
        self.table = tokens.take().text
        options.update(tokens.options("append", "start", "max", "strict"))
        self.append = options.get("append", "f").lower() in ("t", "true", "1")
        self.generating = not self.append
        self.start = tokens.whole(options, "start", 0)
        self.most = tokens.whole(options, "max", 1_000_000_000)
        self.where = None
        token = tokens.peek()
        if token is not None:
            where = tokens.expect("where")
            begin = where.position - segment.args_position + len("where")
            self.where = parse_search(segment.args[begin:], segment.args_position + begin)
            if "IN" in uses(segment.args[begin:]):
                raise self._refused("its filter takes comparisons with AND, OR and NOT, and not IN")

    def bind(self, wanted: Wanted) -> Wanted:
        return wanted

    def is_detached(self, engine: Engine) -> bool:
        return False

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        lookup = run.lookups.find(self.table)
        if self.where is not None and lookup.collection:
            self._check_types(self.where, run.lookups.types(lookup))
        found = []
        for row in run.lookups.rows(lookup):
            row = {k: v for k, v in row.items() if v != "" and k != "_key"}
            if self.where is None or self.where.test(row):
                found.append(row)
        return rows + found[self.start : self.start + self.most]

    def _check_types(self, where: Expression, types: Mapping[str, str]) -> None:
        """A filter on a KV store collection is answered by the KV store, which has values of types. It works on fields
        whose type collections.conf says, and takes a number for a number there (example 4 of
        https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/inputlookup)."""
        for part in parts_of(where):
            if not isinstance(part, Comparison) or types.get(part.field) in NUMBERS:
                continue
            if part.field not in types:
                raise self._refused(
                    f"the type of {part.field} is not in collections.conf, so a filter on it finds nothing"
                )
            literal = next((word for word in part.literals if number(word) is not None), None)
            if literal is not None:
                raise self._refused(f"{part.field} holds texts, and {literal} is a number")

    def _refused(self, reason: str) -> SplError:
        return SplError(f"inputlookup: {reason}. Filter after it, with | where or | search.", position=self.position)


class Outputlookup(Command):
    """`outputlookup [append=b] [key_field=f] [override_if_empty=b] <name>`: writes and passes the rows on."""

    name = "outputlookup"

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "outputlookup")
        names = (
            "append",
            "key_field",
            "override_if_empty",
            "create_empty",
            "createinapp",
            "max",
            "output_format",
        )
        options = tokens.options(*names)
        self.table = tokens.take().text
        options.update(tokens.options(*names))
        tokens.done()
        for name in ("max", "output_format"):
            if name in options:
                raise tokens.error(f"{name} is not supported by the lab.")
        self.append = options.get("append", "f").lower() in ("t", "true", "1")
        self.key_field = options.get("key_field")
        self.override = options.get("override_if_empty", "t").lower() in ("t", "true", "1")

    def is_detached(self, engine: Engine) -> bool:
        return False

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if rows or (self.override and not self.append):
            lookup = run.lookups.find(self.table)
            run.lookups.write(
                lookup,
                [{k: v for k, v in r.items() if k != POSITION} for r in rows],
                self.append,
                self.key_field,
            )
        return rows
