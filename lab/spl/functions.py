"""The eval functions on values. Every function takes plain values (None is null) and returns one.

Text functions apply to each member of a multivalue. Functions that need lazy arguments (if, case, coalesce, mvmap …)
live in evalcompile.py. Source of all:
https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/CommonEvalFunctions
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Optional
from urllib.parse import unquote as url_unquote

from lab.errors import SplError
from lab.spl import jsonfields, times
from lab.spl.regex import compile_regex, like_test
from lab.spl.values import compare, members, multivalue, number, sort_key, text, tidy


@dataclass(frozen=True)
class Function:
    """`run` gets the evaluated arguments. `boolean`: its result is a condition. `heavy`: worth memoising."""

    run: Callable[..., Any]
    least: int
    most: int
    boolean: bool = False
    heavy: bool = False


FUNCTIONS: dict[str, Function] = {}


def _add(
    name: str, least: int, most: Optional[int] = None, *, boolean: bool = False, heavy: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[name] = Function(run, least, least if most is None else most, boolean, heavy)
        return run

    return register


add_function = _add


def _each(change: Callable[..., Any]) -> Callable[..., Any]:
    """Lift a function of one text (and constants) over null and multivalues."""

    def run(value: Any, *rest: Any) -> Any:
        if value is None:
            return None
        if type(value) is list:
            return multivalue(found for v in value if (found := change(text(v), *rest)) is not None)
        return change(value if type(value) is str else text(value), *rest)

    return run


def _single(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that Splunk documents as not supported on multivalue fields: the lab refuses those.
    https://help.splunk.com/splunk-enterprise/spl-search-reference/10.0/evaluation-functions/text-functions"""

    def run(value: Any, *rest: Any) -> Any:
        if value is None:
            return None
        if type(value) is list:
            raise SplError(f"{name}() is not supported on multivalue fields: use mvmap() or mvjoin().")
        return change(value if type(value) is str else text(value), *rest)

    return run


MANY = 10_000
_add("lower", 1)(_each(str.lower))
_add("upper", 1)(_each(str.upper))
_add("len", 1)(_single("len", len))
_add("urldecode", 1, heavy=True)(_single("urldecode", url_unquote))
_add("md5", 1, heavy=True)(_each(lambda s: hashlib.md5(s.encode("utf-8")).hexdigest()))  # noqa: S324 (SPL's md5)
_add("sha1", 1, heavy=True)(_each(lambda s: hashlib.sha1(s.encode("utf-8")).hexdigest()))  # noqa: S324
_add("sha256", 1, heavy=True)(_each(lambda s: hashlib.sha256(s.encode("utf-8")).hexdigest()))
_add("trim", 1, 2)(_single("trim", lambda s, chars=" \t": s.strip(text(chars))))
_add("ltrim", 1, 2)(_single("ltrim", lambda s, chars=" \t": s.lstrip(text(chars))))
_add("rtrim", 1, 2)(_single("rtrim", lambda s, chars=" \t": s.rstrip(text(chars))))


@_add("match", 2, boolean=True, heavy=True)
def match(value: Any, pattern: Any) -> Optional[bool]:
    """True when the regex is found anywhere in the text (of any member)."""
    if value is None or pattern is None:
        return None
    search = compile_regex(text(pattern)).search
    return any(search(text(v)) is not None for v in members(value))


@_add("like", 2, boolean=True, heavy=True)
def like(value: Any, pattern: Any) -> Optional[bool]:
    if value is None or pattern is None:
        return None
    matches = like_test(pattern if type(pattern) is str else text(pattern))
    if type(value) is str:
        return matches(value)
    return any(matches(text(v)) for v in members(value))


_TEMPLATE = re.compile(r"\\(\d)|\\(.)")


def expand_template(found: re.Match[str], template: str) -> str:
    """``\\1`` in a replacement text; an unmatched group is empty."""

    def one(part: re.Match[str]) -> str:
        if not part[1]:
            return part[2]
        if int(part[1]) > found.re.groups:
            raise SplError(f"the replacement refers to group {part[0]}, the regular expression has {found.re.groups}.")
        return found.group(int(part[1])) or ""

    return _TEMPLATE.sub(one, template)


@_add("replace", 3, heavy=True)
def replace(value: Any, pattern: Any, replacement: Any) -> Any:
    if pattern is None or replacement is None:
        return None
    regex, template = compile_regex(text(pattern)), text(replacement)
    return _single("replace", lambda s: regex.sub(lambda m: expand_template(m, template), s))(value)


@_add("substr", 2, 3)
def substr(value: Any, start: Any, length: Any = None) -> Any:
    """`start` counts from 1; a negative start counts from the end."""
    begin, size = number(start), number(length)
    if begin is None or (length is not None and size is None):
        return None

    def cut(s: str) -> str:
        n = int(begin)
        at = n - 1 if n > 0 else max(len(s) + n, 0) if n < 0 else 0
        return s[at:] if size is None else s[at : at + max(int(size), 0)]

    return _single("substr", cut)(value)


@_add("split", 2)
def split(value: Any, delimiter: Any) -> Any:
    if value is None or delimiter is None:
        return None
    separator = text(delimiter)
    return multivalue(part for v in members(value) for part in (text(v).split(separator) if separator else text(v)))


@_add("mvindex", 2, 3)
def mvindex(value: Any, start: Any, end: Any = None) -> Any:
    """Member(s) by position from 0, negative from the end; None outside."""
    held, first = members(value), number(start)
    if not held or first is None:
        return None
    size = len(held)
    a = int(first) + (size if first < 0 else 0)
    if end is None:
        return held[a] if 0 <= a < size else None
    last = number(end)
    if last is None:
        return None
    b = int(last) + (size if last < 0 else 0)
    return multivalue(held[a : b + 1]) if 0 <= a <= b < size else None


@_add("mvcount", 1)
def mvcount(value: Any) -> Any:
    return len(members(value)) or None


@_add("mvappend", 1, MANY)
def mvappend(*values: Any) -> Any:
    return multivalue(m for v in values for m in members(v))


@_add("mvdedup", 1)
def mvdedup(value: Any) -> Any:
    return multivalue(dict.fromkeys(text(m) for m in members(value)))


@_add("mvsort", 1)
def mvsort(value: Any) -> Any:
    return multivalue(sorted(text(m) for m in members(value)))


@_add("mvjoin", 2)
def mvjoin(value: Any, delimiter: Any) -> Any:
    return None if value is None else text(delimiter).join(text(m) for m in members(value))


@_add("mvfind", 2, heavy=True)
def mvfind(value: Any, pattern: Any) -> Any:
    search = compile_regex(text(pattern)).search
    return next((n for n, m in enumerate(members(value)) if search(text(m))), None)


@_add("mvzip", 2, 3)
def mvzip(left: Any, right: Any, delimiter: Any = ",") -> Any:
    return multivalue(f"{text(a)}{text(delimiter)}{text(b)}" for a, b in zip(members(left), members(right)))


@lru_cache(maxsize=8192)
def network(cidr: str) -> Any:
    return ipaddress.ip_network(cidr.strip(), strict=False)


@lru_cache(maxsize=65536)
def address(ip: str) -> Any:
    try:
        return ipaddress.ip_address(ip.strip())
    except ValueError:
        return None


@_add("cidrmatch", 2, boolean=True, heavy=True)
def cidrmatch(cidr: Any, ip: Any) -> Optional[bool]:
    if cidr is None or ip is None:
        return None
    try:
        block = network(text(cidr))
    except ValueError:
        raise SplError(f"cidrmatch: '{text(cidr)}' is not a CIDR block.") from None
    return any((a := address(text(m))) is not None and a.version == block.version and a in block for m in members(ip))


def _within(compute: Callable[..., Any], *numbers: Any) -> Any:
    """The result of a computation; what no double can hold reads inf, -inf or nan, as the page of eval says."""
    try:
        result = compute(*numbers)
        if isinstance(result, complex):
            return "nan"
        return tidy(result) if math.isfinite(float(result)) else str(result)
    except OverflowError:
        return "-inf" if len(numbers) == 2 and numbers[0] < 0 and numbers[1] % 2 == 1 else "inf"
    except ZeroDivisionError:
        return None
    except ValueError:
        return "-inf" if compute is math.log and numbers[0] == 0 else "nan"


def _numeric(change: Callable[[Any], Any]) -> Callable[..., Any]:
    def run(value: Any) -> Any:
        n = number(value)
        return None if n is None else _within(change, n)

    return run


_add("floor", 1)(_numeric(math.floor))
_add("ceiling", 1)(_numeric(math.ceil))
_add("ceil", 1)(_numeric(math.ceil))
_add("abs", 1)(_numeric(abs))
_add("sqrt", 1)(_numeric(math.sqrt))
_add("exp", 1)(_numeric(math.exp))
_add("ln", 1)(_numeric(math.log))


@_add("log", 1, 2)
def log(value: Any, base: Any = 10) -> Any:
    n, b = number(value), number(base)
    return None if n is None or b is None else _within(math.log, n, b)


@_add("round", 1, 2)
def round_(value: Any, places: Any = 0) -> Any:
    """Half away from zero, as people round."""
    n, digits = number(value), number(places)
    if n is None or digits is None or abs(digits) > 300:
        return None
    scale = 10 ** int(digits)
    result = _within(lambda: math.copysign(math.floor(abs(n) * scale + 0.5) / scale, n))
    return int(result) if result is not None and int(digits) <= 0 else result


@_add("pow", 2)
def power(base: Any, exponent: Any) -> Any:
    a, b = number(base), number(exponent)
    return None if a is None or b is None else _within(lambda x, y: float(x) ** y, a, b)


@_add("min", 1, MANY)
def minimum(*values: Any) -> Any:
    """Smallest of all; numbers are smaller than text."""
    held = [m for v in values for m in members(v)]
    return min(held, key=sort_key) if held else None


@_add("max", 1, MANY)
def maximum(*values: Any) -> Any:
    held = [m for v in values for m in members(v)]
    return max(held, key=sort_key) if held else None


@_add("tonumber", 1, 2)
def tonumber(value: Any, base: Any = 10) -> Any:
    if value is None:
        return None
    if base == 10:
        return number(text(value).strip()) if type(value) is not list else None
    try:
        return int(text(value), int(base))
    except ValueError:
        return None


@_add("tostring", 1, 2)
def tostring(value: Any, style: Any = None) -> Any:
    """``"hex"``, ``"commas"`` and ``"duration"`` formats of numbers; a boolean reads True/False."""
    if value is None or type(value) is bool:
        return "Null" if value is None else ("True" if value else "False")
    n = number(value)
    if style is None or n is None:
        return value if type(value) is list else text(value)
    if style == "hex":
        return f"0x{int(n):X}"
    if style == "commas":
        return f"{n:,}" if type(n) is int else f"{n:,.2f}"
    if style == "duration":
        days, rest = divmod(int(n), 86400)
        clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
        return f"{days}+{clock}" if days else clock
    raise SplError(f"tostring: unknown format '{style}'. Known: hex, commas, duration.")


@_add("strptime", 2, heavy=True)
def strptime(value: Any, pattern: Any) -> Any:
    if value is None or pattern is None or type(value) is list:
        return None
    found = times.strptime(text(value), text(pattern))
    return None if found is None else tidy(found)


@_add("strftime", 2, heavy=True)
def strftime(value: Any, pattern: Any) -> Any:
    n = number(value)
    return None if n is None or pattern is None else times.strftime(n, text(pattern))


@_add("relative_time", 2)
def relative_time(value: Any, modifier: Any) -> Any:
    n = number(value)
    return None if n is None else tidy(times.relative_time(float(n), text(modifier)))


@_add("isint", 1, boolean=True)
def isint(value: Any) -> bool:
    return type(number(value)) is int


@_add("typeof", 1)
def typeof(value: Any) -> str:
    if value is None:
        return "Invalid"
    if type(value) is bool:
        return "Bool"
    return "Number" if number(value) is not None else "String"


@_add("nullif", 2)
def nullif(left: Any, right: Any) -> Any:
    return None if compare(left, "<=", right) and compare(left, ">=", right) else left


@_add("json_extract", 1, MANY, heavy=True)
def json_extract(value: Any, *paths: Any) -> Any:
    """The value at a path of a JSON text as a native type, JSON null as null, several matches as a JSON array.
    Several paths give a JSON array with an element for each, null for what is not there. Keys that hold dots are
    out of its reach."""
    document = jsonfields.parse(text(value)) if value is not None else None
    if document is None:
        return None
    found = [_only(jsonfields.compile_path(text(path), dotted=False)(document)) for path in paths]
    if len(paths) > 1:
        return jsonfields.json_text(found)
    return _native(found[0] if paths else document)


@_add("json_extract_exact", 1, MANY, heavy=True)
def json_extract_exact(value: Any, *keys: Any) -> Any:
    """The same of an object's own keys, taken literally."""
    document = jsonfields.parse(text(value)) if value is not None else None
    if not keys:
        return _native(document)
    if not isinstance(document, dict):
        return None
    found = [document.get(text(key)) for key in keys]
    return jsonfields.json_text(found) if len(keys) > 1 else _native(found[0])


def _only(found: list[Any]) -> Any:
    return found if len(found) > 1 else found[0] if found else None


def _native(found: Any) -> Any:
    return None if found is None else jsonfields.json_text(found)


@_add("json_array_to_mv", 1, 2, heavy=True)
def json_array_to_mv(value: Any, _quoted: Any = None) -> Any:
    document = jsonfields.parse(text(value)) if value is not None else None
    return multivalue(map(jsonfields.json_text, document)) if isinstance(document, list) else None


@_add("mv_to_json_array", 1, 2)
def mv_to_json_array(value: Any, infer_types: Any = None) -> Optional[str]:
    """The members of a multivalue as a JSON array of texts; with `infer_types` numbers, booleans and nulls are such."""
    if value is None:
        return None
    if infer_types:
        return "[" + ",".join(m if jsonfields.is_json(m) else _quoted_json(m) for m in map(text, members(value))) + "]"
    return "[" + ",".join(_quoted_json(text(m)) for m in members(value)) + "]"


def _quoted_json(plain: str) -> str:
    return json.dumps(plain, ensure_ascii=False)


@_add("json_keys", 1, heavy=True)
def json_keys(value: Any) -> Optional[str]:
    """The keys of a JSON object as a JSON array; null for anything else."""
    document = jsonfields.parse(text(value)) if value is not None else None
    return json.dumps(list(document), separators=(",", ":"), ensure_ascii=False) if isinstance(document, dict) else None


@_add("json_valid", 1, boolean=True, heavy=True)
def json_valid(value: Any) -> Optional[bool]:
    return None if value is None else jsonfields.parse(text(value)) is not None


@_add("json_object", 0, MANY)
def json_object(*pairs: Any) -> str:
    if len(pairs) % 2:
        raise SplError("json_object takes pairs of key and value.")
    return json.dumps(
        {text(k): _plain(v) for k, v in zip(pairs[::2], pairs[1::2])},
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _plain(value: Any) -> Any:
    return (
        value
        if type(value) in (int, float, bool) or value is None
        else text(value)
        if type(value) is not list
        else value
    )


@_add("spath", 2, heavy=True)
def spath(value: Any, path: Any) -> Any:
    """The eval form of spath: value(s) at one path as a (multi)value."""
    if type(value) is list:
        raise SplError("spath() is not supported on multivalue fields: use mvmap().")
    document = jsonfields.parse(text(value)) if value is not None else None
    if document is None:
        return None
    return multivalue(map(jsonfields.json_text, jsonfields.compile_path(text(path))(document)))


def add(left: Any, right: Any) -> Any:
    """`+` adds two numbers and concatenates two texts; anything else is null."""
    a, b = number(left), number(right)
    if a is not None and b is not None:
        return tidy(a + b)
    if type(left) is str and type(right) is str:
        return left + right
    return None


def _divide(a: Any, b: Any) -> Any:
    return _within(operator.truediv, a, b)


def _remainder(a: Any, b: Any) -> Any:
    return None if b == 0 else _within(math.fmod, a, b)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "-": lambda a, b: tidy(a - b),
    "*": lambda a, b: tidy(a * b),
    "/": _divide,
    "%": _remainder,
}


def arithmetic(symbol: str) -> Callable[[Any, Any], Any]:
    compute = _ARITHMETIC[symbol]

    def run(left: Any, right: Any) -> Any:
        a, b = number(left), number(right)
        if a is None or b is None:
            return None
        return compute(a, b)

    return run


def concat(left: Any, right: Any) -> Any:
    """`.` joins the texts of both sides; null when a side is."""
    if left is None or right is None:
        return None
    return text(left) + text(right)


def negate(value: Any) -> Any:
    n = number(value)
    return None if n is None else -n
