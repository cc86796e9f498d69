"""What the rows of each source consist of, and of which events each field is kept: it follows from what is asked.

A row stands for all events of a quarter of an hour that are alike in every field. So a field costs rows wherever it is
kept, and is kept only of events of which somebody asks for it: a detection of its candidates, a profile of what it is
learned from.
"""

from __future__ import annotations

import dataclasses
from typing import Iterable, Iterator, Mapping, Optional

from source_fields import HOME_FACTS, MADE, PLACED, PREPARATIONS, READ_TO_PLACE
from source_fields import given as given_by
from source_fields import lists as lists_of
from spl import FALSE, Fields, condition_spl

from cba.detection.condition import Call, Junction, Node
from cba.detection.model import LISTED, Detection, Population, Profile, SourceShape, fields_read, list_name
from cba.detection.reader import Content, Document
from cba.errors import DetectionError, DetectionErrors
from cba.judging.rows import CANDIDATE_OF, SKIP_REASON
from cba.terms import SOURCES

CORE = ("provider", "project", "identity", "identity_type", "access_key", "src_ip")
"""Who did it and from where: what every finding keeps."""
ENDPOINT_CORE = ("provider", "host", "process", "process_path", "identity", "identity_type")


@dataclasses.dataclass(frozen=True)
class Asking:
    """Somebody who asks for fields of certain events: `condition` says of which, in SPL; "" for all that are judged."""

    condition: str
    fields: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Shape:
    """The rows of a source: `candidates`: the detections that say themselves which events are theirs, each with its
    condition in SPL; `kept`: the conditions under which a field is kept, () for every event that is judged; `listed`
    the same of the fields of which a row lists the values of all its events, which do not tell rows apart."""

    source: str
    row_fields: tuple[str, ...]
    candidates: Mapping[str, str]
    kept: Mapping[str, tuple[str, ...]]
    listed: Mapping[str, tuple[str, ...]]

    @property
    def geo(self) -> bool:
        return self.source in PLACED

    @property
    def summary(self) -> SourceShape:
        """As the commands know it."""
        lists = tuple(name for name in lists_of(self.source) if name in self.row_fields)
        return SourceShape(self.row_fields, lists, tuple(map(list_name, self.listed)), self.geo)


def shapes(content: Content) -> dict[str, Shape]:
    """The shape of every source."""
    return {source: shape(source, content) for source in SOURCES}


def fields_of(source: str) -> Fields:
    """The fields of a source, as conditions see them."""
    return Fields(given_by(source), lists_of(source), {"source_kind": source})


def shape(source: str, content: Content) -> Shape:
    mine = [detection for detection in content.detections.values() if source in detection.sources]
    fields = fields_of(source)
    candidates = {d.id: condition_spl(d.candidates, fields) for d in mine if d.candidates is not None}
    candidates = {name: condition for name, condition in candidates.items() if condition != FALSE}
    core = ENDPOINT_CORE if source == "endpoint" else (*CORE, *READ_TO_PLACE)
    asked = [
        Asking(candidates.get(detection.id, ""), (*core, *_needed(detection)))
        for detection in mine
        if detection.candidates is None or detection.id in candidates
    ]
    asked += _of_profiles(mine, content.populations, fields)
    kept: dict[str, tuple[str, ...]] = {}
    given = set(given_by(source))
    for name in dict.fromkeys(name for asking in asked for name in asking.fields if name in given):
        conditions = dict.fromkeys(asking.condition for asking in asked if name in asking.fields)
        kept[name] = () if "" in conditions else tuple(conditions)
    named = [name for name in (*core, *given_by(source)) if name in kept and name not in (SKIP_REASON, CANDIDATE_OF)]
    listed: dict[str, tuple[str, ...]] = {}
    for detection in mine:
        for name in detection.listed:
            if name in given:
                listed[name] = () if name in LISTED else (*listed.get(name, ()), candidates[detection.id])
    return Shape(source, tuple(dict.fromkeys((SKIP_REASON, CANDIDATE_OF, *named))), candidates, kept, listed)


def _needed(detection: Detection) -> tuple[str, ...]:
    return (*detection.fields, *PREPARATIONS[detection.rows].reads)


def _of_profiles(
    detections: Iterable[Detection], populations: Mapping[str, Population], fields: Fields
) -> Iterator[Asking]:
    """What is learned is kept wherever it is learned, whoever asks. Rows that are prepared anew are those of
    candidates."""
    asked = dict.fromkeys(profile for detection in detections for profile in detection.asked)
    for profile in asked:
        if populations[profile.population].rows == "plain":
            condition = condition_spl(_learned(profile), fields)
            if condition != FALSE:
                yield Asking(condition, (profile.scope, profile.dimension, *fields_read(_whens(profile))))


def _whens(profile: Profile) -> tuple[Node, ...]:
    return (profile.when,) if profile.when is not None else ()


def _learned(profile: Profile) -> Node:
    """Of which events a profile is learned: those that have the value."""
    there = Call("present", (profile.dimension,))
    return Junction("and", (there, profile.when)) if profile.when is not None else there


def check_fields(content: Content, documents: Iterable[Document]) -> None:
    """Raises DetectionErrors for every field that nobody gives: a word that is misspelt would be absent for ever."""
    by_id = {document.content["id"]: document for document in documents}
    errors: list[DetectionError] = []
    for detection in content.detections.values():
        document = by_id[detection.id]
        given = {name for source in detection.sources for name in given_by(source)}
        made = (*MADE, *PREPARATIONS[detection.rows].makes)
        for field, name in fields_at(detection):
            if name not in given and name not in made:
                sources = ", ".join(detection.sources)
                errors.append(
                    document.error(field, f"no field {name!r}: neither {sources} nor the preparation gives it")
                )
        for source in detection.sources:
            if problem := _candidates_problem(detection, source):
                errors.append(document.error("candidates", f"{problem} ({source})"))
    if errors:
        raise DetectionErrors(errors)


def _candidates_problem(detection: Detection, source: str) -> Optional[str]:
    try:
        if detection.candidates is not None:
            condition_spl(detection.candidates, fields_of(source))
    except DetectionError as error:
        return error.problem
    return None


def fields_at(detection: Detection) -> Iterator[tuple[str, str]]:
    """(field of the YAML, row field that it names), everything that a detection reads or keeps."""
    conditions: list[tuple[str, Optional[Node]]] = [
        ("candidates", detection.candidates),
        ("when", detection.when),
        ("base.when", detection.base.when),
        *((f"variations[{at}].when", variation.when) for at, variation in enumerate(detection.variations)),
        *((f"signals.{signal.id}.when", signal.when) for signal in detection.signals),
    ]
    for field, node in conditions:
        if node is not None:
            yield from ((field, name) for name in fields_read([node]))
    yield from (("deduplicate_by", name) for name in detection.deduplicate_by)
    yield from (("joined_by", name) for name in detection.joined_by)
    yield from (("keeps", name) for name in detection.keeps)
    yield from (("lists", name) for name in detection.lists)
    yield from (("remarks", name) for name in detection.remark_fields)
    yield from (("scopes", name) for name in detection.entity_fields)
    yield from (("when", name) for name in detection.dimensions)
    yield from ((f"signals.{signal.id}.apart", signal.apart) for signal in detection.signals if signal.apart)


def home_facts(shape_of: Shape) -> tuple[str, ...]:
    """The fields of a source's rows that are kept of skipped events, too."""
    return tuple(name for name in HOME_FACTS if name in shape_of.row_fields)
