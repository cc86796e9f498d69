"""Which keys of a record hold country and AS, in our own database and in the common ones a user may bring.

A database states its layout nowhere, so `detect` looks at records until it knows which of the fields it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterable, Optional, Tuple

from .mmdb import Record

KeyPath = Tuple[str, ...]

# Own file; MaxMind and DB-IP; IPinfo lite and ip-location-db; IPinfo country and asn.
COUNTRY_KEYS: Tuple[KeyPath, ...] = (("country", "iso_code"), ("country_code",), ("country",))
ASN_KEYS: Tuple[KeyPath, ...] = (
    ("as", "number"),
    ("autonomous_system_number",),
    ("traits", "autonomous_system_number"),
    ("asn",),
)
ORGANIZATION_KEYS: Tuple[KeyPath, ...] = (
    ("as", "organization"),
    ("autonomous_system_organization",),
    ("traits", "autonomous_system_organization"),
    ("as_name",),
    ("name",),
)
EXPECTED = "country.iso_code, country_code or country; autonomous_system_number or asn"

_LONGEST_NAME = 200
_COUNTRY = re.compile(r"[A-Za-z]{2}", re.ASCII)
_ASN = re.compile(r"(?:AS)?(\d{1,10})", re.ASCII | re.IGNORECASE)


def at(record: Record, path: KeyPath) -> Any:
    """The value at a path of keys; None where the record has no such place."""
    value: Any = record
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def country_of(value: Any) -> str:
    """A two-letter country code in capitals, "" for anything else."""
    return value.upper() if isinstance(value, str) and _COUNTRY.fullmatch(value) else ""


def asn_of(value: Any) -> str:
    """An AS number as digits; 15169, "15169" and "AS15169" are read alike, "" for anything else."""
    match = _ASN.fullmatch(str(value)) if isinstance(value, (int, str)) else None  # a number has 16 bytes at most
    number = int(match.group(1)) if match else 0
    return str(number) if number else ""


def name_of(value: Any) -> str:
    """A name in one line, "" for anything else. Thousands are remembered, so a long one is cut."""
    return " ".join(value[:_LONGEST_NAME].split()) if isinstance(value, str) else ""


@dataclass(frozen=True)
class Layout:
    """The keys of one database; None where it does not hold the field."""

    country: Optional[KeyPath]
    asn: Optional[KeyPath]
    organization: Optional[KeyPath]

    def country_in(self, record: Record) -> str:
        return country_of(at(record, self.country)) if self.country else ""

    def asn_in(self, record: Record) -> Tuple[str, str]:
        """AS number and organization."""
        asn = asn_of(at(record, self.asn)) if self.asn else ""
        organization = name_of(at(record, self.organization)) if self.organization else ""
        return asn, organization if asn else ""


def detect(records: Iterable[Record]) -> Optional[Layout]:
    """The layout of a database, seen in some of its records; None when they hold neither country nor AS."""
    country: Optional[KeyPath] = None
    asn: Optional[KeyPath] = None
    organization: Optional[KeyPath] = None
    for record in records:
        country = country or next((path for path in COUNTRY_KEYS if country_of(at(record, path))), None)
        found = next((path for path in ASN_KEYS if asn_of(at(record, path))), None)
        asn = asn or found
        if found and not organization:
            organization = next((p for p in ORGANIZATION_KEYS if isinstance(at(record, p), str)), None)
        if country and asn and organization:
            break
    return Layout(country, asn, organization) if country or asn else None
