"""Row-wise commands that read text: rex, spath, regex.

Documentation pages: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Rex, …/Spath, …/Regex
"""

from __future__ import annotations

import itertools
import re
from typing import Any, Callable, Collection, Optional

from lab.errors import SplError
from lab.spl import jsonfields
from lab.spl.command import Command, Run, Wanted, extend
from lab.spl.evalparse import Call, Field, Literal, Node
from lab.spl.functions import add_function, expand_template
from lab.spl.regex import compile_regex
from lab.spl.text import ArgTokens, Segment
from lab.spl.values import Row, members, multivalue, text


class Rex(Command):
    """`rex [field=f] [max_match=n] "regex"` and `mode=sed "s/…/…/g"`."""

    name = "rex"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "rex")
        options = tokens.options("field", "mode", "max_match", "offset_field")
        if "offset_field" in options:
            raise tokens.error("offset_field is not supported by the lab.")
        pattern = tokens.take()
        options.update(tokens.options("field", "mode", "max_match"))
        tokens.done()
        if not pattern.quoted:
            raise SplError("rex: put the regular expression in double quotes.", position=pattern.position)
        self.field = options.get("field", "_raw")
        self.sed = options.get("mode") == "sed"
        if "mode" in options and not self.sed:
            raise SplError("rex: mode must be sed.", position=segment.args_position)
        self.max_match = tokens.whole(options, "max_match", 1)
        try:
            if self.sed:
                self._change = _sed(pattern.text)
                self.groups: list[str] = []
            else:
                self._regex = compile_regex(pattern.text)
                self.groups = list(self._regex.groupindex)
        except SplError as error:
            error.position = pattern.position
            raise
        if not self.sed and not self.groups:
            raise SplError("rex: the regular expression has no named group (?<name>…).", position=pattern.position)
        self._active = True
        self._pattern = pattern.text

    def assignments(self) -> Optional[list[tuple[str, Node]]]:
        """What it does as assignments of eval; None where it changes its field."""
        if self.sed:
            return None
        found = [
            Call(FOUND, (Field(self.field), Literal(self._pattern), Literal(group), Literal(self.max_match)))
            for group in self.groups
        ]
        return [(group, Call("coalesce", (node, Field(group)))) for group, node in zip(self.groups, found)]

    def touched(self, names: Collection[str]) -> Collection[str]:
        return {self.field, *self.groups}.intersection(names)

    def bind(self, wanted: Wanted) -> Wanted:
        if wanted is None:
            return None
        self._active = self.sed or any(g in wanted for g in self.groups)
        return wanted | {self.field} if self._active else wanted

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, self.groups)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if not self._active:
            return rows
        for row in rows:
            value = row.get(self.field)
            if value is None:
                continue
            if self.sed:
                row[self.field] = multivalue(self._change(text(v)) for v in members(value))
            else:
                self._extract(row, value)
        return rows

    def _extract(self, row: Row, value: Any) -> None:
        found: dict[str, list[str]] = {}
        for member in members(value):
            for count, match in enumerate(self._regex.finditer(text(member)), 1):
                for group, part in match.groupdict().items():
                    if part is not None:
                        found.setdefault(group, []).append(part)
                if self.max_match and count >= self.max_match:
                    break
        for group, parts in found.items():
            row[group] = multivalue(parts)


FOUND = "\0rex"
"""The function of eval, which no search can name, that gives what a group of a regular expression matches."""


@add_function(FOUND, 4)
def _found(value: Any, pattern: str, group: str, most: int) -> Any:
    search = compile_regex(pattern)
    parts = []
    for member in members(value):
        matches = search.finditer(text(member))
        parts += [match[group] for match in itertools.islice(matches, most or None) if match[group] is not None]
    return multivalue(parts)


def _sed(script: str) -> Callable[[str], str]:
    """``s/regex/replacement/flags`` (g or a number) or ``y/abc/xyz/``."""
    if len(script) < 4 or script[0] not in "sy":
        raise SplError("rex mode=sed: expected s/regex/replacement/flags or y/from/to/.")
    parts = re.split(r"(?<!\\)" + re.escape(script[1]), script[2:])
    if len(parts) != 3:
        raise SplError("rex mode=sed: expected three parts, such as s/regex/replacement/g.")
    left, right, flags = (p.replace("\\" + script[1], script[1]) for p in parts)
    if script[0] == "y":
        table = str.maketrans(left, right)
        return lambda s: s.translate(table)
    if flags not in ("", "g"):
        raise SplError(f"rex mode=sed: flag '{flags}' is not supported by the lab (only g).")
    regex = compile_regex(left)
    return lambda s: regex.sub(lambda m: expand_template(m, right), s, count=0 if flags == "g" else 1)


class Spath(Command):
    """`spath [input=f] [output=g] [path=p]`. Without a path all fields of the (first 5,000 bytes of) input."""

    name = "spath"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "spath")
        options = tokens.options("input", "output", "path")
        bare = tokens.peek()
        if bare is not None and "path" not in options:
            options["path"] = tokens.take().text
            options.update(tokens.options("input", "output"))
        tokens.done()
        self.input = options.get("input", "_raw")
        self.path = options.get("path")
        self.output = options.get("output", self.path)
        if self.path is None and "output" in options:
            raise SplError("spath: output= needs path=.", position=segment.args_position)
        self._find = jsonfields.compile_path(self.path) if self.path else None
        self._active = True

    def bind(self, wanted: Wanted) -> Wanted:
        if wanted is None or self._find is None:
            return None
        self._active = self.output in wanted
        return wanted | {self.input} if self._active else wanted

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, [self.output] if self.output else [])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if not self._active:
            return rows
        for row in rows:
            value = row.get(self.input)
            if value is None:
                continue
            if self._find is not None:
                found = [v for m in members(value) for v in self._find(jsonfields.parse(text(m)))]
                if found:
                    row[str(self.output)] = multivalue(map(jsonfields.json_text, found))
                continue
            document = jsonfields.parse_beginning(text(value))
            row.update(jsonfields.flatten_row(document))
        return rows


class Regex(Command):
    """`regex field="…"` / `field!="…"`: keep rows whose field matches. `!=` also keeps rows without the field."""

    name = "regex"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        match = re.match(
            r"(?:(?P<field>[^\s=!\"]+)\s*(?P<op>!?=)\s*)?(?P<quoted>\"(?:[^\"\\]|\\.)*\")\s*\Z",
            segment.args,
            re.DOTALL,
        )
        if match is None:
            raise SplError('regex: expected field="…" or field!="…".', position=segment.args_position)
        self.field = match["field"] or "_raw"
        self.negative = match["op"] == "!="
        token = ArgTokens(match["quoted"], segment.args_position, "regex").take()
        self._search = compile_regex(token.text).search

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, [self.field])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        def found(row: Row) -> bool:
            return any(self._search(text(m)) is not None for m in members(row.get(self.field)))

        return [r for r in rows if found(r) is not self.negative]
