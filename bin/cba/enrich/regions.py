"""The countries that the regions of clouds lie in, as the providers publish them (data/cloud_regions.csv)."""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import Mapping

from ..terms import ABSENT

REGIONS_FILE = Path(__file__).parent / "data" / "cloud_regions.csv"


def country_of(provider: str, region: str) -> str:
    """The country (ISO 3166-1 alpha-2) of a region by the name that the provider's logs use; ABSENT for an unknown
    one."""
    return _countries().get((provider, region), ABSENT)


@functools.cache
def _countries() -> Mapping[tuple[str, str], str]:
    with REGIONS_FILE.open(encoding="utf-8", newline="") as handle:
        return {(row["provider"], row["region"]): row["country"] for row in csv.DictReader(handle)}
