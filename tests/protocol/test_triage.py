"""What analysts say of findings is in documents of its own: no search that records findings undoes it, nor the other way."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from cba.store.findings import FindingCollection
from tests.support.kept import kept_finding
from tests.support.workbench import ROOT, TODAY, Workbench


@pytest.fixture
def finding(here: Workbench) -> dict[str, Any]:
    kept = kept_finding("0123456789abcdef01234567", TODAY * 86_400 + 36_000)
    here.kv.collection("cba_findings").batch_save([kept])
    return kept


def at_every_request(bench: Workbench, do: Callable[[int], None]) -> None:
    """Does something before each request that splunkd answers from now on; `do` gets the request's number."""
    strike, count, busy = bench.splunkd.strike, 0, False

    def struck(request: str) -> Any:
        nonlocal count, busy
        if not busy:
            count, busy = count + 1, True
            do(count)
            busy = False
        return strike(request)

    bench.splunkd.strike = struck  # type: ignore[method-assign]


def test_a_finding_written_again_while_a_verdict_is_given(here: Workbench, finding: dict[str, Any]) -> None:
    """A recording search replaces whole documents; here at every single request of the command."""
    name = finding["finding_id"]
    at_every_request(
        here, lambda nth: here.kv.collection("cba_findings").batch_save([{**finding, "count": finding["count"] + nth}])
    )
    (row,) = here.run("cbaverdict", f"finding={name}", "verdict=malicious", "comment=stolen", rows=None)
    assert (row["status"], row["verdict"], row["triaged_by"]) == ("in progress", "malicious", "admin")
    kept = here.kv.collection("cba_findings").get(name)
    assert kept is not None and kept["count"] > finding["count"], "the last count stays"
    said = here.kv.collection("cba_triage").get(name)
    assert said is not None and (said["verdict"], said["comment"]) == ("malicious", "stolen")


def test_a_verdict_given_while_findings_are_recorded(here: Workbench, finding: dict[str, Any]) -> None:
    """At every request with which a search reads findings, counts another event, and writes them."""
    name, verdicts = finding["finding_id"], ("benign", "malicious")
    given: list[str] = []

    def give(nth: int) -> None:
        given.append(f"c{nth}")
        here.run("cbaverdict", f"finding={name}", f"verdict={verdicts[nth % 2]}", f"comment={given[-1]}", rows=None)

    findings = FindingCollection(here.service())
    at_every_request(here, give)
    (known,) = findings.of_entities(["ann"], 0)
    findings.save([{**known, "count": known["count"] + 1}])
    assert len(given) >= 2
    said = here.kv.collection("cba_triage").get(name)
    kept = here.kv.collection("cba_findings").get(name)
    assert said is not None and kept is not None
    assert (said["comment"], kept["count"]) == (given[-1], finding["count"] + 1)
    assert [each["comment"] for each in json.loads(said["earlier"])] == given[:-1]


def test_a_verdict_writes_no_finding(here: Workbench, finding: dict[str, Any]) -> None:
    before = here.kv.collection("cba_findings").find(), len(here.writes())
    here.run("cbaverdict", f"finding={finding['finding_id']}", "verdict=benign", rows=None)
    here.run("cbaverdict", "verdict=clear", rows=[{"finding_id": finding["finding_id"]}])
    assert here.kv.collection("cba_findings").find() == before[0]
    written = {request.rpartition("/data/")[2].partition("/")[0] for request in here.writes()[before[1] :]}
    assert written == {"cba_verdicts", "cba_triage"}


def test_a_damaged_document_is_named(here: Workbench, finding: dict[str, Any]) -> None:
    name = finding["finding_id"]
    here.kv.collection("cba_triage").batch_save(
        [{"_key": name, "finding_id": name, "triaged_time": 1, "earlier": "[{"}]
    )
    said = here.complaint("cbaverdict", f"finding={name}", "verdict=benign", rows=None)
    assert f"cbaverdict: KV store collection cba_triage: document {name} is damaged" in said


def test_where_one_row_has_no_id_nothing_is_decided(here: Workbench, finding: dict[str, Any]) -> None:
    """However far down in a chunk it stands."""
    rows = [*[{"finding_id": finding["finding_id"]}] * 1_200, {"finding_id": None}]
    complaint = here.complaint("cbaverdict", "verdict=benign", "comment=x", rows=rows)
    assert "field finding_id of row 1201 is empty" in complaint
    assert here.kv.collection("cba_triage").find() == []


def test_nothing_but_what_decides_touches_triage() -> None:
    """Of all that ships, by what is imported; the export reads it and saves nothing."""
    users = {
        path.relative_to(ROOT / "bin").as_posix()
        for path in (ROOT / "bin").rglob("*.py")
        if any(name in ("TriageCollection", "store.triage", "cba.store.triage") for name in imported(path))
    }
    assert users == {"cba/command/deciding.py", "cbaexport.py"}
    assert "save" not in (ROOT / "bin" / "cbaexport.py").read_text("utf-8")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names
