"""The short form of `./dev prove`: some disturbed hours, and some thousand fuzzed inputs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Iterator

import pytest

from prove import report
from prove.fuzz import Fuzzed, Target, feed, fuzz, targets
from prove.lines import fuzz_head
from prove.rounds import Outcome, Proof
from prove.world import World, differences

INPUTS = 20_000


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """Three hours in which two detections find something."""
    logging.getLogger("splunklib").setLevel(logging.CRITICAL + 1)
    with World(tmp_path_factory.mktemp("world"), day=41, hours=(14, 17), events_per_day=200) as world:
        yield Proof(world)
    logging.getLogger("splunklib").setLevel(logging.NOTSET)


def test_there_is_something_to_lose(proof: Proof) -> None:
    found = {each["detection"] for each in proof.expected.findings.values()}
    assert {"cloud_unusual_country", "serverless_execution_office"} <= found
    assert sum(proof.expected.alerts.values()) >= 2


@pytest.mark.parametrize(
    ("seed", "only"),
    [
        ("1", ("refused", "broken", "half_saved")),
        ("2", ("killed", "overtaken", "doubling")),
        ("3", ("clock_jump", "skipping")),
        ("4", ("disk_full", "head_away", "store_away")),
    ],
)
def test_disturbed_hours_leave_what_undisturbed_ones_do(proof: Proof, seed: str, only: tuple[str, ...]) -> None:
    outcome = proof.round(seed, only=only)
    assert outcome.told
    assert outcome.differences == []


def test_a_loss_would_be_seen(proof: Proof) -> None:
    """A finding that is gone, one that is handed out twice, a day that is missing in a history."""
    proof.world.again()
    proof.world.live(proof.world.start, proof.world.end, "1h")
    proof.world.live(proof.world.end, proof.world.end + 3 * 3600, "1h")
    head = proof.world.head
    finding = next(iter(proof.expected.alerts))
    head.kv.collection("cba_findings").delete({"_key": finding})
    history = next(iter(proof.expected.kept["cba_history"].values()))
    head.kv.collection("cba_history").delete({"_key": history["_key"]})
    told = list(differences(proof.world.left(), proof.expected))
    assert any(f"cba_findings {finding} is missing" in each for each in told)
    assert any(f"cba_history {history['_key']} is missing" in each for each in told)


def test_some_thousand_changed_inputs(proof: Proof) -> None:
    kept = {name: proof.world.head.kv.collection(name).find() for name in proof.world.head.kv.names()}
    results = fuzz(targets(kept), "short", INPUTS)
    assert [fault for each in results.values() for fault in each.wrong] == []
    assert sum(each.inputs for each in results.values()) >= INPUTS * 0.95
    assert results["chunk"].refused and results["condition"].refused and results["cba_history"].refused


def test_lines_chunks_and_documents_of_a_search_head() -> None:
    results = fuzz_head("short", 500, 60, 40)
    assert [fault for each in results.values() for fault in each.wrong] == []


def test_a_crash_a_hang_and_a_dumb_message_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from cba.errors import RowError
    from prove import fuzz as module

    monkeypatch.setattr(module, "SECONDS", 0.05)

    def hang(_given: object) -> None:
        while True:
            pass

    def crash(_given: object) -> None:
        raise KeyError("x")

    def mutter(_given: object) -> None:
        raise RowError("something is wrong")

    found = Fuzzed()
    for read in (hang, crash, mutter):
        before = module.signal.signal(module.signal.SIGALRM, module._ring)
        feed(Target("t", ["a"], lambda given, _rng: given, read, 1, r"row \d+"), "a", found)
        module.signal.signal(module.signal.SIGALRM, before)
    assert [fault.split(": ")[2].split(" ")[0] for fault in found.wrong] == ["takes", "KeyError", "says"]


def test_the_page_gets_the_last_result_in_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    begin, end = report.SECTION.begin, report.SECTION.end
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    outcome = Outcome("s", "faults, every 1h", ["3 × 500", "clock +45 s for 0.5 h"], 3, 1, 0, 0, 7, 9, [], 1.0)
    import datetime

    section = report.text("s", 15, [outcome], {"row": Fuzzed(1000, 400, 1.0, 0.002)}, datetime.date(2026, 1, 2))
    report.write(page, section)
    assert page.read_text() == f"before\n{begin}\n\n{section}\n{end}\nafter\n"
    assert "| 1 | faults, every 1h | 1 | 3 | 1 | 0 | 0 | 7 |" in section
    assert "500 (1), clock ahead (1)" in section
    assert "| row | 1,000 | 400 | 2 ms | 0 |" in section
