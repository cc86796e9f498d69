"""Eval trees → Python source. Three-valued logic is kept by asking each condition "surely true?" or "surely false?".

A comparison with null is neither true nor false (so `where` drops the row, and so does its NOT), as in SQL; `isnull`
and `coalesce` ask for null explicitly. Source: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Where
"""

from __future__ import annotations

import math
from typing import Any, Callable, Optional

from lab.errors import SplError
from lab.spl import functions
from lab.spl.evalparse import Call, Field, Literal, Node, calls_of, fields_of, parse_eval
from lab.spl.functions import FUNCTIONS
from lab.spl.regex import compile_regex
from lab.spl.values import Row, compare, equal, members, multivalue, number, text

RUN_TIME = frozenset({"now", "time", "random", "searchmatch"})
"""Functions whose result depends on the run, not only on the row."""
_LAZY = {"if": (3, 3), "case": (2, 10_000), "coalesce": (1, 10_000), "isnull": (1, 1), "isnotnull": (1, 1),
         "null": (0, 0),
         "true": (0, 0), "false": (0, 0), "in": (2, 10_000), "mvmap": (2, 2), "mvfilter": (1, 1), "now": (0, 0),
         "time": (0, 0), "validate": (2, 10_000)}  # fmt: skip
_BOOLEAN_CALLS = frozenset({"isnull", "isnotnull", "true", "false", "in"}) | {
    n for n, f in FUNCTIONS.items() if f.boolean
}
_BOOLEAN_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">=", "and", "or", "xor", "not"})
KNOWN_FUNCTIONS = frozenset(_LAZY) | {name for name in FUNCTIONS if name.isidentifier()}


def is_boolean(node: Node) -> bool:
    """Whether an expression yields a truth value (which may be tested but not stored in a field)."""
    if not isinstance(node, Call):
        return False
    if node.operator:
        return node.name in _BOOLEAN_OPERATORS
    if node.name in _BOOLEAN_CALLS:
        return True
    if node.name == "if" and len(node.args) == 3:
        return is_boolean(node.args[1]) or is_boolean(node.args[2])
    if node.name == "case":
        return any(map(is_boolean, node.args[1::2]))
    return node.name == "coalesce" and any(map(is_boolean, node.args))


def is_pure(node: Node) -> bool:
    """Whether the result depends on the row alone."""
    return not any(call.name in RUN_TIME and not call.operator for call in calls_of(node))


def cost(node: Node) -> int:
    """Rough weight; from 4 on an expression is worth memoising."""
    return sum(3 if not c.operator and c.name in FUNCTIONS and FUNCTIONS[c.name].heavy else 1 for c in calls_of(node))


class Code:
    """Builds one namespace of constants and turns trees into source. Rows are read through ``g`` (= row.get)."""

    nulls_are_false = False
    """The other reading of a condition on null, for tests: it is false, and its NOT true. No page says which holds."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {
            "equal": equal, "compare": compare, "number": number, "members": members, "multivalue": multivalue,
            "add": functions.add, "concat": functions.concat, "negate": functions.negate,
            "sub": functions.arithmetic("-"), "mul": functions.arithmetic("*"), "div": functions.arithmetic("/"),
            "mod": functions.arithmetic("%"), "any_text": _any_text, "any_search": _any_search,
            "round_down": _round_down,
        }  # fmt: skip
        self._count = 0

    def constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def temporary(self) -> str:
        self._count += 1
        return f"t{self._count}"

    # -- values ----------------------------------------------------------------------------------------------------
    def value(self, node: Node) -> str:
        if isinstance(node, Literal):
            return repr(node.value)
        if isinstance(node, Field):
            return f"g({node.name!r})"
        if is_boolean(node) and (node.operator or node.name not in ("if", "case", "coalesce")):
            return f"(True if {self.true(node)} else (False if {self.false(node)} else None))"
        if node.operator:
            return self._operator(node)
        return self._call(node)

    def _operator(self, node: Call) -> str:
        if node.name == "neg":
            return f"negate({self.value(node.args[0])})"
        if (rounded := _rounded_down(node)) is not None:
            value, step = rounded
            return f"round_down({self.value(value)}, {step!r})"
        helper = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", ".": "concat"}[node.name]
        left, right = map(self.value, node.args)
        return f"{helper}({left}, {right})"

    def _call(self, node: Call) -> str:
        name, args = node.name, node.args
        self._check_arity(node)
        if name == "null":
            return "None"
        if name == "now":
            return "now"
        if name == "time":
            return "now"  # the lab's clock stands still during a run
        if name == "if":
            return f"({self.value(args[1])} if {self.true(args[0])} else {self.value(args[2])})"
        if name in ("case", "validate"):
            if len(args) % 2:
                raise SplError(f"{name} takes pairs of condition and value.", position=node.position)
            test = self.true if name == "case" else self.false
            out = "None"
            for n in range(len(args) - 2, -1, -2):
                out = f"({self.value(args[n + 1])} if {test(args[n])} else {out})"
            return out
        if name == "coalesce":
            out = self.value(args[-1])
            for arg in reversed(args[:-1]):
                held = self.temporary()
                out = f"({held} if ({held} := {self.value(arg)}) is not None else {out})"
            return out
        if name in ("mvmap", "mvfilter"):
            return self._over_members(node)
        if name == "cidrmatch":
            self._check_literal(args[0], functions.network, "is not a CIDR block")
        if name in ("match", "replace", "mvfind"):
            self._check_literal(args[1], compile_regex, "is not a regular expression")
        return f"{self.constant(FUNCTIONS[name].run)}({', '.join(map(self.value, args))})"

    def _check_arity(self, node: Call) -> None:
        if node.name in _LAZY:
            least, most = _LAZY[node.name]
        elif node.name in FUNCTIONS:
            least, most = FUNCTIONS[node.name].least, FUNCTIONS[node.name].most
        else:
            raise SplError(
                f"unknown function '{node.name}'. The lab knows: {', '.join(sorted(KNOWN_FUNCTIONS))}.",
                position=node.position,
            )
        if not least <= len(node.args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}" if most < 10_000 else f"{least} or more"
            raise SplError(f"{node.name} takes {wanted} argument(s), not {len(node.args)}.", position=node.position)

    def _check_literal(self, node: Node, check: Callable[[str], Any], problem: str) -> None:
        if isinstance(node, Literal):
            try:
                check(str(node.value))
            except SplError as error:
                error.position = node.position
                raise
            except ValueError:
                raise SplError(f"'{node.value}' {problem}.", position=node.position) from None

    def _over_members(self, node: Call) -> str:
        """mvmap(field, expression) and mvfilter(condition): the expression sees one member at a time as the field."""
        if node.name == "mvmap":
            field, body = node.args
        else:
            body = node.args[0]
            read = fields_of(body)
            if len(read) != 1:
                raise SplError("mvfilter refers to exactly one field.", position=node.position)
            field = Field(read.pop())
        if not isinstance(field, Field):
            raise SplError(f"{node.name} needs a field name first.", position=node.position)
        inner = Code()
        source = inner.value(body) if node.name == "mvmap" else inner.true(body)
        exec(f"def member(g, now):\n    return {source}\n", inner.names)  # noqa: S102 (source built from a parsed tree)
        run = _map_members if node.name == "mvmap" else _filter_members
        return f"{self.constant(run)}(g, now, {field.name!r}, {self.constant(inner.names['member'])})"

    # -- conditions ------------------------------------------------------------------------------------------------
    def true(self, node: Node) -> str:
        """Source of "the condition is surely true"."""
        return self._condition(node, True)

    def false(self, node: Node) -> str:
        """Source of "the condition is surely false" (null is neither)."""
        return self._condition(node, False)

    def _condition(self, node: Node, wanted: bool) -> str:
        if not isinstance(node, Call):
            # A bare field or literal as a condition: only the boolean a function may have left there counts.
            return f"({self.value(node)} is {wanted})"
        name, args = node.name, node.args
        if node.operator:
            if name == "not":
                return self._condition(args[0], not wanted)
            if name in ("and", "or"):
                joint = " and " if (name == "and") is wanted else " or "
                return "(" + joint.join(self._condition(a, wanted) for a in args) + ")"
            if name == "xor":
                (a, b), t, f = args, self.true, self.false
                if wanted:
                    return f"(({t(a)} and {f(b)}) or ({f(a)} and {t(b)}))"
                return f"(({t(a)} and {t(b)}) or ({f(a)} and {f(b)}))"
            if self.nulls_are_false and not wanted:
                return f"(not {self._condition(node, True)})"
            if name in ("=", "!="):
                return self._equality(args[0], args[1], wanted is (name == "="), name == "!=")
            if name in ("<", "<=", ">", ">="):
                left, right = map(self.value, args)
                return f"(compare({left}, {name!r}, {right}) is {wanted})"
        if self.nulls_are_false and not wanted:
            return f"(not {self._condition(node, True)})"
        if name in ("isnull", "isnotnull"):
            self._check_arity(node)
            return f"({self.value(args[0])} is {'' if (name == 'isnull') is wanted else 'not '}None)"
        if name in ("true", "false"):
            self._check_arity(node)
            return str((name == "true") is wanted)
        if name == "in":
            self._check_arity(node)
            return self._membership(args, wanted)
        if name == "match" and len(args) == 2 and isinstance(args[1], Literal):
            self._check_literal(args[1], compile_regex, "")
            held = self.temporary()
            search = self.constant(compile_regex(str(args[1].value)).search)
            source = f"(({held} := {self.value(args[0])}) is not None and "
            found = f"({search}({held}) is not None if {held}.__class__ is str else any_search({search}, {held}))"
            return f"{source}{'' if wanted else 'not '}{found})"
        return f"({self._call(node)} is {wanted})"

    def _equality(self, left: Node, right: Node, positive: bool, unequal: bool) -> str:
        """True-ness of = or !=. Plain text literals compare without conversions."""
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right = right, left
        if isinstance(right, Literal) and isinstance(right.value, str) and number(right.value) is None:
            held = self.temporary()
            if positive:
                member = f"{held}.__class__ is list and {right.value!r} in {held}"
                return f"(({held} := {self.value(left)}) == {right.value!r} or ({member}))"
            if not unequal:
                return f"(({held} := {self.value(left)}) is not None and not any_text({held}, {right.value!r}))"
            # != on a multivalue: any member that differs
            return (
                f"(({held} := {self.value(left)}) is not None and {held} != {right.value!r}"
                f" and ({held}.__class__ is not list or {right.value!r} not in {held}))"
            )
        return f"(equal({self.value(left)}, {self.value(right)}) is {positive})"

    def _membership(self, args: tuple[Node, ...], wanted: bool) -> str:
        held = self.temporary()
        literals = [
            a for a in args[1:] if isinstance(a, Literal) and isinstance(a.value, str) and number(a.value) is None
        ]
        if len(literals) == len(args) - 1:
            words = self.constant(frozenset(str(a.value) for a in literals))
            found = f"({held} in {words} if {held}.__class__ is str else any(m in {words} for m in members({held})))"
        else:
            found = "(" + " or ".join(f"equal({held}, {self.value(a)}) is True" for a in args[1:]) + ")"
        return f"(({held} := {self.value(args[0])}) is not None and {'' if wanted else 'not '}{found})"


def _rounded_down(node: Call) -> Optional[tuple[Node, int]]:
    """x and 900 of `floor(x/900)*900`, which is asked of every event."""
    if node.name != "*" or not isinstance(node.args[0], Call) or node.args[0].name != "floor":
        return None
    inner, step = node.args[0].args[0], _value(node.args[1])
    if not isinstance(inner, Call) or not inner.operator or inner.name != "/" or _value(inner.args[1]) != step:
        return None
    return (inner.args[0], step) if isinstance(step, int) and step > 0 else None


def _value(node: Node) -> Any:
    return node.value if isinstance(node, Literal) else None


def _round_down(value: Any, step: int) -> Any:
    """`floor(value/step)*step`."""
    found = number(value)
    if found is None:
        return None
    if -1e15 < found < 1e15:
        return math.floor(found / step) * step
    return functions.arithmetic("*")(FUNCTIONS["floor"].run(functions.arithmetic("/")(found, step)), step)


def _any_text(value: Any, literal: str) -> bool:
    return value == literal or (type(value) is list and literal in value)


def _any_search(search: Callable[[str], Any], value: Any) -> bool:
    return any(search(v if type(v) is str else text(v)) is not None for v in members(value))


def _map_members(get: Callable[[str], Any], now: float, field: str, body: Callable[..., Any]) -> Any:
    out: list[Any] = []
    for member in members(get(field)):
        out.extend(members(body(lambda name, m=member: m if name == field else get(name), now)))
    return multivalue(out)


def _filter_members(get: Callable[[str], Any], now: float, field: str, body: Callable[..., Any]) -> Any:
    return multivalue(m for m in members(get(field)) if body(lambda name, m=m: m if name == field else get(name), now))


def check(node: Node) -> None:
    """Raises SplError for what is not understood."""
    Code().value(node)


def compile_value(node: Node) -> Callable[[Callable[[str], Any], float], Any]:
    """Tree → function (row.get, now) → value."""
    code = Code()
    source = code.value(node)
    exec(f"def run(g, now):\n    return {source}\n", code.names)  # noqa: S102
    return code.names["run"]  # type: ignore[no-any-return]


def compile_condition(node: Node) -> Callable[[list[Row], float], list[Row]]:
    """Tree → function (rows, now) → the rows for which it is true. Used by `where` and count(eval(…))."""
    code = Code()
    source = code.true(node)
    exec(f"def run(rows, now):\n    return [r for r in rows for g in (r.get,) if {source}]\n", code.names)  # noqa: S102
    return code.names["run"]  # type: ignore[no-any-return]


def evaluate_text(expression: str, now: float = 0.0, row: Optional[Row] = None) -> str:
    """Evaluate an expression without a row (iseval macros): its text."""
    result = compile_value(parse_eval(expression, command="eval macro"))((row or {}).get, now)
    return text(result)
