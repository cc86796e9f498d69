"""What a replay says at its end: how the detections stand as of the last event, and why nothing was found, if so."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

from cba.enrich.address import PUBLIC, read_address
from cba.health import ACTIVE, STATES, WAITING
from cba.terms import PLACELESS
from lab.events import EventStore
from lab.export import iso
from lab.searchhead import SearchHead

WIDTH = 100
LOOKED_AT = 100_000
"""About how many of the newest events are looked at when nothing was found: enough to say why, and soon."""
JUDGED = ("", *sorted(PLACELESS))
"""Values of skip_reason with which an event is judged all the same (docs/sources.md)."""
Row = Mapping[str, Any]


@dataclass
class Tally:
    """Of the events that the source's base search finds: how many there are by skip_reason ("" for none), and how many
    of those that are judged have an address, and one of the internet."""

    skipped: Counter[str] = field(default_factory=Counter)
    addressed: int = 0
    public: int = 0
    newest_only: bool = False

    @property
    def events(self) -> int:
        return sum(self.skipped.values())

    @property
    def judged(self) -> int:
        return sum(self.skipped[reason] for reason in JUDGED)


def tally(head: SearchHead, source: str) -> Tally:
    """Reads the newest events of a source anew, through its own macro."""
    search = (
        f"`cba_events_{source}` "
        '| eval skipped=coalesce(skip_reason, ""), address=coalesce(src_ip, "") | stats count by skipped address'
    )
    # By time, not by `head`: what comes behind that is slow in the lab.
    earliest = _since(head.events, LOOKED_AT)
    found = Tally(newest_only=earliest is not None)
    for row in head.search(search, earliest=earliest).rows:
        reason, count = str(row["skipped"]), int(row["count"])
        found.skipped[reason] += count
        if reason in JUDGED and row["address"]:
            found.addressed += count
            found.public += count * (read_address(str(row["address"]))[0] == PUBLIC)
    return found


def _since(events: EventStore, count: int) -> Optional[float]:
    """From when on there are `count` events; None where there are no more than that."""
    for part in events.scan(None, None):
        count -= len(part.positions)
        if count <= 0:
            return part.block.oldest if part.block.oldest > (events.first_time() or 0) else None
    return None


def health(head: SearchHead, source: str, end: float) -> list[Row]:
    """The rows of cbahealth that concern a source, as of the time of the last event."""
    end = int(end) + 1
    return [row for row in head.search("| cbahealth", latest=end, now=end).rows if row.get("source") == source]


def why_nothing(source: str, count: int, found: Tally, rows: Sequence[Row]) -> list[str]:
    """In at most three sentences why `count` events led to no finding."""
    if not found.events:
        none = f"none of the {count:,} events is" if count > 1 else "the only event is not"
        return [f"{none} one that the source {source} reads (docs/sources.md says which are)"]
    said = [*_inactive(rows), *_not_judged(found), *_nowhere(source, found), *_untrained(rows)]
    if not said:
        said = [f"the source is active and has learned: what the {found.judged:,} judged events did was not new"]
    return said[:3]


def _inactive(rows: Sequence[Row]) -> Iterator[str]:
    waiting = [row for row in rows if row["state"] == WAITING]
    if waiting:
        row = waiting[0]
        needed = (date.fromisoformat(row["active_from"]) - date.fromisoformat(row["first_day"])).days
        past = needed - int(row["days_to_activation"])
        yield (
            f"the source is not active yet: it only learns for {needed} days, and {past} of them have passed at the "
            f"end of the logs (active from {row['active_from']})"
        )


def _not_judged(found: Tally) -> Iterator[str]:
    skipped = found.events - found.judged
    if skipped * 2 >= found.events:
        which = ", ".join(f"{n:,} × {reason}" for reason, n in found.skipped.most_common() if reason not in JUDGED)
        newest = "the newest " if found.newest_only else ""
        share = f"only {found.judged:,} of {newest}{found.events:,} events are" if found.judged else "no event is"
        yield f"{share} judged; skip_reason says why: {which}"


def _nowhere(source: str, found: Tally) -> Iterator[str]:
    if source != "endpoint" and found.judged and not found.public:
        what = "a public address, only private or reserved ones" if found.addressed else "an address"
        yield f"no event that is judged has {what}: no country or network can be new"


def _untrained(rows: Sequence[Row]) -> Iterator[str]:
    known = [row for row in rows if row["state"] == ACTIVE and _whole(row, "identity_untrained")]
    if known and not any(_whole(row, "identity_trained") for row in known):
        most = max(_whole(row, "identity_untrained") for row in known)
        yield f"none of the {most:,} identities is trained: none was seen on enough days to have habits of its own"
    learning = [row for row in rows if row["state"] == "learning"]
    if learning:
        some = f"{len(learning)} of {len(rows)} detections have not"
        yield f"{'no detection has' if len(learning) == len(rows) else some} learned enough to compare with (below)"


def _whole(row: Row, name: str) -> int:
    return int(row.get(name) or 0)


def table(rows: Sequence[Row], source: str, end: float, width: int = WIDTH) -> str:
    """The rows of cbahealth by state and reason, in lines of at most `width`."""
    together: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        together.setdefault((str(row["state"]), str(row.get("reason") or "")), []).append(str(row["detection"]))
    ordered = sorted(together.items(), key=lambda item: -STATES.index(item[0][0]))
    heading = f"| cbahealth at the end of the logs ({iso(end)[:16].replace('T', ' ')} UTC), source {source}:"
    lines = _wrapped(heading, "", width)
    for (state, reason), detections in ordered:
        which = f"all {len(rows)} detections" if len(detections) == len(rows) > 1 else ", ".join(detections)
        lines += _wrapped(f"{which}: {reason}" if reason else which, f"  {state:14}", width)
    return "\n".join(lines)


def sentences(said: Iterable[str], width: int = WIDTH) -> str:
    return "\n".join(line for each in said for line in _wrapped(each, "  - ", width))


def _wrapped(text: str, begin: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=begin, subsequent_indent=" " * len(begin), break_on_hyphens=False)
