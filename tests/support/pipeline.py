"""A detection's search in miniature: the reduction in Python, then the very library calls of the commands.

`Pipeline.search` is one run over a window of event time; `replay` is a scheduler that delivers events late, in any
order, twice, and runs at any cadence, with the judged-days rule of the macro `cba_judged_days`.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Iterable, Mapping, Sequence

from cba.detection.model import EVENT_ID, Detection
from cba.findings.breaker import Breaker
from cba.findings.record import Recorder
from cba.findings.windows import BUCKET_SECONDS, Sighting
from cba.history.baseline import Baseline, Row
from cba.history.days import SECONDS_PER_DAY, day_of
from cba.scoring.score import Scorer
from tests.support.memory import MemoryBreaker, MemoryFindings, MemoryHistories, MemoryStatuses, MemoryVerdicts

OVERLAP = 2 * 3600
HOUR = 3600


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

    def __init__(self, detection: Detection) -> None:
        self.detection = detection
        self.histories = MemoryHistories()
        self.statuses = MemoryStatuses()
        self.findings = MemoryFindings()
        self.verdicts = MemoryVerdicts()
        self.breaker = MemoryBreaker()

    def search(self, events: Iterable[Seen], now: int = 0, learn: bool = True, chunk: int = 50_000) -> None:
        """One run over these events: reduce, look up and learn, score, record; `chunk` rows at a time."""
        groups: dict[tuple[str, ...], list[Seen]] = {}
        names = ("source_kind", *self.detection.group_by, *self._extra())
        for event in events:
            skipped = event.field("skip_reason") != "-"
            folded = set(self.detection.group_by) - {"skip_reason", *self._kept} if skipped else set()
            cells = tuple("-" if name in folded else event.field(name) for name in names)
            bucket = event.time // BUCKET_SECONDS * BUCKET_SECONDS
            groups.setdefault((str(day_of(event.time)), str(bucket), *cells), []).append(event)
        ordered = sorted(groups.items(), key=lambda group: int(group[0][0]))
        baseline = Baseline(self.detection, self.histories, self.statuses, self.verdicts, learn=learn)
        scorer = Scorer(self.detection)
        recorder = Recorder(self.detection, self.findings, now)
        breaker = Breaker(self.detection.breaker, self.breaker)
        for start in range(0, len(ordered), chunk):
            part = ordered[start : start + chunk]
            rows = [dict(zip(("day", "bucket", *names), key)) for key, _events in part]
            answers = baseline.process([self._row(row) for row in rows])
            sightings = []
            for row, answer, (_key, seen) in zip(rows, answers, part):
                score = scorer.score(answer.text, *(row.get(name, "-") for name in scorer.fields))
                if score.variation:
                    details = {**row, **score._asdict(), "evidence": answer.text, "entity": row[self.detection.entity]}
                    sightings.append((row[self.detection.entity], self._sighting(row, seen, score, details)))
            admitted = breaker.admit([sighting for _entity, sighting in sightings])
            recorder.record([sighting for sighting, may_raise in zip(sightings, admitted) if may_raise])

    def _extra(self) -> tuple[str, ...]:
        """What enrichment adds in the real search: the dimensions and the fields that conditions read."""
        named = (*self.detection.entity_fields, *self.detection.dimensions, *self.detection.carry)
        wanted = (*named, *self.detection.condition_fields, *self.detection.remark_fields)
        return tuple(n for n in dict.fromkeys(wanted) if n not in ("source_kind", *self.detection.group_by))

    @property
    def _kept(self) -> Sequence[str]:
        return self.detection.document.get("kept", [])

    def _row(self, row: Mapping[str, str]) -> Row:
        entities = tuple(row[name] for name in self.detection.entity_fields)
        values = tuple(row[dimension] for dimension in self.detection.dimensions)
        return Row(int(row["day"]), row["source_kind"], row["skip_reason"], entities, values)

    def _sighting(
        self, row: Mapping[str, str], seen: Sequence[Seen], score: Any, details: Mapping[str, str]
    ) -> Sighting:
        return Sighting(
            key=json.dumps([row[name] for name in self.detection.deduplicate_by], ensure_ascii=False),
            part="\n".join(row[name] for name in ("source_kind", *self.detection.group_by)),
            bucket=int(row["bucket"]),
            seconds=self._seconds(seen),
            events=len({event.event_id if self._by_id else event.field(self.detection.counted_by) for event in seen}),
            plain=score.variation,
            suspected=score.variation_if_suspicious,
            details=details,
        )

    @property
    def _by_id(self) -> bool:
        return self.detection.counted_by == EVENT_ID

    def _seconds(self, seen: Sequence[Seen]) -> tuple[int, ...]:
        """`values(event_time)`, or `min(event_time)` where things are counted rather than events."""
        times = sorted({event.time for event in seen})
        return tuple(times if self._by_id else times[:1])

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

    The first run takes everything before as well, as a scheduled search does that was enabled with a longer window.
    """
    pipeline = Pipeline(detection)
    end = max(max(d.delivered, d.event.time) for d in deliveries) + SECONDS_PER_DAY + OVERLAP
    now = since
    while now <= end + cadence:
        earliest = (now - cadence - OVERLAP) // HOUR * HOUR if now > since else 0
        judged = day_of(now - OVERLAP)
        visible = [
            d.event
            for d in deliveries
            if d.delivered <= now and earliest <= d.event.time < now and day_of(d.event.time) <= judged
        ]
        pipeline.search(visible, now)
        now += cadence
    return pipeline
