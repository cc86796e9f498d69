"""The one model of a detection: what its YAML may say, checked whole, and what the commands read at run time.

`Detection.from_dict` accepts the YAML's content and the generated JSON alike, so there is one place that knows the
fields. It collects every fault before it raises.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

from ..errors import DetectionError, DetectionErrors
from ..history.evidence import ORGANIZATION
from ..history.history import Terms
from .condition import Call, Compare, Literal, Node, parse

SEVERITIES = ("informational", "low", "medium", "high", "critical")
KINDS = ("exclusive", "escalation", "downgrade")
SOURCES = ("aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint")
SCOPES = ("identity", "host", "project", ORGANIZATION)
SIDE_SCOPES = ("resource", "function")
"""Things that are observed themselves, by whom they are used: they stand beside the scopes that ask one another."""
SIDE_VALUES = 32
"""How many values a day their histories name, where no condition counts them (`Detection.limits`)."""
BASE = "base"
EVENT_ID = "event_id"
PREFIX = "CBA"
"""What the names of the app's saved searches begin with."""
BREAKER = 5000

_ID = re.compile(r"^[a-z][a-z0-9_]*$")
_PERIOD = re.compile(r"^(\d+)d$")
_TECHNIQUE = re.compile(r"^T\d{4}(\.\d{3})?$")
_TACTIC = re.compile(r"^TA\d{4}$")


def severity_rank(severity: str) -> int:
    """1 for informational up to 5 for critical."""
    return SEVERITIES.index(severity) + 1


LOW = severity_rank("low")


@dataclasses.dataclass(frozen=True)
class Variation:
    """A named case of a detection. `when` holds under the detection's own condition; the base variation is `BASE`."""

    id: str
    name: str
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
    """One alert definition. `document` is the validated content, as written in the YAML.

    `counted_by` is the field whose distinct values are the events that a finding counts: the event's id, or a thing
    that several events may be about, such as a function whose creation is retried. `breaker` is the number of matches
    within 24 hours at which it stops raising findings (`findings.breaker`).

    `population` names whom the histories are of where they are not of everybody, such as compute identities: its
    profiles are its own. `optional` dimensions may be absent from a row; what is absent is not new. `untrained_is_new`:
    what nobody can be compared with counts as new instead of being left alone. `carry` are fields of enrichment that a
    finding keeps; `remarks` sentences of its explanation, each said when all of its `$field$`s are there.

    A detection with `signals` raises chains of them: the first opens a chain, and the others belong to it that share
    the value of a field of `joined_by` with it.
    """

    id: str
    name: str
    severity: str
    sources: tuple[str, ...]
    periods: Periods
    terms: Terms
    entity: str
    deduplicate_by: tuple[str, ...]
    group_by: tuple[str, ...]
    counted_by: str
    breaker: int
    population: str
    scopes: tuple[str, ...]
    observe: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...]
    untrained_is_new: bool
    signals: tuple[SignalKind, ...]
    joined_by: tuple[str, ...]
    carry: tuple[str, ...]
    remarks: tuple[str, ...]
    when: Node
    base: Variation
    variations: tuple[Variation, ...]
    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    drilldowns: tuple[Drilldown, ...]
    allow: Optional[AllowList]
    document: Mapping[str, Any]

    @classmethod
    def from_dict(cls, data: Any, where: str) -> Detection:
        """Builds a detection from YAML or JSON content. Raises DetectionErrors naming every fault and its place."""
        reader = _Reader(data, where)
        detection = reader.detection()
        if reader.errors:
            raise DetectionErrors(reader.errors)
        assert detection is not None
        return detection

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

    @property
    def profiles(self) -> Iterator[tuple[str, str]]:
        """Every (scope, dimension) the detection observes."""
        for scope, dimensions in self.observe.items():
            for dimension in dimensions:
                yield scope, dimension

    def key_of(self, row: Mapping[str, str]) -> str:
        """What a row's findings are deduplicated by: the values of `deduplicate_by` as a JSON list."""
        return json.dumps([row[name] for name in self.deduplicate_by], ensure_ascii=False)

    def part_of(self, row: Mapping[str, str]) -> str:
        """What tells a row from the others of its 15 minutes, the same whenever it is seen."""
        return "\n".join((row["source_kind"], *(row[name] for name in self.group_by)))

    def profile(self, scope: str, dimension: str) -> str:
        """The name of a profile in collections, commands and docs: `identity_country`, `compute_identity_country`."""
        return "_".join(filter(None, (self.population, scope, dimension)))

    @property
    def profile_names(self) -> tuple[str, ...]:
        """Every profile by name."""
        return tuple(self.profile(*observed) for observed in self.profiles)

    @property
    def side_scopes(self) -> tuple[str, ...]:
        """The observed things beside the scopes that ask one another."""
        return tuple(scope for scope in self.observe if scope in SIDE_SCOPES)

    @property
    def limits(self) -> dict[str, int]:
        """How many values a day the histories of things beside the scopes name, by profile: as many as `spread` is
        compared with, because more are more, however many."""
        compared = [node for condition in self.conditions for node in condition.walk() if isinstance(node, Compare)]
        limits: dict[str, int] = {}
        for scope in self.side_scopes:
            for dimension in self.observe[scope]:
                asked = Call("spread", (scope, dimension))
                sides = [side for node in compared if asked in node.children for side in node.children]
                counts = [side.value for side in sides if isinstance(side, Literal) and isinstance(side.value, int)]
                limits[self.profile(scope, dimension)] = max(counts, default=SIDE_VALUES)
        return limits

    @property
    def entity_fields(self) -> tuple[str, ...]:
        """The fields that hold the entities of the scopes: each stands in the field named after its scope, the
        organization, which is one, in none."""
        return tuple(scope for scope in (*self.scopes, *self.side_scopes) if scope != ORGANIZATION)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The observed dimensions, each once, in order of appearance."""
        return tuple(dict.fromkeys(dimension for _scope, dimension in self.profiles))

    @property
    def conditions(self) -> tuple[Node, ...]:
        """The detection's own condition and those of its variations."""
        return (self.when, *(v.when for v in self.all_variations if v.when is not None))

    @property
    def condition_fields(self) -> tuple[str, ...]:
        """The row's own fields that the conditions of the variations read."""
        return fields_read(self.conditions)

    @property
    def signal_fields(self) -> tuple[str, ...]:
        """The row's own fields that the conditions of the signals read."""
        return fields_read(signal.when for signal in self.signals)

    @property
    def remark_fields(self) -> tuple[str, ...]:
        """The row's own fields that stand in remarks."""
        return tuple(dict.fromkeys(name for remark in self.remarks for name in PLACE.findall(remark)))


def variation_search(detection_id: str, variation_id: str) -> str:
    """`CBA - <id> - Base` or `CBA - <id> - Variation 2`: the saved search that raises a variation; short, unique, and
    sorted beside its detection."""
    return f"{PREFIX} - {detection_id} - {'Base' if variation_id == BASE else 'Variation ' + variation_id}"


def detect_search(detection_id: str) -> str:
    """`CBA - <id> - Detect`: the saved search that learns, judges and records."""
    return f"{PREFIX} - {detection_id} - Detect"


PLACE = re.compile(r"\$(\w+)\$")
"""`$field$` in a text stands for the value of the field."""


def fields_read(conditions: Iterable[Node]) -> tuple[str, ...]:
    """The row's own fields that these conditions read, each once, in order of appearance."""
    names: dict[str, None] = {}
    for condition in conditions:
        for node in condition.walk():
            if node.reads:
                names[node.reads] = None
    return tuple(names)


_TEXTS = ("description", "attackers_goals")
_LISTS = ("investigative_actions", "false_positives")
_OPTIONAL_LISTS = ("tuning", "limits_of_logs")
_KNOWN = frozenset(
    {
        "id", "name", "severity", "attack", "tags", "sources", "periods", "trained_days", "entity", "deduplicate_by",
        "prepare", "candidates", "admit", "group_by", "kept", "counted_by", "enrich", "population", "scopes", "observe",
        "optional", "untrained", "signals", "joined_by", "carry", "remarks", "when", "base", "variations", "drilldowns",
        "allow", "security_domain", "breaker", *_TEXTS, *_LISTS, *_OPTIONAL_LISTS,
    }
)  # fmt: skip


class _Reader:
    """Reads one document, collecting faults; a field that is wrong takes a harmless value meanwhile."""

    def __init__(self, data: Any, where: str) -> None:
        self.where = where
        self.errors: list[DetectionError] = []
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if not isinstance(data, Mapping):
            self.fault("", f"a detection is a mapping of fields, not {type(data).__name__}")

    def fault(self, field: str, problem: str) -> None:
        self.errors.append(DetectionError(f"{self.where}: {field}" if field else self.where, problem))

    def detection(self) -> Optional[Detection]:
        if self.errors:
            return None
        for field in sorted(set(self.data) - _KNOWN):
            self.fault(field, f"unknown field; a detection has {', '.join(sorted(_KNOWN))}")
        for field in _TEXTS:
            self.text(field)
        for field in _LISTS:
            self.texts(field)
        for field in _OPTIONAL_LISTS:
            self.texts(field, ())
        self.text("security_domain", "access")
        scopes = self.chosen("scopes", SCOPES, ["identity", "project", ORGANIZATION])
        observe = self.observe(scopes)
        periods = self.periods()
        detection_id = self.matching("id", _ID, "lower-case letters, digits and _")
        when = self.condition(self.data, "when", "when", observe, required=True)
        attack = self.mapping("attack")
        detection = Detection(
            id=detection_id,
            name=self.text("name"),
            severity=self.severity(self.data, "severity"),
            sources=self.chosen("sources", SOURCES, []),
            periods=periods,
            terms=Terms(
                training=periods.training,
                activation=periods.activation,
                trained_age=periods.activation,
                trained_days=self.number("trained_days", 5),
            ),
            entity=self.text("entity", "identity"),
            deduplicate_by=self.texts("deduplicate_by"),
            group_by=self.texts("group_by"),
            counted_by=self.text("counted_by", EVENT_ID),
            breaker=self.number("breaker", BREAKER),
            population=self.text("population", "") if "population" in self.data else "",
            scopes=scopes,
            observe=observe,
            optional=self.texts("optional", ()),
            untrained_is_new=self.chosen_one("untrained", ("silent", "new")) == "new",
            signals=tuple(self.signals(observe)),
            joined_by=self.texts("joined_by", ()),
            carry=self.texts("carry", ()),
            remarks=self.texts("remarks", ()),
            when=when or parse("0"),
            base=self.base(observe),
            variations=tuple(self.variations(observe)),
            tactics=self.ids(attack, "tactics", _TACTIC),
            techniques=self.ids(attack, "techniques", _TECHNIQUE),
            drilldowns=tuple(self.drilldowns()),
            allow=self.allow(),
            document=self.data,
        )
        self.check_chain(detection)
        for name in detection.optional:
            if name not in detection.dimensions:
                self.fault("optional", f"{name!r} is not observed")
        for name in self.texts("kept", ()):
            if name not in detection.group_by:
                self.fault("kept", f"{name!r} is not in group_by")
        if not observe.get(scopes[-1]):
            self.fault(f"observe.{scopes[-1]}", "the widest scope must observe what others are compared in")
        if detection.breaker < 1:
            self.fault("breaker", "needs at least 1 match")
        if detection.terms.trained_days < 1:
            self.fault("trained_days", "needs at least 1 day")
        if detection.entity not in detection.deduplicate_by:
            # Windows are kept per entity, so a deduplication key must not be spread over several of them.
            self.fault("entity", f"{detection.entity!r} is not one of deduplicate_by")
        for name in detection.deduplicate_by:
            if name not in (*detection.group_by, *detection.dimensions):
                self.fault("deduplicate_by", f"{name!r} is neither in group_by nor observed")
        return detection

    def text(self, field: str, default: Optional[str] = None) -> str:
        value = self.data.get(field, default)
        if not isinstance(value, str) or not value.strip():
            self.fault(field, "a text is needed")
            return ""
        return value

    def check_chain(self, detection: Detection) -> None:
        if bool(detection.signals) != bool(detection.joined_by):
            self.fault("signals", "signals and joined_by go together")
        known = {signal.id for signal in detection.signals}
        for node in detection.conditions:
            for call in node.walk():
                if isinstance(call, Call) and call.argument("signal") not in known | {""}:
                    self.fault("signals", f"{call} asks for a signal that the detection does not have")

    def texts(self, field: str, default: Optional[Sequence[str]] = None) -> tuple[str, ...]:
        if default is not None and field not in self.data:
            return tuple(default)
        value = self.data.get(field)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            self.fault(field, "a list of texts is needed")
            return ()
        return tuple(value)

    def mapping(self, field: str) -> Mapping[str, Any]:
        value = self.data.get(field)
        if not isinstance(value, Mapping) or not value:
            self.fault(field, "a mapping is needed")
            return {}
        return value

    def number(self, field: str, default: int) -> int:
        value = self.data.get(field, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.fault(field, f"a whole number is needed, not {value!r}")
            return default
        return value

    def matching(self, field: str, pattern: re.Pattern[str], wanted: str) -> str:
        value = self.text(field)
        if value and not pattern.match(value):
            self.fault(field, f"{value!r} is not {wanted}")
        return value

    def chosen(self, field: str, choices: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        values = self.data.get(field, list(default))
        if not isinstance(values, list) or not values:
            self.fault(field, f"a list of {', '.join(choices)} is needed")
            return tuple(default)
        for value in values:
            if value not in choices:
                self.fault(field, f"unknown {value!r}; one of {', '.join(choices)}")
        return tuple(values)

    def chosen_one(self, field: str, choices: Sequence[str]) -> str:
        value = self.data.get(field, choices[0])
        if value not in choices:
            self.fault(field, f"unknown {value!r}; one of {', '.join(choices)}")
        return str(value)

    def severity(self, data: Mapping[str, Any], field: str, path: str = "") -> str:
        value = data.get("severity")
        if value not in SEVERITIES:
            self.fault(path or field, f"unknown severity {value!r}; one of {', '.join(SEVERITIES)}")
            return SEVERITIES[0]
        return str(value)

    def ids(self, attack: Mapping[str, Any], field: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        values = attack.get(field, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and pattern.match(v) for v in values):
            self.fault(f"attack.{field}", f"a list of ATT&CK ids is needed, not {values!r}")
            return ()
        return tuple(values)

    def periods(self) -> Periods:
        given = self.mapping("periods")
        days: dict[str, int] = {}
        for field in ("activation", "training", "deduplication"):
            match = _PERIOD.match(str(given.get(field, "")))
            # A deduplication window is at least a day long: finding ids name the day on which it opened.
            if match is None or int(match.group(1)) < 1:
                self.fault(f"periods.{field}", f"whole days are needed, such as 5d, not {given.get(field)!r}")
            days[field] = int(match.group(1)) if match else 1
        for field in sorted(set(given) - set(days)):
            self.fault(f"periods.{field}", "unknown period")
        return Periods(**days)

    def observe(self, scopes: Sequence[str]) -> dict[str, tuple[str, ...]]:
        observe: dict[str, tuple[str, ...]] = {}
        for scope, dimensions in self.mapping("observe").items():
            if scope not in (*scopes, *SIDE_SCOPES):
                known = ", ".join((*scopes, *SIDE_SCOPES))
                self.fault(f"observe.{scope}", f"unknown scope; this detection has {known}")
            elif not isinstance(dimensions, list) or not dimensions:
                self.fault(f"observe.{scope}", "a list of dimensions is needed")
            else:
                observe[scope] = tuple(dimensions)
        return observe

    def condition(
        self, data: Mapping[str, Any], key: str, path: str, observe: Mapping[str, Sequence[str]], required: bool
    ) -> Optional[Node]:
        text = data.get(key)
        if text is None and not required:
            return None
        if not isinstance(text, str) or not text.strip():
            self.fault(path, "a condition is needed")
            return None
        try:
            node = parse(text, f"{self.where}: {path}")
        except DetectionError as error:
            self.errors.append(error)
            return None
        for call in node.walk():
            if isinstance(call, Call):
                self.check_call(call, path, observe)
        return node

    def check_call(self, call: Call, path: str, observe: Mapping[str, Sequence[str]]) -> None:
        scope, dimension = call.argument("scope"), call.argument("dimension")
        if dimension and dimension not in observe.get(scope, ()):
            self.fault(path, f"{call} asks for a profile that the detection does not observe")

    def base(self, observe: Mapping[str, Sequence[str]]) -> Variation:
        given = self.data.get("base", {})
        if not isinstance(given, Mapping):
            self.fault("base", "a mapping with the condition `when` is needed")
            given = {}
        when = self.condition(given, "when", "base.when", observe, required=False)
        name, severity = self.data.get("name"), self.data.get("severity")
        severity = severity if severity in SEVERITIES else SEVERITIES[0]
        return Variation(BASE, str(name), str(severity), "exclusive", when)

    def signals(self, observe: Mapping[str, Sequence[str]]) -> Iterator[SignalKind]:
        given = self.data.get("signals", {})
        if not isinstance(given, Mapping):
            self.fault("signals", "a mapping of ids to name and when is needed")
            given = {}
        for signal_id, signal in given.items():
            path = f"signals.{signal_id}"
            may_have = {"name", "when", "repeated", "apart"}
            if not isinstance(signal, Mapping) or not {"name", "when"} <= set(signal) <= may_have:
                self.fault(path, "needs name and when, and may have repeated and apart")
                continue
            when = self.condition(signal, "when", f"{path}.when", observe, required=True) or parse("0")
            repeated = signal.get("repeated", {"times": 1, "seconds": 0})
            if not isinstance(repeated, Mapping) or [type(repeated.get(k)) for k in ("times", "seconds")] != [int, int]:
                self.fault(f"{path}.repeated", "whole numbers times and seconds are needed")
                continue
            apart = str(signal.get("apart", ""))
            if apart and apart not in self.texts("group_by"):
                self.fault(f"{path}.apart", f"{apart!r} is not in group_by")
            name = str(signal["name"])
            yield SignalKind(str(signal_id), name, when, repeated["times"], repeated["seconds"], apart)

    def variations(self, observe: Mapping[str, Sequence[str]]) -> Iterator[Variation]:
        seen = {BASE}
        for index, given in enumerate(self.data.get("variations") or []):
            path = f"variations[{index}]"
            if not isinstance(given, Mapping):
                self.fault(path, "a mapping is needed")
                continue
            for field in sorted(set(given) - {"id", "name", "severity", "kind", "when"}):
                self.fault(f"{path}.{field}", "unknown field; a variation has id, name, severity, kind, when")
            variation_id, name, kind = str(given.get("id", "")), given.get("name"), given.get("kind")
            if not variation_id or variation_id in seen:
                self.fault(f"{path}.id", f"an id of its own is needed, not {variation_id!r}")
            seen.add(variation_id)
            if not isinstance(name, str) or not name:
                self.fault(f"{path}.name", "a text is needed")
            if kind not in KINDS:
                self.fault(f"{path}.kind", f"unknown kind {kind!r}; one of {', '.join(KINDS)}")
            when = self.condition(given, "when", f"{path}.when", observe, required=True)
            severity = self.severity(given, "severity", f"{path}.severity")
            yield Variation(variation_id, str(name), severity, str(kind), when)

    def drilldowns(self) -> Iterator[Drilldown]:
        for index, given in enumerate(self.data.get("drilldowns") or []):
            if not isinstance(given, Mapping) or set(given) != {"name", "search"}:
                self.fault(f"drilldowns[{index}]", "needs exactly name and search")
                continue
            yield Drilldown(str(given["name"]), str(given["search"]))

    def allow(self) -> Optional[AllowList]:
        given = self.data.get("allow")
        if given is None:
            return None
        if not isinstance(given, Mapping) or set(given) != {"lookup", "row"} or not isinstance(given["row"], Mapping):
            self.fault("allow", "needs exactly lookup, and row with what goes into its columns")
            return None
        return AllowList(str(given["lookup"]), {str(name): str(value) for name, value in given["row"].items()})


def collect(build: Callable[[Any, str], Detection], documents: Mapping[str, Any]) -> dict[str, Detection]:
    """Builds every document (`where` -> content), raising all faults of all of them together."""
    detections: dict[str, Detection] = {}
    errors: list[DetectionError] = []
    for where, data in documents.items():
        try:
            detection = build(data, where)
        except DetectionErrors as error:
            errors.extend(error.errors)
            continue
        if detection.id in detections:
            errors.append(DetectionError(f"{where}: id", f"{detection.id!r} is defined twice"))
        detections[detection.id] = detection
    errors.extend(_shared_profiles(detections.values()))
    if errors:
        raise DetectionErrors(errors)
    return detections


def _shared_profiles(detections: Any) -> Iterator[DetectionError]:
    """A history is read, changed and written back, so each profile has exactly one detection that learns it."""
    owner: dict[str, str] = {}
    for detection in detections:
        for profile in detection.profile_names:
            if profile in owner:
                yield DetectionError(
                    f"{detection.id}: observe",
                    f"{profile} is already learned by {owner[profile]}; give the detection a population of its own",
                )
            owner[profile] = detection.id
