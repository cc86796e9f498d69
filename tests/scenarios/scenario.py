"""Scenario files (content/detections/<id>/scenarios.yml): a history, some events, and exactly the findings they raise.

Events have the fields that the rows of their source have, with the place `cbageo` adds (country, asn, ip_scope,
cloud_provider, cloud_region); what Python makes of them (a workload's home, the parts of a signal) is made.

    today: 40                           the day on which `events` happen, counted from day 0
    value: country                      the field that the second word of a line gives; `-` leaves it, and any field, out
    fields: {…}                         more fields that every event has
    lists: {watch_list: [{…}]}          what stands in lists, by their names; of a scenario: further rows
    settings: {…}                       of a scenario: failed_calls_escalate
    who:                                people and machines, by a short name
      ada: {source: aws, project: "111111111111", identity: arn:aws:iam::111111111111:user/ada}
    history:                            what everybody did before: one event at noon of each of these days
      - ada NL 0-39
      - ada DE 10/12/30-39
    scenarios:
      - name: a country nobody in the organization has been in
        history: […]                    added to the file's
        events:
          - ada RU 10:00                (day 40; `+1 10:00` is a day later)
          - {who: ada, value: RU, at: "10:05", access_key: AKIA…}
        raises:
          - {variation: v2, who: ada, value: RU, at: "10:00", count: 2}

`raises: []` makes it a near-miss. Every finding from `today` on must be listed, in order of time; what building the
history raised on the way (a second country is news, too) is not looked at.

A finding is told by its variation and its whole deduplication key. Each field of `deduplicate_by` (and the identity,
where there is one) must be the one the entry speaks of: from its `key: {field: …}`, else from its `value`, else from
its `who`, else from the file's `fields`; a field that none of them gives is a fault of the scenario. Severity, name and
ATT&CK ids are always those of the detection's variation. What an entry may say besides:

    severity, name                      as in the tables the detection was made from
    says                                a piece of the explanation, or a list of them
    matched                             every variation that matched: base v1 v2
    key                                 what of the deduplication key neither `who` nor `value` says
    count, suppressed_count, …          any other field of the finding, as text

`who`, `value` and `at` are the finding's first event; `value` may be left out where the key does not need it.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence, TypeVar

import yaml

from cba.detection.model import Detection
from cba.terms import SECONDS_PER_DAY
from tests.support.pipeline import Pipeline, Seen

FOLDER = Path(__file__).resolve().parents[2] / "content" / "detections"
FIRST_DAY = 20_454  # 2026-01-01
Pipe = TypeVar("Pipe", bound=Pipeline)
_SHORT = re.compile(r"^(?P<who>\w+) (?P<value>\S+) (?P<when>.+)$")
_CLOCK = re.compile(r"^(?:\+(?P<days>\d+) )?(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?$")


@dataclasses.dataclass(frozen=True)
class Expected:
    """A finding that must come: `fields` of the event that raises it, `says` pieces of its explanation, `states` what
    else the scenario states of it, by the finding's field."""

    variation: str
    first_time: int
    fields: Mapping[str, str]
    says: tuple[str, ...]
    states: Mapping[str, str]

    def key(self, detection: Detection) -> list[str]:
        """The deduplication key, field by field."""
        for name in detection.deduplicate_by:
            assert name in self.fields, f"the scenario does not say the {name} of variation {self.variation}: add key:"
        return [self.fields[name] for name in detection.deduplicate_by]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One case of a detection: every event it needs, and the findings that must come of it."""

    detection: str
    name: str
    events: tuple[Seen, ...]
    raises: tuple[Expected, ...]
    today: int
    lists: Mapping[str, Sequence[Mapping[str, object]]]
    settings: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.detection}: {self.name}"

    def pipeline(self, detection: Detection, kind: type[Pipe] = Pipeline, **options: Any) -> Pipe:  # type: ignore[assignment]
        """A pipeline with the scenario's lists and settings."""
        return kind(detection, lists=self.lists, **self.settings, **options)


def load(detection: str) -> list[Scenario]:
    """The scenarios of a detection."""
    document = yaml.safe_load((FOLDER / detection / "scenarios.yml").read_text("utf-8"))
    return [_scenario(detection, document, case) for case in document["scenarios"]]


def load_all() -> list[Scenario]:
    return [scenario for path in sorted(FOLDER.iterdir()) for scenario in load(path.name)]


def _scenario(detection: str, document: Mapping[str, Any], case: Mapping[str, Any]) -> Scenario:
    people = {**document["who"], **case.get("who", {})}
    today = FIRST_DAY + int(case.get("today", document["today"]))
    past = case.get("only_history", document.get("history", [])) + case.get("history", [])
    value, more = document.get("value", "country"), document.get("fields", {})
    lines = [*_history(past), *_today(today, case["events"])]
    events = [_event(people, value, more, *line) for line in lines]
    numbered = tuple(dataclasses.replace(event, event_id=f"e{at}") for at, event in enumerate(events))
    raises = tuple(_expected(people, value, more, today, case["raises"]))
    lists = {**document.get("lists", {})}
    for name, rows in case.get("lists", {}).items():
        lists[name] = [*lists.get(name, ()), *rows]
    return Scenario(detection, case["name"], numbered, raises, today, lists, case.get("settings", {}))


def _history(lines: list[Any]) -> Iterator[tuple[str, str, int, Any]]:
    for line in lines:
        who, value, days = _parts(line)
        for day in _days(days):
            yield who, value, (FIRST_DAY + day) * SECONDS_PER_DAY + 12 * 3600, line


def _today(today: int, lines: list[Any]) -> Iterator[tuple[str, str, int, Any]]:
    for line in lines:
        who, value, at = _parts(line)
        yield who, value, _time(today, at), line


def _parts(line: Any) -> tuple[str, str, str]:
    if isinstance(line, Mapping):
        return line["who"], str(line.get("value", "-")), str(line.get("at", line.get("days")))
    match = _SHORT.match(line)
    assert match, f"not `who value when`: {line!r}"
    return match["who"], match["value"], match["when"]


def _event(
    people: Mapping[str, Any], name: str, more: Mapping[str, Any], who: str, value: str, time: int, line: Any
) -> Seen:
    own = line if isinstance(line, Mapping) else {}
    source = people[who]["source"]
    address = {} if source == "endpoint" else {"src_ip": f"ip-{value}"}
    fields = {**address, "source_kind": source, **more, **people[who], **own}
    for key in ("source", "who", "value", "at", "days"):
        fields.pop(key, None)
    if value != "-":
        fields[name] = value
    return Seen(time, "", {key: str(field) for key, field in fields.items() if field != "-"})


def _days(text: str) -> Iterator[int]:
    for part in text.split("/"):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _time(today: int, at: str) -> int:
    match = _CLOCK.match(at)
    assert match, f"not a time of day: {at!r}"
    seconds = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"] or 0)
    return (today + int(match["days"] or 0)) * SECONDS_PER_DAY + seconds


def _expected(
    people: Mapping[str, Any], name: str, more: Mapping[str, Any], today: int, raises: list[Mapping[str, Any]]
) -> Iterator[Expected]:
    for given in raises:
        entry = dict(given)
        fields = {**more, **people[entry.pop("who")], **({name: entry.pop("value")} if "value" in entry else {})}
        fields |= entry.pop("key", {})
        said = entry.pop("says", [])
        yield Expected(
            variation=str(entry.pop("variation")),
            first_time=_time(today, str(entry.pop("at"))),
            fields={field: str(value) for field, value in fields.items()},
            says=(said,) if isinstance(said, str) else tuple(said),
            states={"variations_matched" if k == "matched" else k: str(value) for k, value in entry.items()},
        )
