"""`| cbahome` with rows, options, lookups and documents that are wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab.chunked import Row
from tests.bad_input.test_commands import INTERNALS
from tests.protocol.test_cbahome import LEARN, fact, homes, row
from tests.support.workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path, sys.executable) as bench:
        yield bench


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["learn=only"], "cbahome: learn=only is not one of true, false"),
        (["overlap=soon"], "Illegal value: overlap=soon"),
        (["overlap=-1"], "Illegal value: overlap=-1"),
        (["detection={x}"], "Unrecognized option: detection={x}"),
    ],
)
def test_options(bench: Workbench, args: list[str], words: str) -> None:
    complaint = bench.complaint("cbahome", *args, rows=[row(0)])
    assert words in complaint
    assert not INTERNALS.search(complaint), complaint


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(1, bucket="noon"), "field bucket of row 2 is 'noon'; a whole number is needed"),
        (row(1, bucket=""), "field bucket of row 2 is ''; a whole number is needed"),
        (row(1, bucket=1_700_000_001), "field bucket of row 2 is '1700000001'; floor(_time/900)*900 is needed"),
        (row(1, bucket="9e99"), "floor(_time/900)*900 is needed"),
        (row(-1), "row 2 of this batch is of 2026-02-09T23:45:00Z and comes after rows it should precede"),
        (
            fact(0, "RunInstances", "us-east-1", "i-1"),
            "comes after rows it should precede: homes are learned in order of",
        ),
        (
            fact(1, "hearsay", "us-east-1", "i-1"),
            "field home_how of row 2 is 'hearsay'; one of named in an earlier event,",
        ),
        (fact(1, "-", "us-east-1", "i-1"), "is needed: the macro cba_compute sets it"),
    ],
)
def test_rows(bench: Workbench, bad: Row, words: str) -> None:
    complaint = bench.complaint("cbahome", *LEARN, rows=[row(0), bad])
    assert "cbahome: " in complaint
    assert words in complaint
    assert not INTERNALS.search(complaint), complaint
    assert bench.writes() == [], "a chunk is taken whole or not at all"


def test_what_is_no_region_teaches_nothing_and_is_pointed_out_once(bench: Workbench) -> None:
    bench.runner.chunk_rows = 1
    answers = bench.run(
        "cbahome",
        *LEARN,
        rows=[
            fact(0, "RunInstances", "{nowhere}", "i-1"),
            row(1, region="EU (Frankfurt)", inventory_region="Frankfurt"),
            row(2, home_hint="x" * 41, inventory_region="Paris"),
            row(3, workload="i-2", region="us-north-2r", inventory_region="eu-west-1"),
        ],
    )
    assert [(a.get("home_state", ""), a.get("outside", "")) for a in answers] == [
        ("", ""), ("unknown", ""), ("unknown", ""), ("known", "went to us-north-2r and came from outside eu-west-1"),
    ]  # fmt: skip
    passed_over = "is no region (such as eu-central-1) and was passed over"
    assert sorted(bench.warnings()) == sorted(
        [
            f"cbahome: '{{nowhere}}' in the field home_in {passed_over}",
            f"cbahome: 'EU (Frankfurt)' in the field region {passed_over}",
            f"cbahome: 'Frankfurt' in the field inventory_region {passed_over}; see the lookup instance_inventory",
            f"cbahome: '{'x' * 41}' in the field home_hint {passed_over}",
        ]
    )


@pytest.mark.parametrize(
    "change", [{"facts": "{"}, {"calls": "[]"}, {"facts": '{"r":{"rumour":1}}'}, {"last_day": None}]
)
def test_a_damaged_document_is_named_and_left_alone(bench: Workbench, change: dict[str, Any]) -> None:
    bench.run("cbahome", *LEARN, rows=[row(0)])
    (document,) = homes(bench)
    damaged = {k: v for k, v in {**document, **change}.items() if v is not None and k != "_user"}
    bench.kv.collection("cba_homes").batch_save([damaged])
    before = homes(bench)
    complaint = bench.complaint("cbahome", *LEARN, rows=[row(1)])
    assert f"cbahome: KV store collection cba_homes: document {document['_key']} (i-1) is damaged: " in complaint
    assert "Restore it from a backup, or delete it to learn anew" in complaint
    assert not INTERNALS.search(complaint), complaint
    assert homes(bench) == before
    complaint = bench.complaint("cbahealth", "detection=compute_identity_outside_region", rows=None)
    assert f"cbahealth: KV store collection cba_homes: document {document['_key']} (i-1) is damaged: " in complaint
