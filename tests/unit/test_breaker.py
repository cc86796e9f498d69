"""Circuit breakers: at which match they open, for which severities, however the matches are searched, and when they close."""

from __future__ import annotations

import dataclasses
import random as randomness
from collections import Counter
from typing import Any, Iterable, NamedTuple, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.detection.model import Detection
from cba.detection.reader import Document, read_detection
from cba.errors import DetectionErrors, OptionError
from cba.findings import breaker as breakers
from cba.findings.breaker import Breaker, Match, Opened, decode_matches, encode_matches
from cba.findings.windows import Sighting
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY, bucket_of
from tests.support.effort import examples
from tests.support.memory import MemoryBreaker
from tests.support.pipeline import Delivery, Pipeline, Seen, replay

THRESHOLD = 5
DETECTION = dataclasses.replace(get("cloud_unusual_country"), breaker=THRESHOLD)
START = 20_500 * SECONDS_PER_DAY
HOUR = 3600
INFORMATIONAL, MEDIUM, HIGH = "base", "v2", "v7"
RANKS = {INFORMATIONAL: 1, MEDIUM: 3, HIGH: 4}

Pair = tuple[str, Sighting]


def match(second: int, key: str = "", entity: str = "", variation: str = INFORMATIONAL, suspected: str = "") -> Pair:
    """One row whose first event is `second` seconds into the first day; by itself, of somebody of its own."""
    time, name = START + second, key or f"key {second}"
    suspected = suspected or variation
    return entity or name, Sighting(
        name, name, name, bucket_of(time), bucket_of(time), (time,), 1, variation, suspected, {}
    )


def matches(*seconds: int, variation: str = INFORMATIONAL) -> list[Pair]:
    return [match(second, variation=variation) for second in seconds]


def run(store: MemoryBreaker, found: Sequence[Pair], chunk: int = 50_000) -> list[Pair]:
    """One search: breakers of its own, chunk by chunk; the matches that may raise."""
    admitted, _opened = search(store, found, chunk)
    return admitted


def search(store: MemoryBreaker, found: Sequence[Pair], chunk: int = 50_000) -> tuple[list[Pair], list[Opened]]:
    breaker = Breaker(DETECTION, store)
    admitted: list[Pair] = []
    opened: list[Opened] = []
    for start in range(0, len(found), chunk):
        part = found[start : start + chunk]
        admission = breaker.admit(part)
        breaker.keep()
        admitted += [(entity, seen) for (entity, _s), seen in zip(part, admission.sightings) if seen is not None]
        opened += admission.opened
    return admitted, opened


def seconds(found: Iterable[Pair]) -> list[int]:
    return sorted(seen.seconds[0] - START for _entity, seen in found)


def test_the_match_that_fills_the_threshold_is_the_last_to_raise() -> None:
    store = MemoryBreaker()
    admitted, opened = search(store, matches(0, 60, 1_000, 2_000, 3_000, 3_001, 90_000))
    assert seconds(admitted) == [0, 60, 1_000, 2_000, 3_000]
    assert store.state.open is not None and store.state.open.time == START + 3_000
    assert [(each.entity, each.opening) for each in opened] == [(None, store.state.open)]


def test_one_key_from_many_addresses_all_day_long_is_no_flood() -> None:
    store = MemoryBreaker()
    one = [match(14 * at, "ann RU", "ann") for at in range(6_000)]
    rows = [(who, dataclasses.replace(seen, part=f"{at}", counted=f"{at}")) for at, (who, seen) in enumerate(one)]
    assert run(store, rows, 500) == rows
    assert store.state.open is None and len(store.state.matches) == 1


def test_a_key_in_lesser_severities_is_a_repeat_and_in_a_greater_one_a_match() -> None:
    store = MemoryBreaker()
    found = [match(at, "ann RU", variation=variation) for at, variation in enumerate((MEDIUM, INFORMATIONAL, HIGH) * 9)]
    assert run(store, found) == found
    assert store.state.open is None


def test_what_is_more_severe_than_the_flood_is_still_raised() -> None:
    store = MemoryBreaker()
    run(store, matches(*range(9)))
    assert run(store, matches(20, 21)) == []
    severe = matches(30, 31, 32, 33, 34, 35, variation=HIGH)
    assert seconds(run(store, severe)) == [30, 31, 32, 33, 34], "until these are a flood themselves"
    assert run(store, matches(40, variation=HIGH)) == [] == run(store, matches(41, variation=MEDIUM))
    assert [opening.rank for opening in store.state.openings] == [1, 4]


def test_one_severe_match_does_not_make_the_flood_severe() -> None:
    """An attacker floods, and does what is severe as one of the flood: the next severe thing is raised all the same."""
    store = MemoryBreaker()
    run(store, [*matches(0, 1, 2), match(3, variation=HIGH), *matches(4, 5, 6)])
    assert store.state.open is not None and store.state.open.rank == 1
    assert seconds(run(store, matches(50, variation=HIGH))) == [50]


def test_what_is_silenced_is_raised_where_its_identity_turns_out_to_be_suspicious() -> None:
    store = MemoryBreaker()
    run(store, matches(*range(9)))
    ((_who, seen),) = run(store, [match(60, suspected="v6")])
    assert (seen.plain, seen.suspected) == ("", "v6")


def test_an_entity_that_floods_silences_itself_until_the_day_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "ENTITY_LIMIT", 2)
    store = MemoryBreaker()
    flood = [match(60 * n, f"eve {n}", "eve") for n in range(900)]
    admitted, opened = search(store, flood, 100)
    assert seconds(admitted) == [0, 60]
    assert [(each.entity, each.limit, each.opening.time) for each in opened] == [("eve", 2, START + 60)]
    assert store.state.open is None, "of the others nothing is silenced"
    assert len(run(store, matches(70_000))) == 1
    assert run(store, [match(70_001, "eve again", "eve")]) == []
    assert len(run(store, [match(70_002, "eve worse", "eve", HIGH)])) == 1
    assert len(run(store, [match(70_003, "eve 1", "eve")])) == 1, "it is counted in a finding there is"
    assert len(run(store, [match(SECONDS_PER_DAY, "eve tomorrow", "eve")])) == 1


def test_below_the_threshold_it_stays_closed() -> None:
    store = MemoryBreaker()
    found = matches(0, 60, 1_000, 2_000)
    assert run(store, found) == found
    assert store.state.open is None and store.state.count(START + HOUR) == 4


def test_the_24_hours_slide() -> None:
    store = MemoryBreaker()
    spread = matches(0, 6 * HOUR, 12 * HOUR, 18 * HOUR, 24 * HOUR, 30 * HOUR)
    assert run(store, spread) == spread, "never five in 24 hours"
    assert run(MemoryBreaker(), matches(0, 6 * HOUR, 12 * HOUR, 18 * HOUR, 24 * HOUR - 1, 30 * HOUR)) != spread


def test_matches_of_one_second_have_an_order() -> None:
    burst = [match(60, f"row {n}") for n in range(9)]
    store, other = MemoryBreaker(), MemoryBreaker()
    first = sorted(entity for entity, _seen in run(store, burst))
    randomness.Random(7).shuffle(burst)
    assert sorted(entity for entity, _seen in run(other, burst)) == first and len(first) == THRESHOLD
    assert sorted(entity for entity, _seen in run(store, burst)) == first, "again"


def test_it_is_said_once() -> None:
    store = MemoryBreaker()
    said = [len(search(store, [match(second)])[1]) for second in range(9)]
    assert said == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert search(store, matches(*range(9)))[1] == []


def test_a_run_that_dies_before_it_has_kept_anything_says_it_again() -> None:
    store = MemoryBreaker()
    assert len(Breaker(DETECTION, store).admit(matches(*range(9))).opened) == 1
    assert len(search(store, matches(*range(9)))[1]) == 1


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
    assert store.state.open is not None and store.state.open.time == START + 3 * HOUR + 4
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


def test_old_matches_are_forgotten() -> None:
    store = MemoryBreaker()
    for day in range(30):
        run(store, matches(day * SECONDS_PER_DAY, day * SECONDS_PER_DAY + HOUR))
    assert len(store.state.matches) == 2 * breakers.KEPT_DAYS


def test_what_is_kept_is_small_however_long_the_names_are() -> None:
    """A flood of a million different names costs what the threshold lets through, and 23 bytes each."""
    store = MemoryBreaker()
    for day in range(3):
        run(store, [match(day * SECONDS_PER_DAY + at, f"{at} {'x' * 5_000}") for at in range(500)])
    assert len(store.state.matches) == THRESHOLD
    assert len(encode_matches(store.state.matches)) < 45 * THRESHOLD


def test_matches_survive_the_store() -> None:
    found = {Match(20_500, "a", "b", 1): START + 5, Match(20_500, "a", "c", 3): START, Match(20_501, "d", "b", 2): START + SECONDS_PER_DAY}  # fmt: skip
    assert decode_matches(encode_matches(found)) == found


def test_the_threshold_is_data_of_the_detection() -> None:
    assert get(DETECTION.id).breaker == 5000
    populations = load().populations

    def read(threshold: object) -> Detection:
        return read_detection(Document("d.yml", {**DETECTION.document, "breaker": threshold}), populations)

    assert read(10).breaker == 10
    with pytest.raises(DetectionErrors, match=r"d.yml: breaker: a whole number of at least 1 is needed"):
        read(0)


class Drawn(NamedTuple):
    """A match that a property test draws."""

    second: int
    key: int
    entity: int
    variation: str

    @property
    def pair(self) -> Pair:
        return match(self.second, f"key {self.key} of {self.entity}", f"entity {self.entity}", self.variation)


LIMIT = 3
DRAWN = st.lists(
    st.builds(
        Drawn,
        st.integers(0, 3 * SECONDS_PER_DAY), st.integers(0, 30), st.integers(0, 4),
        st.sampled_from([INFORMATIONAL, INFORMATIONAL, INFORMATIONAL, MEDIUM, HIGH]),
    ),
    max_size=60, unique_by=lambda drawn: drawn.second,
)  # fmt: skip


def oracle(found: Sequence[Drawn]) -> set[Drawn]:
    """Which may raise: literally, match by match."""
    raised: list[Drawn] = []
    counted: list[Drawn] = []
    silenced, silenced_of = 0, Counter[tuple[int, int]]()

    def most(group: Sequence[Drawn]) -> int:
        ranks = [RANKS[each.variation] for each in group]
        return max(ranks, key=lambda rank: (ranks.count(rank), rank))

    for one in sorted(found):
        day, rank = one.second // SECONDS_PER_DAY, RANKS[one.variation]
        whose = (day, one.entity)
        alike = [e for e in raised if (e.second // SECONDS_PER_DAY, e.key, e.entity) == (day, one.key, one.entity)]
        if any(RANKS[each.variation] >= rank for each in alike):
            raised.append(one)
            continue
        if rank <= silenced or rank <= silenced_of[whose]:
            continue
        raised.append(one)
        counted.append(one)
        mine = [e for e in counted if (e.second // SECONDS_PER_DAY, e.entity) == whose]
        mine = [each for each in mine if RANKS[each.variation] > silenced_of[whose]]
        if len(mine) >= LIMIT:
            silenced_of[whose] = most(mine)
        lately = [
            each for each in counted if each.second > one.second - SECONDS_PER_DAY and RANKS[each.variation] > silenced
        ]
        if len(lately) >= THRESHOLD:
            silenced = most(lately)
    return set(raised)


@examples(100)
@given(DRAWN, st.sampled_from([900, HOUR, 6 * HOUR, SECONDS_PER_DAY]), st.randoms(use_true_random=False))
def test_in_order_any_cadence_raises_the_same_matches(drawn: list[Drawn], cadence: int, random: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(breakers, "ENTITY_LIMIT", LIMIT)
        store = MemoryBreaker()
        raised: list[int] = []
        said = 0
        for now in range(cadence, 3 * SECONDS_PER_DAY + cadence + 1, cadence):
            window = [each.pair for each in drawn if now - cadence <= each.second < now]
            random.shuffle(window)
            admitted, opened = search(store, window)
            raised += seconds(admitted)
            said += len(opened)
        assert sorted(raised) == sorted(each.second for each in oracle(drawn))
        at_once = MemoryBreaker()
        assert len(search(at_once, [each.pair for each in drawn])[1]) == said
        assert at_once.state.openings == store.state.openings


@examples(50)
@given(DRAWN)
def test_searching_everything_again_changes_nothing(drawn: list[Drawn]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(breakers, "ENTITY_LIMIT", LIMIT)
        store = MemoryBreaker()
        found = [each.pair for each in drawn]
        first = seconds(run(store, found))
        state = store.state
        again, opened = search(store, found)
        assert seconds(again) == first == sorted(each.second for each in oracle(drawn))
        assert (store.state, opened) == (state, [])


# ---- With histories and findings around it ---------------------------------------------------------------------------

PEOPLE = [f"person-{n}" for n in range(12)]


def event(day: int, second: int, who: str, country: str) -> Seen:
    time = START + day * SECONDS_PER_DAY + second
    return Seen(time, f"{time}{who}", {"source_kind": "aws", "project": "p", "identity": who, "country": country})


@pytest.mark.parametrize("cadence", [900, HOUR, SECONDS_PER_DAY])
def test_an_open_breaker_says_so_raises_nothing_and_learns_on(cadence: int) -> None:
    """A wrong IP database puts everybody abroad: the first five are raised, and that it is too much; the others are
    learned, at any cadence."""
    events = [event(day, 43_200, who, "NL") for day in range(20) for who in PEOPLE]
    events += [event(20, 30_000 + 400 * n, who, "BR") for n, who in enumerate(PEOPLE)]
    deliveries = [Delivery(seen, seen.time + 60) for seen in events]
    pipeline = replay(Pipeline(DETECTION), deliveries, cadence, START + 20 * SECONDS_PER_DAY)
    raised = [finding for finding in pipeline.found() if finding["variation"] != "breaker"]
    assert [finding["identity"] for finding in raised] == PEOPLE[:THRESHOLD]
    (flood,) = [finding for finding in pipeline.found() if finding["variation"] == "breaker"]
    assert (flood["severity"], flood["entity"], flood["first_time"]) == (
        "medium",
        "organization",
        raised[-1]["first_time"],
    )
    assert flood["explanation"].startswith("cloud_unusual_country matched 5 times within the 24 hours to 2026-")
    learned = pipeline.histories.values("identity_country")
    assert learned == {who: {"NL", "BR"} for who in PEOPLE}
