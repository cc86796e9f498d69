"""A base search with [subsearches]: they run first, and their results stand in their place as search text.

Sources: https://help.splunk.com/en/splunk-enterprise/search/search-manual/10.0/subsearches,
https://help.splunk.com/en/splunk-enterprise/search/search-manual/9.2/subsearches/change-the-format-of-subsearch-results
and https://help.splunk.com/splunk-cloud-platform/spl-search-reference/10.0.2503/search-commands/format
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Sequence

from lab.spl.command import POSITION, Run
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
        found = (formatted(plan.run(run.of_subsearch())[:MAXOUT]) for plan in self.plans)
        return "".join(itertools.chain(*zip(self.texts, found), self.texts[-1:]))


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
