"""The alerts of the shipped saved searches under the lab's scheduler: each finding once, at any cadence, whoever edits the
searches, restarts the search head or leaves it off."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pytest

from cba.detection.catalogue import get, load
from cba.settings import defaults
from cba.settings.effects import settings_of_alerts
from lab.replay import APP_DIR
from lab.scheduler import CADENCES
from lab.searchhead import SearchHead
from tests.support.kept import kept_finding

HOUR = 3600
DAY = 24 * HOUR
START = 1_767_225_600  # 2026-01-01
DETECTION = get("cloud_unusual_country")
VARIATIONS = [variation.id for variation in DETECTION.all_variations][:2]
DAYS = 8


def searches(head: SearchHead) -> list[str]:
    wanted = [f"| cbaalerts detection={DETECTION.id} variation={variation}" for variation in VARIATIONS]
    found = head.app.stanzas("savedsearches")
    return [name for name, stanza in found.items() if stanza.get("search").strip() in wanted]


def finding(name: str, hour: float, variation: str, **more: Any) -> dict[str, Any]:
    return kept_finding(name, START + int(hour * HOUR) - 600, variation=variation, **more)


# (hour at which it is saved, finding): some come one by one, some at once, some hours or a day after the time they name.
SAVED: list[tuple[float, dict[str, Any]]] = [
    (hour + late, finding(f"{n:024x}", hour, VARIATIONS[n % 2]))
    for n, (hour, late) in enumerate(
        [(3, 0.1), (3, 0.1), (9.05, 0.1), (9.3, 0.2), (26, 0), (27, 20), (50, 0.3), (51, 40), (52, 0), (97, 0), (98, 47),
         (120, 0.25), (150, 0), (150.01, 0.01), (167, 0.5)]
    )
]  # fmt: skip
ALL = sorted(each["finding_id"] for _hour, each in SAVED)


class World:
    """A search head that may be restarted, into whose store findings come with time."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.now = START - HOUR
        self.left = sorted(SAVED, key=lambda each: each[0])
        self.open()
        self.head.enable(searches(self.head))

    def open(self) -> None:
        self.head = SearchHead(APP_DIR, self.state)

    def restart(self) -> None:
        self.head.close()
        self.open()

    def run(self, until: int, cadence: str) -> None:
        """Time goes on; the searches run at this cadence."""
        step = CADENCES[cadence]
        while self.now < until:
            now = min(until, (self.now // step + 1) * step)
            self.save(now)
            self.head.scheduler.replay(self.now + 1, now, cadence, searches(self.head))
            self.now = now

    def away(self, until: int) -> None:
        """Time goes on without the searches, as with a search head that is off while others record findings."""
        self.save(until)
        self.now = until

    def save(self, now: int) -> None:
        while self.left and START + self.left[0][0] * HOUR <= now:
            self.head.kv.collection("cba_findings").batch_save([self.left.pop(0)[1]])

    def edit(self, **settings: str) -> None:
        named = {key.replace("__", "."): value for key, value in settings.items()}
        self.head.splunkd.endpoints.edit("savedsearches", dict.fromkeys(searches(self.head), named))

    def notables(self) -> list[str]:
        events = [json.loads(event.raw) for event in self.head.scheduler.action_events() if event.index == "notable"]
        return sorted(str(event["finding_id"]) for event in events)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with contextlib.redirect_stderr(io.StringIO()):
        world = World(tmp_path)
        yield world
        world.head.close()


END = START + DAYS * DAY


@pytest.mark.parametrize("cadence", ["15m", "1h", "1d"])
def test_the_same_alerts_at_any_cadence(world: World, cadence: str) -> None:
    world.run(END, cadence)
    assert world.notables() == ALL


@pytest.mark.parametrize("cadences", [("1h", "15m"), ("15m", "1h"), ("1d", "15m"), ("15m", "1d", "1h")])
def test_a_changed_cadence(world: World, cadences: Sequence[str]) -> None:
    for n in range(DAYS * 2):
        world.run(START + (n + 1) * DAY // 2, cadences[n % len(cadences)])
    assert world.notables() == ALL


EDITS: dict[str, Callable[[World], None]] = {
    "a description": lambda world: world.edit(description="ours"),
    "the schedule": lambda world: world.edit(cron_schedule="7 */2 * * *"),
    "the time range": lambda world: world.edit(dispatch__earliest_time="-5m", dispatch__latest_time="now"),
    "throttling": lambda world: world.edit(
        alert__suppress="1", alert__suppress__fields="finding_id", alert__suppress__period="1h"
    ),
    "off and on": lambda world: (world.edit(disabled="1"), world.edit(disabled="0"), None)[-1],
    "a restart": lambda world: world.restart(),
}


@pytest.mark.parametrize("what", EDITS)
def test_edits_and_restarts_repeat_and_lose_nothing(world: World, what: str) -> None:
    for n in range(DAYS * 4):
        world.run(START + (n + 1) * DAY // 4, "1h" if n % 3 else "15m")
        EDITS[what](world)
    world.run(END + 3 * HOUR, "15m")
    assert world.notables() == ALL


@pytest.mark.parametrize("hours", [3, 24, 72, 144])
def test_an_outage_of_any_length(world: World, hours: int) -> None:
    world.run(START + 20 * HOUR, "15m")
    world.away(START + (20 + hours) * HOUR)
    world.restart()
    world.run(END, "15m")
    assert world.notables() == ALL


def test_a_run_by_hand_in_between_takes_nothing_away(world: World) -> None:
    for n in range(DAYS * 2):
        world.run(START + (n + 1) * DAY // 2 - HOUR, "1h")
        for variation in VARIATIONS:
            world.head.search(f"| cbaalerts detection={DETECTION.id} variation={variation}", now=world.now)
    world.run(END, "1h")
    assert world.notables() == ALL


def test_a_run_that_dies_before_it_is_done_is_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler dies after the search and before its alert: it repeats that run, and is handed the same findings."""
    deaths = 0
    original = world.head.scheduler._alert

    def dying(search: Any, run: Any, rows: Sequence[Any], summary: Any) -> Any:
        nonlocal deaths
        if rows and deaths < 4:
            deaths += 1
            raise KeyboardInterrupt
        return original(search, run, rows, summary)

    monkeypatch.setattr(world.head.scheduler, "_alert", dying)
    while world.now < END:
        try:
            world.run(END, "1h")
        except KeyboardInterrupt:
            continue
    assert deaths == 4
    assert world.notables() == ALL


def test_a_notable_has_no_field_that_enterprise_security_takes_for_its_own(world: World) -> None:
    from cba.findings.reserved import RESERVED

    forged = finding("f" * 24, 4, VARIATIONS[0], status="closed", owner="ann", comment="c", tag="t", risk_object="x")
    world.left = [(4, forged)]
    world.run(START + 6 * HOUR, "15m")
    events = [json.loads(event.raw) for event in world.head.scheduler.action_events() if event.index == "notable"]
    (plain,) = events
    given_by_search = {key for key, value in plain.items() if value in ("closed", "ann", "c", "t", "x")}
    assert given_by_search <= {"entity", "identity", "user"} and not given_by_search & RESERVED


def test_a_webhook_gets_every_finding_by_itself(world: World) -> None:
    """Splunk gives a webhook the first result of an alert only: so each result is an alert of its own."""
    installed = frozenset({"email", "webhook"})
    values = {**defaults()["alerts"], "send_severity": "informational", "webhook_url": "https://hooks.example.com/x"}
    values["teams_url"] = "https://teams.example.com/w"
    told = settings_of_alerts(load().detections, values, installed, {})
    told = {name: told[name] for name in searches(world.head)}
    world.head.splunkd.endpoints.edit("savedsearches", told)
    world.run(END, "1h")
    actions = [json.loads(event.raw) for event in world.head.scheduler.action_events() if event.index == "sent"]
    sent = [each for each in actions if "param.url" in each["settings"]]
    assert sorted(each["result"]["finding_id"] for each in sent) == ALL
    messages = [each for each in actions if each["settings"].get("param.teams_url") == "https://teams.example.com/w"]
    assert sorted(each["result"]["finding_id"] for each in messages) == ALL
    assert {each["settings"]["param.url"] for each in sent} == {"https://hooks.example.com/x"}
    assert world.notables() == [], "Enterprise Security is not installed"
