"""Between cells and chains: signals out of a table's rows, and the moments of chains as rows of their own."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ..correlate.chains import Moment, Signal, signal_key
from ..detection.condition import CHAIN_SIGNALS
from ..detection.model import Detection
from ..errors import RowError
from ..history.baseline import ABSENT
from ..history.evidence import Evidence
from ..scoring.score import NO_EVIDENCE, signals_of
from ..terms import BUCKET_SECONDS, day_of
from .table import Table, distinct_seconds, whole_number

SIGNAL_ID = "signal_id"
CHAIN_FIELDS = (CHAIN_SIGNALS, "chain_timeline", "chain_steps")
"""What `cbacorrelate` adds: the kinds of a chain's signals, its timeline in words, and as JSON."""


def signal_fields(detection: Detection) -> tuple[str, ...]:
    """The fields `cbacorrelate` reads for a detection."""
    named = (*detection.group_by, *detection.joined_by, *detection.signal_fields)
    return tuple(dict.fromkeys(("evidence", "bucket", "event_times", "events", "source_kind", *named)))


def read_signals(table: Table, detection: Detection) -> list[Signal]:
    """The rows that are signals. Raises RowError naming field, value and row for a cell that cannot be read."""
    columns = {name: table.column(name) for name in signal_fields(detection)}
    found: list[Signal] = []
    for index, (text, times) in enumerate(zip(columns["evidence"], table.multivalues("event_times"))):
        if text in ("", NO_EVIDENCE):
            continue
        cells = {name: columns[name][index] for name in columns}
        kinds = signals_of(detection, _evidence(text, index + 1), cells)
        if not kinds:
            continue
        bucket = whole_number(cells["bucket"], "bucket", index + 1)
        seconds = distinct_seconds(times, index + 1)
        found.append(
            Signal(
                key=signal_key(detection.id, bucket, detection.part_of(cells)),
                kinds=kinds,
                bucket=bucket,
                seconds=seconds,
                events=max(whole_number(cells["events"], "events", index + 1), len(seconds)),
                joins={name: cells[name] for name in detection.joined_by if cells[name] not in ABSENT},
                row={name: cells[name] for name in ("source_kind", *detection.group_by)},
                **_opening(detection, kinds, cells, text),
            )
        )
    return found


def _opening(detection: Detection, kinds: Sequence[str], cells: Mapping[str, str], evidence: str) -> dict[str, str]:
    """What only a signal that opens a chain has."""
    if detection.signals[0].id not in kinds:
        return {}
    return {"subject": detection.key_of(cells), "evidence": evidence}


def _evidence(text: str, position: int) -> Evidence:
    try:
        return Evidence.from_json(text)
    except ValueError as error:
        raise RowError(f"field evidence of row {position} is {text[:60]!r}: {error}") from error


def moment_cells(moment: Moment) -> dict[str, str]:
    """The row of a moment: the opening signal's own fields and evidence, at the second of the moment."""
    return {
        **moment.opener.row,
        "evidence": moment.opener.evidence,
        "skip_reason": "-",
        "day": str(day_of(moment.second)),
        "bucket": str(moment.second // BUCKET_SECONDS * BUCKET_SECONDS),
        "first_time": str(moment.second),
        "event_times": str(moment.second),
        "events": str(moment.events),
        SIGNAL_ID: moment.id,
        **dict(zip(CHAIN_FIELDS, (" ".join(moment.kinds), moment.timeline, moment.steps))),
    }


def moment_rows(moments: Sequence[Moment], names: Sequence[str]) -> Iterator[list[str]]:
    """The rows of moments with cells for the columns `names`."""
    for moment in moments:
        cells = moment_cells(moment)
        yield [cells.get(name, "") for name in names]
