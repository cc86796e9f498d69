"""Events by the thousand for any detection, made of what its scenario file is made of.

A `Variety` takes one scenario's past as it is, so that everybody is trained who is trained there, and lets anything
happen afterwards: the scenario's own events at other times, mostly around midnight, and now and then with somebody
else's fields, another value, or another of the values that the detection's conditions read.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any, Iterator, Mapping, Sequence

from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.detection.model import Detection, list_name
from cba.judging.rows import CANDIDATE_OF, GEO_FIELDS, SKIP_REASON, SOURCE_FIELD
from cba.terms import SECONDS_PER_DAY
from tests.scenarios.scenario import Pipe, Scenario, load_all
from tests.support.pipeline import Pipeline, Seen

MOST_EVENTS = 10
MOST_DAYS = 7
# Where days, hours and quarters of an hour meet.
EDGES = (0, 600, 5_000, 36_000, 36_899, 80_000, 84_600, 86_399)
DAYS = (0, 0, 0, 1, 1, 2, 3)
BURSTS = (1,) * 12 + (3, 12, 25)
"""How often an event happens, a few seconds apart: signals may take ten or twenty."""

NOT_CHANGED = (SOURCE_FIELD, CANDIDATE_OF, "event_id")

Fields = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Variety:
    """One scenario's past, and the fields of which what happens later is made."""

    scenario: Scenario
    detection: Detection
    past: tuple[Seen, ...]
    own: tuple[Fields, ...]
    others: tuple[Fields, ...]
    values: Mapping[str, tuple[str, ...]]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis shows it: the fields would fill pages."""
        printer.text(f"Variety({self.name!r})")

    @property
    def name(self) -> str:
        return self.scenario.name

    @property
    def since(self) -> int:
        """The second at which the past ends."""
        return self.scenario.today * SECONDS_PER_DAY

    def pipeline(self, kind: type[Pipe] = Pipeline, **options: Any) -> Pipe:  # type: ignore[assignment]
        """A pipeline of the detection with the scenario's lists and settings."""
        return self.scenario.pipeline(self.detection, kind, **options)

    @functools.cached_property
    def lists(self) -> st.SearchStrategy[list[Seen]]:
        """Lists of events after the past, each event once, in any order."""
        return st.lists(self._events(), min_size=1, max_size=MOST_EVENTS).map(_each_once)

    def _events(self) -> st.SearchStrategy[list[Seen]]:
        return st.builds(
            self._burst,
            fields=st.one_of(st.sampled_from(self.own), st.sampled_from(self.own), self._changed()),
            day=st.sampled_from((*DAYS, self.detection.periods.deduplication)),
            second=st.one_of(st.sampled_from(EDGES), st.integers(0, SECONDS_PER_DAY - 1)),
            operation=st.sampled_from(("Get", "List (failed)", "Put")),
            times=st.sampled_from(BURSTS),
        )

    def _burst(self, fields: Fields, day: int, second: int, operation: str, times: int) -> list[Seen]:
        start = self.since + day * SECONDS_PER_DAY + second
        told = {**fields, "operation": operation} if _has(fields[SOURCE_FIELD], "operation") else fields
        return [Seen(start + 7 * at, "", told) for at in range(times)]

    def _changed(self) -> st.SearchStrategy[Fields]:
        """An event of any scenario of the file, or one of this scenario's with one field of another."""
        names = [name for name, values in self.values.items() if len(values) > 1]
        foreign = st.sampled_from(self.others)
        if not names:
            return foreign

        @st.composite
        def with_another_value(draw: st.DrawFn) -> Fields:
            fields = dict(draw(st.sampled_from(self.own)))
            known = [name for name in names if _has(fields[SOURCE_FIELD], name)]
            if not known:
                return fields
            name = draw(st.sampled_from(known))
            value = draw(st.sampled_from(self.values[name]))
            fields.pop(name, None)
            return {**fields, name: value} if value else fields

        return st.one_of(with_another_value(), foreign)


def of_source(source: str) -> list[Variety]:
    """Those of all detections of a source in which something happens there."""
    mine = (detection.id for detection in load().detections.values() if source in detection.sources)
    every = (variety for name in mine for variety in of_detection(name))
    return [variety for variety in every if any(fields[SOURCE_FIELD] == source for fields in variety.own)]


@functools.cache
def of_detection(detection_id: str) -> list[Variety]:
    """One for each way in which the scenarios that raise something begin."""
    detection = get(detection_id)
    mine = [scenario for scenario in _scenarios() if scenario.detection == detection_id]
    everything = [event.fields for scenario in mine for event in scenario.events]
    others = tuple(_distinct(everything))
    read = [name for name in (*detection.fields, SKIP_REASON, *GEO_FIELDS) if name not in NOT_CHANGED]
    values = {name: tuple(dict.fromkeys(f.get(name, "") for f in everything)) for name in dict.fromkeys(read)}
    found = []
    for scenario in mine:
        since = scenario.today * SECONDS_PER_DAY
        past = tuple(_thinned([event for event in scenario.events if event.time < since]))
        own = tuple(_distinct(event.fields for event in scenario.events if event.time >= since))
        if scenario.raises:
            found.append(Variety(scenario, detection, past, own, others, values))
    return found


@functools.cache
def _scenarios() -> list[Scenario]:
    return load_all()


def _each_once(bursts: list[list[Seen]]) -> list[Seen]:
    """Of events that are alike in one second, one."""
    found = {
        (event.time, tuple(sorted(event.fields.items()))): event for event in itertools.chain.from_iterable(bursts)
    }
    return [dataclasses.replace(event, event_id=f"{time} {fields}") for (time, fields), event in found.items()]


def _has(source: str, name: str) -> bool:
    """Whether the rows of a source have the field."""
    shape = load().sources[source]
    return name in shape.row_fields or list_name(name) in shape.listed or (shape.geo and name in GEO_FIELDS)


def _thinned(events: Sequence[Seen]) -> Iterator[Seen]:
    """Of what happens day after day some days, from the first to the last: enough for everybody to be trained."""
    series: dict[tuple[tuple[str, str], ...], list[Seen]] = {}
    for event in events:
        series.setdefault(tuple(sorted(event.fields.items())), []).append(event)
    for same in series.values():
        step = max(1, (len(same) - 1) / (MOST_DAYS - 1))
        yield from (same[round(at * step)] for at in range(min(len(same), MOST_DAYS)))


def _distinct(fields: Iterator[Fields] | Sequence[Fields]) -> list[Fields]:
    return list({tuple(sorted(each.items())): each for each in fields}.values())
