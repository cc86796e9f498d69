"""A detection's search in miniature: the reduction in Python, then the very library calls of the commands.

`Pipeline.search` is one run over a window of event time; `replay` is a scheduler that delivers events late, in any
order, twice, and runs at any cadence, with the judged-days rule of the macro `cba_judged_days`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Mapping, Sequence

from cba.command.chains import moment_cells, read_signals, signal_fields
from cba.command.table import Table
from cba.correlate.correlator import Correlator
from cba.detection.choose import BY_SEVERITY
from cba.detection.model import EVENT_ID, Detection
from cba.findings.breaker import Breaker
from cba.findings.record import Recorder
from cba.findings.windows import Sighting
from cba.history.baseline import Baseline, Row
from cba.scoring.score import Scorer
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY, day_of
from lab.chunked import Row as LabRow
from tests.support.memory import (
    MemoryBreaker,
    MemoryFindings,
    MemoryHistories,
    MemorySignals,
    MemoryStatuses,
    MemoryVerdicts,
)

OVERLAP = 2 * 3600
HOUR = 3600
TIME_WINDOW = 24 * 3600

Judged = tuple[dict[str, str], str, tuple[int, ...], int]
"""A row after `cbabaseline`: its fields, its evidence as JSON, the seconds of its events and how many there are."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """A normalised event: its second, id, and fields (absent ones left out)."""

    time: int
    event_id: str
    fields: Mapping[str, str]

    def field(self, name: str) -> str:
        return self.fields.get(name, "-")


class Pipeline:
    """The state of one detection: its stores, and a fresh set of commands for every search."""

    def __init__(self, detection: Detection, precedence: str = BY_SEVERITY) -> None:
        self.detection = detection
        self.precedence = precedence
        self.histories = MemoryHistories()
        self.statuses = MemoryStatuses()
        self.findings = MemoryFindings()
        self.verdicts = MemoryVerdicts()
        self.breaker = MemoryBreaker()
        self.signals = MemorySignals()

    def search(self, events: Iterable[Seen], now: int = 0, learn: bool = True, chunk: int = 50_000) -> None:
        """One run over these events: reduce, look up and learn, score, record; `chunk` rows at a time."""
        ordered = self.reduce(events)
        baseline = Baseline(self.detection, self.histories, self.statuses, self.verdicts, learn=learn)
        scorer = Scorer(self.detection, self.precedence)
        correlator = Correlator(self.detection, self.signals, TIME_WINDOW) if self.detection.signals else None
        recorder = Recorder(self.detection, self.findings, now)
        breaker = Breaker(self.detection.breaker, self.breaker)
        for start in range(0, len(ordered), chunk):
            part = ordered[start : start + chunk]
            answers = baseline.process([self._row(row) for row, _seen in part])
            judged = [
                (row, answer.text, self.seconds(seen), self.count(seen)) for (row, seen), answer in zip(part, answers)
            ]
            if correlator is not None:
                judged += self._moments(correlator, judged)
            sightings = []
            for row, evidence, seconds, events in judged:
                score = scorer.score(evidence, *(row.get(name, "-") for name in scorer.fields))
                if score.variation:
                    details = {**row, **score._asdict(), "evidence": evidence, "entity": row[self.detection.entity]}
                    sighting = self._sighting(row, seconds, events, score, details)
                    sightings.append((row[self.detection.entity], sighting))
            admitted = breaker.admit([sighting for _entity, sighting in sightings])
            recorder.record([sighting for sighting, may_raise in zip(sightings, admitted) if may_raise])

    def reduce(self, events: Iterable[Seen]) -> list[tuple[dict[str, str], list[Seen]]]:
        """The rows that the search's `stats` and enrichment give, in order of days, each with the events it stands for."""
        groups: dict[tuple[str, ...], list[Seen]] = {}
        names = ("source_kind", *self.detection.group_by, *self._extra())
        for event in events:
            skipped = event.field("skip_reason") != "-"
            folded = set(self.detection.group_by) - {"skip_reason", *self._kept} if skipped else set()
            cells = tuple("-" if name in folded else event.field(name) for name in names)
            bucket = event.time // BUCKET_SECONDS * BUCKET_SECONDS
            groups.setdefault((str(day_of(event.time)), str(bucket), *cells), []).append(event)
        ordered = sorted(groups.items(), key=lambda group: int(group[0][0]))
        return [(dict(zip(("day", "bucket", *names), key)), seen) for key, seen in ordered]

    def rows(self, events: Iterable[Seen]) -> list[LabRow]:
        """The same rows as a search hands them to `cbabaseline`."""
        return [
            {
                **row,
                "events": self.count(seen),
                "event_times": [str(second) for second in self.seconds(seen)],
                "first_time": min(event.time for event in seen),
            }
            for row, seen in self.reduce(events)
        ]

    def _extra(self) -> tuple[str, ...]:
        """What enrichment adds in the real search: the dimensions and the fields that conditions read."""
        named = (*self.detection.entity_fields, *self.detection.dimensions, *self.detection.carry)
        read = (*self.detection.condition_fields, *self.detection.signal_fields, *self.detection.remark_fields)
        wanted = (*named, *self.detection.joined_by, *read)
        return tuple(n for n in dict.fromkeys(wanted) if n not in ("source_kind", *self.detection.group_by))

    @property
    def _kept(self) -> Sequence[str]:
        return self.detection.document.get("kept", [])

    def _row(self, row: Mapping[str, str]) -> Row:
        entities = tuple(row[name] for name in self.detection.entity_fields)
        values = tuple(row[dimension] for dimension in self.detection.dimensions)
        return Row(int(row["day"]), row["source_kind"], row["skip_reason"], entities, values)

    def _moments(self, correlator: Correlator, judged: Sequence[Judged]) -> list[Judged]:
        """The rows that `cbacorrelate` adds to these."""
        names = [name for name in signal_fields(self.detection) if name not in ("evidence", "event_times", "events")]
        rows = [
            [evidence, "", "".join(f"${second}$;" for second in seconds), str(events), *(row[name] for name in names)]
            for row, evidence, seconds, events in judged
        ]
        table = Table(["evidence", "event_times", "__mv_event_times", "events", *names], rows)
        moments = correlator.correlate(read_signals(table, self.detection))
        cells = [moment_cells(moment) for moment in moments]
        return [(each, each["evidence"], (int(each["event_times"]),), int(each["events"])) for each in cells]

    def _sighting(
        self, row: Mapping[str, str], seconds: tuple[int, ...], events: int, score: Any, details: Mapping[str, str]
    ) -> Sighting:
        return Sighting(
            key=self.detection.key_of(row),
            part=self.detection.part_of(row),
            bucket=int(row["bucket"]),
            seconds=seconds,
            events=events,
            plain=score.variation,
            suspected=score.variation_if_suspicious,
            details=details,
        )

    def count(self, seen: Sequence[Seen]) -> int:
        """`dc(…)` of what the detection counts."""
        name = self.detection.counted_by
        return len({event.event_id if name == EVENT_ID else event.field(name) for event in seen})

    def seconds(self, seen: Sequence[Seen]) -> tuple[int, ...]:
        """`values(event_time)`."""
        return tuple(sorted({event.time for event in seen}))

    def found(self) -> list[dict[str, Any]]:
        """The findings in order of time, without what the moment of running stamps on them."""
        stamps = ("raised_time", "updated_time")
        documents = ({k: v for k, v in d.items() if k not in stamps} for d in self.findings.documents.values())
        return sorted(
            documents, key=lambda document: (document["first_time"], document["key"], document["severity_id"])
        )


@dataclasses.dataclass(frozen=True)
class Delivery:
    """An event and the second at which it can be searched."""

    event: Seen
    delivered: int


def replay(detection: Detection, deliveries: Sequence[Delivery], cadence: int, since: int) -> Pipeline:
    """Runs the search every `cadence` seconds from second `since` on until everything delivered has been judged.

    It looks at what was delivered lately, and happened within a day, as the shipped searches do. The first run takes
    everything before as well, as a scheduled search does that was enabled with a longer window.
    """
    pipeline = Pipeline(detection)
    end = max(max(d.delivered, d.event.time) for d in deliveries) + SECONDS_PER_DAY + OVERLAP
    now = since
    while now <= end + cadence:
        indexed = (now - cadence - OVERLAP) // HOUR * HOUR if now > since else 0
        earliest = (now - cadence - SECONDS_PER_DAY) // HOUR * HOUR if now > since else 0
        judged = day_of(now - OVERLAP)
        visible = [
            d.event
            for d in deliveries
            if indexed <= d.delivered <= now and earliest <= d.event.time < now and day_of(d.event.time) <= judged
        ]
        if visible:
            pipeline.search(visible, now)
        deliveries = [d for d in deliveries if d.delivered >= indexed]
        now += cadence
    return pipeline
