"""cba.enrich.geo: the shipped database, a user's own, and damaged ones."""

from __future__ import annotations

import ipaddress
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Union

import maxminddb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]

from ip_database.mmdb_writer import Map, database, frozen
from ip_database.tables import read_regions

from cba.enrich import GEO_FIELDS, Geo, GeoDatabaseError, GeoReader, attribution, open_reader
from cba.enrich import geo as geo_module
from cba.enrich.geo import GLOBAL_REGION, SHIPPED_DATABASE
from cba.enrich.mmdb import MmdbFile

GOOGLE_WORKSPACE = ROOT.parent / "shared" / "data" / "google_workspace" / "gws_reports_invictus_2022.jsonl"

shipped = GeoReader()
plain_reader = maxminddb.open_database(SHIPPED_DATABASE, maxminddb.MODE_MEMORY)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", Geo("US", "15169", "Google LLC")),
        ("2001:4860:4860::8888", Geo("US", "15169", "Google LLC")),
        ("66.249.66.1", Geo("US", "15169", "Google LLC")),
        ("1.1.1.1", Geo("AU", "13335", "Cloudflare, Inc.")),
        ("80.114.222.200", Geo("NL", "33915", "Vodafone Libertel B.V.")),
        ("52.96.0.1", Geo("US", "8075", "Microsoft Corporation")),
        ("2603:1036:300::1", Geo("US", "8075", "Microsoft Corporation")),
        ("20.190.160.2", Geo("NL", "8075", "Microsoft Corporation", "azure", "westeurope")),
        ("3.225.16.109", Geo("US", "14618", "Amazon.com, Inc.", "aws", "us-east-1")),
        ("::ffff:3.225.16.109", Geo("US", "14618", "Amazon.com, Inc.", "aws", "us-east-1")),
        ("18.162.0.1", Geo("HK", "16509", "Amazon.com, Inc.", "aws", "ap-east-1")),
        ("13.32.0.1", Geo("US", "16509", "Amazon.com, Inc.", "aws", "global")),
        ("129.146.0.1", Geo("US", "31898", "Oracle Corporation", "oracle", "us-phoenix-1")),
        ("104.16.0.1", Geo("US", "13335", "Cloudflare, Inc.", "cloudflare", "")),
        # Azure lists 102.133.122.192/27 without a region, inside a range of South Africa North.
        ("102.133.122.192", Geo("ZA", "8075", "Microsoft Corporation", "azure", "southafricanorth")),
    ],
)
def test_known_addresses(address: str, expected: Geo) -> None:
    assert shipped.lookup(address) == expected


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("192.168.10.20", "private"),  # the country table says AU
        ("fe80::1%eth0", "private"),
        ("203.0.113.5", "reserved"),
        ("AWS Internal", "service"),
        ("ec2.amazonaws.com", "service"),
        ("-", "none"),
        ("999.1.1.1", "invalid"),
    ],
)
def test_what_is_not_public_has_only_a_scope(text: str, scope: str) -> None:
    assert shipped.lookup(text) == Geo(ip_scope=scope)


@settings(deadline=None)
@given(st.text())
def test_any_text_gets_an_answer_and_only_public_ones_a_place(text: str) -> None:
    geo = shipped.lookup(text)
    assert geo.ip_scope == "public" or geo == Geo(ip_scope=geo.ip_scope)


@settings(deadline=None)
@given(
    st.ip_addresses(v=4)
    | st.ip_addresses(v=6)
    | st.ip_addresses(network="2a00::/12")
    | st.ip_addresses(network="20.0.0.0/8")
)
def test_the_shipped_file_is_read_as_maxminddb_reads_it(
    address: Union[ipaddress.IPv4Address, ipaddress.IPv6Address],
) -> None:
    geo = shipped.lookup(str(address))
    embedded = address.version == 6 and (address.ipv4_mapped or address in ipaddress.ip_network("2002::/16"))
    if embedded or address in ipaddress.ip_network("64:ff9b::/96"):
        return
    record: Any = plain_reader.get(address) or {}
    system, cloud = record.get("as", {}), record.get("cloud", {})
    assert (geo.country, geo.asn, geo.as_org, geo.cloud_provider, geo.cloud_region) == (
        record.get("country", ""),
        str(system.get("number", "")),
        system.get("organization", ""),
        cloud.get("provider", ""),
        cloud.get("region", ""),
    )


def test_each_cloud_region_of_the_shipped_file_has_the_country_of_the_region_table() -> None:
    countries = {(provider, region.name): region.country for (provider, _), region in read_regions().items()}
    file = MmdbFile(SHIPPED_DATABASE, "")
    seen: Set[str] = set()
    for pointer in set(file.pointers()):
        record = file.record(pointer)
        cloud = record.get("cloud", {})
        if cloud.get("region", GLOBAL_REGION) != GLOBAL_REGION:
            assert countries[cloud["provider"], cloud["region"]] == record["country"]
            seen.add(cloud["provider"])
    assert seen == {"aws", "azure", "gcp", "oracle", "digitalocean"}


def test_the_shipped_file_stays_small_and_has_known_keys_only() -> None:
    assert SHIPPED_DATABASE.stat().st_size < 15_000_000
    file = MmdbFile(SHIPPED_DATABASE, "")
    keys = {key for pointer in list(file.pointers())[::100] for key in file.record(pointer)}
    assert keys == {"country", "as", "cloud"}


def test_countries_of_a_real_workspace_tenant() -> None:
    if not GOOGLE_WORKSPACE.exists():
        pytest.skip("the shared logs are not on this machine (../shared/data)")
    addresses = set()
    for line in GOOGLE_WORKSPACE.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event.get("actor", {}).get("email", "").startswith("admin@") and "ipAddress" in event:
            addresses.add(event["ipAddress"])
    assert {shipped.lookup(address).country for address in addresses} == {"NL", "GB", "FR", "SE", "SG", "TH", "US"}


def test_a_text_seen_before_is_a_dictionary_hit_and_the_memory_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = GeoReader()
    assert reader.lookup("8.8.8.8") is reader.lookup("8.8.8.8")
    assert reader.lookup("8.8.4.4") is reader.lookup("8.8.8.8")  # networks of one record share one Geo
    monkeypatch.setattr(geo_module, "MEMO_ENTRIES", 10)
    for number in range(200):
        assert reader.lookup(f"{number + 11}.1.1.1").ip_scope in ("public", "private")
        assert len(reader._memo) <= 10 and len(reader._places) <= 10
    assert reader.lookup("8.8.8.8").asn == "15169"


def test_a_place_is_a_row_of_the_commands_fields() -> None:
    assert GEO_FIELDS == ("country", "asn", "as_org", "cloud_provider", "cloud_region", "ip_scope")
    assert tuple(open_reader().lookup("8.8.8.8")) == ("US", "15169", "Google LLC", "", "", "public")


def test_a_commands_option_names_a_users_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLUNK_HOME", str(tmp_path))
    (tmp_path / "share").mkdir()
    path = own_database(tmp_path / "share", frozen({"country_code": "FR"}))
    assert open_reader(str(path)).lookup("8.8.8.8").country == "FR"
    assert open_reader("").lookup("8.8.8.8").country == "US"


def test_the_data_date_and_its_age() -> None:
    assert shipped.date == date(2026, 6, 17)
    built = datetime(2026, 6, 17, tzinfo=timezone.utc)
    assert [shipped.age_days(built + timedelta(days=d)) for d in (-3, 0, 0.9, 1, 40)] == [0, 0, 0, 1, 40]
    (info,) = shipped.databases
    assert info.path == SHIPPED_DATABASE
    assert info.description == "Data of 2026-06-17 (country), 2026-06-17 (AS), 2026-10-26 (cloud)"


def test_the_attribution_names_everyone_who_asks_for_it() -> None:
    for name in ("IP Geolocation by DB-IP", "https://db-ip.com", "RouteViews", "nro.net", "CC BY 4.0"):
        assert name in attribution()


# A user's own database ----------------------------------------------------------------------------------------------


def own_database(folder: Path, record: Map, network: str = "0.0.0.0/0", kind: str = "Other") -> Path:
    net = ipaddress.ip_network(network)
    segment = [(int(net.network_address), int(net.broadcast_address), record)]
    path = folder / "own.mmdb"
    path.write_bytes(
        database(segment if net.version == 4 else [], segment if net.version == 6 else [], kind, "mine", 86400)
    )
    return path


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"country": frozen({"iso_code": "FR", "geoname_id": 3017382})}, Geo("FR", "15169", "Google LLC")),
        ({"country_code": "fr"}, Geo("FR", "15169", "Google LLC")),
        ({"country": "FR", "country_name": "France"}, Geo("FR", "15169", "Google LLC")),
        ({"autonomous_system_number": 7, "autonomous_system_organization": "Seven"}, Geo("US", "7", "Seven")),
        ({"country_code": "FR", "asn": "AS7", "as_name": "Seven"}, Geo("FR", "7", "Seven")),
        ({"asn": "AS7", "name": "Seven", "domain": "seven.example"}, Geo("US", "7", "Seven")),
        (
            {
                "country": frozen({"iso_code": "FR"}),
                "traits": frozen({"autonomous_system_number": 7, "autonomous_system_organization": "Seven"}),
            },
            Geo("FR", "7", "Seven"),
        ),
        ({"asn": "7"}, Geo("US", "7", "")),
    ],
)
def test_common_layouts(record: Dict[str, Any], expected: Geo, tmp_path: Path) -> None:
    reader = GeoReader(own_database(tmp_path, frozen(record)))
    assert reader.lookup("8.8.8.8") == expected
    assert reader.lookup("10.0.0.1") == Geo(ip_scope="private")


def test_a_cloud_region_keeps_its_country_and_a_global_range_does_not(tmp_path: Path) -> None:
    reader = GeoReader(own_database(tmp_path, frozen({"country_code": "FR"})))
    assert reader.lookup("3.225.16.109") == Geo("US", "14618", "Amazon.com, Inc.", "aws", "us-east-1")
    assert reader.lookup("13.32.0.1") == Geo("FR", "16509", "Amazon.com, Inc.", "aws", "global")


def test_where_the_own_database_knows_nothing_its_fields_are_unknown(tmp_path: Path) -> None:
    reader = GeoReader(own_database(tmp_path, frozen({"country_code": "FR"}), "9.0.0.0/8"))
    assert reader.lookup("8.8.8.8") == Geo("", "15169", "Google LLC")
    assert reader.lookup("2001:4860:4860::8888") == Geo("", "15169", "Google LLC")


def test_both_databases_are_reported_the_own_one_first(tmp_path: Path) -> None:
    path = own_database(tmp_path, frozen({"country_code": "FR"}))
    reader = GeoReader(path)
    assert [info.path for info in reader.databases] == [path, SHIPPED_DATABASE]
    assert reader.date == date(1970, 1, 2)


def test_a_newer_build_of_the_apps_own_kind_replaces_it(tmp_path: Path) -> None:
    path = own_database(tmp_path, frozen({"country": "FR"}), kind=geo_module.SHIPPED_TYPE)
    reader = GeoReader(path)
    assert reader.lookup("3.225.16.109") == Geo("FR")
    assert [info.path for info in reader.databases] == [path]


def test_an_unknown_layout_is_an_error_that_says_what_was_expected(tmp_path: Path) -> None:
    path = own_database(tmp_path, frozen({"latitude": "52.1", "place": "x"}), kind="Places")
    with pytest.raises(GeoDatabaseError) as caught:
        GeoReader(path)
    for words in (str(path), "'Places' with the keys latitude, place", "country.iso_code", "Set another IP database"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "no MaxMind DB file"),
        (b"PK\x03\x04 not a database", "no MaxMind DB file"),
        (b"\xab\xcd\xefMaxMind.com", "damaged metadata"),
        (b"\xab\xcd\xefMaxMind.com\xe0", "damaged metadata"),
        (b"\xab\xcd\xefMaxMind.com\x43abc", "damaged metadata"),
    ],
)
def test_a_missing_or_damaged_file_is_named(content: Optional[bytes], problem: str, tmp_path: Path) -> None:
    path = tmp_path / "own.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GeoDatabaseError) as caught:
        GeoReader(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)
    assert str(caught.value).endswith("Set another IP database, or none to use the app's own")


def test_a_missing_shipped_database_says_install_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geo_module, "SHIPPED_DATABASE", tmp_path / "ip.mmdb")
    with pytest.raises(GeoDatabaseError, match=r"ip\.mmdb: .* Install the app again"):
        GeoReader()


@settings(deadline=None)
@given(st.data())
def test_no_damage_inside_a_file_raises_anything_else(data: st.DataObject) -> None:
    """Bytes of a small file replaced at random: an answer (perhaps wrong) or GeoDatabaseError, nothing else."""
    segments: List[Any] = [
        (i << 24, (i + 1 << 24) - 1, frozen({"country": "NL", "as": frozen({"number": i, "organization": f"org {i}"})}))
        for i in range(1, 9)
    ]
    content = bytearray(database(segments, [], geo_module.SHIPPED_TYPE, "", 0))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = Path("ip.mmdb")  # never opened: the content is handed over below
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda self: bytes(content))
        try:
            reader = GeoReader(path)
            for first in range(1, 9):
                reader.lookup(f"{first}.1.1.1")
                reader.lookup(f"2a00:{first}::")
        except GeoDatabaseError as error:
            assert "IP database" in str(error) or "MaxMind DB" in str(error)
