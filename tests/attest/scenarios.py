"""The scenarios of tests/scenarios through the app that is installed on a Splunk.

A scenario is a history and some events as normalised rows with their places. They travel inside a search and go through
the end of their source's own saved search: one search for each source of the scenario, each over the whole of its rows.
What comes before (base searches, normalisation, reduction, enrichment) is proven from raw logs by tests/splunk.

A source's search judges for every detection. Only what the scenario's own one raises is compared; the others are left
switched on, for that is how the app runs, and their findings may make an identity suspicious to this one.

Commands write into the app's real collections, and nobody could tell a scenario's organization from the real one. So
scenarios only run where there is nothing to spoil: every collection of the app empty, no search of it enabled. Each
scenario starts from empty collections and leaves them empty; the lists it needs are in collections, too. Few scenarios
need a setting as well, which is set back at once.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import Any, Iterator, Mapping, Sequence

from cba.detection.model import Detection, source_search
from cba.lists.declared import LISTS
from cba.settings import CONF
from cba.terms import SECONDS_PER_DAY, SOURCES
from lab.conf import AppConf
from lab.remote import APP, Remote, RemoteError, SearchFailed
from lab.spl.text import split_pipeline
from tests.attest.outcome import AGREES, DISAGREES, Outcome
from tests.scenarios.scenario import Expected, Scenario
from tests.support.pipeline import Pipeline

# The moments of a row ("second/second@events …") become rows of their own, as the reduction would have left them.
UNFOLD = (
    '| eval moment=split(moments, " ") | mvexpand moment'
    ' | eval events=mvindex(split(moment, "@"), 1), event_times=split(mvindex(split(moment, "@"), 0), "/"),'
    " bucket=floor(mvindex(event_times, 0)/900)*900, indexed=bucket"
    " | fields - moment moments | sort 0 bucket"
)
_MACRO = re.compile(r"`[^`]*`")
_SUBSEARCH = re.compile(r"\[[^\]]*\]")


class NotClean(RemoteError):
    """The app there is in use: scenarios would mix with what it has learned."""


def collections(app: AppConf) -> list[str]:
    """Every collection that the app's commands and searches may write to."""
    return sorted(app.stanzas("collections"))


def check_clean(remote: Remote, app: AppConf) -> None:
    """NotClean unless every collection is empty and no search is enabled."""
    if remote.installed() is None:
        raise NotClean(f"the app {APP} is not installed there")
    enabled = [
        search.name
        for search in remote.service.saved_searches.list()
        if search.access.app == APP and search.content.get("is_scheduled") == "1" and search.content["disabled"] == "0"
    ]
    if enabled:
        raise NotClean(f"{len(enabled)} of the app's searches are enabled there, {enabled[0]!r} for one")
    full = _filled(remote, app)
    if full:
        raise NotClean(
            f"the app has data there, in {', '.join(full)}. Scenarios run on a fresh installation only. If an "
            "attestation that was cut off left it, and nothing else did, empty these collections "
            "(docs/testing-against-splunk.md)"
        )


def _filled(remote: Remote, app: AppConf) -> list[str]:
    return [name for name in collections(app) if remote.documents(name, limit=1)]


@contextmanager
def emptied(remote: Remote, app: AppConf) -> Iterator[None]:
    """Empties the app's collections at the end, whatever happens. RemoteError, and nothing is removed, when they were
    not empty before."""
    full = _filled(remote, app)
    if full:
        raise RemoteError(f"somebody else writes to {', '.join(full)}; stopped, and left what is there")
    try:
        yield
    finally:
        for name in collections(app):
            remote.clear(name)


@contextmanager
def prepared(remote: Remote, scenario: Scenario) -> Iterator[None]:
    """Writes the scenario's lists, which `emptied` removes, and its settings, which say afterwards what they said
    before."""
    for name, rows in scenario.lists.items():
        documents = [{column: str(cell) for column, cell in row.items()} for row in rows]
        remote.save(LISTS[name].collection, documents)
    if not scenario.settings:
        yield
        return
    wanted = {name: str(int(value)) for name, value in scenario.settings.items()}
    before = remote.set(CONF, "detections", wanted)
    try:
        yield
    finally:
        remote.set(CONF, "detections", before)


def attest_scenario(remote: Remote, app: AppConf, scenario: Scenario, detection: Detection) -> Outcome:
    """Runs one scenario and compares what its detection raised. The collections must be empty, and are again
    afterwards."""
    searches = searches_of(scenario, detection, app)
    with emptied(remote, app), prepared(remote, scenario):
        for search in searches:
            try:
                remote.search(search)
            except SearchFailed as problem:
                why = f"the search failed: {problem}"
                return Outcome("scenario", scenario.id, DISAGREES, why, _shortened(search))
        since = scenario.today * SECONDS_PER_DAY
        findings = [
            finding
            for finding in remote.documents("cba_findings")
            if finding["detection"] == detection.id and float(finding["first_time"]) >= since
        ]
    findings.sort(key=lambda f: (float(f["first_time"]), f["key"], float(f["severity_id"])))
    told = [_told(finding) for finding in findings]
    expected = [_expected(entry, detection) for entry in scenario.raises]
    why = _difference(scenario.raises, expected, findings, told)
    if not why:
        return Outcome("scenario", scenario.id, AGREES)
    shown = "; then ".join(map(_shortened, searches))
    return Outcome("scenario", scenario.id, DISAGREES, why, shown, expected, told)


def _told(finding: Mapping[str, Any]) -> dict[str, Any]:
    time, key = int(float(finding["first_time"])), json.loads(finding["key"])
    return {"variation": finding["variation"], "first_time": time, "key": key, "severity": finding["severity"]}


def _expected(entry: Expected, detection: Detection) -> dict[str, Any]:
    severity = detection.variation(entry.variation).severity
    key = entry.key(detection)
    return {"variation": entry.variation, "first_time": entry.first_time, "key": key, "severity": severity}


def _difference(
    raises: Sequence[Expected],
    expected: Sequence[Mapping[str, Any]],
    findings: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
) -> str:
    """In words; "" when there is none."""
    if list(told) != list(expected):
        return "other findings were raised"
    for entry, finding in zip(raises, findings):
        for field, value in entry.states.items():
            found = finding.get(field)
            found = str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)
            if found != value:
                return f"{field} of the finding is {found!r}, not {value!r}"
        for piece in entry.says:
            if piece not in finding["explanation"]:
                return f"the explanation does not say {piece!r}: {finding['explanation']}"
    return ""


# -- the search --------------------------------------------------------------------------------------------------------


def searches_of(scenario: Scenario, detection: Detection, app: AppConf) -> list[str]:
    """For each source of the scenario its rows, and the end of the source's own search, which judges them."""
    searches = []
    for source, rows in folded(scenario, detection).items():
        data = json.dumps(rows, ensure_ascii=False).replace("\\", "\\\\").replace('"', '\\"')
        searches.append(f'| makeresults format=json data="{data}" {UNFOLD} | {judging(app, source)}')
    return searches


def judging(app: AppConf, source: str) -> str:
    """The last command of the source's saved search, without what a subsearch tells it: the window of index time that a
    scheduled run has read. Rows that come with the search are in none, and the source's mark must stay where it is."""
    stanza = app.stanza("savedsearches", source_search(source, "Judge"))
    search = stanza.get("search")
    places = _MACRO.sub(lambda call: "m" * len(call[0]), search)  # what a macro stands for has no place in this text
    last = split_pipeline(places)[-1]
    if last.name != "cbajudge":
        raise stanza.error("search", "it does not end in cbajudge.")
    return _SUBSEARCH.sub("", search[last.position :].lstrip("| \n")).rstrip()


def folded(scenario: Scenario, detection: Detection) -> dict[str, list[dict[str, str]]]:
    """The reduced rows of a scenario by their source, those that differ only in time as one with all its `moments`."""
    moments: dict[str, dict[tuple[tuple[str, str], ...], list[str]]] = {}
    for source, row in Pipeline(detection).reduce(scenario.events):
        times = "/".join(map(str, row.seconds))
        alike = moments.setdefault(source, {})
        alike.setdefault((*row.cells.items(), *row.listed.items()), []).append(f"{times}@{row.events}")
    return {
        source: [{**dict(cells), "moments": " ".join(when)} for cells, when in alike.items()]
        for source, alike in sorted(moments.items(), key=lambda each: SOURCES.index(each[0]))
    }


def _shortened(search: str) -> str:
    return search if len(search) <= 300 else f"{search[:200]} … {search[-100:]}"
