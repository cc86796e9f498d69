"""Keeps signals and tells which chains they complete: the engine of `cbacorrelate`, without a search head around it."""

from __future__ import annotations

from typing import Iterable, Mapping, Protocol, Sequence

from ..detection.model import Detection
from .chains import Moment, Signal, moments, openers, subject_of

Joins = Mapping[str, frozenset[str]]
"""field to join by -> values"""


class SignalStore(Protocol):
    """Where signals live; `store.signals.SignalCollection` is the one in Splunk."""

    def joined(self, joins: Joins) -> list[Signal]:
        """Every kept signal of the detection that has one of these values in one of these fields."""

    def save(self, signals: Sequence[Signal]) -> None: ...


class Correlator:
    """Correlates the signals of one detection; `window` is the TimeWindow in seconds."""

    def __init__(self, detection: Detection, store: SignalStore, window: int) -> None:
        self.detection = detection
        self.window = window
        self._store = store

    def correlate(self, signals: Sequence[Signal], save: bool = True) -> list[Moment]:
        """Keeps the signals of a batch and gives every moment of the chains they belong to, in order of time.

        All moments of a finding's subject come together, those of earlier batches too, so that whoever records them can
        replace what it knew. Raises StoreError when the store fails; signals it accepted by then are written again
        unchanged when the search is repeated.
        """
        if not signals:
            return []
        known = {signal.key: signal for signal in self._store.joined(joins_of(signals))}
        changed: dict[str, Signal] = {}
        for signal in signals:
            before = known.get(signal.key)
            merged = signal if before is None else before.union(signal)
            if merged != before:
                known[signal.key] = changed[signal.key] = merged
        if changed and save:
            self._store.save(list(changed.values()))
        subjects = self._subjects(known, {signal.key for signal in signals})
        self._complete(known, subjects)
        found = (
            moment
            for opener in openers(self.detection, known.values())
            if subject_of(self.detection, opener) in subjects
            for moment in moments(self.detection, opener, known.values(), self.window)
        )
        return sorted(found, key=lambda moment: (moment.second, moment.id))

    def _subjects(self, known: Mapping[str, Signal], touched: set[str]) -> set[tuple[str, ...]]:
        """The subjects of the chains that a touched signal opens or may join."""
        new = [known[key] for key in touched]
        return {
            subject_of(self.detection, opener)
            for opener in openers(self.detection, known.values())
            if opener.key in touched or any(signal.shares(opener) for signal in new)
        }

    def _complete(self, known: dict[str, Signal], subjects: set[tuple[str, ...]]) -> None:
        """Loads what else belongs to the chains of these subjects: other signals by other fields of their openers."""
        asked: set[tuple[str, str]] = set()
        while True:
            mine = [o for o in openers(self.detection, known.values()) if subject_of(self.detection, o) in subjects]
            wanted = {item for opener in mine for item in opener.joins.items()} - asked
            if not wanted:
                return
            asked |= wanted
            for signal in self._store.joined(_by_field(wanted)):
                known.setdefault(signal.key, signal)


def joins_of(signals: Iterable[Signal]) -> Joins:
    """The values by which these signals join others."""
    return _by_field(item for signal in signals for item in signal.joins.items())


def _by_field(items: Iterable[tuple[str, str]]) -> Joins:
    found: dict[str, set[str]] = {}
    for field, value in items:
        found.setdefault(field, set()).add(value)
    return {field: frozenset(values) for field, values in found.items()}
