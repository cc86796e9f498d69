"""Where an address is: country, autonomous system, cloud provider and region.

    reader = GeoReader()
    reader.lookup("3.225.16.109")
    # Geo(country="US", asn="14618", as_org="Amazon.com, Inc.", cloud_provider="aws", cloud_region="us-east-1",
    #     ip_scope="public")

Which fields are set when:

- `ip_scope` always (its values: `cba.enrich.address`). Every other field is "" unless it is `public`.
- `country` (ISO 3166-1 alpha-2): for an address in a published cloud region that region's country, before any country
  table is asked; else the country table's. "" when nobody knows.
- `asn` (digits) and `as_org`: the AS that announces the address. "" when nobody does.
- `cloud_provider` (aws, azure, gcp, oracle, digitalocean, cloudflare): for an address in a range it publishes.
- `cloud_region`: the region of that range, spelled as in the provider's logs. "global" for a range the provider
  publishes as global, "" for one it publishes without a region; the country then is the country table's.

Tables and their licences: `package/ip_data.md`; the text to show: `attribution()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from . import files
from .address import PUBLIC, SCOPES, read_address
from .errors import GeoDatabaseError
from .layouts import EXPECTED, Layout, asn_of, at, country_of, detect, name_of
from .mmdb import MmdbFile, Record

SHIPPED_DATABASE = Path(__file__).parent / "data" / "ip.mmdb"
SHIPPED_TYPE = "cloud-behavior-analytics-ip"
GLOBAL_REGION = "global"  # a range the provider announces everywhere: its region says nothing of its country

# A text costs about 200 bytes: 65,536 of them keep the command far below its memory limit, and a search that meets
# more different addresses than that after its reduction looks the surplus up again.
MEMO_ENTRIES = 65_536
# Of a user's database, to see its layout: networks, nodes on the way to them, and values of their records.
_SAMPLED_NETWORKS, _SAMPLED_NODES, _SAMPLED_VALUES = 5_000, 200_000, 1_000_000

_REINSTALL = "Install the app again; the file belongs to it"
_CHOOSE_ANOTHER = "Set another IP database, or none to use the app's own"


class Geo(NamedTuple):
    """Where an address is. All fields are text, "" when unknown; see the module for which is set when.

    A tuple, so that a command can write it into a row as it is.
    """

    country: str = ""
    asn: str = ""
    as_org: str = ""
    cloud_provider: str = ""
    cloud_region: str = ""
    ip_scope: str = PUBLIC


GEO_FIELDS: Tuple[str, ...] = Geo._fields


@dataclass(frozen=True)
class DatabaseInfo:
    """One database in use, for health reports."""

    path: Path
    type: str
    built: datetime  # UTC; the date of its (oldest) data for the app's own
    description: str


_PLACELESS: Dict[str, Geo] = {scope: Geo(ip_scope=scope) for scope in SCOPES}


class GeoReader:
    """Looks addresses up in the app's own database, or in a user's for country and AS.

    With `path` the country and the AS come from that database, as far as it holds such fields (a country-only file
    leaves the AS to the app's own), and cloud providers, regions and their countries still from the app's own.
    A database of the app's own type (a newer build) replaces the shipped one.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        """Raises GeoDatabaseError for a missing, damaged or unknown database."""
        chosen = MmdbFile(path, _CHOOSE_ANOTHER) if path is not None else MmdbFile(SHIPPED_DATABASE, _REINSTALL)
        self._layout: Optional[Layout] = None
        self._foreign: Optional[MmdbFile] = None
        self._own = chosen
        if chosen.type != SHIPPED_TYPE:
            self._foreign = chosen
            self._layout = _layout_of(chosen)
            self._own = MmdbFile(SHIPPED_DATABASE, _REINSTALL)
        self._memo: Dict[str, Geo] = {}
        self._places: Dict[Tuple[int, int], Geo] = {}

    def lookup(self, text: str) -> Geo:
        """Where the address in `text` is. Never raises for any text; GeoDatabaseError for a damaged file."""
        geo = self._memo.get(text)
        if geo is None:
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            geo = self._memo[text] = self._look_up(text)
        return geo

    def _look_up(self, text: str) -> Geo:
        scope, packed = read_address(text)
        if packed is None:
            return _PLACELESS[scope]
        own = self._own.find(packed)
        foreign = self._foreign.find(packed) if self._foreign else 0
        # Networks share records, so most new addresses meet a known pair of pointers.
        geo = self._places.get((own, foreign))
        if geo is None:
            if len(self._places) >= MEMO_ENTRIES:
                self._places.clear()
            geo = self._places[(own, foreign)] = self._place(own, foreign)
        return geo

    def _place(self, own: int, foreign: int) -> Geo:
        """What the records at these pointers (0 = none) say together."""
        geo = own_place(self._own.record(own)) if own else _PLACELESS[PUBLIC]
        if self._foreign is None or self._layout is None:
            return geo
        return overruled(geo, self._layout, self._foreign.record(foreign) if foreign else {})

    @property
    def databases(self) -> Tuple[DatabaseInfo, ...]:
        """The databases in use, the one asked first for country and AS first."""
        files = [self._foreign, self._own] if self._foreign else [self._own]
        return tuple(DatabaseInfo(f.path, f.type, f.built, f.description) for f in files)

    @property
    def date(self) -> date:
        """The UTC date of the data of the database asked first for country and AS."""
        return self.databases[0].built.date()

    def age_days(self, now: datetime) -> int:
        """Whole UTC days since `date`, 0 for a date in the future. `now` must know its time zone."""
        return max(0, (now - self.databases[0].built).days)


def open_reader(database: Optional[str] = None, configured: Callable[[], str] = lambda: "") -> GeoReader:
    """The reader for a command's option: the path of a user's database, nothing for the app's own. `configured` tells
    which file is set. Raises FileError for one that a search may not name, GeoDatabaseError for what is no database.
    """
    return GeoReader(files.find(files.IP_DATABASE, database, configured)) if database else GeoReader()


def own_place(record: Record) -> Geo:
    """A record of the app's own database as Geo.

    Its layout, each part absent when unknown: {"country": "US", "as": {"number": 14618, "organization": "..."},
    "cloud": {"provider": "aws", "region": "us-east-1"}}.
    """
    return Geo(
        country=country_of(record.get("country")),
        asn=asn_of(at(record, ("as", "number"))),
        as_org=name_of(at(record, ("as", "organization"))),
        cloud_provider=name_of(at(record, ("cloud", "provider"))),
        cloud_region=name_of(at(record, ("cloud", "region"))),
    )


def overruled(geo: Geo, layout: Layout, record: Record) -> Geo:
    """`geo` with the fields a user's database holds; a cloud region keeps its country."""
    in_region = geo.cloud_region not in ("", GLOBAL_REGION)
    country = geo.country if in_region or not layout.country else layout.country_in(record)
    asn, as_org = layout.asn_in(record) if layout.asn else (geo.asn, geo.as_org)
    return Geo(country, asn, as_org, geo.cloud_provider, geo.cloud_region, PUBLIC)


def _layout_of(database: MmdbFile) -> Layout:
    pointers = dict.fromkeys(islice(database.pointers(_SAMPLED_NODES), _SAMPLED_NETWORKS))
    within = takewhile(lambda _pointer: database.values_read < _SAMPLED_VALUES, pointers)
    layout = detect(database.record(pointer) for pointer in within)
    if layout is None:
        keys = sorted({str(key)[:40] for pointer in islice(pointers, 20) for key in database.record(pointer)})[:40]
        raise GeoDatabaseError(
            database.path,
            f"its records hold neither a country nor an AS number ({database.type!r} with the keys "
            f"{', '.join(keys) or 'none'}; expected {EXPECTED})",
            _CHOOSE_ANOTHER,
        )
    return layout


def attribution() -> str:
    """The text the licences of the shipped data ask to show wherever results are shown."""
    return (
        "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0. "
        "AS numbers: University of Oregon RouteViews (https://www.routeviews.org), CC BY 4.0. "
        "Registry statistics: Number Resource Organization (https://www.nro.net), CC BY 4.0. "
        "Merged and modified by ip-location-db (https://github.com/sapics/ip-location-db) and this app. "
        "Cloud ranges: published by the providers, collected by cloudip (MIT)."
    )
