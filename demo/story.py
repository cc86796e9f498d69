"""The words of the demo's stories (`stories/`): what happens on which day, and the alerts it must raise.

Days are numbered from 0; a detection compares with the 30 days before, so attacks happen after day 30. Each `why` says
which history makes the variation the right one; the tests prove it from the generated events.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Mapping, Optional

from .formats.template import Template

if TYPE_CHECKING:
    from .organization import Organization

ANY = "*"
"""In the key of an alert: whatever it is."""
LATE = 6240.0
"""Seconds: a delivery 104 minutes after the event, still within the late-data overlap."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One event: `account` is a key of `Organization.accounts`, `operation` what its `write` takes; `delay` seconds to
    delivery (None: as usual)."""

    day: int
    clock: str
    account: str
    operation: Any
    address: str
    delay: Optional[float] = None

    @property
    def second(self) -> int:
        """Second of the day."""
        hour, minute, second = (int(part) for part in f"{self.clock}:00".split(":")[:3])
        return hour * 3600 + minute * 60 + second

    def template(self, organization: Organization) -> Template:
        """The log line to write."""
        return organization.accounts[self.account].write(self.operation)


@dataclasses.dataclass(frozen=True)
class Alert:
    """What a story is about: a detection, the variation of the first finding (none of a decoy), and `what`, the fields
    of the detection's deduplication key beside the identity and the project of the story's account (`ANY`: whatever it
    is)."""

    detection: str
    variation: str
    what: Mapping[str, str]
    findings: int = 1


@dataclasses.dataclass(frozen=True)
class Story:
    """What happens, by day and clock, and its `alerts`; the first of them is the one it is told for.

    `first`, `last`: (day, clock), taken from `steps` where there are some. `before`: what leads up to it and is not
    what the alerts are about.
    """

    id: str
    title: str
    account: str
    alerts: tuple[Alert, ...]
    why: str
    steps: tuple[Step, ...] = ()
    before: tuple[Step, ...] = ()
    first: tuple[int, str] = (0, "00:00")
    last: tuple[int, str] = (0, "23:59")

    def span(self) -> tuple[tuple[int, str], tuple[int, str]]:
        if not self.steps:
            return self.first, self.last
        return (self.steps[0].day, self.steps[0].clock), (self.steps[-1].day, self.steps[-1].clock)


def steps_of(
    account: str, address: str, *moments: tuple[int, str, Any], delay: Optional[float] = None
) -> tuple[Step, ...]:
    """Steps of one account from one address: (day, clock, operation)."""
    return tuple(Step(day, clock, account, operation, address, delay) for day, clock, operation in moments)
