"""Scores rows of a detection: which variation, how severe, how surprising, and why."""

from __future__ import annotations

from typing import Mapping, NamedTuple

from ..detection.choose import BY_SEVERITY, choose
from ..detection.condition import Call, Field
from ..detection.model import Detection
from ..errors import RowError
from ..history.evidence import Evidence, ScopeEvidence
from .explain import explain
from .facts import RowFacts
from .surprise import anomaly_score


class Score(NamedTuple):
    """What `cbascore` adds to a row; every text is "" when the detection has nothing to say about it.

    `variation_if_suspicious` is the variation if the identity turns out to have another finding of Low or more in the
    24 hours before: findings are `cbarecord`'s business, so it makes that last choice.
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
"""What stands in the field evidence of a row that `may_score` rules out."""

_MEMO_LIMIT = 100_000


class Scorer:
    """Scores rows of one detection, remembering the answers: rows of one identity and day share their evidence."""

    def __init__(self, detection: Detection, precedence: str = BY_SEVERITY) -> None:
        self.detection = detection
        self.precedence = precedence
        self.fields = detection.condition_fields
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


def may_score(detection: Detection, evidence: Evidence) -> bool:
    """False when no row with that evidence gets a variation, whatever its own fields are and whoever is suspicious."""
    order = detection.scopes
    if not evidence.active or not evidence.answerable(order):
        return False
    nodes = detection.when.walk()
    if any(isinstance(node, Field) or (isinstance(node, Call) and node.argument("field")) for node in nodes):
        return True
    return any(detection.when.evaluate(RowFacts(evidence, {}, order, suspect)) for suspect in (False, True))


def score_evidence(
    detection: Detection, evidence: Evidence, fields: Mapping[str, str], precedence: str = BY_SEVERITY
) -> Score:
    """The score of a row with that evidence and those fields of its own."""
    order = detection.scopes
    if not evidence.active or not evidence.answerable(order):
        return SILENT
    plain = choose(detection, RowFacts(evidence, fields, order, suspect=False), precedence)
    suspect = choose(detection, RowFacts(evidence, fields, order, suspect=True), precedence)
    if plain is None and suspect is None:
        return SILENT
    shown = plain or suspect
    assert shown is not None
    return Score(
        variation=plain.variation.id if plain else "",
        variation_if_suspicious=suspect.variation.id if suspect else "",
        variations_matched=" ".join(variation.id for variation in shown.matched),
        severity=plain.variation.severity if plain else "",
        anomaly_score=str(max(anomaly_score(_ladder(evidence, name, order)) for name in evidence.compared(order))),
        explanation=explain(evidence, order, detection.periods.training),
        attack=" ".join(detection.tactics + detection.techniques),
    )


def _ladder(evidence: Evidence, dimension: str, order: tuple[str, ...]) -> list[ScopeEvidence]:
    """The evidence of one dimension from the narrowest scope to the widest."""
    return [evidence.scopes[scope][dimension] for scope in order if dimension in evidence.scopes.get(scope, {})]
