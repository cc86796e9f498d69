"""What a detection is: data that the reader (`reader.py`) makes of the content, and everything else reads."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from typing import Any, Iterable, Mapping, Optional

from ..history.history import Terms
from ..terms import ABSENT, ORGANIZATION, severity_rank
from .condition import Call, Node

KINDS = ("exclusive", "escalation", "downgrade")
SCOPES = ("identity", "host", "project", ORGANIZATION)
"""Who is asked, and passes a question on to the next wider one."""
SIDE_SCOPES = ("resource", "function")
"""Things that are observed themselves, by whom they are used: they stand beside the scopes that ask one another."""
BASE = "base"
EVENT_ID = "event_id"
EVERYBODY = "everybody"
"""The population whose profiles have no name before theirs."""
PREFIX = "CBA"
"""What the names of the app's saved searches begin with."""
BREAKER = 5000

LISTED = ("operation", "user_agent")
"""What every finding lists of its first events: what was done, and with which client."""

PLACE = re.compile(r"\$(\w+)\$")
"""`$field$` in a text stands for the value of the field."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """What is remembered of whom: a scope and a dimension, within a population.

    `when`: of which rows it is learned, beyond those of the population. `names_a_day`: how many values its history
    names of one day; of a day with more it is kept that there were more.
    """

    name: str
    population: str
    scope: str
    dimension: str
    when: Optional[Node] = None
    names_a_day: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Population:
    """Whom histories are of: everybody, or those of whose rows `when` holds. `rows` names how a row is prepared for
    it."""

    name: str
    about: str
    rows: str
    when: Optional[Node]
    profiles: tuple[Profile, ...]

    def profile(self, scope: str, dimension: str) -> Optional[Profile]:
        """The profile of that scope and dimension, if it is declared."""
        return next((p for p in self.profiles if (p.scope, p.dimension) == (scope, dimension)), None)

    @property
    def conditions(self) -> tuple[Node, ...]:
        """Its own condition and those of its profiles."""
        return tuple(when for when in (self.when, *(p.when for p in self.profiles)) if when is not None)


@dataclasses.dataclass(frozen=True)
class SourceShape:
    """What the rows of a source consist of: the fields by which events are told apart, those of them that are lists,
    the lists that a row has of all its events (`list_name`), and whether rows have places."""

    row_fields: tuple[str, ...]
    list_fields: tuple[str, ...]
    listed: tuple[str, ...]
    geo: bool


UNTRAINED_SILENT, UNTRAINED_NEW, UNTRAINED_HOME = UNTRAINED = ("silent", "new", "home")
"""What is said of a row whom nobody is trained to be compared with."""


@dataclasses.dataclass(frozen=True)
class Variation:
    """A named case of a detection. `when` holds under the detection's own condition; the base variation is `BASE`.
    `title` is what tells it from the others of its detection, in two or three words."""

    id: str
    name: str
    title: str
    severity: str
    kind: str
    when: Optional[Node]

    @property
    def rank(self) -> int:
        return severity_rank(self.severity)


@dataclasses.dataclass(frozen=True)
class Periods:
    """Activation, training and deduplication, in days."""

    activation: int
    training: int
    deduplication: int


@dataclasses.dataclass(frozen=True)
class SignalKind:
    """One kind of step of a chain (`correlate`): its `id` in conditions, its `name` in the timeline, and when a row is
    one. With `times` above 1 it takes so many events `within` so many seconds. It joins no chain whose opening row has
    the same value of the field `apart`: somebody else's step."""

    id: str
    name: str
    when: Node
    times: int = 1
    within: int = 0
    apart: str = ""


@dataclasses.dataclass(frozen=True)
class Drilldown:
    """A search an analyst opens from a finding; `$field$` stands for the finding's field."""

    name: str
    search: str


@dataclasses.dataclass(frozen=True)
class AllowList:
    """The lookup that says once for all what a detection leaves alone; `row`: its columns, and what of a finding goes
    there, in SPL."""

    lookup: str
    row: Mapping[str, str]

    @property
    def search(self) -> str:
        """The search that puts what `$finding_id$` is about on the list."""
        columns = ", ".join(f"{column}={value}" for column, value in self.row.items())
        return (
            f'| inputlookup cba_findings where finding_id="$finding_id$" | eval {columns}, comment="why" '
            f"| table {' '.join(self.row)} comment | outputlookup append=true {self.lookup}"
        )


@dataclasses.dataclass(frozen=True)
class Detection:
    """One alert definition. `document` is the validated content, as written in the YAML. `title` is its name in a few
    words, for the names of its saved searches.

    `candidates` holds of the rows that it judges; without it, it judges every row that is judged at all. `counted_by`
    is the field whose distinct values are the events that a finding counts: the event's id, or a thing that several
    events may be about, such as a function whose creation is retried. `breaker` is the number of matches within 24
    hours at which it stops raising findings (`findings.breaker`).

    `population` names whom its histories are of. `asked` are the profiles that its conditions ask, and of each the same
    of all wider scopes, for an untrained one passes the question on. `optional` dimensions may be absent from a row;
    what is absent is not new. `untrained` says what nobody can be compared with is: left alone, new, or compared
    with the home region of the workload (`history.evidence.HOME`). `keeps` are fields that a finding keeps beside
    those that decide, one value of each; `lists` those of which it lists all values, as of LISTED; `remarks`
    sentences of its explanation, each said when all of its `$field$`s are there.

    A detection with `signals` raises chains of them: the first opens a chain, and the others belong to it that share
    the value of a field of `joined_by` with it.
    """

    id: str
    name: str
    title: str
    severity: str
    sources: tuple[str, ...]
    periods: Periods
    terms: Terms
    entity: str
    deduplicate_by: tuple[str, ...]
    candidates: Optional[Node]
    counted_by: str
    breaker: int
    population: str
    rows: str
    scopes: tuple[str, ...]
    asked: tuple[Profile, ...]
    optional: tuple[str, ...]
    untrained: str
    signals: tuple[SignalKind, ...]
    joined_by: tuple[str, ...]
    keeps: tuple[str, ...]
    lists: tuple[str, ...]
    remarks: tuple[str, ...]
    when: Node
    base: Variation
    variations: tuple[Variation, ...]
    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    drilldowns: tuple[Drilldown, ...]
    allow: Optional[AllowList]
    document: Mapping[str, Any]

    @property
    def untrained_is_new(self) -> bool:
        """Whether what nobody can be compared with counts as new."""
        return self.untrained == UNTRAINED_NEW

    @property
    def all_variations(self) -> tuple[Variation, ...]:
        """Base first, then the variations in listed order."""
        return (self.base, *self.variations)

    def variation(self, variation_id: str) -> Variation:
        """The variation with that id. Raises KeyError for an unknown one."""
        for variation in self.all_variations:
            if variation.id == variation_id:
                return variation
        raise KeyError(f"detection {self.id} has no variation {variation_id!r}")

    def key_of(self, row: Mapping[str, str]) -> str:
        """What a row's findings are deduplicated by: the values of `deduplicate_by` as a JSON list."""
        return json.dumps([row.get(name, ABSENT) for name in self.deduplicate_by], ensure_ascii=False)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that are asked, each once, in the order in which they are declared."""
        return tuple(dict.fromkeys(profile.dimension for profile in self.asked))

    def asks(self, scope: str, dimension: str) -> Optional[Profile]:
        """The profile of that scope and dimension, if it is one of those that are asked."""
        return next((p for p in self.asked if (p.scope, p.dimension) == (scope, dimension)), None)

    @property
    def side_scopes(self) -> tuple[str, ...]:
        """The things beside the scopes that are asked themselves."""
        return tuple(dict.fromkeys(p.scope for p in self.asked if p.scope in SIDE_SCOPES))

    @property
    def entity_fields(self) -> tuple[str, ...]:
        """The fields that hold the entities of the scopes: each stands in the field named after its scope, the
        organization, which is one, in none."""
        return tuple(scope for scope in (*self.scopes, *self.side_scopes) if scope != ORGANIZATION)

    @property
    def conditions(self) -> tuple[Node, ...]:
        """The detection's own condition and those of its variations."""
        return (self.when, *(v.when for v in self.all_variations if v.when is not None))

    @functools.cached_property
    def asks_for_findings(self) -> bool:
        """Whether a condition asks for other findings on the same identity."""
        return any(
            isinstance(node, Call) and node.name == "suspicious" for each in self.conditions for node in each.walk()
        )

    @property
    def condition_fields(self) -> tuple[str, ...]:
        """The row's own fields that the conditions of the variations read."""
        return fields_read(self.conditions)

    @property
    def listed(self) -> tuple[str, ...]:
        """The fields of which a finding lists all values."""
        return (*LISTED, *self.lists)

    @property
    def list_names(self) -> tuple[str, ...]:
        """What the lists are called."""
        return tuple(map(list_name, self.listed))

    @property
    def signal_fields(self) -> tuple[str, ...]:
        """The row's own fields that the signals read."""
        apart = (signal.apart for signal in self.signals if signal.apart)
        return tuple(dict.fromkeys((*fields_read(signal.when for signal in self.signals), *apart)))

    @property
    def remark_fields(self) -> tuple[str, ...]:
        """The row's own fields that stand in remarks."""
        return tuple(dict.fromkeys(name for remark in self.remarks for name in PLACE.findall(remark)))

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field of a row that it reads or keeps, each once."""
        candidates = () if self.candidates is None else fields_read([self.candidates])
        counted = () if self.counted_by == EVENT_ID else (self.counted_by,)
        named = (*self.deduplicate_by, self.entity, *self.entity_fields, *self.dimensions)
        read = (*candidates, *self.condition_fields, *self.signal_fields, *self.joined_by, *self.remark_fields)
        return tuple(dict.fromkeys((*named, *read, *counted, *self.keeps)))


def list_name(field: str) -> str:
    """`operations` for `operation`: the field in which a row and a finding list all values of a field. A condition of
    one detection may read the field; for the others it is listed all the same."""
    return f"{field}s"


LONGEST_NAME = 81
"""Characters of a saved search's name. Enterprise Security refuses to edit a search whose name has more than 99, and
its own copies are called `<Security domain> - <name> - Rule`, which takes 18 of them: contentctl/objects/constants.py
(ES_MAX_STANZA_LENGTH) of https://github.com/splunk/contentctl"""


def variation_search(detection: Detection, variation: Variation) -> str:
    """`CBA - API call from unusual country - Compromised access key (high)`: the saved search that raises a variation.

    What somebody set locally hangs on this name, so titles and severities change with a major version only.
    """
    return f"{alert_prefix(detection)}{variation.title} ({variation.severity})"


def alert_prefix(detection: Detection) -> str:
    """What the names of the saved searches of a detection's variations begin with, and those of no other."""
    return f"{PREFIX} - {detection.title} - "


BREAKER_SEARCH = f"{PREFIX} - Circuit breaker"
"""The saved search that raises what breakers have to say, of all detections."""
MAINTENANCE_SEARCH = f"{PREFIX} - Maintenance"
QUARANTINE_SEARCH = f"{PREFIX} - Quarantined users"
START_SEARCH = f"{PREFIX} - Enable what is recommended"
"""What a person runs once; it turns the next one on."""
SETUP_SEARCH = f"{PREFIX} - Set up"
"""Learns and turns on one source after the other, and then turns itself off."""


def source_search(source: str, what: str) -> str:
    """`CBA - <source> - Judge`, `… - Backfill` or `… - Rows`: the saved searches of a source."""
    return f"{PREFIX} - {source} - {what}"


def fields_read(conditions: Iterable[Node]) -> tuple[str, ...]:
    """The row's own fields that these conditions read, each once, in order of appearance."""
    return tuple(dict.fromkeys(node.reads for condition in conditions for node in condition.walk() if node.reads))
