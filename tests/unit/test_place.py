"""Where a row came from: company exits, inside, the back ends of Microsoft and Google."""

from __future__ import annotations

from typing import Any

import pytest

from cba.enrich.geo import GeoReader
from cba.enrich.place import Egress, place
from cba.lists.match import ListTables
from cba.terms import PRIVATE

Row = dict[str, Any]
NO_EXITS = Egress(ListTables())
PUBLIC = {"ip_scope": "public", "src_ip": "84.80.124.7", "country": "NL", "asn": "1136"}


@pytest.fixture(scope="module")
def geo() -> GeoReader:
    return GeoReader()


def seen_from(geo: GeoReader, address: str, **cells: str) -> dict[str, str]:
    """A row from that address, as `cbageo` has filled it in, after `place`."""
    found = {name: value for name, value in geo.lookup(address)._asdict().items() if value}
    return place({"src_ip": address, **found, **cells}, NO_EXITS)


def test_an_ordinary_row_stays_as_it_is() -> None:
    row = {"source_kind": "aws", **PUBLIC}
    placed = place(row, NO_EXITS)
    assert placed == row and placed is not row


@pytest.mark.parametrize(
    ("rows", "setting", "country"),
    [
        ([{"cidr": "84.80.0.0/16", "label": "vpn", "country": "DE"}], (), "DE"),
        ([{"cidr": "84.80.0.0/16", "label": "vpn"}], (), "vpn"),
        ([{"cidr": "84.80.0.0/16", "label": "vpn"}], (("84.0.0.0/8", "FR"),), "vpn"),
        ([], (("84.0.0.0/8", "FR"), ("84.80.0.0/16", "DE")), "FR"),
        ([{"cidr": "85.0.0.0/8", "country": "DE"}], (("86.0.0.0/8", "FR"),), "NL"),
        ([{"cidr": "84.80.124.7", "except": "1"}, {"cidr": "84.0.0.0/8", "country": "DE"}], (), "NL"),
    ],
)
def test_a_company_exit_is_where_the_list_says(rows: list[Row], setting: Any, country: str) -> None:
    placed = place({"source_kind": "aws", **PUBLIC}, Egress(ListTables({"egress_ranges": rows}), setting))
    assert placed["country"] == country
    assert placed.get("egress") == (country if country != "NL" else None)
    assert placed["asn"] == "1136"


def test_an_exit_counts_in_the_logs_of_back_ends_and_inside(geo: GeoReader) -> None:
    exits = Egress(ListTables(), (("52.96.0.0/14", "NL"), ("10.0.0.0/8", "DE")))
    found = place(
        {"source_kind": "m365", "src_ip": "52.96.0.1", "country": "US", "asn": "8075", "ip_scope": "public"}, exits
    )
    assert found["country"] == "NL"
    found = place({"source_kind": "aws", "src_ip": "10.1.2.3", "ip_scope": "private"}, exits)
    assert (found["country"], found["asn"]) == ("DE", PRIVATE)


@pytest.mark.parametrize("entry", [("x", "NL"), ("10.0.0.0/99", "NL")])
def test_a_setting_that_is_no_network_is_an_error(entry: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        Egress(ListTables(), (entry,))


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "fd00::1", "127.0.0.1", "100.64.0.1"])
def test_inside_is_a_place(geo: GeoReader, address: str) -> None:
    placed = seen_from(geo, address, source_kind="kubernetes")
    assert (placed["country"], placed["asn"]) == (PRIVATE, PRIVATE)


@pytest.mark.parametrize(
    ("cells", "country"),
    [
        ({"skip_reason": "vpc endpoint"}, PRIVATE),
        ({"skip_reason": "vpc endpoint", "src_ip": "10.0.0.5", "ip_scope": "private"}, PRIVATE),
        ({"skip_reason": "vpc endpoint", **PUBLIC}, "NL"),
        ({"skip_reason": "no address"}, None),
        ({"ip_scope": "none"}, None),
        ({"ip_scope": "service", "src_ip": "AWS Internal"}, None),
        ({"ip_scope": "reserved", "src_ip": "203.0.113.1"}, None),
        ({}, None),
    ],
)
def test_a_vpc_endpoint_is_inside_unless_it_hides_nothing(cells: dict[str, str], country: str | None) -> None:
    assert place({"source_kind": "aws", **cells}, NO_EXITS).get("country") == country


MICROSOFT = (
    "52.96.0.1", "40.92.0.1", "13.107.6.152", "52.122.0.1", "20.190.160.2", "2603:1036:301:207e::5", "2603:10a6:803:4c::10",
    "2620:1ec:a92::152", "2a01:111:f402::1", "131.253.33.215",
)  # fmt: skip
GOOGLE = ("66.102.8.1", "74.125.1.1", "2a00:1450::1", "2607:f8b0::1", "35.190.247.1", "107.178.192.1", "2001:4860::1")
RENTED_FROM_GOOGLE = ("34.1.2.3", "23.236.48.1", "8.34.208.1")


@pytest.mark.parametrize(
    ("source", "addresses", "has_country"),
    [
        ("m365", MICROSOFT, False),
        ("m365", GOOGLE + RENTED_FROM_GOOGLE, True),
        ("gws", GOOGLE, False),
        ("gws", RENTED_FROM_GOOGLE, True),
        ("gws", MICROSOFT, True),
        ("azure", MICROSOFT, True),
        ("gcp", GOOGLE, True),
    ],
)
def test_a_providers_back_end_has_no_country_in_its_own_logs(
    geo: GeoReader, source: str, addresses: tuple[str, ...], has_country: bool
) -> None:
    for address in addresses:
        assert ("country" in seen_from(geo, address, source_kind=source)) is has_country, address


@pytest.mark.parametrize(("source", "address"), [("m365", "20.190.160.2"), ("gws", "66.102.8.1")])
def test_a_sign_in_from_there_is_judged(geo: GeoReader, source: str, address: str) -> None:
    assert "country" in seen_from(geo, address, source_kind=source, sign_in="1")
    assert "country" not in seen_from(geo, address, source_kind=source)


def test_the_published_networks_of_microsoft_365_are_known(geo: GeoReader) -> None:
    """Its IPv6 networks for Exchange, of which no data on autonomous systems knows all:
    https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges."""
    for prefix in (
        "2603:1006",
        "2603:1016",
        "2603:1026",
        "2603:1036",
        "2603:1046",
        "2603:1056",
        "2603:1096",
        "2603:10d6:200",
    ):
        assert "country" not in seen_from(geo, f"{prefix}::1", source_kind="m365"), prefix
    assert "country" in place(
        {"source_kind": "m365", "src_ip": "2603:2000::1", "country": "US", "ip_scope": "public"}, NO_EXITS
    )


@pytest.mark.parametrize("cells", [{"src_ip": "10.9.9.9", "ip_scope": "private"}, {"ip_scope": "none"}, {}])
def test_another_account_s_endpoint_is_a_place_by_itself(cells: dict[str, str]) -> None:
    placed = place({"source_kind": "aws", "foreign_endpoint": "999999999999", **cells}, NO_EXITS)
    assert placed["country"] == placed["asn"] == "VPC endpoint of account 999999999999"


def test_an_address_behind_another_account_s_endpoint_is_no_company_exit() -> None:
    """Whoever has the endpoint chooses the addresses of its network."""
    exits = Egress(ListTables(), (("10.0.0.0/8", "DE"),))
    found = place({"source_kind": "aws", "foreign_endpoint": "999999999999", "src_ip": "10.9.9.9"}, exits)
    assert (found["country"], found.get("egress")) == ("VPC endpoint of account 999999999999", None)
