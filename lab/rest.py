"""The endpoints behind lab/splunkd.py: what each request does and answers."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Mapping, Optional
from urllib.parse import quote, unquote_plus

from lab.actions import ACTIONS
from lab.atom import Entry, feed
from lab.conf import AppConf, load_app, read_conf
from lab.kvquery import KVStoreError
from lab.kvstore import Collection, KVStore
from lab.rights import NOBODY, Rights, User

USERNAME, PASSWORD = "admin", "changeme"
SERVER = {
    "server/info": {
        "version": "9.4.3",
        "build": "lab",
        "serverName": "lab",
        "guid": "LAB",
        "product_type": "enterprise",
    },
    "server/settings": {"serverName": "lab", "host": "lab", "enableSplunkWebSSL": "0", "httpport": "0",
                        "pass4SymmKey": ""},
}  # fmt: skip
"""What the lab says of itself, by path."""
DATA_PATH = "storage/collections/data/"


class RestError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, message: str, level: str = "ERROR") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.level = level


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    owner: str
    parameters: dict[str, str]
    body: bytes
    form: list[tuple[str, str]]
    authorization: str = ""
    only: tuple[str, ...] = ()
    """The values of the parameter f: what a listed entity's content is cut down to; all of it without any."""
    user: User = NOBODY
    session_key: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What was asked, in the address or as a form."""
        return {**self.parameters, **dict(self.form)}

    @property
    def as_json(self) -> bool:
        return self.given.get("output_mode") == "json"

    def document(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise RestError(400, f"JSON in the request is invalid. ( JSON parse error: {problem} )") from None


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes
    content_type: str = "text/xml; charset=UTF-8"


Handler = Callable[[Request, str], Response]


class Endpoints:
    """Answers requests. `local_dir` takes conf edits; `on_conf_change` is called with the AppConf read after one.
    `lookups_dir` holds the CSV files that searches wrote. Whatever is in `mounted` answers for the paths below its key,
    given the rest of the path.
    """

    def __init__(
        self,
        app: AppConf,
        kv: KVStore,
        local_dir: Optional[Path] = None,
        on_conf_change: Optional[Callable[[AppConf], None]] = None,
    ) -> None:
        self.app = app
        self.kv = kv
        self.local_dir = local_dir
        self.on_conf_change = on_conf_change
        self.lookups_dir: Optional[Path] = None
        self.alert_actions: tuple[str, ...] = tuple(sorted(ACTIONS))
        """What alert_actions.conf of all apps has: Splunk's own, and those of Enterprise Security."""
        self.mounted: dict[str, Handler] = {}
        self.rights = Rights(app)
        self.session_key = self.rights.sign_in("admin", "admin")
        self.bare: set[str] = set()
        """Paths whose body is no form, but what the handler there takes it for."""
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        path = request.path
        for prefix, handler in self.mounted.items():
            if path == prefix or path.startswith(prefix + "/"):
                return handler(request, path[len(prefix) + 1 :])
        if path == "auth/login":
            return self._login(request)
        if path == "authentication/current-context":
            content = {"username": request.user.name, "roles": [*request.user.roles]}
            return _json(200, {"entry": [{"name": "context", "content": content}]})
        if path == "authorization/roles":
            roles = self.rights.imported.items()
            return _json(200, {"entry": [{"name": n, "content": {"imported_roles": found}} for n, found in roles]})
        if path in SERVER:
            title = path.replace("/", "-")
            return Response(200, feed(title, [Entry(title, f"/services/{path}", SERVER[path])], request.as_json))
        if path == "apps/local" or path.startswith("apps/local/"):
            return self._apps(request, unquote_plus(path[len("apps/local/") :]))
        if path == "properties" or path.startswith("properties/"):
            return self._properties(request, unquote_plus(path[len("properties/") :]))
        if path.startswith("configs/conf-"):
            conf, _, stanza = path[len("configs/conf-") :].partition("/")
            return self.configs(request, conf, unquote_plus(stanza), f"configs/conf-{conf}")
        if path == "saved/searches" or path.startswith("saved/searches/"):
            return self.configs(
                request, "savedsearches", unquote_plus(path[len("saved/searches/") :]), "saved/searches"
            )
        if path == "storage/collections/config" or path.startswith("storage/collections/config/"):
            return self._collections(request, unquote_plus(path[len("storage/collections/config/") :]))
        if path.startswith("data/lookup-table-files/"):
            return self._lookup_file(request, unquote_plus(path[len("data/lookup-table-files/") :]))
        if path.startswith(DATA_PATH):
            name, _, key = path[len(DATA_PATH) :].partition("/")
            return self._data(request, unquote_plus(name), unquote_plus(key))
        raise RestError(404, f"Not Found: {path}")

    def _login(self, request: Request) -> Response:
        form = dict(request.form)
        if (form.get("username"), form.get("password")) != (USERNAME, PASSWORD):
            raise RestError(401, "Login failed", "WARN")
        return Response(200, f"<response>\n  <sessionKey>{self.session_key}</sessionKey>\n</response>\n".encode())

    def _entry(self, endpoint: str, title: str, content: dict[str, str]) -> Entry:
        path = f"/servicesNS/nobody/{self.app.name}/{endpoint}/{quote(title, safe='')}"
        return Entry(
            title, path, {"eai:appName": self.app.name, "eai:userName": "nobody", **content}, app=self.app.name
        )

    def _apps(self, request: Request, name: str) -> Response:
        _only(request, "GET")
        if name and name != self.app.name:
            raise RestError(404, f"Could not find object id={name}")
        about = {}
        for stanza in ("launcher", "ui", "package"):
            if stanza in self.app.stanzas("app"):
                about.update(self.app.stanzas("app")[stanza].settings)
        content = {"label": about.get("label", self.app.name), "version": about.get("version", ""), "disabled": "0"}
        return Response(200, feed("localapps", [self._entry("apps/local", self.app.name, content)], request.as_json))

    def _properties(self, request: Request, conf: str) -> Response:
        _only(request, "GET")
        if not conf:
            names = self.app.conf_names()
            return Response(200, feed("properties", [self._entry("properties", n, {}) for n in names], request.as_json))
        if conf not in self.app.conf_names():
            raise RestError(404, f"{conf} does not exist")
        entries = [self._entry(f"properties/{conf}", n, {}) for n in self.app.stanzas(conf)]
        return Response(200, feed(conf, entries, request.as_json))

    def configs(self, request: Request, conf: str, name: str, endpoint: str) -> Response:
        """The stanzas of a conf as entities of `endpoint`: list, read, create (name=…), edit, delete what is local.

        A list takes count (0: all), offset, search=<text in any field> or search=<field>=<value>, and f=<field>, again
        and again: https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTprolog.
        """
        title = endpoint.rsplit("/", 1)[-1]
        if conf == "alert_actions" and request.method == "GET" and not name:
            entries = [self._entry(endpoint, installed, {"disabled": "0"}) for installed in self.alert_actions]
            return Response(200, feed(title, entries, request.as_json))
        if request.method == "DELETE":
            self._remove(conf, name)
            return self._stanzas(conf, title, [], endpoint, request)
        if request.method == "POST":
            settings = {k: v for k, v in request.form if k not in ("name", "output_mode")}
            created = not name
            if created:
                name = dict(request.form).get("name", "")
                if not name:
                    raise RestError(400, 'Cannot perform action "POST" without a target name to act on.')
                if name in self.app.stanzas(conf):
                    raise RestError(409, f"Unable to create object id={name}; it already exists")
            elif name not in self.app.stanzas(conf):
                raise RestError(404, f"Could not find object id={name}")
            self.edit(conf, {name: settings})
            return self._stanzas(conf, title, [name], endpoint, request, 201 if created else 200)
        _only(request, "GET")
        if name and name not in self.app.stanzas(conf):
            raise RestError(404, f"Could not find object id={name}")
        names = [name] if name else self._found(conf, endpoint, request.parameters.get("search", ""))
        offset, count = int(request.parameters.get("offset", 0)), int(request.parameters.get("count", 0))
        names = names[offset : offset + count] if count > 0 else names[offset:]
        return self._stanzas(conf, title, names, endpoint, request)

    def _stanzas(
        self, conf: str, title: str, names: list[str], endpoint: str, request: Request, status: int = 200
    ) -> Response:
        entries = [self._entry(endpoint, name, self._settings(conf, name)) for name in names]
        if request.only:
            entries = [
                replace(entry, content={k: v for k, v in entry.content.items() if k in request.only})
                for entry in entries
            ]
        return Response(status, feed(title, entries, request.as_json))

    def _found(self, conf: str, endpoint: str, search: str) -> list[str]:
        """The stanzas that a list's `search` matches."""
        field, equals, wanted = search.partition("=")
        found = []
        for name in self.app.stanzas(conf):
            entry = self._entry(endpoint, name, self._settings(conf, name))
            values = {"name": name, **{f"eai:acl.{k}": v for k, v in entry.access().items()}, **entry.content}
            if values.get(field) == wanted if equals else any(search in str(value) for value in values.values()):
                found.append(name)
        return found

    def _settings(self, conf: str, name: str) -> dict[str, str]:
        stanza = self.app.stanzas(conf)[name]
        derived = {"is_scheduled": str(int(stanza.boolean("enableSched")))} if conf == "savedsearches" else {}
        return {"disabled": "0", **derived, **stanza.settings}

    def edit(self, conf: str, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Sets settings of stanzas (name -> setting -> value), in local/."""

        def edit(stanzas: dict[str, dict[str, str]]) -> None:
            for name, settings in changes.items():
                stanzas.setdefault(name, {}).update(settings)

        self._change(conf, edit)

    def _remove(self, conf: str, name: str) -> None:
        def remove(stanzas: dict[str, dict[str, str]]) -> None:
            if stanzas.pop(name, None) is None:
                raise RestError(404, f"Could not find object id={name} (what the app ships cannot be deleted)")

        self._change(conf, remove)

    def _change(self, conf: str, change: Callable[[dict[str, dict[str, str]]], None]) -> None:
        """Change local/<conf>.conf and read the app's confs again."""
        if self.local_dir is None:
            raise RestError(403, "this server has no local/ folder to write to")
        self.local_dir.mkdir(parents=True, exist_ok=True)
        path = self.local_dir / f"{conf}.conf"
        with self._lock:
            stanzas = {n: dict(s.settings) for n, s in (read_conf(path) if path.exists() else {}).items()}
            change(stanzas)
            lines = []
            for stanza, values in stanzas.items():
                lines.append(f"[{stanza}]")
                lines.extend(f"{key} = " + value.replace("\n", "\\\n") for key, value in values.items())
                lines.append("")
            fresh = path.with_suffix(".conf.new")
            fresh.write_text("\n".join(lines), encoding="utf-8")
            fresh.replace(path)
            self.app = load_app(self.app.app_dir, self.local_dir)
            if conf == "collections":
                self.kv.define(self.app)
        if self.on_conf_change is not None:
            self.on_conf_change(self.app)

    def _lookup_file(self, request: Request, name: str) -> Response:
        """Deletes a CSV file that a search wrote."""
        _only(request, "DELETE")
        path = self.lookups_dir / name if self.lookups_dir is not None and "/" not in name else None
        if path is None or not path.is_file():
            raise RestError(404, f"Could not find object id={name}")
        path.unlink()
        return Response(200, feed("lookup-table-files", [], request.as_json))

    def _collections(self, request: Request, name: str) -> Response:
        if request.method != "GET":
            return self.configs(request, "collections", name, "storage/collections/config")
        if name and name not in self.kv.names():
            raise RestError(404, f"Could not find object id={name}")
        names = [name] if name else self.kv.names()
        entries = [self._entry("storage/collections/config", n, self._settings("collections", n)) for n in names]
        return Response(200, feed("collections-conf", entries, request.as_json))

    def _data(self, request: Request, name: str, key: str) -> Response:
        if name not in self.kv.names():
            raise RestError(404, f"Could not find collection '{name}'.")
        reads = request.method == "GET" or key == "batch_find"
        if not self.rights.may(request.user, "read" if reads else "write", "collections", name):
            raise RestError(403, "You do not have permission to perform this operation")
        try:
            status, answer = _kv(self.kv.served(name), request, key)
        except KVStoreError as problem:
            raise RestError(problem.status, problem.message) from None
        body = b"" if answer is None else json.dumps(answer).encode("utf-8")
        return Response(status, body, "application/json; charset=UTF-8")


def _json(status: int, told: Any) -> Response:
    return Response(status, json.dumps(told).encode("utf-8"), "application/json; charset=UTF-8")


def _kv(collection: Collection, request: Request, key: str) -> tuple[int, Any]:
    """(status, JSON answer) of a request to a collection's data."""
    owner, method, asked = request.owner, request.method, request.parameters
    if key in ("batch_find", "batch_save"):
        _only(request, "POST")
        items = request.document()
        if not isinstance(items, list):
            raise RestError(400, "JSON in the request is invalid. ( the body must be an array )")
        batch = collection.batch_find if key == "batch_find" else collection.batch_save
        return 200, batch(items, user=owner)
    if method == "POST":
        if key:
            return 200, {"_key": collection.replace(key, request.document(), user=owner)}
        return 201, {"_key": collection.insert(request.document(), user=owner)}
    if method == "DELETE":
        if not key:
            collection.delete(_query(asked), user=owner)
        elif not collection.delete({"_key": key}, user=owner):
            raise RestError(404, "Could not find object.")
        return 200, None
    _only(request, "GET")
    if key:
        return 200, collection.get(key, user=owner)
    return 200, collection.find(
        _query(asked),
        asked.get("fields"),
        asked.get("sort"),
        _number(asked, "limit"),
        _number(asked, "skip"),
        user=owner,
    )


def _query(parameters: dict[str, str]) -> Any:
    text = parameters.get("query")
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as problem:
        raise RestError(400, f"JSON in the request is invalid. ( JSON parse error in query: {problem} )") from None


def _number(parameters: dict[str, str], name: str) -> int:
    text = parameters.get(name) or "0"
    if not text.isdigit():
        raise RestError(400, f"The value of '{name}' must be a whole number that is not negative, found '{text}'.")
    return int(text)


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise RestError(405, f"Method {request.method} not allowed on {request.path}")
