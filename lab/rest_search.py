"""Search jobs and saved searches of the lab's REST server: what splunklib.client asks of them, and no more.

| endpoint (below services/ or servicesNS/…) | methods |
|---|---|
| search/jobs, search/v2/jobs | GET; POST search=…, exec_mode=normal, blocking or oneshot |
| …/export | POST |
| …/<sid> | GET, DELETE |
| …/<sid>/results, results_preview, events | GET, POST |
| …/<sid>/control | POST action=cancel, finalize, pause, unpause, touch, setttl, … |
| saved/searches[/<name>] | as configs/conf-savedsearches |
| saved/searches/<name>/dispatch, /history | POST, GET |

Reference: https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch. Results come as JSON only. A search
has run to its end when its creation is answered, so a job is never seen unfinished; searches run one at a time. A text
that cannot be compiled is refused (400); one that fails while it runs is a job in the state FAILED that says why. A
disabled saved search cannot be run (savedsearches.conf.spec, `disabled`).
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional
from urllib.parse import unquote_plus

from lab.atom import Entry, document, feed
from lab.errors import LabError
from lab.rest import Request, Response, RestError
from lab.spl.engine import SearchResult
from lab.spl.times import ZONE, time_modifier
from lab.spl.values import Row
from lab.spl.values import text as to_text
from lab.spl.window import TimeWindow

if TYPE_CHECKING:
    from lab.searchhead import SearchHead

JOBS_KEPT = 1000
DEFAULT_COUNT = 100
"""Results a page has unless `count` says otherwise; 0 is all of them."""
# Parameters that change how a real search head runs a job, not what it finds.
INERT = frozenset({
    "output_mode", "adhoc_search_level", "auto_cancel", "auto_finalize_ec", "auto_pause", "force_dispatch", "max_count",
    "max_time", "namespace", "preview", "rf", "search_mode", "segmentation", "status_buckets", "timeout", "count",
    "offset",
})  # fmt: skip
CREATE = INERT | {"search", "exec_mode", "earliest_time", "latest_time", "now"}
DISPATCH = INERT | {
    "trigger_actions", "dispatch.now", "dispatch.earliest_time", "dispatch.latest_time", "dispatch.index_earliest",
    "dispatch.index_latest",
}  # fmt: skip
COUNTS = ("resultCount", "resultPreviewCount", "eventCount", "scanCount", "eventAvailableCount")
CONTROLS = ("cancel", "finalize", "pause", "unpause", "touch", "setttl", "setpriority", "enablepreview",
            "disablepreview")  # fmt: skip


@dataclass
class Job:
    """A search that has run. `problem` is why it failed, None when it did not."""

    sid: str
    search: str
    window: TimeWindow
    saved_search: str
    seconds: float = 0.0
    result: SearchResult = field(default_factory=lambda: SearchResult([], []))
    problem: Optional[str] = None

    def entry(self) -> Entry:
        """The job as Atom content. The lab does not count the events behind the results."""
        failed = self.problem is not None
        count = str(len(self.result.rows))
        content = {
            "sid": self.sid,
            "label": self.saved_search,
            "dispatchState": "FAILED" if failed else "DONE",
            "doneProgress": "1.00000",
            "runDuration": f"{self.seconds:.3f}",
            "earliestTime": iso(self.window.earliest or 0),
            "latestTime": iso(self.window.now if self.window.latest is None else self.window.latest),
            "ttl": "600",
            "priority": "5",
            **dict.fromkeys(COUNTS, count),
            **dict.fromkeys(("isDone", "isPreviewEnabled"), "1"),
            **dict.fromkeys(("isFinalized", "isPaused", "isSaved", "isZombie", "isRealTimeSearch"), "0"),
            "isFailed": str(int(failed)),
            "isSavedSearch": str(int(bool(self.saved_search))),
            "messages": {"error": [self.problem]} if failed else {},
            "request": {"search": self.search},
        }  # fmt: skip
        return Entry(self.search, f"/services/search/v2/jobs/{self.sid}", content)

    def page(self, given: Mapping[str, str]) -> bytes:
        """Results as output_mode=json has them."""
        offset, count = _number(given, "offset", 0), _number(given, "count", DEFAULT_COUNT)
        rows = self.result.rows[offset : offset + count] if count else self.result.rows[offset:]
        answer = {
            "preview": False,
            "init_offset": offset,
            "messages": [] if self.problem is None else [{"type": "FATAL", "text": self.problem}],
            "fields": [{"name": name} for name in self.result.fields],
            "results": [shown(row) for row in rows],
        }
        return json.dumps(answer, ensure_ascii=False).encode("utf-8")

    def stream(self) -> bytes:
        """Results as export has them: an object a line."""
        rows = self.result.rows
        if not rows:
            return b'{"preview":false,"lastrow":true}\n'
        lines: list[dict[str, Any]] = [
            {"preview": False, "offset": at, "result": shown(row)} for at, row in enumerate(rows)
        ]
        lines[-1]["lastrow"] = True
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("utf-8")


def shown(row: Row) -> dict[str, Any]:
    """A row as JSON results have it: text, multivalues as lists, nulls left out, `_time` as ISO 8601."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name == "_time" and isinstance(value, (int, float)):
            out[name] = iso(value)
        else:
            out[name] = [to_text(member) for member in value] if isinstance(value, list) else to_text(value)
    return out


def iso(epoch: float) -> str:
    """`2023-11-14T22:13:20.000+00:00`, in the zone of the user who searches."""
    return datetime.fromtimestamp(epoch, ZONE.get()).isoformat(timespec="milliseconds")


class KeptJobs(dict[str, Job]):
    """Jobs by their sid, the newest JOBS_KEPT of them."""

    def keep(self, job: Job) -> Job:
        self[job.sid] = job
        while len(self) > JOBS_KEPT:
            del self[next(iter(self))]
        return job


class Jobs:
    """The search jobs of a search head. `clock` is what `now` is for a job that does not say."""

    def __init__(self, head: SearchHead, clock: Callable[[], float] = time.time) -> None:
        self.head = head
        self.clock = clock
        self._jobs = KeptJobs()
        self._sids = itertools.count(1)

    def mount(self) -> None:
        """Answer for the search endpoints of the head's REST server."""
        mounted = self.head.splunkd.endpoints.mounted
        mounted.update({"search/v2/jobs": self.jobs, "search/jobs": self.jobs, "saved/searches": self.saved})

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def jobs(self, request: Request, path: str) -> Response:
        sid, _, what = path.partition("/")
        if not sid:
            if request.method == "POST":
                return self._create(request)
            entries = [job.entry() for job in reversed(self._jobs.values())]
            return Response(200, feed("jobs", entries, request.as_json))
        if sid == "export":
            _json_only(request)
            return _json(self._adhoc(request).stream())
        job = self._jobs.get(unquote_plus(sid))
        if job is None:
            raise RestError(404, "Unknown sid.", "FATAL")
        if what in ("results", "results_preview", "events"):
            _json_only(request)
            return _json(job.page(request.given))
        if what == "control":
            action = request.given.get("action", "")
            if action not in CONTROLS:
                raise RestError(400, f"Unknown action '{action}' for a search job. Known: {', '.join(CONTROLS)}.")
            if action == "cancel":
                del self._jobs[job.sid]
            return Response(200, feed("control", [], request.as_json))
        if what:
            raise RestError(404, f"Not Found: {request.path}")
        if request.method == "DELETE":
            del self._jobs[job.sid]
        return Response(200, document(job.entry(), request.as_json))

    def _create(self, request: Request) -> Response:
        job = self._adhoc(request)
        if request.given.get("exec_mode") == "oneshot":
            _json_only(request)
            return _json(job.page(request.given))
        return _sid(job, request)

    def _adhoc(self, request: Request) -> Job:
        given = request.given
        _known(given, CREATE)
        search = given.get("search", "")
        if not search.lstrip().startswith(("search", "|")):
            raise RestError(400, "a search begins with 'search' or with a pipe.", "FATAL")
        return self._run(search, self._window(given, given.get("now")))

    def _window(self, times: Mapping[str, str], now: Optional[str]) -> TimeWindow:
        """The window of `<edge>_time` and `index_<edge>`; an edge that is not named is open."""
        try:
            clock = time_modifier(now, self.clock()) if now else None
            present = self.clock() if clock is None else clock
            edges = [
                time_modifier(times.get(name, ""), present)
                for name in ("earliest_time", "latest_time", "index_earliest", "index_latest")
            ]
        except LabError as problem:
            raise RestError(400, problem.message, "FATAL") from None
        return TimeWindow(edges[0], edges[1], present, edges[2], edges[3])

    def _run(self, search: str, window: TimeWindow, file: str = "(ad hoc)", stanza: str = "") -> Job:
        job = Job(f"{window.now:.0f}.{next(self._sids)}", search, window, stanza)
        started = time.monotonic()
        with self.head.lock:
            try:
                self.head.engine.compile(search, file, stanza)
            except LabError as problem:
                raise RestError(400, str(problem), "FATAL") from None
            try:
                job.result = self.head.engine.search(search, window, file=file, stanza=stanza, sid=job.sid)
            except LabError as problem:
                job.problem = str(problem)
        job.seconds = time.monotonic() - started
        return self._jobs.keep(job)

    # -- saved searches -----------------------------------------------------------------------------------------------

    def saved(self, request: Request, path: str) -> Response:
        encoded, _, what = path.partition("/")
        name = unquote_plus(encoded)
        if not what:
            return self.head.splunkd.endpoints.configs(request, "savedsearches", name, "saved/searches")
        if what == "history":
            entries = [job.entry() for job in self._jobs.values() if job.saved_search == name]
            named = [Entry(entry.content["sid"], entry.path, entry.content) for entry in entries]
            return Response(200, feed("history", named, request.as_json))
        if what != "dispatch":
            raise RestError(404, f"Not Found: {request.path}")
        given = request.given
        _known(given, DISPATCH)
        if given.get("trigger_actions", "0") not in ("0", "false"):
            raise RestError(400, "trigger_actions is not supported: the lab's scheduler carries out actions.")
        return _sid(self._dispatch(name, given), request)

    def _dispatch(self, name: str, given: Mapping[str, str]) -> Job:
        """Runs a saved search over the range it was saved with, but for the edges that are given."""
        stanza = self.head.app.stanzas("savedsearches").get(name)
        if stanza is None:
            raise RestError(404, f"Could not find object id={name}")
        if stanza.boolean("disabled"):
            raise RestError(400, f"The saved search '{name}' is disabled, so it cannot be run.")
        settings = {**stanza.settings, **given}
        times = {k[len("dispatch.") :]: v for k, v in settings.items() if k.startswith("dispatch.")}
        window = self._window(times, given.get("dispatch.now"))
        return self._run(stanza.get("search"), window, str(stanza.places["search"][0]), name)


def _sid(job: Job, request: Request) -> Response:
    if request.as_json:
        return _json(json.dumps({"sid": job.sid}).encode(), 201)
    return Response(201, f"<response>\n  <sid>{job.sid}</sid>\n</response>\n".encode())


def _json(body: bytes, status: int = 200) -> Response:
    return Response(status, body, "application/json; charset=UTF-8")


def _json_only(request: Request) -> None:
    if not request.as_json:
        raise RestError(400, "the lab gives results with output_mode=json only.")


def _known(given: Mapping[str, str], known: frozenset[str]) -> None:
    for name in given:
        if name not in known:
            raise RestError(400, f'Argument "{name}" is not supported by this handler.')


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not text.isdigit():
        raise RestError(400, f"{name} must be a whole number that is not negative, found '{text}'.")
    return int(text)
