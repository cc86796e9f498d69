"""Between cells and the library: rows for the baseline, evidence as fields, sightings for the recorder."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

from ..detection.model import Detection
from ..errors import RowError
from ..findings.windows import Sighting
from ..history.baseline import Answer, Row
from ..scoring.score import NO_EVIDENCE, may_score
from .chains import CHAIN_FIELDS
from .table import Table, distinct_seconds, whole_number

LAST_DAY = 100_000  # of the year 2243


def row_fields(detection: Detection) -> tuple[str, ...]:
    """The fields `cbabaseline` reads for a detection."""
    return ("day", "source_kind", "skip_reason", *detection.entity_fields, *detection.dimensions)


def read_rows(table: Table, detection: Detection) -> list[Row]:
    """The chunk's rows. Raises RowError naming field, value and row for a day that is none, or an absent source.

    Equal rows are the same object, so that everything remembered per row is found quickly.
    """
    columns = [table.column(name) for name in row_fields(detection)]
    scopes = len(detection.entity_fields)
    known: dict[tuple[str, ...], Row] = {}
    rows: list[Row] = []
    for position, cells in enumerate(zip(*columns), 1):
        row = known.get(cells)
        if row is None:
            day = _day(cells[0], position)
            if not cells[1]:
                raise RowError(f"field source_kind of row {position} is empty; the macros cba_events_... set it")
            row = known[cells] = Row(day, cells[1], cells[2], cells[3 : 3 + scopes], cells[3 + scopes :])
        rows.append(row)
    return rows


def _day(text: str, position: int) -> int:
    day = whole_number(text, "day", position)
    # An epoch time taken for a day would ask for a mask of a billion bits.
    if not 0 <= day <= LAST_DAY:
        raise RowError(f"field day of row {position} is {text!r}; a UTC day number is needed: floor(_time/86400)")
    return day


_TERMS = ("trained", "new", "seen", "days")
SILENT_USUAL = "nothing unusual"


def evidence_text(detection: Detection, answer: Answer) -> str:
    """The field evidence of a row with that answer: NO_EVIDENCE where it cannot be scored."""
    if answer.evidence is None or not may_score(detection, answer.evidence):
        return NO_EVIDENCE
    return answer.text


class EvidenceCells:
    """The fields `cbabaseline` adds: evidence as JSON, why a row is silent, and the terms per profile.

    A row that cannot be scored, as nearly all, gets no evidence: the JSON is ten times as long as the rest of the row,
    and both commands spend most of their time and memory on it. The terms are there for every row.
    """

    def __init__(self, detection: Detection) -> None:
        self._detection = detection
        self._profiles = list(detection.profiles)
        terms = [f"{detection.profile(*profile)}_{term}" for profile in self._profiles for term in _TERMS]
        self.names: tuple[str, ...] = ("evidence", "silent_reason", *terms)

    def of(self, answer: Answer) -> tuple[str, ...]:
        """The cells of a row with that answer."""
        text = evidence_text(self._detection, answer)
        silent = (answer.silent_reason or SILENT_USUAL) if text == NO_EVIDENCE else ""
        return (text, silent, *self._terms(answer))

    def _terms(self, answer: Answer) -> Iterable[str]:
        for scope, dimension in self._profiles:
            found = answer.evidence.scopes.get(scope, {}).get(dimension) if answer.evidence else None
            if found is None:
                yield from ("",) * len(_TERMS)
            else:
                yield from (str(int(found.trained)), str(int(found.new)), str(found.seen), str(found.days))


# What a finding keeps of the row of its first event, beside the fields its detection groups by.
CARRIED = (
    "source_kind", "country", "asn", "as_org", "cloud_provider", "cloud_region", "anomaly_score",
    "explanation", "variations_matched", "attack", "evidence",
)  # fmt: skip
_NEEDED = ("bucket", "event_times", "events", "variation", "variation_if_suspicious")


def record_fields(detection: Detection) -> tuple[str, ...]:
    """The fields `cbarecord` reads for a detection."""
    return tuple(dict.fromkeys((*_NEEDED, *detection.group_by, *detection.deduplicate_by, *optional_fields(detection))))


def optional_fields(detection: Detection) -> tuple[str, ...]:
    """Those of `record_fields` that a row with a variation may leave out."""
    chained = CHAIN_FIELDS if detection.signals else ()
    return (*CARRIED, *chained, *detection.carry, *detection.condition_fields, *detection.remark_fields)


def read_sightings(table: Table, detection: Detection) -> list[tuple[int, str, Sighting]]:
    """The rows that have a variation as (position, entity, sighting); the others are nobody's finding.

    Raises RowError naming field, value and row for a count or time that is no number, or an unknown variation.
    """
    kept = [name for name in record_fields(detection) if name not in _NEEDED]
    columns = {name: table.column(name) for name in (*kept, *_NEEDED)}
    known = {variation.id for variation in detection.all_variations}
    found: list[tuple[int, str, Sighting]] = []
    for index, (variation, times) in enumerate(zip(columns["variation"], table.multivalues("event_times"))):
        if not variation:
            continue
        cells = {name: columns[name][index] for name in columns}
        if variation not in known:
            raise RowError(f"row {index + 1}: detection {detection.id} has no variation {variation!r}")
        sighting = _sighting(cells, times, index + 1, detection, {name: cells[name] for name in kept})
        found.append((index, cells[detection.entity], sighting))
    return found


def _sighting(
    cells: Mapping[str, str], times: Sequence[str], position: int, detection: Detection, details: Mapping[str, str]
) -> Sighting:
    bucket = whole_number(cells["bucket"], "bucket", position)
    events = whole_number(cells["events"], "events", position)
    if not cells[detection.entity]:
        raise RowError(f"field {detection.entity} of row {position} is empty; a finding is about someone")
    return Sighting(
        key=detection.key_of(cells),
        part=detection.part_of(cells),
        bucket=bucket,
        seconds=distinct_seconds(times, position),
        events=max(events, 1),
        plain=cells["variation"],
        suspected=cells["variation_if_suspicious"],
        details={**details, "entity": cells[detection.entity]},
    )
