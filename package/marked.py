"""What tools write into documents: the part between two lines that say so, for everything around it is written by hand;
and the tables in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence


@dataclass(frozen=True)
class Section:
    """The lines between which a tool writes."""

    begin: str
    end: str

    def replaced(self, document: str, made: str) -> str:
        """The document with `made` in the place of what stood there. Raises LookupError when it lacks one of the lines,
        or has them twice."""
        if document.count(self.begin) != 1 or document.count(self.end) != 1:
            raise LookupError(f"there must be one place for what is written: {self.begin} … {self.end}")
        before, _begin, rest = document.partition(self.begin)
        _old, end, after = rest.partition(self.end)
        if not end:
            raise LookupError(f"{self.end} stands before {self.begin}")
        return f"{before}{self.begin}\n\n{made.strip()}\n\n{self.end}{after}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
