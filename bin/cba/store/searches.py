"""The app's saved searches as splunkd has them: which of them run, and how one is started.

https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTsearch#saved.2Fsearches, asked with the pagination and
filtering parameters of https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTprolog.
"""

from __future__ import annotations

from typing import Any

from splunklib.client import Service

from ..enabling import Job
from ..errors import StoreError
from ..terms import APP
from .splunkd import Refused, ask

RUNS = ""
DISABLED = "is disabled: enable it under Reports"
UNSCHEDULED = "has no schedule: give it one under Reports"

_PATH = f"/servicesNS/nobody/{APP}/saved/searches"
_JOBS = f"/servicesNS/nobody/{APP}/search/jobs"
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


class SavedSearches:
    """Implements `enabling.Searches`, as whoever the service is signed in as: splunkd says who may.

    https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTsearch#saved.2Fsearches.2F.7Bname.7D.2Fdispatch and
    #search.2Fjobs.2F.7Bsearch_id.7D
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def enable(self, name: str, on: bool = True) -> None:
        """Turns a saved search on or off."""
        what = f"turning the saved search {name} {'on' if on else 'off'}"
        told = {"output_mode": "json", "disabled": "0" if on else "1"}
        ask(what, lambda: self._service.post(f"{_PATH}/{name}", **told))

    def dispatch(self, name: str) -> str:
        """Starts it over its own time range; the search's id."""
        what, path = f"starting the saved search {name}", f"{_PATH}/{name}/dispatch"
        found = ask(what, lambda: self._service.post(path, output_mode="json"))
        try:
            return str(found["sid"])
        except (LookupError, TypeError) as error:
            raise StoreError(f"{what}: splunkd's answer names no search") from error

    def job(self, sid: str) -> Job:
        """How far a search that was started has come. One that was cancelled or is gone is a StoreError."""
        what = f"looking at the search {sid}"
        found = ask(what, lambda: self._service.get(f"{_JOBS}/{sid}", output_mode="json"))
        try:
            content = found["entry"][0]["content"]
            failed, progress = _is_set(content.get("isFailed")), int(100 * float(content.get("doneProgress") or 0))
            return Job(_is_set(content.get("isDone")) or failed, _problem(content) if failed else "", progress)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"{what}: splunkd's answer is none of a search") from error


def _problem(content: dict[str, Any]) -> str:
    """Why a search failed. splunkd has its messages by kind, or as a list of objects."""
    messages = content.get("messages") or {}
    if isinstance(messages, dict):
        said = [str(text) for kind in ("fatal", "error") for text in messages.get(kind, ())]
    else:
        said = [str(each.get("text")) for each in messages if str(each.get("type")).upper() in ("FATAL", "ERROR")]
    return "; ".join(said) or "splunkd does not say why"
