"""What Splunk's own Python brings for REST handlers (the package `splunk`), as far as splunktaucclib uses it.

A handler runs here as splunkd runs it for the configuration page: `listed` and `edited` are GET and POST of one stanza.
The calls of splunk.admin are those in splunktaucclib/rest_handler/admin_external.py.
"""

from __future__ import annotations

import os
import runpy
import sys
import types
from collections import defaultdict
from pathlib import Path
from typing import Any, Iterator, Mapping

import pytest

ACTION_CREATE, ACTION_LIST, ACTION_EDIT, ACTION_REMOVE = 1, 2, 4, 8


class _Item(dict):  # type: ignore[type-arg]
    def setMetadata(self, key: str, value: Any) -> None:
        """Access control and the like, which nobody here looks at."""


class _Arguments:
    def __init__(self) -> None:
        self.allowed: set[str] = set()

    def addOptArg(self, name: str) -> None:
        self.allowed.add(name)

    addReqArg = addOptArg


class _Handler:
    def __init__(self, session_key: str, action: int, stanza: str, data: Mapping[str, str]) -> None:
        self._session_key = session_key
        self.requestedAction = action
        self.callerArgs = types.SimpleNamespace(id=stanza, data={key: [value] for key, value in data.items()})
        self.supportedArgs = _Arguments()

    def getSessionKey(self) -> str:
        return self._session_key


class RestHandler:
    """The handler of a script in bin/, as splunkd starts it."""

    def __init__(self, script: Path, uri: str, session_key: str) -> None:
        self.session_key = session_key
        os.environ["SPLUNKD_URI"] = uri
        started: list[type[Any]] = []
        sys.modules["splunk.admin"].init = lambda kind, ctxInfo: started.append(kind)  # type: ignore[attr-defined]
        runpy.run_path(str(script), run_name="__main__")
        (self.kind,) = started

    def listed(self, stanza: str) -> dict[str, str]:
        return self._call(ACTION_LIST, stanza, {})

    def edited(self, stanza: str, **data: str) -> dict[str, str]:
        return self._call(ACTION_EDIT, stanza, data)

    def _call(self, action: int, stanza: str, data: Mapping[str, str]) -> dict[str, str]:
        handler = self.kind(self.session_key, action, stanza, data)
        handler.setup()
        unknown = set(data) - handler.supportedArgs.allowed
        assert not unknown, f"splunkd refuses the arguments {unknown}"
        answer: dict[str, _Item] = defaultdict(_Item)
        (handler.handleList if action == ACTION_LIST else handler.handleEdit)(answer)
        return dict(answer[stanza])


@pytest.fixture
def splunk_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`import splunk` works, for one test."""
    splunk, admin = types.ModuleType("splunk"), types.ModuleType("splunk.admin")
    constants = {"ACTION_CREATE": 1, "ACTION_LIST": 2, "ACTION_EDIT": 4, "ACTION_REMOVE": 8, "CONTEXT_APP_ONLY": 1}
    admin.__dict__.update(constants, MConfigHandler=_Handler)
    splunk.__dict__.update(admin=admin, RESTException=Exception)
    monkeypatch.setitem(sys.modules, "splunk", splunk)
    monkeypatch.setitem(sys.modules, "splunk.admin", admin)
    monkeypatch.setenv("SPLUNKD_URI", "")
    # splunktaucclib asks for the running script's path to learn the app's name.
    installed = "/opt/splunk/etc/apps/cloud_behavior_analytics/bin/cloud_behavior_analytics_rh_settings.py"
    monkeypatch.setattr(sys.modules["__main__"], "__file__", installed, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("splunktaucclib"):
            del sys.modules[name]
