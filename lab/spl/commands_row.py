"""Row-wise commands: search, where, eval, rename, fields, fillnull, mvexpand.

Documentation pages of each: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/<Command>
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Collection, Optional

from lab.errors import SplError
from lab.spl import evalcompile
from lab.spl.command import POSITION, Command, NamePattern, Run, Wanted, extend
from lab.spl.evalparse import EvalParser, Node, fields_of
from lab.spl.memo import EvalLoop
from lab.spl.rawpaths import Arrays, array_of, rewritten
from lab.spl.searchexpr import Everything, Expression, parse_base, parse_search
from lab.spl.text import ArgTokens, Segment
from lab.spl.values import Row

INTERNAL = ("_time", "_raw", "_indextime")


class Search(Command):
    """`search <expression>` as a filter."""

    name = "search"
    row_wise = pure = True

    def __init__(self, segment: Segment, expression: Optional[Expression] = None) -> None:
        super().__init__(segment.position)
        self.expression = expression or parse_search(segment.args, segment.args_position)
        self.reads = frozenset(self.expression.fields())

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, self.reads)

    def touched(self, names: Collection[str]) -> Collection[str]:
        return self.reads.intersection(names)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if isinstance(self.expression, Everything):
            return rows
        test = self.expression.test
        return [r for r in rows if test(r)]


class Source(Search):
    """The search a pipeline begins with: the engine gives it its events. `text` is without its time modifiers."""

    def __init__(self, segment: Segment) -> None:
        base = parse_base(segment.args, segment.args_position)
        super().__init__(segment, base.expression)
        self.modifiers = base.modifiers
        self.text = base.text


class Where(Command):
    name = "where"
    row_wise = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        parser = EvalParser(segment.args, segment.args_position, "where")
        node = parser.expression()
        parser.end()
        if not evalcompile.is_boolean(node):
            raise SplError("where: the expression must be a condition.", position=segment.args_position)
        self.pure = evalcompile.is_pure(node)
        self._set(node)

    def _set(self, node: Node) -> None:
        self.node = node
        self.reads = frozenset(fields_of(node))
        self._filter = evalcompile.compile_condition(node)

    def take_paths(self, arrays: Arrays) -> None:
        """See lab.spl.rawpaths."""
        self._set(rewritten(self.node, arrays))

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, self.reads)

    def touched(self, names: Collection[str]) -> Collection[str]:
        return self.reads.intersection(names)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return self._filter(rows, run.now)


class Eval(Command):
    """`eval a=…, b=…`: assignments in order, later ones see earlier ones. A null result removes the field."""

    name = "eval"
    row_wise = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        self.assignments = _assignments(segment.args, segment.args_position)
        self.pure = all(evalcompile.is_pure(node) for _, node, _ in self.assignments)
        self._loop = EvalLoop([(n, e) for n, e, _ in self.assignments])

    def take_paths(self, arrays: Arrays) -> None:
        """See lab.spl.rawpaths. `arrays` are those known so far."""
        changed: list[tuple[str, Node, int]] = []
        for name, node, position in self.assignments:
            changed.append((name, rewritten(node, arrays), position))
            arrays.pop(name, None)
            array = array_of(node)
            if array is not None:
                arrays[name] = array
        self.assignments = changed
        self._loop = EvalLoop([(n, e) for n, e, _ in changed])

    def bind(self, wanted: Wanted) -> Wanted:
        if wanted is None:
            return None
        kept: list[tuple[str, Node]] = []
        need = set(wanted)
        for name, node, _ in reversed(self.assignments):
            if name not in need:
                continue
            kept.append((name, node))
            need.discard(name)
            need |= fields_of(node)
        self._loop = EvalLoop(kept[::-1])
        return frozenset(need)

    def touched(self, names: Collection[str]) -> Collection[str]:
        return {f for name, node in self._loop.assignments for f in (name, *fields_of(node)) if f in names}

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, [n for n, _, _ in self.assignments])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return self._loop.run(rows, run.now)


@lru_cache(maxsize=1024)
def _assignments(text: str, position: int) -> list[tuple[str, Node, int]]:
    """The assignments of an `eval`, checked. A search is compiled again for each way of running it."""
    found = EvalParser(text, position, "eval").assignments()
    for name, node, place in found:
        if evalcompile.is_boolean(node):
            raise SplError(
                f'eval: field \'{name}\' cannot be assigned a boolean. Use if(…, "true", "false").', position=place
            )
        evalcompile.check(node)
    return found


class Rename(Command):
    """`rename a AS b, c* AS d*`."""

    name = "rename"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "rename")
        self.pairs: list[tuple[NamePattern, str]] = []
        while tokens.peek() is not None:
            if self.pairs:
                tokens.accept(",")
            old = tokens.take().text
            tokens.expect("as")
            new = tokens.take().text
            if old.count("*") != new.count("*"):
                raise tokens.error(f"'{old}' and '{new}' must have the same number of wildcards.")
            self.pairs.append((NamePattern(old), new))
        if not self.pairs:
            raise tokens.error("expected <field> AS <field>.")

    def bind(self, wanted: Wanted) -> Wanted:
        if wanted is None or any(p.wild for p, _ in self.pairs):
            return None
        need = set(wanted)
        for pattern, new in reversed(self.pairs):
            if new in need:
                need.discard(new)
                need.add(pattern.pattern)
            else:
                need.discard(pattern.pattern)
        return frozenset(need)

    def touched(self, names: Collection[str]) -> Collection[str]:
        if any(p.wild for p, _ in self.pairs):
            return names
        return {name for pattern, new in self.pairs for name in (pattern.pattern, new) if name in names}

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        if before is None:
            return None
        names = {n: self._new_name(n) for n in before}
        taken = {new for old, new in names.items() if old != new}
        return [new for old, new in names.items() if old != new or old not in taken]

    def _new_name(self, name: str) -> str:
        for pattern, new in self.pairs:
            match = pattern.matches(name)
            if match is True or (pattern.wild and match is not None):
                return _fill(pattern.pattern, new, name) if pattern.wild else new
        return name

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if all(not p.wild for p, _ in self.pairs):
            pairs = [(p.pattern, new) for p, new in self.pairs]
            for row in rows:
                for old, new in pairs:
                    if old in row:
                        row[new] = row.pop(old)
                    else:
                        row.pop(new, None)
            return rows
        out: list[Row] = []
        for row in rows:
            changed: Row = {}
            moved: Row = {}
            for key, value in row.items():
                new = key if key == POSITION else self._new_name(key)
                (changed if new == key else moved)[new] = value
            changed.update(moved)
            out.append(changed)
        return out


def _fill(pattern: str, new: str, name: str) -> str:
    """``a*c`` → ``x*z`` for name abc gives xbz."""
    match = re.match(re.escape(pattern).replace(r"\*", "(.*)") + r"\Z", name, re.DOTALL)
    parts = list(match.groups()) if match else []
    return "".join(parts.pop(0) if c == "*" and parts else c for c in new)


class Fields(Command):
    """`fields [+|-] a, b*`. Keeping fields keeps _time and _raw too unless they are removed by name."""

    name = "fields"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        args = segment.args.strip()
        self.remove = args.startswith("-")
        body = args[1:] if args[:1] in ("-", "+") else args
        names = ArgTokens(body, segment.args_position + len(args) - len(body), "fields").field_list()
        if not names:
            raise SplError("fields: expected field names.", position=segment.args_position)
        self.names = [NamePattern(n) for n in names]
        self._plain = frozenset(names)
        self._wild = any(p.wild for p in self.names)

    def matches(self, name: str) -> bool:
        return name in self._plain or (self._wild and any(p.wild and p.matches(name) is not None for p in self.names))

    def bind(self, wanted: Wanted) -> Wanted:
        if self.remove:
            return wanted
        if wanted is not None:
            return frozenset(n for n in wanted if self.matches(n) or n in INTERNAL)
        return None if self._wild else self._plain | frozenset(INTERNAL)

    def touched(self, names: Collection[str]) -> Collection[str]:
        return [name for name in names if not self._keeps(name)]

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        if self.remove:
            return None if before is None else [n for n in before if not self.matches(n)]
        if before is None:
            return None if self._wild else [p.pattern for p in self.names]
        if not self._wild:
            return [p.pattern for p in self.names if p.pattern in before] or None
        return [n for n in before if self.matches(n)]

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        drops: dict[tuple[str, ...], list[str]] = {}
        for row in rows:
            shape = tuple(row)
            drop = drops.get(shape)
            if drop is None:
                drop = drops[shape] = [name for name in shape if not self._keeps(name)]
            for name in drop:
                del row[name]
        return rows

    def _keeps(self, name: str) -> bool:
        if name == POSITION:
            return True
        return not self.matches(name) if self.remove else self.matches(name) or name in INTERNAL


class Fillnull(Command):
    """`fillnull [value=v] [fields]`; without fields every field seen in any row, which needs all rows."""

    name = "fillnull"

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "fillnull")
        self.value = tokens.options("value").get("value", "0")
        self.names = tokens.field_list()
        self.row_wise = self.pure = bool(self.names)

    def bind(self, wanted: Wanted) -> Wanted:
        return wanted

    def touched(self, names: Collection[str]) -> Collection[str]:
        return [name for name in self.names if name in names]

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, self.names)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        names = self.names or list(
            dict.fromkeys(k for row in rows for k in row if k != POSITION and not k.startswith("_"))
        )
        value = self.value
        for row in rows:
            for name in names:
                if name not in row:
                    row[name] = value
        return rows


class Mvexpand(Command):
    """`mvexpand field [limit=n]`: one row per member; rows without the field pass unchanged."""

    name = "mvexpand"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "mvexpand")
        self.field = tokens.take().text
        self.limit = tokens.whole(tokens.options("limit"), "limit", 0)
        tokens.done()

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, [self.field])

    def touched(self, names: Collection[str]) -> Collection[str]:
        return {self.field}.intersection(names)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        out: list[Row] = []
        for row in rows:
            value = row.get(self.field)
            if type(value) is not list:
                out.append(row)
                continue
            for member in value[: self.limit or None]:
                out.append({**row, self.field: member})
        return out
