"""A base search with [subsearches]: they run first, and their results stand in their place as search text.

Sources: https://help.splunk.com/en/splunk-enterprise/search/search-manual/10.0/subsearches,
https://help.splunk.com/en/splunk-enterprise/search/search-manual/9.2/subsearches/change-the-format-of-subsearch-results
and https://help.splunk.com/splunk-cloud-platform/spl-search-reference/10.0.2503/search-commands/format
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Sequence

from lab.errors import SplError
from lab.spl.command import POSITION, Command, Run, Wanted
from lab.spl.text import Segment
from lab.spl.values import Row, members, text

if TYPE_CHECKING:
    from lab.spl.plan import Plan

MAXOUT = 10_000
"""limits.conf [subsearch] maxout: a subsearch returns that many results at most."""
PLACEHOLDER = "( )"
"""What stands for a subsearch while a search is checked and has not run."""
VERBATIM = ("search", "query")
"""Fields whose values are search text."""
NOTHING_FOUND = "NOT ( )"

_RETURNED = re.compile(r"(?:1\s+)?\$(\w+)", re.ASCII)


@dataclass(frozen=True)
class Subsearches:
    """The subsearches of a base search, and the texts around them."""

    texts: Sequence[str]
    plans: Sequence[Plan]

    def placeholders(self) -> str:
        """The base search without them."""
        return PLACEHOLDER.join(self.texts)

    def replaced(self, run: Run) -> str:
        """The base search with what they find. They look at the time range that the whole search was dispatched with,
        as jobs of their own."""
        found = (_found(plan, run) for plan in self.plans)
        return "".join(itertools.chain(*zip(self.texts, found), self.texts[-1:]))


def _found(plan: Plan, run: Run) -> str:
    """What a subsearch finds, as text. One that ends in `return` has said it already."""
    rows = plan.run(run.of_subsearch())
    if plan.commands and isinstance(plan.commands[-1], Return):
        return text(rows[0]["search"]) if rows else ""
    return formatted(rows[:MAXOUT])


class Return(Command):
    """`return $field`: the field's value of the first result, as it is, in the place of the subsearch.

    The other forms of the command are not known to the lab.
    https://help.splunk.com/splunk-enterprise/spl-search-reference/9.2/search-commands/return; that it makes an
    argument of a command:
    https://community.splunk.com/t5/Splunk-Search/Subsecond-minspan-in-auto-span-timechart/td-p/338355
    """

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.position)
        named = _RETURNED.fullmatch(segment.args.strip())
        if named is None:
            raise SplError("the lab knows `return $field` only.", position=segment.args_position)
        self._field = named[1]

    def bind(self, wanted: Wanted) -> Wanted:
        return frozenset({self._field})

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        return ["search"]

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        return [{"search": text(row[self._field])} for row in rows[:1] if row.get(self._field) is not None]


def formatted(rows: Sequence[Row]) -> str:
    """Results as the implicit `format` writes them.

    >>> formatted([{"host": "a", "n": 1, "_time": 5}, {"host": ["b", "c"]}])
    '( ( host="a" AND n="1" ) OR ( ( host="b" OR host="c" ) ) )'
    >>> formatted([{"search": "earliest=1 latest=2"}])
    '( ( earliest=1 latest=2 ) )'
    """
    lines = [" AND ".join(_terms(row)) for row in rows]
    lines = [f"( {line} )" for line in lines if line]
    return f"( {' OR '.join(lines)} )" if lines else NOTHING_FOUND


def _terms(row: Row) -> list[str]:
    terms = []
    for name, value in row.items():
        if name == POSITION or name.startswith("_") or value is None:
            continue
        written = [text(m) if name in VERBATIM else _equals(name, text(m)) for m in members(value)]
        terms.append(written[0] if len(written) == 1 else f"( {' OR '.join(written)} )")
    return terms


def _equals(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
