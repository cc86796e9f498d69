"""The judge of a source: what it writes and says does not depend on batches, on what it holds in memory, on rows it passes
over, on another judge beside it, or on a detection that fails."""

from __future__ import annotations

import dataclasses
import threading
import tracemalloc
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.errors import RowError, StoreError
from cba.history import remembered
from cba.history.history import Subject
from cba.judging import judge as judging
from cba.judging.detecting import DetectionJudge
from cba.judging.judge import Judge, Mode
from cba.judging.rows import Row
from cba.judging.stores import Stores
from cba.terms import BUCKET_SECONDS, SECONDS_PER_DAY, SOURCES
from tests.support.effort import MANY, examples
from tests.support.memory import MemoryHistories
from tests.support.pipeline import Delivery, Pipeline, Seen, differences, indexed, stored
from tests.support.variety import Variety, of_detection, of_source

COUNTRY = get("cloud_unusual_country")
RARE = get("process_rare_cloud_resource")
FIRST_DAY = 20_500
every_source = pytest.mark.parametrize("source", SOURCES)
every_detection = pytest.mark.parametrize("detection_id", load().detections)


def call(day: int, hour: float, who: str, country: str, **more: str) -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + int(hour * 3600)
    place = {"country": country, "src_ip": f"ip-{country}"}
    fields = {"source_kind": "aws", "project": "p", "identity": who, **place, **more}
    return Seen(time, f"{time}{sorted(fields.items())}", fields)


def days_of(who: str, country: str, days: Iterable[int] = range(21)) -> list[Seen]:
    return [call(day, 12, who, country) for day in days]


def told(pipeline: Pipeline, day: int = 21) -> list[tuple[str, str, str]]:
    """What was raised of a day and later: who, where, as what."""
    since = (FIRST_DAY + day) * SECONDS_PER_DAY
    return [(f["identity"], f["country"], f["variation"]) for f in pipeline.found() if f["first_time"] >= since]


def happened(data: st.DataObject, source: str) -> tuple[Pipeline, Pipeline, list[Seen]]:
    """Two pipelines of all detections of a source that know nothing yet, and events of the source."""
    variety: Variety = data.draw(st.sampled_from(of_source(source)))
    beside = [detection for detection in load().detections.values() if source in detection.sources]
    events = [*variety.past, *data.draw(variety.lists)]
    mine = [seen for seen in events if seen.source == source]
    return variety.pipeline(beside=beside), variety.pipeline(beside=beside), mine


# --- What it holds, and what it passes over ------------------------------------------------------------------------------


@every_source
def test_batches_and_histories_read_again_change_nothing(source: str) -> None:
    @examples(20)
    @given(st.data(), st.integers(1, 5), st.sampled_from([-1, 3, 200_000]))
    def holds(data: st.DataObject, batch: int, held: int) -> None:
        whole, pieces, events = happened(data, source)
        whole.search(events)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judging, "BATCH", batch)
            patch.setattr(remembered, "HELD_VALUES", held)
            pieces.search(events)
        assert differences(pieces.found(), whole.found()) == []
        assert pieces.histories.documents == whole.histories.documents

    holds()


@every_source
def test_rows_that_nobody_has_anything_to_say_about_change_nothing(source: str) -> None:
    """Compared with a judge that looks at every row."""

    @examples(30)
    @given(st.data(), st.integers(1, 4), st.sampled_from([0, 2, 20_000]))
    def holds(data: st.DataObject, batch: int, limit: int) -> None:
        busy, idle, events = happened(data, source)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judging, "BATCH", batch)
            patch.setattr(judging, "IDLE_LIMIT", limit)
            idle.search(events)
            patch.setattr(judging, "_idle_key", lambda _row: None)
            busy.search(events)
        assert differences(idle.found(), busy.found()) == []
        assert stored(idle) == stored(busy)

    holds()


def test_what_was_idle_on_one_day_teaches_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where both days stand in one batch, and the second goes on in another."""
    monkeypatch.setattr(judging, "BATCH", 3)
    pipeline = Pipeline(COUNTRY)
    pipeline.search(
        [call(0, 1, "ann", "NL"), call(1, 1, "bob", "NL"), call(1, 2, "bob", "NL"), call(1, 3, "ann", "NL")]
    )
    ann = Subject("identity_country", "ann")
    assert pipeline.histories.load([ann])[ann].all.values["NL"].encode() == f"{FIRST_DAY},{FIRST_DAY + 1},3"


def test_idle_rows_are_not_even_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "BATCH", 10)
    pipeline = Pipeline(COUNTRY)
    judge = pipeline.judge("aws")
    prepared: list[int] = []
    prepare = judge._preparer.prepare

    def counting(rows: Sequence[Row]) -> Any:
        prepared.append(len(rows))
        return prepare(rows)

    monkeypatch.setattr(judge._preparer, "prepare", counting)
    judge.take(row for _source, row in pipeline.reduce(call(0, n / 4, "ann", "NL") for n in range(96)))
    assert sum(prepared) == 10


def test_no_more_histories_are_held_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a batch brings comes on top."""
    monkeypatch.setattr(remembered, "HELD_VALUES", 20)
    monkeypatch.setattr(judging, "BATCH", 1)
    held: list[int] = []

    class Watched(MemoryHistories):
        def load(self, subjects: Any) -> Any:
            held.append(sum(len(known.all.values) for known in judge._histories._known.values()))
            return super().load(subjects)

    pipeline = Pipeline(RARE)
    pipeline.histories = Watched()
    judge = pipeline.judge("endpoint")
    noon = FIRST_DAY * SECONDS_PER_DAY
    cells = ({"host": f"ws{number}", "tool": "x", "outcome": "success"} for number in range(50))
    judge.take(Row(noon, noon, 1, (noon,), each) for each in cells)
    assert len(held) == 50
    assert max(held) <= 20


STORM_ROWS, STORM_BYTES = (50_000, 150 * 2**20) if MANY else (2_000, 40 * 2**20)
"""All that a chunk may hold; less in a usual run, for counting memory takes minutes."""


@pytest.mark.parametrize("known", [True, False], ids=["nothing to say", "everything new"])
@pytest.mark.parametrize("source", ["aws", "endpoint"])
def test_a_storm_of_different_rows_keeps_memory_bounded(source: str, known: bool) -> None:
    """Rows of one day that are all different: of identities that nothing is known of yet, or each of somebody somewhere new,
    up to the circuit breaker. What is written is far away and does not count."""
    beside = [detection for detection in load().detections.values() if source in detection.sources]
    pipeline = Pipeline(beside[0], beside=beside)
    if not known:
        noon = [(FIRST_DAY + day) * SECONDS_PER_DAY for day in range(21)]
        past = {
            "host": "ws",
            "tool": "old.exe",
            "outcome": "success",
            "project": "p",
            "identity": "ann",
            "country": "NL",
        }
        pipeline.judge(source).take(Row(second, second, 1, (second,), past) for second in noon)

    def rows() -> Iterator[Row]:
        for number in range(STORM_ROWS):
            second = (FIRST_DAY + 21) * SECONDS_PER_DAY + number * 96 // STORM_ROWS * BUCKET_SECONDS
            named = {
                "identity": f"user-{number:020}",
                "host": f"ws-{number:020}",
                "tool": "a.exe",
                "outcome": "success",
            }
            where = {"project": "p", "country": "RU", "src_ip": f"198.51.{number % 250}.{number // 250}"}
            yield Row(second, second, 1, (second,), {**named, **where})

    class Far(MemoryHistories):
        def save(self, histories: Any) -> None: ...

    far = Far()
    far.documents, far._subjects = pipeline.histories.documents, pipeline.histories._subjects
    pipeline.histories = far
    judge = pipeline.judge(source)
    tracemalloc.start()
    try:
        judge.take(rows())
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not judge.report.faults
    assert peak < STORM_BYTES, f"{peak / 2**20:.0f} MB"


# --- Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-", "null", "none", "*", "0", " ", "ünï\n", "x" * 5000])
def test_a_name_like_any_other(name: str) -> None:
    """Nothing but the empty text is absent."""
    pipeline = Pipeline(COUNTRY)
    pipeline.search([*days_of(name, "NL"), *days_of("ann", "NL"), call(21, 12, name, "RU"), call(21, 12, "", "RU")])
    assert told(pipeline) == [(name, "RU", "v2")]
    pipeline = Pipeline(COUNTRY)
    pipeline.search([*days_of("ann", "NL"), call(21, 12, "ann", name), call(21, 13, "ann", "")])
    assert told(pipeline) == [("ann", name, "v2")]


# --- Order, modes and faults ----------------------------------------------------------------------------------------------


def test_rows_out_of_the_order_of_days_are_refused() -> None:
    pipeline = Pipeline(COUNTRY)
    rows = [row for _source, row in pipeline.reduce([call(1, 1, "ann", "NL"), call(0, 1, "ann", "NL")])]
    with pytest.raises(RowError, match=r"a row of 2026-02-16 comes after rows of 2026-02-17: .*put `\| sort 0 bucket`"):
        pipeline.judge("aws").take(reversed(rows))


@every_detection
def test_judging_alone_learns_nothing_and_learning_alone_raises_nothing(detection_id: str) -> None:
    @examples(15)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        variety = data.draw(st.sampled_from(of_detection(detection_id)))
        events = [*variety.past, *data.draw(variety.lists)]
        both, apart = variety.pipeline(), variety.pipeline()
        both.search(events)
        apart.search(events, mode=Mode.LEARN)
        assert (apart.found(), apart.signals.signals) == ([], {})

        def learned() -> list[Any]:
            return [dict(apart.histories.documents), dict(apart.homes.documents), dict(apart.sources.days)]

        before = learned()
        apart.search(events, mode=Mode.JUDGE)
        assert differences(apart.found(), both.found()) == []
        assert learned() == before

    holds()


def test_a_fault_of_one_detection_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [detection for detection in load().detections.values() if "aws" in detection.sources]
    variety = next(v for v in of_detection("cloud_function_unusual_runtime") if v.name.startswith("base"))
    events = [*variety.past, *(Seen(variety.since + 36_000, "x", fields) for fields in variety.own)]
    events = [*events, *days_of("ann", "NL"), call(21, 12, "ann", "RU")]
    record = DetectionJudge.record

    def failing(self: DetectionJudge, scored: Any) -> Any:
        if self.detection.id == broken:
            raise KeyError("no such thing")
        return record(self, scored)

    def search() -> tuple[Judge, set[str]]:
        pipeline = variety.pipeline(beside=others)
        judge = pipeline.judge("aws")
        judge.take(row for source, row in pipeline.reduce(events) if source == "aws")
        return judge, {str(document["detection"]) for document in pipeline.findings.documents.values()}

    broken = ""
    whole, found = search()
    assert {"cloud_function_unusual_runtime", COUNTRY.id} <= found and not whole.report.faults
    monkeypatch.setattr(DetectionJudge, "record", failing)
    for broken in found:
        judge, others_found = search()
        assert judge.report.faults == {broken: "KeyError: 'no such thing'"}
        assert others_found == found - {broken}
        assert broken not in {each.detection.id for each in judge.detections}


def test_a_store_that_fails_fails_the_run() -> None:
    """It is to be repeated; that is not a fault of a detection."""

    class Gone(MemoryHistories):
        def save(self, histories: Mapping[Subject, Any]) -> None:
            raise StoreError("out of reach")

    pipeline = Pipeline(COUNTRY)
    pipeline.histories = Gone()
    with pytest.raises(StoreError, match="out of reach"):
        pipeline.search(days_of("ann", "NL"))


def test_a_detection_that_is_off_raises_nothing_and_what_it_asks_is_learned() -> None:
    pipeline = Pipeline(COUNTRY)
    pipeline.settings = dataclasses.replace(pipeline.settings, off=frozenset({COUNTRY.id}))
    pipeline.search([*days_of("ann", "NL"), call(21, 12, "ann", "RU")])
    assert pipeline.found() == []
    assert pipeline.histories.values("identity_country") == {"ann": {"NL", "RU"}}


# --- Other detections' findings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["runtime", "country"])
@pytest.mark.parametrize("batch", [1, 2_000])
def test_what_another_detection_finds_makes_suspicious_whichever_is_judged_first(
    first: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function of a strange runtime at 11, and at 12 the same user in a country that only the project knows."""
    monkeypatch.setattr(judging, "BATCH", batch)
    runtime = get("cloud_function_unusual_runtime")
    pipeline = Pipeline(COUNTRY, beside=[runtime])
    made = {"action": "function_created", "function_write": "write", "outcome": "success", "package_type": "Zip"}
    functions = [call(day, 10, "bob", "RU", function=f"f{day}", runtime="python", **made) for day in range(21)]
    pipeline.search([*days_of("ann", "NL"), *days_of("bob", "RU"), *functions])
    events = {
        "runtime": call(21, 11, "ann", "NL", function="x", runtime="ruby", **made),
        "country": call(21, 12, "ann", "RU"),
    }
    for name in sorted(events, key=lambda name: name != first):
        indexed_at = events["country"].time + (name != first) * 900
        pipeline.search([dataclasses.replace(events[name], indexed=indexed_at)])
    found = [f for f in pipeline.found() if f["first_time"] >= events["runtime"].time]
    assert [(f["detection"], f["variation"]) for f in found] == [(runtime.id, "v2"), (COUNTRY.id, "v6")]
    assert (found[1]["identity"], found[1]["country"]) == ("ann", "RU")
    assert f"Raised further: finding {found[0]['finding_id']} came up on it" in found[1]["explanation"]
    assert found[1]["explanation"].count("Raised further") == 1


# --- Two judges at once ---------------------------------------------------------------------------------------------------


class Turns:
    """Who of two may call a store next: as the given numbers say, then the other one."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = iter(numbers)
        self._turn = 0
        self._over: set[int] = set()
        self._changed = threading.Condition()

    def take(self, who: int, work: Callable[[], Any], keep: bool) -> Any:
        with self._changed:
            assert self._changed.wait_for(lambda: self._turn == who or 1 - who in self._over, timeout=30)
            try:
                return work()
            finally:
                self._turn = who if keep else next(self._numbers, 1 - who)
                self._changed.notify_all()

    def end(self, who: int) -> None:
        with self._changed:
            self._over.add(who)
            self._changed.notify_all()


class InTurn:
    """A store whose calls come in turns. What is read by a call of `kept` is written by the same judge's next one."""

    def __init__(self, store: Any, turns: Turns, who: int, kept: Sequence[str] = ()) -> None:
        self._store, self._turns, self._who, self._kept = store, turns, who, kept

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return lambda *arguments: self._turns.take(self._who, lambda: method(*arguments), name in self._kept)


def in_turn(pipeline: Pipeline, turns: Turns, who: int) -> Stores:
    """The pipeline's stores, whose calls come in turns; a breaker is read and written at once."""
    stores = pipeline.stores
    return dataclasses.replace(
        stores,
        histories=InTurn(stores.histories, turns, who),
        sources=InTurn(stores.sources, turns, who),
        verdicts=InTurn(stores.verdicts, turns, who),
        homes=InTurn(stores.homes, turns, who, kept=["load"]),
        findings=InTurn(stores.findings, turns, who, kept=["of_entities"]),
    )


@every_detection
def test_two_judges_at_once_lose_nothing(detection_id: str) -> None:
    """One of what was indexed early, one of the rest of the same day, their calls of stores interleaved at any point but
    between reading a finding or a home and writing it, which is a matter of milliseconds. A breaker may miss a count."""

    @examples(25)
    @given(st.data(), st.lists(st.integers(0, 1), max_size=60), st.integers(1, 30), st.randoms(use_true_random=False))
    def holds(data: st.DataObject, numbers: list[int], batch: int, random: Any) -> None:
        variety = data.draw(st.sampled_from(of_detection(detection_id)))
        source = variety.own[0]["source_kind"]
        drawn = [seen for seen in data.draw(variety.lists) if seen.source == source]
        first = min((seen.time for seen in drawn), default=0) // SECONDS_PER_DAY
        events = [seen for seen in drawn if seen.time // SECONDS_PER_DAY == first]
        deliveries = indexed(Delivery(seen, seen.time + random.choice((0, 3600))) for seen in events)
        one, two = variety.pipeline(), variety.pipeline()
        for pipeline in (one, two):
            pipeline.search(variety.past)
        one.search(deliveries)
        early = [seen for seen in deliveries if seen.indexed == seen.time]
        late = [seen for seen in deliveries if seen.indexed != seen.time]
        parts = [[row for _source, row in two.reduce(part)] for part in (early, late)]
        turns = Turns(numbers)
        judges = [Judge(source, two.catalogue, two.settings, in_turn(two, turns, who), now=0) for who in range(2)]

        def run(who: int) -> None:
            try:
                judges[who].take(parts[who])
            finally:
                turns.end(who)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judging, "BATCH", batch)
            threads = [threading.Thread(target=run, args=(who,)) for who in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [judge.report.faults for judge in judges] == [{}, {}]
        assert two.histories.documents == one.histories.documents
        if not variety.detection.signals:
            assert two.breaker.state.openings == one.breaker.state.openings
            assert differences(two.found(), one.found()) == []

    holds()
