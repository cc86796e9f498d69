"""A trial of a detection's rows under today's settings finds what its search has found; under others, what they say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.backtest.compare import COMPARED, compare, judged_in_full_since, read_changes, with_changes
from cba.backtest.trial import Trial
from cba.detection.catalogue import get, load
from cba.detection.model import Detection
from cba.errors import OptionError
from cba.history.days import KEPT_DAYS
from cba.judging import judge
from cba.settings import defaults
from cba.settings.effects import tuned
from tests.scenarios.scenario import load_all
from tests.support.effort import examples
from tests.support.memory import MemoryFindings
from tests.support.pipeline import Pipeline, Seen, stored
from tests.support.variety import of_detection

COUNTRY = get("cloud_unusual_country")
SCENARIOS = load_all()


def trial(pipeline: Pipeline, events: list[Seen], detection: Detection, batch: int = judge.BATCH) -> Trial:
    """The detection over everything that has happened, with what the pipeline has learned."""
    stores = dataclasses.replace(pipeline.stores, findings=MemoryFindings())
    made = Trial(detection, pipeline.catalogue, pipeline.settings, lambda _source: stores, now=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "BATCH", batch)
        made.take(pipeline.reduce(events))
    assert not made.fault
    return made


def found(findings: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("finding_id", "variation", "entity", "first_time", "last_time", "count", "explanation")
    return sorted(tuple(document[name] for name in names) for document in findings.values())


@pytest.mark.parametrize("detection_id", load().detections)
def test_today_s_settings_find_what_the_search_has_found(detection_id: str) -> None:
    detection = get(detection_id)
    pasts = st.sampled_from(of_detection(detection_id))

    @examples(20)
    @given(pasts.flatmap(lambda past: st.tuples(st.just(past), past.lists)), st.integers(1, 40))
    def holds(happening: tuple[Any, list[Seen]], batch: int) -> None:
        past, events = happening
        everything = [*past.past, *events]
        pipeline = past.pipeline()
        pipeline.search(everything)
        before = stored(pipeline)
        assert found(trial(pipeline, everything, detection, batch).findings) == found(pipeline.findings.documents)
        assert stored(pipeline) == before, "it only reads"

    holds()


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.raises], ids=lambda scenario: scenario.id)
def test_a_source_that_is_never_active_raises_nothing(scenario: Any) -> None:
    """A change that silences everything silences every detection's every variation."""
    detection = get(scenario.detection)
    pipeline = scenario.pipeline(detection)
    pipeline.search(scenario.events)
    assert found(pipeline.findings.documents) != []
    never = tuned(detection, {"activation_days": "89", "training_days": "30"})
    assert trial(pipeline, list(scenario.events), never).findings == {}


def at(day: int, country: str) -> Seen:
    fields = {"identity": "ann", "project": "p", "identity_type": "user", "country": country, "source_kind": "aws"}
    return Seen((20_000 + day) * 86_400 + 36_000, f"{day}{country}", {"src_ip": f"address in {country}", **fields})


def test_a_stricter_threshold_raises_again_what_had_settled() -> None:
    """NL every day, DE on days 40, 41 and 45: two days establish a country, unless four are asked for."""
    events = [at(day, "NL") for day in range(46)] + [at(day, "DE") for day in (40, 41, 45)]
    detection = dataclasses.replace(COUNTRY, periods=dataclasses.replace(COUNTRY.periods, deduplication=1))
    pipeline = Pipeline(detection)
    pipeline.search(events)
    now = trial(pipeline, events, detection).findings
    changes = with_changes(defaults()["detections"], {"established_days": "4", "established_age_days": "29"})
    changed = trial(pipeline, events, tuned(detection, changes)).findings
    beside = [(row[8], row[-2], row[-1]) for row in compare(detection, now, changed) if row[0]]
    first = [str(event.time) for event in events[-3:]]
    assert beside == [(first[0], "1", "1"), (first[1], "1", "1"), (first[2], "0", "1")]


def test_a_finding_that_changes_its_variation_stands_on_both_sides() -> None:
    shared = dict.fromkeys(
        ("name", "severity", "severity_id", "entity", "key", "last_time", "count", "explanation"), "x"
    )
    document = {"finding_id": "f", "detection": COUNTRY.id, "first_time": 5, **shared}
    rows = list(compare(COUNTRY, {"f": {**document, "variation": "v1"}}, {"f": {**document, "variation": "v2"}}))
    assert [(row[2], row[-2], row[-1]) for row in rows if row[0]] == [("v1", "1", "0"), ("v2", "0", "1")]


def test_a_variation_that_raises_nothing_is_named_too() -> None:
    rows = [dict(zip(COMPARED, row)) for row in compare(COUNTRY, {}, {})]
    assert [(row["variation"], row["name"], row["severity"]) for row in rows] == [
        (variation.id, variation.name, variation.severity) for variation in COUNTRY.all_variations
    ]
    assert {(row["finding_id"], row["now"], row["changed"]) for row in rows} == {("", "0", "0")}


def test_the_breaker_stops_a_trial_as_it_stops_a_search() -> None:
    events = [at(day, "NL") for day in range(40)] + [at(40, country) for country in ("DE", "FR", "IT")]
    detection = dataclasses.replace(COUNTRY, breaker=2)
    pipeline = Pipeline(detection)
    pipeline.search(events)
    tried = trial(pipeline, events, detection)
    assert tried.opening is not None and tried.opening.time == events[-1].time
    assert found(tried.findings) == found(pipeline.findings.documents)
    assert sorted(str(each["variation"]) for each in tried.findings.values()) == ["breaker", "v2", "v2"]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        ("training_days=20", {"training_days": "20"}),
        (" training_days = 20 , established_days=now;trained_days=2 ", {"training_days": "20", "trained_days": "2"}),
        ("training_days=20 variation_precedence=listed", {"training_days": "20", "variation_precedence": "listed"}),
        ("trained_days=", {"trained_days": ""}),
    ],
)
def test_changes_are_read(text: str, changes: dict[str, str]) -> None:
    assert read_changes(text) == changes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("training_days", "cannot be read from 'training_days' on; write setting=value"),
        ("training_days=20 and more", "cannot be read from 'and more' on"),
        ("runtime_granularity=exact", "runtime_granularity cannot be tried; what can be is training_days, "),
        ("trainingdays=3", "trainingdays cannot be tried"),
    ],
)
def test_what_cannot_be_tried_is_said(text: str, problem: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_changes(text)
    assert problem in str(caught.value)


def test_a_change_is_held_to_what_the_settings_accept() -> None:
    values = defaults()["detections"]
    with pytest.raises(OptionError, match=r"training_days\) is '400'\. It must be a whole number from 2 to 89"):
        with_changes(values, {"training_days": "400"})
    with pytest.raises(OptionError, match="nothing seen before could be old enough"):
        with_changes(values, {"training_days": "5"})


def test_histories_reach_back_a_hundred_days() -> None:
    assert judged_in_full_since(30, 1000) == 1000 - KEPT_DAYS + 30
