"""`| cbaexport` over the chunked protocol."""

from __future__ import annotations

import json
from typing import Any

from lab.protocol import SearchInfo
from tests.support.kept import kept_finding
from tests.support.workbench import LATEST, TODAY, Workbench

DAY = 86_400
EARLY, LATE = (TODAY - 20) * DAY, TODAY * DAY - 7200


def export(bench: Workbench, *args: str, since: float = 0) -> list[dict[str, Any]]:
    info = SearchInfo("1.1", "| cbaexport", earliest_time=since, latest_time=LATEST)
    return bench.runner.run("cbaexport", list(args), None, info)


def story(bench: Workbench) -> None:
    bench.kv.collection("cba_findings").batch_save(
        [kept_finding("b2", LATE, "bob", "NL"), kept_finding("a1", EARLY, "ann", "RU", severity="high", severity_id=4)]
    )
    said = {"finding_id": "b2", "status": "closed", "verdict": "benign", "triaged_time": LATE + 9, "earlier": "[]"}
    bench.kv.collection("cba_triage").batch_save([{"_key": "b2", **said}])


def test_findings_come_as_json_lines_oldest_first(bench: Workbench) -> None:
    story(bench)
    rows = export(bench)
    told = [json.loads(row["_raw"]) for row in rows]
    assert [(each["finding_id"], each["status"]) for each in told] == [("a1", "new"), ("b2", "closed")]
    assert all("\n" not in row["_raw"] for row in rows)
    assert (rows[0]["severity"], rows[1]["status"]) == ("high", "closed")
    assert [row["finding_id"] for row in export(bench, since=LATE)] == ["b2"]


def test_or_as_ocsf(bench: Workbench) -> None:
    story(bench)
    made = json.loads(export(bench, "format=ocsf", since=LATE)[0]["_raw"])
    assert (made["class_uid"], made["finding_info"]["uid"]) == (2004, "b2")
    assert made["finding_info"]["analytic"]["name"] == "A cloud identity executed an API call from an unusual country"
    assert made["metadata"]["product"]["version"].count(".") == 2


def test_an_unknown_format_is_refused(bench: Workbench) -> None:
    assert "format=xml is not one of json, ocsf" in bench.complaint("cbaexport", "format=xml", rows=None)
