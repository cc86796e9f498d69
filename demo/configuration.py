"""`./dev picture --configuration`: docs/screenshots/configuration-*.png, the page Configuration as it is packaged.

It is ucc-gen's, and only runs in Splunk Web. What it asks of Splunk Web and splunkd is little, and is answered here
with what the app ships with.
"""

from __future__ import annotations

import configparser
import json
import mimetypes
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from lab.errors import LabError
from lab.remote import APP
from lab.state import ROOT

BUILT = ROOT / "build" / "package" / "first" / "app"
SCREENSHOTS = ROOT / "docs" / "screenshots"
TABS = ("sources", "detections", "alerts")
SETTINGS = f"{APP}_settings"
SPLUNK_WEB = {"LOCALE": "en-US", "SPLUNKD_PATH": "/splunkd/__raw", "MRSPARKLE_ROOT_PATH": "", "BUILD_NUMBER": "1"}


def take(browser: str) -> list[Path]:
    """Takes the screenshots. Raises LabError where the page is not built."""
    if not (BUILT / "appserver" / "templates" / "base.html").is_file():
        raise LabError("the configuration page is built by ./dev package; run that first", BUILT)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        script = str(ROOT / "demo" / "configuration.mjs")
        done = subprocess.run(["node", script, address, browser, str(SCREENSHOTS), *TABS], check=False)
        server.shutdown()
    if done.returncode:
        raise LabError("the configuration page could not be photographed (above)")
    return [SCREENSHOTS / f"configuration-{tab}.png" for tab in TABS]


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith("/configuration"):
            self._file(BUILT / "appserver" / "templates" / "base.html")
        elif path.endswith("/config"):
            self._answer(f"window.$C = {json.dumps(SPLUNK_WEB)};".encode(), "text/javascript")
        elif "i18n" in path:
            self._answer(b"window._ = (text) => text; window.ungettext = (text) => text;", "text/javascript")
        elif asset := re.search(rf"/static/(?:@\d+/)?app/{APP}/([\w./-]+)$", path):
            self._file(BUILT / "appserver" / "static" / asset.group(1))
        elif stanza := re.search(rf"/{SETTINGS}/([a-z]+)$", path):
            self._settings(stanza.group(1))
        else:
            self._answer(b"{}", "application/json", 404)

    def _settings(self, stanza: str) -> None:
        conf = configparser.ConfigParser(interpolation=None)
        conf.read(BUILT / "default" / f"{SETTINGS}.conf", encoding="utf-8")
        entry = {"name": stanza, "content": dict(conf[stanza]), "acl": {"can_write": True}}
        self._answer(json.dumps({"entry": [entry], "messages": []}).encode(), "application/json")

    def _file(self, file: Path) -> None:
        if BUILT.resolve() in file.resolve().parents and file.is_file():
            self._answer(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        else:
            self._answer(b"", "text/plain", 404)

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
