"""Chains of signals, as a pure function of the signals there are.

A detection's first kind of signal *opens* a chain; others belong to it that share the value of one of the fields the
detection joins by and lie within the time window before or after it. What a chain knows grows: at the second at which
it opens it has the opening signal and those before it, and each later one is a *moment* of its own, at which more may
be said than before. Each moment looks at signals up to its own second only, so the order in which they arrive does not
matter once all have arrived.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from typing import Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence

from ..detection.condition import CHAIN_SIGNALS
from ..detection.model import Detection, SignalKind
from ..terms import time_text

CHAIN_FIELDS = (CHAIN_SIGNALS, "chain_timeline", "chain_steps")
"""What a chain adds to its opening row: the kinds of its signals, its timeline in words, and as JSON."""
SHOWN = 12
"""Signals that a timeline shows in full."""
MOST_OF_A_KIND = 50
"""How many signals of a kind one chain consists of: the first ones. Of more it is only told how many there are; nobody
reads on, and a role that reads a thousand names must not cost a thousand times a thousand."""


@dataclasses.dataclass(frozen=True)
class Signal:
    """The events of one row that are signals: of which kinds, when (`seconds`, ascending), how many (`events`).

    `joins` are the present values of the fields the detection joins by, `row` the row's own fields. A signal that opens
    a chain has a `subject`, what its findings are deduplicated by (JSON), and keeps the `evidence` of `cbabaseline`;
    both are "" on others.
    """

    key: str
    kinds: tuple[str, ...]
    bucket: int
    seconds: tuple[int, ...]
    events: int
    joins: Mapping[str, str]
    row: Mapping[str, str]
    subject: str = ""
    evidence: str = ""

    @property
    def time(self) -> int:
        return self.seconds[0]

    def union(self, other: Signal) -> Signal:
        """The same row seen again, with what a late event may have added."""
        seconds = tuple(sorted({*self.seconds, *other.seconds}))
        kinds = tuple(sorted({*self.kinds, *other.kinds}))
        return dataclasses.replace(self, kinds=kinds, seconds=seconds, events=max(self.events, other.events))

    def shares(self, other: Signal) -> bool:
        """Whether they have the value of a field to join by in common."""
        return any(other.joins.get(field) == value for field, value in self.joins.items())


def signal_key(detection_id: str, row: str) -> str:
    """The key of the signal of a row, by the row's name: the same whenever the row is seen."""
    return hashlib.blake2b(f"{detection_id}\n{row}".encode(), digest_size=10).hexdigest()


class Moment(NamedTuple):
    """A chain as it stands when a signal of so many `events` joins it: the signals of `opener`'s chain up to `second`
    are of `kinds`. `id` names the moment; `timeline` and `steps` tell the whole chain, what comes later, too.
    """

    opener: Signal
    id: str
    kinds: tuple[str, ...]
    second: int
    events: int
    timeline: str
    steps: str


def moments(detection: Detection, opener: Signal, signals: Iterable[Signal], window: int) -> Iterator[Moment]:
    """The moments of one chain in order of time. `signals` are all known; `window` is in seconds."""
    opening, *others = detection.signals
    whole = _chain(opener, signals, window, {kind.id: kind for kind in others})
    chain = _first_of_each_kind(whole)
    since = {kind.id: _since(kind, chain) for kind in others}
    since[opening.id] = opener.time
    counted = _counted(chain, since)
    told = timeline(detection, counted, len(whole) - len(chain)), steps_json(counted)
    for signal in chain:
        second = opener.time if signal is opener else _joins_at(signal, since)
        if second is None or (signal is not opener and second <= opener.time):
            continue  # never counts, or was there when the chain opened
        kinds = tuple(kind.id for kind in detection.signals if (since[kind.id] or second + 1) <= second)
        yield Moment(opener, f"{opener.key}.{signal.key}", kinds, second, signal.events, *told)


def _chain(
    opener: Signal, signals: Iterable[Signal], window: int, others: Mapping[str, SignalKind]
) -> tuple[Signal, ...]:
    """The opener and what joins it, in order of time; a further opener joins as what else it is."""
    chain = [opener]
    for signal in signals:
        kinds = tuple(kind for kind in signal.kinds if kind in others and _apart(others[kind], signal, opener))
        if signal.key == opener.key or not kinds or abs(signal.time - opener.time) > window:
            continue
        if signal.shares(opener):
            chain.append(dataclasses.replace(signal, kinds=kinds))
    return tuple(sorted(chain, key=lambda signal: (signal.time, signal is not opener, signal.key)))


def _first_of_each_kind(chain: Sequence[Signal]) -> tuple[Signal, ...]:
    """The chain without signals of whose kinds it has enough before them."""
    seen: collections.Counter[str] = collections.Counter()
    kept = []
    for signal in chain:
        if any(seen[kind] < MOST_OF_A_KIND for kind in signal.kinds):
            kept.append(signal)
            seen.update(signal.kinds)
    return tuple(kept)


def _apart(kind: SignalKind, signal: Signal, opener: Signal) -> bool:
    """Whether the signal is somebody else's where it has to be."""
    return not kind.apart or signal.row.get(kind.apart) != opener.row.get(kind.apart)


def _counted(chain: Sequence[Signal], since: Mapping[str, Optional[int]]) -> tuple[Signal, ...]:
    """The chain as it is told: without kinds that never count, such as one call where it takes many."""
    counted = ((signal, tuple(kind for kind in signal.kinds if since[kind] is not None)) for signal in chain)
    return tuple(dataclasses.replace(signal, kinds=kinds) for signal, kinds in counted if kinds)


def _joins_at(signal: Signal, since: Mapping[str, Optional[int]]) -> Optional[int]:
    """The second from which one of a signal's kinds counts; None when none of them does by its last second."""
    starts = (since[kind] for kind in signal.kinds)
    counted = [max(start, signal.time) for start in starts if start is not None and start <= signal.seconds[-1]]
    return min(counted, default=None)


def _since(kind: SignalKind, chain: Sequence[Signal]) -> Optional[int]:
    """Since when a kind counts in a chain; None for never.

    A kind that must be `repeated` counts from the second at which so many events lay within its seconds. A row's events
    are taken to happen at its distinct seconds, one each, and what is left at the last of them.
    """
    mine = [signal for signal in chain if kind.id in signal.kinds]
    if kind.times <= 1 or not mine:
        return min((signal.time for signal in mine), default=None)
    events: list[tuple[int, int]] = []
    for signal in mine:
        surplus = max(0, signal.events - len(signal.seconds))
        events += [(second, 1) for second in signal.seconds[:-1]] + [(signal.seconds[-1], 1 + surplus)]
    events.sort()
    start = total = 0
    for second, count in events:
        total += count
        while events[start][0] <= second - kind.within:
            total -= events[start][1]
            start += 1
        if total >= kind.times:
            return second
    return None


def timeline(detection: Detection, chain: Sequence[Signal], left_out: int = 0) -> str:
    """The chain for a person, one entry per signal in order of time, times in UTC; `left_out` others belong to it."""
    words = {kind.id: kind.name for kind in detection.signals}
    shown = [_entry(signal, words) for signal in chain[:SHOWN]]
    more = len(chain) - len(shown) + left_out
    return "; ".join([*shown, f"and {more} more"] if more else shown)


def _entry(signal: Signal, words: Mapping[str, str]) -> str:
    what = signal.row.get("signal_what", "-")
    who = signal.row.get("identity", "-")
    kinds = ", ".join(words[name] for name in signal.kinds)
    return f"{time_text(signal.time)} {kinds}: {what} by {who}" + (f" ({signal.events} times)" * (signal.events > 1))


def steps_json(chain: Sequence[Signal]) -> str:
    """The chain for a program: `[{time, kinds, what, who, source, events}]`, times in epoch seconds."""
    return json.dumps(
        [
            {
                "time": signal.time,
                "kinds": list(signal.kinds),
                "what": signal.row.get("signal_what", ""),
                "who": signal.row.get("identity", ""),
                "source": signal.row.get("src_ip", ""),
                "events": signal.events,
            }
            for signal in chain
        ],
        separators=(",", ":"),
        ensure_ascii=False,
    )
