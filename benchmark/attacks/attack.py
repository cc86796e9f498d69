"""What an attack is: events with a label, and the detection and variation that it was made for."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Sequence

from demo.accounts import Account

from ..moments import Moment

PLAIN = ""
SAME_CONTINENT = "same continent"
SAME_COUNTRY = "same country"
SAME_NETWORK = "same network family"
CLOUD_AT_HOME = "cloud VM in the home region"
SLOW = "low and slow"
POISONED = "daily from day 0"
REPEATED = "daily for ten days"
REHEARSED = "activity before activation"
NEW_PROJECT = "a new project"
PROVIDER = "provider's network"
REFUSED_FIRST = "refused calls first"
STEALTH = (
    SAME_CONTINENT, SAME_COUNTRY, SAME_NETWORK, CLOUD_AT_HOME, SLOW, POISONED, REPEATED, REHEARSED, NEW_PROJECT,
    PROVIDER, REFUSED_FIRST,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Act:
    """One event of an attack."""

    day: int
    second: int
    account: Account
    operation: Any
    address: str


@dataclasses.dataclass(frozen=True)
class Attack:
    """`acts` in order of time; `before`: what leads up to it and is nobody's attack; `lists`: rows that people keep
    about it. It was made for a detection's variation, and is `stealth`y in a way, or PLAIN."""

    id: str
    detection: str
    variation: str
    stealth: str
    acts: tuple[Act, ...]
    before: tuple[tuple[Act, str], ...] = ()
    lists: Mapping[str, Sequence[Mapping[str, str]]] = dataclasses.field(default_factory=dict)

    @property
    def entities(self) -> frozenset[str]:
        """Everybody in whose name something is done."""
        return frozenset(act.account.identity for act in self.acts)

    def moments(self) -> list[tuple[int, Moment]]:
        """All its events, by day."""
        mine = [(act.day, _moment(act, attack=self.id)) for act in self.acts]
        return mine + [(act.day, _moment(act, cause=cause)) for act, cause in self.before]


def _moment(act: Act, cause: str = "attack", attack: str = "") -> Moment:
    return Moment(act.second, act.account, act.operation, act.address, cause, attack)
