"""Splunk's time words: relative time modifiers with snapping, strftime and strptime variables.

They mean the time zone of the user who searches, a setting of the user: UTC in the lab, and the browser's where a page
asks (`in_zone`). What the app keeps are epoch seconds and UTC days.
Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/SearchTimeModifiers and
https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Commontimeformatvariables
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Iterator, Optional
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lab.errors import SplError

ZONE: ContextVar[tzinfo] = ContextVar("ZONE", default=timezone.utc)
"""The time zone of the user whose search runs."""


@contextmanager
def in_zone(name: str) -> Iterator[None]:
    """Searches within it are of a user in that time zone; UTC for a name that nobody knows."""
    try:
        zone: tzinfo = ZoneInfo(name) if name else timezone.utc
    except (ZoneInfoNotFoundError, ValueError):
        zone = timezone.utc
    held = ZONE.set(zone)
    try:
        yield
    finally:
        ZONE.reset(held)


_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mon", "month", "months"), "mon"),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarter", "quarters"), "q"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "y"),
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_STEP = re.compile(r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[a-z]+)|@(?P<snap>[a-z]+)(?P<weekday>[0-7]?)", re.I)
_SPAN = re.compile(r"(\d*)([a-z]+)$", re.I)


def relative_time(now: float, modifier: str) -> float:
    """Apply a modifier such as ``-3h@h``, ``@d``, ``-1mon@mon+7d`` to `now`. Raises SplError when it is not one."""
    rest = modifier.strip()
    if rest == "now":
        return now
    if rest.startswith("now"):
        rest = rest[3:]
    moment = datetime.fromtimestamp(now, ZONE.get())
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise SplError(f"'{modifier}' is not a time modifier.")
        if match["snap"]:
            moment = _snap(moment, match["snap"].lower(), match["weekday"], modifier)
        else:
            count = int(match["count"] or 1) * (1 if match["sign"] == "+" else -1)
            moment = _shift(moment, count, _unit(match["unit"], modifier))
        at = match.end()
    if not rest:
        raise SplError("a time modifier must not be empty.")
    return moment.timestamp()


ABSOLUTE = "%m/%d/%Y:%H:%M:%S"
"""How a search writes a date for a time modifier."""


def time_modifier(value: str, now: float) -> Optional[float]:
    """A time of a search: epoch seconds, a modifier, ``now``, a date (`ABSOLUTE`); None for an open end (empty)."""
    word = value.strip()
    if not word:
        return None
    if "/" in word and (moment := strptime(word, ABSOLUTE)) is not None:
        return moment
    try:
        return float(word)
    except ValueError:
        return relative_time(now, word)


def span_seconds(text: str) -> float:
    """A fixed span such as ``15m``, ``1d`` or ``30`` in seconds."""
    match = _SPAN.match(text)
    if match is None:
        try:
            return float(text)
        except ValueError:
            raise SplError(f"'{text}' is not a span.") from None
    unit = _unit(match[2], text)
    if unit not in _SECONDS:
        raise SplError(f"span '{text}': months, quarters and years have no fixed length and are not supported.")
    return int(match[1] or 1) * _SECONDS[unit]


def span_start(moment: float, span: float) -> float:
    """The start of the span a time falls into; days begin at the user's midnight.
    https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/bin"""
    offset = 0.0
    if span % _SECONDS["d"] == 0:
        shift = datetime.fromtimestamp(moment, ZONE.get()).utcoffset()
        offset = shift.total_seconds() if shift is not None else 0.0
    return (moment + offset) // span * span - offset


def _unit(word: str, modifier: str) -> str:
    unit = _UNITS.get(word.lower())
    if unit is None:
        raise SplError(f"unknown time unit '{word}' in '{modifier}'.")
    return unit


def _shift(moment: datetime, count: int, unit: str) -> datetime:
    if unit in _SECONDS:
        return moment + timedelta(seconds=count * _SECONDS[unit])
    months = count * {"mon": 1, "q": 3, "y": 12}[unit]
    total = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(total, 12)
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _snap(moment: datetime, word: str, weekday: str, modifier: str) -> datetime:
    if word == "w":  # @w0 is Sunday; @w is the same as @w0
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return day - timedelta(days=(day.weekday() + 1 - int(weekday or 0)) % 7)
    unit = _unit(word, modifier)
    if weekday:
        raise SplError(f"'{modifier}': only @w takes a day number.")
    moment = moment.replace(microsecond=0)
    if unit == "s":
        return moment
    moment = moment.replace(second=0)
    if unit == "m":
        return moment
    moment = moment.replace(minute=0)
    if unit == "h":
        return moment
    moment = moment.replace(hour=0)
    if unit == "d":
        return moment
    if unit == "w":
        return _snap(moment, "w", "0", modifier)
    moment = moment.replace(day=1)
    if unit == "mon":
        return moment
    if unit == "q":
        return moment.replace(month=(moment.month - 1) // 3 * 3 + 1)
    return moment.replace(month=1)


_DIRECTIVE = re.compile(r"%(?:(\d)?([QN])|([+A-Za-z%]))")
_PLAIN = frozenset("aAbBdHIjmMpSyYwZzTFeGuUV")


def strftime(epoch: Any, pattern: str) -> Optional[str]:
    """Format epoch seconds. %Q/%3Q/%6N are sub-seconds, %s is the epoch, %z ``+0000``, %Z ``UTC``, or the zone's name.

    None for a time beyond the years 1 to 9999.
    """
    seconds = float(epoch)
    try:
        moment = datetime.fromtimestamp(seconds // 1, ZONE.get())
    except (OverflowError, ValueError, OSError):
        return None
    fraction = f"{seconds % 1:.9f}"[2:]

    def one(match: re.Match[str]) -> str:
        digits, kind, letter = match.groups()
        if kind:
            return fraction[: int(digits or (3 if kind == "Q" else 9))]
        if letter == "%":
            return "%"
        if letter == "s":
            return str(int(seconds // 1))
        if letter == "T":
            return moment.strftime("%H:%M:%S")
        if letter == "F":
            return moment.strftime("%Y-%m-%d")
        if letter == "e":
            return f"{moment.day:2d}"
        if letter == "Z":
            return moment.tzname() or "UTC"
        if letter == "c":
            return moment.strftime("%a %b %e %H:%M:%S %Y")
        if letter in _PLAIN:
            return moment.strftime("%" + letter)
        raise SplError(f"strftime: unknown time variable '%{letter}'.")

    return _DIRECTIVE.sub(one, pattern)


_PIECES = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", 
    "e": r"\s?(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})", "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})",
    "p": r"(?P<p>[AaPp][Mm])",
    "b": r"(?P<b>[A-Za-z]{3})", "B": r"(?P<B>[A-Za-z]+)", "a": r"[A-Za-z]{3}", "A": r"[A-Za-z]+",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})", "Z": r"(?P<Zn>[A-Za-z]+)", "s": r"(?P<s>-?\d+)",
    "T": r"(?P<H>\d{1,2}):(?P<M>\d{2}):(?P<S>\d{2})",
    "F": r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", "%": "%",
}  # fmt: skip
_MONTHS = {
    m: n for n, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}


@lru_cache(maxsize=256)
def _strptime_regex(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    at = 0
    for match in _DIRECTIVE.finditer(pattern):
        out.append(re.escape(pattern[at : match.start()]))
        digits, kind, letter = match.groups()
        if kind:
            out.append(rf"(?P<f>\d{{1,{digits or 9}}})")
        elif letter in _PIECES:
            out.append(_PIECES[letter])
        else:
            raise SplError(f"strptime: unknown time variable '%{letter}'.")
        at = match.end()
    out.append(re.escape(pattern[at:]))
    return re.compile("".join(out))


def strptime(value: str, pattern: str) -> Optional[float]:
    """Parse text to epoch seconds, or None. Text after the pattern is ignored, as Splunk does; no zone means the
    user's."""
    match = _strptime_regex(pattern).match(value)
    if match is None:
        return None
    part = match.groupdict()
    fraction = float("0." + part["f"]) if part.get("f") else 0.0
    if part.get("s"):
        return float(part["s"]) + fraction
    month = _month(part)
    hour = int(part.get("H") or part.get("I") or 0)
    if part.get("p"):
        hour = hour % 12 + (12 if part["p"].lower() == "pm" else 0)
    year = int(part["Y"]) if part.get("Y") else 0
    if not year and part.get("y"):
        year = int(part["y"]) + (1900 if int(part["y"]) >= 69 else 2000)
    zone_name = part.get("Zn")
    if month is None or not year or (zone_name and zone_name.upper() not in ("UTC", "GMT", "Z")):
        return None
    zone = part.get("z")
    try:
        moment = datetime(
            year,
            month,
            int(part.get("d") or 1),
            hour,
            int(part.get("M") or 0),
            int(part.get("S") or 0),
            tzinfo=timezone.utc if zone or zone_name else ZONE.get(),
        )
    except ValueError:
        return None
    if zone and zone != "Z":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        moment -= timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    return moment.timestamp() + fraction


def _month(part: dict[str, Any]) -> Optional[int]:
    name = part.get("b") or part.get("B")
    if name:
        return _MONTHS.get(name[:3].lower())
    return int(part["m"]) if part.get("m") else 1
