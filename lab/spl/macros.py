"""Macro expansion: textual, before parsing, nested, with arguments and arity overloading.

Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Definesearchmacros and macros.conf.spec
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from lab.conf import AppConf, Macro
from lab.errors import SplError
from lab.spl.text import Cursor, strip_comments, unquote

MAX_DEPTH = 100


@dataclass(frozen=True)
class Expanded:
    """Expanded text and, for error messages, which macro each part came from: (start, end, macro), inner last."""

    text: str
    origins: tuple[tuple[int, int, Macro], ...]

    def origin(self, position: int) -> Optional[Macro]:
        found = None
        for start, end, macro in self.origins:
            if start <= position < end:
                found = macro
        return found


def expand(text: str, app: AppConf, evaluate: Callable[[str], str], depth: int = 0) -> Expanded:
    """Replace every `` `name(args)` `` outside quotes. `evaluate` computes an iseval/validation expression to text."""
    if depth > MAX_DEPTH:
        raise SplError(f"macros nest deeper than {MAX_DEPTH}: does one of them call itself?")
    text = strip_comments(text)
    if "`" not in text:
        return Expanded(text, ())
    out: list[str] = []
    origins: list[tuple[int, int, Macro]] = []
    length = 0
    cursor = Cursor(text)
    plain = 0
    while cursor.at < len(text):
        char = text[cursor.at]
        if char == '"':
            cursor.skip_quoted()
            continue
        if char != "`":
            cursor.at += 1
            continue
        end = _closing(text, cursor.at)
        out.append(text[plain : cursor.at])
        length += cursor.at - plain
        macro, body = _call(text[cursor.at + 1 : end], cursor.at, app, evaluate)
        inner = expand(body, app, evaluate, depth + 1)
        origins.append((length, length + len(inner.text), macro))
        origins.extend((length + a, length + b, m) for a, b, m in inner.origins)
        out.append(inner.text)
        length += len(inner.text)
        cursor.at = plain = end + 1
    out.append(text[plain:])
    return Expanded("".join(out), tuple(origins))


def _closing(text: str, start: int) -> int:
    cursor = Cursor(text, start + 1)
    while cursor.at < len(text):
        if text[cursor.at] == '"':
            cursor.skip_quoted()
        elif text[cursor.at] == "`":
            return cursor.at
        else:
            cursor.at += 1
    raise SplError("macro opened by ` is not closed.", position=start)


def _call(call: str, position: int, app: AppConf, evaluate: Callable[[str], str]) -> tuple[Macro, str]:
    name, parenthesis, rest = call.strip().partition("(")
    name = name.strip()
    args: list[str] = []
    if parenthesis:
        if not rest.rstrip().endswith(")"):
            raise SplError(f"macro `{call}`: ')' missing.", position=position)
        args = split_arguments(rest.rstrip()[:-1])
    macro = app.macros.get((name, len(args)))
    if macro is None:
        arities = sorted(n for m, n in app.macros if m == name)
        hint = f"it is defined with {arities} argument(s)" if arities else "add it to default/macros.conf"
        raise SplError(f"unknown macro `{name}` with {len(args)} argument(s): {hint}.", position=position)
    body, validation = macro.definition, macro.validation
    # `name(key=value)` is accepted for named arguments when all of them are named.
    for parameter, value in _bind(macro, args):
        body = body.replace(f"${parameter}$", value)
        validation = validation.replace(f"${parameter}$", value)
    if validation and evaluate(validation).lower() not in ("true", "1"):
        raise SplError(f"macro `{name}`: {macro.errormsg or 'validation failed: ' + validation}", position=position)
    return macro, evaluate(body) if macro.iseval else body


def _bind(macro: Macro, args: list[str]) -> list[tuple[str, str]]:
    named = [a.partition("=") for a in args]
    if args and all(eq and key.strip() in macro.args for key, eq, _ in named):
        return [(key.strip(), value.strip()) for key, _, value in named]
    return list(zip(macro.args, args))


def split_arguments(text: str) -> list[str]:
    """Arguments at top-level commas; surrounding double quotes are dropped, so a quoted argument may hold commas."""
    if not text.strip():
        return []
    args: list[str] = []
    cursor = Cursor(text)
    start = depth = 0
    while cursor.at < len(text):
        char = text[cursor.at]
        if char == '"':
            cursor.skip_quoted()
            continue
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 0:
            args.append(text[start : cursor.at])
            start = cursor.at + 1
        cursor.at += 1
    args.append(text[start:])
    trimmed = [a.strip() for a in args]
    return [unquote(a) if len(a) > 1 and a[0] == a[-1] == '"' else a for a in trimmed]
