"""The scenarios of tests/scenarios through the app that is installed on a Splunk.

A scenario is a history and some events as normalised, enriched rows. They travel inside a search and go through the
rest of the detection's own saved search, from the first command on that is told which detection it serves: evidence,
correlation, score, findings. What comes before it (base searches, normalisation, reduction, enrichment) is proven from
raw logs by tests/splunk.

Commands write into the app's real collections, and nobody could tell a scenario's organization from the real one. So
scenarios only run where there is nothing to spoil: every collection of the app empty, no search of it enabled. Each
scenario starts from empty collections and leaves them empty.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import Any, Iterator, Mapping, Sequence

from cba.detection.model import Detection
from cba.terms import SECONDS_PER_DAY
from lab.attest.outcome import AGREES, DISAGREES, Outcome
from lab.conf import AppConf
from lab.remote import APP, Remote, RemoteError, SearchFailed
from lab.spl.text import split_pipeline
from tests.scenarios.scenario import Expected, Scenario
from tests.support.pipeline import Pipeline

# The moments of a row ("second/second@events …") become rows of their own, as the reduction would have left them.
UNFOLD = (
    '| eval moment=split(moments, " ") | mvexpand moment'
    ' | eval events=mvindex(split(moment, "@"), 1), event_times=split(mvindex(split(moment, "@"), 0), "/"),'
    " first_time=mvindex(event_times, 0), day=floor(first_time/86400), bucket=floor(first_time/900)*900"
    " | fields - moment moments | sort 0 day bucket"
)
_TOLD = re.compile(r"\bdetection=")
_MACRO = re.compile(r"`[^`]*`")


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


def attest_scenario(remote: Remote, app: AppConf, scenario: Scenario, detection: Detection) -> Outcome:
    """Runs one scenario and compares what it raised. The collections must be empty, and are again afterwards."""
    search = search_of(scenario, detection, app)
    with emptied(remote, app):
        try:
            remote.search(search)
        except SearchFailed as problem:
            why = f"the search failed: {problem}"
            return Outcome("scenario", scenario.id, DISAGREES, why, _shortened(search))
        since = scenario.today * SECONDS_PER_DAY
        findings = [f for f in remote.documents("cba_findings") if float(f["first_time"]) >= since]
    findings.sort(key=lambda f: (float(f["first_time"]), f["key"], float(f["severity_id"])))
    told = [_told(finding) for finding in findings]
    expected = [_expected(entry, detection) for entry in scenario.raises]
    why = _difference(scenario.raises, expected, findings, told)
    if not why:
        return Outcome("scenario", scenario.id, AGREES)
    return Outcome("scenario", scenario.id, DISAGREES, why, _shortened(search), expected, told)


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


def search_of(scenario: Scenario, detection: Detection, app: AppConf) -> str:
    """The scenario's rows, and the part of the detection's own search that judges them."""
    data = json.dumps(folded(scenario, detection), ensure_ascii=False).replace("\\", "\\\\").replace('"', '\\"')
    return f'| makeresults format=json data="{data}" {UNFOLD} | {judging(app, detection)}'


def judging(app: AppConf, detection: Detection) -> str:
    """The text of the detection's saved search from the first of the app's commands on that names a detection."""
    stanza = app.stanza("savedsearches", f"CBA - {detection.id} - Detect")
    search = stanza.get("search")
    places = _MACRO.sub(lambda call: "m" * len(call[0]), search)  # what a macro stands for has no place in this text
    for segment in split_pipeline(places):
        if segment.name in app.stanzas("commands") and _TOLD.search(segment.args):
            return search[segment.position :].lstrip("| \n")
    raise stanza.error("search", "none of the app's commands in it is told its detection.")


def folded(scenario: Scenario, detection: Detection) -> list[dict[str, str]]:
    """The reduced rows of a scenario, those that differ only in time as one with all its `moments`."""
    pipeline = Pipeline(detection)
    moments: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for row, seen in pipeline.reduce(scenario.events):
        # What enrichment does not find it leaves out; only what the search groups by is filled with "-".
        cells = {k: v for k, v in row.items() if k not in ("day", "bucket") and (v != "-" or k in detection.group_by)}
        times = "/".join(str(second) for second in pipeline.seconds(seen))
        moments.setdefault(tuple(cells.items()), []).append(f"{times}@{pipeline.count(seen)}")
    return [{**dict(cells), "moments": " ".join(when)} for cells, when in moments.items()]


def _shortened(search: str) -> str:
    return search if len(search) <= 300 else f"{search[:200]} … {search[-100:]}"
