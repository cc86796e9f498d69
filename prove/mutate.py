"""Changed inputs out of good ones, from a seed: by letters, and by what stands in JSON."""

from __future__ import annotations

import json
import random
from typing import Any, Sequence

TOKENS = (
    "", "\0", "\n", "\r\n", "\r", ",", '"', '""', "'", "\\", "$", "$$", "$;$", ";", "|", "[", "]", "{", "}", "(", ")", "*",
    "?", "%", "%00", "%2f", "/", "..", "../", ":", "::", "@", "=", " ", "\t", "\u2028", "\ufeff", "\ud800", "\U0001f600", "é",
    "ß", "İ", "٣", "０", "-", "null", "NaN", "Infinity", "-0", "1e309", "9" * 40, "9007199254740993", "true", "<null>", "{0}", "%s",
    "a" * 300, "xn--", "0x10", "1_000", "1767225600", "0", "-1", "2^53", "__mv_", "_key", "schema", "not", "and", "or", "&x",
    "*x", "!!python/object/apply:os.system", "<<", "- ", ": ", "#", "---", "::1", "fe80::1%eth0", "10.0.0.0/8", "0.0.0.0/0",
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**53 + 1, -(2**63), 1e308, "", " ", "\0", "-", "null", "NaN", [], {}, [[]], {"": ""},
    "9" * 400, "\ud800", ["a", None], {"schema": 2}, "x" * 2_000,
)  # fmt: skip


def text(good: str, rng: random.Random) -> str:
    """One to four changes of a text."""
    for _change in range(rng.choice((1, 1, 1, 2, 3, 4))):
        at = rng.randint(0, len(good))
        to = min(len(good), at + rng.choice((0, 1, 1, 2, 5, 20, 200)))
        how = rng.randint(0, 6)
        if how == 0:
            good = good[:at]
        elif how == 1:
            good = good[:at] + good[to:]
        elif how == 2:
            good = good[:at] + good[at:to] * rng.choice((2, 3, 20)) + good[to:]
        elif how == 3:
            good = good[:at] + rng.choice(TOKENS) + good[at:]
        elif how == 4:
            good = good[:at] + rng.choice(TOKENS) + good[to:]
        elif how == 5:
            good = good[:at] + chr(rng.choice((rng.randint(0, 127), rng.randint(128, 0x2FFF)))) + good[at + 1 :]
        else:
            other = rng.randint(0, len(good))
            good = good[:at] + good[other : other + rng.randint(1, 60)] + good[at:]
        good = good[:20_000]
    return good


def value(good: Any, rng: random.Random) -> Any:
    """One change of what JSON holds: a leaf replaced, something left out, doubled, or nested deeper."""
    if isinstance(good, dict) and good and rng.random() < 0.9:
        name = rng.choice(list(good))
        how = rng.randint(0, 7)
        if how == 0:
            return {key: each for key, each in good.items() if key != name}
        if how == 1:
            return {**good, rng.choice(TOKENS): rng.choice(LEAVES)}
        if how == 2:
            return {**{key: each for key, each in good.items() if key != name}, text(name, rng): good[name]}
        return {**good, name: value(good[name], rng)}
    if isinstance(good, list) and good and rng.random() < 0.9:
        at = rng.randrange(len(good))
        return [*good[:at], value(good[at], rng), *good[at + rng.randint(0, 1) :]]
    how = rng.randint(0, 5)
    if isinstance(good, str) and how < 4:
        inner = _inner(good) if how < 2 else None
        return json.dumps(value(inner, rng)) if inner is not None else text(good, rng)
    if how == 4:
        return [good, rng.choice(LEAVES)]
    return rng.choice(LEAVES)


def _inner(good: str) -> Any:
    """JSON in a text."""
    if good[:1] not in ("{", "["):
        return None
    try:
        return json.loads(good)
    except (ValueError, RecursionError):
        return None


def pick(good: Sequence[Any], rng: random.Random) -> Any:
    return good[int(rng.random() * len(good))]
