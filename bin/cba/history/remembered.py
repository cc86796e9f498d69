"""The histories of one run: read once per subject, added to in memory, written when told.

Several searches may learn one profile, each in documents of its own: what is *remembered* of a subject is the union of
what all of them have seen, and what is written is only what this one has. Union is idempotent and commutative, so
neither the order nor the repetition of runs shows.
"""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, Optional, Protocol

from ..errors import RefusedError, StoreError
from .history import History, ScopeView, Subject, Terms, view

HELD_VALUES = 10_000
"""How many values, of all histories together, are held from one batch to the next; with more, they are read again."""


class Remembered(NamedTuple):
    """What is known of a subject: by this writer (`own`), and by everybody together (`all`)."""

    own: History
    all: History


class HistoryStore(Protocol):
    """Where histories live, for one writer; `store.histories.HistoryCollection` is the one in Splunk."""

    def load(self, subjects: Iterable[Subject]) -> Mapping[Subject, Remembered]:
        """Of those of these subjects that have a history."""

    def save(self, histories: Mapping[Subject, History]) -> None:
        """Adds what this writer has seen to what it has seen before."""


class Verdicts(Protocol):
    """What analysts have decided about values; `store.verdicts.VerdictCollection` is the one in Splunk."""

    @property
    def complaints(self) -> Mapping[str, None]:
        """What is wrong with documents that were passed over."""

    def load(self, subjects: Iterable[Subject]) -> Mapping[Subject, Mapping[str, str]]:
        """value -> `benign` or `malicious`, for those subjects that have a verdict."""


class NoVerdicts:
    """Nobody has decided anything yet."""

    complaints: Mapping[str, None] = {}

    def load(self, subjects: Iterable[Subject]) -> Mapping[Subject, Mapping[str, str]]:
        return {}


class Histories:
    """Histories and verdicts of the subjects that a run touches. `learn` False: nothing is added."""

    def __init__(
        self,
        store: HistoryStore,
        limits: Mapping[str, int],
        verdicts: Optional[Verdicts] = None,
        learn: bool = True,
    ) -> None:
        self._store = store
        self._limits = limits
        self._verdict_store = verdicts or NoVerdicts()
        self._learn = learn
        self._known: dict[Subject, Remembered] = {}
        self._decided: dict[Subject, Mapping[str, str]] = {}
        self._changed: dict[Subject, None] = {}
        self._views: dict[tuple[Subject, int, Terms], ScopeView] = {}
        self._day = 0

    def want(self, subjects: Iterable[Subject]) -> None:
        """Reads the histories of these subjects, unless they are held. What is asked or learned must be wanted
        first."""
        if not self._changed and sum(max(1, len(found.all.values)) for found in self._known.values()) > HELD_VALUES:
            for held in (self._known, self._decided, self._views):
                held.clear()
        wanted = set(subjects) - self._known.keys()
        if not wanted:
            return
        found = self._store.load(wanted)
        for subject in wanted:
            remembered = found.get(subject)
            if remembered is None:
                own = History()
                remembered = Remembered(own, own)
            for history in remembered:
                history.limit = self._limits.get(subject.profile)
                history.settle()
            self._known[subject] = remembered
        self._decided.update(self._verdict_store.load(wanted))

    def learn(self, subject: Subject, value: str, day: int) -> None:
        """Adds an observation."""
        if not self._learn:
            return
        if day < self._day:
            self._views.clear()
        own, everybody = self._known[subject]
        limit = self._limits.get(subject.profile)
        if own.learn(value, day, limit):
            self._changed[subject] = None
        if everybody is not own:
            everybody.learn(value, day, limit)

    def history(self, subject: Subject) -> History:
        """All that is remembered of a subject."""
        return self._known[subject].all

    def verdict(self, subject: Subject, value: str) -> str:
        """`benign`, `malicious` or "": what an analyst has said of this value of this subject."""
        decided = self._decided.get(subject)
        return decided.get(value, "") if decided else ""

    @property
    def any_verdicts(self) -> bool:
        """Whether there is a verdict on any value of the subjects that are held."""
        return bool(self._decided)

    def view(self, subject: Subject, day: int, activation_day: int, terms: Terms) -> ScopeView:
        """A history as of the start of the day, the same before and after the day itself is learned; made once a
        day."""
        if day != self._day:
            self._views.clear()
            self._day = day
        key = (subject, activation_day, terms)
        seen = self._views.get(key)
        if seen is None:
            decided, limit = self._decided.get(subject, {}), self._limits.get(subject.profile)
            seen = self._views[key] = view(self._known[subject].all, day, activation_day, terms, decided, limit)
        return seen

    def flush(self) -> None:
        """Writes what was learned since the last time; harmless to repeat. Raises StoreError when the store fails."""
        if self._changed:
            for subject in self._changed:
                for history in self._known[subject]:
                    history.forget()
            changed = {subject: self._known[subject].own for subject in self._changed}
            self._changed.clear()
            try:
                self._store.save(changed)
            except RefusedError:
                raise  # everything else was saved; to try again would be refused again
            except StoreError:
                self._changed.update(dict.fromkeys(changed))
                raise
