"""The app's configuration in splunkd: settings are read here, and what they change elsewhere is written here."""

from __future__ import annotations

from typing import Mapping

from splunklib.client import Service

from ..errors import StoreError
from ..settings import CONF, TABS, defaults, tab
from ..terms import APP
from .splunkd import Refused, ask

_CONFS = f"/servicesNS/nobody/{APP}/configs"


def settings(service: Service, stanza: str) -> dict[str, str]:
    """The values of a stanza; what the app ships with where nothing is set, or what cannot work: a conf can be edited
    without the page, which refuses that."""
    return tab(stanza).usable(_stored(service, stanza))


def wrong_settings(service: Service) -> list[str]:
    """What is wrong with what is set, in sentences."""
    return [fault for found in TABS for fault in found.faults(_stored(service, found.stanza))]


def _stored(service: Service, stanza: str) -> dict[str, str]:
    path = f"{_CONFS}/conf-{CONF}/{stanza}"
    try:
        found = ask(f"reading [{stanza}] of {CONF}.conf", lambda: service.get(path, output_mode="json"))
    except Refused as error:
        if error.status == 404:
            return defaults()[stanza]
        raise
    try:
        content = dict(found["entry"][0]["content"])
    except (LookupError, TypeError, ValueError) as error:
        raise StoreError(f"reading [{stanza}] of {CONF}.conf: splunkd's answer is none of a conf") from error
    return {key: "" if content.get(key) is None else str(content[key]) for key in defaults()[stanza]}


def write_macros(service: Service, macros: Mapping[str, str]) -> None:
    """Sets the definitions of macros. They hold from the next search on."""
    for name, definition in macros.items():
        _write(service, f"{_CONFS}/conf-macros/{name}", definition=definition)


def alert_actions(service: Service) -> frozenset[str]:
    """The alert actions that are installed."""
    return frozenset(_all(service, "alert_actions"))


def write_searches(service: Service, settings_of: Mapping[str, Mapping[str, str]]) -> None:
    """Gives saved searches these settings; what they are told already is not written again."""
    known = _all(service, "savedsearches") if settings_of else {}
    for name, wanted in settings_of.items():
        changed = {key: value for key, value in wanted.items() if known.get(name, {}).get(key) != value}
        if changed:
            _write(service, f"{_CONFS}/conf-savedsearches/{name}", **changed)


def _all(service: Service, conf: str) -> dict[str, dict[str, str]]:
    """Every stanza of a conf that the app sees."""
    path = f"{_CONFS}/conf-{conf}"
    found = ask(f"reading {conf}.conf", lambda: service.get(path, output_mode="json", count=0))
    try:
        return {
            str(entry["name"]): {key: str(value) for key, value in entry["content"].items()} for entry in found["entry"]
        }
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"reading {conf}.conf: splunkd's answer is none of a conf") from error


def _write(service: Service, path: str, **fields: str) -> None:
    conf, _, stanza = path.rpartition("/configs/")[2].partition("/")
    ask(f"setting [{stanza}] of {conf}", lambda: service.post(path, output_mode="json", **fields))
