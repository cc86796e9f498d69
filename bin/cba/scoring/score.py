"""Scores rows of a detection: which variation, how severe, how surprising, and why."""

from __future__ import annotations

from typing import Mapping, NamedTuple

from ..detection.choose import BY_SEVERITY, Choice, choose
from ..detection.condition import CHAIN_SIGNALS, Result
from ..detection.model import Detection
from ..errors import RowError
from ..history.evidence import Evidence, ScopeEvidence
from .explain import explain
from .facts import RowFacts
from .surprise import anomaly_score, come_far, surprising


class Score(NamedTuple):
    """What `cbascore` adds to a row; every text is "" when the detection has nothing to say about it.

    `variation_if_suspicious` is the variation if the identity turns out to have another finding of Low or more in the
    24 hours before: findings are the recorder's business, so it makes that last choice. `anomaly_score` is that of
    `variation`, or where it is empty of the other.
    """

    variation: str = ""
    variation_if_suspicious: str = ""
    variations_matched: str = ""
    severity: str = ""
    anomaly_score: str = ""
    explanation: str = ""
    attack: str = ""


SILENT = Score()
SCORE_FIELDS = Score._fields
NO_EVIDENCE = "-"
"""What may stand in the field evidence of a row that has none."""

_MEMO_LIMIT = 2_000
"""How many answers are kept in mind; evidence is long."""


class Scorer:
    """Scores rows of one detection, remembering the answers: rows of one identity and day share their evidence."""

    def __init__(self, detection: Detection, precedence: str = BY_SEVERITY) -> None:
        self.detection = detection
        self.precedence = precedence
        self.fields = tuple(dict.fromkeys((*detection.condition_fields, *detection.remark_fields)))
        self._memo: dict[tuple[str, ...], Score] = {}

    def score(self, evidence: str, *fields: str) -> Score:
        """The score for one row's `evidence` JSON and its values of `self.fields`, in that order.

        Raises RowError when the evidence is not what `cbabaseline` writes.
        """
        key = (evidence, *fields)
        score = self._memo.get(key)
        if score is None:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            score = self._memo[key] = self._score(evidence, dict(zip(self.fields, fields)))
        return score

    def _score(self, text: str, fields: Mapping[str, str]) -> Score:
        if text in ("", NO_EVIDENCE):
            return SILENT
        try:
            evidence = Evidence.from_json(text)
        except ValueError as error:
            raise RowError(f"field evidence is {text[:60]!r}: {error}; run cbabaseline before cbascore") from error
        return score_evidence(self.detection, evidence, fields, self.precedence)


def _judged(detection: Detection, evidence: Evidence) -> bool:
    """Whether there is a source that is active and somebody to compare with, where that is needed."""
    return evidence.active and (detection.untrained_is_new or evidence.answerable(detection.scopes, detection.optional))


def _facts(detection: Detection, evidence: Evidence, fields: Mapping[str, str], suspect: bool = False) -> RowFacts:
    return RowFacts(evidence, fields, detection.scopes, suspect, detection.untrained_is_new)


def signals_of(detection: Detection, evidence: Evidence, fields: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the signals that a row with that evidence and those fields of its own is."""
    if not _judged(detection, evidence):
        return ()
    facts = _facts(detection, evidence, fields)
    return tuple(signal.id for signal in detection.signals if signal.when.evaluate(facts))


def score_evidence(
    detection: Detection, evidence: Evidence, fields: Mapping[str, str], precedence: str = BY_SEVERITY
) -> Score:
    """The score of a row with that evidence and those fields of its own."""
    if not _judged(detection, evidence):
        return SILENT
    plain = choose(detection, _facts(detection, evidence, fields), precedence)
    suspect = plain
    if detection.asks_for_findings:
        suspect = choose(detection, _facts(detection, evidence, fields, suspect=True), precedence)
    shown = plain or suspect
    if shown is None:
        return SILENT
    return Score(
        variation=plain.variation.id if plain else "",
        variation_if_suspicious=suspect.variation.id if suspect else "",
        variations_matched=" ".join(each.variation.id for each in shown.matched),
        severity=plain.variation.severity if plain else "",
        anomaly_score=str(anomaly_score(shown.variation.severity, _surprised(detection, evidence, fields))),
        explanation=explain(detection, evidence, fields, _reasons(detection, evidence, fields, shown)),
        attack=" ".join(detection.tactics + detection.techniques),
    )


def _reasons(detection: Detection, evidence: Evidence, fields: Mapping[str, str], choice: Choice) -> list[Result]:
    """What decided: of a chain also the conditions of its opening signal, which hold for the evidence it opened
    with."""
    facts = _facts(detection, evidence, fields)
    signals = (signal.when.evaluate(facts) for signal in detection.signals)
    return [*choice.reasons, *(result for result in signals if result)]


def _surprised(detection: Detection, evidence: Evidence, fields: Mapping[str, str]) -> float:
    """0 to 1: how surprising the most surprising dimension is; of a chain, how far it has come."""
    order = detection.scopes
    found = (surprising(_ladder(evidence, name, order)) for name in evidence.compared(order))
    return max((come_far(len(fields.get(CHAIN_SIGNALS, "").split())), *found))


def _ladder(evidence: Evidence, dimension: str, order: tuple[str, ...]) -> list[ScopeEvidence]:
    """The evidence of one dimension from the narrowest scope to the widest."""
    return [evidence.scopes[scope][dimension] for scope in order if dimension in evidence.scopes.get(scope, {})]
