"""Patterns with `*`, matched in linear time: no regular expression, nothing is ever tried twice.

`*` stands for any text, none included; a backslash before a star or a backslash makes it a letter. All else is itself.
"""

from __future__ import annotations


class Wildcard:
    """A pattern over a whole text. Letter case is the caller's: fold pattern and text alike."""

    __slots__ = ("_first", "_last", "_middle", "_shortest", "literal")

    def __init__(self, pattern: str) -> None:
        parts = _literal_parts(pattern)
        self.literal = parts[0] if len(parts) == 1 else None
        """The only text that matches, where the pattern has no star."""
        self._first, self._last = parts[0], parts[-1]
        self._middle = [part for part in parts[1:-1] if part]
        self._shortest = sum(map(len, parts))

    def matches(self, text: str) -> bool:
        """Whether the whole text is as the pattern says.

        Between the first and the last part, each part is taken where it occurs first: if any choice fits, that does.
        """
        if self.literal is not None:
            return text == self.literal
        if len(text) < self._shortest or not text.startswith(self._first) or not text.endswith(self._last):
            return False
        at, end = len(self._first), len(text) - len(self._last)
        for part in self._middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


def _literal_parts(pattern: str) -> list[str]:
    """What stands before, between and after the stars."""
    parts = [""]
    letters = iter(range(len(pattern)))
    for index in letters:
        letter = pattern[index]
        if letter == "\\" and pattern[index + 1 : index + 2] in ("*", "\\"):
            parts[-1] += pattern[next(letters)]
        elif letter == "*":
            parts.append("")
        else:
            parts[-1] += letter
    return parts
