"""The circuit breaker: at which match it opens, however the matches are searched, and when it closes."""

from __future__ import annotations

import dataclasses
import random as randomness
from typing import Any, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.detection.model import Detection
from cba.detection.reader import Document, read_detection
from cba.errors import DetectionErrors, OptionError
from cba.findings.breaker import Breaker, Opening, Quarters, decode_counts, encode_counts
from cba.findings.windows import Sighting
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY, bucket_of
from tests.support.effort import examples
from tests.support.memory import MemoryBreaker
from tests.support.pipeline import Delivery, Pipeline, Seen, replay

DETECTION = get("cloud_unusual_country")
START = 20_500 * SECONDS_PER_DAY
HOUR = 3600
THRESHOLD = 5


def match(second: int, part: str = "", indexed: int = 0) -> Sighting:
    """One row whose first event is `second` seconds into the first day."""
    time = START + second
    name = part or f"row {second}"
    return Sighting(name, name, name, bucket_of(time), bucket_of(indexed or time), (time,), 1, "base", "base", {})


def matches(*seconds: int) -> list[Sighting]:
    return [match(second) for second in seconds]


def run(store: MemoryBreaker, found: Sequence[Sighting], chunk: int = 50_000) -> list[Sighting]:
    """One search: a breaker of its own, chunk by chunk; the matches that may raise."""
    breaker = Breaker(THRESHOLD, store)
    admitted: list[Sighting] = []
    for start in range(0, len(found), chunk):
        part = found[start : start + chunk]
        admitted += [each for each, passes in zip(part, breaker.admit(part)) if passes]
    return admitted


def seconds(found: Iterable[Sighting]) -> list[int]:
    return sorted(each.seconds[0] - START for each in found)


def test_the_match_that_fills_the_threshold_is_the_last_to_raise() -> None:
    store = MemoryBreaker()
    assert seconds(run(store, matches(0, 60, 1_000, 2_000, 3_000, 3_001, 90_000))) == [0, 60, 1_000, 2_000, 3_000]
    assert store.state.open == Opening(START + 3_000, "row 3000")


def test_one_key_from_many_addresses_is_no_flood() -> None:
    store = MemoryBreaker()
    rows = [dataclasses.replace(match(at % 900, "ann RU"), part=f"{at}", counted=f"{at}") for at in range(6_000)]
    assert run(store, rows) == rows
    assert store.state.open is None and sum(store.state.counts.values()) == 1


def test_below_the_threshold_it_stays_closed() -> None:
    store = MemoryBreaker()
    found = matches(0, 60, 1_000, 2_000)
    assert run(store, found) == found
    assert store.state.open is None and store.state.matches(START + HOUR) == 4


def test_the_24_hours_slide() -> None:
    store = MemoryBreaker()
    spread = matches(0, 6 * HOUR, 12 * HOUR, 18 * HOUR, 24 * HOUR, 30 * HOUR)
    assert run(store, spread) == spread, "never five in 24 hours"
    assert run(MemoryBreaker(), matches(0, 6 * HOUR, 12 * HOUR, 18 * HOUR, 24 * HOUR - 1, 30 * HOUR)) != spread


def test_matches_of_one_second_are_ordered_by_their_row() -> None:
    burst = [match(60, f"row {n}") for n in range(9)]
    randomness.Random(7).shuffle(burst)
    store = MemoryBreaker()
    assert sorted(each.part for each in run(store, burst)) == [f"row {n}" for n in range(THRESHOLD)]
    assert sorted(each.part for each in run(store, burst)) == [f"row {n}" for n in range(THRESHOLD)], "again"


def test_a_match_that_comes_twice_counts_once() -> None:
    store = MemoryBreaker()
    found = matches(0, 60, 1_000, 2_000)
    run(store, [*found, *found])
    assert run(store, found) == found and store.state.open is None


def test_it_is_said_once() -> None:
    store = MemoryBreaker()
    breaker = Breaker(THRESHOLD, store)
    said = []
    for second in range(9):
        breaker.admit([match(second)])
        said.append(breaker.opened_now)
    assert [opening is not None for opening in said] == [False] * 4 + [True] + [False] * 4
    again = Breaker(THRESHOLD, store)
    again.admit(matches(*range(9)))
    assert again.opened_now is None


def test_acknowledged_it_raises_from_the_next_bucket_on_and_counts_anew() -> None:
    store = MemoryBreaker()
    flood = matches(*range(9))
    run(store, flood)
    said = store.state.acknowledge(START + 2 * HOUR + 100, "ines", "fixed")
    store.acknowledge(store.state, said)
    assert store.state.open is None
    assert said.resumes == START + 2 * HOUR + BUCKET_SECONDS
    assert run(store, matches(HOUR, 2 * HOUR + 200)) == [], "happened while it was open"
    assert seconds(run(store, flood)) == [0, 1, 2, 3, 4], "what was raised before stays as it was"
    later = matches(*range(3 * HOUR, 3 * HOUR + 6))
    assert seconds(run(store, later)) == [3 * HOUR + n for n in range(5)], "it opens again"
    assert store.state.open == Opening(START + 3 * HOUR + 4, f"row {3 * HOUR + 4}")
    assert len(store.state.openings) == 2


def test_acknowledging_what_is_not_open() -> None:
    store = MemoryBreaker()
    with pytest.raises(OptionError, match="the breaker is not open"):
        store.state.acknowledge(START, "ines", "")
    run(store, matches(*range(100, 109)))
    with pytest.raises(OptionError, match="ends before the breaker opened"):
        store.state.acknowledge(START, "ines", "")


def test_acknowledged_at_the_very_second_it_opened() -> None:
    store = MemoryBreaker()
    run(store, matches(0, 1, 2, 3, BUCKET_SECONDS))
    store.acknowledge(store.state, store.state.acknowledge(START + BUCKET_SECONDS, "ines", ""))
    assert store.state.open is None


def test_old_counts_are_forgotten() -> None:
    store = MemoryBreaker()
    for day in range(30):
        run(store, matches(day * SECONDS_PER_DAY, day * SECONDS_PER_DAY + HOUR))
    assert len(store.state.counts) <= 8


def test_counts_survive_the_store() -> None:
    counts = {Quarters(START, START): 3, Quarters(START, START + 900): 1, Quarters(START + 900, 0): 4999}
    assert decode_counts(encode_counts(counts)) == counts


def test_the_threshold_is_data_of_the_detection() -> None:
    assert DETECTION.breaker == 5000
    populations = load().populations

    def read(threshold: object) -> Detection:
        return read_detection(Document("d.yml", {**DETECTION.document, "breaker": threshold}), populations)

    assert read(10).breaker == 10
    with pytest.raises(DetectionErrors, match=r"d.yml: breaker: a whole number of at least 1 is needed"):
        read(0)


TIMES = st.lists(st.integers(0, 3 * SECONDS_PER_DAY), max_size=40, unique=True)


def oracle(times: Sequence[int]) -> list[int]:
    """Which of these seconds may raise: literally, match by match."""
    raised: list[int] = []
    for time in sorted(times):
        bucket = time // BUCKET_SECONDS
        before = [each for each in raised if bucket - 96 < each // BUCKET_SECONDS]
        raised.append(time)
        if len(before) + 1 >= THRESHOLD:
            return raised
    return raised


@examples(100)
@given(TIMES, st.sampled_from([900, HOUR, 6 * HOUR, SECONDS_PER_DAY]), st.randoms(use_true_random=False))
def test_in_order_any_cadence_raises_the_same_matches(times: list[int], cadence: int, random: Any) -> None:
    store = MemoryBreaker()
    raised: set[int] = set()
    for now in range(cadence, 3 * SECONDS_PER_DAY + cadence + 1, cadence):
        window = [time for time in times if now - cadence <= time < now]
        random.shuffle(window)
        raised.update(seconds(run(store, matches(*window))))
    assert sorted(raised) == oracle(times)


def test_rows_of_one_quarter_of_an_hour_that_are_indexed_in_several_are_counted_together() -> None:
    """Half of each quarter's rows come with the next run: 24 hours of them are as many matches as if they came at once."""
    found = [match(900 * n + m, indexed=START + 900 * (n + 1 + m)) for n in range(3) for m in range(2)]
    store = MemoryBreaker()
    for quarter in sorted({each.indexed for each in found}):
        run(store, [each for each in found if each.indexed == quarter])
    assert store.state.open is not None


@examples(50)
@given(TIMES)
def test_searching_everything_again_changes_nothing(times: list[int]) -> None:
    store = MemoryBreaker()
    first = seconds(run(store, matches(*times)))
    state = store.state
    assert seconds(run(store, matches(*times))) == first == oracle(times)
    assert store.state == state


# ---- With histories and findings around it ---------------------------------------------------------------------------

PEOPLE = [f"person-{n}" for n in range(12)]


def event(day: int, second: int, who: str, country: str) -> Seen:
    time = START + day * SECONDS_PER_DAY + second
    return Seen(time, f"{time}{who}", {"source_kind": "aws", "project": "p", "identity": who, "country": country})


@pytest.mark.parametrize("cadence", [900, HOUR, SECONDS_PER_DAY])
def test_an_open_breaker_raises_nothing_and_learns_on(cadence: int) -> None:
    """A wrong IP database puts everybody abroad: the first five are raised, the others learned, at any cadence."""
    detection = dataclasses.replace(DETECTION, breaker=THRESHOLD)
    events = [event(day, 43_200, who, "NL") for day in range(20) for who in PEOPLE]
    events += [event(20, 30_000 + 400 * n, who, "BR") for n, who in enumerate(PEOPLE)]
    deliveries = [Delivery(seen, seen.time + 60) for seen in events]
    pipeline = replay(Pipeline(detection), deliveries, cadence, START + 20 * SECONDS_PER_DAY)
    assert [finding["identity"] for finding in pipeline.found()] == PEOPLE[:THRESHOLD]
    learned = pipeline.histories.values("identity_country")
    assert learned == {who: {"NL", "BR"} for who in PEOPLE}
