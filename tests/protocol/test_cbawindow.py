"""`| cbawindow`: which events a run of a source's search is to read, and that all its parts are told the same."""

from __future__ import annotations

from typing import Any, Mapping

import pytest

from cba.judging.window import FIRST_SECONDS, LAG_SECONDS, PLAN_SECONDS, PORTION_SECONDS, WRONG_CLOCK_SECONDS
from lab.errors import LabError
from lab.protocol import SearchInfo
from tests.support.workbench import LATEST, Workbench

QUARTER = 900
NOW = LATEST + 10 * 3600 + LAG_SECONDS
"""A minute after ten o'clock: the quarter of an hour before ten is over and searchable."""
TEN = LATEST + 10 * 3600


def asked(bench: Workbench, now: float = NOW, source: str = "aws", **more: Any) -> Mapping[str, Any]:
    (row,) = bench.runner.run("cbawindow", [f"source={source}"], None, SearchInfo("1.1", "", latest_time=now, **more))
    return row


def marked(bench: Workbench, until: int, source: str = "aws") -> None:
    document = {"_key": source, "source": source, "judged_from": until - QUARTER, "judged_until": until}
    bench.kv.collection("cba_marks").batch_save([document])


def options(start: int, end: int, made: int = NOW) -> str:
    return f"window={start}-{end} now={made}"


def test_the_first_run_reads_the_last_day(bench: Workbench) -> None:
    row = asked(bench)
    start = TEN - FIRST_SECONDS
    assert row["options"] == options(start, TEN)
    assert row["search"] == (
        f"earliest={start - WRONG_CLOCK_SECONDS} latest={TEN + WRONG_CLOCK_SECONDS} "
        f"_index_earliest={start} _index_latest={TEN}"
    )
    assert (row["source"], row["start"], row["end"]) == ("aws", "2026-02-10T10:00:00Z", "2026-02-11T10:00:00Z")


def test_a_run_reads_from_the_mark_to_the_last_quarter_that_is_over(bench: Workbench) -> None:
    marked(bench, TEN - QUARTER)
    assert asked(bench)["options"] == options(TEN - QUARTER, TEN)


@pytest.mark.parametrize("seconds", [0, 1, LAG_SECONDS - 1])
def test_what_was_indexed_a_moment_ago_is_left_to_the_next_run(here: Workbench, seconds: int) -> None:
    """It may not be searchable on every indexer yet."""
    marked(here, TEN - 2 * QUARTER)
    now = TEN + seconds
    assert asked(here, now)["options"] == options(TEN - 2 * QUARTER, TEN - QUARTER, now)


def test_what_was_judged_to_the_end_leaves_an_empty_window(here: Workbench) -> None:
    """Which no event is in: the run judges nothing, and moves nothing."""
    marked(here, TEN)
    row = asked(here, NOW + 60)
    assert row["options"] == options(TEN, TEN, NOW + 60)
    assert row["search"].endswith(f"_index_earliest={TEN} _index_latest={TEN}")


def test_a_mark_of_the_future_is_waited_for(here: Workbench) -> None:
    """The clock of the search head was set back: nothing is judged twice."""
    marked(here, TEN + 4 * QUARTER)
    assert asked(here)["options"] == options(TEN + 4 * QUARTER, TEN + 4 * QUARTER)


def test_an_outage_is_caught_up_with_in_portions(here: Workbench) -> None:
    """Each run reads a day of index time at most, and the next one goes on where it ended."""
    until = TEN - 3 * PORTION_SECONDS - 5 * QUARTER
    windows = []
    for run in range(5):
        marked(here, until)
        now = NOW + run * QUARTER
        row = asked(here, now)
        (window,) = [part.partition("=")[2] for part in row["options"].split() if part.startswith("window=")]
        start, end = map(int, window.split("-"))
        windows.append(end - start)
        assert start == until
        until = end
    assert windows == [PORTION_SECONDS] * 3 + [8 * QUARTER, QUARTER]


def test_all_parts_of_a_run_are_told_the_same(here: Workbench) -> None:
    """The subsearches of a run ask one after the other; a quarter of an hour may begin in between."""
    marked(here, TEN - QUARTER)
    first = asked(here, NOW)
    assert [asked(here, NOW + seconds) for seconds in (1, PLAN_SECONDS)] == [first, first]
    assert asked(here, NOW + PLAN_SECONDS + 301)["options"] == options(
        TEN - QUARTER, TEN + QUARTER, NOW + PLAN_SECONDS + 301
    )


def test_a_plan_ends_with_the_mark_that_its_run_has_moved(here: Workbench) -> None:
    marked(here, TEN - QUARTER)
    asked(here, NOW)
    marked(here, TEN)
    assert asked(here, NOW + 30)["options"] == options(TEN, TEN, NOW + 30)


def test_a_plan_of_the_future_is_none(here: Workbench) -> None:
    """The clock was set back since it was made."""
    marked(here, TEN - 9 * QUARTER)
    asked(here, NOW)
    earlier = NOW - 4 * QUARTER
    assert asked(here, earlier)["options"] == options(TEN - 9 * QUARTER, TEN - 4 * QUARTER, earlier)


@pytest.mark.parametrize("change", [{"window": "x"}, {"window": "1800-900"}, {"window": None}, {"made": None}])
def test_a_damaged_plan_is_made_anew(here: Workbench, change: dict[str, Any]) -> None:
    marked(here, TEN - QUARTER)
    plan = {"_key": "aws:plan", "source": "aws", "window": f"{TEN - QUARTER}-{TEN}", "made": NOW, **change}
    here.kv.collection("cba_marks").batch_save([{name: value for name, value in plan.items() if value is not None}])
    assert asked(here, NOW + 7)["options"] == options(TEN - QUARTER, TEN, NOW + 7)


def test_sources_have_windows_of_their_own(here: Workbench) -> None:
    marked(here, TEN - QUARTER)
    marked(here, TEN - 3 * QUARTER, "gws")
    assert asked(here)["options"] == options(TEN - QUARTER, TEN)
    assert asked(here, source="gws")["options"] == options(TEN - 3 * QUARTER, TEN)


def test_a_preview_keeps_no_plan(here: Workbench) -> None:
    here.talk("cbawindow", ["source=aws"], [("", False)], preview=True)
    assert here.writes() == []


def test_what_is_no_source_is_said(bench: Workbench) -> None:
    assert "cbawindow: source=s3{} is not one of aws, azure, gcp" in bench.complaint(
        "cbawindow", "source=s3{}", rows=None
    )


def test_a_damaged_mark_is_named_and_nothing_is_planned(here: Workbench) -> None:
    here.kv.collection("cba_marks").batch_save([{"_key": "aws", "source": "aws", "judged_from": TEN}])
    with pytest.raises(LabError, match="KV store collection cba_marks: document aws is damaged"):
        asked(here)
    assert len(here.kv.collection("cba_marks").find()) == 1
