"""The boolean expressions of the `search` command, as a tree that tests rows; of what the metadata of events decide,
`given` leaves the rest.

Precedence as documented: parentheses, NOT, OR, AND; two expressions side by side are ANDed; operators are upper case.
Values compare without case and `*` is a wildcard, in quotes too. The right side is always a literal.
Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Search and
https://docs.splunk.com/Documentation/Splunk/9.4.0/Search/Booleanexpressions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Optional, Union

from lab.errors import SplError
from lab.spl.regex import wildcard
from lab.spl.text import unquote
from lab.spl.values import Row, number, text
from lab.spl.window import MODIFIERS

META_FIELDS = ("index", "sourcetype", "source", "host")
_UNKNOWN = frozenset({"starttime", "endtime", "eventtype", "tag"})


@dataclass(frozen=True)
class Everything:
    """The empty expression and `*`."""

    def test(self, row: Row) -> bool:
        return True

    def given(self, meta: dict[str, str]) -> Expression:
        return EVERYTHING

    def fields(self) -> set[str]:
        return set()


@dataclass(frozen=True)
class Term:
    """A word or phrase in the raw text, on token boundaries, without case."""

    pattern: re.Pattern[str]
    head: str
    """What it begins with, up to a wildcard: a plain search for it is much faster than one without case."""

    def test(self, row: Row) -> bool:
        raw = row.get("_raw")
        if raw is None:
            return False
        if type(raw) is not str or not self.head or not self.head.isascii() or not raw.isascii():
            return self.pattern.search(text(raw)) is not None
        lowered, head = raw.lower(), self.head.lower()
        at = lowered.find(head)
        while at >= 0 and self.pattern.match(raw, at) is None:
            at = lowered.find(head, at + 1)
        return at >= 0

    def given(self, meta: dict[str, str]) -> Expression:
        return self

    def fields(self) -> set[str]:
        return {"_raw"}


@dataclass(frozen=True)
class Comparison:
    """field <op> literal; `matches` tests one member. `negative` is `!=`: the field is there and no member equals."""

    field: str
    matches: Callable[[Any], bool]
    negative: bool
    literals: tuple[str, ...] = ()

    def test(self, row: Row) -> bool:
        value = row.get(self.field)
        if value is None:
            return False
        if type(value) is list:
            return any(map(self.matches, value)) is not self.negative
        return self.matches(value) is not self.negative

    def given(self, meta: dict[str, str]) -> Expression:
        return self if self.field not in meta else EVERYTHING if self.test(meta) else NOTHING

    def fields(self) -> set[str]:
        return {self.field}


@dataclass(frozen=True)
class Not:
    inner: Expression

    def test(self, row: Row) -> bool:
        return not self.inner.test(row)

    def given(self, meta: dict[str, str]) -> Expression:
        inner = self.inner.given(meta)
        return inner.inner if isinstance(inner, Not) else Not(inner)

    def fields(self) -> set[str]:
        return self.inner.fields()


@dataclass(frozen=True)
class All:
    parts: tuple[Expression, ...]

    def test(self, row: Row) -> bool:
        for part in self.parts:  # noqa: SIM110 (a loop is faster than all() here, and this runs per event)
            if not part.test(row):
                return False
        return True

    def given(self, meta: dict[str, str]) -> Expression:
        parts = [part for part in (p.given(meta) for p in self.parts) if part != EVERYTHING]
        return NOTHING if NOTHING in parts else _all(parts)

    def fields(self) -> set[str]:
        return set().union(*(p.fields() for p in self.parts))


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Expression, ...]

    def test(self, row: Row) -> bool:
        for part in self.parts:  # noqa: SIM110
            if part.test(row):
                return True
        return False

    def given(self, meta: dict[str, str]) -> Expression:
        parts = [part for part in (p.given(meta) for p in self.parts) if part != NOTHING]
        return EVERYTHING if EVERYTHING in parts else AnyOf(tuple(parts)) if parts else NOTHING

    def fields(self) -> set[str]:
        return set().union(*(p.fields() for p in self.parts))


@dataclass(frozen=True)
class TimeModifier:
    """`earliest=-1h`: which times a base search looks at. In no parsed expression: `parse_base` tells it apart."""

    name: str
    value: str
    position: int

    def test(self, row: Row) -> bool:
        return True

    def given(self, meta: dict[str, str]) -> Expression:
        return EVERYTHING

    def fields(self) -> set[str]:
        return set()


Expression = Union[Everything, Term, Comparison, Not, All, AnyOf, TimeModifier]
EVERYTHING = Everything()
NOTHING = Not(EVERYTHING)


def _all(parts: list[Expression]) -> Expression:
    return EVERYTHING if not parts else parts[0] if len(parts) == 1 else All(tuple(parts))


def given(expression: Expression, meta: dict[str, str]) -> Expression:
    """What the metadata of events leave open of a search for them. Without index= Splunk searches the role's default
    indexes (main)."""
    return expression.given(meta) if meta["index"] == "main" or "index" in expression.fields() else NOTHING


def by_text(expression: Expression) -> tuple[Expression, Expression]:
    """What of an expression the raw text alone decides, and the rest: both have to hold."""
    parts = expression.parts if isinstance(expression, All) else (expression,)
    return _all([p for p in parts if p.fields() == {"_raw"}]), _all([p for p in parts if p.fields() != {"_raw"}])


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<op><=|>=|!=|=|<|>)
      | (?P<punct>[(),])
      | (?P<word>(?:[^\s()"=<>!,]|!(?!=))+)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True)
class Base:
    """A search for events. `text` is the same search whatever its time modifiers say."""

    expression: Expression
    modifiers: dict[str, str]
    text: str


def parse_base(source: str, offset: int = 0) -> Base:
    """Parse a search that a pipeline begins with: time modifiers may stand where they hold for all of it."""
    parser = _Parser(source, offset)
    modifiers: dict[str, str] = {}
    expression = _without_modifiers(parser.whole(), modifiers)
    words = [token.text for token in parser.tokens]
    for first, after in reversed(parser.modifying):
        words[first:after] = ["(", ")"]
    return Base(expression, modifiers, " ".join(words))


def parse_search(source: str, offset: int = 0) -> Expression:
    """Parse a search expression over rows; an empty one matches everything."""
    bracket = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: " " * len(m.group()), source).find("[")
    if bracket >= 0:
        raise SplError(
            "search: the lab knows a [subsearch] in a search that a pipeline begins with, not in one over rows.",
            position=offset + bracket,
        )
    base = parse_base(source, offset)
    if base.modifiers:
        name = next(iter(base.modifiers))
        raise SplError(f"search: '{name}=' belongs into the search that a pipeline begins with.", position=offset)
    return base.expression


def _without_modifiers(expression: Expression, found: dict[str, str]) -> Expression:
    """What else a search says; the modifiers that all of its events have to meet go to `found`."""
    if isinstance(expression, TimeModifier):
        if expression.name in found:
            raise SplError(f"search: '{expression.name}=' is said twice.", position=expression.position)
        found[expression.name] = expression.value
        return EVERYTHING
    if isinstance(expression, All):
        parts = [_without_modifiers(part, found) for part in expression.parts]
        return _all([part for part in parts if part != EVERYTHING])
    _refuse_modifiers(expression)
    return expression


def _refuse_modifiers(expression: Expression) -> None:
    for part in parts_of(expression):
        if isinstance(part, TimeModifier):
            raise SplError(
                f"search: '{part.name}=' under OR or NOT is not supported by the lab.", position=part.position
            )


def parts_of(expression: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of."""
    yield expression
    inner = (expression.inner,) if isinstance(expression, Not) else ()
    for part in expression.parts if isinstance(expression, (All, AnyOf)) else inner:
        yield from parts_of(part)


def uses(source: str) -> list[str]:
    """What an expression uses, for the coverage gate: ``NOT``, ``OR``, ``IN``, ``!=``, ``wildcard`` …"""
    parser = _Parser(source, 0)
    parser.whole()
    return sorted(parser.used)


class _Parser:
    def __init__(self, source: str, offset: int) -> None:
        self.finish = offset + len(source)
        self.tokens: list[_Token] = []
        self.used: set[str] = set()
        self.modifying: list[tuple[int, int]] = []
        """Which tokens are time modifiers: the first, and the one after the last."""
        self.at = 0
        n = 0
        while n < len(source):
            match = _TOKEN.match(source, n)
            if match is None:
                raise SplError(f"search: cannot read {source[n : n + 20]!r}.", position=offset + n)
            if match.lastgroup != "space":
                self.tokens.append(_Token(str(match.lastgroup), match.group(), offset + n))
            n = match.end()

    def peek(self, ahead: int = 0) -> Optional[_Token]:
        n = self.at + ahead
        return self.tokens[n] if n < len(self.tokens) else None

    def error(self, message: str) -> SplError:
        token = self.peek()
        return SplError(f"search: {message}", position=token.position if token else self.finish)

    def word(self, *words: str) -> bool:
        """Take the next token when it is one of these exact words."""
        token = self.peek()
        if token is not None and token.kind in ("word", "punct") and token.text in words:
            self.at += 1
            return True
        return False

    def whole(self) -> Expression:
        if not self.tokens:
            return Everything()
        found = self.conjunction()
        if self.peek() is not None:
            raise self.error(f"unexpected {self.peek().text!r}.")  # type: ignore[union-attr]
        return found

    def conjunction(self) -> Expression:
        parts = [self.disjunction()]
        while (token := self.peek()) is not None and not (token.kind == "punct" and token.text == ")"):
            self.used.add("AND" if self.word("AND") else "implicit AND")
            parts.append(self.disjunction())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def disjunction(self) -> Expression:
        parts = [self.negation()]
        while self.word("OR"):
            self.used.add("OR")
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def negation(self) -> Expression:
        if self.word("NOT"):
            self.used.add("NOT")
            return Not(self.negation())
        return self.primary()

    def primary(self) -> Expression:
        token = self.peek()
        if token is None:
            raise self.error("the expression ends too early.")
        if self.word("("):
            self.used.add("()")
            if self.word(")"):
                return Everything()
            inner = self.conjunction()
            if not self.word(")"):
                raise self.error("')' missing.")
            return inner
        if token.kind in ("op", "punct"):
            raise self.error(f"unexpected {token.text!r}.")
        if token.kind == "word" and token.text in ("AND", "OR"):
            raise self.error(f"{token.text} needs an expression on both sides.")
        self.at += 1
        following = self.peek()
        if following is not None and following.kind == "op":
            return self.comparison(token)
        if following is not None and following.kind == "word" and following.text == "IN" and self._opens(1):
            return self.membership(token)
        if token.kind == "word" and token.text == "*":
            return Everything()
        if token.kind == "word" and token.text in ("TERM", "CASE") and self._opens(0):
            raise self.error(f"{token.text}() is not supported by the lab.")
        self.used.add("term" if token.kind == "word" else "phrase")
        term = _literal(token)
        return Term(_term_pattern(term), term.partition("*")[0])

    def _opens(self, ahead: int) -> bool:
        token = self.peek(ahead)
        return token is not None and token.kind == "punct" and token.text == "("

    def _field(self, token: _Token) -> str:
        name = _literal(token)
        if name in _UNKNOWN or name.startswith("tag::"):
            self.at -= 1
            raise self.error(f"'{name}=' in a search is not supported by the lab.")
        return name

    def comparison(self, token: _Token) -> Expression:
        field = self._field(token)
        operator = self.peek().text  # type: ignore[union-attr]
        self.at += 1
        value = self.peek()
        if value is None or value.kind not in ("word", "string"):
            raise self.error(f"a value is missing after '{field}{operator}'.")
        self.at += 1
        literal = _literal(value)
        if field in MODIFIERS:
            return self._modifier(field, operator, literal, token)
        self.used.add(operator)
        if operator in ("=", "!="):
            if "*" in literal:
                self.used.add("wildcard")
            return Comparison(field, value_test(literal, field), operator == "!=", (literal,))
        return Comparison(field, _order_test(operator, literal), False, (literal,))

    def _modifier(self, name: str, operator: str, value: str, token: _Token) -> Expression:
        first = self.at - 3
        if self._opens(0) and (closing := self.peek(1)) is not None and closing.text == ")":
            self.at += 2  # now() is now
        self.modifying.append((first, self.at))
        self.used.add(name)
        if operator != "=":
            raise SplError(f"search: '{name}{operator}' is not supported by the lab.", position=token.position)
        return TimeModifier(name, value, token.position)

    def membership(self, token: _Token) -> Expression:
        field = self._field(token)
        self.used.add("IN")
        self.at += 2
        tests: list[Callable[[Any], bool]] = []
        literals: list[str] = []
        while not self.word(")"):
            if self.word(","):
                continue
            value = self.peek()
            if value is None or value.kind not in ("word", "string"):
                raise self.error("IN (…) is not closed.")
            self.at += 1
            if "*" in _literal(value):
                self.used.add("wildcard")
            literals.append(_literal(value))
            tests.append(value_test(_literal(value), field))
        if not tests:
            raise self.error("IN () needs at least one value.")
        return Comparison(field, lambda v: any(t(v) for t in tests), False, tuple(literals))


def _literal(token: _Token) -> str:
    return unquote(token.text) if token.kind == "string" else token.text


def value_test(literal: str, field: str = "") -> Callable[[Any], bool]:
    """A test of one value against a search literal: no case, `*` wildcards. = and != compare texts, so 1 is not 1.0
    (https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/10.0/search-commands/search).

    `index=*` does not cover internal indexes, whose names start with an underscore; `index=_*` does.
    """
    if field == "index" and literal.startswith("*"):
        match = wildcard(literal, True).match
        return lambda v: not text(v).startswith("_") and match(text(v)) is not None
    if literal == "*":
        return lambda v: True
    if "*" in literal:
        match = wildcard(literal, True).match
        return lambda v: match(v if type(v) is str else text(v)) is not None
    wanted = literal.lower()
    return lambda v: (v if type(v) is str else text(v)).lower() == wanted


def _order_test(operator: str, literal: str) -> Callable[[Any], bool]:
    """Numbers compare by value, anything else lexicographically, upper case before lower case (the same page)."""
    as_number = number(literal)

    def test(value: Any) -> bool:
        found: Any = number(value)
        right: Any = as_number
        if found is None or right is None:
            found, right = text(value), literal
        if operator == "<":
            return bool(found < right)
        if operator == "<=":
            return bool(found <= right)
        return bool(found > right) if operator == ">" else bool(found >= right)

    return test


def _term_pattern(term: str) -> re.Pattern[str]:
    """Index tokens end at every character that is not a letter or digit; a `*` runs on inside its token."""
    body = r'[^\s\[\]<>(){}|!;,\'"&?+]*'.join(re.escape(part) for part in term.split("*"))
    start = "" if term.startswith("*") or not term[:1].isalnum() else r"(?<![A-Za-z0-9])"
    end = "" if term.endswith("*") or not term[-1:].isalnum() else r"(?![A-Za-z0-9])"
    return re.compile(start + body + end, re.IGNORECASE)
