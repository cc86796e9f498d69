"""How common a value is: how many of the others in a finding's project were ever seen with what the finding is about.

Nothing is kept for this. Who belongs to a project say the histories of the profile `identity_project`; what each of
them was seen with, the histories that the detection asks. The KV store cannot be asked for a value within a history (it
compares whole fields), so a profile is read through to find who belongs to a project: of at most MOST entities, unless
somebody waits for all. Where there are more, or no history says who belongs to the project (Workspace and Kubernetes
have none), the finding is compared with that many of the whole organization: in the order of a digest, so that they are
as good as drawn by lot.
"""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, Optional, Protocol

from ..detection.model import Detection
from ..history.history import History, Subject
from ..history.remembered import Remembered
from ..terms import day_of

MEMBERS = "identity_project"
MOST = 5_000
"""Entities that are looked at while a page waits."""
SCOPES = ("identity", "host", "project")
"""Who has others like them, the narrowest first."""
NAMED = 5


class Histories(Protocol):
    """`store.histories.HistoryCollection` has them."""

    def each(self, profile: str) -> Iterator[tuple[Subject, History, int]]: ...

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, Remembered]: ...


class Question(NamedTuple):
    """How many others were seen with `value` before `day`? `entity` is who was, on that day."""

    profile: str
    scope: str
    entity: str
    dimension: str
    value: str
    day: int


def list_peers(
    finding: Mapping[str, Any], detection: Detection, histories: Histories, everybody: bool = False
) -> Iterator[dict[str, object]]:
    """A row for each value that the finding is about: dimension, value, `among` whom; how many `others` there are, how
    many of them were seen with any value of the kind (`with_any`), with this one before the finding's day (`before`)
    and only since then (`since`), the first of these (`who`); whether all were looked at (`complete`, 0 or 1)."""
    most = sys.maxsize if everybody else MOST
    project, members = str(finding.get("project") or ""), None
    asked = list(questions(finding, detection))
    if project and any(_within_project(question) for question in asked):
        members = _members(histories, project, most)
    for question in asked:
        if members is not None and _within_project(question):
            names = sorted(members - {question.entity})
            counted = _counted(question, _histories_of(histories, question.profile, names))
            yield _row(finding, question, f"project {project}", len(names), counted, True)
        else:
            read = itertools.islice(histories.each(question.profile), most)
            counted = _counted(question, ((subject.entity, history) for subject, history, _size in read))
            yield _row(finding, question, "the organization", counted.with_any, counted, counted.looked_at < most)


def questions(finding: Mapping[str, Any], detection: Detection) -> Iterator[Question]:
    """Of each dimension that the finding is about, what is asked of the narrowest scope that has others like it. What a
    circuit breaker has to say is about none."""
    evidence = json.loads(finding.get("evidence") or "{}")
    day = day_of(int(float(finding["first_time"])))
    for dimension, value in evidence.get("values", {}).items():
        for scope in SCOPES:
            profile = detection.asks(scope, dimension)
            seen = evidence.get("scopes", {}).get(scope, {}).get(dimension)
            if profile is not None and seen is not None:
                yield Question(profile.name, scope, seen["entity"], dimension, value, day)
                break


class Counted(NamedTuple):
    looked_at: int
    with_any: int
    before: int
    since: int
    who: tuple[str, ...]


def _counted(question: Question, known: Iterable[tuple[str, History]]) -> Counted:
    looked_at = with_any = 0
    before: list[str] = []
    since: list[str] = []
    for entity, history in known:
        looked_at += 1
        if entity == question.entity:
            continue
        with_any += 1
        days = history.values.get(question.value)
        if days is not None:
            (before if days.first < question.day else since).append(entity)
    who = (*sorted(before), *sorted(since))[:NAMED]
    return Counted(looked_at, with_any, len(before), len(since), who)


def _within_project(question: Question) -> bool:
    """Whether it is asked of those in the project; who else was seen in a project is asked of everybody."""
    return question.scope == "identity" and question.dimension != "project"


def _members(histories: Histories, project: str, most: int) -> Optional[set[str]]:
    """The identities that were seen in the project; None where there are more than can be looked at, or no history says
    who they are."""
    found = set()
    for at, (subject, history, _size) in enumerate(histories.each(MEMBERS)):
        if at == most:
            return None
        if project in history.values:
            found.add(subject.entity)
    return found or None


def _histories_of(histories: Histories, profile: str, names: list[str]) -> Iterator[tuple[str, History]]:
    """Those of them that have one, in portions that stay small however many there are."""
    for start in range(0, len(names), MOST):
        found = histories.load(Subject(profile, name) for name in names[start : start + MOST])
        yield from ((subject.entity, remembered.all) for subject, remembered in found.items())


def _row(
    finding: Mapping[str, Any], question: Question, among: str, others: int, counted: Counted, complete: bool
) -> dict[str, object]:
    return {
        "finding_id": finding["finding_id"],
        "dimension": question.dimension,
        "value": question.value,
        "among": among,
        "others": others,
        "with_any": counted.with_any,
        "before": counted.before,
        "since": counted.since,
        "who": ", ".join(counted.who),
        "complete": int(complete),
    }
