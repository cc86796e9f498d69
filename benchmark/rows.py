"""The rows that the shipped searches reduce events to. Every detector gets them: none is handicapped by parsing.

They come from the app's own searches for rows, found by what they search rather than by their names. One thing is added
to them: refused sign-ins keep who was refused and from where. The app passes over such rows by their reason all the
same; a detector that counts them can.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, Iterator, Mapping

from cba.detection.catalogue import Catalogue, load
from cba.judging.rows import GEO_FIELDS, SKIP_REASON, Row, read_row
from lab.searchhead import SearchHead

from .logs import SOURCES

REFUSED = "refused"
JUDGED = 'in(skip_reason,"no address","vpc endpoint")'
JUDGED_OR_REFUSED = f'in(skip_reason,"no address","vpc endpoint","{REFUSED}")'
DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of all sources: source -> its rows in order of time."""

    of: Mapping[str, list[Row]]

    def runs(self) -> Iterator[tuple[int, str, list[Row]]]:
        """(index day, source, its rows in order of time): what a search that runs once a day gets."""
        keyed = [(row.indexed // DAY, source, row) for source in SOURCES for row in self.of.get(source, ())]
        order = {source: number for number, source in enumerate(SOURCES)}
        keyed.sort(key=lambda each: (each[0], order[each[1]], each[2].bucket))
        for (day, source), group in itertools.groupby(keyed, key=lambda each: each[:2]):
            yield day, source, [row for _day, _source, row in group]


def rows_search(head: SearchHead, source: str) -> str:
    """The text of the app's search for the rows of a source. Raises LookupError when there is none."""
    for name, stanza in head.app.stanzas("savedsearches").items():
        text = stanza.get("search")
        if f"`cba_base_{source}`" in text and "cbajudge" not in text and "cbawindow" not in text and "| stats" in text:
            if text.count(JUDGED) != 1:
                raise LookupError(f"{name} says otherwise than {JUDGED} what is judged")
            return text.replace(JUDGED, JUDGED_OR_REFUSED)
    raise LookupError(f"the app has no search for the rows of {source}")


def read(head: SearchHead) -> Rows:
    """The rows of everything in the head's event store."""
    catalogue = load()
    first, last = head.events.first_time() or 0, (head.events.last_time() or 0) + 1
    found = {}
    for source in SOURCES:
        result = head.search(rows_search(head, source), earliest=first, latest=last)
        found[source] = sorted(_rows(result.rows, catalogue, source), key=lambda row: row.bucket)
    return Rows(found)


def _rows(records: Any, catalogue: Catalogue, source: str) -> Iterator[Row]:
    shape = catalogue.sources[source]
    names = tuple(dict.fromkeys((*shape.row_fields, *GEO_FIELDS)))
    for position, record in enumerate(records, 1):
        seconds = record["event_times"]
        yield read_row(
            [_text(record.get(name)) for name in ("bucket", "indexed", "events")],
            [str(each) for each in (seconds if isinstance(seconds, (list, tuple)) else [seconds])],
            names,
            [_text(record.get(name)) for name in names],
            position,
            [(name, _text(record.get(name))) for name in shape.listed],
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def refused(row: Row) -> bool:
    return row.cells.get(SKIP_REASON) == REFUSED
