"""Values in names that people know: countries by their names."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Mapping

from ..terms import PLACES, PRIVATE

COUNTRIES = Path(__file__).with_name("countries.json")


def named(dimension: str, value: str) -> str:
    """A value as it is shown: `Indonesia (ID)` for a country, else the value itself."""
    if dimension in PLACES and value == PRIVATE:
        return "of a private address"
    name = _countries().get(value) if dimension == "country" else None
    return f"{name} ({value})" if name else value


@functools.lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """ISO code -> name, generated from lookups/cba_countries.csv, which the pages read."""
    found: Mapping[str, str] = json.loads(COUNTRIES.read_text("utf-8"))["names"]
    return found
