"""The commands stats and eventstats.

Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Stats and …/Eventstats
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import Any, Callable, Collection, Iterable, Optional

from lab.errors import SplError
from lab.spl import evalcompile
from lab.spl.aggregations import AGGREGATIONS, Aggregation, aggregation
from lab.spl.command import POSITION, Command, Members, Run, Wanted, extend
from lab.spl.evalparse import Node, fields_of, parse_eval
from lab.spl.text import ArgTokens, Segment
from lab.spl.values import Row, members, sort_key, text


@dataclass
class Term:
    """One `func(field) AS name`. Bare `count` counts rows; `func(eval(expression))` computes its input."""

    function: str
    field: Optional[str]
    node: Optional[Node]
    output: str
    how: Aggregation

    def inputs(self) -> set[str]:
        own = {self.field} if self.field else fields_of(self.node) if self.node else set()
        return own | self.how.reads


_CURRENT = re.compile(r"\s*current\s*=\s*(\w+)", re.I)


class Stats(Command):
    """`stats a(x) AS y, … BY f g`: rows with a null group field are dropped; a multivalue makes a group per member."""

    name = "stats"

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        self.terms, self.by = parse_terms(segment, self.name)
        self.ordered = any(t.how.ordered for t in self.terms)
        self.reads = frozenset(self.by).union(*(t.inputs() for t in self.terms))
        self.grouping = frozenset(self.by).union(*(t.inputs() - {t.field} | t.how.reads for t in self.terms))
        """The fields it reads otherwise than to aggregate them as they are."""
        self._inputs = [_input(t) for t in self.terms]

    def bind(self, wanted: Wanted) -> Wanted:
        return self.reads

    def touched(self, names: Collection[str]) -> Collection[str]:
        return self.grouping.intersection(names)

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return self.by + [t.output for t in self.terms]

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        groups = list(self._group(rows, run.now).values())
        if not self.by and not groups:
            groups = [((), [t.how.start() for t in self.terms])]
        order = _Order()
        if self.by:
            groups.sort(key=lambda group: [order[k] for k in group[0]])
        out: list[Row] = []
        for key, states in groups:
            row = dict(zip(self.by, key))
            for term, state in zip(self.terms, states):
                value = term.how.finish(state)
                if value is not None:
                    row[term.output] = value
            out.append(row)
        return out

    def _group(self, rows: list[Row], now: float) -> dict[tuple[str, ...], tuple[tuple[Any, ...], list[Any]]]:
        """Fold every row into its group(s): the group's values and states by its values' text, in which 5 and "5"
        meet."""
        groups: dict[tuple[str, ...], tuple[tuple[Any, ...], list[Any]]] = {}
        by, terms = self.by, self.terms
        key: tuple[Any, ...]
        steps = [(n, t.field, t.how, get) for n, (get, t) in enumerate(zip(self._inputs, terms))]
        for row in rows:
            get_field = row.get
            values = tuple([get_field(f) for f in by])
            if None in values:
                continue
            members = get_field(POSITION)
            if members.__class__ is not Members:
                members = None
            for key in (values,) if list not in map(type, values) else _explode(values):
                names = tuple([part if part.__class__ is str else text(part) for part in key])
                group = groups.get(names)
                if group is None:
                    group = groups[names] = key, [t.how.start() for t in terms]
                states = group[1]
                for n, field, how, value_of in steps:
                    step, state = how.step, states[n]
                    if members is None:
                        found: Iterable[Any] = (value_of(row, now),)
                    elif field in members.places:
                        found = list(map(itemgetter(members.places[field]), members.events))
                        if how.batch is not None and list not in (kinds := set(map(type, found))):
                            if kinds != {str}:
                                found = [text(value) for value in found if value is not None]
                            states[n] = how.batch(state, found)
                            continue
                    else:
                        found = repeat(value_of(row, now), 1 if how.once else len(members.events))
                    for value in found:
                        if type(value) is list:
                            for member in value:
                                state = step(state, member, row)
                        elif value is not None:
                            state = step(state, value, row)
                    states[n] = state
        return groups


class _Order(dict[Any, Any]):
    """Sort keys of group values, each computed once."""

    def __missing__(self, value: Any) -> tuple[int, Any]:
        key = self[value] = sort_key(value)
        return key


def _explode(key: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [()]
    for part in key:
        keys = [(*k, m) for k in keys for m in dict.fromkeys(members(part))]
    return keys


def _input(term: Term) -> Callable[[Row, float], Any]:
    if term.node is not None:
        if evalcompile.is_boolean(term.node):
            keep = evalcompile.compile_condition(term.node)
            return lambda row, now: 1 if keep([row], now) else None
        compute = evalcompile.compile_value(term.node)
        return lambda row, now: compute(row.get, now)
    if term.field is None:
        return lambda row, now: 1
    name = term.field
    return lambda row, now: row.get(name)


class Eventstats(Stats):
    """`eventstats`: the same numbers, added to every row of the group; rows outside every group pass unchanged."""

    name = "eventstats"

    def bind(self, wanted: Wanted) -> Wanted:
        own = super().bind(wanted)
        return None if wanted is None or own is None else (wanted - {t.output for t in self.terms}) | own

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return extend(before, [t.output for t in self.terms])

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        groups = self._group(rows, run.now)
        done = {k: [t.how.finish(s) for t, s in zip(self.terms, states)] for k, (_, states) in groups.items()}
        for row in rows:
            key = tuple(row.get(f) for f in self.by)
            if None in key:
                continue
            for exploded in _explode(key):
                for term, value in zip(self.terms, done[tuple(map(text, exploded))]):
                    if value is not None:
                        row[term.output] = value
        return rows


class Streamstats(Eventstats):
    """`streamstats [current=<bool>]`: the numbers of the rows so far, with or without the row itself. Of its options
    the lab knows no other.

    https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/streamstats
    """

    name = "streamstats"

    def __init__(self, segment: Segment) -> None:
        option = _CURRENT.match(segment.args)
        self.current = option is None or option[1].lower() not in ("f", "false", "0")
        if option is not None:
            # Blanks in its place: what is wrong behind it is named where it stands.
            segment = replace(segment, args=" " * option.end() + segment.args[option.end() :])
        super().__init__(segment)
        self.ordered = True

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        states: dict[tuple[str, ...], list[Any]] = {}
        for row in rows:
            values = [row.get(f) for f in self.by]
            if None in values:
                continue
            of_group = states.setdefault(tuple(map(text, values)), [t.how.start() for t in self.terms])
            before = [t.how.finish(state) for t, state in zip(self.terms, of_group)]
            for n, (term, value_of) in enumerate(zip(self.terms, self._inputs)):
                for value in members(value_of(row, run.now)):
                    of_group[n] = term.how.step(of_group[n], value, row)
            after = [t.how.finish(state) for t, state in zip(self.terms, of_group)]
            for term, value in zip(self.terms, after if self.current else before):
                if value is not None:
                    row[term.output] = value
        return rows


def parse_terms(segment: Segment, command: str) -> tuple[list[Term], list[str]]:
    """``count dc(x) AS y sum(eval(a*b)) AS z BY f, g`` → terms and group fields."""
    tokens = ArgTokens(segment.args, segment.args_position, command)
    terms: list[Term] = []
    by: list[str] = []
    while tokens.peek() is not None:
        if tokens.accept(","):
            continue
        if tokens.accept("by"):
            by = tokens.field_list()
            if not by:
                raise tokens.error("BY needs at least one field.")
            break
        terms.append(_term(tokens, segment, command))
    if not terms:
        raise tokens.error("expected an aggregation such as count or dc(field).")
    outputs = [t.output for t in terms] + by
    twice = next((o for o in outputs if outputs.count(o) > 1), None)
    if twice is not None:
        raise SplError(
            f"{command}: two outputs are named '{twice}'. Rename one with AS.", position=segment.args_position
        )
    return terms, by


def _term(tokens: ArgTokens, segment: Segment, command: str) -> Term:
    token = tokens.take()
    word = token.text.lower()
    how = aggregation(word)
    if how is None or token.quoted:
        raise SplError(
            f"{command}: unknown aggregation '{token.text}'. Known: {', '.join(sorted(AGGREGATIONS))}, p<n>.",
            position=token.position,
        )
    field: Optional[str] = None
    node: Optional[Node] = None
    shown = token.text
    if tokens.accept("("):
        start = tokens.peek()
        if start is None:
            raise tokens.error("')' missing.")
        if tokens.accept("eval"):
            tokens.expect("(")
            body, position = _balanced(tokens, segment)
            node = parse_eval(body, position, f"{command} eval")
            shown = f"{token.text}(eval({body}))"
            tokens.expect(")")
        else:
            field = tokens.take().text
            if "*" in field:
                raise tokens.error(f"wildcard '{field}' in an aggregation is not supported by the lab.")
            shown = f"{token.text}({field})"
            tokens.expect(")")
    elif word not in ("count", "c"):
        raise tokens.error(f"{token.text} needs a field: {token.text}(field).")
    output = shown
    if tokens.accept("as"):
        output = tokens.take().text
    return Term(word, field, node, output, how)


def _balanced(tokens: ArgTokens, segment: Segment) -> tuple[str, int]:
    """The text up to the parenthesis that closes one already opened; moves behind it."""
    first = tokens.peek()
    start = first.position if first else segment.args_position
    depth = 1
    while depth:
        token = tokens.take()
        if not token.quoted and token.text in "()":
            depth += 1 if token.text == "(" else -1
    base = segment.args_position
    return segment.args[start - base : token.position - base], start
