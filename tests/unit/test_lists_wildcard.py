"""Patterns with `*`: as a regular expression would say, but in a time that grows with the text alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.lists.wildcard import Wildcard

PATTERNS = st.text("ab*\\", max_size=12)
TEXTS = st.text("ab*\\", max_size=14)


def oracle(pattern: str, text: str) -> bool:
    """The same by a regular expression, which the app itself never makes of what people write."""
    parts = re.findall(r"\\[*\\]|\*|[^*]", pattern, re.DOTALL)
    body = "".join(".*" if part == "*" else re.escape(part[-1] if part in (r"\*", r"\\") else part) for part in parts)
    return re.fullmatch(body, text, re.DOTALL) is not None


@given(PATTERNS, TEXTS)
def test_it_matches_what_a_regular_expression_matches(pattern: str, text: str) -> None:
    assert Wildcard(pattern).matches(text) is oracle(pattern, text)


@given(st.text(max_size=20))
def test_a_text_without_stars_and_backslashes_matches_itself_alone(text: str) -> None:
    plain = text.replace("*", "").replace("\\", "")
    assert Wildcard(plain).matches(plain)
    assert not Wildcard(plain).matches(plain + "x")
    assert Wildcard(plain).literal == plain


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "x", False),
        ("ab*ba", "aba", False),
        ("a*b*c", "a-b-b-c", True),
        ("*admin*", "the-admin-role", True),
        (r"corp\svc-*", r"corp\svc-1", True),
        (r"100\*", "100*", True),
        (r"100\*", "1000", False),
        ("line*end", "line\nbreak\nend", True),
    ],
)
def test_by_example(pattern: str, text: str, matches: bool) -> None:
    assert Wildcard(pattern).matches(text) is matches


def test_nothing_explodes() -> None:
    """A regular expression that tries every way needs hours for this."""
    pattern = Wildcard("*a" * 30 + "*b")
    started = time.perf_counter()
    assert not pattern.matches("a" * 100_000)
    assert time.perf_counter() - started < 0.5
