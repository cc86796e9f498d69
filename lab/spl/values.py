"""Field values: text, numbers and multivalues, and how Splunk converts and compares them.

A value is `str | int | float | list[str]`; a missing key of a row is null (None inside expressions). Lists have at
least two members and are never changed in place, so rows may share them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Iterable, List, Optional, Union

Value = Union[str, int, float, List[str]]
Row = dict[str, Any]
Number = Union[int, float]

_NUMERIC = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z").match
_WHOLE = re.compile(r"[+-]?\d+\Z").match


def text(value: Any) -> str:
    """The text Splunk shows: whole floats without a fraction, a multivalue joined by line breaks."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is float:
        if value == int(value) if abs(value) < 1e15 else False:
            return str(int(value))
        return repr(value)
    if kind is bool:
        return "True" if value else "False"
    if kind is list:
        return "\n".join(text(v) for v in value)
    return "" if value is None else str(value)


def number(value: Any) -> Optional[Number]:
    """The number a value stands for, or None. Text counts when all of it is a decimal number."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    return _parsed(value) if kind is str else None


@lru_cache(maxsize=1 << 16)
def _parsed(value: str) -> Optional[Number]:
    if _NUMERIC(value):
        return int(value) if _WHOLE(value) else float(value)
    return None


def tidy(value: Number) -> Number:
    """Whole results as int, so that 10/2 reads 5."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def multivalue(values: Iterable[Any]) -> Any:
    """None, the one value, or a list of texts."""
    out = [v if type(v) is str else text(v) for v in values]
    if not out:
        return None
    return out[0] if len(out) == 1 else out


def members(value: Any) -> list[Any]:
    """A value as a list of its members; null has none."""
    if value is None:
        return []
    return value if type(value) is list else [value]


def equal(left: Any, right: Any) -> Optional[bool]:
    """eval `=`: case-sensitive, numbers by value, any member of a multivalue; None when a side is null."""
    if left is None or right is None:
        return None
    if type(left) is list or type(right) is list:
        return any(equal(a, b) for a in members(left) for b in members(right))
    if left == right:
        return True
    a, b = number(left), number(right)
    return a is not None and b is not None and a == b


def compare(left: Any, operator: str, right: Any) -> Optional[bool]:
    """eval `<`, `<=`, `>`, `>=`: numbers by value when both are numbers, else text in code point order."""
    if left is None or right is None:
        return None
    if type(left) is list or type(right) is list:
        return any(compare(a, operator, b) for a in members(left) for b in members(right))
    a: Any = number(left)
    b: Any = number(right)
    if a is None or b is None:
        a, b = text(left), text(right)
    if operator == "<":
        return bool(a < b)
    if operator == "<=":
        return bool(a <= b)
    if operator == ">":
        return bool(a > b)
    return bool(a >= b)


def sort_key(value: Any) -> tuple[int, Any]:
    """Order for `sort` and group keys: numbers by value before text in code point order; null last."""
    if value is None:
        return (2, "")
    if type(value) is list:
        value = value[0]
    as_number = number(value)
    return (0, as_number) if as_number is not None else (1, value)
