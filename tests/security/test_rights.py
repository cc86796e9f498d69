"""Who may decide: only the app's own handler writes verdicts, triage and acknowledgements, under the name that splunkd knows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

import pytest
from splunklib import client
from splunklib.binding import HTTPError

from cba.command.deciding import DECIDERS, PATH, may_decide, send
from cba.errors import OptionError
from cba.findings.breaker import Match, encode_matches
from cba.store.breakers import BreakerCollection
from cba.store.verdicts import VerdictCollection
from tests.support.workbench import CHOSEN, DETECTION, LATEST, TODAY, Workbench, reduced, story

DECIDING = ("cba_triage", "cba_verdicts", "cba_breakers")
DAY = 86_400


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        bench.search(story())
        bench.search([reduced(TODAY, "ann", "RU")])
        yield bench


def signed_in(bench: Workbench, name: str, *roles: str) -> client.Service:
    where = urlsplit(bench.splunkd.uri)
    key = bench.splunkd.endpoints.rights.sign_in(name, *roles)
    return client.Service(
        token=key, owner="nobody", app=bench.app.name, scheme=where.scheme, host=where.hostname, port=where.port
    )


def data(name: str) -> str:
    return f"/servicesNS/nobody/cloud_behavior_analytics/storage/collections/data/{name}"


@pytest.mark.parametrize("collection", DECIDING)
@pytest.mark.parametrize("role", ["cba_user", "cba_analyst", "user"])
def test_nobody_forges_what_decides(bench: Workbench, role: str, collection: str) -> None:
    """An opening of 0 and an acknowledgement of the year 2286, or somebody else's name under a verdict."""
    service = signed_in(bench, "eve", role)
    forged = [{"_key": "x", "decided_by": "ines", "acknowledged": '[[9999999999, "ines", ""]]'}]
    for path, body in ((f"{data(collection)}/batch_save", forged), (data(collection), forged[0])):
        with pytest.raises(HTTPError) as refused:
            service.post(path, headers=[("Content-Type", "application/json")], body=json.dumps(body).encode())
        assert refused.value.status == 403
    with pytest.raises(HTTPError) as kept:
        service.delete(data(collection))
    assert kept.value.status == 403


def test_an_analyst_decides_under_the_name_that_splunkd_knows(bench: Workbench) -> None:
    finding = bench.findings()[-1]
    service = signed_in(bench, "ines", "cba_analyst")
    before = int(time.time())
    forged = {"by": "somebody", "decided_by": "somebody", "now": 5}
    told = send(
        service, decide="findings", findings=[finding["finding_id"]], verdict="benign", comment="a trip", **forged
    )
    (triage,) = bench.kv.collection("cba_triage").find()
    assert (triage["triaged_by"], triage["owner"], triage["comment"]) == ("ines", "ines", "a trip")
    assert before <= triage["triaged_time"] <= time.time()
    assert told[finding["finding_id"]]["triage"]["triaged_by"] == "ines"
    assert {each["decided_by"] for each in bench.kv.collection("cba_verdicts").find()} == {"ines"}


@pytest.mark.parametrize("roles", [("cba_user",), ("user", "power"), ()])
def test_who_may_not_decide_is_told_what_it_takes(bench: Workbench, roles: tuple[str, ...]) -> None:
    finding = bench.findings()[-1]
    service = signed_in(bench, "eve", *roles)
    with pytest.raises(OptionError, match="eve may not decide: that takes the role cba_analyst"):
        send(service, decide="findings", findings=[finding["finding_id"]], verdict="benign")
    assert bench.kv.collection("cba_triage").find() == []


def test_a_role_that_imports_a_decider_s_is_one() -> None:
    assert may_decide(["tier2"], {"tier2": ["tier1"], "tier1": ["cba_analyst"], "cba_analyst": ["cba_user"]})
    assert not may_decide(["cba_user"], {"cba_analyst": ["cba_user"]})
    assert not may_decide(["a"], {"a": ["b"], "b": ["a"]})
    assert "cba_user" not in DECIDERS


def test_nobody_acknowledges_the_future(bench: Workbench) -> None:
    """A breaker closed until the end of time would never open again."""
    told = {Match(TODAY, f"entity {n // 90}", f"key{n}", 3): TODAY * DAY for n in range(5_000)}
    opened = {"detection": DETECTION, "source": "aws", "openings": f'[[{TODAY * DAY}, "x", 3]]'}
    bench.kv.collection("cba_breakers").batch_save(
        [{"_key": f"counted:{DETECTION}:aws", **opened, "matches": encode_matches(told)}]
    )
    service = signed_in(bench, "ines", "cba_analyst")
    (row,) = send(service, decide="acknowledge", detection=DETECTION, until=9_999_999_999)
    (kept,) = BreakerCollection(bench.service(), DETECTION, "aws").load().acknowledged
    assert (kept.by, row["acknowledged_by"]) == ("ines", "ines")
    assert kept.time <= time.time()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "decide= is not findings, preview, value or acknowledge"),
        ({"decide": "everything"}, "decide=everything is not"),
        ({"decide": ["findings"]}, "decide is not a text"),
        ({"decide": "findings", "verdict": "benign", "findings": "abc"}, "findings is not a list of ids"),
        ({"decide": "findings", "verdict": "maybe", "findings": []}, "verdict=maybe is not one of benign, malicious, clear"),
        ({"decide": "findings", "verdict": "benign", "findings": ["nothing"]}, "there is no finding nothing"),
        ({"decide": "value", "verdict": "benign", "profile": "x"}, "there is no profile x"),
        ({"decide": "value", "verdict": "benign", "comment": "x" * 5_000}, "comment is not a text of at most 4000 characters"),
        ({"decide": "acknowledge", "detection": "nothing", "until": 5}, "there is no 'nothing'"),
        ({"decide": "acknowledge", "detection": DETECTION, "until": "soon"}, "until is no time"),
        ({"decide": "acknowledge", "detection": DETECTION, "until": LATEST}, "the breaker of cloud_unusual_country is not open"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_said(bench: Workbench, asked: dict[str, Any], words: str) -> None:
    before = bench.stored()
    with pytest.raises(OptionError) as refused:
        send(signed_in(bench, "ines", "cba_analyst"), **asked)
    assert words in str(refused.value)
    assert bench.stored() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 50_000, b'"' + b"x" * 1_100_000 + b'"', b"null"])
def test_any_body_gives_a_sentence(bench: Workbench, body: bytes) -> None:
    with pytest.raises(HTTPError) as refused:
        signed_in(bench, "ines", "cba_analyst").post(PATH, headers=[("Content-Type", "application/json")], body=body)
    assert refused.value.status == 400
    (message,) = json.loads(refused.value.body)["messages"]
    assert message["text"] and "Traceback" not in message["text"]


@pytest.mark.parametrize(
    "damage",
    [{"profile": None}, {"value": None}, {"verdict": "maybe"}, {"verdict": 7}],
    ids=str,
)
def test_a_damaged_verdict_decides_nothing_and_stops_nobody(bench: Workbench, damage: dict[str, Any]) -> None:
    """Only who administers can make one; it is passed over, and named by the search and by cbahealth."""
    finding = bench.findings()[-1]
    bench.run("cbaverdict", f"finding={finding['finding_id']}", "verdict=benign", rows=None)
    (document,) = bench.kv.collection("cba_verdicts").find()
    broken = {key: value for key, value in {**document, **damage}.items() if value is not None}
    bench.kv.collection("cba_verdicts").batch_save([broken])
    bench.search([reduced(TODAY + 1, finding["entity"], "RU")])
    said = [text for text in bench.warnings() if "passed over: KV store collection cba_verdicts: document" in text]
    assert said
    assert VerdictCollection(bench.service()).wrong()
    rows = bench.run("cbahealth", CHOSEN, rows=None)
    assert {row["source"] for row in rows} >= {"aws"}


@pytest.mark.parametrize("wrong", ['[[9999999999, "x", "y"]]', '[[0, "x", "y"]]', '[[-5, "x", "y"]]'])
def test_an_absurd_acknowledgement_stops_one_detection_and_is_named(bench: Workbench, wrong: str) -> None:
    key = f"acknowledged:{DETECTION}:aws"
    bench.kv.collection("cba_breakers").batch_save(
        [{"_key": key, "detection": DETECTION, "source": "aws", "acknowledged": wrong}]
    )
    bench.search([reduced(TODAY, "bob", "CN")])
    (fault,) = bench.kv.collection("cba_faults").find()
    assert (fault["detection"], "is no time of an opening or an acknowledgement" in fault["message"]) == (
        DETECTION,
        True,
    )
