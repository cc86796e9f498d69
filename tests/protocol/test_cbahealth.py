"""`| cbahealth` in conversation with splunkd: the states of sources and detections, from what runs have left."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from cba.store.configuration import write_searches
from lab.chunked import Row
from tests.support.workbench import CHOSEN, FIRST_DAY, LATEST, TODAY, Workbench, reduced, story


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Workbench]:
    """With a source whose search is on."""
    with Workbench(tmp_path, local=tmp_path / "local") as bench:
        switch_on(bench, "aws")
        yield bench


def switch_on(bench: Workbench, source: str) -> None:
    write_searches(bench.service(), {f"CBA - {source} - Judge": {"disabled": "0"}})


def set_to(bench: Workbench, stanza: str, **values: str) -> None:
    bench.service().confs["cloud_behavior_analytics_settings"][stanza].submit(values)


def states(bench: Workbench, *args: str) -> dict[tuple[str, str], Row]:
    return {(row["detection"], row["source"]): row for row in bench.run("cbahealth", *args, rows=None)}


def state(bench: Workbench, source: str = "aws") -> tuple[str, str]:
    row = states(bench, CHOSEN)["cloud_unusual_country", source]
    return str(row["state"]), str(row.get("reason", ""))


def marked(bench: Workbench, until: int) -> None:
    bench.kv.collection("cba_marks").batch_save(
        [{"_key": "aws", "source": "aws", "judged_from": until - 900, "judged_until": until, "ahead": 1800}]
    )


def test_the_same_under_every_python(bench: Workbench) -> None:
    bench.search(story(), f"window={FIRST_DAY * 86_400}-{LATEST}")
    rows = states(bench)
    assert {row["state"] for row in rows.values()} == {"off"}, "everything ships disabled"
    row = rows["cloud_unusual_country", "aws"]
    assert row["judged_until"] == "2026-02-11T00:00:00Z"
    assert (row["identity_trained"], row["last_day"], row["days_learned"]) == ("2", "2026-02-10", "41")


def test_off_names_the_search_the_source_or_the_detection(here: Workbench) -> None:
    here.search(story())
    assert state(here, "azure") == ("off", "the search CBA - azure - Judge is disabled: enable it under Reports")
    assert state(here) == ("active", "")
    set_to(here, "detections", cloud_unusual_country_enabled="0")
    assert state(here) == ("off", "the detection is switched off: change that on the page Configuration")
    other = states(here)["cloud_function_unusual_runtime", "aws"]
    assert other["state"] != "off"
    set_to(here, "sources", aws_enabled="0")
    said = state(here)[1]
    assert "source aws is switched off: change that on the page Configuration" in said
    assert states(here)["cloud_function_unusual_runtime", "aws"]["state"] == "off"


def test_behind_says_since_when_and_that_nothing_is_lost(here: Workbench) -> None:
    here.search(story())
    marked(here, LATEST - 3600)
    assert state(here) == ("active", ""), "a run or two that were late"
    marked(here, LATEST - 7200)
    word, reason = state(here)
    assert word == "behind"
    assert reason.startswith("judged up to 2026-02-10T22:00:00Z of index time; the runs since then have failed or been")
    assert "Nothing is lost: the next run goes on from there" in reason
    row = states(here, CHOSEN)["cloud_unusual_country", "aws"]
    assert (row["behind_minutes"], row["clock_ahead_minutes"]) == ("105", "30")


def test_a_fault_comes_before_everything_but_off(here: Workbench) -> None:
    here.search(story())
    marked(here, LATEST - 9 * 3600)
    fault = {"source": "aws", "detection": "cloud_unusual_country", "message": "KeyError: 'x'", "time": LATEST}
    here.kv.collection("cba_faults").batch_save([{"_key": "aws:cloud_unusual_country", **fault}])
    assert state(here) == ("fault", "stopped by a fault in the last run, the other detections went on: KeyError: 'x'")
    others = {row["state"] for (name, _source), row in states(here).items() if name != "cloud_unusual_country"}
    assert "fault" not in others and "behind" in others
    assert state(here, "azure")[0] == "off"


def test_a_breaker_is_of_one_source(here: Workbench) -> None:
    switch_on(here, "azure")
    for source in ("aws", "azure"):
        here.search([{**row, "source_kind": source} for row in story()], source=source)
    opened = {"openings": f'[[{TODAY * 86_400}, "x"]]', "matches": "{}", "acknowledged": "[]"}
    key = "counted:cloud_unusual_country:aws"
    here.kv.collection("cba_breakers").batch_save(
        [{"_key": key, "detection": "cloud_unusual_country", "source": "aws", **opened}]
    )
    word, reason = state(here)
    assert word == "breaker open" and reason.endswith("| cbaacknowledge detection=cloud_unusual_country")
    assert state(here, "azure")[0] == "active"


def test_a_source_that_delivers_nothing(here: Workbench) -> None:
    assert state(here) == (
        "no data", "no event has been learned; are there events of it? Run the search CBA - aws - Backfill",
    )  # fmt: skip
    here.search([reduced(TODAY - 9, "ann", "NL")])
    assert state(here)[0] == "silent"


def test_a_damaged_mark_is_named(here: Workbench) -> None:
    here.kv.collection("cba_marks").batch_save([{"_key": "aws", "source": "aws"}])
    assert "cbahealth: KV store collection cba_marks: document aws is damaged" in here.complaint("cbahealth", rows=None)


def test_one_detection_and_without_counts(here: Workbench) -> None:
    here.search(story())
    found = states(here, CHOSEN, "entities=false")
    assert {name for name, _source in found} == {"cloud_unusual_country"}
    assert found["cloud_unusual_country", "aws"].get("identity_trained", "") == ""


@pytest.mark.parametrize("option", ["entities=maybe", "silent_after=0", "detection=x{}"])
def test_what_it_cannot_do_is_said(here: Workbench, option: str) -> None:
    assert option.partition("=")[2] in here.complaint("cbahealth", option, rows=None)
