"""Home regions: what each way of knowing one says, which comes first, and that delivery does not matter."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import Any, Iterable, NamedTuple, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cba.errors import RowError, StoreError
from cba.home.finder import ANSWER_FIELDS, NOBODY, Answer, HomeFinder, Row
from cba.home.homes import HOWS, STRONG, WEAK, Home, Known, Tally, known_home, outside, tally
from cba.store.homes import decode, encode
from tests.support.memory import MemoryHomes

DAY, QUARTER, HOUR = 86_400, 900, 3600
OVERLAP = 2 * HOUR
TODAY = 20_500
MIDNIGHT = TODAY * DAY
NOON = MIDNIGHT + 12 * HOUR
LATER = MIDNIGHT + 40 * DAY
WEB = "i-0a1b2c3d4e5f60718"
ROLE = "arn:aws:iam::111111111111:role/orders"
FUNCTION = f"{ROLE}/orders"


def taught(*facts: tuple[str, str, int]) -> Home:
    """A home with facts: (region, how, epoch second from which on it counts)."""
    home = Home()
    for region, how, since in facts:
        home.learn_fact(region, how, since, since // DAY)
    return home


def called(**quarters: int) -> Home:
    """A home with calls on the day before: region (`_` for `-`) -> in how many quarters of an hour."""
    home = Home()
    for region, count in quarters.items():
        for quarter in range(count):
            home.learn_call(region.replace("_", "-"), TODAY - 1, quarter)
    return home


def at(home: Home, bucket: int = NOON, settled: bool = True, inventory: str = "") -> Known | None:
    return known_home(home, bucket, settled, inventory)


@pytest.mark.parametrize("how", HOWS)
def test_a_fact_of_an_earlier_day_counts_at_once(how: str) -> None:
    home = taught(("us-east-1", how, MIDNIGHT - 1))
    assert at(home, MIDNIGHT, settled=False) == Known(("us-east-1",), how)


@pytest.mark.parametrize("how", HOWS)
def test_a_fact_of_the_same_day_counts_from_its_quarter_on_once_nothing_can_be_late(how: str) -> None:
    home = taught(("us-east-1", how, NOON))
    assert at(home, NOON) == Known(("us-east-1",), how)
    assert at(home, NOON, settled=False) is None
    assert at(home, NOON - QUARTER) is None


def test_what_was_known_before_is_not_touched_by_the_day_itself() -> None:
    home = taught(("us-east-1", WEAK, MIDNIGHT - DAY), ("eu-west-1", "CreateFunction", NOON))
    assert at(home) == Known(("us-east-1",), WEAK)
    assert at(home, NOON + DAY) == Known(("eu-west-1",), "CreateFunction")


def test_the_clouds_own_acts_come_before_what_a_workload_says_of_itself() -> None:
    """Whoever has the credentials can report for the instance from anywhere; nobody can launch it again elsewhere."""
    home = taught(("eu-west-1", WEAK, 0), *[("us-east-1", how, MIDNIGHT - 1) for how in STRONG])
    assert at(home) == Known(("us-east-1",), STRONG[0])


def test_of_what_a_workload_says_of_itself_the_first_counts() -> None:
    home = taught(("us-east-1", WEAK, MIDNIGHT - DAY), ("eu-west-1", WEAK, MIDNIGHT - 1))
    assert at(home) == Known(("us-east-1",), WEAK)


def test_a_function_of_one_name_in_two_regions_is_at_home_in_both() -> None:
    home = taught(("us-east-1", "CreateFunction", 0), ("eu-west-1", "AssumeRole by Lambda", 0))
    known = at(home)
    assert known == Known(("eu-west-1", "us-east-1"), "AssumeRole by Lambda")
    assert outside(known, "us-east-1", True, "eu-west-1") == ""
    assert outside(known, "us-west-2", True, "us-west-2") == (
        "went to us-west-2 and came from outside eu-west-1, us-east-1"
    )


def test_the_inventory_comes_after_facts_and_before_calls() -> None:
    assert at(called(us_east_1=96), inventory="eu-west-1") == Known(("eu-west-1",), "lookup instance_inventory")
    home = taught(("us-east-1", WEAK, 0))
    assert at(home, inventory="eu-west-1") == Known(("us-east-1",), WEAK)


@pytest.mark.parametrize(
    ("home", "region"),
    [
        (called(us_east_1=20), "us-east-1"),
        (called(us_east_1=19), None),
        (called(us_east_1=80, eu_west_1=20), "us-east-1"),
        (called(us_east_1=79, eu_west_1=21), None),
        (called(us_east_1=16, eu_west_1=4), "us-east-1"),
        (called(us_east_1=16, eu_west_1=3), None),
    ],
)  # fmt: skip
def test_its_own_calls(home: Home, region: str | None) -> None:
    assert at(home) == (Known((region,), "its own calls") if region else None)
    assert at(home, MIDNIGHT - 1) is None, "the day itself does not count"
    last = NOON + 29 * DAY
    assert (at(home, last), at(home, last + DAY)) == (at(home), None), "nor what is older than the training period"


def test_calls_are_kept_for_ten_days_more_than_they_count() -> None:
    home = called(us_east_1=20)
    for days, kept in ((39, True), (40, False)):
        home.meet(TODAY + days, known=False)
        home.forget()
        assert bool(home.calls) is kept


@pytest.mark.parametrize(
    ("region", "public", "source", "words"),
    [
        ("us-east-1", True, "us-east-1", ""),
        ("us-east-1", False, "", ""),
        ("", False, "", ""),
        ("", True, "us-east-1", ""),
        ("eu-west-1", False, "", "went to eu-west-1"),
        ("eu-west-1", True, "us-east-1", "went to eu-west-1"),
        ("us-east-1", True, "", "came from outside us-east-1"),
        ("us-east-1", True, "eu-west-1", "came from outside us-east-1"),
        ("", True, "", "came from outside us-east-1"),
        ("eu-west-1", True, "eu-west-1", "went to eu-west-1 and came from outside us-east-1"),
    ],
)
def test_outside(region: str, public: bool, source: str, words: str) -> None:
    assert outside(Known(("us-east-1",), WEAK), region, public, source) == words


FACTS = st.dictionaries(
    st.sampled_from(["us-east-1", "eu-west-1"]),
    st.dictionaries(st.sampled_from(HOWS), st.integers(0, 2**40), min_size=1),
)
CALLS = st.dictionaries(
    st.sampled_from(["us-east-1", "eu-west-1"]),
    st.dictionaries(st.integers(0, 99_999), st.integers(1, 2**96 - 1), min_size=1),
)
MAYBE = st.none() | st.integers(0, 99_999)


@given(st.builds(Home, facts=FACTS, calls=CALLS, met_day=MAYBE, known_day=MAYBE, last_day=st.integers(0, 99_999)))
def test_a_document_is_the_home(home: Home) -> None:
    assert decode(encode(WEB, home)) == home


DAMAGES: list[dict[str, Any]] = [
    {"facts": "{"}, {"facts": "[]"}, {"facts": '{"us-east-1": {"hearsay": 1}}'}, {"facts": '{"us-east-1": {"RunInstances": "x"}}'},
    {"facts": None}, {"calls": "{"}, {"calls": '{"us-east-1": {"20454": "g"}}'}, {"met_day": "x"}, {"last_day": None},
]  # fmt: skip


@pytest.mark.parametrize("change", DAMAGES)
def test_a_damaged_document_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match=rf"cba_homes: document \w+ \({WEB}\) is damaged: .* delete it to learn anew"):
        decode({**encode(WEB, taught(("us-east-1", WEAK, 1))), **change})


def test_the_tally_counts_who_called_in_the_training_period() -> None:
    def met(day: int, known: bool, before: bool = False) -> Home:
        home = Home()
        home.meet(day - 1, before)
        home.meet(day, known)
        return home

    homes = [
        met(TODAY, True), met(TODAY - 30, True), met(TODAY, False), met(TODAY, False, before=True),
        met(TODAY - 31, False), Home(last_day=TODAY),
    ]  # fmt: skip
    assert tally(homes, TODAY) == Tally(known=2, unknown=2)


# -- the finder ---------------------------------------------------------------------------------------------------------

PLAIN = Row(
    bucket=NOON, skipped=False, identity=ROLE, identity_type="compute", workload=WEB, region="us-east-1", public=True,
    source_region="us-east-1", hint="", home_of=(), home_in="", home_how="", inventory="",
)  # fmt: skip


def call(bucket: int = NOON, **more: Any) -> Row:
    return dataclasses.replace(PLAIN, bucket=bucket, **more)


def fact(how: str, region: str, *workloads: str, bucket: int = NOON, **more: Any) -> Row:
    """An event that nobody judges and that tells a home."""
    return call(bucket, skipped=True, workload="", home_of=workloads, home_in=region, home_how=how, **more)


def answers(
    rows: Sequence[Row], store: MemoryHomes | None = None, end: int = LATER, learn: bool = True
) -> list[Answer]:
    return HomeFinder(store or MemoryHomes(), end, OVERLAP, learn).process(rows)


def test_a_row_of_nobody_gets_nothing() -> None:
    nobody = [fact("RunInstances", "us-east-1", WEB), call(workload="")]
    assert answers(nobody) == [NOBODY, NOBODY]
    assert dict(zip(ANSWER_FIELDS, NOBODY)) == {
        "home_region": "", "home_source": "", "outside": "", "home_state": "", "workload_type": "none",
    }  # fmt: skip


def test_a_home_nobody_knows() -> None:
    store = MemoryHomes()
    assert answers([call(region="ap-south-1", source_region="")], store) == [
        Answer(home_state="unknown", workload_type="instance")
    ]
    assert tally([decode(d) for d in store.documents.values()], TODAY) == Tally(0, 1)


def test_the_hint_comes_first_and_is_remembered() -> None:
    store = MemoryHomes()
    earlier = fact("RunInstances", "eu-west-1", WEB, bucket=MIDNIGHT - DAY)
    named = call(hint="us-east-1", region="us-east-1")
    tomorrow = call(NOON + DAY, region="us-east-1")
    found = answers([earlier, named, tomorrow], store)
    assert found[1] == Answer("us-east-1", "named in the event", "", "known", "instance")
    assert found[2].home_region == "eu-west-1, us-east-1"
    assert found[2].home_source == "named in an earlier event"


def test_a_launch_tells_the_home_of_all_its_instances() -> None:
    many = tuple(f"i-{n:017x}" for n in range(40))
    launched = fact("RunInstances", "eu-west-1", *many)
    found = answers([launched, *[call(workload=name) for name in many]])
    assert {(a.home_region, a.home_source, a.outside) for a in found[1:]} == {
        ("eu-west-1", "RunInstances", "went to us-east-1 and came from outside eu-west-1")
    }


def test_a_fact_in_a_judged_row_counts_from_the_next_quarter_on() -> None:
    """Judged rows of one quarter stand in any order; what they tell of each other must not depend on it."""
    own = call(home_of=(WEB,), home_in="us-east-1", home_how=WEAK)
    assert [a.home_state for a in answers([own, call(), call(NOON + QUARTER)])] == ["unknown", "unknown", "known"]


def test_same_day_facts_wait_for_late_events() -> None:
    rows = [fact("AssumeRole by EC2", "us-east-1", WEB), call()]
    states = [answers(rows, end=NOON + QUARTER + OVERLAP + wait)[1].home_state for wait in (-1, 0)]
    assert states == ["unknown", "known"]


def test_own_calls_are_counted_only_while_no_home_is_known() -> None:
    store = MemoryHomes()
    answers([call(MIDNIGHT - 2 * DAY + n * QUARTER) for n in range(20)], store)
    assert [a.home_source for a in answers([call(MIDNIGHT - DAY)], store)] == ["its own calls"]
    answers([fact("RunInstances", "us-east-1", WEB, bucket=MIDNIGHT - DAY)], store)
    before = decode(store.documents[WEB]).calls
    assert [a.home_source for a in answers([call(NOON)], store)] == ["RunInstances"]
    assert decode(store.documents[WEB]).calls == before


def test_a_burst_counts_once_a_quarter_of_an_hour() -> None:
    burst = [call(MIDNIGHT - DAY, region="ap-south-1", source_region=f"r-{n}") for n in range(500)]
    work = [call(MIDNIGHT - 12 * HOUR + n * QUARTER) for n in range(20)]
    assert [a.home_region for a in answers([*burst, *work, call()])[-1:]] == ["us-east-1"]


def test_a_service_without_a_region_is_no_call_to_anywhere() -> None:
    store = MemoryHomes()
    answers([call(MIDNIGHT - DAY + n * QUARTER, region="") for n in range(40)], store)
    assert decode(store.documents[WEB]).calls == {}


def session(bucket: int = NOON, **more: Any) -> Row:
    """A role's session, which may be a function's."""
    return call(bucket, **{"identity_type": "role", "workload": FUNCTION, "region": "eu-west-1", **more})


def test_a_roles_session_is_a_functions_when_that_function_has_the_role() -> None:
    created = fact("CreateFunction", "us-east-1", ROLE, FUNCTION, bucket=MIDNIGHT - DAY)
    outside_home = Answer("us-east-1", "CreateFunction", "went to eu-west-1", "known", "function")
    assert answers([created, session()])[1] == outside_home
    other = session(workload=f"{ROLE}/somebody")
    assert answers([created, other])[1] == NOBODY
    assert answers([session()]) == [NOBODY]


def test_the_sessions_of_other_roles_are_not_even_asked_for() -> None:
    store = MemoryHomes()
    answers([session(workload=f"{ROLE}/session-{n}") for n in range(1000)], store)
    assert store.asked == [ROLE]
    assert store.documents == {}


def test_without_learning_nothing_is_remembered() -> None:
    store = MemoryHomes()
    rows = [fact("RunInstances", "us-east-1", WEB), call(hint="eu-west-1")]
    assert answers(rows, store, learn=False)[1].home_region == "eu-west-1"
    assert store.documents == {}


def test_rows_out_of_order_are_refused() -> None:
    for rows in ([call(NOON + QUARTER), call()], [call(), fact("RunInstances", "us-east-1", WEB)]):
        finder = HomeFinder(MemoryHomes(), LATER, OVERLAP)
        with pytest.raises(RowError, match=r"row 1 .* put .*`.*\| sort 0 bucket judged` before this command"):
            for row in rows:
                finder.process([row])


# -- any order, cadence, repetition, chunking, and a kill -----------------------------------------------------------------


class Event(NamedTuple):
    """Something that happened, and the row its quarter of an hour gets."""

    time: int
    row: Row


WORKLOADS = (WEB, FUNCTION)
REGIONS = st.sampled_from(["us-east-1", "us-east-1", "eu-west-1"])
# Around midnight, where one day is decided while the day before may still come in, and in the middle of a day.
SECONDS = st.sampled_from([0, 600, 1_000, 5_000, 43_200, 43_300, 44_300, 84_600, 85_600, 86_399])


@st.composite
def events(draw: st.DrawFn) -> Event:
    time = (TODAY + draw(st.integers(0, 2))) * DAY + draw(SECONDS)
    bucket = time // QUARTER * QUARTER
    region, workload = draw(REGIONS), draw(st.sampled_from(WORKLOADS))
    kind = draw(st.sampled_from(["fact", "fact", "call", "call", "own fact", "hint", "session"]))
    if kind == "fact":
        names = (WEB,) if workload == WEB else (ROLE, FUNCTION)
        return Event(time, fact(draw(st.sampled_from(HOWS)), region, *names, bucket=bucket))
    asked = {"workload": workload, "identity_type": "compute" if workload == WEB else "lambda", "region": region}
    if kind == "own fact":
        return Event(time, call(bucket, **asked, home_of=(workload,), home_in=region, home_how=WEAK))
    if kind == "hint":
        return Event(time, call(bucket, **asked, hint=draw(REGIONS)))
    if kind == "session":
        return Event(time, session(bucket))
    return Event(time, call(bucket, **asked))


LISTS = st.lists(events(), max_size=14)
# Ten quarters of an hour a day of the instance's own calls, so that they are about to be enough.
PAST = [Event(t, call(t)) for day in (2, 1) for t in range(MIDNIGHT - day * DAY, MIDNIGHT - day * DAY + 9_000, QUARTER)]


def rows_of(seen: Iterable[Event]) -> list[Row]:
    """What the reduction makes of events, in the order of the detection's search."""
    return sorted({event.row for event in seen}, key=lambda row: (row.bucket, not row.skipped, repr(row)))


class Outcome(NamedTuple):
    """What came of it: the rows that were ever outside, the last answer to each row, and what is remembered."""

    outside: set[tuple[Row, Answer]]
    last: dict[Row, Answer]
    stored: dict[str, dict[str, Any]]


def search(outcome: Outcome, store: MemoryHomes, rows: Sequence[Row], end: int, chunk: int = 50_000) -> None:
    finder = HomeFinder(store, end, OVERLAP)
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        for row, answer in zip(part, finder.process(part)):
            outcome.last[row] = answer
            if answer.outside:
                outcome.outside.add((row, answer))


def reference(happened: Sequence[Event]) -> Outcome:
    """Everything in one search, in order of time."""
    store = MemoryHomes()
    outcome = Outcome(set(), {}, store.documents)
    search(outcome, store, rows_of([*PAST, *happened]), LATER)
    return outcome


def replay(delivered: Sequence[tuple[Event, int]], cadence: int) -> Outcome:
    """A search every `cadence` seconds over its own time and the overlap, of the days that may be judged by then."""
    store = MemoryHomes()
    outcome = Outcome(set(), {}, store.documents)
    now = MIDNIGHT
    while now <= MIDNIGHT + 4 * DAY + cadence:
        earliest = (now - cadence - OVERLAP) // HOUR * HOUR if now > MIDNIGHT else 0
        judged = (now - OVERLAP) // DAY
        seen = [e for e, time in delivered if time <= now and earliest <= e.time < now and e.time // DAY <= judged]
        search(outcome, store, rows_of(seen), now)
        now += cadence
    return outcome


@settings(max_examples=150, deadline=None)
@given(LISTS, st.sampled_from([900, 1800, HOUR, 6 * HOUR, DAY]), st.randoms(use_true_random=False))
def test_any_cadence_any_order_within_the_overlap_and_twice(
    happened: list[Event], cadence: int, chance: random.Random
) -> None:
    everything = [*PAST, *happened]
    delivered = [(event, event.time + chance.randint(1, OVERLAP)) for event in everything]
    delivered += [(event, event.time + chance.randint(1, OVERLAP)) for event in happened if chance.random() < 0.3]
    chance.shuffle(delivered)
    assert replay(delivered, cadence) == reference(happened)


def test_a_call_is_not_outside_until_the_facts_of_its_day_are_complete() -> None:
    """A function is created in two regions and called at once; the log of the second creation is late."""
    here, there = (fact("CreateFunction", region, ROLE, FUNCTION) for region in ("eu-west-1", "us-east-1"))
    asked = call(NOON + QUARTER, workload=FUNCTION, identity_type="lambda")
    happened = [Event(NOON + 10, here), Event(NOON + 20, there), Event(NOON + QUARTER, asked)]
    delays = (60, OVERLAP, 60)
    delivered = [(event, event.time + 60) for event in PAST]
    delivered += [(event, event.time + delay) for event, delay in zip(happened, delays)]
    found = replay(delivered, 900)
    assert found == reference(happened)
    assert (found.outside, found.last[asked].home_region) == (set(), "eu-west-1, us-east-1")


@settings(max_examples=60, deadline=None)
@given(LISTS, st.integers(1, 4))
def test_any_chunks(happened: list[Event], chunk: int) -> None:
    store = MemoryHomes()
    outcome = Outcome(set(), {}, store.documents)
    search(outcome, store, rows_of([*PAST, *happened]), LATER, chunk)
    assert outcome == reference(happened)


@settings(max_examples=60, deadline=None)
@given(LISTS)
def test_searching_everything_again_changes_nothing(happened: list[Event]) -> None:
    store, rows = MemoryHomes(), rows_of([*PAST, *happened])
    first, second = Outcome(set(), {}, {}), Outcome(set(), {}, {})
    search(first, store, rows, LATER)
    before = dict(store.documents)
    search(second, store, rows, LATER)
    assert (second, store.documents) == (first, before)


class Killed(Exception):
    """The process is gone."""


@settings(max_examples=60, deadline=None)
@given(LISTS, st.integers(0, 8))
def test_killed_at_any_write_and_run_again(happened: list[Event], survived: int) -> None:
    store, rows = MemoryHomes(), rows_of([*PAST, *happened])
    save, left = store.save, survived

    def dying(homes: Any) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        save(homes)

    store.save = dying  # type: ignore[method-assign]
    with contextlib.suppress(Killed):
        search(Outcome(set(), {}, {}), store, rows, LATER, chunk=5)
    store.save = save  # type: ignore[method-assign]
    outcome = Outcome(set(), {}, store.documents)
    search(outcome, store, rows, LATER, chunk=5)
    assert outcome == reference(happened)
