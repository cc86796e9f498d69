"""`may_score` spares rows their evidence; it must never spare one that would have been scored."""

from __future__ import annotations

import itertools
from typing import Any, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from cba.detection.catalogue import load
from cba.detection.model import Detection
from cba.history.evidence import Evidence, ScopeEvidence
from cba.scoring.score import may_score, score_evidence

DETECTIONS = load()
COUNTS = st.sampled_from([0, 1, 2, 3, 4, 10, 11])


def scope_evidences() -> st.SearchStrategy[ScopeEvidence]:
    """Any evidence of one scope: the truth values and counts that conditions ask for are free, the rest is filled in."""
    free: dict[str, st.SearchStrategy[Any]] = {
        "trained": st.booleans(), "new": st.booleans(), "seen": COUNTS, "days": COUNTS, "active_days": COUNTS,
        "verdict": st.sampled_from(["", "benign", "malicious"]), "choices": COUNTS, "training_days": COUNTS,
        "familiar": st.booleans(),
    }  # fmt: skip
    filled: dict[str, st.SearchStrategy[Any]] = {
        "entity": st.just("e"), "first": st.none(), "last": st.none(), "since": st.none(), "known": st.just(("NL",)),
        "weight": st.just(0.0), "total": st.just(1.0), "arrivals": st.just(0.0),
    }  # fmt: skip
    needed = set(ScopeEvidence._fields) - ScopeEvidence._field_defaults.keys()
    others = {name: st.just("") for name in needed - free.keys() - filled.keys()}
    return st.builds(ScopeEvidence, **free, **filled, **others)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Detection, Evidence, Mapping[str, str]]:
    detection = DETECTIONS[draw(st.sampled_from(sorted(DETECTIONS)))]
    scopes: dict[str, dict[str, ScopeEvidence]] = {}
    for scope, dimension in detection.profiles:
        scopes.setdefault(scope, {})[dimension] = draw(scope_evidences())
    values = dict.fromkeys(detection.dimensions, "XX")
    evidence = Evidence(20_000, "aws", draw(st.booleans()), values, scopes)
    words = st.sampled_from(["", "-", "aws", "kubernetes", "reason"])
    return detection, evidence, {name: draw(words) for name in detection.condition_fields}


@settings(deadline=None, max_examples=400)
@given(rows())
def test_what_is_spared_its_evidence_has_no_variation(row: tuple[Detection, Evidence, Mapping[str, str]]) -> None:
    detection, evidence, fields = row
    score = score_evidence(detection, evidence, fields)
    if score.variation or score.variation_if_suspicious:
        assert may_score(detection, evidence)


def test_it_spares_what_is_known_everywhere() -> None:
    detection = DETECTIONS["cloud_unusual_country"]
    verdicts = []
    for new, active in itertools.product((False, True), repeat=2):
        found = ScopeEvidence(
            entity="e", trained=True, new=new, seen=2, days=0, first=None, last=None, active_days=20, since=19_000,
            known=("NL",), weight=0.0, total=1.0, choices=1, arrivals=0.0,
        )  # fmt: skip
        scopes = {scope: {"country": found} for scope in detection.scopes}
        verdicts.append(may_score(detection, Evidence(20_000, "aws", active, {"country": "XX"}, scopes)))
    assert verdicts == [False, False, False, True]
