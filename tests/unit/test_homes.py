"""Home regions: what each way of knowing one says, which comes first, and that delivery does not matter."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get
from cba.errors import StoreError
from cba.home.calls import Call
from cba.home.finder import NOBODY, Answer, HomeFinder
from cba.home.homes import HOWS, KEPT_CALLS, STRONG, WEAK, Home, Known, Tally, known_home, outside, tally
from cba.judging.rows import Row
from cba.store.homes import decode, encode
from tests.scenarios.scenario import load as scenarios
from tests.support.effort import examples
from tests.support.memory import MemoryHomes
from tests.support.pipeline import Delivery, Pipeline, Seen, indexed, replay

DAY, QUARTER, HOUR = 86_400, 900, 3600
TODAY = 20_500
MIDNIGHT = TODAY * DAY
NOON = MIDNIGHT + 12 * HOUR
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


def at(home: Home, bucket: int = NOON, inventory: str = "") -> Known | None:
    return known_home(home, bucket, inventory)


@pytest.mark.parametrize("how", HOWS)
def test_a_fact_of_an_earlier_day_counts_at_once(how: str) -> None:
    home = taught(("us-east-1", how, MIDNIGHT - 1))
    assert at(home, MIDNIGHT) == Known(("us-east-1",), how)


@pytest.mark.parametrize("how", HOWS)
def test_of_a_workload_of_which_nothing_was_known_before_a_fact_counts_for_calls_of_the_day_before_it(how: str) -> None:
    home = taught(("us-east-1", how, NOON))
    known = Known(("us-east-1",), how)
    assert [at(home, bucket) for bucket in (NOON, NOON - QUARTER, NOON - DAY)] == [known] * 3
    assert at(home, NOON - DAY - QUARTER) is None


def test_of_two_facts_after_a_call_the_first_counts() -> None:
    home = taught(("us-east-1", WEAK, NOON), ("eu-west-1", "RunInstances", NOON + QUARTER))
    assert at(home, NOON - QUARTER) == Known(("us-east-1",), WEAK)
    assert at(home, NOON + QUARTER) == Known(("eu-west-1",), "RunInstances")


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
    assert at(called(us_east_1=96), inventory="eu-west-1") == Known(("eu-west-1",), "list instance_inventory")
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


@pytest.mark.parametrize(
    ("region", "public", "words"),
    [
        ("us-east-1", False, "came through another account's VPC endpoint"),
        ("us-east-1", True, "came through another account's VPC endpoint"),
        ("", False, "came through another account's VPC endpoint"),
        ("eu-west-1", False, "went to eu-west-1 and came through another account's VPC endpoint"),
    ],
)
def test_another_account_s_endpoint_is_outside_of_every_region(region: str, public: bool, words: str) -> None:
    assert outside(Known(("us-east-1",), WEAK), region, public, "", foreign=True) == words


FACTS = st.dictionaries(
    st.sampled_from(["us-east-1", "eu-west-1"]),
    st.dictionaries(st.sampled_from(HOWS), st.integers(0, 2**40), min_size=1),
)
CALLS = st.dictionaries(
    st.sampled_from(["us-east-1", "eu-west-1"]),
    st.dictionaries(st.integers(0, 99_999), st.integers(1, 2**96 - 1), min_size=1),
)
MAYBE = st.none() | st.integers(0, 99_999)


CALL = st.builds(
    lambda cells: Row(900, 900, 1, (901,), cells, {}).to_json(),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
)
KEPT = st.dictionaries(st.text(max_size=5), CALL, max_size=3)
HOMES = st.builds(
    Home, facts=FACTS, calls=CALLS, met_day=MAYBE, known_day=MAYBE, last_day=st.integers(0, 99_999), first_day=MAYBE,
    kept=KEPT, not_kept=st.integers(0, 99),
)  # fmt: skip


@given(HOMES)
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


@given(HOMES, HOMES)
def test_what_two_runs_remember_is_united_in_either_order(one: Home, other: Home) -> None:
    def united(here: Home, there: Home) -> Home:
        home = decode(encode(WEB, here))
        home.unite(there)
        return dataclasses.replace(home, kept=dict.fromkeys(sorted(home.kept), ""), not_kept=0)

    assert united(one, other) == united(other, one)
    assert united(one, one) == dataclasses.replace(one, kept=dict.fromkeys(sorted(one.kept), ""), not_kept=0)


# -- the finder ---------------------------------------------------------------------------------------------------------

PLAIN = Call(
    bucket=NOON, identity=ROLE, identity_type="compute", workload=WEB, region="us-east-1", public=True,
    source_region="us-east-1", foreign=False, hint="", home_of=(), home_in="", home_how="", inventory="",
)  # fmt: skip


def call(bucket: int = NOON, **more: Any) -> Call:
    return PLAIN._replace(bucket=bucket, **more)


def fact(how: str, region: str, *workloads: str, bucket: int = NOON, **more: Any) -> Call:
    """An event that nobody judges and that tells a home."""
    return call(bucket, workload="", home_of=workloads, home_in=region, home_how=how, **more)


def answers(calls: Sequence[Call], store: MemoryHomes | None = None, learn: bool = True) -> list[Answer]:
    finder = HomeFinder(store or MemoryHomes(), learn)
    finder.want(calls)
    for each in calls:
        finder.hear(each)
    answered = [finder.answer(each) for each in calls]
    finder.flush()
    return answered


def test_a_row_of_nobody_gets_nothing() -> None:
    assert answers([fact("RunInstances", "us-east-1", WEB), call(workload="")]) == [NOBODY, NOBODY]
    assert NOBODY._asdict() == {
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


def session(bucket: int = NOON, **more: Any) -> Call:
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
    class Asked(MemoryHomes):
        def load(self, workloads: Any) -> Any:
            asked.extend(workloads)
            return super().load(workloads)

    asked: list[str] = []
    store = Asked()
    answers([session(workload=f"{ROLE}/session-{n}") for n in range(1000)], store)
    assert asked == [ROLE]
    assert store.documents == {}


def test_without_learning_nothing_is_remembered() -> None:
    store = MemoryHomes()
    calls = [fact("RunInstances", "us-east-1", WEB), call(hint="eu-west-1")]
    assert answers(calls, store, learn=False)[1].home_region == "eu-west-1"
    assert store.documents == {}


def test_no_more_calls_are_kept_than_said() -> None:
    home = Home()
    home.meet(TODAY, known=False)
    assert all(home.keep(str(number), "", TODAY) for number in range(KEPT_CALLS + 5))
    assert (len(home.kept), home.not_kept) == (KEPT_CALLS, 5)
    home.meet(TODAY + 3, known=False)
    home.forget()
    assert (home.kept, home.not_kept) == ({}, 0), "nothing that comes that late is waited for"


# -- calls of workloads whose home is not known yet -----------------------------------------------------------------------

DETECTION = get("compute_identity_outside_region")
WHO = next(each for each in scenarios(DETECTION.id) if each.name.startswith("variation 2, stolen"))
PAST = [event for event in WHO.events if event.time < WHO.today * DAY]
(STOLEN,) = [event.fields for event in WHO.events if event.time >= WHO.today * DAY]
START = WHO.today * DAY
YOUNG = "i-0cafe0cafe0cafe00"


def theft(time: int, **more: str) -> Seen:
    """A call of the role with the credentials of an instance that was launched lately, from somewhere new."""
    return Seen(time, f"theft at {time} {more}", {**STOLEN, "workload": YOUNG, **more})


def launch(time: int, how: str = "RunInstances", region: str = "us-east-1") -> Seen:
    fields = {"source_kind": "aws", "skip_reason": "service", "home_of": YOUNG, "home_in": region, "home_how": how}
    return Seen(time, f"{how} at {time} in {region}", fields)


def judged(deliveries: Sequence[Delivery], cadence: int = 900) -> list[tuple[str, int, int]]:
    past = [Delivery(event, event.time) for event in PAST]
    pipeline = replay(Pipeline(DETECTION), [*past, *deliveries], cadence, START)
    return [(f["variation"], f["first_time"], f["count"]) for f in pipeline.found() if f["first_time"] >= START]


ORDERS = list(itertools.permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("cadence", [900, DAY])
@pytest.mark.parametrize("launched", [-1 * HOUR, 0, 2 * HOUR, 12 * HOUR])
def test_a_call_is_judged_when_its_workload_s_home_becomes_known(
    order: tuple[int, ...], cadence: int, launched: int
) -> None:
    """In whatever order of arrival, a launch before, between or after the calls of its day."""
    noon = START + 12 * HOUR - 60
    events = [launch(noon + launched - 300), theft(noon - 200), theft(noon - 100)]
    deliveries = [Delivery(events[place], noon + 1200 * at) for at, place in enumerate(order)]
    assert judged(deliveries, cadence) == [("v2", noon - 200, 2)]


@pytest.mark.parametrize(("launched", "raised"), [(DAY - 900, 1), (DAY, 1), (DAY + 900, 0), (3 * DAY, 0)])
def test_a_call_waits_for_a_day_and_no_longer(launched: int, raised: int) -> None:
    noon = START + 12 * HOUR
    events = [theft(noon), launch(noon + launched)]
    assert len(judged([Delivery(event, event.time + 60) for event in events])) == raised


@pytest.mark.parametrize("cadence", [900, DAY])
def test_calls_of_a_workload_that_is_unknown_for_days_wait_for_nothing(cadence: int) -> None:
    """Whether the call and what tells its home are read at once or one after the other."""
    noon = START + 12 * HOUR
    calls = [theft(noon + day * DAY) for day in range(4)]
    told = launch(noon + 3 * DAY + HOUR)
    assert judged([Delivery(event, event.time + 60) for event in (*calls, told)], cadence) == []


def test_what_a_second_launch_tells_comes_too_late_for_a_call_that_was_judged() -> None:
    """The limit of what is promised: a workload with facts of two regions on its first day. A call that came between is
    judged by the one that was there when it came; in the order of time both would have been."""
    noon = START + 12 * HOUR
    here, there = launch(noon - HOUR, "CreateFunction"), launch(noon - HOUR + 900, "CreateFunction", "eu-west-1")
    called = theft(noon, region="eu-west-1", country="IE", asn="16509", cloud_provider="aws", cloud_region="eu-west-1")
    in_time = [Delivery(event, event.time + 60) for event in (here, there, called)]
    late = [in_time[0], in_time[2], Delivery(there, noon + HOUR)]
    assert (judged(in_time), len(judged(late))) == ([], 1)


KINDS: list[Callable[[int], Seen]] = [
    lambda time: launch(time),
    lambda time: theft(time),
    lambda time: theft(
        time, region="eu-west-1", country="IE", asn="16509", cloud_region="eu-west-1", cloud_provider="aws"
    ),
    lambda time: theft(
        time, region="us-east-1", country="US", asn="14618", cloud_region="us-east-1", cloud_provider="aws"
    ),
    lambda time: theft(time, region="", workload="i-0a1b2c3d4e5f60718"),
]
HAPPENED = st.lists(
    st.builds(
        lambda kind, day, second: kind(START + day * DAY + second),
        st.sampled_from(KINDS), st.integers(0, 2), st.sampled_from([0, 600, 1000, 5000, 43_200, 43_300, 84_600, 86_399]),
    ),
    max_size=12, unique_by=lambda event: event.event_id,
)  # fmt: skip


@examples(150)
@given(HAPPENED, st.sampled_from([900, HOUR, 6 * HOUR, DAY]), st.randoms(use_true_random=False))
def test_any_order_within_a_day_at_any_cadence(happened: list[Seen], cadence: int, random: Any) -> None:
    """All that is ever told of a home is one region, in one way: which of several a finding names depends on what was
    known when the call was judged."""
    days = [(event, event.time // DAY * DAY) for event in happened]
    deliveries = [Delivery(event, start + random.randrange(DAY)) for event, start in days]
    deliveries += [Delivery(event, event.time) for event in PAST]
    at_once = Pipeline(DETECTION)
    at_once.search(indexed(deliveries))
    assert replay(Pipeline(DETECTION), deliveries, cadence, START).found() == at_once.found()
