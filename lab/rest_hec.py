"""The HTTP Event Collector of the lab: events in, by REST, searchable once the request is answered.

| endpoint (below services/) | |
|---|---|
| collector/health[/1.0] | GET |
| collector, collector/event[/1.0] | POST JSON objects in a row: event, time, host, source, sourcetype, index |
| collector/raw[/1.0] | POST lines; host, source, sourcetype and index in the address |

Reference: https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/9.0/get-data-with-http-event-collector/http-event-collector-rest-api-endpoints
and https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector (codes). Every index exists
here. A raw line has the time it says, where its sourcetype is one the lab reads logs of, else that of its arrival.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping

from lab.events import Event
from lab.ingest import SOURCES, event_time
from lab.rest import Request, Response

if TYPE_CHECKING:
    from lab.searchhead import SearchHead

DEFAULTS = {"index": "main", "sourcetype": "httpevent", "source": "http:lab", "host": "lab"}
KEYS = frozenset({"event", "time", *DEFAULTS})
_FORMATS = {form.sourcetype: form for form in SOURCES.values()}


class HecError(Exception):
    """An answer other than success: (HTTP status, code, text)."""


class Collector:
    """Adds what is posted with its `token` to the events of a search head."""

    def __init__(self, head: SearchHead, clock: Callable[[], float] = time.time) -> None:
        self.head = head
        self.clock = clock
        self.token = secrets.token_hex(16)

    def mount(self) -> None:
        """Answer for collector/… of the head's REST server."""
        self.head.splunkd.endpoints.mounted["collector"] = self.answer

    def answer(self, request: Request, path: str) -> Response:
        try:
            endpoint = path.removesuffix("/1.0") or "event"
            if endpoint == "health":
                return _said(200, 17, "HEC is healthy")
            if endpoint not in ("event", "raw"):
                raise HecError(404, 404, f"Not Found: {request.path}")
            self._authenticate(request.authorization)
            events = list(self._events(request.body) if endpoint == "event" else self._lines(request))
            if not events:
                raise HecError(400, 5, "No data")
        except HecError as problem:
            return _said(*problem.args)
        with self.head.lock:
            self.head.events.add(events)
        return _said(200, 0, "Success")

    def _authenticate(self, authorization: str) -> None:
        if not authorization:
            raise HecError(401, 2, "Token is required")
        scheme, _, token = authorization.partition(" ")
        if scheme != "Splunk":
            raise HecError(401, 3, "Invalid authorization")
        if token != self.token:
            raise HecError(403, 4, "Invalid token")

    def _events(self, body: bytes) -> Iterator[Event]:
        decoder, text, at, number = json.JSONDecoder(), body.decode("utf-8", "replace"), 0, 0
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            try:
                posted, at = decoder.raw_decode(text, at)
                if not isinstance(posted, dict) or not set(posted) <= KEYS:
                    raise ValueError
                moment = float(posted.get("time", self.clock()))
            except (ValueError, TypeError):
                raise HecError(400, 6, f"Invalid data format (event number {number})") from None
            event = posted.get("event")
            if event is None:
                raise HecError(400, 12, f"Event field is required (event number {number})")
            if event == "":
                raise HecError(400, 13, f"Event field cannot be blank (event number {number})")
            raw = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            yield self._event(moment, raw, posted)
            number += 1

    def _lines(self, request: Request) -> Iterator[Event]:
        form = _FORMATS.get(request.parameters.get("sourcetype", ""))
        for line in request.body.decode("utf-8", "replace").splitlines():
            if line.strip():
                yield self._event(_time_of(form, line) or self.clock(), line, request.parameters)

    def _event(self, moment: float, raw: str, given: Mapping[str, Any]) -> Event:
        place = {name: str(given.get(name) or default) for name, default in DEFAULTS.items()}
        return Event(time=moment, indextime=self.clock(), raw=raw, **place)


def _time_of(form: Any, line: str) -> Any:
    try:
        return event_time(form, json.loads(line)) if form is not None else None
    except (ValueError, AttributeError):
        return None


def _said(status: int, code: int, text: str) -> Response:
    return Response(status, json.dumps({"text": text, "code": code}).encode(), "application/json; charset=UTF-8")
