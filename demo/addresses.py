"""Where the demo's people, runners and attackers call from: one table, country -> real networks.

The networks are announced by the internet providers named beside them and are assigned to that country in the
address registries, so that the app's own database resolves them. They stand for "some customer of that provider";
the activity is invented. Cloud networks are those the provider publishes for the region.
"""

from __future__ import annotations

import ipaddress
import random

INTERNET: dict[str, tuple[str, ...]] = {
    "AR": ("181.229.252.0/22", "190.231.212.0/22"),  # Telecom Argentina
    "AT": ("46.74.252.0/22", "188.20.128.0/22"),  # A1 Telekom
    "AU": ("1.139.252.0/22", "165.228.124.0/22"),  # Telstra
    "BE": ("37.62.124.0/22", "88.197.188.0/22"),  # Proximus
    "CN": ("125.91.172.0/22", "112.123.244.0/22"),  # Chinanet, China Unicom
    "DE": ("87.159.252.0/22", "109.90.252.0/22"),  # Deutsche Telekom, Vodafone
    "EG": ("41.39.252.0/22", "154.183.252.0/22"),  # TE Data
    "ES": ("2.139.252.0/22", "188.239.140.0/22"),  # Telefonica, Orange
    "FR": ("90.82.64.0/22", "82.142.28.0/22"),  # Orange, Free
    "GB": ("91.111.124.0/22", "82.28.124.0/22"),  # BT, Virgin Media
    "ID": ("36.65.0.0/22", "125.163.252.0/22"),  # Telkom
    "IN": ("122.160.112.0/22", "49.38.128.0/22"),  # Airtel, Jio
    "KZ": ("2.133.252.0/22", "92.47.132.0/22"),  # Kazakhtelecom
    "NG": ("41.203.76.0/22", "102.91.252.0/22"),  # Globacom, MTN
    "NL": ("24.132.124.0/22", "84.80.124.0/22"),  # Vodafone, KPN
    "PL": ("80.51.164.0/22", "178.36.252.0/22"),  # Orange, Netia
    "PT": ("2.81.252.0/22", "89.180.252.0/22"),  # MEO, NOS
    "RU": ("95.158.220.0/22", "95.30.108.0/22"),  # Rostelecom, Vimpelcom
    "SG": ("116.15.184.0/22", "118.189.192.0/22"),  # Singtel, M1
    "TH": ("101.51.216.0/22", "171.100.164.0/22"),  # TOT, True
    "TR": ("78.177.200.0/22", "88.238.104.0/22"),  # Turk Telekom
    "US": ("50.203.120.0/22", "75.136.28.0/22"),  # Comcast, Charter
    "VN": ("14.175.252.0/22", "123.30.180.0/22"),  # VNPT
    "ZA": ("196.208.176.0/22", "41.150.220.0/22"),  # Dimension Data, Telkom
}

CLOUD: dict[str, tuple[str, str]] = {
    "aws/eu-west-1": ("IE", "3.248.16.0/22"),
    "aws/eu-central-1": ("DE", "18.184.60.0/22"),
    "aws/us-east-1": ("US", "34.194.20.0/22"),
    "aws/ap-southeast-1": ("SG", "47.128.8.0/22"),
    "aws/ap-northeast-1": ("JP", "175.41.192.0/22"),
    "aws/ap-southeast-2": ("AU", "54.252.96.0/22"),
    "aws/sa-east-1": ("BR", "52.67.16.0/22"),
    "aws/af-south-1": ("ZA", "13.244.8.0/22"),
    "aws/ca-central-1": ("CA", "52.60.40.0/22"),
    "aws/ap-south-1": ("IN", "13.126.20.0/22"),
    "aws/me-central-1": ("AE", "40.172.4.0/22"),
    "aws/ap-northeast-2": ("KR", "52.78.12.0/22"),
    "aws/eu-west-3": ("FR", "15.236.40.0/22"),
    "aws/eu-north-1": ("SE", "13.53.40.0/22"),
    "aws/mx-central-1": ("MX", "136.18.152.0/22"),
    "azure/eastus": ("US", "20.115.4.0/22"),
    "azure/westeurope": ("NL", "20.101.8.0/22"),
    "gcp/europe-west4": ("NL", "34.6.4.0/22"),
    "gcp/europe-west1": ("BE", "104.155.8.0/22"),
    "gcp/us-central1": ("US", "34.66.16.0/22"),
}
"""Published region -> (its country, one of its networks)."""

BACK_ENDS: dict[str, tuple[str, str]] = {
    "microsoft": ("QA", "20.21.0.0/22"),  # AS8075: a mailbox moved by Microsoft's own back end
    "google": ("US", "74.125.80.0/22"),  # AS15169
}
"""Addresses that a provider's own back ends leave in its own logs."""

VPN_EXITS: dict[str, tuple[str, str]] = {
    "amsterdam": ("DE", "18.184.64.16/28"),  # rented in eu-central-1
    "amsterdam-2": ("CH", "16.62.8.32/28"),  # rented in eu-central-2, opened late in the history
}
"""Exit -> (country a geo database gives, network). `lists.egress_ranges` says that they are NL."""

EGRESS_COUNTRY = "NL"
PRIVATE = ("10.20.0.0/22", "172.20.8.0/22", "192.168.40.0/22")


def pick(network: str, key: str) -> str:
    """A host address of `network`, the same for equal `key`."""
    parsed = ipaddress.ip_network(network)
    span = parsed.num_addresses
    return str(parsed[random.Random(f"{network}:{key}").randrange(1, span - 1)])


def in_country(country: str, key: str) -> str:
    """An address of an internet provider of `country`, the same for equal `key`."""
    networks = INTERNET[country]
    return pick(networks[random.Random(key).randrange(len(networks))], key)


def in_region(region: str, key: str) -> str:
    """An address of a cloud region, e.g. `aws/eu-west-1`."""
    return pick(CLOUD[region][1], key)


def country_of(address: str) -> str:
    """The country the app should find, egress ranges and back ends considered; `-` for none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "-"
    for network, country in _KNOWN:
        if parsed in network:
            return country
    return "-"


_KNOWN = (
    [(ipaddress.ip_network(network), EGRESS_COUNTRY) for _, network in VPN_EXITS.values()]
    + [(ipaddress.ip_network(network), country) for country, networks in INTERNET.items() for network in networks]
    + [(ipaddress.ip_network(network), country) for country, network in CLOUD.values()]
)
