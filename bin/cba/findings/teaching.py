"""What a verdict would teach, in words, before it is given: the page on which verdicts are given asks for it."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Optional, Sequence

from ..detection.model import Detection
from ..errors import OptionError
from ..history.history import BENIGN, MALICIOUS
from ..scoring.names import named
from ..terms import ABSENT, ORGANIZATION
from .triage import Document, family, shown, triage_of
from .verdicts import CLEAR, NO_VERDICT, VERDICTS, Desk, Ruling, Target, targets_of

MOST = 200
"""Findings that are decided at once on the page."""
NO_FINDING = "There is no finding with this id. Open one from the page Findings."
EVERYBODY = "everybody in the organization"
OF_FINDING = (
    "finding_id", "detection", "variation", "name", "severity", "severity_id", "entity", "identity", "project",
    "country", "explanation", "first_time", "last_time", "count", "anomaly_score",
)  # fmt: skip


def preview(desk: Desk, finding_ids: Sequence[str], by: str, verdict: str, scope: str) -> dict[str, Any]:
    """Of each finding what it is, what was said of it, in which scopes it can be judged, and what the verdict would
    teach; `by` is who asks. Nothing is written.

    Of a finding that is not there, or cannot be judged in that scope, `problem` says so.
    """
    if verdict != NO_VERDICT and verdict not in VERDICTS:
        raise OptionError(f"verdict={verdict[:60]} is not one of {', '.join(VERDICTS)}")
    if len(finding_ids) > MOST:
        raise OptionError(f"{len(finding_ids)} findings are too many to look through; choose {MOST} at most")
    ids = list(dict.fromkeys(finding_ids))
    known = desk.findings_of(ids)
    triage = desk.triage_of({each for finding in known.values() for each in family(finding)})
    return {"by": by, "findings": [_one(desk, each, known.get(each), triage, verdict, scope) for each in ids]}


def _one(
    desk: Desk,
    finding_id: str,
    finding: Optional[Document],
    triage: Mapping[str, Document],
    verdict: str,
    scope: str,
) -> dict[str, Any]:
    if finding is None:
        return {"finding_id": finding_id, "problem": NO_FINDING}
    told: dict[str, Any] = {name: finding.get(name, "") for name in OF_FINDING}
    told["country"] = named("country", str(told["country"] or ""))
    told["said"] = shown(triage_of(finding, triage))
    detection = desk.detection(str(finding["detection"]))
    if detection is None:
        return {**told, "problem": f"It is of {finding['detection']}, which is no detection now."}
    told["scopes"] = list(scopes_of(detection, finding))
    if verdict == NO_VERDICT:
        return {**told, "teaches": [], "problem": ""}
    try:
        decision = desk.on_findings([finding_id], Ruling(verdict, "", 0, ""), scope)[finding_id]
        targets = targets_of(detection, finding, scope)
    except OptionError as error:
        return {**told, "teaches": [], "problem": f"{error}"}
    withdrawn = [document for document in decision.values if not _among(document, targets)]
    teaches = [sentence(detection, target, verdict) for target in targets]
    teaches += [
        f"What was said of {each['value']} for {_whom(str(each['entity']))} is withdrawn." for each in withdrawn
    ]
    if not targets:
        teaches.append("It teaches nothing: the finding is about no value. Only its status changes.")
    return {**told, "teaches": teaches, "problem": ""}


def scopes_of(detection: Detection, finding: Document) -> Iterator[dict[str, str]]:
    """The scopes in which a finding can be judged, the narrowest first, and for whom that is."""
    seen = set()
    for scope in ("", *detection.scopes):
        try:
            targets = targets_of(detection, finding, scope)
        except OptionError:
            continue
        whom = tuple(target.subject.entity for target in targets)
        if targets and whom not in seen:
            seen.add(whom)
            yield {"scope": scope, "whom": ", ".join(dict.fromkeys(map(_whom, whom)))}


def sentence(detection: Detection, target: Target, verdict: str) -> str:
    """What a verdict says of a value: `Country Kazakhstan becomes normal for shop-worker.`"""
    profile = next(each for each in detection.asked if each.name == target.subject.profile)
    what = "network" if profile.dimension == "asn" else profile.dimension.replace("_", " ")
    value, whom = f"{what.capitalize()} {named(profile.dimension, target.value)}", _whom(target.subject.entity)
    return {
        BENIGN: f"{value} becomes normal for {whom}.",
        MALICIOUS: f"{value} never counts as normal for {whom}, however often it is seen.",
        CLEAR: f"{value} is judged for {whom} by the history alone again.",
    }[verdict]


def _whom(entity: str) -> str:
    return EVERYBODY if entity == ORGANIZATION else entity or ABSENT


def _among(document: Document, targets: Sequence[Target]) -> bool:
    return any(document["_key"] == target.key for target in targets)
