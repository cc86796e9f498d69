"""package/ip_database: ranges, precedence and the file, on tables small enough to check by hand or by brute force."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import maxminddb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ip_database.assemble import assemble, record, with_region
from ip_database.mmdb_writer import Map, database, frozen
from ip_database.ranges import Segment, joined, merged, nested, without
from ip_database.sources import COUNTRY, Package, Source, SourceError, systems
from ip_database.tables import REGIONS_FILE, Region, read_regions, unknown_regions

from cba.enrich.geo import SHIPPED_TYPE, Geo, GeoReader

REGIONS = {("aws", "us-east-1"): Region("us-east-1", "US"), ("azure", "germanywc"): Region("germanywestcentral", "DE")}


def spread(table: List[Segment[Any]]) -> Dict[int, Any]:
    """A table as one entry per address; also checks that it is one: ordered and disjoint."""
    assert all(a[1] < b[0] for a, b in zip(table, table[1:])), table
    return {address: value for first, last, value in table for address in range(first, last + 1)}


small_ranges = st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from("abc")).map(
    lambda t: (t[0], t[0] + t[1], t[2])
)
blocks = st.integers(0, 5).flatmap(  # aligned blocks, as networks are: they nest or lie apart
    lambda bits: st.tuples(st.integers(0, (64 >> bits) - 1), st.sampled_from(["a", "b", "c", ""])).map(
        lambda t: (t[0] << bits, (t[0] + 1 << bits) - 1, t[1])
    )
)
tables = st.lists(blocks, max_size=20).map(nested)


def test_equal_neighbours_become_one_range() -> None:
    assert merged([(0, 3, "a"), (4, 7, "a"), (8, 9, "b"), (11, 12, "b")]) == [(0, 7, "a"), (8, 9, "b"), (11, 12, "b")]


def test_the_narrowest_range_decides() -> None:
    assert nested([(0, 99, "wide"), (10, 19, "middle"), (12, 13, "narrow"), (50, 50, "one")]) == [
        (0, 9, "wide"),
        (10, 11, "middle"),
        (12, 13, "narrow"),
        (14, 19, "middle"),
        (20, 49, "wide"),
        (50, 50, "one"),
        (51, 99, "wide"),
    ]


def test_a_crossing_range_is_cut_where_the_later_one_begins() -> None:
    assert nested([(0, 9, "first"), (5, 14, "second")]) == [(0, 4, "first"), (5, 14, "second")]


def test_of_equal_ranges_the_later_decides() -> None:
    assert nested([(0, 9, "first"), (0, 9, "second")]) == [(0, 9, "second")]


@settings(deadline=None)
@given(st.lists(blocks, max_size=25))
def test_nested_says_of_each_address_what_its_narrowest_range_says(segments: List[Segment[str]]) -> None:
    expected: Dict[int, str] = {}
    for first, last, value in sorted(segments, key=lambda s: s[0] - s[1]):  # widest first, stable: later wins
        expected.update(dict.fromkeys(range(first, last + 1), value))
    assert spread(nested(segments)) == expected


@settings(deadline=None)
@given(st.lists(small_ranges, max_size=25))
def test_nested_covers_exactly_what_any_ranges_cover(segments: List[Segment[str]]) -> None:
    covered = {address for first, last, _ in segments for address in range(first, last + 1)}
    assert set(spread(nested(segments))) == covered


@settings(deadline=None)
@given(tables, st.lists(small_ranges.map(lambda t: t[:2]), max_size=5))
def test_without_removes_the_holes_and_nothing_else(table: List[Segment[str]], holes: List[Tuple[int, int]]) -> None:
    expected = {a: v for a, v in spread(table).items() if not any(first <= a <= last for first, last in holes)}
    assert spread(without(table, holes)) == expected


@settings(deadline=None)
@given(tables, tables)
def test_joined_says_of_each_address_what_both_tables_say(left: List[Segment[str]], right: List[Segment[str]]) -> None:
    a, b = spread(left), spread(right)
    assert spread(joined(left, right)) == {at: (a.get(at), b.get(at)) for at in {*a, *b}}


def test_a_cloud_range_without_region_takes_the_region_around_it() -> None:
    assert with_region(("azure", ""), ("azure", "eastus")) == ("azure", "eastus")
    assert with_region(("azure", ""), ("aws", "us-east-1")) == ("azure", "")
    assert with_region(("aws", "global"), ("aws", "us-east-1")) == ("aws", "global")
    assert with_region(("azure", "westus"), ("azure", "eastus")) == ("azure", "westus")


@pytest.mark.parametrize(
    ("country", "system", "cloud", "expected"),
    [
        ("IE", (16509, "Amazon"), ("aws", "us-east-1"), Geo("US", "16509", "Amazon", "aws", "us-east-1")),
        ("IE", None, ("azure", "germanywc"), Geo("DE", "", "", "azure", "germanywestcentral")),
        ("IE", None, ("aws", "global"), Geo("IE", "", "", "aws", "global")),
        ("IE", None, ("cloudflare", ""), Geo("IE", "", "", "cloudflare", "")),
        (None, (1, ""), None, Geo("", "1", "")),
        ("NL", (0, "not routed"), None, Geo("NL")),
    ],
)
def test_precedence(
    country: Optional[str],
    system: Optional[Tuple[int, str]],
    cloud: Optional[Tuple[str, str]],
    expected: Geo,
    tmp_path: Path,
) -> None:
    value = record(country, system, cloud, REGIONS)
    network = ipaddress.ip_network("8.0.0.0/8")
    path = tmp_path / "ip.mmdb"
    path.write_bytes(database([(int(network[0]), int(network[-1]), value)], [], SHIPPED_TYPE, "", 0))
    assert GeoReader(path).lookup("8.8.8.8") == expected


def test_nothing_known_is_no_record() -> None:
    assert record(None, None, None, REGIONS) == ()


def span(cidr: str, value: Any) -> Segment[Any]:
    network = ipaddress.ip_network(cidr)
    return int(network.network_address), int(network.broadcast_address), value


def small_database(shuffled: bool = False) -> bytes:
    step = -1 if shuffled else 1
    countries = {
        4: [span("8.0.0.0/8", "US"), span("192.0.0.0/8", "AU"), span("52.0.0.0/8", "IE")][::step],
        6: [span("2a00::/16", "NL")],
    }
    systems = {4: [span("8.8.8.0/24", (15169, "Google LLC")), span("52.0.0.0/9", (16509, "Amazon"))][::step], 6: []}
    clouds = {
        4: [span("52.0.0.0/16", ("aws", "us-east-1")), span("52.0.4.0/24", ("aws", "global"))][::step],
        6: [span("2a00:1::/32", ("azure", "germanywc")), span("2a00:1:2::/48", ("azure", ""))][::step],
    }
    v4, v6 = (assemble(version, countries, systems, clouds, REGIONS) for version in (4, 6))
    return database(v4, v6, SHIPPED_TYPE, "Data of 2020-01-02", 1577923200)


def test_a_small_build_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "ip.mmdb"
    path.write_bytes(small_database())
    reader = GeoReader(path)
    assert reader.lookup("8.8.8.8") == Geo("US", "15169", "Google LLC")
    assert reader.lookup("8.8.9.8") == Geo("US")
    assert reader.lookup("52.0.0.1") == Geo("US", "16509", "Amazon", "aws", "us-east-1")
    assert reader.lookup("52.0.4.1") == Geo("IE", "16509", "Amazon", "aws", "global")
    assert reader.lookup("52.200.0.1") == Geo("IE")
    assert reader.lookup("2a00:1::1") == Geo("DE", "", "", "azure", "germanywestcentral")
    assert reader.lookup("2a00:1:2::1") == Geo("DE", "", "", "azure", "germanywestcentral")
    assert reader.lookup("2a00:2::1") == Geo("NL")
    assert reader.lookup("9.9.9.9") == Geo()
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as plain:  # private addresses are not even in the file
        assert plain.get("192.168.1.1") is None
        assert plain.get("192.1.1.1") == {"country": "AU"}


def test_a_build_depends_on_its_rows_alone() -> None:
    assert small_database() == small_database(shuffled=True)


def record_map(value: str) -> Map:
    return frozen({"country": value, "as": frozen({"number": 65536 + ord(value), "organization": value * 300})})


@settings(max_examples=60, deadline=None)
@given(tables, tables, st.lists(st.integers(0, 63), min_size=1, max_size=10))
def test_the_file_answers_as_the_tables_do(
    v4: List[Segment[str]], v6: List[Segment[str]], addresses: List[int]
) -> None:
    """Read back with maxminddb's own reader, with addresses spread so that prefixes of many lengths occur."""
    shift4, shift6, base6 = 24, 100, 1 << 125

    def stretched(table: List[Segment[str]], shift: int, base: int) -> List[Segment[Map]]:
        kept = [row for row in table if row[2]]
        return [((f << shift) + base, ((e + 1) << shift) - 1 + base, record_map(v)) for f, e, v in kept]

    content = database(stretched(v4, shift4, 0), stretched(v6, shift6, base6), "test", "", 0)
    handle = io.BytesIO(content)
    handle.name = "test"  # maxminddb wants a name for its messages
    with maxminddb.open_database(handle, maxminddb.MODE_FD) as plain:
        for number in addresses:
            for table, address in (
                (v4, ipaddress.IPv4Address(number << shift4 | 0xABCDEF)),
                (v6, ipaddress.IPv6Address(base6 + (number << shift6) + 12345)),
            ):
                value = spread(table).get(number)
                found = plain.get(address)
                if not value:
                    assert found is None
                else:
                    assert found == {
                        "country": value,
                        "as": {"number": 65536 + ord(value), "organization": value * 300},
                    }


def test_equal_parts_of_the_file_are_stored_once() -> None:
    one = database([span("8.0.0.0/8", record_map("a"))], [], "test", "", 0)
    halves = [span("8.0.0.0/9", record_map("a")), span("8.128.0.0/9", record_map("a"))]
    assert database(halves, [], "test", "", 0) == one
    alternating = [span(f"8.{i}.0.0/16", record_map("ab"[i % 2])) for i in range(256)]
    # Each of 255 nodes would take 6 bytes, and each further text 300.
    assert len(database(alternating, [], "test", "", 0)) < len(one) + 500


def test_an_ipv6_table_may_not_reach_where_ipv4_lives() -> None:
    with pytest.raises(ValueError, match="::/96"):
        database([], [span("::/64", record_map("a"))], "test", "", 0)


def test_a_region_without_a_country_is_found() -> None:
    clouds = {
        4: [(0, 1, ("aws", "us-east-1")), (2, 3, ("aws", "moon-1")), (4, 5, ("aws", "global"))],
        6: [(0, 1, ("oracle", ""))],
    }
    assert unknown_regions(clouds, REGIONS) == [("aws", "moon-1")]


def test_the_region_table_is_sorted_named_and_has_each_region_once() -> None:
    rows = [line.split(",") for line in REGIONS_FILE.read_text(encoding="utf-8").splitlines()[1:]]
    assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
    assert len({(row[0], row[1]) for row in rows}) == len({(row[0], row[2]) for row in rows}) == len(rows)
    assert all(len(row) == 5 and all(row) and len(row[3]) == 2 and row[3].isupper() for row in rows)
    regions = read_regions()
    assert regions["azure", "germanywc"] == Region("germanywestcentral", "DE")
    assert regions["aws", "eu-west-2"].country == "GB"


def archive(members: Dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return content.getvalue()


def pinned(content: bytes) -> Source:
    return replace(
        COUNTRY, sha256=hashlib.sha256(content).hexdigest(), licences=(("package/package.json", b"CC0-1.0"),)
    )


def test_a_package_other_than_the_pinned_one_is_refused() -> None:
    content = archive({"package/package.json": b"CC0-1.0"})
    with pytest.raises(SourceError, match=r"sha256 is .* pinned is"):
        Package(pinned(b"something else"), content)


def test_a_package_with_another_licence_is_refused() -> None:
    content = archive({"package/package.json": b"all rights reserved"})
    with pytest.raises(SourceError, match=r"no longer says 'CC0-1.0'"):
        Package(pinned(content), content)


def test_a_package_made_from_geolite_is_refused() -> None:
    content = archive({"package/package.json": b"CC0-1.0", "package/README.md": b"Merged from GeoLite2 by ..."})
    with pytest.raises(SourceError, match="GeoLite"):
        Package(pinned(content), content)


def test_a_package_says_its_date_and_what_it_lacks() -> None:
    content = archive({"package/package.json": b"CC0-1.0"})
    package = Package(pinned(content), content)
    assert str(package.date) == "2026-06-17"
    with pytest.raises(SourceError, match=r"holds no package/asn-ipv4-num\.csv"):
        systems(package)


def test_as_rows_are_read_with_quotes_and_commas() -> None:
    first, last = 42540528726795050063891204319802818560, 42540528726795050063891204319802818569
    content = archive(
        {
            "package/package.json": b"CC0-1.0",
            "package/asn-ipv4-num.csv": b'16777216,16777471,13335,"Cloudflare, Inc."\n',
            "package/asn-ipv6-num.csv": f"{first},{last},2500,Éire \n".encode(),
        }
    )
    assert systems(Package(pinned(content), content)) == {
        4: [(16777216, 16777471, (13335, "Cloudflare, Inc."))],
        6: [(first, last, (2500, "Éire"))],
    }
