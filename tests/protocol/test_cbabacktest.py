"""`| cbabacktest` in conversation with splunkd, under every Python that Splunk runs it with."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from cba.backtest.compare import COMPARED
from cba.command.reading import NAMED_TIMES, all_columns
from cba.detection.catalogue import get, load
from cba.judging import rows as judging
from cba.judging.rows import SOURCE_FIELD
from cba.store import splunkd as store
from lab.chunked import Row
from lab.errors import LabError
from lab.splunkd import DROP_AFTER
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Pipeline
from tests.support.workbench import CHOSEN, FIRST_DAY, TODAY, Workbench, reduced

STORIES = {
    detection: next(s for s in load_all() if s.detection == detection and len(s.raises) > 0)
    for detection in ("cloud_unusual_country", "serverless_execution_iaas", "compute_identity_outside_region")
}
COUNTRY = STORIES["cloud_unusual_country"]


def rows(scenario: Scenario) -> list[Row]:
    """The rows of all sources in order, as `| savedsearch "CBA - … - Rows"`, appended and sorted, gives them."""
    found = Pipeline(get(scenario.detection)).reduce(scenario.events)
    return sorted(map(_row, found), key=lambda row: int(str(row["bucket"])))


def _row(of_source: tuple[str, judging.Row]) -> Row:
    source, row = of_source
    times = {"bucket": row.bucket, "indexed": row.indexed, "events": row.events, "event_times": list(row.seconds)}
    return {**row.cells, **times, SOURCE_FIELD: source}


def searched(bench: Workbench, scenario: Scenario) -> list[tuple[Any, ...]]:
    """The searches of the scenario's sources over its rows; the findings the detection has kept."""
    search_in_turn(bench, rows(scenario))
    return listed(f for f in bench.findings() if f["detection"] == scenario.detection)


def search_in_turn(bench: Workbench, told: list[Row]) -> None:
    """The searches of all sources, day by day."""
    for _day, today in itertools.groupby(told, key=lambda row: int(str(row["bucket"])) // 86_400):
        of_sources: dict[str, list[Row]] = {}
        for row in today:
            of_sources.setdefault(str(row[SOURCE_FIELD]), []).append(row)
        for source, mine in sorted(of_sources.items()):
            bench.search(mine, source=source)


def findings(answered: list[Row]) -> list[Row]:
    return [row for row in answered if row.get("finding_id")]


def listed(found: Any) -> list[tuple[Any, ...]]:
    names = ("finding_id", "variation", "severity", "entity", "first_time", "last_time", "count", "explanation")
    return sorted(tuple(str(document[name]) for name in names) for document in found)


def test_what_it_says_it_is(bench: Workbench) -> None:
    said = bench.talk("cbabacktest", (f"detection={COUNTRY.detection}",), [])[0].metadata
    assert said["type"] == "events"
    named = all_columns(load(), get(COUNTRY.detection).sources)
    assert said["required_fields"] == list(dict.fromkeys((*NAMED_TIMES, "event_times", SOURCE_FIELD, *named)))
    assert list(bench.splunkd.requests) == []


@pytest.mark.parametrize("name", STORIES)
def test_today_s_settings_give_the_findings_there_are_and_nothing_is_written(here: Workbench, name: str) -> None:
    nothing_differs(here, name)


def test_so_it_is_under_every_python(bench: Workbench) -> None:
    nothing_differs(bench, "compute_identity_outside_region")


def nothing_differs(bench: Workbench, name: str) -> None:
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
    here.splunkd.fail("cba_history", action, times=2)  # a connection that was kept is tried anew at once
    with pytest.raises(LabError, match="KV store collection cba_history"):
        here.run("cbabacktest", f"detection={COUNTRY.detection}", rows=rows(COUNTRY))


def test_rows_out_of_order_are_refused(here: Workbench) -> None:
    sent = list(reversed(rows(COUNTRY)))
    said = here.complaint("cbabacktest", f"detection={COUNTRY.detection}", rows=sent)
    assert "put `| sort 0 bucket` before this command" in said


def test_rows_of_several_sources_are_judged_in_the_order_of_time(here: Workbench) -> None:
    """What one source has taught of an identity counts for what it does in the other a day later."""
    past = [reduced(day, "ann", "NL", source_kind="aws") for day in range(FIRST_DAY, TODAY)]
    past += [reduced(day, "bob", "DE", source_kind="azure") for day in range(FIRST_DAY, TODAY)]
    today = [reduced(TODAY, "ann", "RU", source_kind="azure"), reduced(TODAY, "bob", "KP", source_kind="aws")]
    told = sorted([*past, *today], key=lambda row: int(str(row["bucket"])))
    search_in_turn(here, told)
    assert sorted((f["country"], f["source_kind"]) for f in here.findings()) == [("KP", "aws"), ("RU", "azure")]
    for chunk_rows in (50_000, 3):
        here.runner.chunk_rows = chunk_rows
        answered = here.run("cbabacktest", CHOSEN, rows=told)
        assert listed(findings(answered)) == listed(here.findings())


def test_rows_of_a_source_that_the_detection_does_not_judge_are_refused(here: Workbench) -> None:
    said = here.complaint("cbabacktest", CHOSEN, rows=[reduced(TODAY, "ann", "NL", source_kind="endpoint")])
    assert "field source_kind of row 1 is 'endpoint', not one of aws, azure" in said
    assert 'rows come from | savedsearch "CBA - aws - Rows"' in said
