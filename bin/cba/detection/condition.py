"""The condition language of the detections: short expressions over evidence and fields, parsed once, never `eval`ed.

    new(identity, country) and seen(identity, country) >= 4
    source_kind == "kubernetes" or not (runtime starts with "provided" and package_type in ("Zip", "Image"))

Grammar, loosest first:

    or      := and ("or" and)*
    and     := not ("and" not)*
    not     := "not" not | compare
    compare := operand [("==" | "!=" | "<" | "<=" | ">" | ">=") operand | "starts" "with" text | "in" "(" text, … ")"]
    operand := number | text | field | function "(" argument, … ")" | "(" or ")"

The functions are `FUNCTIONS`; anything else is an error that names the word and its column. Evaluation gives a
`Result`: what came out, and what it was answered from, so that others can say why without asking again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import operator
import re
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, NamedTuple, Optional, Protocol, Union

from ..errors import DetectionError
from ..terms import ABSENT

if TYPE_CHECKING:
    from ..history.evidence import ScopeEvidence

Value = Union[bool, int, str]

CHAIN_SIGNALS = "chain_signals"
"""The field that says of which kinds the signals of a chain are, separated by spaces."""

MOST_DIGITS = 15
"""Of a number in a condition; nothing that is counted comes near."""
DEEPEST = 40
"""How deep parentheses and `not` may be nested; what a person can read is far below."""
SHOWN = 200
"""Characters of a condition in a message."""


class Facts(Protocol):
    """What a condition is asked about; `scoring.facts.RowFacts` is the one with histories."""

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

    def answered_by(self, function: str, scope: str, dimension: str) -> Optional[ScopeEvidence]:
        """The evidence from which a function of scope and dimension is answered; None where there is none."""


TRUTH, NUMBER, TEXT = "a yes or no", "a number", "a text"
"""What a part of a condition gives."""


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of the language: its parameters (`scope`, `dimension`, `field`, `signal`), what it gives, its
    meaning."""

    parameters: tuple[str, ...]
    gives: str
    meaning: Callable[..., Value]


FUNCTIONS: Mapping[str, Function] = {
    # The value is new to the scope: it is not established.
    "new": Function(("scope", "dimension"), TRUTH, lambda facts, scope, dimension: facts.new(scope, dimension)),
    # How many values are established for the scope.
    "seen": Function(("scope", "dimension"), NUMBER, lambda facts, scope, dimension: facts.seen(scope, dimension)),
    # On how many days of the training period the scope had this value.
    "days": Function(("scope", "dimension"), NUMBER, lambda facts, scope, dimension: facts.days(scope, dimension)),
    # The scope is trained for the dimension.
    "trained": Function(("scope", "dimension"), TRUTH, lambda facts, scope, dimension: facts.trained(scope, dimension)),
    # How many different values the scope had in the training period.
    "spread": Function(("scope", "dimension"), NUMBER, lambda facts, scope, dimension: facts.spread(scope, dimension)),
    # On how many days of the training period the scope had any value.
    "busy": Function(("scope", "dimension"), NUMBER, lambda facts, scope, dimension: facts.busy(scope, dimension)),
    # The scope itself, with whatever value, has been seen long or often enough to be established.
    "familiar": Function(
        ("scope", "dimension"), TRUTH, lambda facts, scope, dimension: facts.familiar(scope, dimension)
    ),
    # The scope's entity has another finding of Low or more in the 24 hours before.
    "suspicious": Function(("scope",), TRUTH, lambda facts, scope: facts.suspicious(scope)),
    # The row has the field.
    "present": Function(("field",), TRUTH, lambda facts, field: facts.field(field) != ABSENT),
    # A signal of that kind belongs to the chain.
    "chained": Function(("signal",), TRUTH, lambda facts, signal: facts.chained(signal)),
}

_COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Result(NamedTuple):
    """What a node came to. `children`: of those parts that were asked, in their order; `seen`: the evidence that a
    question to a history was answered from, None for everything else. True and false as the condition itself."""

    node: Node
    value: Value
    children: tuple[Result, ...] = ()
    seen: Optional[ScopeEvidence] = None

    def __bool__(self) -> bool:
        return bool(self.value)

    def walk(self) -> Iterator[Result]:
        """This result and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Node:
    """A parsed condition. `evaluate` answers it; `children` lets others walk it; `gives` is the kind of its value."""

    gives = TRUTH

    def evaluate(self, facts: Facts) -> Result:
        raise NotImplementedError

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    @property
    def reads(self) -> str:
        """The row's own field that this node itself reads, "" for none."""
        return ""

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclasses.dataclass(frozen=True)
class Literal(Node):
    value: Union[int, str]

    @property
    def gives(self) -> str:  # type: ignore[override]
        return TEXT if isinstance(self.value, str) else NUMBER

    def evaluate(self, facts: Facts) -> Result:
        return Result(self, self.value)

    def __str__(self) -> str:
        return f'"{self.value}"' if isinstance(self.value, str) else str(self.value)


@dataclasses.dataclass(frozen=True)
class Field(Node):
    name: str
    gives = TEXT

    def evaluate(self, facts: Facts) -> Result:
        return Result(self, facts.field(self.name))

    @property
    def reads(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Call(Node):
    name: str
    arguments: tuple[str, ...]

    @property
    def gives(self) -> str:  # type: ignore[override]
        return FUNCTIONS[self.name].gives

    def evaluate(self, facts: Facts) -> Result:
        value = FUNCTIONS[self.name].meaning(facts, *self.arguments)
        dimension = self.argument("dimension")
        seen = facts.answered_by(self.name, self.argument("scope"), dimension) if dimension else None
        return Result(self, value, seen=seen)

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

    def evaluate(self, facts: Facts) -> Result:
        left, right = self.left.evaluate(facts), self.right.evaluate(facts)
        return Result(self, self._holds(left.value, right.value), (left, right))

    def _holds(self, left: Value, right: Value) -> bool:
        # A field is text; against a number it is compared as one, and a field that holds none never matches.
        try:
            if isinstance(right, int) and isinstance(left, str):
                left = int(left)
            elif isinstance(left, int) and isinstance(right, str):
                right = int(right)
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

    def evaluate(self, facts: Facts) -> Result:
        left = self.left.evaluate(facts)
        return Result(self, str(left.value).startswith(self.prefix), (left,))

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left,)

    def __str__(self) -> str:
        return f'{self.left} starts with "{self.prefix}"'


@dataclasses.dataclass(frozen=True)
class In(Node):
    left: Node
    choices: tuple[str, ...]

    def evaluate(self, facts: Facts) -> Result:
        left = self.left.evaluate(facts)
        return Result(self, str(left.value) in self.choices, (left,))

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left,)

    def __str__(self) -> str:
        choices = ", ".join(f'"{choice}"' for choice in self.choices)
        return f"{self.left} in ({choices})"


@dataclasses.dataclass(frozen=True)
class Not(Node):
    inner: Node

    def evaluate(self, facts: Facts) -> Result:
        inner = self.inner.evaluate(facts)
        return Result(self, not inner, (inner,))

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

    def evaluate(self, facts: Facts) -> Result:
        ends_it = self.word == "or"
        asked: list[Result] = []
        for part in self.parts:
            asked.append(part.evaluate(facts))
            if bool(asked[-1]) is ends_it:
                return Result(self, ends_it, tuple(asked))
        return Result(self, not ends_it, tuple(asked))

    @property
    def children(self) -> tuple[Node, ...]:
        return self.parts

    def __str__(self) -> str:
        return f" {self.word} ".join(_bracket(part, Junction) for part in self.parts)


def _bracket(node: Node, kind: type[Node]) -> str:
    return f"({node})" if isinstance(node, kind) else str(node)


def decided_by(result: Result) -> Iterator[Result]:
    """The questions that made a result what it is: of an `and` that is false, or an `or` that is true, the part that
    settled it; else every part."""
    if isinstance(result.node, Junction) and bool(result) is (result.node.word == "or"):
        yield from decided_by(result.children[-1])
    elif isinstance(result.node, (Junction, Not, Compare, StartsWith, In)):
        for child in result.children:
            yield from decided_by(child)
    else:
        yield result


_TOKEN = re.compile(
    r"""\s*(?: (?P<number>[0-9]+) | "(?P<text>[^"]*)" | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
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
    if not isinstance(text, str):
        raise DetectionError(where, f"a condition is a text, not {type(text).__name__}")
    return _Parser(text, where).condition()


NEVER = Literal(0)
"""The condition that never holds."""


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.tokens = list(self._tokens())
        self.position = 0
        self.depth = 0

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
        shown = self.text.strip()
        shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"
        return DetectionError(self.where, f"column {column + 1}: {problem} in condition {shown!r}")

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
        if self._take("not"):
            with self._deeper():
                return Not(self._negation())
        return self._comparison()

    @contextlib.contextmanager
    def _deeper(self) -> Iterator[None]:
        if self.depth == DEEPEST:
            raise self._error(f"nested more than {DEEPEST} deep", self.tokens[self.position - 1].column)
        self.depth += 1
        yield
        self.depth -= 1

    def _comparison(self) -> Node:
        left = self._operand()
        token = self.token
        if token.kind == "symbol" and token.text in _COMPARISONS:
            self.position += 1
            right = self._operand()
            self._check_comparison(left, right, token)
            return Compare(left, token.text, right)
        if self._take("starts"):
            self._check_text(left, token)
            self._expect("with")
            return StartsWith(left, self._next("text", "a quoted text").text)
        if self._take("in"):
            self._check_text(left, token)
            self._expect("(")
            choices = [self._next("text", "a quoted text").text]
            while self._take(","):
                choices.append(self._next("text", "a quoted text").text)
            self._expect(")")
            return In(left, tuple(choices))
        return left

    def _check_comparison(self, left: Node, right: Node, token: _Token) -> None:
        """Numbers go with numbers, texts with texts, and a field, which is text, with either."""
        if TRUTH in (left.gives, right.gives):
            truth = left if left.gives == TRUTH else right
            raise self._error(f"{truth} gives {TRUTH} and cannot be compared", token.column)
        if left.gives != right.gives and not isinstance(left, Field) and not isinstance(right, Field):
            raise self._error(f"{left} is {left.gives}, {right} is {right.gives}", token.column)

    def _check_text(self, left: Node, token: _Token) -> None:
        if left.gives != TEXT:
            raise self._error(f"{left} gives {left.gives}, {token.text} needs a text", token.column)

    def _operand(self) -> Node:
        token = self.token
        if self._take("("):
            with self._deeper():
                inner = self._junction("or")
            self._expect(")")
            return inner
        if token.kind == "number":
            self.position += 1
            if len(token.text) > MOST_DIGITS:
                raise self._error(f"a number has at most {MOST_DIGITS} digits", token.column)
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
