"""The bench runs, on next to nothing, and counts right. How fast anything is, is not tested."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import document, fleet, inventions, lookups, plot, reading, report, scale, storms
from bench.arithmetic import Summary, pairwise
from bench.commands import cases, measure, recorded_rows
from bench.driver import CommandFailed, Splunkd, encode, run
from bench.replay import measured_apart, organization_of, replay
from bench.storage import history_bytes
from demo import Organization
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

NO_SPLUNKD = Splunkd("http://127.0.0.1:1", "key")
ECHO = APP_DIR / "bench" / "echo.py"


def test_median_and_spread() -> None:
    assert Summary.of([3.0, 1.0, 10.0]) == Summary(3.0, 1.0, 10.0)
    assert Summary.of([1.0, 2.0]).median == 1.5
    with pytest.raises(ValueError, match="nothing was measured"):
        Summary.of([])


def test_ratios_are_taken_pair_by_pair() -> None:
    # The machine was ten times slower during the second pair: the ratio of the medians would be 200/110.
    assert pairwise([200.0, 20.0, 200.0], [100.0, 10.0, 110.0]).median == 2.0
    with pytest.raises(ValueError, match="1 measurements and 2 are not pairs"):
        pairwise([1.0], [1.0, 2.0])


def test_history_bytes_are_those_of_the_document_by_profile() -> None:
    small = {"profile": "a", "values": "é"}
    large = {"profile": "b", "values": "x" * 100}
    assert history_bytes([small, large]) == {
        "": (2, Summary.of([29, 127])),
        "a": (1, Summary.of([29])),
        "b": (1, Summary.of([127])),
    }


def test_the_organization_has_the_events_asked_for() -> None:
    organization = organization_of(200_000)
    assert abs(organization.days * organization.events_per_day - 200_000) <= organization.days


def test_the_driver_reads_every_answer_and_only_the_rows_count(tmp_path: Path) -> None:
    rows = [{"a": str(number), "b": "x"} for number in range(5)]
    chunks = encode(["a", "b"], rows, chunk_rows=2)
    assert len(chunks) == 4, "three of rows, one that ends"
    measured = run(ECHO, ["fields=a,b", "add=c"], chunks, len(rows), NO_SPLUNKD, tmp_path)
    assert measured.answers.required_fields == ("a", "b")
    assert measured.answers.names == ("a", "b", "c")
    assert measured.rows_per_second == 5 / measured.seconds


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"cbascore\.py: .*there is no 'unheard_of'"):
        run(APP_DIR / "bin" / "cbascore.py", ["detection=unheard_of"], [], 0, NO_SPLUNKD, tmp_path)


def test_everything_once(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        replayed = replay(head, Organization(days=1, events_per_day=600), lambda _told: None)
        assert replayed.events >= 600
        assert replayed.seconds == sum(replayed.parts.values())
        rows = {**recorded_rows(head, most=30), **fleet.rows(30)}
        sizes = history_bytes(head.kv.collection("cba_history").find())
        results = [measure(case, head, 1, tmp_path, lambda _told: None) for case in cases(rows)]
    for result in results:
        ours, echo = result.ours[0].answers, result.echo[0].answers
        if result.case.command != "cbajudge":  # it answers findings, not its rows
            assert set(ours.names) == set(echo.names), "the echo adds what the command adds"
        assert ours.required_fields == echo.required_fields
        assert result.ours[0].rows == result.echo[0].rows == len(result.case.rows) > 0
    told = report.commands(results)
    assert "| `cbajudge`, endpoints, rare resources | 30 |" in told
    assert told.count("\n| `") == len(results)
    assert "identity_country" in report.stored(sizes)


def test_garbage_of_commands_in_one_process_is_collected(tmp_path: Path) -> None:
    """Commands take what was imported out of the search for garbage. In a process that runs one after the other what
    they leave is none of that: a replay of a month once grew to nine gigabytes."""
    with SearchHead(APP_DIR, tmp_path) as head:
        head.search('| makeresults | eval src_ip="198.51.100.7" | cbageo ip=src_ip')
        frozen = gc.get_freeze_count()
        for _number in range(3):
            head.search('| makeresults | eval src_ip="198.51.100.7" | cbageo ip=src_ip')
        assert 0 < gc.get_freeze_count() <= frozen


def test_a_replay_apart_tells_its_own_memory() -> None:
    replayed = measured_apart(900)
    assert replayed.events >= 900
    assert min(replayed.memory) >= 0
    assert 30_000_000 < replayed.memory[0] < 400_000_000
    told = report.replayed([replayed, replace(replayed, parts=dict.fromkeys(replayed.parts, 0.0))])
    assert told.startswith(f"{replayed.events:,} events, ")
    assert "the median of 2" in told
    assert "| cbajudge |" in told


def test_each_event_is_read_once_but_for_those_of_shared_inputs() -> None:
    readings = {each.source: each for each in reading.measure(APP_DIR, Organization(days=1, events_per_day=600), "1d")}
    pub_sub = readings["gcp"].read + readings["kubernetes"].read
    assert all(each.read == each.events > 0 for name, each in readings.items() if name not in ("gcp", "kubernetes"))
    assert readings["gcp"].events + readings["kubernetes"].events < pub_sub, "Google's search reads those of GKE, too"
    assert max(each.reads_per_event for each in readings.values()) <= 1.5
    assert max(each.width for each in readings.values()) <= 3
    told = report.reads(readings.values(), readings.values(), 13)
    assert f"| aws | {readings['aws'].events:,} | 1.00 |" in told


def test_copies_of_detections_are_detections() -> None:
    with reading.copied_detections(20) as app:
        document = json.loads((app / "bin/cba/detection/catalogue.json").read_text("utf-8"))
    assert len(document["detections"]) == 20


def test_storms_are_what_they_are_called(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        peaks, raised = [], []
        for storm in storms.storms(30):
            peaks.append(storms.measure(storm, head, tmp_path, lambda _told: None))
            raised.append(len(head.kv.collection("cba_findings").find()))
    assert [(peak.storm.command, bool(count)) for peak, count in zip(peaks, raised)] == [
        ("cbajudge", False), ("cbajudge", True), ("cbabaseline", False), ("cbageo", False), ("cbajudge", False),
        ("cbabaseline", False), ("cbajudge", False),
    ]  # fmt: skip
    assert raised[1] >= 30, "each row is a finding"
    told = report.storms([peaks, peaks])
    assert "| 30 rows: each row of somebody somewhere new, with all there is to say | `cbajudge` |" in told


def test_a_batch_touches_what_its_rows_name_however_much_is_remembered(tmp_path: Path) -> None:
    batches, stored = scale.measure(["aws"], (10_000, 20_000), tmp_path, 1, lambda _told: None)
    few, many = batches
    assert (few.entities, many.entities) == (10_000, 20_000)
    assert many.requests.median == few.requests.median
    assert 0.9 < many.bytes_moved.median / few.bytes_moved.median < 1.1
    assert {each.profile for each in stored} == {"identity_country", "identity_project"}
    assert all(each.bytes_each.median <= report.AIM_HISTORY for each in stored)
    todays = [lookups.baseline(10_000, tmp_path, 1), lookups.first_seen(10_000, tmp_path, 1)]
    assert [(each.rows_read, each.rows_written) for each in todays] == [(10_000, 10_000), (40_000, 0)]
    assert "| aws | 20,000 |" in report.scaled(batches)
    assert "| baseline lookup | 10,000 | 10,000 | 10,000 |" in report.against(batches, todays)
    ElementTree.fromstring(plot.plot(batches, todays))


def test_a_batch_is_about_the_histories_that_are_grown(tmp_path: Path) -> None:
    """Else what is remembered would be nobody's."""
    with SearchHead(APP_DIR, tmp_path) as head:
        splunkd, traffic = Splunkd(head.splunkd.uri, head.splunkd.session_key), scale.Traffic(head)
        for source, profiles in scale.PROFILES.items():
            scale.batches_of(source, scale.FEWEST, splunkd, traffic, tmp_path, 1)
            learned = {each["profile"] for each in head.kv.collection("cba_history").find({"writer": source})}
            assert learned >= set(profiles), source


def test_what_is_invented_is_kept_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventions, "RUNS", 2)
    with SearchHead(APP_DIR, tmp_path) as head:
        made = {each.kind: each for each in inventions.all_kinds(30, head, tmp_path, lambda _told: None)}
    assert {each.values for each in made.values()} == {60}
    assert made["tools of one host"].documents <= 3, "the host's, the organization's, and the resource's"
    assert made["resources of one host"].documents == 60 + 2
    assert made["identities"].documents > 60
    assert "| identities | 60 |" in report.invented(list(made.values()))


def test_tables_are_written_in_the_places_of_those_before(tmp_path: Path) -> None:
    page = tmp_path / document.PAGE
    page.parent.mkdir()
    places = [document.section(name) for name in ("reads", "storms")]
    page.write_text("".join(f"by hand\n{place.begin}\nold\n{place.end}\n" for place in places))
    document.write(tmp_path, {"storms": "| new |\n"})
    assert page.read_text() == (
        f"by hand\n{places[0].begin}\nold\n{places[0].end}\nby hand\n{places[1].begin}\n\n| new |\n\n{places[1].end}\n"
    )
    with pytest.raises(LookupError, match="million"):
        document.write(tmp_path, {"reads": "x", "million": "y"})
    assert "x" not in page.read_text()


def test_the_page_has_a_place_for_every_table() -> None:
    text = (APP_DIR / document.PAGE).read_text("utf-8")
    for name in (
        "reads",
        "replay",
        "histories",
        "commands",
        "storms",
        "million",
        "scale",
        "bytes",
        "today",
        "invented",
    ):
        place = document.section(name)
        assert (text.count(place.begin), text.count(place.end)) == (1, 1), name
