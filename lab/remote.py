"""A Splunk somewhere else, asked over its management port (and its HTTP Event Collector): any real one, or a lab.

remote = Remote.connect("https://splunk.example.com:8089", username="admin", password="…")
remote.search("| makeresults | eval a=1")      rows as JSON results have them
remote.send([Event(…)])                        with a collector: remote.collector = Collector(url, token)
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Optional, Sequence
from urllib.parse import urlsplit

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from lab.events import Event

APP = "cloud_behavior_analytics"
DATA_PATH = "storage/collections/data/"
SEARCH_SECONDS = 300
INDEXING_SECONDS = 120
PAUSES = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds between two looks at a job; the last one again and again."""
POSTED_AT_ONCE = 500_000
"""Characters a request to the collector has; it takes 1 MB unless set otherwise."""

Result = dict[str, Any]


class RemoteError(Exception):
    """Splunk could not be reached, or refused: says what, where and why."""


class SearchFailed(RemoteError):
    """Splunk refused a search or gave it up."""


@dataclass(frozen=True)
class Collector:
    """The HTTP Event Collector at `url` (https://host:8088)."""

    url: str
    token: str
    verify: bool = False


class Remote:
    """One Splunk. Searches run in the namespace of `app`, owner nobody."""

    def __init__(self, service: Any, collector: Optional[Collector] = None) -> None:
        self.service = service
        self.collector = collector

    @classmethod
    def connect(
        cls,
        url: str,
        username: str = "",
        password: str = "",
        token: str = "",
        app: str = APP,
        verify: bool = False,
        collector: Optional[Collector] = None,
    ) -> Remote:
        """Logs in with a name and a password, or uses a token. RemoteError when that fails."""
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise RemoteError(f"{url!r} is no address of a management port; write https://host:8089")
        given: dict[str, Any] = {"splunkToken": token} if token else {"username": username, "password": password}
        try:
            service = client.Service(
                scheme=address.scheme, host=address.hostname, port=address.port or 8089, app=app, owner="nobody",
                verify=verify, **given,
            )  # fmt: skip
            if not token:
                service.login()
            remote = cls(service, collector)
            remote.version  # noqa: B018 - a token is only tried by a request
        except (AuthenticationError, HTTPError) as problem:
            raise RemoteError(f"{url}: login failed ({words(problem)})") from problem
        except OSError as problem:
            raise RemoteError(f"{url}: no answer ({problem})") from problem
        return remote

    @property
    def version(self) -> str:
        return str(self.service.info["version"])

    def installed(self, app: str = APP) -> Optional[str]:
        """The version of an app there, None when it is not installed."""
        try:
            return str(self.service.apps[app].content.get("version", ""))
        except KeyError:
            return None

    # -- searches -----------------------------------------------------------------------------------------------------

    def search(
        self, spl: str, earliest: Optional[float] = None, latest: Optional[float] = None, now: Optional[float] = None
    ) -> list[Result]:
        """All results of a search over a window of epoch seconds. SearchFailed when it is refused or fails."""
        times = {"earliest_time": earliest, "latest_time": latest, "now": now}
        try:
            job = self.service.jobs.create(spl, **{k: f"{v:.3f}" for k, v in times.items() if v is not None})
        except HTTPError as problem:
            raise SearchFailed(words(problem)) from problem
        return self.results(job)

    def results(self, job: Any) -> list[Result]:
        """Waits for a job, takes its results and removes it."""
        try:
            self._wait(job)
            answer = json.loads(job.results(output_mode="json", count=0).read() or b"{}")
            return list(answer.get("results", []))
        except HTTPError as problem:
            raise SearchFailed(words(problem)) from problem
        finally:
            job.cancel()

    def _wait(self, job: Any) -> None:
        until = time.monotonic() + SEARCH_SECONDS
        pauses = iter(PAUSES)
        while True:
            if job.is_ready():
                content = job.content
                if content.get("isFailed") == "1" or content.get("dispatchState") == "FAILED":
                    raise SearchFailed(_complaints(content.get("messages")) or "the search failed and does not say why")
                if content.get("isDone") == "1":
                    return
            if time.monotonic() > until:
                raise SearchFailed(f"the search did not end within {SEARCH_SECONDS} seconds")
            time.sleep(next(pauses, PAUSES[-1]))

    # -- events -------------------------------------------------------------------------------------------------------

    def send(self, events: Iterable[Event]) -> int:
        """Posts events to the collector; returns how many. They can be searched a little later: see `await_events`."""
        batch: list[str] = []
        count, size = 0, 0
        for event in events:
            posted = json.dumps({
                "time": event.time, "index": event.index, "sourcetype": event.sourcetype, "source": event.source,
                "host": event.host, "event": event.raw,
            })  # fmt: skip
            if size + len(posted) > POSTED_AT_ONCE and batch:
                self._post("\n".join(batch))
                size, batch = 0, []
            batch.append(posted)
            size += len(posted)
            count += 1
        if batch:
            self._post("\n".join(batch))
        return count

    def _post(self, body: str) -> None:
        if self.collector is None:
            raise RemoteError("events can only be sent with the address and a token of the HTTP Event Collector")
        request = urllib.request.Request(
            f"{self.collector.url.rstrip('/')}/services/collector/event",
            body.encode("utf-8"),
            {"Authorization": f"Splunk {self.collector.token}", "Content-Type": "application/json"},
        )
        context = ssl.create_default_context() if self.collector.verify else ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                answer.read()
        except urllib.error.HTTPError as problem:
            said = problem.read().decode("utf-8", "replace")
            raise RemoteError(f"{self.collector.url}: HTTP {problem.code}: {said}") from problem
        except OSError as problem:
            raise RemoteError(f"{self.collector.url}: no answer ({problem})") from problem

    def await_events(self, terms: str, count: int) -> None:
        """Returns once `search <terms>` finds `count` events."""
        until = time.monotonic() + INDEXING_SECONDS
        while True:
            found = int(self.search(f"search {terms} | stats count")[0]["count"])
            if found >= count:
                return
            if time.monotonic() > until:
                raise RemoteError(
                    f"after {INDEXING_SECONDS} seconds `search {terms}` finds {found} of the {count} events sent: may "
                    "the token write to that index, and the user read it?"
                )
            time.sleep(1)

    # -- the KV store -------------------------------------------------------------------------------------------------

    def documents(self, collection: str, limit: int = 0) -> list[Result]:
        """Documents of a collection of the app, at most `limit` (0: 50,000); RemoteError when it has no such one."""
        try:
            answer = self.service.get(f"{DATA_PATH}{collection}", output_mode="json", limit=limit)
        except HTTPError as problem:
            if problem.status == 404:
                raise RemoteError(f"the app there has no collection {collection}; is it the same version?") from None
            raise RemoteError(f"collection {collection}: {words(problem)}") from problem
        return list(json.loads(answer.body.read()))

    def save(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Adds documents to a collection of the app."""
        headers = [("Content-Type", "application/json")]
        try:
            self.service.post(f"{DATA_PATH}{collection}/batch_save", headers=headers, body=json.dumps(documents))
        except HTTPError as problem:
            raise RemoteError(f"collection {collection}: {words(problem)}") from problem

    def clear(self, collection: str) -> None:
        """Removes every document of a collection."""
        try:
            self.service.delete(f"{DATA_PATH}{collection}")
        except HTTPError as problem:
            raise RemoteError(f"collection {collection} cannot be emptied: {words(problem)}") from problem

    # -- configuration ------------------------------------------------------------------------------------------------

    def set(self, conf: str, stanza: str, values: Mapping[str, str]) -> dict[str, str]:
        """Sets keys of a stanza of the app; returns what they said before."""
        try:
            found = self.service.confs[conf][stanza]
            before = {key: found[key] for key in values}
            found.submit(dict(values))
        except KeyError as problem:
            raise RemoteError(f"[{stanza}] of {conf}.conf: there is no {problem}; is it the same version?") from None
        except HTTPError as problem:
            raise RemoteError(f"[{stanza}] of {conf}.conf: {words(problem)}") from problem
        return before


def words(problem: Exception) -> str:
    """What splunkd said, without the XML around it."""
    return " ".join(str(problem).split()) or type(problem).__name__


def _complaints(messages: Any) -> str:
    """The errors among the messages of a job: a mapping from level to a text or a list of texts."""
    if not isinstance(messages, dict):
        return ""
    said = [text for level in ("fatal", "error") for text in _listed(messages.get(level))]
    return "; ".join(map(str, said))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
