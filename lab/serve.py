"""`./dev serve`: the app's pages in a browser, on loopback, over what a demo or a replay ended with. No Splunk needed.

| address | answers |
|---|---|
| /app/<app>/<view> | the page; its viewer is built from viewer/ with npm on first use |
| /app/<app>/search?q=… or ?s=… | a search page, for links that lead to Splunk's; s is a saved search's path |
| /manager/<app>/saved/searches?search=… | a list of saved searches, for links that lead to Splunk's |
| GET /api/nav, GET /api/view/<view> | the navigation bar, a view's definition |
| POST /api/search | JSON {query, earliest, latest, zone} -> {job, fields, columns} as json_cols, or 400 {message} |
| POST /api/search | JSON {query, job, zone}: goes on with the results of that job, as a chain does |
| GET /api/saved?search=… | the saved searches whose name has the text: [{name, description, enabled, …}] |
| POST /api/saved | JSON {name, enabled}: enables or disables one. Nothing runs by itself here |
| POST /<language>/splunkd/__raw/<path> | splunkd's answer, where web.conf exposes the path, with the form key |

Verdicts given, and searches enabled, here are written to the state folder. "now" is just after the last event of the
logs.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import itertools
import json
import mimetypes
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional, Sequence
from urllib.parse import parse_qs, urlsplit

from lab import eventfile
from lab.errors import LabError
from lab.httpbody import Unread, is_for_this_machine, read_body
from lab.remote import APP
from lab.replay import APP_DIR
from lab.rest_search import Job, KeptJobs, shown
from lab.searchhead import SearchHead
from lab.spl.engine import SearchResult
from lab.spl.times import in_zone
from lab.state import DEMO_STATE, ROOT, is_state
from lab.views import leading_on, read_navigation, read_view, view_names

VIEWER = ROOT / "viewer"
PORT, LAST_PORT = 8765, 65535
BODY_BYTES = 1 << 20
"""Bytes of the longest search."""
BUILT = "assets"
"""The folder of the built viewer whose files have their content's hash in their names, and so never change."""
STATIC = f"/static/app/{APP}/"
"""Below which Splunk Web serves the files of an app's appserver/static/."""
THROUGH = re.compile(r"/[a-z]{2}-[A-Z]{2}/splunkd/__raw/(services(?:NS)?/[\w./-]+)$")
"""Addresses that Splunk Web hands to splunkd."""
FORM_KEY = "splunkweb_csrf_token"
"""The cookie with the session's form key, before _ and the port."""
OTHER_PAGES = {"search": "Search", "configuration": "Configuration"}
"""What the navigation bar names besides the app's own views."""


def json_cols(result: SearchResult) -> dict[str, Any]:
    """A result as output_mode=json_cols: one list per field, of texts, lists of texts, and null."""
    rows = [shown(row) for row in result.rows]
    return {
        "fields": [{"name": name} for name in result.fields],
        "columns": [[row.get(name) for row in rows] for name in result.fields],
    }


class Site:
    """Answers the viewer's requests. `about` says in the navigation bar whose results are shown."""

    def __init__(self, head: SearchHead, app_dir: Path, viewer: Path, about: str) -> None:
        self.head = head
        self.app_dir = app_dir
        self.viewer = viewer
        self.about = about
        self.form_key = secrets.token_hex(16)
        self._sids = itertools.count(1)
        self._jobs = KeptJobs()
        """Whose results chains may go on with."""
        # Events do not change here; without any, the clock on the wall is as good as another.
        self.now = None if len(head.events) else time.time()

    def navigation(self) -> dict[str, Any]:
        bar = read_navigation(self.app_dir)
        own = view_names(self.app_dir)
        views = [
            {"name": name, "label": read_view(self.app_dir, name).label if name in own else OTHER_PAGES[name]}
            for name in bar.views
            if name in own or name == "search"
        ]
        label = self.head.app.stanzas("app")["ui"].get("label")
        return {"app": self.head.app.name, "label": label, "color": bar.color, "state": self.about, "views": views}

    def first(self) -> str:
        """The address at which the app opens."""
        query, on_nothing, otherwise = leading_on(self.app_dir, read_navigation(self.app_dir).first)
        with self.head.lock:
            return otherwise if self.head.search(query, None, self._end(), self.now).rows else on_nothing

    def view(self, name: str) -> dict[str, Any]:
        found = read_view(self.app_dir, name)
        return {"name": found.name, "label": found.label, "definition": found.definition}

    def search(self, asked: dict[str, Any]) -> dict[str, Any]:
        query = str(asked.get("query") or "").strip()
        if not query:
            raise LabError("the search is empty")
        if not query.startswith(("|", "search ")):
            query = f"search {query}"
        with self.head.lock, in_zone(str(asked.get("zone") or "")):
            if asked.get("job"):
                base = self._job(str(asked["job"]))
                window = base.window
                found = self.head.engine.postprocess(base.result, query, window)
            else:
                window = self.head.window(_edge(asked, "earliest"), _edge(asked, "latest") or self._end(), self.now)
                found = self.head.engine.search(query, window)
            job = self._jobs.keep(Job(f"local.{next(self._sids)}", query, window, "", result=found))
            return {"job": job.sid, **json_cols(found)}

    def _job(self, sid: str) -> Job:
        if sid not in self._jobs:
            raise LabError(f"the results of {sid} are not kept any more: load the page again")
        return self._jobs[sid]

    def _end(self) -> Optional[float]:
        """Where a time range ends that is open: after the last event. Commands whose range has no end take the time
        from the clock on the wall, for which these logs ended years ago."""
        if self.now is not None:
            return None
        return 1.0 + max(self.head.events.last_time() or 0.0, self.head.last_delivery())

    def saved(self, text: str) -> list[dict[str, Any]]:
        """Name, description, SPL and time range of saved searches, and whether they are enabled; None for one that
        has no schedule, so that there is nothing to enable."""
        return [
            {
                "name": stanza.name,
                "description": stanza.get("description"),
                "enabled": not stanza.boolean("disabled") if stanza.boolean("enableSched") else None,
                "query": stanza.get("search"),
                "earliest": stanza.get("dispatch.earliest_time"),
                "latest": stanza.get("dispatch.latest_time"),
            }
            for stanza in self.head.app.stanzas("savedsearches").values()
            if text.lower() in stanza.name.lower()
        ]

    def enable(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        name = str(asked.get("name"))
        if name not in self.head.app.stanzas("savedsearches"):
            raise LabError(f"there is no saved search {name!r}")
        with self.head.lock:
            self.head.enable([name], bool(asked.get("enabled")))
        return self.saved(name)

    def exposed(self, method: str, path: str) -> bool:
        """Whether Splunk Web lets a request through to splunkd: [expose:<name>] of web.conf, whose `pattern` is what
        follows the namespace, and may have *. https://docs.splunk.com/Documentation/Splunk/9.4.0/Admin/Webconf"""
        rest = re.sub(r"^services(NS/[^/]+/[^/]+)?/", "", path)
        return any(
            fnmatch.fnmatchcase(rest, stanza.get("pattern"))
            and method in re.split(r"[,\s]+", stanza.get("methods", "GET"))
            for stanza in self.head.app.stanzas("web").values()
            if stanza.name.startswith("expose:")
        )

    def splunkd(self, path: str, body: bytes, kind: str) -> tuple[int, bytes, str]:
        """What splunkd answers to a POST, as whoever is signed in here: status, body, type."""
        headers = {"Authorization": f"Splunk {self.head.splunkd.session_key}", "Content-Type": kind}
        asked = urllib.request.Request(f"{self.head.splunkd.uri}/{path}", body, headers, method="POST")  # noqa: S310
        with self.head.lock:
            try:
                with urllib.request.urlopen(asked) as answer:  # noqa: S310 (the lab's own splunkd, on loopback)
                    return int(answer.status), answer.read(), answer.headers["Content-Type"]
            except urllib.error.HTTPError as problem:
                return problem.code, problem.read(), problem.headers["Content-Type"]

    def file(self, path: str) -> Path:
        """The file for a path: one that the app lets Splunk serve, or the viewer's; its page for what is none."""
        # Splunk Web's own addresses begin with a language: /en-US/static/…
        path = re.sub(r"^/[a-z]{2}-[A-Z]{2}(?=/)", "", path)
        if path.startswith(STATIC):
            own = (self.app_dir / "appserver" / "static").resolve()
            served = (own / path[len(STATIC) :]).resolve()
            if own in served.parents and served.is_file():
                return served
        asked = (self.viewer / path.lstrip("/")).resolve()
        inside = self.viewer.resolve() in asked.parents
        return asked if inside and asked.is_file() else self.viewer / "index.html"


def _edge(asked: dict[str, Any], name: str) -> Optional[str]:
    """An edge of the time range; none, "" and "0" are open."""
    text = str(asked.get(name) or "").strip()
    return None if text in ("", "0") else text


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.site = site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that has gone to another page meanwhile: none of our business; the rest is answered already."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what fails is answered."""

    def do_GET(self) -> None:
        site, address = self.server.site, urlsplit(self.path)
        path = address.path
        if not self._trusted():
            return
        try:
            if path == "/":
                self._answer(302, b"", "text/plain", location=site.first())
            elif path == "/api/nav":
                self._json(200, site.navigation())
            elif path.startswith("/api/view/"):
                self._json(200, site.view(path[len("/api/view/") :]))
            elif path == "/api/saved":
                self._json(200, site.saved(parse_qs(address.query).get("search", [""])[0]))
            else:
                file = site.file(path)
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                self._answer(200, file.read_bytes(), kind, kept=file.parent.name == BUILT)
        except LabError as problem:
            self._json(404, {"message": str(problem)})
        except (ValueError, OSError):  # a NUL in the path, a name that is too long
            self._json(404, {"message": "there is no such page"})

    def do_POST(self) -> None:
        if not self._trusted():
            return
        try:
            body = read_body(self.headers, self.rfile, BODY_BYTES)
        except Unread as problem:
            self.close_connection = True
            self._json(problem.status, {"message": problem.message})
            return
        if through := THROUGH.match(urlsplit(self.path).path):
            self._through(through[1], body)
            return
        # A page of another site can send a form without asking, but not JSON.
        answers = {"/api/search": self.server.site.search, "/api/saved": self.server.site.enable}
        if self.path not in answers or self.headers.get("Content-Type") != "application/json":
            self._json(404, {"message": f"POST JSON to {' or '.join(answers)}"})
            return
        try:
            self._json(200, answers[self.path](json.loads(body)))
        except LabError as problem:
            self._json(400, {"message": str(problem)})
        except (ValueError, AttributeError):
            self._json(400, {"message": "the request is not a JSON object"})
        except Exception as problem:  # a fault of the lab must reach the panel as an answer, not as a hang
            self._json(500, {"message": f"{type(problem).__name__}: {problem}"})

    def _through(self, path: str, body: bytes) -> None:
        """Hands a request to splunkd, as Splunk Web does: for what is exposed, and from pages of its own only."""
        site = self.server.site
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        held = cookies.get(f"{FORM_KEY}_{self.server.server_address[1]}")
        if not site.exposed("POST", path):
            self._json(404, {"messages": [{"type": "ERROR", "text": "Not Found"}]})
        elif held is None or held.value != site.form_key or self.headers.get("X-Splunk-Form-Key") != site.form_key:
            self._json(401, {"messages": [{"type": "ERROR", "text": "CSRF validation failed."}]})
        else:
            status, said, kind = site.splunkd(path, body, self.headers.get("Content-Type", ""))
            self._answer(status, said, kind.partition(";")[0])

    def _trusted(self) -> bool:
        """Whether the browser asked for this machine by name: another site's name may be made to point here."""
        if is_for_this_machine(self.headers):
            return True
        self.close_connection = True  # its body has not been read
        self._json(403, {"message": f"ask for {self.server.address}"})
        return False

    def _json(self, status: int, document: Any) -> None:
        self._answer(status, json.dumps(document, ensure_ascii=False).encode("utf-8"), "application/json")

    def _answer(self, status: int, body: bytes, kind: str, location: str = "", kept: bool = False) -> None:
        """`kept`: by the browser for good."""
        self.send_response(status)
        self.send_header("Content-Type", kind if kind.startswith("application/") else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=31536000, immutable" if kept else "no-store")
        self.send_header(
            "Set-Cookie", f"{FORM_KEY}_{self.server.server_address[1]}={self.server.site.form_key}; Path=/"
        )
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


def build_viewer() -> Path:
    """The built viewer; built anew when its sources have changed. Raises LabError when that is not possible."""
    built, stamp = VIEWER / "dist", VIEWER / "dist" / "stamp"
    sources = [VIEWER / name for name in ("package-lock.json", "index.html", "vite.config.mjs")]
    digest = hashlib.sha256()
    for source in [*sources, *sorted((VIEWER / "src").iterdir())]:
        digest.update(source.read_bytes())
    wanted = digest.hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return built
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise LabError(
            "Splunk's own renderer draws the pages, and Node builds it: install Node.js 20 or newer with npm "
            "(Debian, Ubuntu: apt install nodejs npm; macOS: brew install node) and run it again. ./dev demo works "
            "without it"
        )
    lock = VIEWER / "package-lock.json"
    installed = VIEWER / "node_modules" / ".cba-stamp"
    if not installed.exists() or installed.read_text() != lock.read_text():
        print("Installing the viewer's packages (once; half a minute, 600 MB) ...", file=sys.stderr)
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        installed.write_text(lock.read_text())
    print("Building the viewer ...", file=sys.stderr)
    _npm("run", "build")
    stamp.write_text(wanted)
    return built


def _npm(*arguments: str) -> None:
    done = subprocess.run(["npm", *arguments], cwd=VIEWER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"npm {' '.join(arguments)} failed:\n{(done.stdout + done.stderr).strip()[-4000:]}", VIEWER)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port; write a number from 0 (any that is free) to {LAST_PORT}"
        )
    return int(text)


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev serve", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=DEMO_STATE,
        help="of ./dev replay --state DIR (default: the demo's)",
    )
    parser.add_argument("--port", type=_port, default=PORT, help=f"0 for any that is free (default {PORT})")
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    try:
        if not is_state(options.state):
            raise LabError("is not what a demo or a replay ended with; run ./dev demo first", options.state)
        viewer = build_viewer()
        with SearchHead(APP_DIR, options.state) as head:
            count = head.events.add(eventfile.read(options.state))
            what = "demo" if options.state == DEMO_STATE else options.state.name
            try:
                server = Server(Site(head, APP_DIR, viewer, f"lab, {what}: {count:,} events"), options.port)
            except OSError as problem:
                raise LabError(
                    f"port {options.port} cannot be used ({problem.strerror}); choose one with --port"
                ) from None
            print(f"{server.address}    ({count:,} events; Ctrl-C ends it)", flush=True)
            with server:
                server.serve_forever()
    except KeyboardInterrupt:
        pass
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
