"""The REST endpoints of splunkd that the app uses, on loopback: what splunklib.client needs, and no more.

| endpoint | methods |
|---|---|
| services/auth/login | POST username, password |
| services/server/info, services/server/settings | GET |
| apps/local[/<app>] | GET |
| properties, properties/<conf> | GET |
| configs/conf-<conf>[/<stanza>] | GET; POST creates (name=…) or edits a stanza, in local/ of the state folder; DELETE |
| saved/searches[/<name>] | as configs/conf-savedsearches |
| storage/collections/config[/<collection>] | GET, POST, DELETE |
| data/lookup-table-files/<file> | DELETE |
| search/jobs, search/v2/jobs, saved/searches/<name>/… | lab/rest_search.py, where a search head runs |
| services/collector (HTTP Event Collector) | lab/rest_hec.py, where a search head runs |
| storage/collections/data/<collection>[/<key>] | GET, POST, DELETE |
| storage/collections/data/<collection>/batch_find, batch_save | POST |

Reference: https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTkvstore and …/RESTREF/RESTconf. Anything
else is 404. Namespaces (servicesNS/<owner>/<app>) are honoured for the owner of KV store documents. Commands come in by
HTTP; `listen` opens a second door with TLS for clients that expect it.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qsl, unquote_plus, urlsplit
from xml.sax.saxutils import escape, quoteattr

from lab.conf import AppConf
from lab.errors import LabError
from lab.httpbody import Unread, is_for_this_machine, read_body
from lab.kvstore import KVStore
from lab.persistent import Persistent, persistent_handlers
from lab.rest import DATA_PATH, PASSWORD, USERNAME, Endpoints, Handler, Request, Response, RestError
from lab.rights import NOBODY, User

__all__ = [
    "CUT", "DROP", "DROP_AFTER", "KILL", "KILL_AFTER", "PARTIAL", "PASSWORD", "RESET", "SHORT", "SLOW", "USERNAME",
    "Fault", "Splunkd",
]  # fmt: skip

DROP, DROP_AFTER, RESET = "drop", "drop after", "reset"
CUT, SHORT, SLOW = "cut", "short", "slow"
PARTIAL = "partial"
KILL, KILL_AFTER = "kill", "kill after"
COLLECTOR = "collector"
REQUESTS_KEPT = 10_000
BODY_BYTES = 64 << 20
"""Bytes of the largest body that is taken: limits.conf allows a batch of 50 MB."""


Action = Union[int, str, Callable[[], object]]


@dataclass
class Fault:
    """What goes wrong with the n-th request (counted from 1) whose "METHOD path" contains `pattern` (a regex).

    `action` is an HTTP status, DROP (the connection is cut and nothing is done) or DROP_AFTER (the request is carried
    out and the connection is cut before the answer). KILL and KILL_AFTER do the same, and whoever asked is killed:
    nothing more of its run arrives. RESET cuts it as a peer that has crashed does (TCP RST). CUT and SHORT carry the
    request out and answer with half of the JSON, with and without the length of the whole; SLOW with all of it, a byte
    in a while. PARTIAL saves half of the documents of a batch and answers 500. A function is called, and then the
    request is carried out. `times` requests are hit from then on.
    """

    pattern: str
    action: Action
    nth: int = 1
    times: int = 1
    seen: int = 0

    def strikes(self, request: str) -> bool:
        if not re.search(self.pattern, request):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class Splunkd:
    """The server. `start()` returns it listening; `uri` and `session_key` are what commands are given.

    `on_conf_change` is called with the reloaded AppConf after a conf was edited.
    """

    def __init__(
        self,
        app: AppConf,
        kv: KVStore,
        local_dir: Optional[Path] = None,
        on_conf_change: Optional[Callable[[AppConf], None]] = None,
    ) -> None:
        self.endpoints = Endpoints(app, kv, local_dir, on_conf_change)
        self.session_key = self.endpoints.session_key
        for handler in persistent_handlers(app, lambda: self.uri, self.session_key):
            self.endpoints.mounted[handler.path] = _mounted(handler)
            self.endpoints.bare.add(handler.path)
        self.kv = kv
        self.faults: list[Fault] = []
        self.requests: deque[str] = deque(maxlen=REQUESTS_KEPT)
        """"METHOD path" of the latest requests"""
        self.slow_seconds = 1.0
        """How long an answer that is SLOW stops in the middle."""
        self.on_kill: Callable[[], None] = lambda: None
        self.killed = False
        """Whether the run under way has been killed; nothing is answered until `killed` is put back."""
        self._lock = threading.Lock()
        self._servers: list[_Server] = []

    def start(self) -> Splunkd:
        self.listen()
        return self

    def listen(self, certificate: Optional[Path] = None) -> int:
        """Open a port and answer on it: HTTPS with a certificate (PEM with its key), else HTTP. Returns the port."""
        server = _Server(("127.0.0.1", 0), _Handler)
        server.splunkd = self
        if certificate is not None:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(certificate)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return int(server.server_address[1])

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def __enter__(self) -> Splunkd:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        if not self._servers:
            raise LabError("the REST server is not running.")
        return int(self._servers[0].server_address[1])

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, pattern: str, action: Action, nth: int = 1, times: int = 1) -> Fault:
        """Let the n-th request to `pattern` fail; see Fault."""
        fault = Fault(pattern, action, nth, times)
        with self._lock:
            self.faults.append(fault)
        return fault

    def strike(self, request: str) -> Optional[Action]:
        """Note a request; the action of a fault that hits it."""
        with self._lock:
            if self.killed:
                return DROP
            self.requests.append(request)
            hits = [fault.action for fault in self.faults if fault.strikes(request)]
        if hits and hits[0] == KILL:
            self.kill()
            return DROP
        return hits[0] if hits else None

    def kill(self) -> None:
        self.killed = True
        self.on_kill()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    splunkd: Splunkd
    tls: Optional[ssl.SSLContext] = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business; everything else is answered with 500 already."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        if self.server.tls is not None:  # here, in the connection's own thread, so that nobody waits for a handshake
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.tls is not None:
            self.connection.close()

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_PUT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: faults are answered, and the requests are kept in Splunkd.requests."""

    def _serve(self) -> None:
        splunkd = self.server.splunkd
        address = urlsplit(self.path)
        owner, path = _namespace(address.path)
        as_json = path.startswith(DATA_PATH)
        try:
            if not is_for_this_machine(self.headers):
                raise Unread(403, f"ask for {splunkd.uri}: this server is for its own machine")
            body = read_body(self.headers, self.rfile, BODY_BYTES)
        except Unread as problem:
            self.close_connection = True
            self._answer(_failure(RestError(problem.status, problem.message), as_json))
            return
        action = splunkd.strike(f"{self.command} {address.path}")
        if action in (DROP, RESET):
            self._cut(action == RESET)
            return
        try:
            if isinstance(action, int):
                raise RestError(action, "fault injected by the lab")
            if action == PARTIAL:
                body = _half_of(body)
            if callable(action):
                action()
            user, session_key = self._authenticate(splunkd, path)
            # splunkd takes every body but a KV store document for a form; the SDK does not always name the type.
            is_form = not as_json and not path.startswith(COLLECTOR) and path not in splunkd.endpoints.bare
            form = parse_qsl(body.decode("utf-8"), keep_blank_values=True) if is_form else []
            asked = parse_qsl(address.query, keep_blank_values=True)
            parameters, only = dict(asked), tuple(value for name, value in asked if name == "f")
            authorization = self.headers.get("Authorization") or ""
            request = Request(self.command, path, owner, parameters, body, form, authorization, only, user, session_key)
            response = splunkd.endpoints.answer(request)
            if action == PARTIAL:
                raise RestError(500, "fault injected by the lab: half of it was saved")
        except RestError as problem:
            response = _failure(problem, as_json)
        except Exception as problem:  # a fault of the lab must reach the command as an answer, not as a hang
            response = _failure(RestError(500, f"{type(problem).__name__}: {problem}"), as_json)
        if action in (DROP_AFTER, KILL_AFTER):
            if action == KILL_AFTER:
                splunkd.kill()
            self._cut()
            return
        if action in (CUT, SHORT):
            half = response.body[: len(response.body) // 2]
            self._answer(Response(response.status, half, response.content_type), None if action == SHORT else response)
            if action == CUT:
                self._cut()
            return
        self._answer(response, slow=action == SLOW)

    def _answer(self, response: Response, told: Optional[Response] = None, slow: bool = False) -> None:
        """Answers; with the length of what is `told`, if that is another."""
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len((told or response).body)))
        # Said either way: without the header splunklib closes the socket before it has read the body.
        self.send_header("Connection", "Close" if self.close_connection else "Keep-Alive")
        self.end_headers()
        self.wfile.flush()
        if slow:
            time.sleep(self.server.splunkd.slow_seconds)
        self.wfile.write(response.body)
        self.wfile.flush()

    def _authenticate(self, splunkd: Splunkd, path: str) -> tuple[User, str]:
        """Who asks, and with which session."""
        given = self.headers.get("Authorization") or ""
        key = given.partition(" ")[2]
        if path == "auth/login" or path.startswith(COLLECTOR):  # the collector knows tokens of its own
            return NOBODY, key
        user = splunkd.endpoints.rights.user(given)
        if user is None:
            raise RestError(401, "call not properly authenticated", "WARN")
        return user, key

    def _cut(self, reset: bool = False) -> None:
        self.close_connection = True
        if reset:  # with this, closing sends RST: socket(7), SO_LINGER
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.connection.shutdown(socket.SHUT_RDWR)


def _half_of(body: bytes) -> bytes:
    """The first half of the documents of a batch; another body as it is."""
    try:
        documents = json.loads(body)
    except ValueError:
        return body
    return json.dumps(documents[: len(documents) // 2]).encode() if isinstance(documents, list) else body


def _mounted(handler: Persistent) -> Handler:
    return lambda request, _rest: handler.answer(request)


def _namespace(path: str) -> tuple[str, str]:
    """(owner, path below the namespace) of /services/… and /servicesNS/<owner>/<app>/…"""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["servicesNS"] and len(parts) >= 3:
        owner, rest = unquote_plus(parts[1]), parts[3:]
        return ("nobody" if owner == "-" else owner), "/".join(rest)
    return "nobody", "/".join(parts[1:] if parts[:1] == ["services"] else parts)


def _failure(problem: RestError, as_json: bool) -> Response:
    if as_json:
        body = json.dumps({"messages": [{"type": problem.level, "text": problem.message}]}).encode("utf-8")
        return Response(problem.status, body, "application/json; charset=UTF-8")
    message = f"<msg type={quoteattr(problem.level)}>{escape(problem.message)}</msg>"
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<response>\n  <messages>\n    {message}\n  </messages>\n</response>\n'
    )
    return Response(problem.status, text.encode("utf-8"))
