"""`| cbabacktest` in conversation with splunkd, under every Python that Splunk runs it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cba.backtest.compare import COMPARED
from cba.backtest.trial import trial_fields
from cba.detection.catalogue import get
from cba.store import splunkd as store
from lab.chunked import Row, encode_rows
from lab.errors import LabError
from lab.splunkd import DROP_AFTER
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Pipeline
from tests.support.workbench import Workbench

STORIES = {
    detection: next(s for s in load_all() if s.detection == detection and len(s.raises) > 0)
    for detection in ("cloud_unusual_country", "serverless_execution_iaas")
}
COUNTRY = STORIES["cloud_unusual_country"]


def rows(scenario: Scenario) -> list[Row]:
    return Pipeline(get(scenario.detection)).rows(scenario.events)


def searched(bench: Workbench, scenario: Scenario) -> list[tuple[Any, ...]]:
    """The detection's own search over the scenario's rows; the findings it has kept."""
    chosen = f"detection={scenario.detection}"
    found = bench.run("cbabaseline", chosen, "learn=true", rows=rows(scenario))
    if get(scenario.detection).signals:
        found = bench.run("cbacorrelate", chosen, rows=found)
    scored = bench.run("cbascore", chosen, rows=found)
    bench.run("cbarecord", chosen, rows=[row for row in scored if row.get("variation")])
    return listed(bench.kv.collection("cba_findings").find())


def findings(answered: list[Row]) -> list[Row]:
    return [row for row in answered if row.get("finding_id")]


def listed(found: Any) -> list[tuple[Any, ...]]:
    names = ("finding_id", "variation", "severity", "entity", "first_time", "last_time", "count", "explanation")
    return sorted(tuple(str(document[name]) for name in names) for document in found)


def test_what_it_says_it_is(bench: Workbench) -> None:
    said = bench.talk("cbabacktest", (f"detection={COUNTRY.detection}",), [])[0].metadata
    assert said["type"] == "events"
    assert said["required_fields"] == list(trial_fields(get(COUNTRY.detection)))
    assert list(bench.splunkd.requests) == []


@pytest.mark.parametrize("name", STORIES)
def test_today_s_settings_give_the_findings_there_are_and_nothing_is_written(bench: Workbench, name: str) -> None:
    scenario = STORIES[name]
    kept = searched(bench, scenario)
    before = len(bench.writes())
    bench.runner.chunk_rows = 7
    answered = bench.run("cbabacktest", f"detection={name}", rows=rows(scenario))
    assert listed(findings(answered)) == kept != []
    assert {(row["now"], row["changed"]) for row in findings(answered)} == {("1", "1")}
    assert list(answered[0]) == list(COMPARED)
    assert len(bench.writes()) == before


def test_changed_settings_stand_beside_today_s(here: Workbench) -> None:
    kept = searched(here, COUNTRY)
    chosen = (f"detection={COUNTRY.detection}", "changed=activation_days=89")
    answered = here.run("cbabacktest", *chosen, rows=rows(COUNTRY))
    assert listed(findings(answered)) == kept
    assert {(row["now"], row["changed"]) for row in findings(answered)} == {("1", "0")}


def test_settings_of_the_page_are_today_s(tmp_path: Path) -> None:
    with Workbench(tmp_path, local=tmp_path / "local") as bench:
        searched(bench, COUNTRY)
        stanza = bench.service().confs["cloud_behavior_analytics_settings"]["detections"]
        stanza.submit({"activation_days": "89"})
        answered = bench.run("cbabacktest", f"detection={COUNTRY.detection}", rows=rows(COUNTRY))
        assert findings(answered) == [], "every variation is named, none is raised"
        assert len(answered) == len(get(COUNTRY.detection).all_variations)


def test_no_rows_no_findings(bench: Workbench) -> None:
    chosen = f"detection={COUNTRY.detection}"
    (_info, answer) = bench.talk("cbabacktest", (chosen,), [("", True)])
    assert answer.body.splitlines()[0] == ",".join(COMPARED)
    assert len(answer.body.splitlines()) == 1 + len(get(COUNTRY.detection).all_variations)


def test_what_it_cannot_do_is_said(here: Workbench) -> None:
    def complaint(*args: str) -> str:
        return here.complaint("cbabacktest", *args, rows=rows(COUNTRY))

    assert "detection: there is no 'nothing'" in complaint("detection=nothing")
    chosen = f"detection={COUNTRY.detection}"
    assert "failed_calls_escalate cannot be tried" in complaint(chosen, "changed=failed_calls_escalate=1")
    assert "It must be a whole number from 1 to 90" in complaint(chosen, "changed=trained_days=0")
    assert "window=soon is not a whole number" in complaint(chosen, "window=soon")


def test_a_training_period_longer_than_the_histories_is_said(here: Workbench) -> None:
    searched(here, COUNTRY)
    here.run("cbabacktest", f"detection={COUNTRY.detection}", "changed=training_days=89", rows=rows(COUNTRY))
    (warning,) = [text for text in here.warnings() if "histories go back" in text]
    assert "the changed settings ask for in full only from" in warning


@pytest.mark.parametrize("action", [503, DROP_AFTER])
def test_a_store_that_fails_ends_it_with_a_sentence(
    here: Workbench, monkeypatch: pytest.MonkeyPatch, action: Any
) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", ())
    searched(here, COUNTRY)
    here.splunkd.fail("cba_history", action, times=1)
    with pytest.raises(LabError, match="KV store collection cba_history"):
        here.run("cbabacktest", f"detection={COUNTRY.detection}", rows=rows(COUNTRY))


def test_rows_out_of_order_are_refused(here: Workbench) -> None:
    sent = list(reversed(rows(COUNTRY)))
    body = encode_rows(list(sent[0]), sent)
    assert "put `| sort 0 day` before this command" in here.complaint(
        "cbabacktest", f"detection={COUNTRY.detection}", rows=sent
    ), body[:200]
