"""What the histories say about a prepared row, for one detection."""

from __future__ import annotations

import dataclasses
from typing import Mapping, NamedTuple, Optional, Sequence

from ..detection.model import UNTRAINED_HOME, Detection
from ..enrich.regions import country_of
from ..history.days import DaySet
from ..history.evidence import HOME, Evidence, ScopeEvidence, home_evidence, scope_evidence
from ..history.history import Subject
from ..history.remembered import Histories
from ..terms import ABSENT, ORGANIZATION

SILENT_INACTIVE = "source inactive"
SILENT_UNTRAINED = "organization untrained"
SILENT_EMPTY = "nothing to compare"


@dataclasses.dataclass(frozen=True)
class SourceDays:
    """The UTC days on which a source delivered any event."""

    days: DaySet

    @classmethod
    def on(cls, day: int) -> SourceDays:
        return cls(DaySet.of(day))

    @property
    def first_day(self) -> int:
        return self.days.first

    @property
    def last_day(self) -> int:
        return self.days.last

    def union(self, other: SourceDays) -> SourceDays:
        return SourceDays(self.days.union(other.days))

    def seen(self, day: int) -> SourceDays:
        return self.union(SourceDays.on(day))


class Looked(NamedTuple):
    """What was found for a row: its evidence, or why there is none; and why nothing is raised whatever it says."""

    evidence: Optional[Evidence]
    silent_reason: str


class Asking(NamedTuple):
    """A profile that a detection asks: its name, its scope and dimension, and the field that holds the entity."""

    profile: str
    scope: str
    dimension: str


def entity_of(scope: str, cells: Mapping[str, str]) -> str:
    """Who a row is of in a scope; ABSENT for nobody. The organization, which is one, stands in no field."""
    return ORGANIZATION if scope == ORGANIZATION else cells.get(scope, ABSENT)


def _at_home(cells: Mapping[str, str]) -> dict[str, dict[str, ScopeEvidence]]:
    """What is usual for a workload by where it is at home: the country of its region, and the networks of its cloud,
    which are known by its published addresses."""
    home, provider = cells.get("home_region", ABSENT), cells.get("provider", ABSENT)
    if not home:
        return {}
    usual: dict[str, ScopeEvidence] = {}
    countries = tuple(name for region in home.split(", ") if (name := country_of(provider, region)))
    if cells.get("country") and countries:
        usual["country"] = home_evidence(home, cells["country"], countries, "country")
    if cells.get("asn"):
        of_the_cloud = cells.get("cloud_provider", ABSENT) == provider
        usual["asn"] = home_evidence(home, cells["asn"], (cells["asn"],) if of_the_cloud else (), "asn")
    return {HOME: usual}


class EvidenceMaker:
    """Looks prepared rows up for one detection."""

    def __init__(self, detection: Detection) -> None:
        self.detection = detection
        self._asked = [Asking(profile.name, profile.scope, profile.dimension) for profile in detection.asked]
        self._dimensions = tuple(dict.fromkeys(asking.dimension for asking in self._asked))
        self._needed = tuple(name for name in self._dimensions if name not in detection.optional)

    def subjects(self, cells: Mapping[str, str]) -> list[tuple[Subject, str, str, str]]:
        """The histories that are asked about a row: subject, scope, dimension, and the row's value."""
        found = []
        for profile, scope, dimension in self._asked:
            entity, value = entity_of(scope, cells), cells.get(dimension, ABSENT)
            if entity and value:
                found.append((Subject(profile, entity), scope, dimension, value))
        return found

    def look(
        self, cells: Mapping[str, str], day: int, source: str, known: Optional[SourceDays], histories: Histories
    ) -> Looked:
        """The evidence of a row of that day, whose subjects the histories hold."""
        detection = self.detection
        for dimension in self._needed:
            if not cells.get(dimension):
                return Looked(None, f"no {dimension}")
        # A signal of a chain need not be compared with anything; it is judged by what it is.
        if not detection.signals and not any(cells.get(name) for name in self._dimensions):
            return Looked(None, SILENT_EMPTY)
        first_scope = detection.scopes[0]
        if not entity_of(first_scope, cells):
            return Looked(None, f"no {first_scope}")
        first_day = known.first_day if known is not None else day
        activation_day = first_day + detection.terms.activation
        asked = self.subjects(cells)
        verdicts = self._verdicts(asked, histories) if histories.any_verdicts else {}
        scopes: dict[str, dict[str, ScopeEvidence]] = {}
        for subject, scope, dimension, value in asked:
            seen = histories.view(subject, day, activation_day, detection.terms)
            verdict = verdicts.get((scope, dimension), "")
            found = scope_evidence(subject.entity, histories.history(subject), seen, value, verdict, dimension)
            scopes.setdefault(scope, {})[dimension] = found
        if detection.untrained == UNTRAINED_HOME:
            scopes.update(_at_home(cells))
        values = {name: cells[name] for name in self._dimensions if cells.get(name)}
        evidence = Evidence(day, source, day >= activation_day, values, scopes, detection.terms.training)
        return Looked(evidence, self._silence(evidence))

    def _verdicts(
        self, asked: Sequence[tuple[Subject, str, str, str]], histories: Histories
    ) -> dict[tuple[str, str], str]:
        """What holds for the row's value per (scope, dimension): the scope's own verdict, else the next wider one's."""
        own = {(scope, dimension): histories.verdict(subject, value) for subject, scope, dimension, value in asked}
        holding: dict[tuple[str, str], str] = {}
        for dimension in self._dimensions:
            verdict = ""
            for scope in reversed(self.detection.scopes):
                verdict = own.get((scope, dimension), "") or verdict
                holding[scope, dimension] = verdict
        return {**own, **holding}

    def _silence(self, evidence: Evidence) -> str:
        detection = self.detection
        if not evidence.active:
            return SILENT_INACTIVE
        judged = detection.untrained_is_new or evidence.answerable(detection.scopes, detection.optional)
        return "" if judged else SILENT_UNTRAINED
