"""cba.enrich.address: what logs write as a source address, and the scope it is given."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cba.enrich.address import (
    INVALID,
    NONE,
    PRIVATE,
    PUBLIC,
    RESERVED,
    SCOPES,
    SERVICE,
    SPECIAL_V4,
    SPECIAL_V6,
    read_address,
)

GOOGLE_V4 = ipaddress.ip_address("8.8.8.8").packed
GOOGLE_V6 = ipaddress.ip_address("2001:4860:4860::8888").packed


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",
        " 8.8.8.8\n",
        '"8.8.8.8"',
        "8.8.8.8:443",
        "::ffff:8.8.8.8",
        "::ffff:808:808",
        "[::ffff:8.8.8.8]:51000",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_every_way_to_write_an_ipv4_address_gives_its_four_bytes(text: str) -> None:
    assert read_address(text) == (PUBLIC, GOOGLE_V4)


@pytest.mark.parametrize(
    "text",
    [
        "2001:4860:4860::8888",
        "2001:4860:4860:0:0:0:0:8888",
        "2001:4860:4860::8888".upper(),
        "[2001:4860:4860::8888]",
        "[2001:4860:4860::8888]:443",
        "2001:4860:4860::8888%eth0",
        "[2001:4860:4860::8888%3]:443",
    ],
)
def test_every_way_to_write_an_ipv6_address_gives_its_sixteen_bytes(text: str) -> None:
    assert read_address(text) == (PUBLIC, GOOGLE_V6)


@pytest.mark.parametrize(
    ("scope", "texts"),
    [
        (
            PRIVATE,
            "10.0.0.1 172.16.0.1 172.31.255.255 192.168.10.20 100.64.0.1 100.127.255.255 127.0.0.1 169.254.169.254",
        ),
        (
            PRIVATE,
            "10.0.0.1:42781 ::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 [fe80::1]:22 ::ffff:10.0.0.1 2002:a00:1::",
        ),
        (PRIVATE, "private gce-internal-ip localhost"),
        (RESERVED, "0.0.0.0 192.0.0.1 192.0.2.1 198.51.100.42 203.0.113.5 198.18.0.50 198.19.255.255 192.88.99.1"),
        (RESERVED, "224.0.0.1 239.255.255.250 240.0.0.1 253.201.144.253 255.255.255.255 ::ffff:203.0.113.5"),
        (RESERVED, ":: ff02::1 2001:db8::1 2001::1 3fff::1 100::1 4000::1 07da:994:97fb:8db1:c68f:c109:fcdd:d594"),
        (SERVICE, "ec2.amazonaws.com EC2.amazonaws.com cloudformation.amazonaws.com s3.cn-north-1.amazonaws.com.cn"),
        (PUBLIC, "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.169.0.0"),
        (PUBLIC, "223.255.255.255 198.17.255.255 198.20.0.0 2000::1 2001:200::1 2001:db9::1 2a00::1 3ffe:ffff::1"),
        (INVALID, "1.2.3 1.2.3.4.5 256.1.1.1 010.1.1.1 253.252.51.07 1.2.3.4/32 1.2.3.4%eth0 1.2.3.4:x 8.8.8.8, 1:2:3"),
        (
            INVALID,
            "redacted example.com amazonaws.com.evil.example notamazonaws.com ] [] [8.8.8.8 ١.١.١.١ 8.8.8.8:123456",
        ),
    ],
)
def test_scope(scope: str, texts: str) -> None:
    for text in texts.split(" "):
        found, packed = read_address(text)
        assert found == scope, text
        assert (packed is not None) == (scope == PUBLIC), text


@pytest.mark.parametrize("text", ["", "-", " ", '""', "\t-\n"])
def test_nothing_written_is_none(text: str) -> None:
    assert read_address(text) == (NONE, None)


@pytest.mark.parametrize("text", ["AWS Internal", "aws internal", " AWS Internal "])
def test_aws_internal_is_a_service(text: str) -> None:
    assert read_address(text) == (SERVICE, None)


@pytest.mark.parametrize("text", ["8.8.8.8\0", "\ud800", "\0", "8.8.8.8\x85", "1" * 100_000, ":" * 1000, "[" * 1000])
def test_hostile_text_is_invalid(text: str) -> None:
    assert read_address(text) == (INVALID, None)


@settings(deadline=None)
@given(st.text())
def test_any_text_has_a_scope_and_only_public_ones_have_bytes(text: str) -> None:
    scope, packed = read_address(text)
    assert scope in SCOPES
    assert (packed is not None) == (scope == PUBLIC)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_public_exactly_outside_the_special_ranges(address: ipaddress.IPv4Address) -> None:
    expected = next((scope for first, last, scope in SPECIAL_V4 if first <= int(address) <= last), PUBLIC)
    assert read_address(str(address)) == (expected, address.packed if expected == PUBLIC else None)
    assert read_address(f"{address}:443") == read_address(str(address))
    assert read_address(f"::ffff:{address}") == read_address(str(address))


@settings(deadline=None)
@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_public_only_in_2000_3(address: ipaddress.IPv6Address) -> None:
    scope, packed = read_address(str(address))
    if scope == PUBLIC and address.ipv4_mapped is None and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert int(address) >> 125 == 1
    assert read_address(f"[{address}]:8080") == (scope, packed)
    assert read_address(str(address).upper()) == (scope, packed)


def test_each_boundary_of_each_special_range_belongs_to_it() -> None:
    for table, read in ((SPECIAL_V4, ipaddress.IPv4Address), (SPECIAL_V6, ipaddress.IPv6Address)):
        for first, last, scope in table:
            for number in (first, last):
                expected = next(s for low, high, s in table if low <= number <= high)
                assert read_address(str(read(number)))[0] == expected, (scope, number)
