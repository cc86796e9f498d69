"""The app's commands in conversation with splunkd, under every Python that Splunk runs them with."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from lab.chunked import decode_rows, encode_rows
from tests.support.interpreters import required
from tests.support.workbench import CHOSEN, FIRST_DAY, TODAY, Workbench, reduced, story

ANNOTATING: dict[str, tuple[str, ...]] = {
    "cbageo": ("ip=src_ip",),
    "cbabaseline": (CHOSEN,),
    "cbascore": (CHOSEN,),
}
TAKING: dict[str, tuple[str, ...]] = {"cbajudge": ("source=aws",), "cbabacktest": (CHOSEN,), "cbasetup": ()}


def kind(bench: Workbench, command: str, *args: str) -> dict[str, Any]:
    return bench.talk(command, args, [])[0].metadata


def test_what_the_commands_say_they_are(bench: Workbench) -> None:
    """`stateful` runs on the search head, `streaming` may run on indexers, and only the named fields are sent."""
    assert kind(bench, "cbageo", "ip=address") == {"type": "stateful", "required_fields": ["address"]}
    score = kind(bench, "cbascore", CHOSEN)
    assert score["type"] == "streaming"
    assert score["required_fields"][0] == "evidence"
    baseline = kind(bench, "cbabaseline", CHOSEN)
    assert baseline["type"] == "stateful"
    assert {"bucket", "source_kind", "identity", "project", "country"} <= set(baseline["required_fields"])
    judge = kind(bench, "cbajudge", "source=aws")
    assert judge["type"] == "events", "it answers rows of its own"
    assert {"bucket", "indexed", "events", "event_times", "candidate_of", "skip_reason", "country"} <= set(
        judge["required_fields"]
    )
    for command, args in GENERATING.items():
        said = kind(bench, command, *args)
        assert (said["type"], said["generating"]) == ("reporting", True), command


GENERATING: dict[str, tuple[str, ...]] = {
    "cbahistory": ("entity=ann",), "cbahealth": (), "cbawindow": ("source=aws",), "cbaacknowledge": (CHOSEN,),
    "cbaforget": (), "cbaexport": (), "cbaalerts": (CHOSEN, "variation=base"),
}  # fmt: skip


@pytest.mark.parametrize("command", ANNOTATING)
def test_chunks_without_rows_are_answered_without_a_body(bench: Workbench, command: str) -> None:
    """splunkd sends header-only chunks now and then, and one at the end; recorded commands answer with nothing."""
    header = encode_rows(["src_ip", "bucket", "evidence"], [], indexed=True)
    replies = bench.talk(command, ANNOTATING[command], [(header, False), ("", False), (header, False), (header, True)])
    assert [(reply.metadata.get("finished"), reply.body) for reply in replies[1:]] == [
        (False, ""), (False, ""), (False, ""), (True, ""),
    ]  # fmt: skip
    assert list(bench.splunkd.requests) == []


@pytest.mark.parametrize("command", TAKING)
def test_what_takes_all_rows_answers_in_the_end(bench: Workbench, command: str) -> None:
    header = encode_rows(["bucket"], [], indexed=True)
    replies = bench.talk(command, TAKING[command], [(header, False), ("", False), (header, True)])
    assert [(reply.metadata.get("finished"), bool(reply.body)) for reply in replies[1:]] == [
        (False, False), (False, False), (True, True),
    ]  # fmt: skip


def test_the_whole_search_in_one_chunk_and_in_many(bench: Workbench) -> None:
    answers, stores = [], []
    for chunk_rows, header_only in ((50_000, False), (7, True)):
        for name in bench.stored():
            bench.kv.collection(name).delete(None)
        bench.runner.chunk_rows, bench.runner.header_only_chunks = chunk_rows, header_only
        answers.append(bench.search(story()))
        stores.append(bench.stored())
    assert [(f["identity"], f["country"], f["variation"]) for f in bench.findings()] == [
        ("ann", "RU", "v2"), ("bob", "NL", "v3"),
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


def test_fifty_thousand_rows_in_one_chunk_are_learned(bench: Workbench) -> None:
    people = [f"person{n}@example.com" for n in range(500)]
    rows = [reduced(FIRST_DAY + n // 50, name, "NL", src_ip=f"9.9.{n}.9") for n, name in enumerate(people)]
    header, *lines = encode_rows(list(rows[0]), rows).splitlines(keepends=True)
    bench.talk("cbajudge", ("source=aws",), [(header + "".join(line * 100 for line in lines), False), (header, True)])
    assert bench.histories("identity_country") == {name: ["NL"] for name in people}


NASTY = ['Zoë "the\nboss", $5', "a,b;c", "$$", '{"brace": "{0}"}', "日本 \U0001f600", "'; DROP", "\ttab", "back\\slash"]


def test_any_character_survives(bench: Workbench) -> None:
    past = [reduced(day, name, "NL") for day in range(FIRST_DAY, TODAY) for name in NASTY]
    today = [reduced(TODAY, name, "RU", access_key=name) for name in NASTY]
    bench.search([*past, *today])
    assert set(bench.histories("identity_country")) == set(NASTY)
    findings = bench.findings()
    assert sorted(f["entity"] for f in findings) == sorted(NASTY)
    assert all(f["identity"] == f["access_key"] == f["entity"] and f["entity"] in f["explanation"] for f in findings)
    listed = bench.run("cbahistory", f"entity={NASTY[0]}", "profile=identity_country", rows=None)
    assert [(row["entity"], row["value"], row["days_training"], row["established"]) for row in listed] == [
        (NASTY[0], "RU", "1", "0"), (NASTY[0], "NL", "29", "1"),
    ]  # fmt: skip


def test_a_nul_in_a_field_is_no_reason_to_stop(bench: Workbench) -> None:
    fields = ["evidence", "source_kind", "watch_reason", "compromised_reason"]
    body = encode_rows(fields, [{"source_kind": "a\0b"}, {"source_kind": "aws"}], indexed=True)
    replies = bench.talk("cbascore", [CHOSEN], [(body, True)])
    assert [row.get("source_kind") for row in decode_rows(replies[1].body)] == ["a\ufffdb", "aws"]


def test_multiple_event_times_are_counted_and_an_absent_field_is_left_out(bench: Workbench) -> None:
    start = TODAY * 86_400 + 36_000
    times = [start, start + 7, start + 400]
    last = reduced(TODAY, "ann", "RU", events=5, event_times=[str(time) for time in times], access_key="")
    bench.search([*story()[:-2], last])
    [finding] = bench.findings()
    assert (finding["first_time"], finding["last_time"], finding["count"]) == (times[0], times[2], 5)
    assert "access_key" not in finding and "asn" not in finding


def test_a_preview_writes_nothing_and_answers_nothing(bench: Workbench) -> None:
    fields = kind(bench, "cbajudge", "source=aws")["required_fields"]
    chunks = [(encode_rows(fields, [row], indexed=True), False) for row in story()]
    replies = bench.talk("cbajudge", ("source=aws",), [*chunks, ("", True)], preview=True)
    assert decode_rows(replies[-1].body) == []
    assert bench.writes() == []
    assert list(bench.splunkd.requests) == [], "a preview of a long search may come every few seconds"


@pytest.mark.parametrize("command", ANNOTATING)
def test_what_annotates_writes_nothing(bench: Workbench, command: str) -> None:
    bench.search(story())
    before = len(bench.writes())
    bench.run(command, *ANNOTATING[command], rows=story()[-2:])
    assert len(bench.writes()) == before


@pytest.mark.parametrize("preview", [False, True])
def test_a_start_leaves_no_trace(bench: Workbench, preview: bool) -> None:
    """splunkd starts a command for parsing and previews, too: nothing is read or written before the first chunk."""
    for command, args in {**ANNOTATING, **TAKING, **GENERATING}.items():
        bench.talk(command, args, [], preview)
    assert list(bench.splunkd.requests) == []


def test_extra_starts_change_nothing(here: Workbench) -> None:
    here.runner.extra_starts = 3
    here.search(story())
    assert sorted(f["variation"] for f in here.findings()) == ["v2", "v3"]
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
            assert bench.findings()
    assert heard[0] == heard[1]


def test_a_day_is_judged_with_the_days_before_it_alone(bench: Workbench) -> None:
    """Those of earlier chunks of its own run, too; and however much has been learned since."""
    bench.runner.chunk_rows = 1
    bench.search(story())
    evidence = [json.loads(str(finding["evidence"])) for finding in bench.findings()]
    bench.search([reduced(TODAY + 1, "ann", "RU"), reduced(TODAY + 1, "bob", "NL")])
    looked = bench.run("cbabaseline", CHOSEN, rows=story()[-2:])
    assert [json.loads(str(row["evidence"])) for row in looked] == evidence


def test_learn_only_learns_and_raises_nothing(here: Workbench) -> None:
    assert here.search(story(), "learn=only") == []
    assert here.findings() == []
    assert here.histories("identity_country") == {"ann": ["NL", "RU"], "bob": ["DE", "NL"]}
    assert here.stored()["cba_sources"][0]["first_day"] == FIRST_DAY


def test_only_the_histories_of_the_rows_are_read_and_each_once(
    here: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [reduced(FIRST_DAY, f"person{n}", "NL") for n in range(3_000)]
    here.search(crowd, "learn=only")
    collection, read = here.kv.collection("cba_history"), []
    find = collection.batch_find

    def counting(*args: Any, **more: Any) -> Any:
        found = find(*args, **more)
        read.extend(document["entity"] for documents in found for document in documents)
        return found

    monkeypatch.setattr(collection, "batch_find", counting)
    today = [reduced(FIRST_DAY + 1, name, "DE") for name in ("person7", "person8", "person7", "nobody")]
    here.runner.chunk_rows = 1
    here.run("cbabaseline", CHOSEN, rows=today)
    assert sorted(read) == ["111111111111", "organization", "person7", "person8"]
