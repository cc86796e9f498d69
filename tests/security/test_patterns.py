"""Every regular expression of the app's Python against long texts of the kinds that make such expressions slow."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from typing import Iterator

import pytest

import cba
from cba.settings import TABS, Text
from lab.replay import APP_DIR
from tests.security.limits import TooLong, within

LENGTH = 60_000
UNITS = ["a", "1.", ":", "a:", "[", "/", " ", "\t", '"', "-", "0", "a,", "a-", "1", ".", "$", "$$", "_@", "a@b.", "\n", " ,", "\\", '\\"',
         "0123abcd-", "//", "a.", "*.", "=", "a=b ", "(", ")", "NOT ", "é", "\0", "a/*", "A1", "%41", "arn:aws:iam::1:role/", "a|"]  # fmt: skip
ENDS = ["", "!", "x", "\n"]


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Those that modules of the app keep, and those of the settings."""
    for module in pkgutil.walk_packages(cba.__path__, "cba."):
        found = importlib.import_module(module.name)
        for name, value in vars(found).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{module.name}.{name}", value
    for tab in TABS:
        for setting in tab.settings:
            if isinstance(setting, Text):
                yield f"setting {setting.key}", re.compile(setting.pattern)


FOUND = {pattern.pattern: (name, pattern) for name, pattern in patterns()}


@pytest.mark.parametrize("source", FOUND, ids=[name for name, _pattern in FOUND.values()])
def test_a_pattern_takes_time_by_the_length_of_the_text(source: str) -> None:
    name, pattern = FOUND[source]
    looks = ("match", "fullmatch", "search") if is_searched(name) else ("match", "fullmatch")
    for unit in UNITS:
        for end in ENDS:
            text = unit * (LENGTH // len(unit)) + end
            for look in looks:
                try:
                    with within(1.0):
                        getattr(pattern, look)(text)
                except TooLong:
                    raise AssertionError(f"{name}.{look}: {unit!r}, then {end!r}") from None


def is_searched(name: str) -> bool:
    """Whether the app looks for the pattern anywhere in a text (search, sub, split, findall, finditer)."""
    module, _, attribute = name.rpartition(".")
    if module not in sys.modules:
        return False
    used = re.compile(rf"\b{re.escape(attribute)}\.(search|sub|split|findall|finditer)\b")
    return any(used.search(file.read_text("utf-8")) for file in (APP_DIR / "bin").rglob("*.py"))
