"""What a replay says at its end: how the detections stand as of the logs' end, and why nothing was found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lab import closing, eventfile
from lab.closing import Tally, sentences, table, why_nothing
from lab.ingest import read_events
from lab.replay import APP_DIR, main
from lab.searchhead import SearchHead
from lab.serve import Site

ANN = {
    "Operation": "FileAccessed",
    "Workload": "SharePoint",
    "UserId": "ann@example.com",
    "UserType": 0,
    "OrganizationId": "t",
}


def log(folder: Path, days: int, **fields: Any) -> Path:
    """One event a day, in a year that is long past."""
    times = [f"2021-03-{day + 1:02}T09:00:00" for day in range(days)]
    lines = [json.dumps({**ANN, "ClientIP": "84.80.124.7", **fields, "Id": t, "CreationTime": t}) for t in times]
    (folder / "x.jsonl").write_text("\n".join(lines))
    return folder / "x.jsonl"


def said(file: Path, capsys: pytest.CaptureFixture[str], *more: str, source: str = "m365") -> str:
    assert main(["--source", source, str(file), *more]) == 0
    text = capsys.readouterr().out
    assert all(len(line) <= 100 for line in text.splitlines())
    return " ".join(text.split())


def test_active_at_the_end_of_the_logs_also_in_the_viewer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(log(tmp_path, 20), capsys, "--state", str(tmp_path / "state"))
    assert "20 events, 2021-03-01 to 2021-03-20: 0 findings" in text
    assert "the source is active and has learned: what the 20 judged events did was not new" in text
    assert "| cbahealth at the end of the logs (2021-03-20 09:00 UTC), source m365: active all 2 detections" in text
    with SearchHead(APP_DIR, tmp_path / "state") as head:
        head.events.add(eventfile.read(tmp_path / "state"))
        site = Site(head, APP_DIR, tmp_path, "test")
        for edges in ({}, {"earliest": "0", "latest": ""}, {"earliest": "-1d", "latest": "now"}):
            found = site.search({"query": "| cbahealth", **edges})
            columns = dict(zip((field["name"] for field in found["fields"]), found["columns"]))
            states = {s for s, source in zip(columns["state"], columns["source"]) if source == "m365"}
            assert states == {"active"}
            assert site.search({"query": "search index=main | stats count", "earliest": "0"})["columns"] == [["20"]]


def test_a_source_that_is_not_active_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(log(tmp_path, 7), capsys)
    assert (
        "it only learns for 14 days, and 6 of them have passed at the end of the logs (active from 2021-03-15)" in text
    )
    assert "waiting all 2 detections: source inactive: first event 2021-03-01, active from 2021-03-15" in text


def test_nobody_and_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no event is judged; skip_reason says why: 3 × service" in said(log(tmp_path, 3, UserType=4), capsys)
    assert "has a public address, only private or reserved ones" in said(log(tmp_path, 3, ClientIP="10.1.2.3"), capsys)
    assert "no event that is judged has an address" in said(log(tmp_path, 3, ClientIP=""), capsys)


def test_events_that_the_source_does_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sysmon's process creations, say."""
    (tmp_path / "x.jsonl").write_text(json.dumps({"EventID": 1, "UtcTime": "2021-03-01 09:00:00.000", "Image": "a"}))
    text = said(tmp_path / "x.jsonl", capsys, source="endpoint")
    assert "the only event is not one that the source endpoint reads" in text and "no data" in text


def test_of_long_logs_the_newest_events_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "LOOKED_AT", 5)
    with SearchHead(APP_DIR, tmp_path / "state") as head:
        head.events.add(read_events("m365", [log(tmp_path, 20, UserType=4)]))
        found = closing.tally(head, "m365")
        assert (found.events, found.judged, found.newest_only) == (5, 0, True)
        monkeypatch.setattr(closing, "LOOKED_AT", 20)
        assert closing.tally(head, "m365") == Tally(Counter({"service": 20}))


def row(detection: str, state: str, reason: str = "", **more: object) -> dict[str, object]:
    return {"detection": detection, "source": "aws", "state": state, "reason": reason, **more}


def test_at_most_three_reasons() -> None:
    waiting = row("a", "waiting", first_day="2026-01-01", active_from="2026-01-15", days_to_activation="8")
    found = Tally(Counter({"service": 8, "anonymous": 1, "": 1}))
    reasons = why_nothing("aws", 10, found, [waiting, row("b", "active", identity_untrained="4", identity_trained="0")])
    assert reasons == [
        "the source is not active yet: it only learns for 14 days, and 6 of them have passed at the end of the logs "
        "(active from 2026-01-15)",
        "only 1 of 10 events are judged; skip_reason says why: 8 × service, 1 × anonymous",
        "no event that is judged has an address: no country or network can be new",
    ]


def test_identities_and_detections_without_habits() -> None:
    found = Tally(Counter({"": 5}), addressed=5, public=5)
    young = row("a", "active", identity_untrained="4", identity_trained="0")
    assert why_nothing("aws", 5, found, [young]) == [
        "none of the 4 identities is trained: none was seen on enough days to have habits of its own"
    ]
    assert why_nothing("aws", 5, found, [row("a", "learning", "organization untrained")]) == [
        "no detection has learned enough to compare with (below)"
    ]


def test_the_table_is_as_wide_as_a_terminal() -> None:
    rows = [row(f"detection_number_{n}", "active") for n in range(9)] + [row("x", "fault", "a word " * 40)]
    lines = table(rows, "aws", 1_767_225_600).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[1].startswith("  active        detection_number_0, ") and any(
        li.startswith("  fault ") for li in lines
    )
    assert max(map(len, sentences(["a word " * 40]).splitlines())) <= 100
