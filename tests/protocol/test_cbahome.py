"""`| cbahome` in conversation with splunkd, under every Python that Splunk runs it with, and with a store that fails."""

from __future__ import annotations

from typing import Any

import pytest

from cba.home.finder import ANSWER_FIELDS
from cba.store import splunkd as store
from lab.chunked import Row, decode_rows, encode_rows
from lab.errors import LabError
from lab.splunkd import DROP_AFTER
from tests.support.workbench import TODAY, Workbench

LEARN = ("learn=true", "overlap=7200")
ROLE = "arn:aws:iam::111111111111:role/orders"
NASTY = 'i-"$a$;{0}日'


def row(quarter: int, **more: Any) -> Row:
    """A row of the n-th quarter of an hour of today as the detection's search has it before `cbahome`."""
    plain = {
        "bucket": TODAY * 86_400 + quarter * 900, "skip_reason": "-", "identity": ROLE, "identity_type": "compute",
        "workload": "i-1", "region": "us-east-1", "ip_scope": "public", "cloud_provider": "aws",
        "cloud_region": "us-east-1", "home_hint": "-", "home_of": "-", "home_in": "-", "home_how": "-",
    }  # fmt: skip
    return {**plain, **more}


def fact(quarter: int, how: str, region: str, *workloads: str) -> Row:
    told = {"home_of": " ".join(workloads), "home_in": region, "home_how": how}
    return row(quarter, skip_reason="service", identity="-", identity_type="-", workload="-", region="-", **told)


def rows() -> list[Row]:
    return [
        *(row(quarter - 96, workload="i-0") for quarter in range(20)),
        fact(-48, "RunInstances", "us-east-1", "i-1", "i-2", NASTY),
        row(0, workload="i-0", region="eu-west-1"),
        fact(1, "CreateFunction", "us-east-1", ROLE, f"{ROLE}/orders"),
        row(1, home_hint="us-east-1", cloud_region=""),
        row(1, workload="i-3"),
        row(2, workload=NASTY, ip_scope="private", cloud_provider=""),
        row(2, workload="i-4", inventory_region="eu-west-1"),
        row(2, identity_type="role", workload=f"{ROLE}/orders", region="eu-west-1"),
        row(2, identity_type="role", workload=f"{ROLE}/other"),
    ]


ANSWERS = [
    ("us-east-1", "its own calls", "went to eu-west-1", "known", "instance"),
    ("", "", "", "", "none"),
    ("us-east-1", "named in the event", "came from outside us-east-1", "known", "instance"),
    ("", "", "", "unknown", "instance"),
    ("us-east-1", "RunInstances", "", "known", "instance"),
    (
        "eu-west-1",
        "lookup instance_inventory",
        "went to us-east-1 and came from outside eu-west-1",
        "known",
        "instance",
    ),
    ("us-east-1", "CreateFunction", "went to eu-west-1", "known", "function"),
    ("", "", "", "", "none"),
]


def told(answers: list[Row]) -> list[tuple[Any, ...]]:
    return [tuple(answer.get(name, "") for name in ANSWER_FIELDS) for answer in answers]


def homes(bench: Workbench) -> list[dict[str, Any]]:
    return sorted(bench.kv.collection("cba_homes").find(), key=lambda document: str(document["_key"]))


def test_what_it_says_it_is(bench: Workbench) -> None:
    said = bench.talk("cbahome", LEARN, [])[0].metadata
    assert said["type"] == "stateful", "it runs on the search head"
    assert {"bucket", "workload", "home_of", "ip_scope", "cloud_region", "inventory_region"} <= set(
        said["required_fields"]
    )
    assert list(bench.splunkd.requests) == []


def test_in_one_chunk_and_in_many(bench: Workbench) -> None:
    heard, stored = [], []
    for chunk_rows, header_only in ((50_000, False), (1, True)):
        bench.kv.collection("cba_homes").delete(None)
        bench.runner.chunk_rows, bench.runner.header_only_chunks = chunk_rows, header_only
        answers = bench.run("cbahome", *LEARN, rows=rows())
        heard.append(told(answers))
        stored.append(homes(bench))
        assert [answer["workload"] for answer in answers] == [sent["workload"] for sent in rows()]
    assert heard[0][-len(ANSWERS) :] == ANSWERS
    assert heard[0] == heard[1]
    assert stored[0] == stored[1]
    assert {document["workload"] for document in stored[0]} == {
        "i-0", "i-1", "i-2", "i-3", "i-4", NASTY, ROLE, f"{ROLE}/orders",
    }  # fmt: skip


def test_a_preview_and_a_look_write_nothing(bench: Workbench) -> None:
    bench.run("cbahome", *LEARN, rows=rows()[:21])
    before, writes = homes(bench), len(bench.writes())
    chunk = [(encode_rows(list(rows()[-1]), rows()[21:], indexed=True), True)]
    for args, preview in ((LEARN, True), (("learn=false",), False), ((), False)):
        reply = bench.talk("cbahome", args, chunk, preview)[1]
        assert decode_rows(reply.body)[0]["home_source"] == "its own calls"
    assert (homes(bench), len(bench.writes())) == (before, writes)


def test_facts_of_the_same_day_wait_for_the_overlap(here: Workbench) -> None:
    """The search ends at the next midnight; a robbery before it is decided by the next search."""
    late = [fact(91, "RunInstances", "us-east-1", "i-1"), row(91)]
    states = [here.run("cbahome", "learn=true", f"overlap={wait}", rows=late)[1]["home_state"] for wait in (3600, 3601)]
    assert states == ["known", "unknown"]


@pytest.mark.parametrize("action", [503, DROP_AFTER])
def test_cut_off_at_any_request_and_run_again(here: Workbench, monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    here.runner.chunk_rows = 5
    answers = told(here.run("cbahome", *LEARN, rows=rows()))
    stored, requests = homes(here), len(here.splunkd.requests)
    monkeypatch.setattr(store, "RETRY_PAUSES", ())
    for nth in range(1, requests + 1):
        here.kv.collection("cba_homes").delete(None)
        fault = here.splunkd.fail("", action, nth, times=1_000_000)
        with pytest.raises(LabError, match="can be run again"):
            here.run("cbahome", *LEARN, rows=rows())
        here.splunkd.faults.remove(fault)
        assert told(here.run("cbahome", *LEARN, rows=rows())) == answers
        assert homes(here) == stored, f"cut off at request {nth}"
