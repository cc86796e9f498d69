"""Goes through reduced rows, learns homes from them and says which calls were outside: the engine of `cbahome`."""

from __future__ import annotations

import dataclasses
from typing import Iterable, Mapping, NamedTuple, Optional, Protocol, Sequence

from ..errors import RowError
from ..findings.windows import BUCKET_SECONDS
from ..history.days import SECONDS_PER_DAY, time_text
from .homes import KNOWN, NAMED, NAMED_BEFORE, UNKNOWN, Home, Known, known_home, outside, quarter_of

INSTANCE = "instance"
FUNCTION = "function"
NO_WORKLOAD = "none"
"""What a row's workload is; `none` also for a role's session that is named like a function and is none."""

ROLE = "role"
LAMBDA = "lambda"


class HomeStore(Protocol):
    """Where homes live; `store.homes.HomeCollection` is the one in Splunk."""

    def load(self, workloads: Iterable[str]) -> dict[str, Home]: ...

    def save(self, homes: Mapping[str, Home]) -> None: ...


@dataclasses.dataclass(frozen=True)
class Row:
    """A reduced row of one quarter of an hour; absent texts are "".

    Who called: `identity`, `identity_type`, `workload`. Where: `region`, "" for a service that has none; `public` and
    `source_region` as in `homes.outside`. What it says of homes: `hint`, of the caller's; `home_of`, `home_in`,
    `home_how`: workloads, the region that is theirs, and one of `homes.HOWS`. `inventory`: the lookup's region.
    `skipped`: the events are only facts, never judged.
    """

    bucket: int
    skipped: bool
    identity: str
    identity_type: str
    workload: str
    region: str
    public: bool
    source_region: str
    hint: str
    home_of: tuple[str, ...]
    home_in: str
    home_how: str
    inventory: str

    @property
    def day(self) -> int:
        return self.bucket // SECONDS_PER_DAY

    @property
    def perhaps_function(self) -> bool:
        """A role's session: a function's if a function of that name is known to have that role."""
        return self.identity_type == ROLE

    @property
    def hinted(self) -> tuple[str, ...]:
        """Whose home the hint tells: the caller's, and as with all functions its role's."""
        if not self.hint:
            return ()
        return (self.workload, self.identity) if self.identity_type == LAMBDA else (self.workload,)

    @property
    def fact_since(self) -> int:
        """From when on its facts count: those of skipped rows for their own quarter of an hour, which they open; those
        of judged rows, which may stand in any order, from the next on."""
        return self.bucket if self.skipped else self.bucket + BUCKET_SECONDS


class Answer(NamedTuple):
    """What `cbahome` adds to a row, "" where there is nothing to say. `home_state`: KNOWN, UNKNOWN or ""."""

    home_region: str = ""
    home_source: str = ""
    outside: str = ""
    home_state: str = ""
    workload_type: str = NO_WORKLOAD


NOBODY = Answer()
ANSWER_FIELDS = Answer._fields


class HomeFinder:
    """Answers rows in order of time, those of a quarter of an hour that are skipped before those that are judged.

    `end`: epoch second up to which the search sees events; `overlap`: how late they may arrive, in seconds.
    """

    def __init__(self, store: HomeStore, end: int, overlap: int, learn: bool = True) -> None:
        self._store = store
        self._settled_until = end - overlap
        self._learn = learn
        self._known: dict[str, Home] = {}
        self._changed: dict[str, None] = {}
        self._place = (0, False)

    def process(self, rows: Sequence[Row]) -> list[Answer]:
        """Answers a batch of rows, learns them, and writes what changed.

        Raises RowError when a row comes too late in order, StoreError when the store fails.
        """
        self._load(rows)
        answers = [self._row(row, position) for position, row in enumerate(rows, 1)]
        if self._changed:
            for workload in self._changed:
                self._known[workload].forget()
            self._store.save({workload: self._known[workload] for workload in self._changed})
            self._changed.clear()
        return answers

    def _load(self, rows: Sequence[Row]) -> None:
        """Reads what these rows ask for. A role's sessions are many; they are asked for only of the roles of functions,
        which have a document of their own (the macro cba_compute names them beside their functions)."""
        taught = {workload for row in rows for workload in (*row.home_of, *row.hinted)}
        callers = [row for row in rows if row.workload and not row.skipped]
        perhaps = [row for row in callers if row.perhaps_function]
        roles = {row.identity for row in perhaps}
        self._fetch(taught | roles | {row.workload for row in callers if not row.perhaps_function})
        of_functions = {role for role in roles if role in taught or self._known[role].facts}
        self._fetch({row.workload for row in perhaps if row.identity in of_functions})

    def _fetch(self, workloads: set[str]) -> None:
        wanted = workloads - self._known.keys()
        if wanted:
            found = self._store.load(wanted)
            self._known.update({workload: found.get(workload) or Home() for workload in wanted})

    def _row(self, row: Row, position: int) -> Answer:
        self._look_at_order(row, position)
        if self._learn and row.home_in:
            for workload in row.home_of:
                self._fact(workload, row.home_in, row.home_how, row)
        if row.skipped or not row.workload:
            return NOBODY
        known = self._home(row)
        if known is None and row.perhaps_function:
            return NOBODY
        if self._learn:
            self._meet(known, row)
        kind = FUNCTION if row.perhaps_function or row.identity_type == LAMBDA else INSTANCE
        if known is None:
            return Answer(home_state=UNKNOWN, workload_type=kind)
        how = outside(known, row.region, row.public, row.source_region)
        return Answer(", ".join(known.regions), known.source, how, KNOWN, kind)

    def _home(self, row: Row) -> Optional[Known]:
        """The home of the row's workload."""
        if row.hint:
            return Known((row.hint,), NAMED)
        if row.perhaps_function and self._ask(row.identity, row) is None:
            return None
        return self._ask(row.workload, row, row.inventory)

    def _ask(self, workload: str, row: Row, inventory: str = "") -> Optional[Known]:
        """The home of a workload at the time of a row."""
        settled = row.bucket + BUCKET_SECONDS <= self._settled_until
        return known_home(self._known[workload], row.bucket, settled, inventory)

    def _look_at_order(self, row: Row, position: int) -> None:
        place = (row.bucket, not row.skipped)
        if place < self._place:
            raise RowError(
                f"row {position} of this batch is of {time_text(row.bucket)} and comes after rows it should precede: "
                "homes are learned in order of time, in a quarter of an hour first from rows with a skip_reason, so "
                'put `| eval judged=if(skip_reason=="-", 1, 0) | sort 0 bucket judged` before this command'
            )
        self._place = place

    def _meet(self, known: Optional[Known], row: Row) -> None:
        """Learns from a call what it says of its own workload."""
        home = self._known[row.workload]
        self._mark(row.workload, home.meet(row.day, known is not None))
        for workload in row.hinted:
            self._fact(workload, row.hint, NAMED_BEFORE, row)
        if not row.hint and row.region and not home.knows_before(row.day * SECONDS_PER_DAY):
            self._mark(row.workload, home.learn_call(row.region, row.day, quarter_of(row.bucket)))

    def _fact(self, workload: str, region: str, how: str, row: Row) -> None:
        self._mark(workload, self._known[workload].learn_fact(region, how, row.fact_since, row.day))

    def _mark(self, workload: str, changed: bool) -> None:
        if changed:
            self._changed[workload] = None
