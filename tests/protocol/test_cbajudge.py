"""`| cbajudge` in conversation with splunkd: what a run judges, keeps and says, and what a run that fails leaves."""

from __future__ import annotations

import json
from typing import Any, Mapping

import pytest

from cba.detection.catalogue import get, load
from cba.store import splunkd as store
from lab.chunked import Row, decode_rows, encode_rows
from lab.errors import LabError
from lab.splunkd import DROP_AFTER
from tests.scenarios.scenario import Scenario, load_all
from tests.support.pipeline import Pipeline
from tests.support.workbench import CHOSEN, FIRST_DAY, LATEST, TODAY, Workbench, reduced, story

QUARTER = 900
START, END = TODAY * 86_400, (TODAY + 1) * 86_400
WINDOW = f"window={START}-{END}"
CHAIN: Scenario = next(
    scenario
    for scenario in load_all()
    if scenario.detection == "serverless_execution_iaas" and any(raised.variation == "v3" for raised in scenario.raises)
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", ())


def mark(bench: Workbench, source: str = "aws") -> Mapping[str, Any] | None:
    return next(iter(bench.kv.collection("cba_marks").find({"_key": source})), None)


def prepared(bench: Workbench) -> list[Row]:
    """The past is learned; the rows of today's run."""
    bench.search(story()[:-2], "learn=only")
    return story()[-2:]


def raised(answer: list[Row]) -> list[tuple[Any, ...]]:
    return sorted((row["detection"], row["raised"]) for row in answer)


# -- the window -------------------------------------------------------------------------------------------------------


def test_a_run_moves_the_mark_to_the_end_of_its_window(bench: Workbench) -> None:
    today = prepared(bench)
    answer = bench.search(today, WINDOW, f"now={END + 60}")
    assert raised(answer) == [("cloud_unusual_country", "1"), ("cloud_unusual_country", "1")]
    kept = mark(bench)
    assert kept is not None
    assert (kept["judged_from"], kept["judged_until"], kept["updated_time"]) == (START, END, END + 60)
    assert (kept["rows"], kept["events"]) == (2, 2)
    assert {finding["raised_time"] for finding in bench.findings()} == {END + 60}


def test_a_run_without_rows_moves_it_too(bench: Workbench) -> None:
    """A night without events is judged like any other."""
    assert bench.search([], WINDOW) == []
    kept = mark(bench)
    assert kept is not None and (kept["judged_until"], kept["rows"]) == (END, 0)


def judged(bench: Workbench, *windows: tuple[int, int]) -> tuple[float, float]:
    """The quarters of an hour that the mark says are judged, after runs over such windows."""
    for start, end in windows:
        bench.search([], f"window={START + start * QUARTER}-{START + end * QUARTER}")
    kept = mark(bench)
    assert kept is not None
    return (kept["judged_from"] - START) / QUARTER, (kept["judged_until"] - START) / QUARTER


def test_the_mark_grows_at_both_ends(here: Workbench) -> None:
    assert judged(here, (4, 6), (6, 7), (2, 4), (7, 7), (5, 5)) == (2, 7)


def test_a_run_that_another_one_has_overtaken_takes_the_mark_back_to_its_own_end(here: Workbench) -> None:
    """It may have written over what the other had: that is judged again."""
    assert judged(here, (0, 4), (4, 7), (4, 5)) == (0, 5)
    assert judged(here, (5, 9), (5, 9)) == (0, 9), "two runs with one plan: each has judged all of it"


def test_without_a_window_rows_are_judged_and_no_mark_moves(bench: Workbench) -> None:
    """Rows of before, judged by hand: docs/tuning.md."""
    answer = bench.search(story())
    assert raised(answer) == [("cloud_unusual_country", "1"), ("cloud_unusual_country", "1")]
    assert mark(bench) is None
    assert {finding["raised_time"] for finding in bench.findings()} == {LATEST}, "the end of the search"


@pytest.mark.parametrize("indexed", [START - QUARTER, END, END + 86_400])
def test_a_row_from_outside_of_the_window_ends_the_run_and_leaves_the_mark(bench: Workbench, indexed: int) -> None:
    """Whoever edits the search so that it reads something else learns it, instead of losing events."""
    today = prepared(bench)
    complaint = bench.complaint(
        "cbajudge", "source=aws", WINDOW, rows=[*today, reduced(TODAY, "eve", "CN", indexed=indexed)]
    )
    assert f"outside of {WINDOW}; the search must read what cbawindow says, and nothing else" in complaint
    assert mark(bench) is None


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("window=today", "window=today is not two quarters of an hour, as cbawindow gives them"),
        (f"window={START}-{END + 1}", "is not two quarters of an hour"),
        (f"window={END}-{START}", "is not two quarters of an hour"),
        ("window={}", "window={} is not two quarters of an hour"),
        ("now=soon", "now=soon is not a time in epoch seconds"),
        ("learn=false", "learn=false is not one of true, only"),
        ("source=s3", "source=s3 is not one of aws, azure"),
    ],
)
def test_what_it_cannot_do_is_said(here: Workbench, option: str, words: str) -> None:
    source = [] if option.startswith("source=") else ["source=aws"]
    assert words in here.complaint("cbajudge", *source, option, rows=story()[:1])
    assert here.writes() == []


# -- a back-fill, and a preview ---------------------------------------------------------------------------------------


def test_a_back_fill_teaches_what_its_search_would_have(bench: Workbench) -> None:
    bench.search(story(), "learn=only")
    assert (bench.findings(), mark(bench)) == ([], None)
    (sources,) = bench.stored()["cba_sources"]
    assert (sources["writer"], sources["first_day"], sources["last_day"]) == ("back-fill of aws", FIRST_DAY, TODAY)
    bench.search(story()[-2:], WINDOW)
    with_backfill = [(f["finding_id"], f["explanation"], f["count"]) for f in bench.findings()]
    for name in (*bench.stored(), "cba_marks"):
        bench.kv.collection(name).delete(None)
    bench.search(story())
    assert [(f["finding_id"], f["explanation"], f["count"]) for f in bench.findings()] == with_backfill != []


def test_a_preview_with_rows_writes_nothing(bench: Workbench) -> None:
    today = prepared(bench)
    before = bench.writes()
    body = encode_rows(list(today[0]), today)
    replies = bench.talk("cbajudge", ["source=aws", WINDOW], [(body, False), ("", True)], preview=True)
    assert decode_rows(replies[-1].body) == []
    assert (bench.writes(), mark(bench)) == (before, None)


# -- what stops, and what does not ------------------------------------------------------------------------------------


def test_rows_that_come_again_change_nothing(bench: Workbench) -> None:
    today = prepared(bench)
    bench.search(today, WINDOW, f"now={END}")
    before = bench.stored()
    answer = bench.search(today, WINDOW, f"now={END}")
    assert raised(answer) == [("cloud_unusual_country", "0"), ("cloud_unusual_country", "0")]
    assert bench.stored() == before


def test_a_day_out_of_order_ends_the_run(here: Workbench) -> None:
    complaint = here.complaint(
        "cbajudge", "source=aws", rows=[reduced(TODAY, "a", "NL"), reduced(TODAY - 1, "a", "NL")]
    )
    assert (
        "a row of 2026-02-09 comes after rows of 2026-02-10: a later day is judged with the earlier ones" in complaint
    )
    assert "put `| sort 0 bucket` before this command" in complaint


@pytest.mark.parametrize("action", [503, DROP_AFTER, 403])
def test_a_store_that_fails_ends_the_run_in_an_error_and_leaves_the_mark(
    here: Workbench, impatient: None, action: Any
) -> None:
    """At whichever request: the next run reads the same window again, and everything is there once."""
    today = prepared(here)
    before = {name: here.kv.collection(name).find() for name in (*here.stored(), "cba_marks")}
    start = len(here.splunkd.requests)
    here.search(today, WINDOW, f"now={END}")
    asked, stored = list(here.splunkd.requests)[start:], here.stored()
    assert asked[-1].endswith("cba_marks/batch_save"), "last of all"
    for nth in range(1, len(asked) + 1):
        for name, documents in before.items():
            here.kv.collection(name).delete(None)
            here.kv.collection(name).save_all(documents)
        fault = here.splunkd.fail("", action, nth, times=1_000_000)
        with pytest.raises(LabError, match=r"cbajudge: .* failed \("):
            here.search(today, WINDOW, f"now={END}")
        here.splunkd.faults.remove(fault)
        done = nth == len(asked) and action == DROP_AFTER
        assert (mark(here) is not None) == done, asked[nth - 1]
        here.search(today, WINDOW, f"now={END}")
        assert here.stored() == stored, f"cut off at {asked[nth - 1]}"


def faults(bench: Workbench) -> dict[str, str]:
    return {fault["_key"]: fault["message"] for fault in bench.kv.collection("cba_faults").find()}


def test_a_damaged_finding_stops_its_detection_alone_and_is_spoken_of(bench: Workbench) -> None:
    today = prepared(bench)
    bench.search([function_made(day, "python3.12") for day in range(FIRST_DAY, TODAY)], "learn=only")
    bench.search(today, WINDOW, f"now={END}")
    collection = bench.kv.collection("cba_findings")
    (ann,) = [finding for finding in bench.findings() if finding["entity"] == "ann"]
    collection.batch_save([{**ann, "atoms": "{"}])
    again = [
        reduced(TODAY, "ann", "CN", bucket=START + 40_500, indexed=START + 40_500, event_times=str(START + 40_501)),
        function_made(TODAY, "ruby3.3"),
    ]
    answer = bench.search(again, WINDOW, f"now={END + QUARTER}")
    told = faults(bench)
    assert told.keys() == {"aws:cloud_unusual_country"}
    assert f"document {ann['_key']} (a finding on ann) is damaged" in told["aws:cloud_unusual_country"]
    assert any("cloud_unusual_country stopped, the others went on" in text for text in bench.warnings())
    assert raised(answer) == [("cloud_function_unusual_runtime", "1")]
    assert "CN" in bench.histories("identity_country")["ann"], "what it read is learned all the same"
    kept = mark(bench)
    assert kept is not None and kept["updated_time"] == END + QUARTER, "one detection does not hold the source's mark"
    collection.batch_save([ann])
    bench.search(again, WINDOW, f"now={END + QUARTER}")
    assert faults(bench) == {}, "mended, and said so"


def function_made(day: int, runtime: str, second: int = 0) -> Row:
    """What cloud_function_unusual_runtime judges."""
    more = {
        "candidate_of": "cloud_function_unusual_runtime", "outcome": "success", "action": "CreateFunction",
        "function": "f", "runtime": runtime, "runtime_exact": runtime, "package_type": "Zip", "function_write": "write",
    }  # fmt: skip
    start = day * 86_400 + 36_000
    return reduced(day, "bob", "DE", event_times=str(start + second), **more)


def test_a_damaged_history_ends_the_run(here: Workbench) -> None:
    """What everybody is compared with: nothing is judged without it, and nothing is passed over in silence."""
    today = prepared(here)
    collection = here.kv.collection("cba_history")
    (document,) = collection.find({"$and": [{"profile": "identity_country"}, {"entity": "ann"}]})
    collection.batch_save([{**document, "values": "{"}])
    complaint = here.complaint("cbajudge", "source=aws", WINDOW, rows=today)
    assert f"document {document['_key']} (identity_country of ann) is damaged" in complaint
    assert (mark(here), here.findings()) == (None, [])


# -- more than one ----------------------------------------------------------------------------------------------------


def rows_of(scenario: Scenario) -> dict[str, list[Row]]:
    """The rows of a scenario as the searches of its sources give them."""
    found: dict[str, list[Row]] = {}
    for source, row in Pipeline(get(scenario.detection)).reduce(scenario.events):
        times = {"bucket": row.bucket, "indexed": row.indexed, "events": row.events, "event_times": list(row.seconds)}
        found.setdefault(source, []).append({**row.cells, **times, "source_kind": source})
    return found


def test_a_chain_from_rows_to_findings(bench: Workbench) -> None:
    for source, rows in rows_of(CHAIN).items():
        bench.search(rows, source=source)
    found = [f for f in bench.findings() if f["detection"] == CHAIN.detection]
    pipeline = Pipeline(get(CHAIN.detection))
    pipeline.search(CHAIN.events)
    names = ("variation", "key", "first_time", "count", "chain_timeline")
    assert sorted(tuple(f[name] for name in names) for f in found) == sorted(
        tuple(f[name] for name in names) for f in pipeline.found()
    )
    assert "v3" in {f["variation"] for f in found}


def test_every_detection_of_the_source_is_judged_by_one_run(here: Workbench) -> None:
    here.search(story())
    mine = {detection.id for detection in load().detections.values() if "aws" in detection.sources}
    assert len(mine) > 3
    health = [row for row in here.run("cbahealth", rows=None) if row["source"] == "aws"]
    assert {row["detection"] for row in health} == mine
    assert {row["last_day"] for row in health} == {"2026-02-10"}


def test_two_runs_at_once_lose_nothing(here: Workbench) -> None:
    """A search by hand beside the scheduled one, at every point of it but one: what another run writes between the
    reading and the replacing of a document is lost until the mark has it judged again (tests/replay/test_outages.py)."""
    past = prepared(here)
    others = iter(["FR", "ES", "PT", "IT", "CH", "AT", "PL", "SE", "FI", "NO", "DK", "IE", "BE", "LU", "CZ", "HU"])
    strike, busy, told = here.splunkd.strike, False, []

    def struck(request: str) -> Any:
        nonlocal busy
        if not busy and "cba_" in request and not request.endswith("cba_history/batch_save"):
            busy = True
            told.append(next(others))
            here.search([reduced(TODAY, "ann", told[-1])])
            busy = False
        return strike(request)

    here.splunkd.strike = struck  # type: ignore[method-assign]
    here.search([*past, reduced(TODAY, "ann", "CN")])
    here.splunkd.strike = strike  # type: ignore[method-assign]
    expected = {"NL", "RU", "CN", *told}
    assert set(here.histories("identity_country")["ann"]) == expected
    assert {f["country"] for f in here.findings() if f["entity"] == "ann"} == expected - {"NL"}


def test_a_run_by_hand_beside_a_back_fill(here: Workbench) -> None:
    """They write documents of their own."""
    here.search([reduced(FIRST_DAY, "ann", "NL")], "learn=only")
    here.search([reduced(FIRST_DAY, "ann", "DE")])
    found = here.kv.collection("cba_history").find({"profile": "identity_country"})
    assert sorted((d["writer"], list(json.loads(d["values"]))) for d in found) == [
        ("aws", ["DE"]), ("back-fill of aws", ["NL"]),
    ]  # fmt: skip
    looked = here.run("cbabaseline", CHOSEN, rows=[reduced(FIRST_DAY + 1, "ann", "NL")])
    assert looked[0]["identity_country_days"] == "1"
