"""The eval/where expression grammar: a Pratt parser to a small tree.

Precedence as documented, tightest first: unary minus; `* / %`; `+ -`; `.`; comparisons, LIKE, IN; NOT; AND; OR; XOR.
Source: https://help.splunk.com/en/splunk-enterprise/search/search-reference/10.0/search-commands/eval
(https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Eval).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Optional, Union

from lab.errors import SplError
from lab.spl.text import unquote
from lab.spl.values import Number


@dataclass(frozen=True)
class Literal:
    value: Union[str, Number]
    position: int = 0


@dataclass(frozen=True)
class Field:
    name: str
    position: int = 0


@dataclass(frozen=True)
class Call:
    """A function or an operator (`operator` names are the symbols: "+", "and", "=", "neg" …)."""

    name: str
    args: tuple[Node, ...]
    position: int = 0
    operator: bool = False


Node = Union[Literal, Field, Call]

COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_BINARY = {"xor": 1, "or": 2, "and": 3, **dict.fromkeys(COMPARISONS, 5), "like": 5, "in": 5, "not": 5,
           ".": 6, "+": 7, "-": 7, "*": 8, "/": 8, "%": 8}  # fmt: skip
_NOT_POWER = 4
_NEG_POWER = 9

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_\d]))
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<field>'(?:[^'\\]|\\.)*')
      | (?P<op><=|>=|!=|==|[-=<>+*/%.(),])
      | (?P<word>[A-Za-z_][A-Za-z0-9_:{}]*)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_eval(text: str, offset: int = 0, command: str = "eval") -> Node:
    """Parse one whole expression. Raises SplError with the offending position."""
    parser = EvalParser(text, offset, command)
    node = parser.expression()
    parser.end()
    return node


class EvalParser:
    """Token stream plus Pratt loop. `where` bodies use `expression` + `end`; `eval` lists use `assignments`."""

    def __init__(self, text: str, offset: int, command: str) -> None:
        self.command = command
        self.finish = offset + len(text)
        self.tokens: list[_Token] = []
        self.at = 0
        n = 0
        while n < len(text):
            match = _TOKEN.match(text, n)
            if match is None:
                raise SplError(f"{command}: cannot read {text[n : n + 20]!r}.", position=offset + n)
            if match.lastgroup != "space":
                self.tokens.append(_Token(str(match.lastgroup), match.group(), offset + n))
            n = match.end()

    def peek(self) -> Optional[_Token]:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def error(self, message: str) -> SplError:
        token = self.peek()
        return SplError(f"{self.command}: {message}", position=token.position if token else self.finish)

    def accept(self, symbol: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "op" and token.text == symbol:
            self.at += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            token = self.peek()
            raise self.error(f"expected '{symbol}'" + (f", found {token.text!r}." if token else " at the end."))

    def end(self) -> None:
        token = self.peek()
        if token is not None:
            raise self.error(f"unexpected {token.text!r} in the expression.")

    def assignments(self) -> list[tuple[str, Node, int]]:
        """``a=…, 'b c'=…`` → (field, expression, position) in order."""
        found: list[tuple[str, Node, int]] = []
        while True:
            start = self.peek()
            if start is None:
                raise self.error("expected a field name.")
            found.append((self._target(), self.expression(), start.position))
            if not self.accept(","):
                self.end()
                return found

    def _target(self) -> str:
        """The field on the left of `=`; unquoted dotted names are allowed here (and only here)."""
        token = self.peek()
        assert token is not None
        if token.kind in ("string", "field"):
            self.at += 1
            name = unquote(token.text) if token.kind == "string" else token.text[1:-1]
        else:
            parts: list[str] = []
            while (token := self.peek()) is not None and not (token.kind == "op" and token.text != "."):
                parts.append(token.text)
                self.at += 1
            name = "".join(parts)
        if not name:
            raise self.error("expected a field name.")
        self.expect("=")
        return name

    def expression(self, power: int = 0) -> Node:
        left = self._prefix()
        while True:
            token = self.peek()
            if token is None or token.kind not in ("op", "word"):
                return left
            symbol = token.text.lower()
            binding = _BINARY.get(symbol, 0)
            if not binding or binding <= power:
                return left
            self.at += 1
            if symbol == "not":  # x NOT IN (…), x NOT LIKE …
                following = self.peek()
                word = following.text.lower() if following else ""
                if word not in ("in", "like"):
                    raise self.error("expected IN or LIKE after NOT.")
                self.at += 1
                left = Call("not", (self._infix(word, left, token),), token.position, True)
                continue
            left = self._infix(symbol, left, token)

    def _infix(self, symbol: str, left: Node, token: _Token) -> Node:
        if symbol == "in":
            self.expect("(")
            return Call("in", (left, *self._arguments()), token.position)
        right = self.expression(_BINARY[symbol])
        if symbol == "like":
            return Call("like", (left, right), token.position)
        return Call(COMPARISONS.get(symbol, symbol), (left, right), token.position, True)

    def _arguments(self) -> list[Node]:
        if self.accept(")"):
            return []
        args = [self.expression()]
        while self.accept(","):
            args.append(self.expression())
        self.expect(")")
        return args

    def _prefix(self) -> Node:
        token = self.peek()
        if token is None:
            raise self.error("the expression ends too early.")
        self.at += 1
        if token.kind == "number":
            value = _literal_number(token.text)
            if math.isinf(value):
                raise SplError(f"{self.command}: {token.text} is too large for a number.", position=token.position)
            return Literal(value, token.position)
        if token.kind == "string":
            return Literal(unquote(token.text), token.position)
        if token.kind == "field":
            return Field(token.text[1:-1].replace("\\'", "'"), token.position)
        if token.kind == "op":
            if token.text == "(":
                inner = self.expression()
                self.expect(")")
                return inner
            if token.text in "+-":
                operand = self.expression(_NEG_POWER)
                if isinstance(operand, Literal) and not isinstance(operand.value, str):
                    return Literal(-operand.value if token.text == "-" else operand.value, token.position)
                return Call("neg", (operand,), token.position, True) if token.text == "-" else operand
            self.at -= 1
            raise self.error(f"unexpected {token.text!r}.")
        if token.text.lower() == "not":
            return Call("not", (self.expression(_NOT_POWER),), token.position, True)
        if self.accept("("):
            return Call(token.text.lower(), tuple(self._arguments()), token.position)
        return Field(token.text, token.position)


def _literal_number(text: str) -> Number:
    return int(text) if text.isdigit() else float(text)


def fields_of(node: Node) -> set[str]:
    """Names of all fields an expression reads."""
    if isinstance(node, Field):
        return {node.name}
    if isinstance(node, Call):
        found: set[str] = set()
        for arg in node.args:
            found |= fields_of(arg)
        return found
    return set()


def calls_of(node: Node) -> list[Call]:
    """All calls and operators of an expression, outer first."""
    if not isinstance(node, Call):
        return []
    found = [node]
    for arg in node.args:
        found.extend(calls_of(arg))
    return found
