"""The networks from which Microsoft and Google act for their customers, as they publish them.

An address there says where the provider's machine stands, not where the user is.

Microsoft: its autonomous systems. They announce all published ranges of Microsoft 365 and of Azure:
https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges.
Google: what it uses itself, goog.json without the ranges of its cloud's customers in cloud.json:
https://support.google.com/a/answer/10026322.
IPv6 networks are written out, because no data on autonomous systems knows all of them: 2603:1000::/24 is Microsoft's,
whether or not anybody has seen it announced.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

from ..lists.networks import Networks


@dataclasses.dataclass(frozen=True)
class BackEnd:
    """`customers`: the cloud provider, as `cbageo` names it, whose published ranges are rented to anybody; "" for none
    that is left out."""

    systems: frozenset[str]
    networks: Networks
    customers: str = ""

    def owns(self, address: str, asn: str, cloud_provider: str) -> bool:
        """Whether an address, with what is known of it, is the provider's own."""
        if self.customers and cloud_provider == self.customers:
            return False
        if asn.upper().removeprefix("AS") in self.systems:
            return True
        return self.networks.first(address) is not None


def _networks(*texts: str) -> Networks:
    networks = Networks()
    for position, text in enumerate(texts):
        networks.add(text, position)
    return networks


_MICROSOFT = BackEnd(
    frozenset({"8068", "8069", "8075"}),
    _networks("2603:1000::/24", "2620:1ec::/36", "2a01:111::/32"),
)
_GOOGLE = BackEnd(
    frozenset({"15169", "43515", "396982"}),
    _networks(
        "2001:4860::/32",
        "2404:6800::/32",
        "2404:f340::/32",
        "2605:ef80::/32",
        "2606:40::/32",
        "2606:73c0::/32",
        "2607:f8b0::/32",
        "2620:11a:a000::/40",
        "2620:120:e000::/40",
        "2800:3f0::/32",
        "2a00:1450::/32",
        "2c0f:fb50::/32",
    ),
    customers="gcp",
)
BACK_ENDS: Mapping[str, BackEnd] = {"m365": _MICROSOFT, "gws": _GOOGLE}
"""Source -> whose back end acts in its logs."""
