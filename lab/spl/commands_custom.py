"""The app's own commands, through the chunked protocol driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

from lab.spl.command import POSITION, Command, Run
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
    `subsearches`: those in its arguments, which run before it."""

    def __init__(self, segment: Segment, first: bool, subsearches: Optional[Subsearches] = None) -> None:
        super().__init__(segment.position)
        self.name = segment.name
        self.generating = first
        self._text = segment.args
        self._subsearches = subsearches

    def is_detached(self, engine: Engine) -> bool:
        return False

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        clean = [{k: v for k, v in r.items() if k != POSITION} if POSITION in r else r for r in rows]
        text = self._text if self._subsearches is None else self._subsearches.replaced(run)
        return run.engine.run_custom(self.name, split_arguments(text), None if self.generating else clean, run)
