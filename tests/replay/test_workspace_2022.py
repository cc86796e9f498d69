"""Real input: six months of a Google Workspace, four people, one of whom is NL only until July and everywhere after.

What must be raised is stated independently, by the rules in plain Python (tests/support/oracle.py) over the raw JSON.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from cba.enrich import GeoReader
from lab.events import Event
from lab.ingest import read_events
from lab.logtime import parse_time
from lab.replay import APP_DIR, main, replay
from lab.searchhead import SearchHead
from tests.support.oracle import Call, Raised, findings_of

NO_CALLS = {"login_failure", "login_challenge", "login_verification", "suspicious_login"}
"""Refused sign-ins and what Google says of sign-ins: nobody was let in."""
LOG = "google_workspace/gws_reports_invictus_2022.jsonl"


def calls(path: Path) -> list[Call]:
    country = GeoReader().lookup
    found = []
    for line in path.read_text("utf-8").splitlines():
        log = json.loads(line)
        if {event["name"] for event in log["events"]} <= NO_CALLS:
            continue
        time = parse_time(log["id"]["time"])
        assert time is not None
        geo = country(log.get("ipAddress", ""))
        place = "-" if geo.asn == "15169" else geo.country or "-"
        who = log["actor"].get("email", "").lower()
        if who:
            found.append(Call(time, "gws", log["id"]["customerId"], who, place))
    return found


def iso(time: float) -> str:
    return datetime.datetime.fromtimestamp(int(time), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def brief(findings: list[dict[str, Any]]) -> list[tuple[str, str, str, str, int]]:
    return [(f["first_time"], f["variation"], f["identity"], f["country"], f["count"]) for f in findings]


def expected(raised: list[Raised]) -> list[tuple[str, str, str, str, int]]:
    return [(iso(r.first_time), r.variation, r.identity, r.country, r.count) for r in raised]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[dict[str, Any]]]:
    """The findings of `./dev replay --source gws LOG --out FILE`, run once."""
    cache: dict[Path, list[dict[str, Any]]] = {}

    def run(path: Path) -> list[dict[str, Any]]:
        if path not in cache:
            out = tmp_path_factory.mktemp("workspace") / "findings.jsonl"
            assert main(["--source", "gws", str(path), "--out", str(out)]) == 0
            cache[path] = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        return cache[path]

    return run


def test_exactly_the_findings_that_the_rules_say(shared: Any, found: Any) -> None:
    path = shared(LOG)
    assert brief(found(path)) == expected(findings_of(calls(path)))


def test_nothing_before_the_account_leaves_home(shared: Any, found: Any) -> None:
    assert min(f["first_time"] for f in found(shared(LOG))) >= "2022-07-27"


def test_every_country_outside_nl_that_admin_uses_is_raised(shared: Any, found: Any) -> None:
    mine = [f for f in found(shared(LOG)) if f["identity"] == "admin@cloud-response.com"]
    assert {f["country"] for f in mine} == {"GB", "FR", "SE", "SG", "TH", "US"}
    first = {f["country"]: f["variation"] for f in reversed(mine)}
    assert set(first.values()) == {"v2"}, "each was unknown to the whole organization"


def test_a_finding_carries_what_an_analyst_needs(shared: Any, found: Any) -> None:
    finding = next(f for f in found(shared(LOG)) if f["country"] == "SE")
    assert finding["name"].endswith("from a country that was not seen in the organization")
    assert (finding["severity"], finding["source_kind"], finding["attack"]) == ("medium", "gws", ["TA0001", "T1078"])
    assert finding["explanation"].startswith(
        "Country Sweden: first time in 30 days for identity admin@cloud-response.com (active on 5 of them, always Netherlands);"
    )
    assert finding["suppressed_count"] == finding["count"] - 1
    assert finding["evidence"]["scopes"]["organization"]["country"]["new"] is True
    first, again = (f for f in found(shared(LOG)) if f["country"] == "US")
    assert 0 < again["anomaly_score"] < first["anomaly_score"] <= 100, "the second day is less of a surprise"


def test_hourly_runs_find_the_same(shared: Any, tmp_path: Path) -> None:
    summer = parse_time("2022-07-01T00:00:00Z")
    logs = list(read_events("gws", [shared(LOG)], summer))
    hourly, daily = (findings_at(cadence, logs, tmp_path / cadence) for cadence in ("1h", "1d"))
    assert len(daily) == 9 and hourly == daily


def findings_at(cadence: str, logs: list[Event], folder: Path) -> list[dict[str, Any]]:
    with SearchHead(APP_DIR, folder) as head:
        head.events.add(logs)
        findings = replay(head, cadence, enable=["CBA - gws - Judge"])
    stamped_by_the_run = ("raised_time",)
    return [{name: value for name, value in found.items() if name not in stamped_by_the_run} for found in findings]
