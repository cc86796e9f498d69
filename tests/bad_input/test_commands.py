"""What a person at the search bar gets to read when something is wrong: which thing, where, and what is wanted.

Each case runs the command as splunkd does. A message is the command's own sentence: no traceback, on stderr neither.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from cba.detection.catalogue import load
from cba.enrich.geo import SHIPPED_DATABASE
from lab.chunked import Row
from tests.support.workbench import CHOSEN, FIRST_DAY, TODAY, Workbench, reduced, story

INTERNALS = re.compile(r'Traceback|stderr|at "[^"]*\.py"|KeyError\b(?!\()|line \d+ :')
KNOWN = ", ".join(load().detections)
GOOD = reduced(FIRST_DAY, "ann", "NL")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path, sys.executable) as bench:
        yield bench


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        yield bench


OPTIONS: list[tuple[str, list[str], str]] = [
    ("cbabaseline", ["detection=cloud_unusal"], f"there is no 'cloud_unusal'; the detections are {KNOWN}"),
    ("cbascore", ["detection={x}"], f"cbascore: detection: there is no '{{x}}'; the detections are {KNOWN}"),
    ("cbabaseline", [], 'A value for "detection" is required'),
    ("cbascore", [], 'A value for "detection" is required'),
    ("cbajudge", [], 'A value for "source" is required'),
    (
        "cbajudge",
        ["source={aws}"],
        "cbajudge: source={aws} is not one of aws, azure, gcp, kubernetes, m365, gws, endpoint",
    ),
    ("cbajudge", ["source=aws", "learn=maybe"], "cbajudge: learn=maybe is not one of true, only"),
    (
        "cbajudge",
        ["source=aws", "window={0}"],
        "cbajudge: window={0} is not two quarters of an hour, as cbawindow gives",
    ),
    ("cbabaseline", [CHOSEN, "learn=true"], "Unrecognized option: learn=true"),
    ("cbascore", [CHOSEN, "precedence={loud}"], "precedence={loud} is not one of severity, listed"),
    ("cbascore", [CHOSEN, "colour={red} {0} {"], "Unrecognized option: colour={red} {0} {"),
    ("cbageo", ["ip=two words"], "Illegal value: ip=two words"),
    ("cbahistory", [], "cbahistory: give entity=<name>, profile=<name> or both, finding=<id>, or peers=<id>"),
    ("cbahistory", ["peers=x", "everybody=all"], "everybody=all is not one of true, false"),
    ("cbahistory", ["{who}=ann"], "Unrecognized option: {who}=ann"),
    ("cbawindow", ["source=s3"], "cbawindow: source=s3 is not one of aws, azure"),
    ("cbawindow", [], 'A value for "source" is required'),
]
GENERATING = ("cbahistory", "cbawindow")


@pytest.mark.parametrize(("command", "args", "words"), OPTIONS)
def test_options(bench: Workbench, command: str, args: list[str], words: str) -> None:
    complaint = bench.complaint(command, *args, rows=None if command in GENERATING else [GOOD])
    assert words in complaint
    assert not INTERNALS.search(complaint), complaint


def without(*names: str) -> Row:
    return {name: value for name, value in GOOD.items() if name not in names}


EARLIER = reduced(FIRST_DAY - 1, "ann", "NL")
ROWS: list[tuple[str, Row, str]] = [
    ("cbajudge", {**GOOD, "bucket": "today"}, "field bucket of row 2 is 'today'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": "nan"}, "field bucket of row 2 is 'nan'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": "1e400"}, "field bucket of row 2 is '1e400'; a whole number is needed"),
    (
        "cbajudge",
        {**GOOD, "bucket": "9e99"},
        "field bucket of row 2 is '9e99'; a quarter of an hour in epoch seconds is",
    ),
    ("cbajudge", {**GOOD, "bucket": FIRST_DAY * 86_400 + 1}, "a quarter of an hour in epoch seconds is needed"),
    ("cbajudge", {**GOOD, "bucket": -900}, "a quarter of an hour in epoch seconds is needed"),
    ("cbajudge", {**GOOD, "indexed": "{"}, "field indexed of row 2 is '{'; a whole number is needed"),
    ("cbajudge", {**GOOD, "events": "many"}, "field events of row 2 is 'many'; a whole number is needed"),
    ("cbajudge", {**GOOD, "event_times": ["1", "x"]}, "field event_times of row 2 is 'x'; a whole number is needed"),
    ("cbajudge", {**GOOD, "event_times": "1"}, "field event_times of row 2 has times outside its bucket"),
    ("cbajudge", without("event_times"), "field event_times of row 2 is empty; the reduction gives values(event_time)"),
    ("cbajudge", without("bucket"), "field bucket of row 2 is ''"),
    ("cbajudge", without("indexed"), "field indexed of row 2 is ''"),
    ("cbajudge", EARLIER, "a row of 2025-12-31 comes after rows of 2026-01-01: a later day is judged with the earlier"),
    ("cbabaseline", {**GOOD, "bucket": "today"}, "field bucket of row 2 is 'today'; a whole number is needed"),
    ("cbabaseline", without("source_kind"), "field source_kind of row 2 is '', not one of aws, azure, gcp"),
    ("cbascore", {**GOOD, "evidence": "not {json}"}, "field evidence is 'not {json}': not evidence of cbabaseline"),
    ("cbascore", {**GOOD, "evidence": "[1]"}, "field evidence is '[1]': not evidence of cbabaseline"),
    ("cbascore", {**GOOD, "evidence": '{"day": 1}'}, "run cbabaseline before cbascore"),
]


@pytest.mark.parametrize(("command", "row", "words"), ROWS)
def test_rows(bench: Workbench, command: str, row: Row, words: str) -> None:
    args = ["source=aws"] if command == "cbajudge" else [CHOSEN]
    complaint = bench.complaint(command, *args, rows=[GOOD, row])
    assert f"{command}: " in complaint
    assert words in complaint
    assert not INTERNALS.search(complaint), complaint
    assert bench.writes() == [], "a chunk is taken whole or not at all"


@pytest.mark.parametrize(
    ("command", "args", "absent"),
    [("cbageo", ["ip=adress"], "adress"), ("cbascore", [CHOSEN], "evidence")],
)
def test_a_field_that_no_row_has_is_pointed_out_once(
    bench: Workbench, command: str, args: list[str], absent: str
) -> None:
    """splunkd sends a field it lacks as an empty column, which may also be a quiet quarter of an hour: a warning."""
    rows = [{name: value for name, value in row.items() if name != absent} for row in story()]
    bench.runner.chunk_rows = 20
    assert len(bench.run(command, *args, rows=rows)) == len(rows)
    assert bench.warnings() == [f"{command}: no row has a value in {absent}; is the field missing?"]


def test_fields_that_some_rows_have_need_no_word(here: Workbench) -> None:
    here.runner.chunk_rows = 1
    here.run("cbageo", rows=[without("src_ip"), GOOD, without("src_ip")])
    here.run("cbageo", rows=[])
    here.run("cbajudge", "source=aws", rows=[without("identity", "country", "project")])
    assert here.warnings() == []


def damage(bench: Workbench, collection: str, change: dict[str, Any]) -> str:
    """Overwrites a part of one document, as somebody with the REST API might; its key."""
    document = {**bench.stored()[collection][0], **change}
    kept = {name: value for name, value in document.items() if value is not None and name != "_user"}
    bench.kv.collection(collection).batch_save([kept])
    return str(kept["_key"])


DAMAGES: list[tuple[str, dict[str, Any]]] = [
    ("cba_history", {"values": "{"}),
    ("cba_history", {"values": '{"NL": "20454"}'}),
    ("cba_history", {"values": '{"NL": "20454,20450,1"}'}),
    ("cba_history", {"values": "[]"}),
    ("cba_history", {"values": None}),
    ("cba_sources", {"days": None}),
    ("cba_sources", {"days": "20454"}),
]


@pytest.mark.parametrize(("collection", "change"), DAMAGES)
def test_damaged_documents_that_all_detections_read(here: Workbench, collection: str, change: dict[str, Any]) -> None:
    here.search(story())
    key = damage(here, collection, change)
    before = here.stored()
    complaint = here.complaint("cbajudge", "source=aws", rows=story()[-2:])
    assert f"KV store collection {collection}: document {key}" in complaint
    assert "is damaged: " in complaint
    assert "Restore it from a backup, or delete it" in complaint
    assert not INTERNALS.search(complaint), complaint
    assert here.stored() == before, "what is damaged is left for a person to look at"


@pytest.mark.parametrize(
    ("collection", "change"),
    [
        ("cba_findings", {"atoms": "{"}),
        ("cba_findings", {"atoms": '{"1|99|": [1, 2, 3]}'}),
        ("cba_findings", {"atoms": None}),
        ("cba_findings", {"severity": "dire"}),
        ("cba_breakers", {"matches": "{"}),
        ("cba_breakers", {"openings": '[["soon"]]'}),
    ],
)
def test_damaged_documents_of_one_detection(here: Workbench, collection: str, change: dict[str, Any]) -> None:
    here.search(story())
    damage(here, collection, change)
    before = here.stored()
    here.search([reduced(TODAY, name, "CN") for name in ("ann", "bob")])
    (fault,) = here.kv.collection("cba_faults").find()
    assert f"KV store collection {collection}: " in fault["message"]
    assert "is damaged: " in fault["message"]
    assert not INTERNALS.search(fault["message"]), fault["message"]
    assert here.stored()[collection] == before[collection], "what is damaged is left for a person to look at"
    assert any(fault["message"] in text for text in here.warnings())


def test_a_damaged_history_is_named_by_cbahistory(here: Workbench) -> None:
    here.search(story())
    key = damage(here, "cba_history", {"values": "{"})
    [document] = [d for d in here.stored()["cba_history"] if d["_key"] == key]
    complaint = here.complaint("cbahistory", f"entity={document['entity']}", rows=None)
    assert f"cbahistory: KV store collection cba_history: document {key} ({document['profile']} of" in complaint


def test_ip_databases(bench: Workbench, tmp_path: Path) -> None:
    shipped = SHIPPED_DATABASE.read_bytes()
    cases = {
        "text.mmdb": (b"not a database", "this is no MaxMind DB file, or it is cut short"),
        "short.mmdb": (shipped[: len(shipped) // 2], "this is no MaxMind DB file, or it is cut short"),
        "gap.mmdb": (shipped[-100_000:], "the IP database is cut short"),
    }
    (tmp_path / "share").mkdir()
    for name, (content, words) in cases.items():
        path = tmp_path / "share" / name
        path.write_bytes(content)
        complaint = bench.complaint("cbageo", f"database={path}", rows=[{"src_ip": "9.9.9.9"}])
        assert f"cbageo: {path}: {words}. Set another IP database, or none to use the app's own" in complaint
        assert not INTERNALS.search(complaint), complaint


ODD_ADDRESSES = [
    "",
    "-",
    "no address",
    "999.1.1.1",
    "10.0.0.1:x",
    "{}",
    "::1",
    "fe80::1%eth0",
    "1.2.3.4, 5.6.7.8",
    "日本",
]


def test_no_address_is_an_error(here: Workbench) -> None:
    answer = here.run("cbageo", rows=[{"src_ip": text, "n": n} for n, text in enumerate(ODD_ADDRESSES)])
    assert [row["n"] for row in answer] == list(range(len(ODD_ADDRESSES)))
    assert not any(row.get("country") for row in answer[:8])
