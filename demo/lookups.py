"""Rows that the demo's organization would keep in the app's lookups; the demo puts them there, not into the app."""

from __future__ import annotations

from . import addresses
from .attacks import compromised_access_key
from .organization import Organization

Row = dict[str, str]


def egress_ranges() -> list[Row]:
    """The VPN exits: wherever they are rented, whoever comes out counts as being in the head office's country."""
    return [
        {
            "cidr": network,
            "label": f"vpn-{name}",
            "country": addresses.EGRESS_COUNTRY,
            "comment": f"VPN exit, rented in {where}",
        }
        for name, (where, network) in addresses.VPN_EXITS.items()
    ]


def watch_list(organization: Organization) -> list[Row]:
    """People to look at more closely."""
    leaver = organization.cast["greg.holloway"].email
    return [{"identity": leaver, "reason": "under notice", "comment": "HR case 2026-017"}]


def compromised_keys() -> list[Row]:
    """AWS access keys known to be in the wrong hands."""
    return [{"access_key": compromised_access_key(), "reason": "found in a stealer log", "since": "", "comment": ""}]


def all_rows(organization: Organization) -> dict[str, list[Row]]:
    """Lookup name -> its rows, for the lookups the demo needs."""
    return {
        "egress_ranges": egress_ranges(),
        "watch_list": watch_list(organization),
        "compromised_keys": compromised_keys(),
    }
