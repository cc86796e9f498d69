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
from tests.support.workbench import CHOSEN, DETECTION, FIRST_DAY, LATEST, TODAY, Workbench, reduced, story

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
    ("cbabaseline", [CHOSEN, "learn=true"], "Unrecognized option: learn=true"),
    ("cbabaseline", [], 'A value for "detection" is required'),
    ("cbascore", [], 'A value for "detection" is required'),
    ("cbajudge", [], 'A value for "source" is required'),
    ("cbajudge", ["source=aws", "learn=maybe"], "cbajudge: learn=maybe is not one of true, only"),
    ("cbajudge", ["source={cloud}"], "cbajudge: source={cloud} is not one of aws, "),
    ("cbajudge", ["source=aws", "window=1-2"], "cbajudge: window=1-2 is not two quarters of an hour"),
    ("cbajudge", ["source=aws", "now=then"], "cbajudge: now=then is not a time in epoch seconds"),
    ("cbascore", [CHOSEN, "precedence={loud}"], "precedence={loud} is not one of severity, listed"),
    ("cbascore", [CHOSEN, "colour={red} {0} {"], "Unrecognized option: colour={red} {0} {"),
    ("cbageo", ["ip=two words"], "Illegal value: ip=two words"),
    ("cbahistory", [], "cbahistory: give entity=<name>, profile=<name> or both, or finding=<id>"),
    ("cbahistory", ["{who}=ann"], "Unrecognized option: {who}=ann"),
]


@pytest.mark.parametrize(("command", "args", "words"), OPTIONS)
def test_options(bench: Workbench, command: str, args: list[str], words: str) -> None:
    complaint = bench.complaint(command, *args, rows=None if command == "cbahistory" else [GOOD])
    assert words in complaint
    assert not INTERNALS.search(complaint), complaint


def without(*names: str) -> Row:
    return {name: value for name, value in GOOD.items() if name not in names}


WINDOW = f"window={FIRST_DAY * 86_400}-{LATEST}"
NO_QUARTER = "a quarter of an hour in epoch seconds is needed"
ROWS: list[tuple[str, Row, str]] = [
    ("cbajudge", {**GOOD, "bucket": "today"}, "field bucket of row 2 is 'today'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": "nan"}, "field bucket of row 2 is 'nan'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": "1e400"}, "field bucket of row 2 is '1e400'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": "{"}, "field bucket of row 2 is '{'; a whole number is needed"),
    ("cbajudge", {**GOOD, "bucket": 1_767_225_601}, f"field bucket of row 2 is '1767225601'; {NO_QUARTER}"),
    ("cbajudge", {**GOOD, "indexed": "-900"}, f"field indexed of row 2 is '-900'; {NO_QUARTER}"),
    ("cbajudge", without("bucket"), "field bucket of row 2 is ''"),
    ("cbajudge", without("indexed"), "field indexed of row 2 is ''"),
    ("cbajudge", {**GOOD, "events": "many"}, "field events of row 2 is 'many'; a whole number is needed"),
    ("cbajudge", {**GOOD, "event_times": ["1", "x"]}, "field event_times of row 2 is 'x'; a whole number is needed"),
    ("cbajudge", {**GOOD, "event_times": "1"}, "field event_times of row 2 has times outside its bucket"),
    ("cbajudge", without("event_times"), "field event_times of row 2 is empty; the reduction gives values(event_time)"),
    ("cbabaseline", {**GOOD, "bucket": "today"}, "field bucket of row 2 is 'today'; a whole number is needed"),
    ("cbabaseline", without("source_kind"), "field source_kind of row 2 is '', not one of aws, "),
    ("cbascore", {**GOOD, "evidence": "not {json}"}, "field evidence is 'not {json}': not evidence of cbabaseline"),
    ("cbascore", {**GOOD, "evidence": "[1]"}, "field evidence is '[1]': not evidence of cbabaseline"),
    ("cbascore", {**GOOD, "evidence": '{"day": 1}'}, "run cbabaseline before cbascore"),
]  # fmt: skip


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
    here.search([without("identity", "country")])
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
]


@pytest.mark.parametrize(("collection", "change"), DAMAGES)
def test_damaged_documents(here: Workbench, collection: str, change: dict[str, Any]) -> None:
    here.search(story())
    key = damage(here, collection, change)
    before = here.stored()
    complaint = here.complaint(
        "cbajudge", "source=aws", WINDOW, rows=[reduced(TODAY, name, "RU") for name in ("ann", "bob")]
    )
    assert f"KV store collection {collection}: document {key}" in complaint
    assert "is damaged: " in complaint
    assert "Restore it from a backup, or delete it" in complaint
    assert not INTERNALS.search(complaint), complaint
    assert here.stored() == before, "what is damaged is left for a person to look at"


DAMAGED_FINDINGS: list[dict[str, Any]] = [
    {"atoms": "{"},
    {"atoms": '{"1|99|": [1, 2, 3]}'},
    {"atoms": None},
    {"severity": "dire"},
]


@pytest.mark.parametrize("change", DAMAGED_FINDINGS)
def test_a_damaged_finding_stops_its_detection_and_no_other(here: Workbench, change: dict[str, Any]) -> None:
    here.search(story())
    key = damage(here, "cba_findings", change)
    before = here.stored()
    here.search([reduced(TODAY, name, "RU", src_ip="another") for name in ("ann", "bob")])
    assert here.stored()["cba_findings"] == before["cba_findings"], "what is damaged is left for a person to look at"
    (fault,) = here.stored()["cba_faults"]
    assert (fault["source"], fault["detection"]) == ("aws", DETECTION)
    assert f"KV store collection cba_findings: document {key}" in fault["message"]
    assert "Restore it from a backup, or delete it" in fault["message"]
    (told,) = [text for text in here.warnings() if "is damaged: " in text]
    assert told.startswith(f"cbajudge: {DETECTION} stopped, the others went on: ")
    assert not INTERNALS.search(told), told


def test_a_damaged_mark_is_named(here: Workbench) -> None:
    """It is read when all has been judged: judged again, the same rows change nothing."""
    here.search(story(), WINDOW)
    damage(here, "cba_marks", {"judged_until": None})
    complaint = here.complaint("cbajudge", "source=aws", WINDOW, rows=story())
    assert "KV store collection cba_marks: document aws is damaged: " in complaint
    assert "Delete it: the source is then judged from now on" in complaint
    assert not INTERNALS.search(complaint), complaint


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
