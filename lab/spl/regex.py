"""PCRE as searches write it → Python `re`. What cannot be translated is an error, never a different match."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable

from lab.errors import SplError

_FLAGS = re.compile(r"\(\?([imsx]+)\)")
_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
_POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
    "space": r"\s", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "word": r"\w",
}  # fmt: skip


@lru_cache(maxsize=4096)
def compile_regex(pattern: str) -> re.Pattern[str]:
    """Compile a PCRE pattern: ``(?<name>`` groups, inline flags anywhere, POSIX classes, ``\\h``."""
    flags = "".join(sorted(set("".join(_FLAGS.findall(pattern)))))
    body = _NAMED.sub("(?P<", _FLAGS.sub("", pattern))
    for name, chars in _POSIX.items():
        body = body.replace(f"[:{name}:]", chars)
    body = body.replace(r"\h", r"[ \t]").replace(r"\z", r"\Z")
    try:
        return re.compile(f"(?{flags}){body}" if flags else body)
    except re.error as problem:
        raise SplError(f"regular expression {pattern!r} does not compile: {problem}.") from None


@lru_cache(maxsize=4096)
def wildcard(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A `*` pattern as a regex over the whole value. A backslash makes the next star or backslash literal."""
    out = []
    n = 0
    while n < len(pattern):
        char = pattern[n]
        if char == "\\" and n + 1 < len(pattern) and pattern[n + 1] in "*\\":
            out.append(re.escape(pattern[n + 1]))
            n += 2
            continue
        out.append(".*" if char == "*" else re.escape(char))
        n += 1
    return re.compile("".join(out) + r"\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache(maxsize=4096)
def like_test(pattern: str) -> Callable[[str], bool]:
    """SQL LIKE: `%` any text, `_` one character, case-sensitive. The common shapes need no regex."""
    core = pattern.strip("%")
    if "%" in core or "_" in core or not core:
        body = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
        match = re.compile(body + r"\Z", re.DOTALL).match
        return lambda value: match(value) is not None
    if pattern.startswith("%"):
        return (lambda value: core in value) if pattern.endswith("%") else (lambda value: value.endswith(core))
    return (lambda value: value.startswith(core)) if pattern.endswith("%") else core.__eq__
