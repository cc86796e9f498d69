"""From the sources' tables to the records of the database: what wins over what.

1. Addresses that are not public (cba.enrich.address) have no record, whatever a source says of them.
2. An address in a cloud range has its provider and region. Of nested ranges the narrowest decides; one published
   without a region takes the region around it.
3. An address in a cloud region has that region's country; every other address the country table's.
4. The AS is the AS table's.
"""

from __future__ import annotations

import ipaddress
from typing import Dict, List, Optional, Tuple

from cba.enrich.address import SPECIAL_V4, SPECIAL_V6

from .mmdb_writer import Map, frozen
from .ranges import Range, Segment, joined, merged, nested, without
from .tables import As, Cloud, Country, Region, Tables

_SIXTOFOUR = ipaddress.ip_network("2002::/16")  # read as the IPv4 address inside, never looked up

HOLES: Dict[int, List[Range]] = {
    4: [(first, last) for first, last, _ in SPECIAL_V4],
    6: [(first, last) for first, last, _ in SPECIAL_V6]
    + [(int(_SIXTOFOUR.network_address), int(_SIXTOFOUR.broadcast_address))],
}


def with_region(inner: Cloud, outer: Cloud) -> Cloud:
    """What holds in a cloud range inside another one."""
    if not inner[1] and inner[0] == outer[0]:
        return outer
    return inner


def record(
    country: Optional[Country], system: Optional[As], cloud: Optional[Cloud], regions: Dict[Cloud, Region]
) -> Map:
    """One record of the database; its layout is stated at cba.enrich.geo.own_place."""
    provider, published = cloud or ("", "")
    region = regions.get((provider, published))
    number, organization = system or (0, "")
    return frozen(
        {
            "country": region.country if region else country or "",
            "as": frozen({"number": number, "organization": organization if number else ""}),
            "cloud": frozen({"provider": provider, "region": region.name if region else published}),
        }
    )


def assemble(
    version: int,
    countries: Tables[Country],
    systems: Tables[As],
    clouds: Tables[Cloud],
    regions: Dict[Cloud, Region],
) -> List[Segment[Map]]:
    """The table of records of one IP version."""
    where = joined(nested(countries[version]), nested(systems[version]))
    cloud = nested(clouds[version], with_region)
    known: Dict[Tuple[Optional[Country], Optional[As], Optional[Cloud]], Map] = {}
    table: List[Segment[Map]] = []
    for first, last, (place, inside) in joined(where, cloud):
        country, system = place or (None, None)
        key = (country, system, inside)
        value = known.get(key)
        if value is None:
            value = known[key] = record(country, system, inside, regions)
        if value:
            table.append((first, last, value))
    return merged(without(table, HOLES[version]))
