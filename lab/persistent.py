"""REST handlers that an app brings along: stanzas [script:<name>] of restmap.conf with scripttype = persist.

splunkd keeps such a handler running and hands it each request as JSON, with who asks (`session`), a session of its own
where passSystemAuth says so, and the body (passPayload). https://dev.splunk.com/enterprise/docs/devtools/customrestendpoints
Here it runs in this process, for which the package `splunk`, which only splunkd's Python has, is stood in for.
"""

from __future__ import annotations

import json
import runpy
import sys
import types
from typing import Any, Callable

from lab.conf import AppConf, Stanza
from lab.rest import Request, Response


class _Application:
    """splunk.persistconn.application.PersistentServerConnectionApplication."""

    def __init__(self, *_: Any) -> None:
        """Nothing is kept from start to start."""


class Persistent:
    """One handler, started with its first request."""

    def __init__(self, app: AppConf, stanza: Stanza, uri: Callable[[], str], system_key: str) -> None:
        self._app = app
        self._stanza = stanza
        self._uri = uri
        self._system_key = system_key
        self._handler: Any = None

    @property
    def path(self) -> str:
        return self._stanza.get("match").lstrip("/")

    def answer(self, request: Request) -> Response:
        told = {
            "method": request.method,
            "rest_path": f"/{self.path}",
            "server": {"rest_uri": self._uri()},
            "session": {"user": request.user.name, "authtoken": request.session_key},
            "query": [[name, value] for name, value in request.parameters.items()],
            "form": [],
        }
        if self._stanza.boolean("passSystemAuth"):
            told["system_authtoken"] = self._system_key
        if self._stanza.boolean("passPayload"):
            told["payload"] = request.body.decode("utf-8", "replace")
        if self._handler is None:
            self._handler = self._started()("", "")
        said = self._handler.handle(json.dumps(told))
        body = json.dumps(said["payload"], ensure_ascii=False).encode("utf-8")
        return Response(int(said["status"]), body, "application/json; charset=UTF-8")

    def _started(self) -> Any:
        _stand_in()
        module, _dot, name = self._stanza.get("handler").partition(".")
        script = self._app.app_dir / "bin" / self._stanza.get("script")
        if script.stem != module:
            raise self._stanza.error("handler", f"'{module}' is not the script {script.name}.")
        return runpy.run_path(str(script))[name]


def persistent_handlers(app: AppConf, uri: Callable[[], str], system_key: str) -> list[Persistent]:
    """The handlers of an app."""
    stanzas = (stanza for name, stanza in app.stanzas("restmap").items() if name.startswith("script:"))
    return [Persistent(app, each, uri, system_key) for each in stanzas if each.get("scripttype") == "persist"]


def _stand_in() -> None:
    if "splunk.persistconn.application" in sys.modules:
        return
    application = types.ModuleType("splunk.persistconn.application")
    application.__dict__["PersistentServerConnectionApplication"] = _Application
    sys.modules.setdefault("splunk", types.ModuleType("splunk"))
    sys.modules.setdefault("splunk.persistconn", types.ModuleType("splunk.persistconn"))
    sys.modules["splunk.persistconn.application"] = application
