"""The macro cba_triage: what pages show of what analysts say, as cba.findings.triage has it."""

from __future__ import annotations

import itertools
from typing import Any, Iterator, Optional

import pytest

from cba.findings.triage import SHOWN, family, shown, triage_of
from lab.events import Event
from lab.searchhead import SearchHead
from tests.views.test_views import FINDING, FIRST, ROOT, rows_of


def said(name: str, time: int, verdict: str = "benign") -> dict[str, Any]:
    return {
        "_key": name, "finding_id": name, "status": "closed" if verdict == "benign" else "in progress", "owner": f"owner of {name}",
        "verdict": verdict, "comment": f"of {name}", "triaged_time": time, "triaged_by": "ines", "earlier": "[]",
    }  # fmt: skip


SAID = [said("own", 100), said("a", 200), said("b", 300, "malicious"), said("c", 250), said("d", 300)]
FINDINGS = [
    {"finding_id": "own", "absorbed": "b"},
    {"finding_id": "n0", "absorbed": ""},
    {"finding_id": "n1"},
    {"finding_id": "n2", "absorbed": "gone"},
    *(
        {"finding_id": f"n{n}", "absorbed": " ".join(each)}
        for n, each in enumerate(itertools.permutations(["a", "gone", "b", "c"]), 3)
    ),
    {"finding_id": "tie", "absorbed": "d b"},
]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    with SearchHead(ROOT, tmp_path_factory.mktemp("state")) as found:
        found.events.add([Event(FIRST, FIRST, "main", "aws:cloudtrail", "s", "h", "{}")])
        for finding in FINDINGS:
            found.kv.collection("cba_findings").insert({**FINDING, **finding, "_key": finding["finding_id"]})
        for document in SAID:
            found.kv.collection("cba_triage").insert(document)
        yield found


def expected(finding: dict[str, Any]) -> dict[str, Optional[str]]:
    by_id = {str(document["_key"]): document for document in SAID if document["_key"] in family(finding)}
    return {field: str(value) for field, value in shown(triage_of(finding, by_id)).items()}


def test_the_macro_says_what_the_library_says(head: SearchHead) -> None:
    rows = head.search("| inputlookup cba_findings | `cba_triage`").rows
    found = {row["finding_id"]: {field: str(row.get(field) or "") for field in SHOWN} for row in rows}
    assert found == {finding["finding_id"]: expected(finding) for finding in FINDINGS}
    assert not any(field.startswith("cba_") for row in rows for field in row)
    assert [row["finding_id"] for row in rows] == [
        row["finding_id"] for row in head.search("| inputlookup cba_findings").rows
    ], "the order stays"


def test_the_pages_show_it(head: SearchHead) -> None:
    listed = {row["_finding_id"]: row["Status"] for row in rows_of(head, "findings", "list", status="all")}
    assert (listed["own"], listed["n3"], listed["n2"]) == ("closed", "in progress", "new")
    state = {row["What"]: row["Value"] for row in rows_of(head, "finding", "state", finding="n3")}
    assert (state["Status"], state["Assigned to"], state["Why"]) == ("in progress", "owner of b", "of b")
    assert state["Said"].startswith("ines, ")
    nothing = {row["What"]: row["Value"] for row in rows_of(head, "finding", "state", finding="n2")}
    assert (nothing["Said"], nothing["Verdict"], nothing["Assigned to"]) == ("nothing yet", "none yet", "nobody")


def test_no_page_reads_what_analysts_say_but_through_the_macro() -> None:
    for path in (ROOT / "package" / "pages").glob("*.py"):
        text = path.read_text("utf-8")
        assert "inputlookup cba_triage" not in text and "lookup cba_triage" not in text, path.name
    assert (ROOT / "default" / "macros.conf").read_text("utf-8").count("[cba_triage]") == 1
