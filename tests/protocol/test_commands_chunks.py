"""The app's commands in conversation with splunkd, under every Python that Splunk runs them with."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from lab.chunked import Row, decode_rows, encode_rows
from tests.support.interpreters import required
from tests.support.workbench import CHOSEN, FIRST_DAY, TODAY, Workbench, reduced, story

ANNOTATING: dict[str, tuple[str, ...]] = {
    "cbageo": ("ip=src_ip",),
    "cbabaseline": (CHOSEN, "learn=true"),
    "cbascore": (CHOSEN,),
    "cbarecord": (CHOSEN,),
}


def kind(bench: Workbench, command: str, *args: str) -> dict[str, Any]:
    return bench.talk(command, args, [])[0].metadata


def test_what_the_commands_say_they_are(bench: Workbench) -> None:
    """`stateful` runs on the search head, `streaming` may run on indexers, and only the named fields are sent."""
    assert kind(bench, "cbageo", "ip=address") == {"type": "streaming", "required_fields": ["address"]}
    score = kind(bench, "cbascore", CHOSEN)
    assert score["type"] == "streaming"
    assert score["required_fields"][0] == "evidence"
    baseline = kind(bench, "cbabaseline", CHOSEN)
    assert baseline["type"] == "stateful"
    assert {"day", "source_kind", "identity", "project", "country"} <= set(baseline["required_fields"])
    record = kind(bench, "cbarecord", CHOSEN)
    assert record["type"] == "stateful"
    assert {"variation", "event_times", "bucket", "events", "evidence"} <= set(record["required_fields"])
    history = kind(bench, "cbahistory", "entity=ann")
    assert (history["type"], history["generating"]) == ("reporting", True)


@pytest.mark.parametrize("command", ANNOTATING)
def test_chunks_without_rows_are_answered_without_a_body(bench: Workbench, command: str) -> None:
    """splunkd sends header-only chunks now and then, and one at the end; recorded commands answer with nothing."""
    header = encode_rows(["src_ip", "day", "evidence", "variation"], [], indexed=True)
    replies = bench.talk(command, ANNOTATING[command], [(header, False), ("", False), (header, False), (header, True)])
    assert [(reply.metadata.get("finished"), reply.body) for reply in replies[1:]] == [
        (False, ""), (False, ""), (False, ""), (True, ""),
    ]  # fmt: skip
    assert list(bench.splunkd.requests) == []


def test_the_whole_search_in_one_chunk_and_in_many(bench: Workbench) -> None:
    answers, stores = [], []
    for chunk_rows, header_only in ((50_000, False), (7, True)):
        for name in ("cba_history", "cba_status", "cba_findings", "cba_breakers"):
            bench.kv.collection(name).delete(None)
        bench.runner.chunk_rows, bench.runner.header_only_chunks = chunk_rows, header_only
        answers.append(bench.search(story()))
        stores.append(bench.stored())
    assert [(row["identity"], row["country"], row["variation"]) for row in answers[0]] == [
        ("ann", "RU", "2"), ("bob", "NL", "3"),
    ]  # fmt: skip
    assert answers[0] == answers[1]
    assert stores[0] == stores[1]


@pytest.mark.parametrize("command", ANNOTATING)
def test_fifty_thousand_rows_in_one_chunk(bench: Workbench, command: str) -> None:
    """What splunkd sends after a transforming command: every row comes back, in order, as it was."""
    people = [f"person{n}@example.com" for n in range(500)]
    rows = [reduced(FIRST_DAY + n // 50, name, "NL", src_ip=f"9.9.{n}.9") for n, name in enumerate(people)]
    fields = [name for name in rows[0] if name != "country"] if command == "cbageo" else list(rows[0])
    header, *lines = encode_rows(fields, rows).splitlines(keepends=True)
    body = header + "".join(line * 100 for line in lines)
    replies = bench.talk(command, ANNOTATING[command], [(body, False), (header, True)])
    assert [reply.metadata["finished"] for reply in replies[1:]] == [False, True]
    sent, back = (list(csv.reader(io.StringIO(text))) for text in (body, replies[1].body))
    assert len(back) == 50_001
    assert [line[: len(sent[0])] for line in back] == sent
    assert len({len(line) for line in back}) == 1, "every row has every field"
    if command == "cbabaseline":
        assert bench.histories("identity_country") == {name: ["NL"] for name in people}


NASTY = ['Zoë "the\nboss", $5', "a,b;c", "$$", '{"brace": "{0}"}', "日本 \U0001f600", "'; DROP", "\ttab", "back\\slash"]


def test_any_character_survives(bench: Workbench) -> None:
    past = [reduced(day, name, "NL") for day in range(FIRST_DAY, TODAY) for name in NASTY]
    today = [reduced(TODAY, name, "RU", access_key=name, odd=name) for name in NASTY]
    found = bench.search([*past, *today])
    assert [row["identity"] for row in found] == NASTY
    assert [row["odd"] for row in found] == NASTY
    assert set(bench.histories("identity_country")) == set(NASTY)
    findings = bench.stored()["cba_findings"]
    assert sorted(f["entity"] for f in findings) == sorted(NASTY)
    assert all(f["identity"] == f["access_key"] == f["entity"] and f["entity"] in f["explanation"] for f in findings)
    listed = bench.run("cbahistory", f"entity={NASTY[0]}", rows=None)
    assert [(row["entity"], row["value"], row["days_training"], row["established"]) for row in listed] == [
        (NASTY[0], "RU", "1", "0"), (NASTY[0], "NL", "29", "1"),
    ]  # fmt: skip


def test_a_nul_in_a_field_is_no_reason_to_stop(bench: Workbench) -> None:
    fields = ["evidence", "source_kind", "watch_reason", "compromised_reason"]
    body = encode_rows(fields, [{"source_kind": "a\0b"}, {"source_kind": "aws"}], indexed=True)
    replies = bench.talk("cbascore", [CHOSEN], [(body, True)])
    assert [row.get("source_kind") for row in decode_rows(replies[1].body)] == ["a\ufffdb", "aws"]


def test_multiple_event_times_are_counted_and_an_absent_field_is_empty(bench: Workbench) -> None:
    times = [TODAY * 86_400 + second for second in (36_000, 36_007, 36_400)]
    last = reduced(TODAY, "ann", "RU", events=5, event_times=[str(time) for time in times])
    del last["access_key"]
    assert "asn" not in last, "what the carried fields of a finding may lack"
    found = bench.search([*story()[:-2], last])
    assert found[0]["event_times"] == last["event_times"]
    [finding] = bench.stored()["cba_findings"]
    assert (finding["first_time"], finding["last_time"], finding["count"]) == (times[0], times[2], 5)
    assert (finding["access_key"], finding["asn"]) == ("", "")


@pytest.mark.parametrize("command", ["cbabaseline", "cbarecord"])
def test_a_preview_writes_nothing(bench: Workbench, command: str) -> None:
    """And learns nothing: the second day of a preview does not know the first."""
    rows: list[Row] = [reduced(day, "ann", "NL", variation="2") for day in (FIRST_DAY, FIRST_DAY + 1)]
    fields = kind(bench, command, *ANNOTATING[command])["required_fields"]
    chunks = [(encode_rows(fields, [row], indexed=True), False) for row in rows]
    replies = bench.talk(command, ANNOTATING[command], [*chunks, ("", True)], preview=True)
    assert bench.writes() == []
    assert not any(bench.stored().values())
    answers = [decode_rows(reply.body)[0] for reply in replies[1:3]]
    if command == "cbabaseline":
        assert [answer["identity_country_days"] for answer in answers] == ["0", "0"]
        looked = bench.talk(command, [CHOSEN, "learn=false"], [*chunks, ("", True)])
        assert [reply.body for reply in looked[1:]] == [reply.body for reply in replies[1:]]
    else:
        assert [answer.get("finding_id") for answer in answers] == [None, None]


@pytest.mark.parametrize("preview", [False, True])
def test_a_start_leaves_no_trace(bench: Workbench, preview: bool) -> None:
    """splunkd starts a command for parsing and previews, too: nothing is read or written before the first chunk."""
    for command, args in {**ANNOTATING, "cbahistory": ("entity=ann",)}.items():
        bench.talk(command, args, [], preview)
    assert list(bench.splunkd.requests) == []


def test_extra_starts_change_nothing(here: Workbench) -> None:
    here.runner.extra_starts = 3
    here.search(story())
    assert sorted(f["variation"] for f in here.stored()["cba_findings"]) == ["2", "3"]
    assert here.histories("identity_country") == {"ann": ["NL", "RU"], "bob": ["DE", "NL"]}


def test_the_fast_path_answers_the_same_bytes(tmp_path: Path) -> None:
    """In process and as a process, a whole search gets byte for byte the same replies."""
    heard = []
    for folder, python in (("a", None), ("b", required("running"))):
        with Workbench(tmp_path / folder, python) as bench:
            bench.runner.chunk_rows = 30
            rows = [{**row, "src_ip": "9.9.9.9"} for row in story()]
            geo = bench.run("cbageo", rows=rows)
            bench.search([{**row, "country": told["country"]} for row, told in zip(geo, rows)])
            bench.run("cbahistory", "entity=ann", rows=None)
            heard.append([received for _sent, received in bench.exchanged])
            assert bench.stored()["cba_findings"]
    assert heard[0] == heard[1]


def test_a_day_is_judged_with_the_days_of_earlier_chunks(bench: Workbench) -> None:
    bench.runner.chunk_rows = 1
    rows = [reduced(FIRST_DAY + day, "ann", "NL") for day in range(4)]
    assert [r["identity_country_days"] for r in bench.run("cbabaseline", CHOSEN, "learn=true", rows=rows)] == list(
        "0123"
    )
    again = bench.run("cbabaseline", CHOSEN, "learn=false", rows=rows)
    assert [r["identity_country_days"] for r in again] == list("0123"), "judged again: only the days before count"


def test_learn_only_learns_and_says_nothing(here: Workbench) -> None:
    answer = here.run("cbabaseline", CHOSEN, "learn=only", rows=story())
    assert {(row["evidence"], row["silent_reason"]) for row in answer} == {("-", "only learned")}
    assert here.histories("identity_country") == {"ann": ["NL", "RU"], "bob": ["DE", "NL"]}


def test_only_the_histories_of_the_rows_are_read_and_each_once(
    here: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [reduced(FIRST_DAY, f"person{n}", "NL") for n in range(3_000)]
    here.run("cbabaseline", CHOSEN, "learn=only", rows=crowd)
    collection, read = here.kv.collection("cba_history"), []
    find = collection.batch_find

    def counting(*args: Any, **more: Any) -> Any:
        found = find(*args, **more)
        read.extend(document["entity"] for documents in found for document in documents)
        return found

    monkeypatch.setattr(collection, "batch_find", counting)
    here.splunkd.requests.clear()
    here.runner.chunk_rows = 1
    today = [reduced(FIRST_DAY + 1, name, "DE") for name in ("person7", "person8", "person7", "nobody")]
    here.run("cbabaseline", CHOSEN, "learn=true", rows=today)
    assert sorted(read) == ["111111111111", "organization", "person7", "person8"]
    assert not [request for request in here.splunkd.requests if request.startswith("GET") and "cba_history" in request]
