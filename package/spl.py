"""Text for searches: how a text is quoted, and how a condition over fields reads in SPL.

A condition says the same in both languages. In SPL a comparison with a field that is not there is null, neither true
nor false; in ours what is absent is the empty text. So each leaf is written such that it is never null.
"""

from __future__ import annotations

import re
from typing import Collection, Iterator, Mapping

from cba.detection.condition import Call, Compare, Field, In, Junction, Literal, Node, Not, StartsWith
from cba.errors import DetectionError

TRUE, FALSE = "true()", "false()"


class Fields:
    """The fields of a source as conditions see them: those it gives, which of them are lists, and those that are the
    same in every event (`source_kind`). What it does not give is absent from every event."""

    def __init__(
        self, given: Collection[str], lists: Collection[str] = (), fixed: Mapping[str, str] | None = None
    ) -> None:
        self.given = frozenset(given)
        self.lists = frozenset(lists)
        self.fixed = dict(fixed or {})


def quoted(text: str) -> str:
    """A text as a string of eval. Raises DetectionError for what Splunk would read as something else: a backtick begins
    a macro even within quotes, and a dollar sign a token."""
    for sign, meaning in (("`", "a macro"), ("$", "a token"), ("\n", "a new line"), ("\r", "a new line")):
        if sign in text:
            raise DetectionError("", f"{text!r} cannot stand in a search: {sign!r} would be read as {meaning}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def condition_spl(node: Node, fields: Fields) -> str:
    """The condition as an expression of eval that is true or false, never null. Raises DetectionError for what only a
    row can answer."""
    return _Writer(fields).write(node)


class _Writer:
    def __init__(self, fields: Fields) -> None:
        self.fields = fields

    def write(self, node: Node) -> str:
        if isinstance(node, Junction):
            return self._junction(node)
        if isinstance(node, Not):
            inner = self.write(node.inner)
            return {TRUE: FALSE, FALSE: TRUE}.get(inner, f"NOT ({inner})")
        if isinstance(node, Call) and node.name == "present":
            return self._present(node.arguments[0])
        if isinstance(node, Compare):
            return self._compare(node)
        if isinstance(node, In):
            choices = ", ".join(quoted(choice) for choice in node.choices)
            return f"in({self._text(node.left)}, {choices})"
        if isinstance(node, StartsWith):
            # Splunk's like() has wildcards; substr() takes the prefix as it is.
            return f"substr({self._text(node.left)}, 1, {len(node.prefix)})=={quoted(node.prefix)}"
        raise DetectionError("", f"{node} cannot be asked of an event: present(field), ==, !=, in, starts with can")

    def _junction(self, node: Junction) -> str:
        """`and` and `or`, without parts that are always true or always false."""
        settles, idle = (FALSE, TRUE) if node.word == "and" else (TRUE, FALSE)
        parts = [part for part in dict.fromkeys(map(self.write, _flat(node))) if part != idle]
        if settles in parts:
            return settles
        if not parts:
            return idle
        if len(parts) == 1:
            return parts[0]
        return "(" + f" {node.word.upper()} ".join(parts) + ")"

    def _present(self, name: str) -> str:
        if name in self.fields.fixed:
            return TRUE if self.fields.fixed[name] else FALSE
        return f"isnotnull({name})" if name in self.fields.given else FALSE

    def _compare(self, node: Compare) -> str:
        if node.operator not in ("==", "!="):
            raise DetectionError("", f"{node} cannot be asked of an event, only == and !=")
        if isinstance(node.left, Field) and isinstance(node.right, Literal) and self._known(node.left.name) is not None:
            same = self._known(node.left.name) == str(node.right.value)
            return TRUE if same is (node.operator == "==") else FALSE
        return f"{self._text(node.left)}{node.operator}{self._text(node.right)}"

    def _known(self, name: str) -> str | None:
        """The value of a field that is the same in every event."""
        if name in self.fields.fixed:
            return self.fields.fixed[name]
        return None if name in self.fields.given else ""

    def _text(self, node: Node) -> str:
        if isinstance(node, Literal):
            return quoted(str(node.value))
        if not isinstance(node, Field):
            raise DetectionError("", f"{node} cannot be compared in an event, only fields and texts")
        if node.name in self.fields.lists:
            raise DetectionError("", f"{node.name} is a list, of which only present({node.name}) can be asked")
        known = self._known(node.name)
        return quoted(known) if known is not None else f'coalesce({node.name}, "")'


def _flat(node: Junction) -> Iterator[Node]:
    """The parts of an `and`, and those of each `and` among them."""
    for part in node.parts:
        if isinstance(part, Junction) and part.word == node.word:
            yield from _flat(part)
        else:
            yield part


_QUOTED_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|, +(?=[^\\\s])')


def compact(text: str) -> str:
    """The same SPL without blanks behind commas, but for those in quotes: a source's search has hundreds of them, and a
    search head has to parse it each quarter of an hour."""
    return _QUOTED_OR_COMMA.sub(lambda found: "," if found.group().startswith(",") else found.group(), text)
