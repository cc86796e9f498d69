"""Whether a text is search terms and nothing but search terms, so that it can go between others.

The grammar is that of the search command: words, "phrases", comparisons, field IN (…), NOT, OR, AND, parentheses.
https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Search
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

_DEEPEST = 50

# A backslash outside of quotes stands before another or inside of a word (CORP\\ann, a\b); before a quotation mark, a
# parenthesis or at the end it would be read differently by different hands.
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<op><=|>=|!=|=|<|>)
      | (?P<punct>[(),])
      | (?P<word>(?:[^\s()"=<>!,\\]|!(?!=)|\\\\|\\(?=[^\s()"=<>!,\\]))+)
    """,
    re.VERBOSE,
)
_TIME = re.compile(
    r"(_index_)?(earliest|latest)|(start|end)?(days|hours|minutes|months)ago|(start|end)timeu?|timeformat"
    r"|searchtimespan(days|hours|minutes|months)",
    re.ASCII | re.IGNORECASE,
)


class _Token(NamedTuple):
    kind: str
    text: str


class _Fault(Exception):
    """What is wrong, in words."""


def fault(terms: str) -> Optional[str]:
    """What is wrong with search terms that go between other terms, or None."""
    try:
        reader = _Reader(_tokens(terms))
        reader.conjunction(0)
        if reader.next() is not None:
            raise _Fault('a ")" closes nothing.')
    except _Fault as problem:
        return str(problem)
    return None


def _tokens(terms: str) -> List[_Token]:
    found, at = [], 0
    while at < len(terms):
        match = _TOKEN.match(terms, at)
        if match is None:
            rest = terms[at : at + 20]
            if rest[0] == '"':
                raise _Fault("a quotation mark is not closed.")
            if rest[0] == "\\":
                raise _Fault(f"a backslash stands before something else than a letter ({rest!r}); write it in quotes.")
            raise _Fault(f"{rest!r} cannot be read.")
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group()))
        at = match.end()
    return found


class _Reader:
    """Walks the tokens once, by the grammar; finds nothing but faults."""

    def __init__(self, tokens: List[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def next(self, ahead: int = 0) -> Optional[_Token]:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def took(self, *texts: str) -> bool:
        token = self.next()
        if token is not None and token.kind != "string" and token.text in texts:
            self.at += 1
            return True
        return False

    def conjunction(self, depth: int) -> None:
        self.disjunction(depth)
        while (token := self.next()) is not None and token != _Token("punct", ")"):
            self.took("AND")
            self.disjunction(depth)

    def disjunction(self, depth: int) -> None:
        self.term(depth)
        while self.took("OR"):
            self.term(depth)

    def term(self, depth: int) -> None:
        while self.took("NOT"):
            pass
        if self.took("("):
            if depth >= _DEEPEST:
                raise _Fault(f"parentheses are nested more than {_DEEPEST} deep.")
            self.conjunction(depth + 1)
            if not self.took(")"):
                raise _Fault('a "(" is not closed.')
            return
        token = self.next()
        if token is None or token.text in ("AND", "OR", ")"):
            raise _Fault("a term is missing: AND, OR and NOT, and parentheses, need terms.")
        if token.kind in ("op", "punct"):
            raise _Fault(f"{token.text!r} stands where a term is needed.")
        self.at += 1
        self.rest_of_term(token)

    def rest_of_term(self, first: _Token) -> None:
        """What follows a word or phrase that belongs to it."""
        following = self.next()
        if following is not None and following.kind == "op":
            self.at += 1
            self.field(first)
            self.value(f"{first.text}{following.text}")
        elif following == _Token("word", "IN") and self.next(1) == _Token("punct", "("):
            self.at += 2
            self.field(first)
            self.values(first)
        elif first.text in ("TERM", "CASE") and self.took("("):
            self.value(first.text)
            if not self.took(")"):
                raise _Fault(f"{first.text} takes one word in parentheses.")

    def field(self, token: _Token) -> None:
        if _TIME.fullmatch(token.text.strip('"')):
            raise _Fault(f"{token.text} would change the time range of every search of the source.")

    def value(self, after: str) -> None:
        token = self.next()
        if token is None or token.kind not in ("word", "string"):
            raise _Fault(f"a value is missing after {after!r}.")
        self.at += 1

    def values(self, field: _Token) -> None:
        self.value(f"{field.text} IN (")
        while not self.took(")"):
            self.took(",")
            self.value(f"{field.text} IN (")
