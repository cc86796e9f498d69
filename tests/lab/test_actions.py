"""Notable, risk and summary events, and tokens. Sources: see lab/actions.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.actions import Trigger, enabled_actions, fill_tokens, run_actions
from lab.conf import read_conf
from lab.errors import LabError

RISK = [
    {
        "risk_object_field": "user",
        "risk_object_type": "user",
        "risk_score": 60,
        "risk_message": "$user$ from $country$",
    },
    {"risk_object_field": "src", "risk_object_type": "system", "risk_score": 20},
    {"threat_object_field": "ip", "threat_object_type": "ip_address"},
]
CONF = f"""
[CBA - country]
description = Somebody did something.
search = | inputlookup findings
cron_schedule = 5 * * * *
action.correlationsearch.label = CBA - country - Rule
action.correlationsearch.annotations = {{"mitre_attack": ["T1078", "T1535"], "cve": []}}
action.notable = 1
action.notable.param.rule_title = $user$ in $country$ (first: $result.user$)
action.notable.param.rule_description = $name$ at $trigger_time$: $result.a{{}}$$unknown$
action.notable.param.severity = high
action.notable.param.security_domain = identity
action.notable.param.nes_fields = user
action.notable.param.drilldown_searches = [{{"name": "Of $user$", "search": "user=\\"$user$\\""}}]
action.risk = 1
action.risk.param._risk_message = $name$ hit $user$
action.risk.param._risk = {json.dumps(RISK)}
action.summary_index = 1
action.summary_index._name = cba_summary
action.summary_index.report = daily
"""
ROWS: list[dict[str, Any]] = [
    {
        "_time": 50,
        "_raw": "{}",
        "user": 'Zoë "Z"',
        "country": "FR",
        "src": ["h1", "h2"],
        "ip": "1.2.3.4",
        "source": "s",
    },
    {"user": "bob", "country": "DE", "severity": "low", "_hidden": 1},
]


def trigger(tmp_path: Path, conf: str = CONF, rows: list[dict[str, Any]] = ROWS) -> Trigger:
    path = tmp_path / "savedsearches.conf"
    path.write_text(conf)
    stanza = next(iter(read_conf(path).values()))
    return Trigger(stanza, "app", "sid.1", 1000.0, 100.0, None, rows)


def fields(trigger: Trigger, action: str) -> list[dict[str, Any]]:
    return [json.loads(event.raw) for event in run_actions([action], trigger)]


def test_notables(tmp_path: Path) -> None:
    one = trigger(tmp_path)
    assert enabled_actions(one.stanza) == ["notable", "risk", "summary_index"]
    first, second = fields(one, "notable")
    assert first["rule_title"] == 'Zoë "Z" in FR (first: Zoë "Z")'
    assert second["rule_title"] == 'bob in DE (first: Zoë "Z")', "$result.x$ is the first row in digest mode"
    assert first["rule_description"] == "CBA - country at 1000: $unknown$"
    assert (first["severity"], second["severity"]) == ("high", "low"), "a result's own field wins"
    assert first["search_name"] == "CBA - country"
    assert first["rule_name"] == "CBA - country - Rule"
    assert first["security_domain"] == "identity"
    assert first["annotations.mitre_attack"] == "T1078\nT1535"
    assert json.loads(first["drilldown_searches"]) == [{"name": 'Of Zoë "Z"', "search": 'user="Zoë "Z""'}]
    assert (first["orig_time"], first["orig_source"], first["src"]) == (50, "s", "h1\nh2")
    assert (first["orig_sid"], first["orig_rid"], second["orig_rid"]) == ("sid.1", "0", "1")
    assert (first["info_min_time"], first["info_max_time"]) == ("100", "+Infinity")
    assert "_hidden" not in second
    event = run_actions(["notable"], one)[0]
    assert (event.time, event.indextime, event.index, event.sourcetype) == (1000.0, 1000.0, "notable", "stash")
    assert event.source == "CBA - country"


def test_risk(tmp_path: Path) -> None:
    shown = [
        (r["risk_object"], r["risk_object_type"], r["risk_score"], r["risk_message"], r.get("threat_object"))
        for r in fields(trigger(tmp_path), "risk")
    ]
    assert shown == [
        ('Zoë "Z"', "user", 60, 'Zoë "Z" from FR', "1.2.3.4"),
        ("h1", "system", 20, 'CBA - country hit Zoë "Z"', "1.2.3.4"),
        ("h2", "system", 20, 'CBA - country hit Zoë "Z"', "1.2.3.4"),
        ("bob", "user", 60, "bob from DE", None),
    ]


def test_risk_from_results_and_the_clash_of_both(tmp_path: Path) -> None:
    rows = [{"risk_object": "ann", "risk_object_type": "user", "risk_score": 5}]
    with pytest.raises(LabError, match=r"\[CBA - country\] at line \d+: results have risk_object"):
        fields(trigger(tmp_path, rows=rows), "risk")
    bare = trigger(tmp_path, "[x]\nsearch = y\naction.risk = 1\n", rows)
    assert [(r["risk_object"], r["risk_object_type"], r["risk_score"]) for r in fields(bare, "risk")] == [
        ("ann", "user", 5)
    ]
    single = (
        "[x]\nsearch = y\naction.risk = 1\naction.risk.param._risk_object = user\naction.risk.param._risk_score = 7\n"
    )
    found = fields(trigger(tmp_path, single, [{"user": "bob"}]), "risk")
    assert [(r["risk_object"], r["risk_object_type"], r["risk_score"]) for r in found] == [("bob", "other", 7)]


def test_summary_index(tmp_path: Path) -> None:
    events = run_actions(["summary_index"], trigger(tmp_path))
    assert [(e.index, e.time, e.indextime) for e in events] == [
        ("cba_summary", 50.0, 1000.0),
        ("cba_summary", 100.0, 1000.0),
    ]
    assert json.loads(events[0].raw)["report"] == "daily"
    assert json.loads(events[0].raw)["search_name"] == "CBA - country"


def test_tokens() -> None:
    own, first = {"user": "bob", "n": 5.0, "mv": ["a", "b"]}, {"user": "ann", "a{}.b": "x"}
    text = "$user$ $result.user$ $n$ $mv$ $result.none$|$result.a{}.b$|$none$ $name$ 5$ and 6$"
    assert fill_tokens(text, {"name": "N"}, first, own) == "bob ann 5 a\nb ||$none$ N 5$ and 6$"
