"""A local search head: the shipped app, an event store, a KV store, splunkd's REST endpoints, the search engine and the
scheduler, wired together.

    with SearchHead(app_dir, state_dir) as head:
        head.events.add(events)
        head.search("search index=main | stats count", earliest=0, now=1700000000)
        head.scheduler.replay(start, end, "1h", enable=lambda name: True)
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Optional, Sequence, Union

from cba.detection.catalogue import load
from cba.settings import CONF, tab
from cba.settings.effects import settings_of_alerts
from cba.terms import APP
from lab.ahead import LONG, Ahead, Dispatch
from lab.chunked import Row
from lab.conf import AppConf, load_app
from lab.errors import LabError, RunFailed, RunKilled
from lab.events import EventStore
from lab.kvstore import KVStore, Limits
from lab.protocol import CommandRunner
from lab.rest_hec import Collector
from lab.rest_search import Jobs
from lab.runs import Run
from lab.savedsearch import ScheduledSearch
from lab.scheduler import Scheduler
from lab.spl.engine import Engine, SearchResult
from lab.spl.times import time_modifier
from lab.spl.window import TimeWindow
from lab.splunkd import Splunkd

if TYPE_CHECKING:
    from types import TracebackType

Time = Union[None, int, float, str]


class SearchHead:
    """Everything in one place. The state folder holds local/, the KV store and the scheduler's progress.

    `mode` is how search commands run: "inprocess" or "process" (with the interpreter `python`).
    """

    def __init__(
        self,
        app_dir: Union[Path, str],
        state_dir: Union[Path, str],
        mode: str = "inprocess",
        python: Optional[str] = None,
        limits: Optional[Limits] = None,
    ) -> None:
        self.state_dir = Path(state_dir)
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.local_dir = self.state_dir / "local"
        self.app = load_app(Path(app_dir), self.local_dir)
        self.events = EventStore()
        self.kv = KVStore(self.app, self.state_dir / "kvstore.sqlite", limits)
        self.splunkd = Splunkd(self.app, self.kv, self.local_dir, self._conf_changed).start()
        self.commands = CommandRunner(
            self.app,
            mode=mode,
            python=python,
            splunkd_uri=self.splunkd.uri,
            session_key=self.splunkd.session_key,
            dispatch_dir=self.state_dir / "dispatch",
        )
        self.splunkd.on_kill = self.commands.kill
        self.engine = Engine(self.app, self.events, self.kv, self.commands, self.state_dir / "lookups")
        self.lock = threading.RLock()
        """Held by whoever searches or adds events over REST, where every request has a thread of its own."""
        self.splunkd.endpoints.lookups_dir = self.state_dir / "lookups"
        self.jobs = Jobs(self)
        self.jobs.mount()
        self.collector = Collector(self)
        self.collector.mount()
        self.scheduler = Scheduler(
            self.app, self.events, self._dispatch, self.state_dir / "scheduler.sqlite", self._ahead_of
        )
        self._ahead: Optional[Ahead] = None
        self.long: float = LONG if (os.cpu_count() or 1) > 1 else math.inf
        """Events from which on a replay keeps a second core busy."""
        self._ad_hoc = itertools.count(1)

    def search(self, spl: str, earliest: Time = None, latest: Time = None, now: Optional[float] = None) -> SearchResult:
        """Run a search by hand over such a `window`."""
        window = self.window(earliest, latest, now)
        return self.engine.search(spl, window, sid=f"{int(window.now)}.{next(self._ad_hoc)}")

    def window(self, earliest: Time = None, latest: Time = None, now: Optional[float] = None) -> TimeWindow:
        """Times are epoch seconds or modifiers (`-24h@h`); `now` defaults to just after the last event was delivered,
        so that "-30d" means the last 30 days of the logs."""
        if now is None:
            now = 1.0 + self.last_delivery() // 1
        return TimeWindow(_time(earliest, now), _time(latest, now), now)

    def last_delivery(self) -> float:
        """When the last event was indexed; 0 without any."""
        return max((part.block.last_indexed for part in self.events.scan(None, None)), default=0.0)

    def restore(self, documents: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """Goes back to these documents of collections; what was scheduled, and what was wrong since, is forgotten."""
        for name, kept in documents.items():
            self.kv.collection(name).delete(None)
            self.kv.collection(name).save_all(copy.deepcopy(list(kept)))
        self.scheduler.forget()
        self.scheduler.absences.clear()
        self.kv.is_away = lambda: False
        self.splunkd.faults.clear()
        self.splunkd.killed = False

    def enable(self, names: Iterable[str], enabled: bool = True) -> None:
        """Enables saved searches, or disables them, as a user does: over REST they are so from then on, also for a
        later process."""
        changes = {name: {"disabled": str(int(not enabled))} for name in names}
        if enabled:
            self._set_up_alerts(changes)
        self.splunkd.endpoints.edit("savedsearches", changes)

    def _set_up_alerts(self, changes: dict[str, dict[str, str]]) -> None:
        """Says what becomes of alerts, as the page Configuration does when its tab Alerts is saved: here Enterprise
        Security is installed."""
        if self.app.name != APP:
            return
        installed = frozenset(self.splunkd.endpoints.alert_actions)
        values = tab("alerts").usable(self.app.stanza(CONF, "alerts").settings)
        for name, told in settings_of_alerts(load().detections, values, installed, {}).items():
            if name in changes:
                changes[name].update(told)

    def _dispatch(self, search: ScheduledSearch, run: Run) -> list[Row]:
        file = str(search.stanza.places["search"][0])
        dispatch = _to_begin(search, run)
        try:
            ready = self.engine.ready(search.search, dispatch.window, file=file, stanza=search.name, sid=run.sid)
            ahead = self._ahead if self._ahead is not None and self._ahead.engine is self.engine else None
            rows = self.engine.finish(ready, None if ahead is None else ahead.rows(dispatch, ready)).rows
        except (LabError, RunKilled):
            if not self.splunkd.killed:
                raise
        if self.splunkd.killed:  # whatever the command made of it
            self.splunkd.killed = False
            raise RunFailed("the run was killed.", file, search.name)
        return rows

    @contextlib.contextmanager
    def _ahead_of(self, dispatched: Sequence[tuple[ScheduledSearch, Run]]) -> Iterator[None]:
        if len(self.events) < self.long:
            yield
            return
        try:
            with Ahead(self.engine, [_to_begin(search, run) for search, run in dispatched]) as self._ahead:
                yield
        finally:
            self._ahead = None

    def _conf_changed(self, app: AppConf) -> None:
        """A conf was edited over REST: later runs use it. Searches read savedsearches and macros through the
        scheduler's and the engine's AppConf, so both get the new one."""
        self.app = app
        self.scheduler.edited(app)
        self.engine = Engine(app, self.events, self.kv, self.commands, self.state_dir / "lookups")

    def close(self) -> None:
        self.splunkd.stop()
        self.commands.close()
        self.scheduler.close()
        self.kv.close()
        self.events.close()

    def __enter__(self) -> SearchHead:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def _to_begin(search: ScheduledSearch, run: Run) -> Dispatch:
    window = TimeWindow(
        run.earliest,
        run.latest,
        float(run.now),
        index_earliest=run.index_earliest,
        index_latest=run.index_latest,
        indexed_by=float(run.seen),
    )
    return Dispatch(search.search, window, run.sid)


def _time(value: Time, now: float) -> Optional[float]:
    return time_modifier(value, now) if isinstance(value, str) else None if value is None else float(value)
