"""The demo's report: the table fits, and its last line tells the truth."""

from __future__ import annotations

import dataclasses
import datetime
import io
from typing import Any

from demo import Organization, benign_surprises, decoys, hidden_attacks
from demo.attacks import BenignSurprise, HiddenAttack
from demo.report import compare, report, terminal

WORLD = Organization()
ATTACKS, SURPRISES, DECOYS = hidden_attacks(WORLD), benign_surprises(WORLD), decoys(WORLD)
LONG = (
    "first time in 30 days for identity X (412 events on 22 days, always from NL, DE); not seen in the organization. "
)


def iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def finding(truth: Any, **changes: Any) -> dict[str, Any]:
    made = {
        "detection": "cloud_unusual_country", "variation": truth.variation, "name": getattr(truth, "name", "alert"),
        "severity": getattr(truth, "severity", "informational"), "identity": truth.identity, "country": truth.country,
        "first_time": iso(truth.first_time), "last_time": iso(truth.first_time + 30), "count": 3,
        "explanation": LONG * 3,
    }  # fmt: skip
    return {**made, **changes}


def test_all_found() -> None:
    text = report([finding(a) for a in ATTACKS], ATTACKS, SURPRISES, DECOYS)
    last = text.splitlines()[-1]
    assert last == f"Hidden attacks (*): {len(ATTACKS)} of {len(ATTACKS)} found, 0 missed; 0 other alerts."
    assert sum(line.startswith("*") for line in text.splitlines()) == len(ATTACKS)


def test_a_missed_attack_is_named() -> None:
    last = report([finding(a) for a in ATTACKS[1:]], ATTACKS).splitlines()[-1]
    assert f"{len(ATTACKS) - 1} of {len(ATTACKS)} found" in last
    assert f"1 missed (backup-key: {ATTACKS[0].identity} from RU)" in last


def test_other_alerts_say_why_they_came() -> None:
    stray = finding(ATTACKS[0], identity="somebody@else.example")
    second_home = next(d for d in DECOYS if d.id == "second-home")
    alarm = finding(
        dataclasses.replace(SURPRISES[0], **{k: getattr(second_home, k) for k in ("identity", "country", "first_time")})
    )
    last = report([finding(SURPRISES[0]), stray, alarm], ATTACKS[:1], SURPRISES, DECOYS).splitlines()[-1]
    assert "0 of 1 found" in last and "3 other alerts" in last
    assert f"1 truly a first time but harmless ({SURPRISES[0].id})" in last
    assert "1 about decoys" in last and "1 unexplained" in last


def test_another_variation_is_found_but_told() -> None:
    last = report([finding(ATTACKS[0], variation="3")], ATTACKS[:1]).splitlines()[-1]
    assert "1 of 1 found, 0 missed; as another variation: backup-key" in last


def test_time_and_country_must_agree() -> None:
    late = finding(ATTACKS[0], first_time=iso(ATTACKS[0].last_time + 7200), last_time=iso(ATTACKS[0].last_time + 7300))
    abroad = finding(ATTACKS[0], country="FR")
    assert compare([late, abroad], ATTACKS[:1]).missed == ATTACKS[:1]
    shouting = finding(ATTACKS[0], identity=ATTACKS[0].identity.upper(), first_time=ATTACKS[0].first_time)
    assert compare([shouting], ATTACKS[:1]).missed == []


def test_a_repeat_belongs_to_its_attack() -> None:
    twice = next(a for a in ATTACKS if a.findings == 2)
    again = finding(twice, first_time=iso(twice.last_time - 300), last_time=iso(twice.last_time))
    outcome = compare([finding(twice), again], ATTACKS)
    assert len(outcome.attacks[twice.id]) == 2 and outcome.others == 0


def test_the_table_fits_and_is_in_order() -> None:
    for width in (72, 100, 200):
        lines = report([finding(a) for a in reversed(ATTACKS)], ATTACKS, width=width).splitlines()[:-1]
        assert max(map(len, lines)) <= width
        times = [line[3:14] for line in lines if line.startswith("*")]
        assert times == sorted(times) and times[0] == "02-05 03:12"


def test_severity_has_a_colour_only_when_asked() -> None:
    findings = [finding(a) for a in ATTACKS]
    assert "\033[" not in report(findings, ATTACKS)
    coloured = report(findings, ATTACKS, colour=True)
    assert "\033[1;31mhigh" in coloured and "\033[33mmedium" in coloured
    assert coloured.replace("\033[0m", "").count("\033[") >= len(ATTACKS)


def test_no_findings_at_all() -> None:
    text = report([], ATTACKS)
    assert text.splitlines()[-1].startswith(f"Hidden attacks (*): 0 of {len(ATTACKS)} found, {len(ATTACKS)} missed")


def test_no_terminal_no_colour() -> None:
    assert terminal(io.StringIO()) == (120, False)


def test_truths_fit_the_calendar() -> None:
    for truth in (*ATTACKS, *SURPRISES, *DECOYS):
        assert WORLD.first_time <= truth.first_time <= truth.last_time <= WORLD.last_time, truth.id
    assert all(a.first_time >= WORLD.day(30).start for a in ATTACKS)
    assert hidden_attacks(Organization(days=30)) == []
    assert all(isinstance(a, HiddenAttack) for a in ATTACKS) and all(isinstance(s, BenignSurprise) for s in SURPRISES)
    ids = [t.id for t in (*ATTACKS, *SURPRISES, *DECOYS)]
    assert len(ids) == len(set(ids))
