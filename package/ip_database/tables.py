"""What the sources' tables hold, and the country of each cloud region."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple, TypeVar

from cba.enrich.geo import GLOBAL_REGION as GLOBAL

from .ranges import Segment

__all__ = ["GLOBAL", "As", "Cloud", "Country", "Region", "Tables", "read_regions", "unknown_regions"]

V = TypeVar("V")
Country = str  # ISO 3166-1 alpha-2
As = Tuple[int, str]  # number, organization
Cloud = Tuple[str, str]  # provider, region as published; "" = published without one
Tables = Dict[int, List[Segment[V]]]  # by IP version; neither sorted nor disjoint

REGIONS_FILE = Path(__file__).resolve().parents[2] / "bin/cba/enrich/data/cloud_regions.csv"


@dataclass(frozen=True)
class Region:
    """A cloud region: the name its provider's logs use, and the country it lies in."""

    name: str
    country: Country


def read_regions(path: Path = REGIONS_FILE) -> Dict[Cloud, Region]:
    """The region table by (provider, region as published)."""
    with path.open(encoding="utf-8", newline="") as handle:
        return {
            (row["provider"], row["published"]): Region(row["region"], row["country"]) for row in csv.DictReader(handle)
        }


def unknown_regions(tables: Tables[Cloud], regions: Dict[Cloud, Region]) -> List[Cloud]:
    """The regions of the data that the region table lacks."""
    seen = {value for rows in tables.values() for _, _, value in rows}
    return sorted(cloud for cloud in seen if cloud[1] not in ("", GLOBAL) and cloud not in regions)
