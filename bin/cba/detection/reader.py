"""Reads content, as YAML and JSON give it, into the model: profiles and detections, checked whole.

There is one place that knows the fields. It collects every fault, of every document, before it raises; each names the
file, the line where whoever loaded the file knows it, and the field.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence

from ..errors import DetectionError, DetectionErrors
from ..history.history import Terms
from ..terms import ORGANIZATION, SEVERITIES, SOURCES
from .condition import NEVER, Call, Compare, Literal, Node, parse
from .model import (
    BASE,
    BREAKER,
    EVENT_ID,
    EVERYBODY,
    KINDS,
    LONGEST_NAME,
    SCOPES,
    SIDE_SCOPES,
    UNTRAINED,
    UNTRAINED_SILENT,
    AllowList,
    Detection,
    Drilldown,
    Periods,
    Population,
    Profile,
    SignalKind,
    Variation,
    alert_prefix,
    variation_search,
)

PREPARATIONS = ("plain", "compute", "serverless_iaas", "serverless_office", "serverless_saas")
"""How a row can be prepared for a population (`enrich.rows`)."""
PROFILES_FILE = "content/profiles.yml"

_ID = re.compile(r"[a-z][a-z0-9_]*")
_VARIATION = re.compile(r"v[0-9]+")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,-]*[A-Za-z0-9]")
_BASE_TITLE = "Base"
_PERIOD = re.compile(r"([0-9]{1,4})d")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?", re.ASCII)
_TACTIC = re.compile(r"TA\d{4}", re.ASCII)

_TEXTS = ("description", "attackers_goals")
_LISTS = ("investigative_actions", "false_positives")
_OPTIONAL_LISTS = ("tuning", "limits_of_logs", "tags")
_KNOWN = frozenset(
    {
        "id", "name", "title", "severity", "attack", "sources", "periods", "trained_days", "entity", "deduplicate_by",
        "candidates", "counted_by", "population", "profiles", "scopes", "compares", "optional", "untrained", "signals",
        "joined_by", "keeps", "lists", "remarks", "when", "base", "variations", "drilldowns", "allow",
        "security_domain", "breaker", *_TEXTS, *_LISTS, *_OPTIONAL_LISTS,
    }
)  # fmt: skip


class Document(NamedTuple):
    """Content of a file: `where` names it; `lines` says on which line a field stands, by its path
    (`variations[1].when`)."""

    where: str
    content: Any
    lines: Mapping[str, int] = {}

    def error(self, field: str, problem: str) -> DetectionError:
        """The fault of a field, with its place."""
        line = self.line(field)
        place = f"{self.where}, line {line}" if line else self.where
        return DetectionError(f"{place}: {field}" if field else place, problem)

    def line(self, field: str) -> Optional[int]:
        """The line of a field, else of what it stands in; None where nobody knows."""
        path = field
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)


class Content(NamedTuple):
    """All populations and all detections, by name."""

    populations: Mapping[str, Population]
    detections: Mapping[str, Detection]


def read_content(profiles: Document, detections: Iterable[Document]) -> Content:
    """Everything. Raises DetectionErrors with every fault of every document."""
    documents = list(detections)
    errors: list[DetectionError] = []
    reader = _PopulationReader(profiles)
    populations = reader.populations()
    errors += reader.errors
    for document in documents:
        extension = _PopulationReader(document)
        populations = extension.extended(populations)
        errors += extension.errors
    found: dict[str, Detection] = {}
    for document in documents:
        try:
            detection = read_detection(document, populations)
        except DetectionErrors as error:
            errors += error.errors
            continue
        if detection.id in found:
            errors.append(document.error("id", f"{detection.id!r} is defined twice"))
        if same := [each.id for each in found.values() if alert_prefix(each) == alert_prefix(detection)]:
            errors.append(document.error("title", f"{detection.title!r} is the title of {same[0]}"))
        found[detection.id] = detection
    if errors:
        raise DetectionErrors(errors)
    return Content(populations, found)


def read_detection(document: Document, populations: Mapping[str, Population]) -> Detection:
    """One detection, whose own profiles are among those of `populations`. Raises DetectionErrors naming every fault."""
    reader = _DetectionReader(document, populations)
    detection = reader.detection()
    if reader.errors:
        raise DetectionErrors(reader.errors)
    assert detection is not None
    return detection


class _Reader:
    """Reads one document, collecting faults; a field that is wrong takes a harmless value meanwhile."""

    def __init__(self, document: Document, what: str) -> None:
        self.document = document
        self.errors: list[DetectionError] = []
        self.data: Mapping[str, Any] = {}
        content = document.content
        if not isinstance(content, Mapping):
            self.fault("", f"{what} is a mapping of fields, not {type(content).__name__}")
        elif odd := [key for key in content if not isinstance(key, str)]:
            self.fault("", f"names of fields are texts, not {odd[0]!r}")
        else:
            self.data = content

    def fault(self, field: str, problem: str) -> None:
        self.errors.append(self.document.error(field, problem))

    def unknown(self, given: Mapping[Any, Any], known: Iterable[str], path: str, what: str) -> None:
        """Faults for fields that nobody reads."""
        for field in sorted(set(map(str, given)) - set(known)):
            self.fault(f"{path}{field}", f"unknown field; {what} has {', '.join(sorted(known))}")

    def mapping(self, value: Any, field: str, what: str = "a mapping is needed") -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not value or not all(isinstance(key, str) for key in value):
            self.fault(field, what)
            return {}
        return value

    def text(self, field: str, default: Optional[str] = None) -> str:
        value = self.data.get(field, default)
        if not isinstance(value, str) or not value.strip():
            self.fault(field, "a text is needed")
            return default or ""
        return value

    def texts(self, field: str, default: Optional[Sequence[str]] = None) -> tuple[str, ...]:
        if default is not None and field not in self.data:
            return tuple(default)
        value = self.data.get(field)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            self.fault(field, "a list of texts is needed")
            return ()
        return tuple(value)

    def number(self, value: Any, field: str, default: int, least: int = 1) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.fault(field, f"a whole number of at least {least} is needed, not {_shown(value)}")
            return default
        return value

    def one_of(self, value: Any, field: str, choices: Sequence[str], what: str = "") -> str:
        if not isinstance(value, str) or value not in choices:
            self.fault(field, f"unknown {what}{_shown(value)}; one of {', '.join(choices)}")
            return choices[0]
        return value

    def matching(self, value: Any, field: str, pattern: re.Pattern[str], wanted: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.fault(field, f"{_shown(value)} is not {wanted}")
            return ""
        return value

    def condition(self, value: Any, field: str, required: bool = False) -> Optional[Node]:
        """A condition; None for a faulty one, or for none that is required."""
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value.strip():
            self.fault(field, "a condition is needed")
            return None
        try:
            return parse(value)
        except DetectionError as error:
            self.fault(field, error.problem)
            return None

    def of_fields(self, node: Optional[Node], field: str) -> Optional[Node]:
        """A condition that is asked of a row by itself, without any history."""
        for call in node.walk() if node is not None else ():
            if isinstance(call, Call) and not call.argument("field"):
                self.fault(field, f"{call} asks for more than the row's own fields")
                return None
        return node


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no numbers of thousands of digits
        text = "so large a number"
    return text if len(text) <= 80 else text[:80] + "…"


class _PopulationReader(_Reader):
    """Reads populations and their profiles."""

    def __init__(self, document: Document) -> None:
        super().__init__(document, "content")

    def populations(self) -> dict[str, Population]:
        found: dict[str, Population] = {}
        for name, given in self.data.items():
            self.matching(name, name, _ID, "lower-case letters, digits and _")
            fields = self.mapping(given, name)
            self.unknown(fields, ("about", "rows", "when", "profiles"), f"{name}.", "a population")
            about = fields.get("about")
            if not isinstance(about, str) or not about.strip():
                self.fault(f"{name}.about", "a sentence is needed that says who it is")
            when = self.of_fields(self.condition(fields.get("when"), f"{name}.when"), f"{name}.when")
            rows = self.one_of(fields.get("rows", PREPARATIONS[0]), f"{name}.rows", PREPARATIONS)
            profiles = tuple(self.profiles(name, fields.get("profiles"), f"{name}.profiles"))
            found[name] = Population(name, str(about), rows, when, profiles)
        names = [profile.name for population in found.values() for profile in population.profiles]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.fault("", f"the profile {name} is declared twice")
        return found

    def extended(self, populations: Mapping[str, Population]) -> dict[str, Population]:
        """These populations with the profiles that a detection declares for its own."""
        given, name = self.data.get("profiles"), self.data.get("population", EVERYBODY)
        found = dict(populations)
        if given is None or not isinstance(name, str) or name not in found:
            return found  # an unknown population is a fault of the detection
        known = {profile.name for population in found.values() for profile in population.profiles}
        own = tuple(self.profiles(name, given, "profiles"))
        for profile in own:
            if profile.name in known:
                field = f"profiles.{profile.scope}"
                self.fault(
                    field, f"{profile.name} is already declared; a profile that several ask belongs in {PROFILES_FILE}"
                )
        population = found[name]
        new = tuple(profile for profile in own if profile.name not in known)
        found[name] = dataclasses.replace(population, profiles=population.profiles + new)
        return found

    def profiles(self, population: str, given: Any, path: str) -> Iterator[Profile]:
        for scope, dimensions in self.mapping(given, path, "a mapping of scopes to dimensions is needed").items():
            if scope not in (*SCOPES, *SIDE_SCOPES):
                self.fault(f"{path}.{scope}", f"unknown scope; one of {', '.join((*SCOPES, *SIDE_SCOPES))}")
            elif not isinstance(dimensions, list) or not dimensions:
                self.fault(f"{path}.{scope}", "a list of dimensions is needed")
            else:
                for at, dimension in enumerate(dimensions):
                    yield from self.profile(population, scope, dimension, f"{path}.{scope}[{at}]")

    def profile(self, population: str, scope: str, given: Any, path: str) -> Iterator[Profile]:
        declared = (
            {"dimension": given} if isinstance(given, str) else self.mapping(given, path, "a dimension is needed")
        )
        if not declared:
            return
        self.unknown(declared, ("dimension", "when", "names_a_day"), f"{path}.", "a profile")
        dimension = self.matching(declared.get("dimension"), f"{path}.dimension", _ID, "the name of a field")
        when = self.of_fields(self.condition(declared.get("when"), f"{path}.when"), f"{path}.when")
        limit = declared.get("names_a_day")
        if limit is not None:
            limit = self.number(limit, f"{path}.names_a_day", 1)
        prefix = "" if population == EVERYBODY else f"{population}_"
        yield Profile(f"{prefix}{scope}_{dimension}", population, scope, dimension, when, limit)


class _DetectionReader(_Reader):
    """Reads one detection."""

    def __init__(self, document: Document, populations: Mapping[str, Population]) -> None:
        super().__init__(document, "a detection")
        self.populations = populations
        self.questions: dict[tuple[str, str], str] = {}
        """(scope, dimension) that conditions ask -> the field in which they first do"""

    def detection(self) -> Optional[Detection]:
        if self.errors:
            return None
        self.unknown(self.data, _KNOWN, "", "a detection")
        for field in _TEXTS:
            self.text(field)
        for field in _LISTS:
            self.texts(field)
        for field in _OPTIONAL_LISTS:
            self.texts(field, ())
        self.text("security_domain", "access")
        periods = self.periods()
        population = self.population()
        scopes = self.chosen("scopes", SCOPES, ["identity", "project", ORGANIZATION])
        candidates = self.of_fields(self.condition(self.data.get("candidates"), "candidates"), "candidates")
        when = self.asking(self.data.get("when"), "when", required=True)
        base = self.base()
        variations = tuple(self.variations())
        signals = tuple(self.signals())
        attack = self.mapping(self.data.get("attack"), "attack")
        self.unknown(attack, ("tactics", "techniques"), "attack.", "attack")
        detection = Detection(
            id=self.matching(self.data.get("id"), "id", _ID, "lower-case letters, digits and _"),
            name=self.text("name"),
            title=self.title(self.data, "title"),
            severity=base.severity,
            sources=self.chosen("sources", SOURCES, []),
            periods=periods,
            terms=Terms(
                training=periods.training,
                activation=periods.activation,
                trained_age=periods.activation,
                trained_days=self.number(self.data.get("trained_days", 5), "trained_days", 5),
            ),
            entity=self.text("entity", "identity"),
            deduplicate_by=self.texts("deduplicate_by"),
            candidates=candidates,
            counted_by=self.text("counted_by", EVENT_ID),
            breaker=self.number(self.data.get("breaker", BREAKER), "breaker", BREAKER),
            population=population.name,
            rows=population.rows,
            scopes=scopes,
            asked=self.asked(population, scopes),
            optional=self.texts("optional", ()),
            untrained=self.one_of(self.data.get("untrained", UNTRAINED_SILENT), "untrained", UNTRAINED),
            signals=signals,
            joined_by=self.texts("joined_by", ()),
            keeps=self.texts("keeps", ()),
            lists=self.texts("lists", ()),
            remarks=self.texts("remarks", ()),
            when=when or NEVER,
            base=base,
            variations=variations,
            tactics=self.ids(attack, "tactics", _TACTIC),
            techniques=self.ids(attack, "techniques", _TECHNIQUE),
            drilldowns=tuple(self.drilldowns()),
            allow=self.allow(),
            document=self.data,
        )
        self.check(detection)
        return detection

    def check(self, detection: Detection) -> None:
        """What fields say of each other."""
        if bool(detection.signals) != bool(detection.joined_by):
            self.fault("signals", "signals and joined_by go together")
        known = {signal.id for signal in detection.signals}
        for node in detection.conditions:
            for call in node.walk():
                if isinstance(call, Call) and call.argument("signal") not in known | {""}:
                    self.fault("signals", f"{call} asks for a signal that the detection does not have")
        for name in detection.optional:
            if name not in detection.dimensions:
                self.fault("optional", f"{name!r} is no dimension that a condition asks")
        if not any(profile.scope == detection.scopes[-1] for profile in detection.asked):
            self.fault("when", f"no condition asks what the widest scope, {detection.scopes[-1]}, is compared in")
        if detection.entity not in detection.deduplicate_by:
            # Windows are kept per entity, so a deduplication key must not be spread over several of them.
            self.fault("entity", f"{detection.entity!r} is not one of deduplicate_by")
        if not detection.sources:
            self.fault("sources", f"a list of {', '.join(SOURCES)} is needed")
        self.check_names(detection)
        self.check_counts(detection)

    def check_names(self, detection: Detection) -> None:
        """The names of the saved searches that raise its variations."""
        names: set[str] = set()
        for at, variation in enumerate(detection.all_variations, -1):
            field = "title" if variation is detection.base else f"variations[{at}].title"
            name = variation_search(detection, variation)
            if len(name) > LONGEST_NAME:
                why = f"{name!r} has {len(name)} characters"
                self.fault(field, f"a saved search's name has at most {LONGEST_NAME}: {why}")
            if name in names:
                self.fault(field, f"another variation's saved search is called {name!r}, too")
            names.add(name)

    def check_counts(self, detection: Detection) -> None:
        """A history that names two values a day cannot be asked whether there were three."""
        limits = {(p.scope, p.dimension): p.names_a_day for p in detection.asked if p.names_a_day is not None}
        for node in (*detection.conditions, *(signal.when for signal in detection.signals)):
            for compare in node.walk():
                if not isinstance(compare, Compare):
                    continue
                calls = [side for side in compare.children if isinstance(side, Call) and side.name == "spread"]
                counts = [side.value for side in compare.children if isinstance(side, Literal)]
                for call in calls:
                    limit = limits.get((call.argument("scope"), call.argument("dimension")))
                    if limit is not None and any(isinstance(count, int) and count > limit for count in counts):
                        self.fault("when", f"{compare} needs names_a_day of the profile to be as large; it is {limit}")

    # ---- Profiles ---------------------------------------------------------------------------------------------------

    def population(self) -> Population:
        name = self.data.get("population", EVERYBODY)
        found = self.populations.get(name) if isinstance(name, str) else None
        if found is None:
            known = ", ".join(self.populations)
            self.fault("population", f"unknown {_shown(name)}; {PROFILES_FILE} has {known}")
            return Population(EVERYBODY, "", PREPARATIONS[0], None, ())
        return found

    def asking(self, value: Any, field: str, required: bool = False) -> Optional[Node]:
        """A condition, whose questions to histories are remembered."""
        node = self.condition(value, field, required)
        for call in node.walk() if node is not None else ():
            if isinstance(call, Call) and call.argument("dimension"):
                self.questions.setdefault((call.argument("scope"), call.argument("dimension")), field)
        return node

    def asked(self, population: Population, scopes: Sequence[str]) -> tuple[Profile, ...]:
        """The profiles that are asked, with the same of all wider scopes, in the order in which they are declared."""
        for dimension in self.texts("compares", ()):
            self.questions.setdefault((scopes[0], dimension), "compares")
        wanted: set[tuple[str, str]] = set()
        for (scope, dimension), field in self.questions.items():
            if scope not in (*scopes, *SIDE_SCOPES):
                known = ", ".join((*scopes, *SIDE_SCOPES))
                self.fault(field, f"{dimension} is asked of the scope {scope!r}; this detection has {known}")
            elif population.profile(scope, dimension) is None:
                place = "" if population.name == EVERYBODY else f" for the population {population.name}"
                self.fault(
                    field,
                    f"the profile of {scope} and {dimension} is asked, and nobody remembers it: declare `{scope}: "
                    f"[{dimension}]`{place} in {PROFILES_FILE}, or in this detection under `profiles:`",
                )
            else:
                wider = scopes[scopes.index(scope) :] if scope in scopes else (scope,)
                wanted |= {(name, dimension) for name in wider}
        return tuple(p for p in population.profiles if (p.scope, p.dimension) in wanted)

    # ---- Fields -----------------------------------------------------------------------------------------------------

    def chosen(self, field: str, choices: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        values = self.data.get(field, list(default))
        if not isinstance(values, list) or not values:
            if default:
                self.fault(field, f"a list of {', '.join(choices)} is needed")
            return tuple(default)
        return tuple(dict.fromkeys(self.one_of(value, field, choices) for value in values))

    def severity(self, data: Mapping[str, Any], field: str) -> str:
        return self.one_of(data.get("severity"), field, SEVERITIES, "severity ")

    def ids(self, attack: Mapping[str, Any], field: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        values = attack.get(field, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and pattern.fullmatch(v) for v in values):
            self.fault(f"attack.{field}", f"a list of ATT&CK ids is needed, not {_shown(values)}")
            return ()
        return tuple(values)

    def periods(self) -> Periods:
        given = self.mapping(self.data.get("periods"), "periods")
        days: dict[str, int] = {}
        for field in ("activation", "training", "deduplication"):
            match = _PERIOD.fullmatch(str(given.get(field, "")))
            # A deduplication window is at least a day long: finding ids name the day on which it opened.
            if match is None or int(match.group(1)) < 1:
                self.fault(f"periods.{field}", f"whole days are needed, such as 5d, not {_shown(given.get(field))}")
            days[field] = int(match.group(1)) if match else 1
        self.unknown(given, days, "periods.", "periods")
        return Periods(**days)

    def base(self) -> Variation:
        given = self.data.get("base", {})
        if not isinstance(given, Mapping) or set(given) - {"when"}:
            self.fault("base", "a mapping with the condition `when` is needed")
            given = {}
        when = self.asking(given.get("when"), "base.when")
        severity = self.severity(self.data, "severity")
        return Variation(BASE, str(self.data.get("name")), _BASE_TITLE, severity, "exclusive", when)

    def variations(self) -> Iterator[Variation]:
        listed = self.data.get("variations", [])
        if not isinstance(listed, list):
            self.fault("variations", "a list is needed")
            return
        seen: set[str] = set()
        for index, given in enumerate(listed):
            path = f"variations[{index}]"
            if not isinstance(given, Mapping):
                self.fault(path, "a mapping is needed")
                continue
            self.unknown(given, ("id", "name", "title", "severity", "kind", "when"), f"{path}.", "a variation")
            variation_id = self.matching(given.get("id"), f"{path}.id", _VARIATION, "v and a number, such as v1")
            if variation_id in seen:
                self.fault(f"{path}.id", f"{variation_id} is there already")
            seen.add(variation_id)
            name = given.get("name")
            if not isinstance(name, str) or not name:
                self.fault(f"{path}.name", "a text is needed")
            kind = self.one_of(given.get("kind"), f"{path}.kind", KINDS, "kind ")
            when = self.asking(given.get("when"), f"{path}.when", required=True)
            severity = self.severity(given, f"{path}.severity")
            title = self.title(given, f"{path}.title")
            yield Variation(variation_id, str(name), title, severity, kind, when or NEVER)

    def title(self, given: Mapping[str, Any], field: str) -> str:
        """The words that stand for it in the names of saved searches: its name, where that is short."""
        title = given.get("title", given.get("name"))
        return self.matching(title, field, _TITLE, "a title of letters, digits, blanks, commas and hyphens")

    def signals(self) -> Iterator[SignalKind]:
        given = self.data.get("signals", {})
        if not isinstance(given, Mapping):
            self.fault("signals", "a mapping of ids to name and when is needed")
            return
        for signal_id, signal in given.items():
            path = f"signals.{signal_id}"
            may_have = {"name", "when", "repeated", "apart"}
            if not isinstance(signal, Mapping) or not {"name", "when"} <= set(signal) <= may_have:
                self.fault(path, "needs name and when, and may have repeated and apart")
                continue
            when = self.asking(signal.get("when"), f"{path}.when", required=True)
            times, seconds = self.repeated(signal.get("repeated"), f"{path}.repeated")
            apart = str(signal.get("apart", ""))
            yield SignalKind(str(signal_id), str(signal["name"]), when or NEVER, times, seconds, apart)

    def repeated(self, given: Any, path: str) -> tuple[int, int]:
        if given is None:
            return 1, 0
        if not isinstance(given, Mapping) or set(given) != {"times", "seconds"}:
            self.fault(path, "needs exactly times and seconds")
            return 1, 0
        return self.number(given["times"], f"{path}.times", 1), self.number(given["seconds"], f"{path}.seconds", 1)

    def drilldowns(self) -> Iterator[Drilldown]:
        listed = self.data.get("drilldowns", [])
        if not isinstance(listed, list):
            self.fault("drilldowns", "a list is needed")
            return
        for index, given in enumerate(listed):
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
