"""The app's saved searches as splunkd has them: which of them run.

https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTsearch#saved.2Fsearches, asked with the pagination and
filtering parameters of https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTprolog.
"""

from __future__ import annotations

from typing import Any

from splunklib.client import Service

from .collection import APP
from .splunkd import Refused, ask

RUNS = ""
DISABLED = "is disabled: enable it under Reports"
UNSCHEDULED = "has no schedule: give it one under Reports"

_PATH = f"/servicesNS/nobody/{APP}/saved/searches"
_ALL_OF_THE_APP: dict[str, Any] = {"count": 0, "search": f"eai:acl.app={APP}", "f": ["disabled", "is_scheduled"]}
_UNSEEN = frozenset({403, 404})


def running(service: Service) -> dict[str, str]:
    """Saved search -> RUNS, or why it does not and what to do, in one request. Those that the user may not read are
    left out, which may be all of them. Raises StoreError when splunkd cannot be asked."""
    try:
        found = ask("reading the saved searches", lambda: service.get(_PATH, output_mode="json", **_ALL_OF_THE_APP))
    except Refused as error:
        if error.status in _UNSEEN:
            return {}
        raise
    return {entry["name"]: _state(entry["content"]) for entry in found["entry"]}


def _state(content: dict[str, Any]) -> str:
    if _is_set(content.get("disabled")):
        return DISABLED
    return RUNS if _is_set(content.get("is_scheduled")) else UNSCHEDULED


def _is_set(value: Any) -> bool:
    """splunkd writes booleans as true, "1" or 1."""
    return str(value).lower() in ("1", "true")
