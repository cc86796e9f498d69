"""A search head that has learned weeks of a generated organization, and a day that is lived through again and again.

world = World(folder, seed=7, day=41)
world.again()                              as before the day
world.live(world.start, world.end)         every scheduled search at its ticks
world.left()                               what is kept, without what an outage does change
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Sequence

from cba.detection.model import source_search
from cba.terms import SECONDS_PER_DAY, SEVERITIES, SOURCES
from demo import Organization, events, lists
from lab.events import Event, EventStore
from lab.replay import APP_DIR, Idle, is_shipped_schedule
from lab.runs import Run
from lab.searchhead import SearchHead
from lab.spl.engine import Engine

HOUR = 3600
AFTER = 3 * HOUR
"""After the disturbed time: for runs to make up for it, and alerts to tell."""
KEPT = (
    "cba_findings", "cba_history", "cba_sources", "cba_homes", "cba_signals", "cba_breakers", "cba_triage",
    "cba_faults",
)  # fmt: skip
STAMPS = ("updated_time", "raised_time", "absorbed", "_user")
"""When something was written, and which findings it took the place of, which an outage does change."""
RAISED = (
    "finding_id", "detection", "variation", "name", "severity", "key", "opened_day", "first_time", "last_time",
    "count", "atoms", "related_finding",
)  # fmt: skip
"""What is said of a finding that another one raised further, whichever of its rows it shows."""

Document = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Left:
    """What is kept in the KV store, by collection and key, and how often each finding was handed to its alert."""

    kept: Mapping[str, Mapping[str, Document]]
    alerts: Counter[str]
    judged: Mapping[str, int]

    @property
    def findings(self) -> Mapping[str, Document]:
        return self.kept["cba_findings"]


class World:
    """`day` counts from the organization's first; the day is judged from `start` to `end`, then AFTER undisturbed."""

    def __init__(
        self,
        folder: Path,
        seed: int = 7,
        day: int = 41,
        hours: Sequence[float] = (0, 24),
        events_per_day: int = 300,
        mode: str = "inprocess",
    ) -> None:
        self.folder = folder
        self.organization = Organization(seed=seed, events_per_day=events_per_day, burst=3)
        midnight = int(self.organization.first_time) + day * SECONDS_PER_DAY
        self.start, self.end = midnight + round(hours[0] * HOUR), midnight + round(hours[1] * HOUR)
        self.head = SearchHead(APP_DIR, folder, mode=mode)
        lists.fill(self.head, lists.all_rows(self.organization))
        logs = list(events(self.organization))
        self.past = [event for event in logs if event.indextime < self.start]
        self.todays = [event for event in logs if self.start <= event.indextime < self.end + AFTER]
        self.head.events.add(self.past)
        self.head.enable(search.name for search in self.head.scheduler.selected(is_shipped_schedule))
        for source in SOURCES:
            backfill = f'| savedsearch "{source_search(source, "Backfill")}"'
            self.head.search(backfill, earliest=0, latest=self.start, now=self.start)
        # The first run of a source looks a day back, whenever it is.
        self.head.scheduler.replay(self.start - HOUR + 1, self.start, "1h", is_shipped_schedule)
        self.learned = {name: self.head.kv.collection(name).find() for name in self.head.kv.names()}
        self.recent = [event for event in self.past if event.indextime >= self.start - 2 * SECONDS_PER_DAY]
        self.deliver(self.todays)

    def deliver(self, todays: Sequence[Event]) -> None:
        """These are the day's events, in place of those before."""
        store = EventStore()
        store.add(self.recent)
        store.add(sorted(todays, key=lambda each: each.indextime))
        self.head.events.close()
        self.head.events = self.head.scheduler.events = store
        head = self.head
        head.engine = Engine(head.app, store, head.kv, head.commands, head.state_dir / "lookups")

    def again(self) -> None:
        """As it was before the day."""
        self.head.restore(self.learned)

    def live(self, start: float, end: float, cadence: str = "15m", skips: Any = None, progress: Any = None) -> None:
        live(self.head, start, end, cadence, skips, progress)

    def failed(self) -> Counter[str]:
        return Counter(failure.name for failure in self.head.scheduler.failures())

    def left(self) -> Left:
        return left(self.head)

    def close(self) -> None:
        self.head.close()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def live(
    head: SearchHead, start: float, end: float, cadence: str = "15m", skips: Any = None, progress: Any = None
) -> None:
    """Every scheduled search at its ticks after `start` until `end`; those that fail, failed."""
    idle = Idle(head)

    def left_out(run: Run) -> bool:
        return (skips is not None and skips(run)) or idle(run)

    head.scheduler.replay(start + 1, end, cadence, is_shipped_schedule, progress, on_failure="record", skips=left_out)


def left(head: SearchHead) -> Left:
    kept = {name: {each["_key"]: _plain(each) for each in head.kv.collection(name).find()} for name in KEPT}
    notables = [json.loads(each.raw) for each in head.scheduler.action_events() if each.index == "notable"]
    marks = head.kv.collection("cba_marks").find()
    judged = {each["_key"]: int(each["judged_until"]) for each in marks if "judged_until" in each}
    return Left(kept, Counter(str(each["finding_id"]) for each in notables), judged)


def _plain(document: Document) -> Document:
    plain = {name: value for name, value in document.items() if name not in STAMPS}
    if plain.get("related_finding"):
        return {name: plain.get(name) for name in RAISED}
    return plain


def differences(found: Left, expected: Left, alerts_lost: Optional[set[str]] = None) -> Iterator[str]:
    """What an outage has changed, a sentence each; nothing, when all is well. `alerts_lost`: findings whose alert was
    stopped after it had kept them as raised, which docs/triage.md allows."""
    for name in KEPT:
        here, there = found.kept[name], expected.kept[name]
        for key in sorted(here.keys() | there.keys()):
            mine, other = here.get(key), there.get(key)
            if mine == other:
                continue
            if mine is None or other is None:
                yield f"{name} {key} is {'missing' if mine is None else 'too many'}: {mine or other}"
                continue
            for field in sorted(mine.keys() | other.keys()):
                if mine.get(field) != other.get(field):
                    yield f"{name} {key}: {field} is {mine.get(field)!r}, expected {other.get(field)!r}"
    lost = alerts_lost or set()
    for finding in sorted(expected.findings):
        times, due = found.alerts[finding], expected.alerts[finding]
        if times != due and not (times < due and finding in lost):
            yield f"finding {finding} was handed to its alert {times} times, expected {due}"
    for finding, times in found.alerts.items():
        if times > 1:
            yield f"finding {finding} was handed to its alert {times} times"
    if found.judged != expected.judged:
        yield f"the marks are {found.judged}, expected {expected.judged}"


def weaker(found: Left, expected: Left) -> Iterator[str]:
    """What events that came late have hidden, a sentence each (ARCHITECTURE.md, the second promise)."""
    here, there = found.kept["cba_history"], expected.kept["cba_history"]
    for key in sorted(here.keys() | there.keys()):
        if here.get(key) != there.get(key):
            yield f"cba_history {key} is {here.get(key)}, expected {there.get(key)}"
    raised: dict[tuple[str, str], list[Document]] = {}
    for finding in found.findings.values():
        raised.setdefault((finding["detection"], finding["key"]), []).append(finding)
    for finding in expected.findings.values():
        others = raised.get((finding["detection"], finding["key"]), [])
        near = [o for o in others if abs(o["opened_day"] - finding["opened_day"]) <= 5]
        if not near:
            yield f"finding {finding['finding_id']} ({finding['detection']}, {finding['key']}) is hidden"
        elif max(_rank(o) for o in near) < _rank(finding):
            yield f"finding {finding['finding_id']} ({finding['detection']}, {finding['key']}) is less severe"


def _rank(finding: Document) -> int:
    return SEVERITIES.index(finding["severity"])
