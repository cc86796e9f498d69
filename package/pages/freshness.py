"""Which sources have data, and how old the newest of it is: shown on more than one page."""

from __future__ import annotations

from cba.terms import SOURCES
from pages.board import STATE_COLOURS

COLOURS = {"fresh": STATE_COLOURS["active"], "late": STATE_COLOURS["silent"], "none": STATE_COLOURS["no data"]}
SINCE = "-30d@d"
LATE_AFTER = 86_400
"""Seconds since the newest event."""


def query() -> str:
    """Source, Data (fresh, late or none), Newest and Age in words, the freshest first; from SINCE to now."""
    first, *others = map(_newest, SOURCES)
    appended = "\n".join(f"| append [ {search} ]" for search in others)
    names = ", ".join(f'"{source}"' for source in SOURCES)
    return f"""
{first}
{appended}
| append [ | makeresults | eval source=mvappend({names}) | mvexpand source | table source ]
| stats max(_time) AS newest BY source
| eval age=now()-newest, Source=source, Newest=strftime(newest, "%Y-%m-%d %H:%M %Z"),
    Data=case(isnull(newest), "none", age<{LATE_AFTER}, "fresh", true(), "late"),
    Age=case(isnull(newest), "over 30 days", age<5400, round(age/60)." minutes",
        age<172800, round(age/3600)." hours", true(), round(age/86400)." days")
| sort 0 - newest, Source
| table Source Data Newest Age
"""


def _newest(source: str) -> str:
    """Events come newest first, so that a search for one looks no further."""
    return f'search `cba_base_{source}` | head 1 | eval source="{source}" | table _time source'
