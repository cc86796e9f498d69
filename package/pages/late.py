"""Events that no search judges, because they arrived too long after they happened: how many of which source."""

from __future__ import annotations

from cba.judging.window import WRONG_CLOCK_SECONDS
from cba.terms import SECONDS_PER_DAY, SOURCES

LATE_DAYS = WRONG_CLOCK_SECONDS // SECONDS_PER_DAY
SINCE, UNTIL = "-30d@d", f"-{LATE_DAYS}d"
"""When they happened. Of what arrived in the last day this is all that is too late, and nothing that is in time: the
search reads no event that a source's search has read, but those that were between one and two days late."""
ARRIVED = "-24h"


def query() -> str:
    """Source, Events, and the times of the first and the last of them; from SINCE to UNTIL.

    Events too far ahead of the clock are not looked for: unless somebody changes MAX_DAYS_HENCE, Splunk takes no time
    for an event's own that is more than 2 days ahead (https://docs.splunk.com/Documentation/Splunk/latest/Admin/Propsconf).
    """
    first, *others = map(_late, SOURCES)
    appended = "\n".join(f"| append [ {search} ]" for search in others)
    return f"""
{first}
{appended}
| where events>0
| eval Source=source, Events=events,
    First=strftime(first, "%Y-%m-%d %H:%M %Z"), Last=strftime(last, "%Y-%m-%d %H:%M %Z")
| sort 0 - Events, Source
| table Source Events First Last
"""


def _late(source: str) -> str:
    return (
        f"search `cba_base_{source}` _index_earliest={ARRIVED} | where _indextime-_time>{WRONG_CLOCK_SECONDS} "
        f'| stats count AS events min(_time) AS first max(_time) AS last | eval source="{source}"'
    )
