"""The cases of tests/spl as searches for a real Splunk.

Input rows travel inside the search (`| makeresults format=json …`), so most cases write nothing. Those with lookups, KV
store collections or macros get them under names that begin with `cba_attest_`, in the app's namespace, and take them
away again. Those with events need an index: their events are sent there with a source of their own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Union

from splunklib.binding import HTTPError

from lab.events import Event
from lab.remote import Remote, RemoteError, SearchFailed, words
from tests.attest.outcome import AGREES, DISAGREES, NOT_RUN, STRICTER, Outcome
from tests.spl.harness import Case, compared, events_of, shown

PREFIX = "cba_attest_"
TIME = f"{PREFIX}time"
NEEDS_YES = "it makes lookups, macros, saved searches or collections for a moment (give --yes)"
NEEDS_INDEX = "it needs events in an index (give --yes, --index, --hec and --hec-token)"
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")')
_LOOKUP = r"(\b(?:lookup|inputlookup|outputlookup)(?:\s+\w+=\S+)*\s+){}(?=[.\s\]]|$)"
_MACRO = r"`{}(?=[`(])"


def attest_case(remote: Remote, case: Case, source: str, may_write: bool, index: Optional[str]) -> Outcome:
    """Runs one case. Its events go to `index`, told from others by their `source`."""
    name = f"{case.file[: -len('.yml')]}: {case.name}"
    reason = _why_not(case, may_write, index)
    if reason:
        return Outcome("case", name, NOT_RUN, reason)
    search = renamed(case, case.search())
    if case.events:
        search = search.replace("index=main", f'index={index} source="{source}"')
    if case.expect is not None and any("_time" in row for row in case.expect):
        search += f" | rename _time AS {TIME}"  # else Splunk shows it as text, in the time zone of the user
    found: Union[list[dict[str, Any]], SearchFailed]
    try:
        with _prepared(remote, case, source, index):
            try:
                found = remote.search(search, *(case.window.get(edge) for edge in ("earliest", "latest", "now")))
            except SearchFailed as problem:
                found = problem
    except (HTTPError, RemoteError) as problem:
        return Outcome("case", name, NOT_RUN, f"what it needs could not be made: {words(problem)}", search)
    return _judged(case, name, search, found)


def _why_not(case: Case, may_write: bool, index: Optional[str]) -> str:
    if case.unattested:
        return case.unattested
    if case.events and not (may_write and index):
        return NEEDS_INDEX
    if (case.lookups or case.kv or case.macros or case.saved) and not may_write:
        return NEEDS_YES
    return ""


def _judged(case: Case, name: str, search: str, found: Union[list[dict[str, Any]], SearchFailed]) -> Outcome:
    if isinstance(found, SearchFailed):
        if case.expect is None:
            return Outcome("case", name, AGREES)
        why = f"Splunk refuses it: {found}"
        return Outcome("case", name, DISAGREES, why, search, case.expect, None, case.source)
    if case.expect is None:
        verdict = DISAGREES if case.status == "documented" else STRICTER
        return Outcome("case", name, verdict, "Splunk runs what should be an error", search, None, found, case.source)
    rows, expected = _comparable(compared(_times(found), case.expect)), _comparable(shown(case.expect))
    same = rows == expected if case.ordered else sorted(rows, key=_sorted) == sorted(expected, key=_sorted)
    if same:
        return Outcome("case", name, AGREES)
    why = f"Splunk answers otherwise (the case is {case.status})"
    return Outcome("case", name, DISAGREES, why, search, expected, rows, case.source)


def _times(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{("_time" if key == TIME else key): value for key, value in row.items()} for row in found]


def _comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`_time` as a number: Splunk may show fractions of it."""
    return [{k: float(v) if k == "_time" and _is_number(v) else v for k, v in row.items()} for row in rows]


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _sorted(row: Mapping[str, Any]) -> str:
    return repr(sorted(row.items()))


# -- what a case needs around its search -------------------------------------------------------------------------------


def renamed(case: Case, search: str) -> str:
    """The search with the case's own lookups and macros under their names on a real Splunk. Quoted text stays."""
    parts = _QUOTED.split(search)
    for name in (*case.lookups, *case.kv):
        pattern = re.compile(_LOOKUP.format(re.escape(name)))
        parts[::2] = [pattern.sub(rf"\g<1>{PREFIX}{name}", part) for part in parts[::2]]
    for name in {name.partition("(")[0] for name in case.macros}:
        pattern = re.compile(_MACRO.format(re.escape(name)))
        parts[::2] = [pattern.sub(f"`{PREFIX}{name}", part) for part in parts[::2]]
    for name in case.saved:
        pattern = re.compile(rf"(\bsavedsearch\s+){re.escape(name)}\b")
        parts[::2] = [pattern.sub(rf"\g<1>{PREFIX}{name}", part) for part in parts[::2]]
    return "".join(parts)


@contextmanager
def _prepared(remote: Remote, case: Case, source: str, index: Optional[str]) -> Iterator[None]:
    """The case's lookups, collections, macros and events, there while its search runs. Events stay in the index."""
    with ExitStack() as undo:
        for name, settings in case.lookups.items():
            _csv_lookup(remote, f"{PREFIX}{name}", settings, undo)
        for name, settings in case.kv.items():
            _kv_lookup(remote, f"{PREFIX}{name}", settings, undo)
        for name, settings in case.macros.items():
            definition = renamed(case, str(settings["definition"]).strip())
            _stanza(remote, "macros", f"{PREFIX}{name}", {**settings, "definition": definition}, undo)
        for name, text in case.saved.items():
            _stanza(remote, "savedsearches", f"{PREFIX}{name}", {"search": renamed(case, text)}, undo)
        if case.events:
            assert index is not None
            events = [_placed(event, index, source) for event in events_of(case)]
            remote.send(events)
            remote.await_events(f'index={index} source="{source}"', len(events))
        yield


def _placed(event: Event, index: str, source: str) -> Event:
    return Event(event.time, event.indextime, index, event.sourcetype, source, event.host, event.raw)


def _csv_lookup(remote: Remote, name: str, settings: Mapping[str, Any], undo: ExitStack) -> None:
    rows = list(csv.DictReader(io.StringIO(settings["csv"])))
    columns = " ".join(settings["csv"].splitlines()[0].split(","))
    data = json.dumps([{k: v for k, v in row.items() if v} for row in rows]).replace("\\", "\\\\").replace('"', '\\"')
    _ignoring_absence(lambda: remote.service.delete(f"data/lookup-table-files/{name}.csv"))
    undo.callback(_ignoring_absence, lambda: remote.service.delete(f"data/lookup-table-files/{name}.csv"))
    table = f'fillnull value="" {columns} | table {columns}'  # a column without a value is a column, too
    remote.search(f'| makeresults format=json data="{data}" | {table} | outputlookup {name}.csv')
    rest = {k: v for k, v in settings.items() if k != "csv"}
    _stanza(remote, "transforms", name, {"filename": f"{name}.csv", **rest}, undo)


def _kv_lookup(remote: Remote, name: str, settings: Mapping[str, Any], undo: ExitStack) -> None:
    kvstore = remote.service.kvstore
    _ignoring_absence(lambda: kvstore.delete(name))
    kvstore.create(name, fields=settings.get("types", {}))
    undo.callback(kvstore.delete, name)
    if settings.get("rows"):
        kvstore[name].data.batch_save(*settings["rows"])
    rest = {k: v for k, v in settings.items() if k not in ("rows", "types")}
    _stanza(remote, "transforms", name, {"external_type": "kvstore", "collection": name, **rest}, undo)


def _stanza(remote: Remote, conf: str, name: str, settings: Mapping[str, Any], undo: ExitStack) -> None:
    stanzas = remote.service.confs[conf]
    _ignoring_absence(lambda: stanzas.delete(name))  # left by an attestation that was cut off
    stanzas.create(name, **{key: str(value) for key, value in settings.items()})
    undo.callback(stanzas.delete, name)


def _ignoring_absence(remove: Callable[[], Any]) -> None:
    try:
        remove()
    except KeyError:
        pass
    except HTTPError as problem:
        if problem.status != 404:
            raise RemoteError(f"what an earlier case left cannot be removed: {words(problem)}") from problem
