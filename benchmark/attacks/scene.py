"""Where and when an attack takes place: whom it hits, from where, in what is left of an organization's firsts."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

from cba.enrich.geo import GeoReader
from demo.accounts import Account

from ..life import Life
from ..places import Places
from ..world import AwsAccount, Cluster, Host, Machine, Person, World
from .attack import Act, Attack

WARM = 31
"""The day from which on everything has a training period behind it."""
APART = 6
"""Days from the last act of an attack to the first of another on the same victim: more than the longest deduplication
period."""


class NoVictim(Exception):
    """The organization has nobody, or nothing new, that the attack could be made with."""


class Stage:
    """What all attacks of an organization share: who was hit when, and which firsts are used up."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.world: World = life.world
        self.places: Places = life.places
        self.hit: dict[str, list[tuple[int, int]]] = {}
        """Victim -> the first and last day of each attack on it."""
        self.spent: set[tuple[str, str]] = set()
        """Firsts that are used up: (what was done, who did it or where). A plain attack is a first."""
        self.spoiled: set[str] = set()
        """Victims whose history is the attacker's own work, so that nothing else can be told of them."""
        reader = GeoReader()
        machines = {a for machine in self.world.machines for a in machine.addresses}
        machines |= {a for machine in self.world.machines if machine.moves for a in machine.moves[1]}
        self.countries = self.world.ever | {reader.lookup(a).country for a in machines} | set(life.exit_countries)
        self.geo = reader

    @contextlib.contextmanager
    def tried(self) -> Iterator[None]:
        """An attack that finds no victim leaves everything as it was."""
        before = {name: list(days) for name, days in self.hit.items()}, set(self.spent), set(self.spoiled)
        try:
            yield
        except NoVictim:
            self.hit, self.spent, self.spoiled = before


@dataclasses.dataclass
class Scene:
    """One attack to be: `number` tells it from others of its kind and makes each a little different. `alone`: its
    victim has nothing else to do with attacks, because its history is changed by this one."""

    stage: Stage
    rng: random.Random
    day: int
    number: int
    alone: bool = False
    taken: list[str] = dataclasses.field(default_factory=list)
    """Its victims so far."""

    @property
    def world(self) -> World:
        return self.stage.world

    @property
    def places(self) -> Places:
        return self.stage.places

    def left(self, deed: str, name: str) -> bool:
        """Whether no attack has done that yet in somebody's name, or somewhere."""
        return (deed, name) not in self.stage.spent

    def spend(self, deed: str, name: str) -> bool:
        """Takes a first; False where an attack has had it already."""
        if not self.left(deed, name):
            return False
        self.stage.spent.add((deed, name))
        return True

    def free(self, name: str) -> bool:
        if name in self.taken or name in self.stage.spoiled:
            return False
        return name not in self.stage.hit if self.alone else self._apart(name, self.day, self.day)

    def take(self, name: str) -> None:
        self.taken.append(name)

    def _apart(self, name: str, first: int, last: int) -> bool:
        """Whether no other attack on a victim is near these days."""
        return all(ends + APART <= first or last + APART <= begins for begins, ends in self.stage.hit.get(name, ()))

    def settle(self, attack: Attack) -> None:
        """Takes the days of the attack for its victims. Raises NoVictim where another is too near: one may reach into
        the other's deduplication period, and be counted there."""
        first, last = attack.acts[0].day, attack.acts[-1].day
        for name in self.taken:
            if not self.alone and not self._apart(name, first, last):
                raise NoVictim
            self.stage.hit.setdefault(name, []).append((first, last))
            if self.alone:
                self.stage.spoiled.add(name)

    def _one(self, choices: Iterable[Any], name: Callable[[Any], str], deed: str = "") -> Any:
        """One that is free; with a `deed`, one with whom no attack has done it before, for then it were no first."""
        found = [each for each in choices if self.free(name(each)) and (not deed or self.left(deed, name(each)))]
        if not found:
            raise NoVictim
        chosen = self.rng.choice(found)
        self.take(name(chosen))
        if deed:
            self.spend(deed, name(chosen))
        return chosen

    def person(
        self, source: str, where: Optional[Callable[[Person, Account], bool]] = None, deed: str = ""
    ) -> tuple[Person, Account]:
        """Somebody who has worked in a project of that source for a month, and is at home."""
        choices = []
        for person in self.world.people:
            settled = person.there(self.day, before=28) and person.ends > self.day + 2 and not person.tour
            if settled and all(person.country(self.day + k) == person.home for k in (-1, 0, 1)):
                for project, account in person.accounts.items():
                    fits = account.source == source and project != "entra" and project not in person.since
                    if fits and (where is None or where(person, account)):
                        choices.append((person, account))
        chosen: tuple[Person, Account] = self._one(choices, lambda each: each[0].email, deed)
        return chosen

    def account(self) -> AwsAccount:
        """An AWS account that was there from the start."""
        return self.rng.choice([account for account in self.world.aws if account.starts == 0])

    def machine(self, name: str, deed: str = "") -> tuple[AwsAccount, Machine]:
        """A machine of an AWS account by its name; one that has stayed where it was."""
        choices = [
            (account, account.machines[name])
            for account in self.world.aws
            if account.starts == 0 and name in account.machines and account.machines[name].moves is None
        ]
        chosen: tuple[AwsAccount, Machine] = self._one(choices, lambda each: each[1].account.identity, deed)
        return chosen

    def function(self, number: int = 0, deed: str = "") -> tuple[AwsAccount, str, Machine]:
        """A function of an AWS account: (account, its name, it at work)."""
        choices = []
        for account in self.world.aws:
            if account.starts == 0:
                name = list(account.functions)[number]
                if account.machines[name].moves is None:
                    choices.append((account, name, account.machines[name]))
        chosen: tuple[AwsAccount, str, Machine] = self._one(choices, lambda each: each[2].account.identity, deed)
        return chosen

    def instance(self, deed: str = "") -> tuple[AwsAccount, Account, str]:
        """An instance at work on that day: (account, it, an address of its own)."""
        choices = [account for account in self.world.aws if account.starts == 0]
        account: AwsAccount = self._one(choices, lambda each: f"fleet/{each.id}", deed)
        return account, self.world.instance(account, self.day, 2), account.nat[1]

    def cluster(self, quiet: bool = False) -> Cluster:
        choices = [cluster for cluster in self.world.clusters if cluster.quiet == quiet]
        return self.rng.choice(choices)

    def host(self, kind: Optional[int] = None, deed: str = "") -> Host:
        choices = [host for host in self.world.hosts if kind is None or host.team % 3 == kind]
        chosen: Host = self._one(choices, lambda each: each.name, deed)
        return chosen

    def new_account(self, person: Person) -> AwsAccount:
        """An AWS account in which nothing was ever done in somebody's name."""
        found = [each for each in self.world.aws if each.id not in person.accounts and each.starts == 0]
        found = [each for each in found if self.left(f"account of {person.email}", each.id)]
        if not found:
            raise NoVictim
        chosen = self.rng.choice(found)
        self.spend(f"account of {person.email}", chosen.id)
        return chosen

    # -- where from ----------------------------------------------------------------------------------------------------

    def fresh_country(self) -> str:
        """A country where nobody of the organization has been or will be."""
        left = [c for c in self.places.countries if c not in self.stage.countries]
        left = [c for c in left if self.left("country", c)]
        if not left:
            raise NoVictim
        chosen = self.rng.choice(left)
        self.spend("country", chosen)
        return chosen

    def known_country(self, person: Person, project: str, inside: bool) -> str:
        """A country that is everyday in the project (`inside`), or only elsewhere in the organization, and new to the
        person."""
        use = self.world.country_use
        here = use.get(project, set())
        everywhere = {country for found in use.values() for country in found}
        choices = sorted((here if inside else everywhere - here) - person.countries())
        choices = [c for c in choices if self.left(f"country of {person.email}", c)]
        if not inside:
            choices = [c for c in choices if self._regular(c) and not self._in_project(project, c)]
            choices = [c for c in choices if self.left(f"country of {project}", c)]
        if not choices:
            raise NoVictim
        chosen = self.rng.choice(choices)
        self.spend(f"country of {person.email}", chosen)
        self.spend(f"country of {project}", chosen)
        return chosen

    def _regular(self, country: str) -> bool:
        settled = [p for p in self.world.people if p.home == country and p.starts == 0 and p.ends > self.day]
        return len(settled) >= 2

    def _in_project(self, project: str, country: str) -> bool:
        of_people = any(country in p.countries() for p in self.world.people if project in p.accounts)
        machines = (a for m in self.world.machines if m.account.project == project for a in m.addresses)
        return of_people or country in {self.stage.geo.lookup(a).country for a in machines}

    def office(self, person: Person) -> str:
        """Where they usually work."""
        return self.places.access(person.home, f"office/{person.home}")

    def in_country(self, country: str, but: frozenset[str] = frozenset()) -> str:
        """An address in a country, in none of the networks `but`."""
        try:
            return self.places.access(country, f"attacker/{self.day}/{self.number}/{self.rng.random()}", but)
        except LookupError:
            raise NoVictim from None

    def new_region(self, account: AwsAccount) -> str:
        """A region in which the account has never done anything."""
        used = {region for where, _day, region in self.stage.life.regions if where is account}
        used |= {account.region, account.second}
        names = [name[4:] for name in self.places.regions if name.startswith("aws/") and "gov" not in name]
        choices = [r for r in names if r not in used and self.left("region/" + account.id, r)]
        choices = [r for r in choices if not r.startswith(("cn-", "eusc-"))]
        if not choices:
            raise NoVictim
        chosen = self.rng.choice(choices)
        self.spend("region/" + account.id, chosen)
        return chosen

    # -- what ----------------------------------------------------------------------------------------------------------

    def acts(
        self, account: Account, address: str, *operations: Any, day: Optional[int] = None, start: Optional[int] = None
    ) -> tuple[Act, ...]:
        """Operations one after the other, seconds to minutes apart, at some hour of the day."""
        at = self.rng.randrange(1800, 78_000) if start is None else start
        made = []
        for operation in operations:
            made.append(Act(self.day if day is None else day, at, account, operation, address))
            at += self.rng.randrange(7, 400)
        return tuple(made)

    def attack(
        self,
        detection: str,
        variation: str,
        acts: Sequence[Act],
        stealth: str = "",
        before: Sequence[tuple[Act, str]] = (),
        lists: Optional[Mapping[str, Sequence[Mapping[str, str]]]] = None,
    ) -> Attack:
        name = f"{detection}/{variation}/{stealth or 'plain'}/{self.number}"
        ordered = tuple(sorted(acts, key=lambda act: (act.day, act.second)))
        return Attack(name, detection, variation, stealth, ordered, tuple(before), lists or {})
