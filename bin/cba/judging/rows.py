"""Rows of a source as its search reduces them: one kind of event of a quarter of an hour."""

from __future__ import annotations

import hashlib
import json
from typing import Mapping, NamedTuple, Optional, Sequence

from ..errors import RowError
from ..terms import ABSENT, BUCKET_SECONDS, LAST_DAY, PLACELESS, SECONDS_PER_DAY

SOURCE_FIELD = "source_kind"
"""The field that says which source a row is of; every row of a run has the same."""
CANDIDATE_OF = "candidate_of"
"""The field that lists the detections whose candidate a row is, separated by blanks."""
SKIP_REASON = "skip_reason"
TIME_FIELDS = ("bucket", "indexed", "events", "event_times")
GEO_FIELDS = ("country", "asn", "as_org", "cloud_provider", "cloud_region", "ip_scope")
"""What the command `cbageo` adds."""


class Row(NamedTuple):
    """`bucket` and `indexed`: the quarters of an hour in which its events happened and were indexed; `events`: how
    many; `seconds`: their distinct times, ascending; `cells`: field -> text, without absent ones; `listed`: field ->
    the values of all its events, joined by LISTED_SEPARATOR, the first LISTED_VALUES in order. By what is listed rows
    are not told apart."""

    bucket: int
    indexed: int
    events: int
    seconds: tuple[int, ...]
    cells: Mapping[str, str]
    listed: Mapping[str, str] = {}

    @property
    def day(self) -> int:
        return self.bucket // SECONDS_PER_DAY

    @property
    def name(self) -> str:
        """Tells the row from all others of its source, the same whenever it is read."""
        text = json.dumps([self.bucket, self.indexed, sorted(self.cells.items())], ensure_ascii=False)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()

    def to_json(self) -> str:
        return json.dumps(list(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Row:
        """The inverse of `to_json`. Raises ValueError on anything else."""
        try:
            bucket, indexed, events, seconds, cells, *listed = json.loads(text)
            times = (int(bucket), int(indexed), int(events), tuple(map(int, seconds)))
            row = cls(*times, dict(cells), *(dict(each) for each in listed[:1]))  # older versions listed nothing
            if not all(isinstance(each, str) for told in row[4:] for item in told.items() for each in item):
                raise TypeError("a cell is no text")
            return row
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a row ({error})") from error


def read_row(
    times: Sequence[str],
    seconds: Sequence[str],
    names: Sequence[str],
    cells: Sequence[str],
    position: int,
    listed: Sequence[tuple[str, str]] = (),
) -> Row:
    """A row out of text cells: `times` are those of bucket, indexed and events, `listed` (field, text). Raises RowError
    naming field, value and the row's position."""
    bucket, indexed = _bucket(times[0], "bucket", position), _bucket(times[1], "indexed", position)
    distinct = tuple(sorted({whole_number(second, "event_times", position) for second in seconds}))
    if not distinct:
        raise RowError(f"field event_times of row {position} is empty; the reduction gives values(event_time)")
    if distinct[0] < bucket or distinct[-1] >= bucket + BUCKET_SECONDS:
        raise RowError(f"field event_times of row {position} has times outside its bucket {times[0]}")
    events = max(1, whole_number(times[2], "events", position))
    told = {name: cell for name, cell in zip(names, cells) if cell != ABSENT}
    return Row(bucket, indexed, events, distinct, told, {name: text for name, text in listed if text != ABSENT})


def _bucket(text: str, field: str, position: int) -> int:
    bucket = whole_number(text, field, position)
    if not 0 <= bucket <= LAST_DAY * SECONDS_PER_DAY or bucket % BUCKET_SECONDS:
        raise RowError(f"field {field} of row {position} is {text!r}; a quarter of an hour in epoch seconds is needed")
    return bucket


def whole_number(text: str, field: str, position: int) -> int:
    """A cell as a whole number. Raises RowError naming field, value and the row's position."""
    try:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else int(float(text))
    except (ValueError, OverflowError):
        shown = text if len(text) <= 60 else text[:60] + "…"
        raise RowError(f"field {field} of row {position} is {shown!r}; a whole number is needed") from None


def is_judged(cells: Mapping[str, str]) -> bool:
    """Whether a row is judged and learned at all: nothing speaks against it but the lack of a place."""
    reason: Optional[str] = cells.get(SKIP_REASON)
    return not reason or reason in PLACELESS
