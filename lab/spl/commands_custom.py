"""The app's own commands, through the chunked protocol driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Collection, Mapping, Optional

from lab.errors import SplError
from lab.spl.command import POSITION, Command, Members, Run, Wanted
from lab.spl.text import Segment, unquote
from lab.spl.values import Row

if TYPE_CHECKING:
    from lab.spl.engine import Engine
    from lab.spl.subsearch import Subsearches

_ARGUMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def split_arguments(args: str) -> list[str]:
    """Arguments as splunkd passes them: split at blanks outside quotes, quotes taken off (``a="b c"`` → ``a=b c``)."""
    return [_QUOTED.sub(lambda m: unquote(m.group()), word) for word in _ARGUMENT.findall(args)]


class Custom(Command):
    """A command of commands.conf. `first`: it stands at the start of the pipeline and generates its rows.
    `subsearches`: those in its arguments, which run before it.

    `configuration` is its answer to getinfo, known where it matters: one of type "streaming" works on each event by
    itself, wherever the event is (https://help.splunk.com/splunk-enterprise/search/spl-search-reference/10.0/quick-reference/command-types,
    "distributable streaming"). So it may be run by another process, and once for many equal events.
    """

    def __init__(
        self,
        segment: Segment,
        first: bool,
        configuration: Mapping[str, Any],
        subsearches: Optional[Subsearches] = None,
    ) -> None:
        super().__init__(segment.position)
        self.name = segment.name
        self.generating = first
        self._text = segment.args
        self._subsearches = subsearches
        required = configuration.get("required_fields") or ["*"]
        self.row_wise = configuration.get("type") == "streaming" and "*" not in required
        self._required = frozenset(required) if self.row_wise else frozenset()

    def bind(self, wanted: Wanted) -> Wanted:
        return self.with_fields(wanted, self._required) if self.row_wise else None

    def touched(self, names: Collection[str]) -> Optional[Collection[str]]:
        return self._required.intersection(names) if self.row_wise else None

    def is_detached(self, engine: Engine) -> bool:
        return self.row_wise

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        if not self.row_wise:
            rows = [{k: v for k, v in r.items() if k != POSITION} if POSITION in r else r for r in rows]
        text = self._text if self._subsearches is None else self._subsearches.replaced(run)
        answer = run.engine.run_custom(self.name, split_arguments(text), None if self.generating else rows, run)
        for row in answer if self.row_wise else ():
            members = row.get(POSITION)
            if members.__class__ is Members and not row.keys().isdisjoint(row[POSITION].places):
                raise SplError(f"{self.name}: adds a field that events of one kind differ in; the lab cannot run that.")
        return answer
