#!/usr/bin/env python3
"""Build bin/cba/enrich/data/ip.mmdb: country, AS, cloud provider and region of every public address.

    python package/build_ip_database.py [--output FILE] [--cache FOLDER]

Needs npm and the packages of package/ip-requirements.txt. Sources, licences and the words to show: package/ip_data.md.
The file depends on the pinned sources and this code alone: two builds are byte-equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import datetime, time, timezone
from pathlib import Path
from typing import Any, List, Optional

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "package"), str(ROOT / "bin"), str(ROOT / "lib")]

from ip_database.assemble import assemble  # noqa: E402
from ip_database.mmdb_writer import database  # noqa: E402
from ip_database.sources import (  # noqa: E402
    ASN,
    CLOUD,
    COUNTRY,
    Package,
    SourceError,
    clouds,
    countries,
    fetch,
    systems,
)
from ip_database.tables import Tables, read_regions, unknown_regions  # noqa: E402

from cba.enrich.geo import SHIPPED_DATABASE, SHIPPED_TYPE, GeoReader  # noqa: E402

# Addresses whose place is public knowledge: a build that gets one wrong is not written.
KNOWN_ADDRESSES = {
    "8.8.8.8": ("US", "15169", "", ""),
    "2001:4860:4860::8888": ("US", "15169", "", ""),
    "1.1.1.1": ("AU", "13335", "", ""),
    "3.225.16.109": ("US", "14618", "aws", "us-east-1"),
    "80.114.222.200": ("NL", "33915", "", ""),
    "10.0.0.1": ("", "", "", ""),
    "192.168.10.20": ("", "", "", ""),
}


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Build the app's IP database from pinned open data.")
    parser.add_argument("--output", type=Path, default=SHIPPED_DATABASE)
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "ip")
    options = parser.parse_args(arguments)
    try:
        build(options.output, options.cache)
    except (SourceError, ValueError) as error:
        print(f"build_ip_database: {error}", file=sys.stderr)
        return 1
    return 0


def build(output: Path, cache: Path) -> None:
    """Fetch, verify, assemble, check and write; raises SourceError or ValueError and leaves `output` as it was."""
    packages = {source: fetch(source, cache) for source in (COUNTRY, ASN, CLOUD)}
    country_tables = countries(packages[COUNTRY], cache)
    as_tables = systems(packages[ASN])
    cloud_tables = clouds(packages[CLOUD])
    report(packages[COUNTRY], country_tables)
    report(packages[ASN], as_tables)
    report(packages[CLOUD], cloud_tables)

    regions = read_regions()
    unknown = unknown_regions(cloud_tables, regions)
    if unknown:
        raise ValueError(
            "cloud regions without a country: "
            + ", ".join(f"{provider} {region}" for provider, region in unknown)
            + ". Add them to bin/cba/enrich/data/cloud_regions.csv"
        )

    v4, v6 = (assemble(version, country_tables, as_tables, cloud_tables, regions) for version in (4, 6))
    dates = {name: packages[source].date for name, source in (("country", COUNTRY), ("AS", ASN), ("cloud", CLOUD))}
    oldest = datetime.combine(min(dates.values()), time(), timezone.utc)
    description = "Data of " + ", ".join(f"{day} ({name})" for name, day in dates.items())
    content = database(v4, v6, SHIPPED_TYPE, description, int(oldest.timestamp()))

    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:  # beside the output, so that it can be moved there
        candidate = Path(folder) / output.name
        candidate.write_bytes(content)
        check(GeoReader(candidate))
        candidate.replace(output)
    print(f"{output}: {len(content):,} bytes, {len(v4):,} IPv4 and {len(v6):,} IPv6 ranges, {description}")


def report(package: Package, tables: Tables[Any]) -> None:
    """Print what a source is, how old, and how much it holds."""
    age = (datetime.now(timezone.utc).date() - package.date).days
    print(
        f"{package.source.title}: {package.date}, {age} days old, "
        f"{len(tables[4]):,} IPv4 and {len(tables[6]):,} IPv6 rows"
    )


def check(reader: GeoReader) -> None:
    """Look the known addresses up; ValueError names the first that is wrong."""
    for address, expected in KNOWN_ADDRESSES.items():
        geo = reader.lookup(address)
        found = (geo.country, geo.asn, geo.cloud_provider, geo.cloud_region)
        if found != expected:
            raise ValueError(f"{address} is {found} in the new database, known is {expected}; it was not written")


if __name__ == "__main__":
    sys.exit(main())
