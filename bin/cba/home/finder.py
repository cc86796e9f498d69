"""Goes through calls in order of time, learns homes from them and says which were outside."""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, Optional, Protocol, Sequence

from ..terms import SECONDS_PER_DAY
from .calls import LAMBDA, Call
from .homes import KNOWN, NAMED, NAMED_BEFORE, UNKNOWN, Home, Known, known_home, outside, quarter_of

HELD_HOMES = 1_000
"""How many homes are held from one batch to the next; with more, they are read again."""
INSTANCE = "instance"
FUNCTION = "function"
NO_WORKLOAD = "none"
"""What a row's workload is; `none` also for a role's session that is named like a function and is none."""


class HomeStore(Protocol):
    """Where homes live; `store.homes.HomeCollection` is the one in Splunk."""

    def load(self, workloads: Iterable[str]) -> Mapping[str, Home]: ...

    def save(self, homes: Mapping[str, Home]) -> None: ...


class Answer(NamedTuple):
    """What is known of a call, "" where there is nothing to say. `home_state`: KNOWN, UNKNOWN or ""."""

    home_region: str = ""
    home_source: str = ""
    outside: str = ""
    home_state: str = ""
    workload_type: str = NO_WORKLOAD


NOBODY = Answer()


class HomeFinder:
    """Answers calls. A call whose workload's home is unknown yet may be kept (`keep`); what a later fact makes known is
    handed back by `released`, for whoever keeps calls to judge them. `learn` False: nothing is learned or kept."""

    def __init__(self, store: HomeStore, learn: bool = True) -> None:
        self._store = store
        self._learn = learn
        self._known: dict[str, Home] = {}
        self._changed: dict[str, None] = {}
        self._released: list[str] = []
        self._let_go: dict[str, set[str]] = {}
        """workload -> the names of calls that were released since the last time that homes were written"""

    def want(self, calls: Sequence[Call]) -> None:
        """Reads what these calls ask for. A role's sessions are many; they are asked for only of the roles of
        functions, which have a document of their own (the source names them beside their functions)."""
        if len(self._known) > HELD_HOMES and not self._changed and not self._released:
            self._known.clear()
        taught = {workload for call in calls for workload in (*call.home_of, *call.hinted)}
        callers = [call for call in calls if call.workload]
        by_roles = [call for call in callers if call.by_a_role]
        roles = {call.identity for call in by_roles}
        self._fetch(taught | roles | {call.workload for call in callers if not call.by_a_role})
        of_functions = {role for role in roles if role in taught or self._known[role].facts}
        self._fetch({call.workload for call in by_roles if call.identity in of_functions})

    def _fetch(self, workloads: set[str]) -> None:
        wanted = workloads - self._known.keys()
        if wanted:
            found = self._store.load(wanted)
            self._known.update({workload: found.get(workload) or Home() for workload in wanted})

    def hear(self, call: Call) -> None:
        """Learns what a wanted call says about where workloads are at home, its own among them."""
        if not self._learn:
            return
        if call.home_in:
            for workload in call.home_of:
                self._fact(workload, call.home_in, call.home_how, call)
        if call.workload:
            for workload in call.hinted:
                self._fact(workload, call.hint, NAMED_BEFORE, call)

    def answer(self, call: Call) -> Answer:
        """What is known of a wanted call. What it says by itself was heard before, with all others that are at hand:
        which of them comes first makes no difference."""
        if not call.workload:
            return NOBODY
        known = self._home(call)
        if known is None and call.by_a_role:
            return NOBODY
        if self._learn:
            self._meet(known, call)
            if known is not None and call.workload not in self._let_go:
                self._release(call.workload)  # kept by another run, which did not know what this one does
        kind = FUNCTION if call.by_a_role or call.identity_type == LAMBDA else INSTANCE
        if known is None:
            return Answer(home_state=UNKNOWN, workload_type=kind)
        how = outside(known, call.region, call.public, call.source_region, call.foreign)
        return Answer(", ".join(known.regions), known.source, how, KNOWN, kind)

    def keep(self, call: Call, name: str, text: str) -> None:
        """Keeps a call with its workload, under a name of its own, until the home is known or a day is over."""
        if self._learn:
            self._mark(call.workload, self._known[call.workload].keep(name, text, call.day))

    def released(self) -> list[str]:
        """The kept calls of workloads whose home has become known since the last time."""
        released, self._released = self._released, []
        return released

    def flush(self) -> None:
        """Writes what was learned since the last time, together with what others have meanwhile; harmless to repeat.
        Raises StoreError when the store fails."""
        if self._changed:
            for workload, stored in self._store.load(self._changed).items():
                self._known[workload].unite(stored, self._let_go.get(workload, ()))
            for workload in self._changed:
                self._known[workload].forget()
            self._store.save({workload: self._known[workload] for workload in self._changed})
            self._changed.clear()
            self._let_go.clear()

    def _home(self, call: Call) -> Optional[Known]:
        """The home of the call's workload."""
        if call.hint:
            return Known((call.hint,), NAMED)
        if call.by_a_role and known_home(self._known[call.identity], call.bucket, "") is None:
            return None
        return known_home(self._known[call.workload], call.bucket, call.inventory)

    def _meet(self, known: Optional[Known], call: Call) -> None:
        """Learns that a workload has called."""
        home = self._known[call.workload]
        self._mark(call.workload, home.meet(call.day, known is not None))
        if not call.hint and call.region and not home.knows_before(call.day * SECONDS_PER_DAY):
            self._mark(call.workload, home.learn_call(call.region, call.day, quarter_of(call.bucket)))

    def _fact(self, workload: str, region: str, how: str, call: Call) -> None:
        home = self._known[workload]
        self._mark(workload, home.learn_fact(region, how, call.bucket, call.day))
        self._release(workload)

    def _release(self, workload: str) -> None:
        calls = self._known[workload].release()
        if calls:
            self._released.extend(calls.values())
            self._let_go.setdefault(workload, set()).update(calls)
            self._mark(workload, True)

    def _mark(self, workload: str, changed: bool) -> None:
        if changed:
            self._changed[workload] = None
