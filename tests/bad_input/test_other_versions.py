"""What other versions of the app have left in the KV store: what older ones kept is read; what newer ones kept in a
layout that this one would misread is refused by name, and left as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from cba.store import collection, layouts
from cba.store.breakers import BreakerCollection
from cba.store.layouts import Layout
from cba.terms import SEVERITIES
from lab.chunked import Row
from tests.bad_input.test_commands import INTERNALS
from tests.support.workbench import CHOSEN, COLLECTIONS, DETECTION, FIRST_DAY, TODAY, Workbench, reduced, story

Document = dict[str, Any]
PAST, SURPRISES = story()[:-2], story()[-2:]
LATER = [reduced(TODAY, "ann", "RU", bucket=TODAY * 86_400 + 43_200, event_times=str(TODAY * 86_400 + 43_201))]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        yield bench


def put(bench: Workbench, collection: str, documents: list[Document]) -> None:
    """In place of all that is there."""
    bench.kv.collection(collection).delete(None)
    bench.kv.collection(collection).batch_save([{k: v for k, v in d.items() if k != "_user"} for d in documents])


def former_history(document: Document) -> Document:
    """As a version without writers kept it: one document per subject, under the key that is `subject` now."""
    kept = {name: value for name, value in document.items() if name not in ("subject", "writer")}
    return {**kept, "_key": document["subject"]}


def former_finding(document: Document) -> Document:
    """As a version kept it that did not tell when events were indexed and called variations 1, 2 …"""
    atoms = {}
    for name, counted in json.loads(document["atoms"]).items():
        bucket, _indexed, plain, suspected = name.split("|")
        atoms["|".join((bucket, plain.lstrip("v"), suspected.lstrip("v")))] = counted
    kept = {name: value for name, value in document.items() if name not in ("absorbed", "part")}
    return {**kept, "variation": document["variation"].lstrip("v"), "atoms": json.dumps(atoms), "status": "new"}


def told(bench: Workbench) -> list[tuple[str, ...]]:
    fields = ("finding_id", "variation", "severity", "explanation", "count", "first_time", "last_time")
    return [tuple(str(finding[field]) for field in fields) for finding in bench.findings()]


def in_a_former_layout(bench: Workbench) -> list[Document]:
    documents = [former_history(document) for document in bench.stored()["cba_history"]]
    assert not any("subject" in document or "writer" in document for document in documents)
    put(bench, "cba_history", documents)
    return documents


def test_histories_of_a_version_without_writers_are_known(bench: Workbench) -> None:
    bench.search(PAST)
    bench.search(SURPRISES)
    expected = told(bench)
    assert [variation for _id, variation, *_ in expected] == ["v2", "v3"]
    for name in COLLECTIONS:
        bench.kv.collection(name).delete(None)
    bench.search(PAST)
    former = in_a_former_layout(bench)
    bench.search(SURPRISES)
    assert told(bench) == expected
    kept = bench.stored()["cba_history"]
    assert [d for d in former if d["_key"] not in {each["_key"] for each in kept}] == [], "they are read, and left"
    assert {document["writer"] for document in kept if "writer" in document} == {"aws"}


def test_former_and_present_histories_of_a_subject_are_one(bench: Workbench) -> None:
    bench.search(PAST)
    in_a_former_layout(bench)
    bench.search([reduced(TODAY, "ann", "NL")])
    rows = bench.run("cbahistory", "entity=ann", "profile=identity_country", rows=None)
    assert [(row["value"], row["days_retained"], row["established"]) for row in rows] == [("NL", "41", "1")]
    (evidence,) = bench.run("cbabaseline", CHOSEN, rows=[reduced(TODAY, "ann", "RU")])
    identity = json.loads(evidence["evidence"])["scopes"]["identity"]["country"]
    assert (identity["trained"], identity["known"], identity["active_days"]) == (True, ["NL"], 40)


def test_without_former_documents_nobody_looks_for_them_twice(bench: Workbench) -> None:
    bench.search(PAST)
    bench.splunkd.requests.clear()
    bench.search(SURPRISES)
    looked = [request for request in bench.splunkd.requests if request.startswith("GET") and "cba_history" in request]
    assert len(looked) == 1


def test_findings_with_plain_numerals_go_on(bench: Workbench) -> None:
    """An event that belongs to one of them is counted in it, and nothing is raised again."""
    bench.search(PAST)
    bench.search(SURPRISES)
    before = told(bench)
    former = [former_finding(document) for document in bench.stored()["cba_findings"]]
    assert [document["variation"] for document in former] in (["2", "3"], ["3", "2"])
    put(bench, "cba_findings", former)
    answer = bench.search([*SURPRISES, *LATER])
    assert {row["raised"] for row in answer} == {"0"}
    assert bench.kv.collection("cba_faults").find() == []
    ann, bob = told(bench)
    assert ann == (*before[0][:4], "2", before[0][5], str(LATER[0]["event_times"]))
    assert bob == before[1]


DAMAGE = [
    ("cba_history", "cbajudge", None),
    ("cba_sources", "cbajudge", None),
    ("cba_findings", "cbajudge", "cloud_unusual_country"),
    ("cba_breakers", "cbajudge", "cloud_unusual_country"),
    ("cba_history", "cbabaseline", None),
    ("cba_history", "cbahistory", None),
    ("cba_history", "cbahealth", None),
    ("cba_sources", "cbahealth", None),
    ("cba_breakers", "cbahealth", None),
    ("cba_findings", "cbaalerts", None),
]
RUNS: dict[str, tuple[list[str], list[Row] | None]] = {
    "cbajudge": (["source=aws"], [*SURPRISES, *LATER]),
    "cbabaseline": ([CHOSEN], SURPRISES),
    "cbahistory": (["profile=identity_country"], None),
    "cbahealth": ([CHOSEN], None),
    "cbaalerts": ([CHOSEN, "variation=v2"], None),
}


@pytest.mark.parametrize(("collection", "command", "stopped"), DAMAGE)
def test_a_layout_of_a_newer_version_is_refused_by_name(
    bench: Workbench, collection: str, command: str, stopped: str | None
) -> None:
    bench.search(PAST)
    bench.search(SURPRISES)
    newer = [{**document, "schema": 2} for document in bench.stored()[collection]]
    put(bench, collection, newer)
    before = bench.stored()[collection]
    args, rows = RUNS[command]
    if stopped is None:
        said = bench.complaint(command, *args, rows=rows)
        assert said.startswith(f"command {command}: {command}: KV store collection {collection}: document ")
    else:
        bench.run(command, *args, rows=rows)
        (fault,) = bench.kv.collection("cba_faults").find()
        assert fault["detection"] == stopped
        said = fault["message"]
    assert any(
        f"document {document['_key']} has schema 2, which this version of the app does not know" in said
        for document in newer
    )
    assert "Install that version again, or delete the document" in said
    assert not INTERNALS.search(said), said
    assert bench.stored()[collection] == before, "it is left for the newer version"


def test_what_expires_of_a_newer_version_is_not_forgotten(bench: Workbench) -> None:
    bench.search(PAST)
    bench.kv.collection("cba_history").batch_save([{"_key": "m", "schema": 2, "last_day": 1}])
    before = bench.stored()["cba_history"]
    said = bench.complaint("cbaforget", rows=None)
    assert "KV store collection cba_history: document m has schema 2" in said
    assert bench.stored()["cba_history"] == before


SECOND = Layout(lambda document: {**document, "told": "by a step"})


def test_an_older_layout_is_kept_as_the_present_one_when_it_is_written_next(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with the next version: what this one kept is read, and what that one wrote is refused by this one."""
    bench.search([reduced(FIRST_DAY, "eve", "FR", project="222222222222"), *PAST])
    monkeypatch.setattr(layouts, "LAYOUTS", dict.fromkeys(layouts.LAYOUTS, SECOND))
    monkeypatch.setattr(collection, "LAYOUTS", layouts.LAYOUTS)
    bench.search(SURPRISES)
    expected = told(bench)
    assert [variation for _id, variation, *_ in expected] == ["v2", "v3"]
    kept = bench.stored()
    assert all(document["schema"] == 2 for document in kept["cba_findings"])
    assert {document.get("schema") for document in kept["cba_history"]} == {None, 2}, "what was not written stays"
    monkeypatch.undo()
    said = bench.complaint("cbajudge", "source=aws", rows=LATER)
    assert "has schema 2, which this version of the app does not know (it knows schema 1)" in said
    assert bench.stored() == kept


def test_openings_without_a_rank_silence_everything(bench: Workbench) -> None:
    bench.search(PAST)
    key = f"counted:{DETECTION}:aws"
    opened = json.dumps([[TODAY * 86_400 + 1, "k"]])
    put(bench, "cba_breakers", [{"_key": key, "detection": DETECTION, "source": "aws", "openings": opened}])
    (opening,) = BreakerCollection(bench.service(), DETECTION, "aws").load().openings
    assert opening.rank == len(SEVERITIES)
