"""The demo's address table says what the app's own database says."""

from __future__ import annotations

import ipaddress

import pytest

from cba.enrich import GeoReader
from demo import addresses

READER = GeoReader()


def ends(network: str) -> list[str]:
    parsed = ipaddress.ip_network(network)
    return [str(parsed[0]), str(parsed[parsed.num_addresses // 2]), str(parsed[-1])]


@pytest.mark.parametrize("country", addresses.INTERNET)
def test_internet_providers(country: str) -> None:
    for network in addresses.INTERNET[country]:
        for address in ends(network):
            found = READER.lookup(address)
            assert (found.country, found.cloud_provider) == (country, ""), address
            assert found.asn not in ("", "8075", "15169"), address


@pytest.mark.parametrize("region", addresses.CLOUD)
def test_cloud_regions(region: str) -> None:
    country, network = addresses.CLOUD[region]
    for address in ends(network):
        found = READER.lookup(address)
        assert (found.country, f"{found.cloud_provider}/{found.cloud_region}") == (country, region), address


def test_back_ends_belong_to_the_provider() -> None:
    for name, asn in (("microsoft", "8075"), ("google", "15169")):
        country, network = addresses.BACK_ENDS[name]
        assert {(READER.lookup(a).country, READER.lookup(a).asn) for a in ends(network)} == {(country, asn)}


def test_vpn_exits_are_elsewhere_than_the_company_says() -> None:
    for country, network in addresses.VPN_EXITS.values():
        assert {READER.lookup(a).country for a in ends(network)} == {country}
        assert country != addresses.EGRESS_COUNTRY
        assert {addresses.country_of(a) for a in ends(network)} == {addresses.EGRESS_COUNTRY}


def test_private_addresses_have_no_country() -> None:
    for network in addresses.PRIVATE:
        assert addresses.country_of(addresses.pick(network, "x")) == "-"
        assert READER.lookup(addresses.pick(network, "x")).country == ""


def test_networks_do_not_overlap() -> None:
    networks = [n for group in addresses.INTERNET.values() for n in group]
    networks += [network for _, network in (*addresses.CLOUD.values(), *addresses.BACK_ENDS.values())]
    parsed = [ipaddress.ip_network(network) for network in networks]
    assert not [(a, b) for i, a in enumerate(parsed) for b in parsed[:i] if a.overlaps(b)]


def test_pick_is_stable_and_inside() -> None:
    for network in ("24.132.124.0/22", "18.184.64.16/28"):
        picked = {addresses.pick(network, str(i)) for i in range(200)}
        assert addresses.pick(network, "1") in picked
        assert all(ipaddress.ip_address(a) in ipaddress.ip_network(network) for a in picked)
        assert not picked & {str(ipaddress.ip_network(network)[0]), str(ipaddress.ip_network(network)[-1])}
