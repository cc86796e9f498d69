"""Where a row came from: the country and the network that count, after `cbageo` has looked the address up.

- A company's own exit (VPN, proxy; the list egress_ranges, then the setting) is wherever the list says, at its
  `country` or else its `label`; the field `egress` says so, too.
- *Inside is a place*: whoever comes from a private address or through a VPC endpoint comes from `PRIVATE`, in the
  fields country and asn alike. Histories learn it like any other value, so that who always came from inside is
  trained. It is never new, raises nothing, and does not count among the values somebody is known with: whoever
  compares values sees to that.
- Another account's VPC endpoint (`foreign_endpoint`) hides an address, too, but is not inside: whoever holds stolen
  credentials can call through an endpoint of their own. It is a place by itself, in country and asn.
- What Microsoft and Google do for a user from machines of their own has no country (back_ends). A sign-in from there
  has: a rented machine in their clouds is an attacker's, too.
"""

from __future__ import annotations

from typing import Iterable, Mapping

from ..lists.match import Lists
from ..lists.networks import Networks
from ..terms import ABSENT, PRIVATE
from .address import PRIVATE as PRIVATE_ADDRESS
from .address import PUBLIC
from .back_ends import BACK_ENDS

SIGN_IN = "sign_in"
"""The row field that holds anything where somebody signed in; rows of m365 and gws have it."""
EGRESS = "egress"
"""The field that names the company's own exit an address is one of."""
FOREIGN_ENDPOINT = "foreign_endpoint"
"""The row field with the account of a VPC endpoint that is neither the caller's nor that of the account called."""
VPC_ENDPOINT = "vpc endpoint"
"""The skip_reason of a call whose address a VPC endpoint hides."""


class Egress:
    """The company's own exits: those of the list egress_ranges, then `setting` as (network, country or label)."""

    def __init__(self, lists: Lists, setting: Iterable[tuple[str, str]] = ()) -> None:
        """Raises ValueError for an entry of the setting that is no network."""
        self._lists = lists
        self._networks = Networks()
        self._names: list[str] = []
        for network, name in setting:
            self._networks.add(network, len(self._names))
            self._names.append(name)

    def name_of(self, address: str) -> str:
        """The country, else the label, of the exit that has this address; "" for none."""
        if not address:
            return ABSENT
        listed = self._lists.match("egress_ranges", cidr=address)
        if listed is not None:
            return listed["country"] or listed["label"]
        position = self._networks.first(address)
        return ABSENT if position is None else self._names[position]


def place(cells: Mapping[str, str], egress: Egress) -> dict[str, str]:
    """The row's fields with the country and the network that count, as a new dictionary."""
    placed = dict(cells)
    account = cells.get(FOREIGN_ENDPOINT, ABSENT)
    foreign = f"VPC endpoint of account {account}" if account else ABSENT
    inside = is_inside(cells)
    # Addresses behind somebody else's endpoint are the owner's to choose.
    name = ABSENT if foreign else egress.name_of(cells.get("src_ip", ABSENT))
    if name:
        placed[EGRESS] = placed["country"] = name
    elif foreign:
        placed["country"] = foreign
    elif inside:
        placed["country"] = PRIVATE
    elif cells.get("country") and _acts_for_somebody(cells):
        del placed["country"]
    if foreign or inside:
        placed["asn"] = foreign or PRIVATE
    return placed


def is_inside(cells: Mapping[str, str]) -> bool:
    """Whether a row came from a private address, or through a VPC endpoint that hides where it came from: not every
    one does, and an address of the Internet tells more. Another account's endpoint is not inside."""
    if cells.get(FOREIGN_ENDPOINT):
        return False
    scope = cells.get("ip_scope", ABSENT)
    return scope == PRIVATE_ADDRESS or (scope != PUBLIC and cells.get("skip_reason") == VPC_ENDPOINT)


def _acts_for_somebody(cells: Mapping[str, str]) -> bool:
    back_end = BACK_ENDS.get(cells.get("source_kind", ABSENT))
    if back_end is None or cells.get(SIGN_IN):
        return False
    return back_end.owns(cells.get("src_ip", ABSENT), cells.get("asn", ABSENT), cells.get("cloud_provider", ABSENT))
