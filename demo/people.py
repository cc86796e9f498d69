"""People and workloads: who is where, on which day, at what hours."""

from __future__ import annotations

import dataclasses
import datetime
import random
from typing import Iterator, Mapping, Optional, Sequence

from . import addresses
from .accounts import DOMAIN, Account
from .formats.template import DAY, Template

HOUR = 3600
WORK_STARTS = {"IN": 4, "SG": 1, "US": 14, "GB": 8, "PT": 8, "EG": 6}
"""Hour (UTC) at which the working day of nine hours begins; Central Europe: 7."""
HOLIDAYS = {"PL": ("01-06",), "US": ("01-19", "02-16"), "IN": ("01-26",)}
"""Public holidays of the first weeks of a year (Epiphany, M. L. King, Presidents' Day, Republic Day)."""
NEW_EXIT_DAY = 33
"""The day on which the second VPN exit opens."""


def office_address(country: str, domain: str = DOMAIN) -> str:
    """The address that the office in a country has on the internet."""
    return addresses.in_country(country, f"office/{domain}")


@dataclasses.dataclass(frozen=True)
class Slot:
    """A stretch of one day in which log lines of `templates` come from `address`: at least `floor` of them, and a share
    by `weight` of what is to be generated beyond that."""

    templates: Sequence[Template]
    address: str
    start: int
    length: int
    weight: float
    floor: int


@dataclasses.dataclass(frozen=True)
class Trip:
    """Days (inclusive) spent in another country; `sources` what is used there (all when empty)."""

    first: int
    last: int
    country: str
    sources: tuple[str, ...] = ()
    weekends: bool = True


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody with a home country, a working week and accounts.

    `tour`: country per weekday (Monday first) of somebody who is on the road every week. `vpn_weekday`: the weekday on
    which they work through the company VPN. `starts`: first day at work; `later`: project -> first day of access to it.
    `away`: days of leave without any work.
    """

    email: str
    home: str
    accounts: Sequence[Account]
    starts: int = 0
    later: Mapping[str, int] = dataclasses.field(default_factory=dict)
    vpn_weekday: Optional[int] = None
    trips: Sequence[Trip] = ()
    tour: Sequence[str] = ()
    away: range = range(0)

    def slots(self, day: int, date: datetime.date, rng: random.Random) -> Iterator[Slot]:
        """Where this person's log lines of `day` come from; nothing on a day off."""
        roll = rng.random()  # drawn whatever happens, so that one person's plans do not move another's dice
        weekday = date.weekday()
        if day < self.starts or day in self.away:
            return
        trip = next((trip for trip in self.trips if trip.first <= day <= trip.last), None)
        if trip is not None:
            if weekday >= 5 and not trip.weekends:
                return
            sources, country = trip.sources, trip.country
            address = addresses.in_country(country, f"{self.email}/{trip.first}")
        else:
            if weekday >= 5:
                if roll > 0.1:
                    return
                sources = ("m365", "gws")  # reading mail
            else:
                holiday = f"{date:%m-%d}" in HOLIDAYS.get(self.home, ())
                ill = roll > 0.97 and day >= 14  # nobody in the first two weeks, in which habits are learned
                if holiday or ill:
                    return
                sources = ()
            country = self.tour[weekday] if self.tour and weekday < 5 else self.home
            address = self._address(day, weekday, country)
        start = WORK_STARTS.get(country, 7) * HOUR
        for account in self.accounts:
            if (not sources or account.source in sources) and day >= self.later.get(account.project, 0):
                yield Slot(account.templates, address, start, 9 * HOUR, 0.3, 2)

    def _address(self, day: int, weekday: int, country: str) -> str:
        if self.vpn_weekday == weekday:
            exit_name = "amsterdam-2" if day >= NEW_EXIT_DAY and day % 2 else "amsterdam"
            return addresses.pick(addresses.VPN_EXITS[exit_name][1], exit_name + self.email)
        if country == self.home and weekday in (0, 1, 3):
            return office_address(country, self.email.split("@")[1])
        # At home; the provider hands out a new address every few weeks.
        return addresses.in_country(country, f"{self.email}/{day // 17}")


@dataclasses.dataclass(frozen=True)
class Workload:
    """A machine identity: works around the clock from its addresses (one slot for each on every day).

    `starts` first day, `weight` its share of the volume, `days` the days on which it runs (all when empty),
    `hours` the UTC hours it runs in.
    """

    account: Account
    addresses: Sequence[str]
    weight: float = 1.0
    starts: int = 0
    days: Sequence[int] = ()
    hours: tuple[int, int] = (0, 24)
    moves: Sequence[tuple[int, str]] = ()
    """(day, address) from which on it also calls from there."""

    def slots(self, day: int) -> Iterator[Slot]:
        """Where this workload's log lines of `day` come from."""
        if day < self.starts or (self.days and day not in self.days):
            return
        start, length = self.hours[0] * HOUR, (self.hours[1] - self.hours[0]) * HOUR
        places = [*self.addresses, *(address for since, address in self.moves if day >= since)]
        for address in places:
            yield Slot(self.account.templates, address, start, min(length, DAY - start), self.weight / len(places), 1)
