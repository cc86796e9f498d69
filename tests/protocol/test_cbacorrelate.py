"""`| cbacorrelate` in conversation with splunkd, under every Python that Splunk runs it with, and with a store that fails."""

from __future__ import annotations

from typing import Any

import pytest

from cba.command.chains import CHAIN_FIELDS
from cba.detection.catalogue import get
from cba.store import splunkd as store
from lab.chunked import Row, encode_rows
from lab.errors import LabError
from lab.splunkd import DROP_AFTER
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Pipeline
from tests.support.workbench import Workbench

DETECTION = get("serverless_execution_iaas")
CHOSEN = f"detection={DETECTION.id}"
WINDOW = "window=86400"
CHAIN: Scenario = next(
    scenario
    for scenario in load_all()
    if scenario.detection == DETECTION.id and any(raised.variation == "3" for raised in scenario.raises)
)


def rows() -> list[Row]:
    """The scenario's rows before `cbabaseline`."""
    return Pipeline(DETECTION).rows(CHAIN.events)


def judged(bench: Workbench) -> list[Row]:
    return bench.run("cbabaseline", CHOSEN, "learn=true", rows=rows())


def search(bench: Workbench) -> list[tuple[Any, ...]]:
    """The detection's search from its reduced rows on; the findings."""
    scored = bench.run("cbascore", CHOSEN, rows=bench.run("cbacorrelate", CHOSEN, WINDOW, rows=judged(bench)))
    bench.run("cbarecord", CHOSEN, rows=[row for row in scored if row.get("variation")])
    found = bench.kv.collection("cba_findings").find()
    return sorted((f["variation"], f["key"], f["first_time"], f["count"], f["chain_timeline"]) for f in found)


def in_the_library() -> list[tuple[Any, ...]]:
    pipeline = Pipeline(DETECTION)
    pipeline.search(CHAIN.events)
    found = pipeline.found()
    return sorted((f["variation"], f["key"], f["first_time"], f["count"], f["chain_timeline"]) for f in found)


def test_what_it_says_it_is(bench: Workbench) -> None:
    said = bench.talk("cbacorrelate", (CHOSEN,), [])[0].metadata
    assert said["type"] == "events", "it adds rows"
    assert "required_fields" not in said, "what it answers replaces the rows, so it needs every field"
    assert list(bench.splunkd.requests) == []


def test_a_chain_from_rows_to_findings(bench: Workbench) -> None:
    assert search(bench) == in_the_library()
    assert "3" in [variation for variation, *_ in search(bench)]


def test_rows_pass_unchanged_and_moments_come_after_them(here: Workbench) -> None:
    here.runner.chunk_rows = 7
    sent = judged(here)
    answered = here.run("cbacorrelate", CHOSEN, WINDOW, rows=sent)
    moments = [row for row in answered if row.get("chain_signals")]
    numbers = ("first_time", "events", "event_times")  # here, and texts there
    names = [name for name in sent[0] if name not in (*numbers, *CHAIN_FIELDS)]
    kept = [[row.get(name, "") for name in names] for row in answered if not row.get("chain_signals")]
    assert kept == [[row.get(name, "") for name in names] for row in sent]
    assert {moment["chain_signals"].split()[0] for moment in moments} == {"A"}


def test_a_preview_writes_nothing(here: Workbench) -> None:
    sent = judged(here)
    before = len(here.writes())
    here.talk("cbacorrelate", (CHOSEN, WINDOW), [(encode_rows(list(sent[0]), sent), True)], preview=True)
    assert len(here.writes()) == before


@pytest.mark.parametrize("action", [503, DROP_AFTER])
def test_cut_off_and_run_again(here: Workbench, monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", ())
    sent = judged(here)
    here.splunkd.fail("cba_signals", action, times=1)
    with pytest.raises(LabError, match="KV store collection cba_signals"):
        here.run("cbacorrelate", CHOSEN, WINDOW, rows=sent)
    here.splunkd.faults.clear()
    assert search(here) == in_the_library()


def test_what_it_cannot_do_is_said(here: Workbench) -> None:
    sent = judged(here)
    assert "window=soon is not a whole number" in here.complaint("cbacorrelate", CHOSEN, "window=soon", rows=sent)
    other = "detection=cloud_unusual_country"
    assert "has no signals to correlate" in here.complaint("cbacorrelate", other, rows=sent)
    here.run("cbacorrelate", CHOSEN, WINDOW, rows=sent)
    signals = here.kv.collection("cba_signals")
    signals.batch_save([{**document, "row": "{"} for document in signals.find()])
    assert "(a signal of serverless_execution_iaas) is damaged" in here.complaint(
        "cbacorrelate", CHOSEN, WINDOW, rows=sent
    )
