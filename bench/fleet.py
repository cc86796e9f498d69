"""Ten thousand endpoints: the names that their processes contact, and the reduced rows that come of them."""

from __future__ import annotations

import random
from typing import Iterator

from lab.chunked import Row

HOSTS = 10_000
NOON = 20_500 * 86_400 + 43_200
PROCESSES = (
    "chrome.exe",
    "msedge.exe",
    "svchost.exe",
    "teams.exe",
    "outlook.exe",
    "onedrive.exe",
    "code.exe",
    "python.exe",
)
ORDINARY = [f"www{number}.site-{number % 900}.example.com" for number in range(5_000)]
SHARED = ["login.microsoftonline.com", "update.googleapis.com", "sts.amazonaws.com", "management.azure.com"]
TENANTS = [
    name
    for number in range(200)
    for name in (
        f"d{number:013x}.cloudfront.net",
        f"st{number}.blob.core.windows.net",
        f"bucket-{number}.s3.eu-west-1.amazonaws.com",
        f"app-{number}.azurewebsites.net",
    )
]
POPULAR = 20
"""Resources that everybody contacts."""


def rows(most: int) -> dict[str, list[Row]]:
    """The rows for the cases of `bench.commands`, at most so many each."""
    return {
        "names": list(_names(most)),
        "popular": [_reduced(number, f"all-{number // HOSTS % POPULAR}") for number in range(most)],
        "rare": [_reduced(number, f"own-{number}") for number in range(most)],
    }


def _names(count: int) -> Iterator[Row]:
    """What events ask for: few names often, most seldom; one in twenty is a tenant's."""
    chance = random.Random(1)
    for _ in range(count):
        kind = chance.random()
        names = TENANTS if kind < 0.05 else SHARED if kind < 0.13 else ORDINARY
        yield {"cba_place": names[min(int(chance.paretovariate(0.6)) - 1, len(names) - 1)]}


def _reduced(number: int, bucket: str) -> Row:
    """A row as `cbajudge` gets it: each host in turn, with a storage bucket."""
    process = PROCESSES[number // HOSTS % len(PROCESSES)]
    return {
        "bucket": NOON, "indexed": NOON, "events": 1, "event_times": NOON,
        "source_kind": "endpoint", "host": f"workstation-{number % HOSTS:05}",
        "resource": f"{bucket}.s3.amazonaws.com", "tool": f"{process} to s3.amazonaws.com",
    }  # fmt: skip
