"""Addresses: drawn at random from the whole internet and sorted by where the app's own database places them.

So neither countries nor networks are picked by hand, and every detector sees the same place for an address. What the
database gets wrong in reality is told by `parameters.GEO_ERRORS` instead.
"""

from __future__ import annotations

import functools
import random
from collections import defaultdict
from typing import Mapping, Sequence, TypeVar

from cba.enrich.geo import GeoReader

SAMPLED = 60_000
FEWEST = 3
"""Addresses that a country needs to be one of ours."""
PRIVATE = ("10.20.", "172.20.", "192.168.")
T = TypeVar("T")
VENDORS_BACK_ENDS = {"m365": "8075", "gws": "15169"}
"""Source -> the network of the provider's own back end (Microsoft, Google)."""


class Places:
    """Where somebody may come from. The same for everybody: what differs between organizations is who is where."""

    def __init__(
        self,
        countries: Mapping[str, Sequence[tuple[str, str]]],
        regions: Mapping[str, Sequence[str]],
        networks: Mapping[str, frozenset[str]],
    ) -> None:
        self._countries = countries
        self._regions = regions
        self._networks = networks

    @property
    def countries(self) -> list[str]:
        return sorted(self._countries)

    @property
    def regions(self) -> list[str]:
        """`<provider>/<region>`."""
        return sorted(self._regions)

    def access(self, country: str, key: str, but: frozenset[str] = frozenset()) -> str:
        """An address of some provider in the country, in none of the networks `but`; the same for equal `key`. Raises
        LookupError where there is none."""
        choices = [each for each in self._countries[country] if each[1] not in but] if but else self._countries[country]
        if not choices:
            raise LookupError(f"no address in {country} outside of these networks")
        return _one(choices, key)[0]

    def network(self, country: str, key: str) -> tuple[str, str]:
        """The same, with the number of its network."""
        return _one(self._countries[country], key)

    def region(self, name: str, key: str) -> str:
        """An address of a cloud region, such as `aws/eu-west-1`."""
        return _one(self._regions[name], key)

    def has_region(self, name: str) -> bool:
        return name in self._regions

    def networks(self, provider: str) -> frozenset[str]:
        """The numbers of the networks in which the provider's regions are, such as Amazon's."""
        return self._networks[provider]

    @staticmethod
    def private(key: str) -> str:
        """An address inside."""
        rng = random.Random(f"private/{key}")
        start = rng.choice(PRIVATE)
        return start + ".".join(str(rng.randrange(1, 250)) for _ in range(4 - start.count(".")))


def _one(choices: Sequence[T], key: str) -> T:
    return choices[random.Random(key).randrange(len(choices))]


@functools.cache
def places() -> Places:
    """All of them; the same on every machine with the same database."""
    reader, rng = GeoReader(), random.Random("the internet")
    countries: dict[str, list[tuple[str, str]]] = defaultdict(list)
    regions: dict[str, list[str]] = defaultdict(list)
    networks: dict[str, set[str]] = defaultdict(set)
    for _ in range(SAMPLED):
        bits = rng.getrandbits(32)
        text = f"{bits >> 24}.{bits >> 16 & 255}.{bits >> 8 & 255}.{bits & 255}"
        geo = reader.lookup(text)
        if geo.cloud_provider in ("aws", "azure", "gcp") and geo.cloud_region not in ("", "global") and geo.country:
            regions[f"{geo.cloud_provider}/{geo.cloud_region}"].append(text)
            networks[geo.cloud_provider].add(geo.asn)
        elif geo.country and geo.asn and not geo.cloud_provider:
            countries[geo.country].append((text, geo.asn))
    return Places(
        {name: found for name, found in countries.items() if len(found) >= FEWEST},
        dict(regions),
        {provider: frozenset(found - {""}) for provider, found in networks.items()},
    )


@functools.cache
def back_end(source: str) -> str:
    """An address of the provider's own back end of `m365` or `gws`."""
    reader, rng = GeoReader(), random.Random(f"back end/{source}")
    blocks = {"m365": ("20.", "40.", "52.", "13."), "gws": ("74.125.", "66.249.", "209.85.", "64.233.")}[source]
    for _ in range(20_000):
        start = rng.choice(blocks)
        text = start + ".".join(str(rng.randrange(1, 255)) for _ in range(4 - start.count(".")))
        if reader.lookup(text).asn == VENDORS_BACK_ENDS[source]:
            return text
    raise LookupError(f"the database knows no address of AS{VENDORS_BACK_ENDS[source]}")
