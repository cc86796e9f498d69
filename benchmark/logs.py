"""From what happens to what is logged: raw events with their delivery, and the truth about what is out of the ordinary.

Events come late as their provider delivers (`demo/formats`), some twice; a source now and then stops for some hours,
and what was written meanwhile comes late or never.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, NamedTuple, Optional, Sequence

from demo.accounts import Account
from demo.formats.template import BITS, Template, render
from lab.events import Event

from . import parameters as p
from .attacks import lay
from .attacks.attack import Attack
from .life import Life
from .moments import ROUTINE, Moment
from .world import HOUR, Plan, World, times

DOUBLED = 0.004
"""Share of events that are delivered twice: all of these inputs deliver at least once."""
DOUBLED_DELAY = 240
GAP_HOURS = (2, 7)
CATCH_UP = 1800
"""Seconds after a gap until what was held back is delivered."""
SOURCES = ("aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint")


class Told(NamedTuple):
    """What is known of an event: why it happened, the attack that it belongs to, and when it was indexed."""

    cause: str
    attack: str
    indexed: float


@dataclasses.dataclass(frozen=True)
class Gap:
    """A source is not delivered from second to second; `lost` for good, or late."""

    source: str
    first: float
    last: float
    lost: bool


class Truth:
    """What events are about, by source, second and who acted. Of the routine nothing is kept."""

    def __init__(self, attacks: Sequence[Attack]) -> None:
        self.attacks = {attack.id: attack for attack in attacks}
        self.seen: dict[str, list[tuple[float, float]]] = {}
        """Attack -> (second, when it was indexed) of each of its events that is in the logs."""
        self._told: dict[tuple[str, int], dict[str, Told]] = {}

    def note(self, source: str, who: str, second: int, told: Told) -> None:
        known = self._told.setdefault((source, second), {})
        if who not in known or told.attack:
            known[who] = told
        if told.attack:
            self.seen.setdefault(told.attack, []).append((float(second), told.indexed))

    def of(self, source: str, who: Sequence[str], second: int) -> Told:
        """What is known of an event of one of these; the routine where nothing is."""
        known = self._told.get((source, second), {})
        for told in known.values():
            # A chain is told of whoever began it, at the second of somebody else's step.
            if told.attack and self.attacks[told.attack].entities & set(who):
                return told
        return next((known[name] for name in who if name in known), Told(ROUTINE, "", 0.0))

    def logged(self) -> list[Attack]:
        """The attacks of which anything is in the logs."""
        return [attack for name, attack in self.attacks.items() if name in self.seen]


class Logs:
    """An organization's logs with its attacks. `events` gives them day by day and fills `truth` on the way."""

    def __init__(self, plan: Plan, plain: int = 2, stealthy: int = 1) -> None:
        self.plan = plan
        self.world = World(plan)
        self.life = Life(self.world)
        self.attacks = lay(self.life, plain, stealthy)
        self.truth = Truth(self.attacks)
        self.count = 0
        self.gaps = list(self._gaps())
        self._templates: dict[tuple[Account, str], Template] = {}

    @property
    def lists(self) -> dict[str, list[dict[str, str]]]:
        """What people keep about the organization: the company's exits, and what is known of victims."""
        from demo.lists import egress_ranges

        rows: dict[str, list[dict[str, str]]] = {"egress_ranges": list(egress_ranges())}
        for attack in self.attacks:
            for name, given in attack.lists.items():
                rows.setdefault(name, []).extend(dict(row) for row in given)
        return rows

    @property
    def all_egress_ranges(self) -> list[dict[str, str]]:
        """The list as it is where somebody looks after it."""
        return [*self.lists["egress_ranges"], *self.life.unlisted_exits()]

    def _gaps(self) -> Iterator[Gap]:
        for source in SOURCES:
            rng = self.plan.rng("gaps", source)
            for _ in range(times(rng, p.GAPS.value * self.plan.days / p.QUARTER)):
                first = self.plan.first_time + rng.randrange(self.plan.days * 24) * HOUR
                yield Gap(source, first, first + rng.randrange(*GAP_HOURS) * HOUR, rng.random() < 0.5)

    def events(self) -> Iterator[Event]:
        """Every event, of one day after the other."""
        of_attacks: dict[int, list[Moment]] = {}
        for attack in self.attacks:
            for day, moment in attack.moments():
                of_attacks.setdefault(day, []).append(moment)
        for day in range(self.plan.days):
            yield from self._day(day, [*self.life.day(day), *of_attacks.get(day, ())])

    def _day(self, number: int, moments: Sequence[Moment]) -> Iterator[Event]:
        rng, day = self.plan.rng("render", number), self.plan.day(number)
        for moment in sorted(moments, key=lambda each: each.second):
            template = self._template(moment)
            event = render(template, day, min(moment.second, 86_399), moment.address, rng.getrandbits(BITS))
            doubled = rng.random() < DOUBLED
            gap = self._gap(moment.account.source, event.time)
            if gap is not None:
                if gap.lost:
                    continue
                event.indextime = gap.last + rng.random() * CATCH_UP
            self._note(moment, event)
            self.count += 1
            yield event
            if doubled:
                yield dataclasses.replace(event, indextime=event.indextime + DOUBLED_DELAY)

    def _note(self, moment: Moment, event: Event) -> None:
        if moment.cause != ROUTINE or moment.attack:
            told = Told(moment.cause, moment.attack, event.indextime)
            self.truth.note(moment.account.source, moment.account.identity, int(event.time), told)

    def _gap(self, source: str, time: float) -> Optional[Gap]:
        return next((gap for gap in self.gaps if gap.source == source and gap.first <= time < gap.last), None)

    def _template(self, moment: Moment) -> Template:
        operation: Any = moment.operation
        if not isinstance(operation, str):
            return moment.account.write(operation)
        key = (moment.account, operation)
        if key not in self._templates:
            self._templates[key] = moment.account.write(operation)
        return self._templates[key]
