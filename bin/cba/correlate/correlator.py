"""Keeps signals and tells which chains they complete: for the judge of each detection."""

from __future__ import annotations

import collections
from typing import Iterable, Iterator, Mapping, Protocol, Sequence

from ..detection.model import Detection
from ..terms import day_of
from .chains import Moment, Signal, moments

Joins = Mapping[str, frozenset[str]]
"""field to join by, or SUBJECT -> values"""
SUBJECT = "subject"
MOST_A_DAY = 200
"""How many signals of a kind are kept that join by one value on one day. A chain tells far fewer; whoever makes more,
of functions or of calls, makes no search slower by them."""


class SignalStore(Protocol):
    """Where signals live; `store.signals.SignalCollection` is the one in Splunk."""

    def joined(self, joins: Joins) -> list[Signal]:
        """Every kept signal of the detection that has one of these values in one of these fields, or as its subject."""

    def save(self, signals: Sequence[Signal]) -> None: ...


class Correlator:
    """Correlates the signals of one detection; `window` is the TimeWindow in seconds."""

    def __init__(self, detection: Detection, store: SignalStore, window: int) -> None:
        self.detection = detection
        self.window = window
        self.left_out = 0
        """signals that were not kept, for there are enough of their kind"""
        self._store = store

    def correlate(self, signals: Sequence[Signal], save: bool = True) -> list[Moment]:
        """Keeps the signals of a batch and gives every moment of the chains they belong to, in order of time.

        All moments of a finding's subject come together, those of earlier batches too, so that whoever records them can
        replace what it knew. Raises StoreError when the store fails; signals it accepted by then are written again
        unchanged when the search is repeated.
        """
        if not signals:
            return []
        asked = {item for signal in signals for item in signal.joins.items()}
        known = {signal.key: signal for signal in self._store.joined(_by_field(asked))}
        changed: dict[str, Signal] = {}
        crowd = collections.Counter(place for signal in known.values() for place in _places(signal))
        met: list[Signal] = []
        for signal in sorted(signals, key=lambda each: (each.time, each.key)):
            before = known.get(signal.key)
            if before is None:
                if any(crowd[place] >= MOST_A_DAY for place in _places(signal)):
                    self.left_out += 1
                    continue
                crowd.update(_places(signal))
            met.append(signal)
            merged = signal if before is None else before.union(signal)
            if merged != before:
                known[signal.key] = changed[signal.key] = merged
        if changed and save:
            self._store.save(list(changed.values()))
        subjects = self._subjects(known, {signal.key for signal in met})
        self._complete(known, subjects, asked)
        found = (
            moment
            for opener in known.values()
            if opener.subject in subjects
            for moment in moments(self.detection, opener, known.values(), self.window)
        )
        return sorted(found, key=lambda moment: (moment.second, moment.id))

    def _subjects(self, known: Mapping[str, Signal], touched: set[str]) -> set[str]:
        """The subjects of the chains that a touched signal opens or may join."""
        new = [known[key] for key in touched]
        return {
            opener.subject
            for opener in known.values()
            if opener.subject and (opener.key in touched or any(signal.shares(opener) for signal in new))
        }

    def _complete(self, known: dict[str, Signal], subjects: set[str], asked: set[tuple[str, str]]) -> None:
        """Loads what else belongs to these subjects, beside what was asked: their other chains, and what joins any of
        them by other fields."""
        while True:
            mine = [signal for signal in known.values() if signal.subject in subjects]
            wanted = {item for opener in mine for item in opener.joins.items()}
            wanted |= {(SUBJECT, subject) for subject in subjects}
            wanted -= asked
            if not wanted:
                return
            asked |= wanted
            for signal in self._store.joined(_by_field(wanted)):
                known.setdefault(signal.key, signal)


def _places(signal: Signal) -> Iterator[tuple[int, str, str, str]]:
    """Where a signal counts: the day, its kinds, and what it joins by."""
    return ((day_of(signal.time), kind, *join) for kind in signal.kinds for join in signal.joins.items())


def _by_field(items: Iterable[tuple[str, str]]) -> Joins:
    found: dict[str, set[str]] = {}
    for field, value in items:
        found.setdefault(field, set()).add(value)
    return {field: frozenset(values) for field, values in found.items()}
