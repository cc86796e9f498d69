"""Times as logs write them, in epoch seconds, and which of them a log of a cloud can have."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Optional

TIME_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s*(Z|UTC|[+-]\d\d:?\d\d)?$")
US_TIME_TEXT = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),?\s+([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?\s?([AP])M",
    re.IGNORECASE,
)
"""As Windows and Microsoft's portals write it in English. Without AM or PM nobody knows which is the month."""
EPOCH_TEXT = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?", re.ASCII)
"""Seconds or milliseconds as text, as CrowdStrike writes them."""


def parse_time(value: object) -> Optional[float]:
    """Epoch seconds from ISO 8601 text or `M/D/YYYY h:mm:ss PM` (no zone means UTC; nanoseconds are cut), or from a
    number of seconds or milliseconds.

    >>> parse_time("2023-07-10T12:00:00Z"), parse_time("2022-12-12 17:28:35.5"), parse_time(1688990400000)
    (1688990400.0, 1670866115.5, 1688990400.0)
    >>> parse_time("7/10/2023 12:00:00 PM")
    1688990400.0
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        if not -1e17 < value < 1e17:  # also for NaN; and no float holds every int
            return None
        return value / 1000 if value > 1e11 else float(value)
    if isinstance(value, str) and EPOCH_TEXT.fullmatch(value):
        return parse_time(float(value))
    if isinstance(value, str) and (us := US_TIME_TEXT.fullmatch(value.strip())) is not None:
        month, day, year, hour, minute, second, fraction, half = us.groups()
        return _us_time(f"{year}-{month:0>2}-{day:0>2}", int(hour), f"{minute}:{second}.{fraction or 0}", half in "pP")
    match = TIME_TEXT.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    day, hour, minute, second, fraction, zone = match.groups()
    midnight = _midnight(day)
    if midnight is None or int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    time = midnight + int(hour) * 3600 + int(minute) * 60 + int(second)
    if zone and zone not in ("Z", "UTC"):
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        time += -offset if zone[0] == "+" else offset
    return time + float(f"0.{fraction[:6]}") if fraction else float(time)


def _us_time(day: str, hour: int, rest: str, afternoon: bool) -> Optional[float]:
    return parse_time(f"{day}T{hour % 12 + 12 * afternoon:02}:{rest}") if 1 <= hour <= 12 else None


PLAUSIBLE_YEARS = "2000 and 2100"
PLAUSIBLE = (946_684_800.0, 4_102_444_800.0)
"""When events can be of, by PLAUSIBLE_YEARS: no cloud is older, and a replay runs through every hour up to the last."""
EPOCH_DAY = date(1970, 1, 1).toordinal()


def shown(time: float) -> str:
    """As a date where that can be said."""
    day = EPOCH_DAY + time // 86400
    known = date.min.toordinal() <= day <= date.max.toordinal()
    return date.fromordinal(int(day)).isoformat() if known else f"{time:.15g} seconds since 1970"


@lru_cache(maxsize=4096)
def _midnight(day: str) -> Optional[int]:
    try:
        return (date.fromisoformat(day).toordinal() - EPOCH_DAY) * 86400
    except ValueError:  # 30 February
        return None
