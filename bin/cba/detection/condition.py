"""The condition language of the detections: short expressions over evidence and fields, parsed once, never `eval`ed.

    new(identity, country) and seen(identity, country) >= 4
    source_kind == "kubernetes" or not (runtime starts with "provided" and package_type in ("Zip", "Image"))

Grammar, loosest first:

    or      := and ("or" and)*
    and     := not ("and" not)*
    not     := "not" not | compare
    compare := operand [("==" | "!=" | "<" | "<=" | ">" | ">=") operand | "starts" "with" text | "in" "(" text, … ")"]
    operand := number | text | field | function "(" argument, … ")" | "(" or ")"

The functions are `FUNCTIONS`; anything else is an error that names the word and its column.
"""

from __future__ import annotations

import dataclasses
import operator
import re
from typing import Callable, Iterator, Mapping, Protocol, Union

from ..errors import DetectionError

Value = Union[bool, int, str]

CHAIN_SIGNALS = "chain_signals"
"""The field in which `cbacorrelate` says of which kinds the signals of a chain are, separated by spaces."""


class Facts(Protocol):
    """What a condition is asked about; `scoring.facts.RowFacts` is the one implementation."""

    def new(self, scope: str, dimension: str) -> bool: ...
    def seen(self, scope: str, dimension: str) -> int: ...
    def days(self, scope: str, dimension: str) -> int: ...
    def trained(self, scope: str, dimension: str) -> bool: ...
    def spread(self, scope: str, dimension: str) -> int: ...
    def busy(self, scope: str, dimension: str) -> int: ...
    def familiar(self, scope: str, dimension: str) -> bool: ...
    def suspicious(self, scope: str) -> bool: ...
    def chained(self, signal: str) -> bool: ...
    def field(self, name: str) -> str: ...


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of the language: its parameters (`scope`, `dimension`, `field`, `signal`) and its meaning."""

    parameters: tuple[str, ...]
    meaning: Callable[..., Value]
    words: str


FUNCTIONS: Mapping[str, Function] = {
    "new": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.new(scope, dimension),
        "the {dimension} is new to the {scope}",
    ),
    "seen": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.seen(scope, dimension),
        "the number of values of {dimension} established for the {scope}",
    ),
    "days": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.days(scope, dimension),
        "the number of training days on which the {scope} had this {dimension}",
    ),
    "trained": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.trained(scope, dimension),
        "the {scope} is trained for {dimension}",
    ),
    "spread": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.spread(scope, dimension),
        "how many different values of {dimension} the {scope} had in the training period",
    ),
    "busy": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.busy(scope, dimension),
        "the number of training days on which the {scope} had any {dimension}",
    ),
    "familiar": Function(
        ("scope", "dimension"),
        lambda facts, scope, dimension: facts.familiar(scope, dimension),
        "the {scope} itself, with whatever {dimension}, has been seen long or often enough to be established",
    ),
    "suspicious": Function(
        ("scope",),
        lambda facts, scope: facts.suspicious(scope),
        "the {scope} has another finding of Low or more in the 24 hours before",
    ),
    "present": Function(
        ("field",),
        lambda facts, field: facts.field(field) not in ("", "-"),
        "{field} is set",
    ),
    "chained": Function(
        ("signal",),
        lambda facts, signal: facts.chained(signal),
        "a signal {signal} belongs to the chain",
    ),
}

_COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Node:
    """A parsed condition. `evaluate` answers it; `children` lets others walk it."""

    def evaluate(self, facts: Facts) -> Value:
        raise NotImplementedError

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    @property
    def reads(self) -> str:
        """The row's own field that this node itself reads, "" for none."""
        return ""

    def may_hold(self, facts: Facts) -> bool:
        """False when this cannot be true, whatever the row's own fields are; what they decide may be either."""
        return any(node.reads for node in self.walk()) or bool(self.evaluate(facts))

    def must_hold(self, facts: Facts) -> bool:
        """True when this is true whatever the row's own fields are."""
        return not any(node.reads for node in self.walk()) and bool(self.evaluate(facts))

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclasses.dataclass(frozen=True)
class Literal(Node):
    value: Union[int, str]

    def evaluate(self, facts: Facts) -> Value:
        return self.value

    def __str__(self) -> str:
        return f'"{self.value}"' if isinstance(self.value, str) else str(self.value)


@dataclasses.dataclass(frozen=True)
class Field(Node):
    name: str

    def evaluate(self, facts: Facts) -> Value:
        return facts.field(self.name)

    @property
    def reads(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Call(Node):
    name: str
    arguments: tuple[str, ...]

    def evaluate(self, facts: Facts) -> Value:
        return FUNCTIONS[self.name].meaning(facts, *self.arguments)

    def argument(self, parameter: str) -> str:
        """The argument given for `parameter`, or "" when the function has no such parameter."""
        named = dict(zip(FUNCTIONS[self.name].parameters, self.arguments))
        return named.get(parameter, "")

    @property
    def reads(self) -> str:
        return CHAIN_SIGNALS if self.argument("signal") else self.argument("field")

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


@dataclasses.dataclass(frozen=True)
class Compare(Node):
    left: Node
    operator: str
    right: Node

    def evaluate(self, facts: Facts) -> Value:
        left, right = self.left.evaluate(facts), self.right.evaluate(facts)
        if isinstance(left, str) and isinstance(right, int):
            # A field is text; against a number it is compared as one, and a field that holds none never matches.
            try:
                left = int(left)
            except ValueError:
                return self.operator == "!="
        return _COMPARISONS[self.operator](left, right)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclasses.dataclass(frozen=True)
class StartsWith(Node):
    left: Node
    prefix: str

    def evaluate(self, facts: Facts) -> Value:
        return str(self.left.evaluate(facts)).startswith(self.prefix)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left,)

    def __str__(self) -> str:
        return f'{self.left} starts with "{self.prefix}"'


@dataclasses.dataclass(frozen=True)
class In(Node):
    left: Node
    choices: tuple[str, ...]

    def evaluate(self, facts: Facts) -> Value:
        return str(self.left.evaluate(facts)) in self.choices

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left,)

    def __str__(self) -> str:
        choices = ", ".join(f'"{choice}"' for choice in self.choices)
        return f"{self.left} in ({choices})"


@dataclasses.dataclass(frozen=True)
class Not(Node):
    inner: Node

    def evaluate(self, facts: Facts) -> Value:
        return not self.inner.evaluate(facts)

    def may_hold(self, facts: Facts) -> bool:
        return not self.inner.must_hold(facts)

    def must_hold(self, facts: Facts) -> bool:
        return not self.inner.may_hold(facts)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.inner,)

    def __str__(self) -> str:
        return f"not {_bracket(self.inner, Junction)}"


@dataclasses.dataclass(frozen=True)
class Junction(Node):
    """`and` or `or` of two or more parts, answered from left to right, as soon as the answer is known."""

    word: str
    parts: tuple[Node, ...]

    def evaluate(self, facts: Facts) -> Value:
        if self.word == "and":
            return all(part.evaluate(facts) for part in self.parts)
        return any(part.evaluate(facts) for part in self.parts)

    def may_hold(self, facts: Facts) -> bool:
        return (all if self.word == "and" else any)(part.may_hold(facts) for part in self.parts)

    def must_hold(self, facts: Facts) -> bool:
        return (all if self.word == "and" else any)(part.must_hold(facts) for part in self.parts)

    @property
    def children(self) -> tuple[Node, ...]:
        return self.parts

    def __str__(self) -> str:
        return f" {self.word} ".join(_bracket(part, Junction) for part in self.parts)


def _bracket(node: Node, kind: type[Node]) -> str:
    return f"({node})" if isinstance(node, kind) else str(node)


_TOKEN = re.compile(
    r"""\s*(?: (?P<number>\d+) | "(?P<text>[^"]*)" | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
           | (?P<symbol>==|!=|<=|>=|<|>|\(|\)|,) )""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "starts", "with"})


@dataclasses.dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(text: str, where: str = "") -> Node:
    """Parses a condition. `where` (file and field) opens the message of the DetectionError raised for a bad one."""
    return _Parser(text, where).condition()


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.tokens = list(self._tokens())
        self.position = 0

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        end = len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self._error(f"cannot read {self.text[at:].strip()[:20]!r}", at)
            kind = match.lastgroup or ""
            yield _Token(kind, match.group(kind), match.start(kind))
            at = match.end()
        yield _Token("end", "", end)

    def _error(self, problem: str, column: int) -> DetectionError:
        return DetectionError(self.where, f"column {column + 1}: {problem} in condition {self.text.strip()!r}")

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def _take(self, *texts: str) -> bool:
        if self.token.kind in ("word", "symbol") and self.token.text in texts:
            self.position += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._error(f"expected {text!r}, found {self.token.text or 'the end'!r}", self.token.column)

    def _next(self, kind: str, what: str) -> _Token:
        token = self.token
        if token.kind != kind or token.text in _WORDS:
            raise self._error(f"expected {what}, found {token.text or 'the end'!r}", token.column)
        self.position += 1
        return token

    def condition(self) -> Node:
        node = self._junction("or")
        if self.token.kind != "end":
            raise self._error(f"unexpected {self.token.text!r}", self.token.column)
        return node

    def _junction(self, word: str) -> Node:
        part = self._negation if word == "and" else lambda: self._junction("and")
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _negation(self) -> Node:
        return Not(self._negation()) if self._take("not") else self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        symbol = self.token.text
        if self.token.kind == "symbol" and symbol in _COMPARISONS:
            self.position += 1
            return Compare(left, symbol, self._operand())
        if self._take("starts"):
            self._expect("with")
            return StartsWith(left, self._next("text", "a quoted text").text)
        if self._take("in"):
            self._expect("(")
            choices = [self._next("text", "a quoted text").text]
            while self._take(","):
                choices.append(self._next("text", "a quoted text").text)
            self._expect(")")
            return In(left, tuple(choices))
        return left

    def _operand(self) -> Node:
        token = self.token
        if self._take("("):
            inner = self._junction("or")
            self._expect(")")
            return inner
        if token.kind == "number":
            self.position += 1
            return Literal(int(token.text))
        if token.kind == "text":
            self.position += 1
            return Literal(token.text)
        name = self._next("word", "a field, a function or a value")
        return self._call(name) if self._take("(") else Field(name.text)

    def _call(self, name: _Token) -> Node:
        function = FUNCTIONS.get(name.text)
        if function is None:
            known = ", ".join(sorted(FUNCTIONS))
            raise self._error(f"unknown function {name.text!r}; the functions are {known}", name.column)
        arguments = [self._next("word", "a name").text]
        while self._take(","):
            arguments.append(self._next("word", "a name").text)
        self._expect(")")
        if len(arguments) != len(function.parameters):
            wanted = ", ".join(function.parameters)
            raise self._error(f"{name.text} takes ({wanted})", name.column)
        return Call(name.text, tuple(arguments))
