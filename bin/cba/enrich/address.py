"""What cloud logs write where a source address belongs: read it, and say where such an address lives.

`read_address(text)` never raises. Its answer is a scope and, for an address somebody on the Internet can have, its
bytes:

- `public`: an address of the Internet. The only scope that has bytes, and so a country or an AS.
- `private`: inside somebody's own network: RFC 1918, shared (CGNAT), loopback, link-local, unique local; or a word by
  which Google Cloud hides such an address (`private`, `gce-internal-ip`).
- `reserved`: never the source of a packet on the Internet: documentation, multicast, benchmarking, future use, ...
- `service`: not an address but the provider itself: `AWS Internal`, `ec2.amazonaws.com`.
- `none`: nothing: empty or `-`.
- `invalid`: anything else.

Accepted besides the plain forms: surrounding blanks and quotes, `a.b.c.d:port`, `[v6]`, `[v6]:port`, `v6%zone`. An
IPv4 address inside an IPv6 address (mapped, 6to4, NAT64) is read as that IPv4 address.

Special ranges: https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry. They are
written out here because `ipaddress.is_private` differs between Python 3.9 and 3.13.
"""

from __future__ import annotations

import ipaddress
import re
from socket import AF_INET, AF_INET6, inet_pton
from typing import List, Optional, Tuple

PUBLIC = "public"
PRIVATE = "private"
RESERVED = "reserved"
SERVICE = "service"
NONE = "none"
INVALID = "invalid"
SCOPES = (PUBLIC, PRIVATE, RESERVED, SERVICE, NONE, INVALID)

# Order matters: the first range that contains the address decides.
_SPECIAL_V4 = (
    ("10.0.0.0/8", PRIVATE),
    ("172.16.0.0/12", PRIVATE),
    ("192.168.0.0/16", PRIVATE),
    ("100.64.0.0/10", PRIVATE),  # shared address space behind carrier NAT, RFC 6598
    ("127.0.0.0/8", PRIVATE),
    ("169.254.0.0/16", PRIVATE),
    ("0.0.0.0/8", RESERVED),
    ("192.0.0.0/24", RESERVED),  # IETF protocol assignments
    ("192.0.2.0/24", RESERVED),  # documentation
    ("192.88.99.0/24", RESERVED),  # 6to4 relays, deprecated by RFC 7526
    ("198.18.0.0/15", RESERVED),  # benchmarking
    ("198.51.100.0/24", RESERVED),  # documentation
    ("203.0.113.0/24", RESERVED),  # documentation
    ("224.0.0.0/4", RESERVED),  # multicast
    ("240.0.0.0/4", RESERVED),  # future use, and the broadcast address
)
_SPECIAL_V6 = (
    ("::1/128", PRIVATE),
    ("fc00::/7", PRIVATE),
    ("fe80::/10", PRIVATE),
    ("fec0::/10", PRIVATE),  # site-local, deprecated by RFC 3879
    ("2001::/23", RESERVED),  # IETF protocol assignments: Teredo, benchmarking, ORCHID, ...
    ("2001:db8::/32", RESERVED),  # documentation
    ("3fff::/20", RESERVED),  # documentation
    ("::/3", RESERVED),  # all that is public today lies in 2000::/3
    ("4000::/2", RESERVED),
    ("8000::/1", RESERVED),
)

SpecialRange = Tuple[int, int, str]  # first and last address as numbers, scope


def _special_ranges(table: Tuple[Tuple[str, str], ...]) -> List[SpecialRange]:
    networks = [(ipaddress.ip_network(text), scope) for text, scope in table]
    return [(int(net.network_address), int(net.broadcast_address), scope) for net, scope in networks]


SPECIAL_V4 = _special_ranges(_SPECIAL_V4)
SPECIAL_V6 = _special_ranges(_SPECIAL_V6)
# Most addresses miss every range; their first byte tells so without looking at the ranges.
_SPECIAL_V4_BYTES = frozenset(byte for first, last, _ in SPECIAL_V4 for byte in range(first >> 24, (last >> 24) + 1))

_V4_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96
_NAT64 = bytes.fromhex("0064ff9b") + bytes(8)  # 64:ff9b::/96
_SIXTOFOUR = b"\x20\x02"  # 2002::/16, the IPv4 address follows

_V4_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d{1,5}", re.ASCII)
_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d{1,5})?", re.ASCII)
_ABSENT = frozenset(("", "-"))
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html :
# sourceIPAddress is the DNS name of the calling service, or "AWS Internal".
_SERVICE_NAMES = frozenset(("aws internal", "aws-internal", "amazonaws.com", "amazonaws.com.cn"))
_SERVICE_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu")
# https://cloud.google.com/php/docs/reference/cloud-common-protos/0.5.1/Audit.RequestMetadata : caller_ip is "private"
# for calls inside Google's production network, "gce-internal-ip" for a VM elsewhere that has no external address.
_PRIVATE_WORDS = frozenset(("private", "gce-internal-ip", "localhost"))

Reading = Tuple[str, Optional[bytes]]  # scope; 4 or 16 bytes when public


def read_address(text: str) -> Reading:
    """The scope of what a log calls a source address and, when it is public, its 4 or 16 bytes."""
    packed = _pack(text)
    if packed is None:
        packed = _pack(_bare(text))
    return _word_scope(text) if packed is None else _placed(packed)


def _pack(text: str) -> Optional[bytes]:
    """The bytes of a plain address, None for anything else."""
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):  # ValueError: NUL or a lone surrogate inside the text
        return None


def _bare(text: str) -> str:
    """The address without blanks, quotes, brackets, port and zone."""
    text = text.strip(" \t\r\n\"'")
    match = _V4_WITH_PORT.fullmatch(text) or _BRACKETED.fullmatch(text)
    if match:
        text = match.group(1)
    address, _, zone = text.partition("%")
    return address if zone and ":" in address else text


def _placed(packed: bytes) -> Reading:
    """Where the address lives; an IPv4 address inside an IPv6 one is taken out first."""
    if len(packed) == 16:
        if packed.startswith((_V4_MAPPED, _NAT64)):
            packed = packed[12:]
        elif packed.startswith(_SIXTOFOUR):
            packed = packed[2:6]
        else:
            return _checked(packed, SPECIAL_V6)
    if packed[0] not in _SPECIAL_V4_BYTES:
        return PUBLIC, packed
    return _checked(packed, SPECIAL_V4)


def _checked(packed: bytes, special: List[SpecialRange]) -> Reading:
    number = int.from_bytes(packed, "big")
    for first, last, scope in special:
        if first <= number <= last:
            return scope, None
    return PUBLIC, packed


def _word_scope(text: str) -> Reading:
    """The scope of a text that is no address."""
    word = text.strip(" \t\r\n\"'").lower()
    if word in _ABSENT:
        return NONE, None
    if word in _SERVICE_NAMES or word.endswith(_SERVICE_SUFFIXES):
        return SERVICE, None
    return (PRIVATE if word in _PRIVATE_WORDS else INVALID), None
