"""Every regular expression of the shipped searches (rex, match, replace …) against long texts, as `test_patterns` for
Python. What takes more than linear time in Python's engine would in PCRE, where it ends at match_limit instead
(https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf, [rex]): the field would be missing."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.spl import commands_extract, evalcompile, functions
from lab.spl.regex import compile_regex
from tests.security.limits import TooLong, within
from tests.security.test_patterns import UNITS

LENGTH = 20_000
ENDS = ["", "!", "\nx"]


@lru_cache(maxsize=1)
def patterns(folder: Path) -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}

    def noted(pattern: str) -> re.Pattern[str]:
        return found.setdefault(pattern, compile_regex(pattern))

    with pytest.MonkeyPatch.context() as patch:
        for module in (commands_extract, evalcompile, functions):
            patch.setattr(module, "compile_regex", noted)
        with SearchHead(APP_DIR, folder) as head:
            for name, stanza in head.app.stanzas("savedsearches").items():
                head.engine.compile(stanza.get("search"), stanza=name)
    return found


def test_an_expression_of_a_search_takes_time_by_the_length_of_the_text(tmp_path: Path) -> None:
    found = patterns(tmp_path)
    assert len(found) > 50, "the searches have many"
    slow = {source: text for source, pattern in found.items() if (text := slow_text(source, pattern))}
    assert slow == {}


def slow_text(source: str, pattern: re.Pattern[str]) -> str:
    """The unit of a text for which it takes long, and what comes last; "" for none."""
    for unit in [*UNITS, "a1:", "a1", "a1!", *starts(source)]:
        for end in ENDS:
            try:
                with within(1.0):
                    pattern.search(unit * (LENGTH // len(unit)) + end)
            except TooLong:
                return f"{unit!r}, then {end!r}"
    return ""


def starts(source: str) -> list[str]:
    """Literal words of the pattern: texts that get far into it, again and again."""
    words = re.findall(r"[A-Za-z0-9_:/@=\"-]{2,}", source)
    return list(dict.fromkeys([*words[:4], "".join(words)[:60] or "a"]))


def test_the_test_finds_what_is_slow() -> None:
    with pytest.raises(TooLong), within(1.0):
        re.compile(r"(a+)+$").search("a" * LENGTH + "!")
