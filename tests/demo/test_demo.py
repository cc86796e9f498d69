"""`./dev demo` end to end: raw logs, shipped searches and commands, KV store, findings, notable events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo import Organization, benign_surprises, decoys, events, hidden_attacks
from demo.__main__ import main, write_lookups
from demo.report import compare
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead


def run(folder: Path, cadence: str) -> tuple[Organization, list[dict[str, Any]], list[dict[str, Any]]]:
    """The organization, its findings, and its notable events."""
    organization = Organization(events_per_day=400)
    write_lookups(organization, folder / "lookups")
    with SearchHead(APP_DIR, folder) as head:
        head.events.add(events(organization))
        findings = replay(head, cadence)
        notables = head.search("search index=notable", latest="+10y").rows
    return organization, findings, notables


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> tuple[Organization, list[Any], list[Any]]:
    return run(tmp_path_factory.mktemp("daily"), "1d")


def test_every_hidden_attack_is_found_as_its_variation_and_every_decoy_is_silent(daily: Any) -> None:
    organization, findings, _notables = daily
    attacks = hidden_attacks(organization)
    outcome = compare(findings, attacks, benign_surprises(organization), decoys(organization))
    assert (outcome.missed, outcome.other_variation, outcome.decoys, outcome.unexplained) == ([], [], [], [])
    assert {attack.variation for attack in attacks} == {"base", "1", "2", "3", "4", "5", "6", "7"}


def test_every_finding_is_one_notable_event(daily: Any) -> None:
    _organization, findings, notables = daily
    assert sorted(n["finding_id"] for n in notables) == sorted(f["finding_id"] for f in findings)
    shown = {n["finding_id"]: n for n in notables}
    for finding in findings:
        notable = shown[finding["finding_id"]]
        assert notable["rule_title"] == f"{finding['name']}: {finding['identity']}"
        assert notable["rule_description"] == finding["explanation"]
        assert notable["severity"] == finding["severity"]


def test_hourly_runs_find_the_same(daily: Any, tmp_path: Path) -> None:
    _organization, findings, _notables = daily
    _same, hourly, _more = run(tmp_path, "1h")
    stamp = "raised_time"
    assert [{**f, stamp: None} for f in hourly] == [{**f, stamp: None} for f in findings]


def test_logs_can_be_written_out_for_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write", str(tmp_path), "--events-per-day", "10"]) == 0
    commands = capsys.readouterr().out.splitlines()
    assert {command.split()[3] for command in commands} == {"aws", "azure", "gcp", "kubernetes", "m365", "gws"}
    assert all(any(Path(command.split()[4]).rglob("*.json*")) for command in commands)
