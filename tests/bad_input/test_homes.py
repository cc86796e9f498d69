"""What `cbajudge` says where the homes of workloads are told or kept wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab.chunked import Row
from tests.bad_input.test_commands import INTERNALS
from tests.support.workbench import TODAY, Workbench

ROLE = "arn:aws:iam::111111111111:role/orders"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path, sys.executable) as bench:
        yield bench


def row(quarter: int, **more: Any) -> Row:
    """A call of an instance in the n-th quarter of an hour of today."""
    start = TODAY * 86_400 + quarter * 900
    plain = {
        "bucket": start, "indexed": start, "events": 1, "event_times": str(start), "source_kind": "aws",
        "candidate_of": "compute_identity_outside_region", "provider": "aws", "project": "111111111111",
        "identity": ROLE, "identity_type": "compute", "workload": "i-1", "region": "us-east-1", "outcome": "success",
        "ip_scope": "public", "cloud_provider": "aws", "cloud_region": "us-east-1",
    }  # fmt: skip
    return {**plain, **more}


def fact(quarter: int, how: str, region: str, *workloads: str) -> Row:
    """A row that is never judged and says where workloads are at home."""
    start = TODAY * 86_400 + quarter * 900
    told = {"home_of": " ".join(workloads), "home_in": region, "home_how": how}
    return {"bucket": start, "indexed": start, "events": 1, "event_times": str(start), "skip_reason": "service", **told}


def homes(bench: Workbench) -> list[dict[str, Any]]:
    return sorted(bench.kv.collection("cba_homes").find(), key=lambda document: str(document["workload"]))


@pytest.mark.parametrize("how", ["hearsay", "", "{0}"])
def test_a_fact_nobody_knows_how_to_weigh_ends_the_run(bench: Workbench, how: str) -> None:
    rows = [row(0), fact(1, how, "us-east-1", "i-1")]
    complaint = bench.complaint("cbajudge", "source=aws", rows=rows)
    assert f"field home_how is {how!r}; one of " in complaint
    assert "is needed: the source sets it" in complaint
    assert not INTERNALS.search(complaint), complaint
    assert bench.writes() == [], "a chunk is taken whole or not at all"


def test_what_is_no_region_teaches_nothing_and_is_pointed_out_once(bench: Workbench) -> None:
    inventory = [("i-1", "Frankfurt"), ("i-2", "eu-west-1")]
    bench.kv.collection("cba_instance_inventory").batch_save(
        [{"instance": instance, "region": region} for instance, region in inventory]
    )
    bench.runner.chunk_rows = 1
    rows = [
        fact(0, "RunInstances", "{nowhere}", "i-1"),
        row(1, region="EU (Frankfurt)"),
        row(2, home_hint="x" * 41),
        row(3, workload="i-2", region="us-north-2r"),
    ]
    bench.search(rows)
    passed_over = "is no region (such as eu-central-1) and was passed over"
    assert sorted(bench.warnings()) == sorted(
        [
            f"cbajudge: '{{nowhere}}' in the field home_in {passed_over}",
            f"cbajudge: 'EU (Frankfurt)' in the field region {passed_over}",
            f"cbajudge: 'Frankfurt' in the field inventory_region {passed_over}; see the list instance_inventory",
            f"cbajudge: '{'x' * 41}' in the field home_hint {passed_over}",
        ]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"facts": "{"},
        {"calls": "[]"},
        {"facts": '{"r":{"rumour":1}}'},
        {"last_day": None},
        {"kept": '{"a":2}'},
        {"kept": '{"a":"[]"}'},
        {"kept": '{"a":"[900,900,1,[901],{\\"region\\":1}]"}'},
    ],
)
def test_a_damaged_document_is_named_and_left_alone(bench: Workbench, change: dict[str, Any]) -> None:
    bench.search([row(0)])
    (document,) = [each for each in homes(bench) if each["workload"] == "i-1"]
    damaged = {k: v for k, v in {**document, **change}.items() if v is not None and k != "_user"}
    bench.kv.collection("cba_homes").batch_save([damaged])
    before = homes(bench)
    complaint = bench.complaint("cbajudge", "source=aws", rows=[row(1)])
    assert f"cbajudge: KV store collection cba_homes: document {document['_key']} (i-1) is damaged: " in complaint
    assert "Restore it from a backup, or delete it to learn anew" in complaint
    assert not INTERNALS.search(complaint), complaint
    assert homes(bench) == before
    complaint = bench.complaint("cbahealth", "detection=compute_identity_outside_region", rows=None)
    assert f"cbahealth: KV store collection cba_homes: document {document['_key']} (i-1) is damaged: " in complaint
