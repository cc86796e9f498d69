"""The words that everything else is said in, each defined once: days, buckets, what is absent, severities, sources.

Times are epoch seconds. A *day* is a UTC day as an integer, days since 1970-01-01. A *bucket* is a quarter of an hour,
named by the epoch second at which it begins.
"""

from __future__ import annotations

import datetime

SECONDS_PER_DAY = 86_400
BUCKET_SECONDS = 900
LAST_DAY = 100_000
"""Of the year 2243: what lies beyond is no time of an event."""

ABSENT = ""
"""What stands in a row for a field that the event does not have. Nobody can be called so: an empty name is none."""

LISTED_SEPARATOR = " | "
LISTED_VALUES = 20
LISTED_CHARACTERS = 200
"""What a row lists of its events: so many values, each of so many characters at most, for attackers choose them."""

PLACELESS = frozenset({"no address", "vpc endpoint"})
"""Reasons in `skip_reason` that only say that an event has no place it came from: what needs no place is judged."""

PRIVATE = "private"
"""The country and the network of whoever comes from inside: a private address, or an endpoint that hides the
address."""
PLACES = frozenset({"country", "asn"})
"""The dimensions in which inside is a place of its own: learned like any other, never new, and not counted among those
that somebody is known with."""

APP = "cloud_behavior_analytics"
"""The id of the app."""

ORGANIZATION = "organization"
"""The widest scope, and the name of its one entity: all projects of this deployment."""

SOURCE_LABELS = {
    "aws": ("AWS", "AWS CloudTrail"),
    "azure": ("Azure", "Azure activity logs and Entra ID"),
    "gcp": ("GCP", "Google Cloud audit logs"),
    "kubernetes": ("Kubernetes", "Kubernetes audit logs"),
    "m365": ("M365", "the Microsoft 365 audit log"),
    "gws": ("Workspace", "Google Workspace reports"),
    "endpoint": ("Endpoint", "endpoint network events"),
}
"""source -> what it is called in short, and its logs."""
SOURCES = tuple(SOURCE_LABELS)

SEVERITIES = ("informational", "low", "medium", "high", "critical")


def severity_rank(severity: str) -> int:
    """1 for informational up to 5 for critical. Raises ValueError for anything else."""
    return SEVERITIES.index(severity) + 1


LOW = severity_rank("low")


def day_of(time: float) -> int:
    """The UTC day of an epoch time."""
    return int(time // SECONDS_PER_DAY)


def bucket_of(time: float) -> int:
    """The quarter of an hour of an epoch time."""
    return int(time // BUCKET_SECONDS) * BUCKET_SECONDS


def date_text(day: int | None) -> str | None:
    """ISO date of a day: `2026-01-31`."""
    if day is None:
        return None
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def time_text(time: float) -> str:
    """ISO date and time: `2026-01-31T09:00:00Z`."""
    return datetime.datetime.fromtimestamp(int(time), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
