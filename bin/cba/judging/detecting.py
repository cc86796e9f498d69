"""One detection at work: from prepared rows to findings."""

from __future__ import annotations

import hashlib
import json
from typing import Iterable, Mapping, NamedTuple, Optional, Sequence, Union

from ..correlate.chains import CHAIN_FIELDS, Moment, Signal, signal_key
from ..correlate.correlator import MOST_A_DAY, Correlator
from ..detection.model import EVENT_ID, Detection
from ..findings.breaker import Breaker, Opened
from ..findings.flood import flood_finding
from ..findings.record import Recorder
from ..findings.windows import Sighting
from ..history.evidence import Evidence
from ..history.history import Subject
from ..history.remembered import Histories
from ..scoring.score import Score, score_evidence, signals_of
from ..terms import ABSENT, LISTED_SEPARATOR, bucket_of
from .evidence import EvidenceMaker, SourceDays
from .preparing import Prepared
from .rows import CANDIDATE_OF, GEO_FIELDS, SOURCE_FIELD
from .stores import JudgeSettings, Stores

CORE_FIELDS = (SOURCE_FIELD, "provider", "project", "identity", "identity_type", "access_key", "src_ip")
"""What every finding keeps of the row of its first event, beside what its detection reads and keeps."""
MEMO_LIMIT = 2_000
"""How many kinds of rows are kept in mind with what was said of them."""
SAID_LIMIT = 200
"""How many of these may be kinds of which there is something to say, which is long."""


def is_candidate(detection: Detection, prepared: Prepared) -> bool:
    """Whether the detection has a row to look at: the source's search has said so where it has a condition of its
    own."""
    if prepared.population != detection.population:
        return False
    if detection.candidates is None:
        return True
    named = prepared.row.cells.get(CANDIDATE_OF, ABSENT)
    return detection.id in named and detection.id in named.split()


class Scored(NamedTuple):
    """What a detection says of rows that are alike to it: the evidence, and what follows; `kinds` of signals, if
    any."""

    evidence: Evidence
    score: Optional[Score]
    kinds: tuple[str, ...] = ()


Kind = tuple[Union[int, str, None], ...]
"""The day of a row, and all of it that a detection reads: of rows of one kind the same is said."""
Kinds = Mapping[Kind, Sequence[tuple[int, Prepared]]]
"""The rows of each kind that a detection has to look at, each with its place in the batch."""


class DetectionJudge:
    """Judges prepared rows of one source for one detection and records what it finds. `now` stamps findings."""

    def __init__(self, detection: Detection, source: str, settings: JudgeSettings, stores: Stores, now: int) -> None:
        self.detection = detection
        self.source = source
        self.raised: dict[str, bool] = {}
        """the findings that this run has touched: id -> whether it raised them"""
        self.stirred: dict[str, int] = {}
        """entity or identity -> the first second of what was recorded of it lately"""
        self._settings = settings
        self._evidence = EvidenceMaker(detection)
        self._now = now
        self._findings = stores.findings
        self._recorder = Recorder(detection, stores.findings, now)
        self._breaker = Breaker(detection, stores.breakers(detection))
        self._correlator: Optional[Correlator] = None
        if detection.signals:
            self._correlator = Correlator(detection, stores.signals(detection), settings.time_window)
        asked = (name for profile in detection.asked for name in (profile.scope, profile.dimension))
        self._read = tuple(dict.fromkeys((*detection.scopes, *asked, *detection.fields, SOURCE_FIELD)))
        self._keeps = tuple(dict.fromkeys((*CORE_FIELDS, *GEO_FIELDS, *detection.fields, *CHAIN_FIELDS)))
        self._memo: dict[Kind, Optional[Scored]] = {}
        self._said = 0

    def kinds(self, rows: Iterable[tuple[int, Prepared]]) -> Kinds:
        """Those of these rows, each with its place, that it has to look at."""
        found: dict[Kind, list[tuple[int, Prepared]]] = {}
        own = self.detection.candidates is not None
        for placed in rows:
            prepared = placed[1]
            if own and not is_candidate(self.detection, prepared):
                continue
            kind = (prepared.row.day, *map(prepared.cells.get, self._read))
            if kind in found:
                found[kind].append(placed)
            else:
                found[kind] = [placed]
        return found

    def subjects(self, prepared: Prepared) -> Iterable[Subject]:
        """The histories that are asked about a row."""
        return (subject for subject, _scope, _dimension, _value in self._evidence.subjects(prepared.cells))

    def forget(self) -> None:
        """What was said of rows may no longer hold: something has been learned of a day before theirs."""
        self._memo.clear()
        self._said = 0

    def score(
        self, kind: Kind, prepared: Prepared, known: Optional[SourceDays], histories: Histories
    ) -> Optional[Scored]:
        """What it has to say about rows of a kind, of which this is one, whose subjects the histories hold; None for
        nothing."""
        if kind not in self._memo:
            if len(self._memo) > MEMO_LIMIT or self._said > SAID_LIMIT:
                self.forget()
            scored = self._memo[kind] = self._score(prepared, known, histories)
            self._said += scored is not None
        return self._memo[kind]

    def _score(self, prepared: Prepared, known: Optional[SourceDays], histories: Histories) -> Optional[Scored]:
        found = self._evidence.look(prepared.cells, prepared.row.day, self.source, known, histories)
        if found.evidence is None or found.silent_reason:
            return None
        if self._correlator is not None:
            kinds = signals_of(self.detection, found.evidence, prepared.cells)
            return Scored(found.evidence, None, kinds) if kinds else None
        score = score_evidence(self.detection, found.evidence, prepared.cells, self._settings.precedence)
        return Scored(found.evidence, score) if score.variation or score.variation_if_suspicious else None

    def record(self, scored: Sequence[tuple[Prepared, Scored]], write: bool = True) -> list[Opened]:
        """Turns what was scored into findings and writes them; the breakers that opened now."""
        if self._correlator is None:
            sightings = [self._sighting(prepared, said) for prepared, said in scored]
        else:
            signals = [self._signal(prepared, said) for prepared, said in scored]
            moments = self._correlator.correlate(signals, write)
            sightings = [sighting for moment in moments if (sighting := self._of_moment(moment)) is not None]
        admission = self._breaker.admit(sightings)
        floods = [flood_finding(self.detection, self.source, opened, self._now) for opened in admission.opened]
        if floods:
            self._findings.save(floods)
            self.raised.update({str(flood["finding_id"]): True for flood in floods})
        self._breaker.keep()
        kept = [(entity, seen) for (entity, _s), seen in zip(sightings, admission.sightings) if seen is not None]
        for outcome in self._recorder.record(kept):
            if outcome is not None:
                self.raised[outcome.finding_id] = self.raised.get(outcome.finding_id, False) or outcome.raised
        for entity, seen in kept:
            for name in {entity, seen.details.get("identity", entity)}:
                self.stirred[name] = min(seen.seconds[0], self.stirred.get(name, seen.seconds[0]))
        return admission.opened

    def sentences(self) -> list[str]:
        """What was passed over."""
        left_out = self._correlator.left_out if self._correlator is not None else 0
        if not left_out:
            return []
        return [
            f"{self.detection.id}: {left_out} signals more than {MOST_A_DAY} of a kind on one day belong to no chain"
        ]

    def reconsider(self, stirred: Mapping[str, int]) -> None:
        """Looks again at the findings of entities of which other detections have found something."""
        self._recorder.reconsider(stirred)

    def _sighting(self, prepared: Prepared, said: Scored) -> tuple[str, Sighting]:
        row, cells = prepared.row, prepared.cells
        assert said.score is not None
        counted, events = prepared.counted, row.events
        if self.detection.counted_by != EVENT_ID:
            counted, events = cells.get(self.detection.counted_by, ABSENT), 1
        part = self._part(cells)
        sighting = Sighting(
            key=self.detection.key_of(cells),
            part=part,
            counted=counted,
            bucket=row.bucket,
            indexed=row.indexed,
            seconds=row.seconds,
            events=events,
            plain=said.score.variation,
            suspected=said.score.variation_if_suspicious,
            details=self._details(cells, part, said.score, said.evidence.to_json()),
            listed={
                name: tuple(text.split(LISTED_SEPARATOR))
                for name, text in row.listed.items()
                if name in self.detection.list_names
            },
        )
        return cells.get(self.detection.entity, ABSENT), sighting

    def _signal(self, prepared: Prepared, said: Scored) -> Signal:
        row, cells, detection = prepared.row, prepared.cells, self.detection
        opens = detection.signals[0].id in said.kinds
        return Signal(
            key=signal_key(detection.id, prepared.counted),
            kinds=said.kinds,
            bucket=row.bucket,
            seconds=row.seconds,
            events=max(row.events, len(row.seconds)),
            joins={name: cells[name] for name in detection.joined_by if cells.get(name)},
            row={
                **{name: cells[name] for name in (*self._keeps, "signal_what") if cells.get(name)},
                **({name: row.listed[name] for name in detection.list_names if name in row.listed} if opens else {}),
            },
            subject=detection.key_of(cells) if opens else "",
            evidence=said.evidence.to_json() if opens else "",
        )

    def _of_moment(self, moment: Moment) -> Optional[tuple[str, Sighting]]:
        """What is raised at a moment of a chain: with the opening signal's own fields and evidence."""
        cells = {
            **moment.opener.row,
            **dict(zip(CHAIN_FIELDS, (" ".join(moment.kinds), moment.timeline, moment.steps))),
        }
        evidence = Evidence.from_json(moment.opener.evidence)
        score = score_evidence(self.detection, evidence, cells, self._settings.precedence)
        if not score.variation:
            return None
        sighting = Sighting(
            key=moment.opener.subject,
            part=moment.id,
            counted=moment.id,
            bucket=bucket_of(moment.second),
            indexed=0,  # moments come whole for their key each time, whenever their events were indexed
            seconds=(moment.second,),
            events=moment.events,
            plain=score.variation,
            suspected=score.variation_if_suspicious,
            details=self._details(cells, moment.id, score, moment.opener.evidence),
        )
        return cells[self.detection.entity], sighting

    def _part(self, cells: Mapping[str, str]) -> str:
        """What tells a row from others of its second, the same whenever it is read: all that a finding keeps of it."""
        text = json.dumps([cells.get(name, ABSENT) for name in self._keeps])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _details(self, cells: Mapping[str, str], part: str, score: Score, evidence: str) -> dict[str, str]:
        kept = {name: cells[name] for name in (*self._keeps, *self.detection.list_names) if cells.get(name)}
        told = self.detection.variation(score.variation or score.variation_if_suspicious)
        said = {
            "anomaly_score": score.anomaly_score,
            "severity": told.severity,
            "explanation": score.explanation,
            "variations_matched": score.variations_matched,
            "attack": score.attack,
            "evidence": evidence,
            "entity": cells.get(self.detection.entity, ABSENT),
            "part": part,
        }
        return {**kept, **said}
