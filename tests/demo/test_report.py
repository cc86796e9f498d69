"""The demo's report: the tables fit, and the last line tells the truth."""

from __future__ import annotations

import datetime
import io
import re
from typing import Any

import pytest

from demo import Organization, benign_surprises, decoys, hidden_attacks
from demo.attacks import BenignSurprise, HiddenAttack
from demo.report import compare, report, terminal
from demo.story import ANY

WORLD = Organization()
ATTACKS, SURPRISES, DECOYS = hidden_attacks(WORLD), benign_surprises(WORLD), decoys(WORLD)
STORIES = len({attack.id for attack in ATTACKS})
LONG = (
    "first time in 30 days for identity X (412 events on 22 days, always from NL, DE); not seen in the organization. "
)


def attack_of(story: str, variation: str = "") -> HiddenAttack:
    return next(a for a in ATTACKS if a.id == story and variation in ("", a.variation))


def iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def finding(truth: Any, **changes: Any) -> dict[str, Any]:
    made = {
        "detection": truth.detection, "variation": truth.variation, "name": getattr(truth, "name", "alert"),
        "severity": getattr(truth, "severity", "informational"), "identity": truth.identity, "key": list(truth.key),
        "first_time": iso(truth.first_time), "last_time": iso(truth.first_time + 30), "count": 3,
        "explanation": LONG * 3,
    }  # fmt: skip
    return {**made, **changes}


def verdict(text: str) -> str:
    """The sentence at the end, which may take several lines."""
    return " ".join(text[text.index("Hidden attacks (*)") :].split())


def test_all_found() -> None:
    text = report([finding(a) for a in ATTACKS], ATTACKS, SURPRISES, DECOYS)
    lines = text.splitlines()
    assert verdict(text) == (
        f"Hidden attacks (*): {STORIES} of {STORIES} found, each as the variation it was made for; 0 missed; "
        "0 other alerts."
    )
    assert sum(line.startswith("*") for line in lines) == len(ATTACKS)
    assert sum(line.startswith("-  0") for line in lines) == len(DECOYS)
    assert not any(line.startswith("!") for line in lines)


def test_every_detection_has_a_table_that_names_its_variations() -> None:
    lines = report([finding(a) for a in ATTACKS], ATTACKS, SURPRISES, DECOYS).splitlines()
    start = lines.index("compute_identity_outside_region: 7 of 7 hidden attacks found, 4 of 4 decoys silent")
    table = lines[start : next(at for at in range(start + 1, len(lines)) if "hidden attacks found" in lines[at])]
    headings = [line.split(":")[0] for line in table if line[:2] in ("ba", *(f"v{n}" for n in range(7)))]
    assert headings == ["base, info", "v1, info", "v2, high", "v3, medium", "v4, low", "v5, low", "v6, info"]


def test_a_missed_attack_is_named() -> None:
    gone = attack_of("backup-key")
    text = report([finding(a) for a in ATTACKS if a is not gone], ATTACKS)
    last = verdict(text)
    assert f"{STORIES - 1} of {STORIES} found" in last
    assert f"1 missed (backup-key: cloud_unusual_country v2 about {gone.identity} RU)" in last
    assert [line for line in text.splitlines() if line.startswith("!")] and "MISSED: Stolen key" in text


def test_an_attack_that_raises_several_alerts_needs_all() -> None:
    theft = [a for a in ATTACKS if a.id == "stolen-session"]
    assert len(theft) == 3
    secrets = [finding(attack) for attack in theft if attack.detection == "unusual_secret_management"]
    last = verdict(report(secrets, theft))
    assert "0 of 1 found" in last and "1 missed (stolen-session: cloud_unusual_country v3" in last


def test_other_alerts_say_why_they_came() -> None:
    attack, trip = attack_of("backup-key"), next(s for s in SURPRISES if s.id == "business-trip")
    home = next(d for d in DECOYS if d.id == "second-home")
    alarm = finding(home, variation="v3")
    stray = finding(attack, key=["somebody@else.example", "RU"])
    text = report([finding(trip), stray, alarm], [attack], SURPRISES, DECOYS)
    last = verdict(text)
    assert "0 of 1 found" in last and "3 other alerts" in last
    assert "1 truly a first time but harmless (business-trip)" in last
    assert "1 about decoys that should have stayed silent (second-home)" in last and "1 unexplained" in last
    assert "FALSE ALARM: Back at her" in text and "not explained by anything" in text


def test_a_decoy_may_leave_open_what_of_it_would_be_raised() -> None:
    rule = next(d for d in DECOYS if d.id == "holiday-rule")
    assert rule.key == (rule.identity, ANY)
    alarm = finding(rule, key=[rule.identity, "some-flow"], variation="base")
    assert [decoy.id for _finding, decoy in compare([alarm], ATTACKS, SURPRISES, DECOYS).decoys] == ["holiday-rule"]


def test_another_variation_is_found_but_told() -> None:
    attack = attack_of("backup-key")
    text = report([finding(attack, variation="v3")], [attack])
    assert "1 of 1 found, as another variation: backup-key (v3 instead of v2); 0 missed" in verdict(text)
    assert "MADE FOR v2: Stolen key" in text
    assert not any(line.startswith("*") for line in text.splitlines())


def test_two_alerts_of_one_key_are_told_apart_by_their_variation() -> None:
    grown = [a for a in ATTACKS if a.id == "takeover"]
    assert len({(a.detection, a.key) for a in grown}) == 1
    outcome = compare([finding(a) for a in grown], grown)
    assert (outcome.missed, outcome.other_variation) == ([], [])
    medium = [finding(attack_of("takeover", "v1"), explanation=number) for number in "12"]
    assert compare(medium, grown).missed == [attack_of("takeover", "v3")]


def test_detection_key_and_time_must_agree() -> None:
    attack = attack_of("backup-key")
    late = finding(attack, first_time=iso(attack.last_time + 7200), last_time=iso(attack.last_time + 7300))
    abroad = finding(attack, key=[attack.identity, "FR"])
    elsewhere = finding(attack, detection="compute_identity_outside_region")
    outcome = compare([late, abroad, elsewhere], [attack])
    assert outcome.missed == [attack] and len(outcome.unexplained) == 3


def test_a_repeat_belongs_to_its_attack() -> None:
    twice = attack_of("invoice-fraud")
    again = finding(twice, first_time=iso(twice.last_time - 300), last_time=iso(twice.last_time))
    outcome = compare([finding(twice), again], ATTACKS)
    assert len(outcome.attacks[twice]) == 2 and outcome.others == 0


def test_the_tables_fit_and_are_in_order() -> None:
    mine = [a for a in ATTACKS if (a.detection, a.variation) == ("cloud_unusual_country", "v2")]
    for width in (72, 80, 140, 200):
        lines = report([finding(a) for a in reversed(mine)], mine, width=width).splitlines()
        assert max(map(len, lines)) <= width
        times = [line[3:14] for line in lines if line.startswith("*")]
        assert times == sorted(times) and times[0] == "02-05 03:12" and len(times) == len(mine)


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_cut(width: int) -> None:
    who, why = "arn:aws:iam::432109876543:user/" + "backup-operator-" * 9, "first time in 30 days for everybody " * 30
    attack = attack_of("backup-key")
    text = report([finding(attack, key=[who, "RU"], explanation=f"{why}THE END.")], [], width=width)
    assert max(map(len, text.splitlines())) <= width and "…" not in text
    together = "".join(text.split())
    assert "".join(f"{who}RU".split()).replace("arn:aws:iam::", "aws:") in together and "THEEND." in together


def test_severity_has_a_colour_only_when_asked() -> None:
    findings = [finding(a) for a in ATTACKS]
    plain, coloured = report(findings, ATTACKS), report(findings, ATTACKS, colour=True)
    assert "\033[" not in plain
    assert "v7, \033[1;31mhigh\033[0m: A cloud identity" in coloured and "\033[33mmedium" in coloured
    assert [line.rstrip() for line in re.sub(r"\033\[[0-9;]*m", "", coloured).splitlines()] == plain.splitlines()


def test_no_findings_at_all() -> None:
    last = verdict(report([], ATTACKS))
    assert last.startswith(f"Hidden attacks (*): 0 of {STORIES} found; {len(ATTACKS)} missed")


def test_no_terminal_no_colour() -> None:
    assert terminal(io.StringIO()) == (120, False)


def test_truths_fit_the_calendar() -> None:
    for truth in (*ATTACKS, *SURPRISES, *DECOYS):
        assert WORLD.first_time <= truth.first_time <= truth.last_time <= WORLD.last_time, truth.id
    assert all(a.first_time >= WORLD.day(30).start for a in ATTACKS)
    assert hidden_attacks(Organization(days=30)) == []
    assert all(isinstance(a, HiddenAttack) for a in ATTACKS) and all(isinstance(s, BenignSurprise) for s in SURPRISES)
    told = [(t.id, t.detection, t.key, t.variation) for t in (*ATTACKS, *SURPRISES, *DECOYS)]
    assert len(set(told)) == len(told)
    assert {a.id for a in ATTACKS}.isdisjoint({t.id for t in (*SURPRISES, *DECOYS)})
