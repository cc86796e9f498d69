"""`process_rare_cloud_resource` through the KV store: what ten thousand hosts of a resource cost."""

from __future__ import annotations

import json
from pathlib import Path

from lab.chunked import Row
from tests.support.workbench import FIRST_DAY, Workbench

DETECTION = "detection=process_rare_cloud_resource"
POPULAR, RARE = "updates.s3.amazonaws.com", "mine.s3.amazonaws.com"
HOSTS = 10_000


def reduced(day: int, host: str, resource: str, process: str = "agent.exe") -> Row:
    start = day * 86_400 + 36_000
    return {
        "bucket": start, "indexed": start, "events": 1, "event_times": str(start), "source_kind": "endpoint",
        "candidate_of": "process_rare_cloud_resource", "host": host, "resource": resource, "process": process,
        "resource_scope": "tenant", "outcome": "success", "tool": f"{process} to s3.amazonaws.com",
    }  # fmt: skip


def sizes(bench: Workbench) -> dict[str, int]:
    """Bytes of the documents of all resources."""
    found = bench.kv.collection("cba_history").find({"profile": "resource_host"})
    return {document["entity"]: len(json.dumps(document, ensure_ascii=False).encode()) for document in found}


def test_a_popular_resource_costs_no_more_than_a_rare_one(tmp_path: Path) -> None:
    fleet = [f"workstation-{number:05}" for number in range(HOSTS)]
    with Workbench(tmp_path) as bench:
        rows = [reduced(FIRST_DAY, host, POPULAR) for host in fleet] + [reduced(FIRST_DAY, fleet[0], RARE)]
        bench.search(rows, source="endpoint")
        later = [reduced(FIRST_DAY + day, host, name) for day in range(1, 20) for host, name in
                 [*((host, POPULAR) for host in fleet[day :: HOSTS // 5]), (fleet[0], RARE)]]  # fmt: skip
        bench.search(later, source="endpoint")
        documents = sizes(bench)
        assert documents.keys() == {POPULAR, RARE}
        assert documents[POPULAR] <= documents[RARE] < 250
        assert bench.histories("resource_host") == {POPULAR: ["*"], RARE: [fleet[0]]}

        newcomer = [reduced(FIRST_DAY + 20, fleet[7], name, "loader.exe") for name in (POPULAR, RARE)]
        popular, rare = bench.run("cbabaseline", DETECTION, rows=newcomer)
        assert popular["resource_host_new"] == "0"
        assert rare["resource_host_new"] == "1"


def test_a_days_hosts_are_the_same_in_one_run_and_in_many(tmp_path: Path) -> None:
    """One history read, changed and written back by every run."""
    rows = [reduced(FIRST_DAY + number % 2, f"ws{number}", POPULAR) for number in range(5)]
    rows.sort(key=lambda row: int(str(row["bucket"])))
    with Workbench(tmp_path) as bench:
        bench.search(rows, "learn=only", source="endpoint")
        at_once = bench.stored()["cba_history"]
    with Workbench(tmp_path) as bench:
        for row in [*reversed(rows), *rows]:
            bench.search([row], "learn=only", source="endpoint")
        assert bench.stored()["cba_history"] == at_once
        assert bench.histories("resource_host") == {POPULAR: ["*", "ws1", "ws3"]}
