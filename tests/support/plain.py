"""The rules of the choice and of deduplication once more, as plainly as they can be said: what the engine is held to.

A *match* is a scored row: what `Pipeline` hands to the recorder. `Watched` is a pipeline that keeps them.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence

from cba.detection.model import Detection
from cba.findings.record import Outcome
from cba.findings.windows import Sighting
from cba.history.evidence import Evidence
from cba.judging.detecting import DetectionJudge
from cba.scoring.facts import RowFacts
from cba.terms import SECONDS_PER_DAY, SEVERITIES
from tests.support.pipeline import Pipeline

DAY = SECONDS_PER_DAY


class Watched(Pipeline):
    """Keeps every match of its searches, each once."""

    @property
    def matches(self) -> list[Sighting]:
        return list(self.__dict__.setdefault("_matches", {}).values())

    def watch(self, judge: DetectionJudge) -> None:
        """Keeps what the judge hands to its recorder."""
        known = self.__dict__.setdefault("_matches", {})
        recorder = judge._recorder
        record = recorder.record

        def watched(sightings: Sequence[tuple[str, Sighting]]) -> list[Optional[Outcome]]:
            known.update({(m.part, m.counted, m.bucket, m.seconds): m for _entity, m in sightings})
            return record(sightings)

        recorder.record = watched  # type: ignore[method-assign]


class Raised(NamedTuple):
    """A finding, by what deduplication decides."""

    first_time: int
    key: str
    variation: str
    count: int


def raised(pipeline: Pipeline, since: int = 0) -> list[Raised]:
    """The pipeline's findings from second `since` on."""
    found = (Raised(f["first_time"], f["key"], f["variation"], f["count"]) for f in pipeline.found())
    return [finding for finding in found if finding.first_time >= since]


def rank(detection: Detection, variation: str) -> int:
    return SEVERITIES.index(detection.variation(variation).severity)


def first_match(detection: Detection, matching: Iterable[str]) -> str:
    """Strictly the first variation of the list that matches, base when none does."""
    matching = set(matching)
    return next((v["id"] for v in detection.document.get("variations", []) if v["id"] in matching), "base")


def by_severity(detection: Detection, matching: Iterable[str]) -> str:
    """The most severe that is no downgrade, of equals the one listed first; else a downgrade; else base."""
    matching = set(matching)
    named = [v for v in detection.document.get("variations", []) if v["id"] in matching]
    raising = [v for v in named if v["kind"] != "downgrade"]
    for severity in reversed(SEVERITIES):
        for variation in raising:
            if variation["severity"] == severity:
                return str(variation["id"])
    return str(named[0]["id"]) if named else "base"


def matching(detection: Detection, row: Mapping[str, Any], suspect: bool) -> list[str]:
    """The variations whose conditions hold for a match's row, base among them when its own condition does."""
    evidence = Evidence.from_json(row["evidence"])
    facts = RowFacts(evidence, row, detection.scopes, suspect, detection.untrained_is_new)
    if not detection.when.evaluate(facts):
        return []
    return [v.id for v in detection.all_variations if v.when is None or v.when.evaluate(facts)]


def deduplicated(detection: Detection, matches: Iterable[Sighting]) -> list[Raised]:
    """The findings of these matches.

    For each key: its first event opens a window of the deduplication period, which raises; what follows inside is
    counted, unless it is more severe than all before it; of one second, the most severe comes first. The events of one
    quarter of an hour and variation count where the first of them does. An identity is suspicious for 24 hours after an event of a
    finding of Low or more under another key.
    """
    found: list[_Finding] = []
    current: dict[tuple[str, int], _Finding] = {}
    in_time = sorted(
        _heaps(detection, matches),
        key=lambda heap: (heap.first, -rank(detection, heap.plain), heap.key, heap.plain, heap.suspected),
    )
    for heap in in_time:
        suspicious = any(
            other.entity == heap.entity
            and other.raised.key != heap.key
            and rank(detection, other.raised.variation) >= SEVERITIES.index("low")
            and any(heap.first - DAY <= second < heap.first for second in other.seconds)
            for other in found
        )
        variation = heap.suspected if suspicious and heap.suspected else heap.plain
        known = current.get((heap.key, heap.opened))
        if known is None or rank(detection, variation) > rank(detection, known.raised.variation):
            known = current[heap.key, heap.opened] = _Finding(Raised(heap.first, heap.key, variation, 0), heap.entity)
            found.append(known)
        known.raised = known.raised._replace(count=known.raised.count + heap.count)
        known.seconds.append(heap.first)
    return sorted(finding.raised for finding in found)


@dataclasses.dataclass
class _Finding:
    raised: Raised
    entity: str
    seconds: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class _Heap:
    """The events of one window, quarter of an hour and variation; `counts` by what is counted once."""

    key: str
    opened: int
    plain: str
    suspected: str
    entity: str
    first: int
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.counts.values())


def _heaps(detection: Detection, matches: Iterable[Sighting]) -> Iterable[_Heap]:
    period = detection.periods.deduplication * DAY
    opened: dict[str, int] = {}
    parts: dict[int, dict[int, list[int]]] = {}
    numbered = dict(enumerate(matches))
    for second, key, at in sorted(
        (second, match.key, at) for at, match in numbered.items() for second in match.seconds
    ):
        if key not in opened or second >= opened[key] + period:
            opened[key] = second
        parts.setdefault(at, {}).setdefault(opened[key], []).append(second)
    heaps: dict[tuple[str, int, int, str, str], _Heap] = {}
    for at, seconds_of in parts.items():
        match = numbered[at]
        for window, count in _split(match.events, {window: len(seconds) for window, seconds in seconds_of.items()}):
            first, entity = seconds_of[window][0], str(match.details["entity"])
            kind = (match.key, window, match.bucket, match.plain, match.suspected)
            heap = heaps.setdefault(kind, _Heap(match.key, window, match.plain, match.suspected, entity, first))
            heap.first = min(heap.first, first)
            heap.counts[match.counted] = max(count, heap.counts.get(match.counted, 0))
    return heaps.values()


def _split(events: int, seconds: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """A row's events over the windows in which it has so many different seconds: where there is more than one, each of
    its later seconds is an event, and the first window has the rest, one at least."""
    first, *later = sorted(seconds)
    counts = {window: min(seconds[window], events) for window in later}
    yield first, max(1, events - sum(counts.values()))
    yield from counts.items()
