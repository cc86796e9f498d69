"""Raw CloudTrail in by the HTTP Event Collector, the shipped saved searches dispatched, findings out: all over REST.

On a real Splunk this needs a fresh installation of the app (empty collections, no search enabled) and is skipped
elsewhere. It writes events, which stay in the index; while it runs it also changes the macro `cba_indexes` and enables the
searches it dispatches.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from splunklib import client

from cba.detection.catalogue import get
from cba.detection.model import source_search, variation_search
from lab.conf import load_app
from lab.remote import Remote
from lab.replay import APP_DIR
from tests.attest.scenarios import NotClean, check_clean, emptied
from tests.splunk import story
from tests.splunk.conftest import Target, runnable

DETECTION = "cloud_unusual_country"
ROWS = source_search("aws", "Rows")


def alert_of(variation: str) -> str:
    detection = get(DETECTION)
    return variation_search(detection, detection.variation(variation))


SEARCHES = [ROWS, *map(alert_of, ("v2", "v3", "v5", "v7"))]


@contextmanager
def looking_only_at(service: client.Service, terms: str) -> Iterator[None]:
    """The app searches nothing but this: neither what others sent nor what earlier runs of this test left."""
    macro = service.confs["macros"]["cba_indexes"]
    before = macro["definition"]
    macro.submit({"definition": terms})
    try:
        yield
    finally:
        macro.submit({"definition": before})


def run(remote: Remote, name: str, **times: str) -> list[dict[str, Any]]:
    search = remote.service.saved_searches[name]
    return remote.results(search.dispatch(**{f"dispatch.{edge}_time": value for edge, value in times.items()}))


def judged(remote: Remote, now: float) -> dict[str, str]:
    """Judges the rows of five weeks at once: finding -> whether it was raised. A source's scheduled search only reads what
    was indexed until the last quarter of an hour was over, and nobody wants to wait for that here."""
    rows = remote.search(f'| savedsearch "{ROWS}" | cbajudge source=aws', now - 36 * story.DAY, now)
    return {row["finding_id"]: row["raised"] for row in rows if row["detection"] == DETECTION}


def test_from_raw_events_to_alerts(sending: Remote, target: Target) -> None:
    app = load_app(APP_DIR, APP_DIR / "no-local")
    try:
        check_clean(sending, app)
    except NotClean as problem:
        pytest.skip(str(problem))
    source = f"cba_test_{uuid.uuid4().hex[:12]}"
    mine = f'index={target.index} source="{source}"'
    service = sending.service
    with emptied(sending, app), looking_only_at(service, mine), runnable(service, *SEARCHES):
        count = sending.send(story.events(time.time(), target.index, source))
        sending.await_events(mine, count)

        told = judged(sending, time.time())
        findings = {
            (f["identity"], f["country"]): f for f in sending.documents("cba_findings") if f["detection"] == DETECTION
        }
        assert told == {finding["finding_id"]: "1" for finding in findings.values()}
        raised = {(story.arn(who), country): variation for (who, country), variation in story.RAISED.items()}
        yesterday = (time.time() // story.DAY - 1) * story.DAY
        assert {
            key: finding["variation"] for key, finding in findings.items() if finding["first_time"] >= yesterday
        } == raised
        assert findings[story.arn("ada"), "RU"]["severity"] == "medium"
        assert "first time in 30 days for the organization" in findings[story.arn("ada"), "RU"]["explanation"]

        # Each variation's own search finds its findings, and only those.
        for key, variation in raised.items():
            found = run(sending, alert_of(variation), earliest="-1h", latest="+1m")
            assert findings[key]["finding_id"] in {row["finding_id"] for row in found}
            assert {row["variation"] for row in found} == {variation}
        assert run(sending, alert_of("v7"), earliest="-1h", latest="+1m") == []

        # Once more, over the same events: nothing new.
        told = judged(sending, time.time())
        assert told == {finding["finding_id"]: "0" for finding in findings.values()}
        assert {f["finding_id"] for f in sending.documents("cba_findings") if f["detection"] == DETECTION} == set(told)

        # Its history can be asked for.
        known = sending.search(f'| cbahistory profile=identity_country entity="{story.arn("bob")}"')
        assert {row["value"] for row in known} == {"DE", "NL"}
    assert sending.documents("cba_findings") == []
