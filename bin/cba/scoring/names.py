"""Values in names that people know: countries by their names, networks as AS and number."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Mapping

from ..terms import PLACES, PRIVATE

COUNTRIES = Path(__file__).with_name("countries.json")


def named(dimension: str, value: str) -> str:
    """A value as it is shown: `Indonesia` for the country ID, `AS64500` for a network, else the value itself."""
    if dimension in PLACES and value == PRIVATE:
        return "of a private address"
    if dimension == "asn" and value.isdecimal():
        return f"AS{value}"
    return _countries().get(value, value) if dimension == "country" else value


@functools.lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """ISO code -> name, generated from lookups/cba_countries.csv, which the pages read."""
    found: Mapping[str, str] = json.loads(COUNTRIES.read_text("utf-8"))["names"]
    return found
