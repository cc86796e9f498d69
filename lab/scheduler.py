"""The scheduler of the lab: saved searches at their cron times, on a simulated clock.

`replay` runs every due search (lab/runs.py) in time order with its own dispatch window, checks its alert condition,
throttles, and carries out its actions. The app's searches find the same at any cadence.

A run whose search ends in an error is a failed run. Splunk does not repeat it; the replay stops there, or records it
and goes on with the next run (`on_failure`).

Progress is kept in scheduler.sqlite of the state folder. What a run caused (its place in time, throttling, alerts,
action events) is committed in one transaction after the search is done, so a killed replay goes on with the run it
was in; that run is repeated, which the commands' idempotent writes allow.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, ContextManager, Iterable, Optional, Protocol, Sequence, Union

from lab.actions import Trigger, run_actions
from lab.chunked import Row
from lab.conf import AppConf
from lab.errors import LabError, RunFailed
from lab.events import Event, EventStore
from lab.garbage import collecting_garbage
from lab.runs import CADENCES, Absence, Due, Run, due
from lab.savedsearch import ScheduledSearch, scheduled_searches, throttle_scopes

__all__ = ["CADENCES", "RAISE", "RECORD", "Alert", "Enable", "Failure", "Run", "Scheduler", "Summary"]

RAISE, RECORD = "raise", "record"
Enable = Union[None, Iterable[str], Callable[[str], bool]]


class Searching(Protocol):
    """What the scheduler asks of a search head: run a saved search over a window, return its rows."""

    def __call__(self, search: ScheduledSearch, run: Run) -> list[Row]: ...


@dataclass(frozen=True)
class Alert:
    """A triggered alert of the past."""

    name: str
    sid: str
    time: float
    severity: int
    results: int
    tracked: bool


@dataclass(frozen=True)
class Failure:
    """A run that ended in an error."""

    time: float
    name: str
    sid: str
    message: str


@dataclass
class Summary:
    """What a replay did: dispatches, those of them that failed, cron ticks they stand for, rows, triggered alerts,
    events written by actions."""

    runs: int = 0
    failed: int = 0
    ticks: int = 0
    rows: int = 0
    triggered: int = 0
    events: int = 0


Dispatched = tuple[ScheduledSearch, Run]


class Scheduler:
    """Runs the scheduled searches of `app` through `search`; action events go to `events`. Without `path` it
    forgets. `prepared` is told all that a replay will run, and left when it is done."""

    def __init__(
        self,
        app: AppConf,
        events: EventStore,
        search: Searching,
        path: Union[Path, str] = ":memory:",
        prepared: Callable[[Sequence[Dispatched]], ContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        self.app = app
        self.events = events
        self._search = search
        self._prepared = prepared
        self.absences: list[Absence] = []
        """When the search head is away: no search runs."""
        self.clock = 0.0
        """The simulated time: of the run under way, or of the end of the last replay."""
        self._parsed: Optional[tuple[AppConf, dict[str, ScheduledSearch]]] = None
        """The confs as they were last read, and their searches: an edit makes new confs."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(
            """
            CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, done INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS throttle (scope TEXT, key TEXT, until REAL NOT NULL, PRIMARY KEY (scope, key));
            CREATE TABLE IF NOT EXISTS alerts (name TEXT, sid TEXT, time REAL, severity INTEGER, results INTEGER,
                tracked INTEGER);
            CREATE TABLE IF NOT EXISTS failures (time REAL, name TEXT, sid TEXT, message TEXT);
            CREATE TABLE IF NOT EXISTS action_events (time REAL, indextime REAL, event_index TEXT, sourcetype TEXT,
                source TEXT, host TEXT, raw TEXT);
            """
        )
        # The event store starts empty with every process; what actions wrote in earlier ones is put back.
        events.add(self.action_events())

    def close(self) -> None:
        self._db.close()

    def searches(self) -> dict[str, ScheduledSearch]:
        """All searches with a schedule, by name; LabError for settings that the lab does not know."""
        if self._parsed is None or self._parsed[0] is not self.app:
            self._parsed = self.app, scheduled_searches(self.app)
        return self._parsed[1]

    def alerts(self) -> list[Alert]:
        """All alerts triggered so far, in order."""
        rows = self._db.execute("SELECT name, sid, time, severity, results, tracked FROM alerts ORDER BY rowid")
        return [
            Alert(name, sid, time, severity, results, bool(tracked))
            for name, sid, time, severity, results, tracked in rows
        ]

    def failures(self) -> list[Failure]:
        """All runs that failed so far, in order."""
        return [
            Failure(*row) for row in self._db.execute("SELECT time, name, sid, message FROM failures ORDER BY rowid")
        ]

    def action_events(self) -> list[Event]:
        """All events that actions wrote so far, in order."""
        return [Event(*row) for row in self._db.execute("SELECT * FROM action_events ORDER BY rowid")]

    def forget(self) -> None:
        """Forget progress, throttling and alerts, so that a period can be replayed again."""
        for table in ("progress", "throttle", "alerts", "failures", "action_events"):
            self._db.execute(f"DELETE FROM {table}")

    def edited(self, app: AppConf) -> None:
        """The confs were edited. A search of which anything changed is throttled no more: "The change causes the
        throttle file, which notes how long to ignore events, to be removed"
        (https://docs.splunk.com/Documentation/Splunk/latest/Alert/ThrottleAlerts). That a group's goes as well is
        assumed."""
        before, self.app = self.app.stanzas("savedsearches"), app
        for name, stanza in app.stanzas("savedsearches").items():
            if name in before and before[name].settings != stanza.settings:
                for edited in (before[name], stanza):
                    for scope in throttle_scopes(edited):
                        self._db.execute("DELETE FROM throttle WHERE scope = ?", [scope])

    # -- replay -------------------------------------------------------------------------------------------------------

    def selected(self, enable: Enable = None) -> list[ScheduledSearch]:
        """The searches to run: those enabled in the conf, or those named (or accepted by a function of the name)."""
        searches = self.searches()
        if enable is None:
            return [search for search in searches.values() if search.enabled]
        if callable(enable):
            return [search for search in searches.values() if enable(search.name)]
        names = list(enable)
        for name in names:
            if name not in searches:
                known = ", ".join(sorted(searches)[:12]) or "none"
                raise LabError(f"no scheduled search '{name}'. Known: {known}.", "default/savedsearches.conf")
        return [searches[name] for name in dict.fromkeys(names)]

    def plan(self, start: float, end: float, cadence: str = "15m", enable: Enable = None) -> list[Run]:
        """The runs still to do for the cron ticks in [start, end], in order of time, then of first cron minute, then of
        the conf file."""
        if cadence not in CADENCES:
            raise LabError(f"cadence '{cadence}' is not known. Use {', '.join(CADENCES)}.")
        planned = []
        for search in self.selected(enable):
            ticks = search.cron.times(max(start - 1, self._done(search.name)), end)
            for one in due(ticks, cadence, self.absences, search.continuous):
                planned.append(((one.at, search.first_minute, search.order), self._run(search, one)))
        return [run for _, run in sorted(planned, key=lambda item: item[0])]

    def _run(self, search: ScheduledSearch, due: Due) -> Run:
        first, last = due.first, due.last
        digest = hashlib.md5(search.name.encode("utf-8")).hexdigest()[:16]
        return Run(
            name=search.name,
            at=due.at,
            first=first,
            now=last,
            seen=due.seen,
            earliest=search.window("earliest_time", first),
            latest=search.window("latest_time", last),
            index_earliest=search.window("index_earliest", first),
            index_latest=search.window("index_latest", last),
            sid=f"scheduler__nobody__{self.app.name}__RMD5{digest}_at_{last}",
        )

    def _done(self, name: str) -> int:
        row = self._db.execute("SELECT done FROM progress WHERE name = ?", [name]).fetchone()
        return int(row[0]) if row else -1

    def replay(
        self,
        start: float,
        end: float,
        cadence: str = "15m",
        enable: Enable = None,
        progress: Optional[Callable[[float, float, str], None]] = None,
        on_failure: str = RAISE,
        skips: Callable[[Run], bool] = lambda run: False,
    ) -> Summary:
        """Run everything due in [start, end]; `progress(seconds done, seconds in all, note)` after each run.

        A run that fails raises its LabError, and what ran before it stays done; with `on_failure="record"` it is one of
        `failures` and the next run follows, as in Splunk. A search that the lab does not understand always raises.
        A run that `skips` says would do nothing is left out.
        """
        if on_failure not in (RAISE, RECORD):
            raise LabError(f"on_failure '{on_failure}' is not known. Use {RAISE} or {RECORD}.")
        summary = Summary()
        searches = self.searches()
        runs = self.plan(start, end, cadence, enable)
        with self._prepared([(searches[run.name], run) for run in runs]), collecting_garbage() as collect:
            for run in runs:
                self.clock = float(run.at)
                if skips(run):
                    continue
                try:
                    self._one(searches[run.name], run, summary)
                except RunFailed as problem:
                    if on_failure == RAISE:
                        raise
                    self._failed(run, problem)
                    summary.failed += 1
                collect()
                if progress is not None:
                    progress(run.now - start, end - start, run.name)
        self.clock = float(end)
        return summary

    def _failed(self, run: Run, problem: LabError) -> None:
        """Splunk goes on with the next run, so this one is done with."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO failures VALUES (?, ?, ?, ?)", [run.at, run.name, run.sid, str(problem)])
            self._db.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", [run.name, run.now])
            self._db.execute("COMMIT")

    def _one(self, search: ScheduledSearch, run: Run, summary: Summary) -> None:
        try:
            rows = self._search(search, run)
        except LabError as problem:
            raise problem.located(search.stanza.file, search.name) from None
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                events = self._alert(search, run, rows, summary)
                self._db.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", [run.name, run.now])
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        self.events.add(events)
        summary.runs += 1
        summary.ticks += sum(1 for _ in search.cron.times(run.first - 1, run.now))
        summary.rows += len(rows)
        summary.events += len(events)

    def _alert(self, search: ScheduledSearch, run: Run, rows: Sequence[Row], summary: Summary) -> list[Event]:
        """Check the condition, throttle, carry out the actions; the events to add once all is committed."""
        if not (search.actions or _tracks(search)) or not search.condition_holds(rows):
            return []
        kept = self._throttled(search, run, rows)
        if kept is None:
            return []
        trigger = Trigger(search.stanza, self.app.name, run.sid, run.now, run.earliest, run.latest, kept)
        triggers = [trigger] if search.digest else trigger.one_by_one()
        events = [event for one in triggers for event in run_actions(search.actions, one)]
        self._db.executemany(
            "INSERT INTO action_events VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(e.time, e.indextime, e.index, e.sourcetype, e.source, e.host, e.raw) for e in events],
        )
        severity, tracked = search.stanza.integer("alert.severity", 3), _tracks(search)
        for one in triggers:
            self._db.execute(
                "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?)",
                [run.name, run.sid, run.now, severity, len(one.rows), tracked],
            )
        summary.triggered += len(triggers)
        return events

    def _throttled(self, search: ScheduledSearch, run: Run, rows: Sequence[Row]) -> Optional[Sequence[Row]]:
        """The results that are not suppressed, or None when the alert must stay silent. Opens new suppressions.

        A merged run stands for all of its ticks: what the run before triggered would have been seen again, and
        suppressed, at the first of them, so that is the time suppressions are held against.
        """
        throttle = search.suppression
        if throttle is None:
            return rows
        kept = []
        for row in rows if throttle.fields else [{}]:
            key = throttle.key(row)
            active = self._db.execute(
                "SELECT 1 FROM throttle WHERE scope = ? AND key = ? AND until > ?", [throttle.scope, key, run.first]
            ).fetchone()
            if active:
                continue
            self._db.execute(
                "INSERT OR REPLACE INTO throttle VALUES (?, ?, ?)", [throttle.scope, key, run.now + throttle.seconds]
            )
            kept.append(row)
        if not kept:
            return None
        return kept if throttle.fields else rows


def _tracks(search: ScheduledSearch) -> bool:
    """alert.track: 1, 0, or auto ("determine whether to track … based on the tracking setting of each action")."""
    value = search.stanza.get("alert.track", "auto").lower()
    return bool(search.actions) if value in ("", "auto") else search.stanza.boolean("alert.track")
