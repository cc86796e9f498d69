"""What a command is to the engine, and what a run carries along."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator, NamedTuple, Optional

from lab.spl.regex import wildcard
from lab.spl.values import Row

if TYPE_CHECKING:
    from lab.lookups import LookupTables
    from lab.spl.engine import Engine
    from lab.spl.window import TimeWindow

POSITION = "\0position"
"""Hidden key of event rows: which event of its block a row comes from. Row-wise commands carry it along."""
Event = tuple[Any, ...]
"""An event's position in its block, then what it has of its own."""


class Members(NamedTuple):
    """The events a row stands for, hidden under its POSITION. `places` says which field is where in an event."""

    places: dict[str, int]
    events: list[Event]


Wanted = Optional[frozenset]  # type: ignore[type-arg]
"""The field names a later command reads; None means all of them."""


@dataclass
class Run:
    """One execution of one search. `window` is what its base search looks at, `dispatched` what it was asked to."""

    engine: Engine
    window: TimeWindow
    sid: str
    search: str
    lookups: LookupTables
    messages: list[str] = field(default_factory=list)
    dispatched: TimeWindow = None  # type: ignore[assignment]  # the window unless given
    subsearches: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    reads: Counter[str] = field(default_factory=Counter)
    """How many events the base searches have found, by source type; counted where the event store asks for it."""

    def __post_init__(self) -> None:
        self.dispatched = self.dispatched or self.window

    @property
    def now(self) -> float:
        return self.window.now

    def of_subsearch(self) -> Run:
        """The run of a subsearch: a job of its own over the time range that the whole search was dispatched with. What
        the search says of time in its own text does not reach it."""
        sid = f"subsearch_{self.sid}_{int(self.now)}.{next(self.subsearches)}"
        return replace(self, window=self.dispatched, sid=sid)


class Command:
    """One compiled pipeline command.

    `row_wise`: works row by row, in any grouping of rows. `pure`: depends on the row alone as well, so results may be
    cached per event block. `generating`: makes rows and must come first. `ordered`: its result depends on row order.
    """

    name = ""
    row_wise = False
    pure = False
    generating = False
    ordered = False

    def __init__(self, position: int) -> None:
        self.position = position

    def bind(self, wanted: Wanted) -> Wanted:
        """Told which fields are read later; answers which it needs from before. May drop unneeded work."""
        return None

    def columns(self, before: Optional[list[str]]) -> Optional[list[str]]:
        """Column order after this command, when it is known without looking at the rows."""
        return before

    def touched(self, names: Collection[str]) -> Optional[Collection[str]]:
        """Which of these fields it reads or changes; None when it needs rows that stand for one event each.

        Asked after `bind`, of row-wise commands and `stats`.
        """
        return None

    def is_detached(self, engine: Engine) -> bool:
        """Whether it neither reads nor writes what searches change."""
        return True

    def run(self, rows: list[Row], run: Run) -> list[Row]:
        raise NotImplementedError

    def with_fields(self, wanted: Wanted, more: Iterable[str]) -> Wanted:
        return None if wanted is None else wanted | frozenset(more)


class NamePattern:
    """A field name that may hold `*`; without one it is compared as it is."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.wild = "*" in pattern
        self.matches: Callable[[str], Any] = wildcard(pattern, False).match if self.wild else pattern.__eq__


def extend(columns: Optional[list[str]], names: Iterable[str]) -> Optional[list[str]]:
    """Known columns with `names` added where missing."""
    if columns is None:
        return None
    return columns + [n for n in names if n not in columns]
