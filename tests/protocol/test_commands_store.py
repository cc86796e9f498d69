"""The KV store refuses, stalls or goes away: what was learned stays, and the same search run again mends the rest.

Real splunk-sdk against the lab's splunkd. A document is replaced whole and one request is one transaction, so the
points at which a search can be cut off are the requests; every one of them is tried.
"""

from __future__ import annotations

import http.client
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest

from cba.errors import StoreError
from cba.store import splunkd as store
from cba.store.collection import Collection
from cba.terms import APP
from lab.kvstore import Limits
from lab.splunkd import DROP, DROP_AFTER
from tests.support.workbench import CHOSEN, TODAY, Workbench, reduced, story

FOREVER = 1_000_000
ATTEMPTS = len(store.RETRY_PAUSES) + 1
# The story, and a second search a day later that continues ann's finding, raises another, and learns more.
LATER = TODAY * 86_400 + 39_600
SEARCHES = [
    story(),
    [
        reduced(TODAY, "ann", "RU", bucket=LATER, indexed=LATER, event_times=str(LATER + 1)),
        reduced(TODAY + 1, "bob", "CN"),
        reduced(TODAY + 1, "ann", "NL"),
    ],
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", (0.0,) * (ATTEMPTS - 1))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        bench.runner.chunk_rows = 30
        yield bench


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is stored when nothing goes wrong, and the requests that took."""
    with Workbench(tmp_path_factory.mktemp("undisturbed")) as bench:
        bench.runner.chunk_rows = 30
        for rows in SEARCHES:
            bench.search(rows)
        stored = bench.stored()
        assert sorted((f["entity"], f["country"], f["count"]) for f in stored["cba_findings"]) == [
            ("ann", "RU", 2), ("bob", "CN", 1), ("bob", "NL", 1),
        ]  # fmt: skip
        return {"stored": stored, "requests": list(bench.splunkd.requests)}


def test_a_smaller_limit_of_documents_per_save(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """400 from a save halves it until it fits. Some installations allow 200 documents, this one two."""
    with Workbench(tmp_path, limits=Limits(max_documents_per_batch_save=2)) as bench:
        for rows in SEARCHES:
            bench.search(rows)
        assert bench.stored() == undisturbed["stored"]


def test_a_document_that_is_refused_by_itself_is_named(bench: Workbench) -> None:
    bench.splunkd.fail("cba_history/batch_save", 400, times=FOREVER)
    complaint = bench.complaint("cbajudge", "source=aws", rows=story())
    assert "KV store collection cba_history: document " in complaint
    assert " bytes is refused (HTTP 400" in complaint


def test_a_document_too_large_for_the_store_stops_nobody_else(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Somebody is called by a name of two megabytes, in a store that takes one at once."""
    with Workbench(tmp_path, limits=Limits(max_size_per_batch_save_mb=1)) as bench:
        for rows in SEARCHES:
            bench.search([*rows, {**rows[-1], "identity": "x" * 2_000_000}])
        words = "what was learned is not kept: KV store collection cba_history: document "
        assert any(words in warning for warning in bench.warnings())
        found = {(f["entity"], f["country"]) for f in bench.findings()}
        assert found == {(f["entity"], f["country"]) for f in undisturbed["stored"]["cba_findings"]}


@pytest.mark.parametrize("action", [503, 500, 429, DROP, DROP_AFTER])
def test_a_store_that_is_busy_for_a_while(bench: Workbench, undisturbed: dict[str, Any], action: Any) -> None:
    """Four failures in a row, then one request goes through, and so on; an answer that was lost does no harm."""
    for nth in range(1, 60, ATTEMPTS):
        bench.splunkd.fail("", action, nth, times=ATTEMPTS - 1)
    for rows in SEARCHES:
        bench.search(rows)
    assert bench.stored() == undisturbed["stored"]
    assert len(bench.splunkd.requests) == len(undisturbed["requests"]) + 12 * (ATTEMPTS - 1)


@pytest.mark.parametrize(
    ("action", "words", "attempts"),
    # Busy is worth asking again, forbidden is not; and a connection that was kept and is closed now is opened anew at once.
    [(503, "HTTP 503 Service Unavailable: fault injected", ATTEMPTS), (DROP, "RemoteDisconnected", ATTEMPTS + 1),
     (403, "HTTP 403 Forbidden", 1)],
)  # fmt: skip
@pytest.mark.parametrize(
    ("command", "collection", "verb"),
    [("cbajudge", "cba_history", "batch_save"), ("cbajudge", "cba_history", "batch_find"),
     ("cbajudge", "cba_sources", "batch_find"), ("cbajudge", "cba_findings", "batch_find"),
     ("cbajudge", "cba_faults", "batch_find"), ("cbajudge", "cba_watch_list", "batch_find"),
     ("cbabaseline", "cba_history", "batch_find"), ("cbabaseline", "cba_sources", "batch_find"),
     ("cbabacktest", "cba_history", "batch_find")],
)  # fmt: skip
def test_a_store_that_stays_away(
    bench: Workbench, command: str, collection: str, verb: str, action: Any, words: str, attempts: int
) -> None:
    bench.search(story()[:-2])
    bench.splunkd.requests.clear()
    bench.splunkd.fail(f"{collection}/{verb}", action, times=FOREVER)
    complaint = bench.complaint(command, "source=aws" if command == "cbajudge" else CHOSEN, rows=story()[-2:])
    assert f"{command}: KV store collection {collection}: {verb} failed ({words}" in complaint
    assert "Nothing learned before is lost; the search can be run again" in complaint
    asked = [request for request in bench.splunkd.requests if f"{collection}/{verb}" in request]
    assert len(asked) == attempts


def test_the_histories_of_cbahistory_out_of_reach(bench: Workbench) -> None:
    bench.splunkd.fail("cba_history", 503, times=FOREVER)
    assert "cbahistory: KV store collection cba_history: batch_find failed" in bench.complaint(
        "cbahistory", "entity=ann", rows=None
    )


HEALTH = f"GET /servicesNS/nobody/{APP}/saved/searches"


def test_the_switches_of_cbahealth_take_one_request(bench: Workbench) -> None:
    rows = bench.run("cbahealth", rows=None)
    assert {row["state"] for row in rows} == {"off"}, "everything ships disabled"
    assert [request for request in bench.splunkd.requests if "saved/searches" in request] == [HEALTH]
    assert bench.warnings() == []


@pytest.mark.parametrize("status", [403, 404])
def test_saved_searches_that_may_not_be_read_switch_nothing_off_and_are_spoken_of(
    bench: Workbench, status: int
) -> None:
    bench.splunkd.fail("saved/searches", status, times=FOREVER)
    rows = bench.run("cbahealth", CHOSEN, rows=None)
    assert {(row["state"], row.get("alerts_on")) for row in rows} == {("no data", None)}
    (said,) = bench.warnings()
    assert said.startswith(
        "cbahealth: whether the searches of aws, azure, gcp, kubernetes, m365, gws are enabled is not"
    )


def test_saved_searches_out_of_reach(bench: Workbench) -> None:
    bench.splunkd.fail("saved/searches", 503, times=FOREVER)
    assert "cbahealth: reading the saved searches failed (HTTP 503" in bench.complaint("cbahealth", rows=None)
    assert bench.splunkd.requests.count(HEALTH) == ATTEMPTS


@pytest.mark.parametrize("action", [503, DROP_AFTER])
def test_cut_off_at_any_request_and_run_again(
    bench: Workbench, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, action: Any
) -> None:
    """The store goes away at the n-th request, with or without having carried it out, the search ends with an error,
    and is run again when the store is back: nothing is lost and nothing is there twice."""
    monkeypatch.setattr(store, "RETRY_PAUSES", ())
    cut = 0
    for nth in range(1, len(undisturbed["requests"]) + 1):
        for name in undisturbed["stored"]:
            bench.kv.collection(name).delete(None)
        fault = bench.splunkd.fail("", action, nth, times=FOREVER)
        for rows in SEARCHES:
            try:
                bench.search(rows)
            except Exception as error:
                assert "can be run again" in str(error), error
                cut += 1
                bench.splunkd.faults.remove(fault)
                bench.search(rows)
        assert bench.stored() == undisturbed["stored"], f"cut off at request {nth}: {undisturbed['requests'][nth - 1]}"
    assert cut == len(undisturbed["requests"])


def test_searches_may_be_repeated_at_will(bench: Workbench, undisturbed: dict[str, Any]) -> None:
    for rows in [SEARCHES[0], *SEARCHES, SEARCHES[1], SEARCHES[0]]:
        bench.search(rows)
    assert bench.stored() == undisturbed["stored"]


@pytest.mark.parametrize(
    ("session_key", "uri", "words"),
    [("stale", None, "HTTP 401 Unauthorized"), (None, "http://127.0.0.1:9", "Connection refused"), (None, "", "on a search head")],
)  # fmt: skip
def test_no_way_to_the_store(bench: Workbench, session_key: str | None, uri: str | None, words: str) -> None:
    bench.runner.session_key = bench.runner.session_key if session_key is None else session_key
    bench.runner.splunkd_uri = bench.runner.splunkd_uri if uri is None else uri
    assert words in bench.complaint("cbabaseline", CHOSEN, rows=story())
    assert words in bench.complaint("cbahistory", "entity=ann", rows=None)


class Halting(io.BytesIO):
    """The body of an answer whose connection is cut while it is read."""

    def read(self, size: int | None = -1) -> bytes:
        raise http.client.IncompleteRead(b"[{")


@pytest.mark.parametrize("broken", [Halting(), io.BytesIO(b"<html>gateway</html>")])
def test_an_answer_cut_short_or_garbled_is_asked_for_again(broken: io.BytesIO) -> None:
    def answers(*bodies: io.BytesIO) -> SimpleNamespace:
        waiting = list(bodies)
        return SimpleNamespace(post=lambda *_, **__: SimpleNamespace(body=waiting.pop(0)))

    asked = answers(broken, io.BytesIO(b'[[{"_key": "a"}]]'), io.BytesIO(b"[[]]"))
    assert [found["_key"] for found in Collection(asked, "cba_history").find({})] == ["a"]
    with pytest.raises(StoreError, match=r"KV store collection cba_history: batch_find failed"):
        list(Collection(answers(*[broken] * ATTEMPTS), "cba_history").find({}))
