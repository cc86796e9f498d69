"""Nothing is lost and nothing is there twice: the shipped search of a source and its alerts over raw CloudTrail, with a
search head that is away for hours and for days, a KV store that refuses, runs that are killed at any write, and two
runs at once. What they leave is what an undisturbed run leaves, without anybody's doing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple

import pytest

from cba.detection.catalogue import get
from cba.detection.model import source_search
from cba.store import splunkd as store
from lab import faults
from lab.events import Event
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.splunk import story

HOUR, DAY = 3600, 86_400
START = 1_767_225_600 + 40 * DAY + 9 * HOUR  # 2026-02-10 09:00
JUDGE = source_search("aws", "Judge")
DETECTION = get("cloud_unusual_country")
ALERTS = [f"| cbaalerts detection={DETECTION.id} variation={variation}" for variation in story.RAISED.values()]
KEPT = ("cba_findings", "cba_history", "cba_sources", "cba_homes", "cba_signals", "cba_breakers", "cba_triage")
STAMPS = ("updated_time", "raised_time")
"""When something was written, which an outage does change."""

Left = Mapping[str, Any]


class Call(NamedTuple):
    """Somebody's call so many hours after START; `late` hours later it was indexed."""

    who: str
    country: str
    hour: float
    late: float = 0.0


CALLS = [
    *(Call(who, country, day * 24 + hour) for who, country in story.HOMES.items() for day in range(4) for hour in (1, 9, 17)),
    Call("ada", "RU", 0.1),
    Call("bob", "NL", 0.2),
    Call("cleo", "DE", 0.3, late=0.3),
    Call("bob", "NL", 0.45),  # counted
    Call("ada", "CN", 5.4, late=3.0),
    Call("cleo", "IN", 14.9, late=0.4),  # the day ends at 15
    Call("ada", "RU", 25.5),  # beyond the first one's period
    Call("bob", "FR", 30.0, late=20.0),
    Call("cleo", "CN", 61.1),
    Call("ada", "RU", 73.0),  # known by now
]  # fmt: skip
FIRST_HOURS = [("ada", "RU", 1), ("bob", "NL", 2), ("cleo", "DE", 1)]
FIRST_DAY = sorted([*FIRST_HOURS, ("ada", "CN", 1)])
ALL = sorted([*FIRST_DAY, ("ada", "RU", 1), ("bob", "FR", 1), ("cleo", "CN", 1), ("cleo", "IN", 1)])


def event(call: Call) -> Event:
    time = int(START + call.hour * HOUR)
    return story.call(call.who, call.country, time, "main", "outages", indexed=time + int(call.late * HOUR))


class World:
    """A search head that has learned five weeks, and what happens on the days after them."""

    def __init__(self, state: Path) -> None:
        self.head = SearchHead(APP_DIR, state)
        past = (each for each in story.events(START + DAY, "main", "outages") if each.time < START)
        self.head.events.add(past)
        self.head.search(f'| savedsearch "{source_search("aws", "Backfill")}"', earliest=0, latest=START, now=START)
        self.head.events.add(sorted(map(event, CALLS), key=lambda each: each.indextime))
        self.learned = {name: self.head.kv.collection(name).find() for name in self.head.kv.names()}
        found = self.head.app.stanzas("savedsearches").items()
        self.searches = [JUDGE, *(name for name, stanza in found if stanza.get("search").strip() in ALERTS)]
        assert len(self.searches) == 1 + len(ALERTS)
        self.head.enable(self.searches)

    def again(self) -> None:
        """As it was before anything happened."""
        self.head.restore(self.learned)

    def live(self, until: float, since: float = 0.0, cadence: str = "15m", only: str = "") -> None:
        start, end = START + since * HOUR, START + until * HOUR
        self.head.scheduler.replay(start + 1, end, cadence, [only] if only else self.searches, on_failure="record")

    def failed(self) -> Counter[str]:
        return Counter(failure.name for failure in self.head.scheduler.failures())

    def left(self) -> Left:
        """What is kept, and how often each finding was raised as an alert."""
        kept = {
            name: {each["_key"]: _unstamped(each) for each in self.head.kv.collection(name).find()} for name in KEPT
        }
        notables = [json.loads(each.raw) for each in self.head.scheduler.action_events() if each.index == "notable"]
        return {**kept, "alerts": Counter(str(each["finding_id"]) for each in notables)}


def _unstamped(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in STAMPS}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", ())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("state"))
    yield world
    world.head.close()


@pytest.fixture
def world(shared: World) -> World:
    shared.again()
    return shared


@pytest.fixture(scope="module")
def undisturbed(shared: World) -> Callable[[float], Left]:
    """What is left after so many hours when nothing goes wrong."""
    known: dict[float, Left] = {}

    def after(hours: float) -> Left:
        if hours not in known:
            shared.again()
            shared.live(1)  # the first run looks a day back, whenever it is
            shared.live(hours, since=1, cadence="1d" if hours > 24 else "15m")
            known[hours] = shared.left()
            shared.again()
        return known[hours]

    return after


def raised(left: Left) -> list[tuple[str, str, int]]:
    found = left["cba_findings"].values()
    return sorted((each["entity"].rpartition("/")[2], each["country"], each["count"]) for each in found)


@pytest.mark.parametrize(("hours", "found"), [(3, FIRST_HOURS), (9, FIRST_DAY), (75, ALL)])
def test_undisturbed_each_finding_is_raised_once(
    undisturbed: Callable[[float], Left], hours: float, found: list[tuple[str, str, int]]
) -> None:
    left = undisturbed(hours)
    assert raised(left) == found
    assert left["alerts"] == Counter(left["cba_findings"].keys())


def test_notable_events_are_there_to_be_searched(tmp_path: Path, undisturbed: Callable[[float], Left]) -> None:
    alone = World(tmp_path)
    alone.live(3)
    rows = alone.head.search("search index=notable | stats count BY finding_id", earliest=0).rows
    alone.head.close()
    assert {row["finding_id"]: row["count"] for row in rows} == undisturbed(3)["alerts"]


@pytest.mark.parametrize("since", [0.5, 1.0, 4.9])
def test_a_search_head_that_is_away_for_three_hours(
    world: World, undisturbed: Callable[[float], Left], since: float
) -> None:
    expected = undisturbed(9)
    faults.search_head_away(world.head, START + since * HOUR, START + (since + 3) * HOUR)
    world.live(9)
    assert world.failed() == Counter()
    assert world.left() == expected


def test_a_search_head_that_is_away_for_three_days(world: World, undisturbed: Callable[[float], Left]) -> None:
    """Longer than the scheduler makes up for, and longer than one run reads: it is caught up with in portions."""
    expected = undisturbed(75)
    faults.search_head_away(world.head, START + 1.4 * HOUR, START + 73.4 * HOUR)
    world.live(73.4)
    assert raised(world.left()) == FIRST_HOURS
    world.live(74.4, since=73.4)
    (mark,) = world.head.kv.collection("cba_marks").find({"_key": "aws"})
    assert mark["judged_until"] == START + 74.25 * HOUR, "within an hour it is back"
    world.live(75, since=74.4)
    assert world.failed() == Counter()
    assert world.left() == expected


@pytest.mark.parametrize(("since", "until"), [(0.5, 1.5), (1, 7)])
def test_a_kv_store_that_refuses_for_hours(
    world: World, undisturbed: Callable[[float], Left], since: float, until: float
) -> None:
    """For an hour, and from 10:00 to 16:00."""
    expected = undisturbed(9)
    faults.kvstore_away(world.head, START + since * HOUR, START + until * HOUR)
    world.live(9)
    assert set(world.failed().values()) == {4 * (until - since)}, "every run of that time ends in an error"
    assert world.left() == expected


EVENTFUL, MADE_UP, AFTER = 0.8, 1.1, 1.25
"""The hours in which runs of the source's search are disturbed, those after which it has made up for them in one run,
and those after which the alerts have run."""
NOT, DONE = pytest.param(False, id="not carried out"), pytest.param(True, id="carried out")


def writes(world: World) -> int:
    """How many there are in the eventful hours."""
    counter = faults.count_writes(world.head)
    world.live(EVENTFUL, only=JUDGE)
    assert counter.seen > 15
    return counter.seen


@pytest.mark.parametrize("carried_out", [NOT, DONE])
def test_a_run_that_is_killed_at_any_write(
    world: World, undisturbed: Callable[[float], Left], carried_out: bool
) -> None:
    expected = undisturbed(AFTER)
    for nth in range(1, writes(world) + 1):
        world.again()
        faults.kill_at_write(world.head, nth, carried_out)
        world.live(EVENTFUL, only=JUDGE)
        assert world.failed() == {JUDGE: 1}
        world.live(MADE_UP, since=EVENTFUL, only=JUDGE)
        world.live(AFTER, since=MADE_UP)
        assert world.left() == expected, f"killed at write {nth}"


@pytest.mark.parametrize("quarters", [0, 1])
def test_a_second_run_at_any_write_of_the_first(
    world: World, undisturbed: Callable[[float], Left], quarters: int
) -> None:
    """Of the same quarter of an hour, or of the next one, for the first is slow. The first may write over what the
    second has found, and the run after them judges that again."""
    expected = undisturbed(AFTER)
    run = faults.second_run(world.head, JUDGE)

    def second() -> None:
        run(world.head.scheduler.clock + quarters * 900)

    for nth in range(1, writes(world) + 1):
        world.again()
        fault = faults.meanwhile(world.head, nth, second)
        world.live(EVENTFUL, only=JUDGE)
        assert fault.seen > nth
        for failure in world.head.scheduler.failures():  # between its two questions for the window it was judged
            assert "outside of window" in failure.message, failure.message
        world.live(MADE_UP, since=EVENTFUL, only=JUDGE)
        world.live(AFTER, since=MADE_UP)
        assert world.left() == expected, f"a second run at write {nth}"


@pytest.mark.parametrize("carried_out", [NOT, DONE])
def test_an_alert_that_is_killed_at_any_write(
    world: World, undisturbed: Callable[[float], Left], carried_out: bool
) -> None:
    """It raises with its next run. Only what it has kept as raised when it is killed, before splunkd acts on it, is on
    the page Findings and in no alert (docs/triage.md): the KV store and a search's actions do not change together, and
    to lose one alert in that moment is a lesser harm than to repeat alerts."""
    expected = undisturbed(AFTER)
    lost = 0
    for nth in range(1, 1 + len(ALERTS)):
        world.again()
        world.live(EVENTFUL, only=JUDGE)
        fault = faults.kill_at_write(world.head, nth, carried_out)
        fault.pattern += "cba_alerts"
        world.live(AFTER, since=EVENTFUL)
        assert sum(world.failed().values()) == 1 and JUDGE not in world.failed()
        left = world.left()
        missed = expected["alerts"] - left["alerts"]
        lost += sum(missed.values())
        assert {**left, "alerts": left["alerts"] + missed} == expected, f"killed at write {nth}"
    assert lost == (len(ALERTS) if carried_out else 0)
