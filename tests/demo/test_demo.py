"""`./dev demo` end to end: raw logs, shipped searches and commands, KV store, findings, notable events."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, NamedTuple

import pytest

from cba.detection.catalogue import get, load
from demo import Organization, benign_surprises, decoys, events, hidden_attacks, lists
from demo.__main__ import main
from demo.report import compare, report
from lab.replay import APP_DIR, is_shipped_schedule, replay
from lab.searchhead import SearchHead

BACKTESTED = "-30d@d"


class World(NamedTuple):
    """The organization, its findings, its notable events, what backtests of all detections find in the last 30 days,
    and the findings of these days."""

    organization: Organization
    findings: list[Any]
    notables: list[Any]
    backtested: list[Any]
    recent: list[Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The searches run once a day, for two days once an hour."""
    organization = Organization(events_per_day=400)
    folder = tmp_path_factory.mktemp("demo")
    with SearchHead(APP_DIR, folder) as head:
        lists.fill(head, lists.all_rows(organization))
        head.events.add(events(organization))
        first, hourly, again = (int(organization.time(day, "02:00")) for day in (0, 40, 42))
        head.enable(search.name for search in head.scheduler.selected(is_shipped_schedule))
        head.scheduler.replay(first, hourly, "1d", is_shipped_schedule)
        head.scheduler.replay(hourly, again, "1h", is_shipped_schedule)
        findings = replay(head, "1d")
        notables = head.search("search index=notable", latest="+10y").rows
        backtested = [
            row
            for detection in load().detections.values()
            for source in detection.sources
            for row in head.search(
                f'| savedsearch "CBA - {source} - Rows" | cbabacktest detection={detection.id}',
                BACKTESTED,
                "now",
            ).rows
        ]
        recent = head.search(
            "| inputlookup cba_findings | addinfo | where first_time>=info_min_time", BACKTESTED, "now"
        ).rows
    return World(organization, findings, notables, backtested, recent)


def test_every_hidden_attack_is_found_as_its_variation_and_every_decoy_is_silent(world: World) -> None:
    organization, findings = world.organization, world.findings
    attacks, surprises, silent = hidden_attacks(organization), benign_surprises(organization), decoys(organization)
    outcome = compare(findings, attacks, surprises, silent)
    assert (outcome.missed, outcome.other_variation, outcome.decoys, outcome.unexplained) == ([], [], [], [])
    for attack, found in outcome.attacks.items():
        raised = [(f["variation"], f["name"], f["severity"]) for f in found]
        assert raised == [(attack.variation, attack.name, attack.severity)] * attack.findings, attack.id
    assert {surprise.id for _finding, surprise in outcome.surprises} == {surprise.id for surprise in surprises}
    page = report(findings, attacks, surprises, silent)
    assert "found, each as the variation it was made for; 0 missed" in " ".join(page.splitlines()[-4:])
    assert not any(line.startswith("!") for line in page.splitlines())


def test_every_finding_is_one_notable_event(world: World) -> None:
    findings, notables = world.findings, world.notables
    assert sorted(n["finding_id"] for n in notables) == sorted(f["finding_id"] for f in findings)
    shown = {n["finding_id"]: n for n in notables}
    for finding in findings:
        notable = shown[finding["finding_id"]]
        detection = get(finding["detection"])
        entity = finding["key"][detection.deduplicate_by.index(detection.entity)]
        assert notable["rule_title"] == f"{finding['name']}: {entity}"
        if not detection.signals:  # a chain may grow when its alert is out already
            assert notable["rule_description"] == finding["explanation"]
        assert notable["severity"] == finding["severity"]


def test_a_backtest_under_today_s_settings_finds_what_was_found(world: World) -> None:
    """From the raw logs on, for every detection: the same findings with the same counts, without learning anything."""
    names = ("finding_id", "variation", "entity", "count", "explanation")

    def shown(found: Iterable[Any]) -> list[tuple[str, ...]]:
        return sorted(tuple(str(finding[name]) for name in names) for finding in found)

    backtested = [row for row in world.backtested if row.get("finding_id")]
    assert {(row["now"], row["changed"]) for row in backtested} == {("1", "1")}
    assert shown(backtested) == shown(world.recent)
    assert {row["detection"] for row in backtested} == {row["detection"] for row in world.findings}


def test_logs_can_be_written_out_for_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write", str(tmp_path), "--events-per-day", "10"]) == 0
    commands = capsys.readouterr().out.splitlines()
    assert {command.split()[3] for command in commands} == {
        "aws",
        "azure",
        "gcp",
        "kubernetes",
        "m365",
        "gws",
        "endpoint",
    }
    assert all(any(Path(command.split()[4]).rglob("*.json*")) for command in commands)
