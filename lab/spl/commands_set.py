"""Commands over the whole set of rows: table, head, dedup, sort, bin, addinfo, makeresults, append, multisearch …"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Collection, Optional

from lab.errors import SplError
from lab.spl import jsonfields, times
from lab.spl.command import POSITION, Command, NamePattern, Run, Wanted, extend
from lab.spl.text import ArgTokens, Segment
from lab.spl.values import Row, number, sort_key, text, tidy

if TYPE_CHECKING:
    from lab.spl.engine import Engine
    from lab.spl.plan import Plan

SORT_LIMIT = 10_000


class Table(Command):
    """`table a b*`: exactly these fields in this order."""

    name = "table"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        self.names = ArgTokens(segment.args, segment.args_position, "table").field_list()
        if not self.names:
            raise SplError("table: expected field names.", position=segment.args_position)
        self._patterns = [NamePattern(n) for n in self.names]
        self._wild = any(p.wild for p in self._patterns)

    def bind(self, wanted: Wanted) -> Wanted:
        return None if self._wild else frozenset(self.names)

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return None if self._wild else list(dict.fromkeys(self.names))

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if not self._wild:
            keep = [*self.names, POSITION]
            return [{n: row[n] for n in keep if n in row} for row in rows]
        out = []
        for row in rows:
            kept: Row = {POSITION: row[POSITION]} if POSITION in row else {}
            for pattern in self._patterns:
                for name, value in row.items():
                    if name != POSITION and (
                        pattern.matches(name) if not pattern.wild else pattern.matches(name) is not None
                    ):
                        kept[name] = value
            out.append(kept)
        return out


class Head(Command):
    """`head [n | limit=n]` (10)."""

    name = "head"
    ordered = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, self.name)
        word = tokens.option("limit") or (tokens.take().text if tokens.peek() else "10")
        tokens.done()
        if not word.isdigit():
            raise SplError(f"{self.name}: expected a whole number, not '{word}'.", position=segment.args_position)
        self.count = int(word)

    def bind(self, wanted: Wanted) -> Wanted:
        return wanted

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return rows[: self.count]


class Tail(Head):
    """`tail n`: the last n rows, last first."""

    name = "tail"

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return rows[: -self.count - 1 : -1] if self.count else []


class Dedup(Command):
    """`dedup [n] a b [keepevents=b] [keepempty=b] [consecutive=b]`: the first n rows per combination of values."""

    name = "dedup"
    ordered = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "dedup")
        self.count = 1
        first = tokens.peek()
        if first is not None and first.text.isdigit() and not first.quoted:
            self.count = int(tokens.take().text)
        self.names: list[str] = []
        options: dict[str, str] = {}
        while (token := tokens.peek()) is not None:
            if tokens.accept(","):
                continue
            found = tokens.options("keepevents", "keepempty", "consecutive")
            options.update(found)
            if not found:
                if token.text.lower() == "sortby":
                    raise tokens.error("sortby is not supported by the lab. Use `| sort … | dedup …`.")
                self.names.append(tokens.take().text)
        if not self.names or self.count < 1:
            raise tokens.error("expected field names.")
        self.keepempty = _flag(options.get("keepempty"))
        self.keepevents = _flag(options.get("keepevents"))
        self.consecutive = _flag(options.get("consecutive"))

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, self.names)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        seen: dict[tuple[str, ...], int] = {}
        out: list[Row] = []
        previous: Optional[tuple[str, ...]] = None
        for row in rows:
            values = [row.get(n) for n in self.names]
            if None in values:
                if self.keepempty:
                    out.append(row)
                continue
            key = tuple(map(text, values))
            if self.consecutive and key != previous:
                seen.clear()
            previous = key
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= self.count:
                out.append(row)
            elif self.keepevents:
                out.append({k: v for k, v in row.items() if k not in self.names})
        return out


def _flag(word: Optional[str]) -> bool:
    if word is None or word.lower() in ("f", "false", "0"):
        return False
    if word.lower() in ("t", "true", "1"):
        return True
    raise SplError(f"'{word}' is not true or false.")


class Sort(Command):
    """`sort [n] [+|-]field …`: 10,000 rows unless n is given; 0 means all. Rows without the field come last."""

    name = "sort"

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "sort")
        self.limit = SORT_LIMIT
        limit = tokens.option("limit")
        first = tokens.peek()
        if limit is None and first is not None and first.text.isdigit():
            limit = tokens.take().text
        if limit is not None:
            self.limit = tokens.whole({"limit": limit}, "limit", 0)
        self.keys: list[tuple[str, bool, str]] = []
        descending = False
        sign = ""
        while (token := tokens.peek()) is not None:
            tokens.take()
            if token.text == "," and not token.quoted:
                continue
            word = token.text
            if not token.quoted and word in ("+", "-"):
                sign = word
                continue
            if not token.quoted and word[0] in "+-":
                sign, word = word[0], word[1:]
            how = "auto"
            if not token.quoted and tokens.accept("("):
                how, word = word.lower(), tokens.take().text
                tokens.expect(")")
                if how not in ("auto", "num", "str"):
                    raise tokens.error(f"'{how}(…)' is not supported by the lab (auto, num, str).")
            if word.lower() in ("d", "desc") and tokens.peek() is None and self.keys:
                descending = True
                continue
            self.keys.append((word, sign == "-", how))
            sign = ""
        if not self.keys:
            raise tokens.error("expected field names.")
        if descending:
            self.keys = [(n, not down, how) for n, down, how in self.keys]

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, [n for n, _, _ in self.keys])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        out = list(rows)
        for name, down, how in reversed(self.keys):
            having = [r for r in out if name in r]
            lacking = [r for r in out if name not in r]
            of_value: Callable[[Any], Any] = text if how == "str" else sort_key
            having.sort(key=lambda r, n=name, f=of_value: f(r[n]), reverse=down)  # type: ignore[misc]
            out = having + lacking
        return out[: self.limit] if self.limit else out


class Bin(Command):
    """`bin span=15m _time [AS f]`: the start of the span a time falls into. Only fixed spans (also `bucket`)."""

    name = "bin"
    row_wise = pure = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, self.name)
        options = tokens.options("span")
        self.field = tokens.take().text
        options.update(tokens.options("span"))
        self.output = tokens.take().text if tokens.accept("as") else self.field
        options.update(tokens.options("span"))
        tokens.done()
        if "span" not in options or self.field != "_time":
            raise SplError("bin: only bin span=… _time is supported by the lab.", position=segment.args_position)
        self.span = times.span_seconds(options["span"])

    def bind(self, wanted: Wanted) -> Wanted:
        return None if wanted is None else (wanted - {self.output}) | {self.field} if self.output in wanted else wanted

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, [self.output])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        for row in rows:
            n = number(row.get(self.field))
            if n is None:
                continue
            row[self.output] = tidy(times.span_start(n, self.span))
        return rows


class Xyseries(Command):
    """`xyseries x name data`: a row per value of x, a column per value of name with what data held. With one data field
    only, and one row for each pair of x and name."""

    name = "xyseries"

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, self.name)
        self.x, self.label, self.data = (tokens.take().text for _ in range(3))
        tokens.done()

    def bind(self, wanted: Wanted) -> Wanted:
        return frozenset({self.x, self.label, self.data})

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return None

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        series: dict[str, Row] = {}
        for row in rows:
            if self.x not in row or self.label not in row:
                raise SplError("xyseries: a row lacks the x field or the name field.", position=self.position)
            x, label = text(row[self.x]), text(row[self.label])
            out = series.setdefault(x, {self.x: row[self.x]})
            if label in out:
                raise SplError(f"xyseries: {x} has more than one {label}.", position=self.position)
            if self.data in row:
                out[label] = row[self.data]
        return list(series.values())


class Addinfo(Command):
    """`addinfo`: info_min_time, info_max_time (epoch; 0.000 and +Infinity when open), info_sid, info_search_time."""

    name = "addinfo"
    row_wise = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        ArgTokens(segment.args, segment.args_position, self.name).done()

    FIELDS = ("info_min_time", "info_max_time", "info_sid", "info_search_time")

    def bind(self, wanted: Wanted) -> Wanted:
        return None if wanted is None else wanted - {*self.FIELDS}

    def touched(self, names: Collection[str]) -> Collection[str]:
        return {*self.FIELDS}.intersection(names)

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, self.FIELDS)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        window = run.window
        info = {
            "info_min_time": "0.000" if window.earliest is None else f"{window.earliest:.3f}",
            "info_max_time": "+Infinity" if window.latest is None else f"{window.latest:.3f}",
            "info_sid": run.sid,
            "info_search_time": f"{window.now:.3f}",
        }
        for row in rows:
            row.update(info)
        return rows


class Makeresults(Command):
    """`makeresults [count=n] [format=json|csv data="…"]`: rows with _time = now (count) or the rows of `data`."""

    name = "makeresults"
    generating = True

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        tokens = ArgTokens(segment.args, segment.args_position, "makeresults")
        options = tokens.options("count", "format", "data", "annotate")
        tokens.done()
        self.count = tokens.whole(options, "count", 1)
        self.data: Optional[list[Any]] = None
        if _flag(options.get("annotate")):
            raise SplError("makeresults: annotate is not supported by the lab.", position=segment.args_position)
        if "data" in options:
            if options.get("format") != "json":
                raise SplError("makeresults: only format=json is supported by the lab.", position=segment.args_position)
            try:
                self.data = jsonfields.loads_exact(options["data"])
            except json.JSONDecodeError as problem:
                raise SplError(f"makeresults: data is not JSON ({problem}).", position=segment.args_position) from None
            if not isinstance(self.data, list) or not all(isinstance(d, dict) for d in self.data):
                raise SplError("makeresults: data must be a JSON array of objects.", position=segment.args_position)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if self.data is None:
            return [{"_time": tidy(run.now)} for _ in range(self.count)]
        out: list[Row] = []
        for record in self.data:
            if any(isinstance(value, (dict, list)) or value is None for value in record.values()):
                raise SplError(
                    "makeresults: the lab takes texts, numbers and booleans as data only.",
                    position=self.position,
                )
            out.append({name: jsonfields.json_text(value) for name, value in record.items()})
        return out


class Multisearch(Command):
    """`multisearch [search …] [search …]`: the events of at least two row-wise searches, newest first."""

    name = "multisearch"
    generating = True

    def __init__(self, segment: Segment, plans: list[Plan]) -> None:
        super().__init__(segment.position)
        if len(plans) < 2:
            raise SplError("multisearch needs at least two subsearches.", position=segment.position)
        for plan in plans:
            for command in plan.commands:
                if not command.row_wise:
                    raise SplError(
                        f"multisearch: '{command.name}' is not a streaming command.",
                        position=command.position,
                    )
            if plan.source is None:
                raise SplError("multisearch: a subsearch must start with an event search.", position=segment.position)
            if plan.subsearches is not None or plan.source.modifiers:
                raise SplError(
                    "multisearch: the lab knows neither subsearches nor time modifiers in its searches.",
                    position=plan.source.position,
                )
        self.plans = plans

    def bind_plans(self, wanted: Wanted, ordered: bool, grouped: Wanted) -> None:
        for plan in self.plans:
            plan.bind(wanted, ordered, grouped)

    def is_detached(self, engine: Engine) -> bool:
        return all(command.is_detached(engine) for plan in self.plans for command in plan.commands)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        for plan in self.plans:
            rows = rows + plan.run(run) if rows else plan.run(run)
        if any(plan.ordered for plan in self.plans):
            rows.sort(key=lambda r: number(r.get("_time")) or 0, reverse=True)
        return rows


class Append(Command):
    """`append [subsearch]`: its rows after the others; at most 50,000."""

    name = "append"
    MAXOUT = 50_000

    def __init__(self, segment: Segment, plans: list[Plan]) -> None:
        super().__init__(segment.position)
        if len(plans) != 1:
            raise SplError("append takes one [subsearch].", position=segment.position)
        self.plan = plans[0]
        self.plan.bind(None, True)

    def bind(self, wanted: Wanted) -> Wanted:
        return wanted

    def is_detached(self, engine: Engine) -> bool:
        return False

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return rows + self.plan.run(run.of_subsearch())[: self.MAXOUT]


class Appendpipe(Command):
    """`appendpipe [run_in_preview=b] [subpipeline]`: what the subpipeline makes of the rows, after them."""

    name = "appendpipe"
    ordered = True

    def __init__(self, segment: Segment, plan: Plan) -> None:
        super().__init__(segment.position)
        self.plan = plan

    def bind(self, wanted: Wanted) -> Wanted:
        needed = self.plan.bind(wanted, True)
        return None if wanted is None or needed is None else wanted | needed

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        for command in self.plan.commands:
            before = extend(before, command.columns(before) or ()) if before is not None else None
        return before

    def is_detached(self, engine: Engine) -> bool:
        return all(command.is_detached(engine) for command in self.plan.commands)

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return rows + self.plan.run(run, [row.copy() for row in rows])
