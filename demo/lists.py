"""Rows that the demo's organization would keep in the app's lists; the demo puts them there, not into the app."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from cba.lists.declared import LISTS
from lab.searchhead import SearchHead

from . import addresses
from .attacks import compromised_access_key
from .automation import MAKERS, SCRIPT
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


def user_context(organization: Organization) -> list[Row]:
    """The people of whom making flows is expected."""
    return [{"identity": organization.cast[name].email, "comment": "makes flows for the office"} for name in MAKERS]


def script_scope() -> list[Row]:
    """The scripts that are meant to be."""
    return [{"script": SCRIPT, "comment": "imports the budget every week"}]


def all_rows(organization: Organization) -> dict[str, list[Row]]:
    """List -> its rows, for the lists the demo needs."""
    return {
        "egress_ranges": egress_ranges(),
        "watch_list": watch_list(organization),
        "compromised_keys": compromised_keys(),
        "user_context": user_context(organization),
        "script_scope": script_scope(),
    }


def fill(head: SearchHead, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Puts rows into lists (list -> its rows), as people would who know this."""
    for name, given in rows.items():
        keyed = [{"_key": f"{number:06d}", **row} for number, row in enumerate(given, 1)]
        head.kv.collection(LISTS[name].collection).batch_save(keyed)
