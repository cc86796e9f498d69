"""What analysts decide: verdicts on findings, and through them, or directly, on the values of the histories.

A verdict on a value belongs to one *target*: a profile, an entity and a value (`identity_country` of ada, RU). It
overrides what the history says about that value, for that entity and for everyone narrower: benign at once, malicious
never established (`history.history.view`). Nothing an analyst has said is lost: each document keeps
what it said before, with who and when.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Iterable, Mapping, NamedTuple, Optional, Protocol, Sequence

from ..detection.model import Detection
from ..errors import OptionError
from ..history.evidence import Evidence
from ..history.history import BENIGN, MALICIOUS, Subject
from ..terms import ABSENT, ORGANIZATION
from .flood import is_flood
from .triage import CLOSED, IN_PROGRESS, NEW, Document, TriageStore, family, triage_of, with_earlier

CLEAR = "clear"
VERDICTS = (BENIGN, MALICIOUS, CLEAR)
NO_VERDICT = ""
"""What a ruling has that only says whose a finding is, or how far somebody has come with it: what was judged stays."""
STATUS_OF = {BENIGN: CLOSED, MALICIOUS: IN_PROGRESS, CLEAR: NEW}
"""What a finding's status becomes with a verdict, unless the analyst says another."""


@dataclasses.dataclass(frozen=True)
class Ruling:
    """What an analyst says: the verdict (one of VERDICTS, or NO_VERDICT), who, when (epoch seconds), and why.

    `status` and `owner` are the finding's from then on; "" where the analyst says nothing of them."""

    verdict: str
    by: str
    time: int
    comment: str
    status: str = ""
    owner: str = ""

    @property
    def kept(self) -> str:
        """The verdict as documents keep it: a cleared one is ""."""
        return "" if self.verdict == CLEAR else self.verdict


class Target(NamedTuple):
    """The value a verdict is about."""

    subject: Subject
    value: str

    @property
    def key(self) -> str:
        """The `_key` of its document."""
        text = "\n".join((*self.subject, self.value))
        return hashlib.blake2b(text.encode("utf-8"), digest_size=12).hexdigest()


class VerdictStore(Protocol):
    """Where verdicts on values live; `store.verdicts.VerdictCollection` is the one in Splunk."""

    def by_targets(self, targets: Iterable[Target]) -> dict[Target, Document]:
        """The documents of those targets that have one."""

    def of_findings(self, finding_ids: Sequence[str]) -> dict[Target, Document]:
        """The documents whose present verdict came with one of these findings."""

    def save(self, documents: Sequence[Document]) -> None: ...


class Findings(Protocol):
    """Where findings live: they are read only. `store.findings.FindingCollection` is the one in Splunk."""

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, Document]:
        """Those of these findings that are there, by id."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """What one ruling comes to: the finding's triage, if it was about one, and the documents of the values."""

    triage: Optional[Document]
    values: tuple[Document, ...]


class Desk:
    """Turns rulings into documents. Nothing is written before `save`."""

    def __init__(
        self, detections: Mapping[str, Detection], findings: Findings, triage: TriageStore, verdicts: VerdictStore
    ) -> None:
        self._detections = detections
        self._findings = findings
        self._triage = triage
        self._verdicts = verdicts

    def detection(self, name: str) -> Optional[Detection]:
        """The detection of that id, if there is one now."""
        return self._detections.get(name)

    def findings_of(self, finding_ids: Sequence[str]) -> dict[str, Document]:
        """Those of these findings that are there, by id."""
        return self._findings.by_ids(finding_ids)

    def triage_of(self, finding_ids: Iterable[str]) -> dict[str, Document]:
        """What was said of those findings of which something was."""
        return self._triage.by_ids(sorted(finding_ids))

    def on_findings(self, finding_ids: Sequence[str], ruling: Ruling, scope: str = "") -> dict[str, Decision]:
        """A ruling on these findings and on the values they are about, for the scope given or the finding's own.
        Without a verdict it is about the findings alone.

        A finding has one verdict: what it, or one that it replaced, said of other scopes before is withdrawn. Raises
        OptionError, before anything is decided, for a finding that is not there, or a scope its detection does not
        compare in.
        """
        findings = self._findings.by_ids(finding_ids)
        absent = sorted(set(finding_ids) - findings.keys())
        if absent:
            raise OptionError(f"there is no finding {', '.join(absent[:5])}; finding_id in cba_findings has the ids")
        if ruling.verdict == NO_VERDICT:
            triage = self._triage.by_ids(sorted({relative for each in findings.values() for relative in family(each)}))
            return {
                name: Decision(triaged(name, triage_of(finding, triage), ruling), ())
                for name, finding in findings.items()
            }
        targets = {name: self._targets(document, scope) for name, document in findings.items()}
        families = {name: family(finding) for name, finding in findings.items()}
        relatives = sorted({relative for each in families.values() for relative in each})
        triage = self._triage.by_ids(relatives)
        said_before = self._verdicts.of_findings(relatives)
        documents = {**self._verdicts.by_targets(t for each in targets.values() for t in each), **said_before}
        decisions: dict[str, Decision] = {}
        for name, finding in findings.items():
            withdrawn = [
                target
                for target in said_before
                if target not in targets[name] and documents[target]["finding_id"] in families[name]
            ]
            for target in targets[name]:
                documents[target] = with_ruling(documents.get(target), target, ruling, name)
            for target in withdrawn:
                documents[target] = with_ruling(
                    documents[target], target, dataclasses.replace(ruling, verdict=CLEAR), name
                )
            values = tuple(documents[target] for target in (*targets[name], *withdrawn))
            decisions[name] = Decision(triaged(name, triage_of(finding, triage), ruling), values)
        return decisions

    def on_value(self, profile: str, entity: str, value: str, ruling: Ruling) -> Decision:
        """A ruling on one value. Raises OptionError for a profile nobody learns, or without entity or value."""
        known = {asked.name: asked.scope for d in self._detections.values() for asked in d.asked}
        if profile not in known:
            raise OptionError(f"there is no profile {profile}; the profiles are {', '.join(sorted(known))}")
        if known[profile] == ORGANIZATION:
            entity = entity or ORGANIZATION
            if entity != ORGANIZATION:
                raise OptionError(f"entity={entity}: the entity of {profile} is always {ORGANIZATION}")
        if not entity or not value:
            raise OptionError(f"a verdict on {profile} needs entity=<whose> and value=<which>")
        target = Target(Subject(profile, entity), value)
        known_document = self._verdicts.by_targets([target]).get(target)
        return Decision(None, (with_ruling(known_document, target, ruling, ""),))

    def save(self, decisions: Iterable[Decision]) -> None:
        """Writes decisions, values first: after a failure in between no finding says more than holds."""
        decided = list(decisions)
        # Findings of one key share their values; the last word on each counts.
        values = {str(document["_key"]): document for decision in decided for document in decision.values}
        triage = [decision.triage for decision in decided if decision.triage is not None]
        if values:
            self._verdicts.save(list(values.values()))
        if triage:
            self._triage.save(triage)

    def _targets(self, finding: Document, scope: str) -> list[Target]:
        detection = self._detections.get(str(finding["detection"]))
        if detection is None:
            raise OptionError(
                f"finding {finding['finding_id']} is of {finding['detection']}, which is no detection now"
            )
        return targets_of(detection, finding, scope)


def targets_of(detection: Detection, finding: Mapping[str, object], scope: str = "") -> list[Target]:
    """The values a finding is about, as it has them: those that were new. Who calls the theft of a role's credentials
    an attack judges the thief's country, not the region where the role has always worked. Where nothing was new (a
    command that comes for the second time), or nobody knows what was, it is about what it is deduplicated by.

    Without `scope` they are judged for the entity the finding is about (the narrowest scope that is asked for the
    dimension where the entity's own is not). Raises OptionError for a scope in which the detection does not ask for
    them.
    """
    if is_flood(finding):
        return []  # it is about no value
    found: list[Target] = []
    about = _new_in(detection, str(finding.get("evidence") or "")) or set(detection.deduplicate_by)
    for dimension in detection.dimensions:
        value = str(finding.get(dimension, ""))
        if dimension not in about or value == ABSENT:
            continue
        profiles = {p.scope: p for p in detection.asked if p.dimension == dimension}
        scopes = [name for name in (*detection.scopes, *detection.side_scopes) if name in profiles]
        if scope and scope not in scopes:
            raise OptionError(f"scope={scope}: {detection.id} compares {dimension} in the scopes {', '.join(scopes)}")
        chosen = scope or (detection.entity if detection.entity in scopes else scopes[0])
        entity = ORGANIZATION if chosen == ORGANIZATION else str(finding.get(chosen, ""))
        if entity == ABSENT:
            raise OptionError(f"finding {finding['finding_id']} has no {chosen}; choose another scope")
        found.append(Target(Subject(profiles[chosen].name, entity), value))
    return found


def _new_in(detection: Detection, text: str) -> set[str]:
    """The dimensions in which a finding's evidence has something new; none without evidence."""
    try:
        evidence = Evidence.from_json(text)
    except ValueError:
        return set()
    compared = evidence.compared(detection.scopes)
    # Where who has no history counts as new, that is what the finding says, however well others know the value.
    narrowest = evidence.scopes.get(detection.scopes[0], {}) if detection.untrained_is_new else {}
    found = [
        (name, narrowest.get(name) or evidence.asked(detection.scopes[0], name, detection.scopes)) for name in compared
    ]
    # A thing beside the scopes (the hosts of a resource) is judged where it is what the finding is about.
    found += [
        (name, each)
        for scope in detection.side_scopes
        for name, each in evidence.scopes.get(scope, {}).items()
        if name in detection.deduplicate_by
    ]
    return {name for name, each in found if each is not None and each.new}


def with_ruling(document: Optional[Document], target: Target, ruling: Ruling, finding_id: str) -> Document:
    """The document of a target after a ruling, what it said before kept in `earlier` (JSON, oldest first).

    Saying the same again changes nothing; clearing what was never judged is kept, too.
    """
    known = document or {}
    said = (known.get("verdict", ""), known.get("decided_by", ""), known.get("comment", ""))
    if known and said == (ruling.kept, ruling.by, ruling.comment):
        return dict(known)
    return {
        "_key": target.key,
        "profile": target.subject.profile,
        "entity": target.subject.entity,
        "value": target.value,
        "verdict": ruling.kept,
        "decided_by": ruling.by,
        "decided_time": ruling.time,
        "comment": ruling.comment,
        "finding_id": finding_id,
        "earlier": with_earlier(known, "decided_by", "decided_time"),
    }


def triaged(finding_id: str, known: Optional[Mapping[str, object]], ruling: Ruling) -> Document:
    """The triage of a finding after a ruling. `known` is what shows of it so far; that is kept in `earlier`.

    Saying the same again changes nothing.
    """
    known = known or {}
    if ruling.verdict == NO_VERDICT:
        verdict, status = known.get("verdict", ""), ruling.status or known.get("status", NEW)
        owner = ruling.owner or known.get("owner", "") or ruling.by
    else:
        verdict, status = ruling.kept, ruling.status or STATUS_OF[ruling.verdict]
        owner = ruling.owner or ruling.by
    said = {
        "status": status,
        "verdict": verdict,
        "owner": owner,
        "comment": ruling.comment,
        "triaged_by": ruling.by,
    }
    if known.get("_key") == finding_id and all(known.get(field) == value for field, value in said.items()):
        return {field: value for field, value in known.items() if field != "_user"}
    return {
        "_key": finding_id,
        "finding_id": finding_id,
        **said,
        "triaged_time": ruling.time,
        "earlier": with_earlier(known, "triaged_by", "triaged_time"),
    }
