"""`./dev attest` against the lab's own REST server: what it agrees with, what it reports, what it leaves behind."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cba.detection.catalogue import load as load_catalogue
from cba.settings import CONF, defaults
from cba.terms import SOURCES
from lab.conf import load_app
from lab.remote import Remote, RemoteError
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from tests.attest.__main__ import AGREEMENT, DISAGREEMENT, IMPOSSIBLE, main
from tests.attest.cases import PREFIX, renamed
from tests.attest.outcome import AGREES, DISAGREES, NOT_RUN
from tests.attest.scenarios import check_clean, collections, emptied, judging, searches_of
from tests.scenarios.scenario import load_all
from tests.spl.harness import Case, load_cases
from tests.support.effort import MANY

ROOT = Path(__file__).resolve().parents[2]
DETECTIONS = load_catalogue().detections
CASES = load_cases()
DEFAULTS = defaults()["detections"]
COUNTRY = "cloud_unusual_country"
LEARNED = {"_key": "x", "profile": "organization_country", "entity": "organization", "last_day": 1, "values": "{}"}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    with SearchHead(ROOT, tmp_path / "state") as head:
        yield head


def attest(head: SearchHead, *arguments: str, events: bool = False, **given: Sequence[Any]) -> tuple[int, list[Any]]:
    """The exit code, and the outcomes of the JSON report (none when there is no report)."""
    report = head.state_dir / "report.json"
    uri = head.splunkd.uri
    collector = ["--index", "main", "--hec", uri, "--hec-token", head.collector.token] if events else []
    code = main(["--splunk", uri, "--password", PASSWORD, "--json", str(report), *collector, *arguments], **given)
    return code, json.loads(report.read_text("utf-8"))["outcomes"] if report.exists() else []


def connected(head: SearchHead) -> Remote:
    return Remote.connect(head.splunkd.uri, USERNAME, PASSWORD)


def named(outcomes: list[Any], verdict: str) -> list[str]:
    return [outcome["name"] for outcome in outcomes if outcome["verdict"] == verdict]


def leftovers(head: SearchHead) -> list[str]:
    """Whatever attesting may have left: stanzas, lookup files, documents."""
    stanzas = [name for conf in head.app.conf_names() for name in head.app.stanzas(conf) if PREFIX in name]
    files = [str(path) for path in head.state_dir.rglob("*") if PREFIX in path.name]
    documents = [name for name in head.kv.names() if PREFIX in name or head.kv.collection(name).find()]
    return [*stanzas, *files, *documents]


def settings(head: SearchHead) -> dict[str, str]:
    """What stands in the settings that a scenario may change."""
    stanza = connected(head).service.confs[CONF]["detections"]
    return {name: stanza[name] for name in DEFAULTS}


# -- agreement --------------------------------------------------------------------------------------------------------


def test_every_case_that_can_be_asked_agrees(head: SearchHead, capsys: pytest.CaptureFixture[str]) -> None:
    code, outcomes = attest(head, "--only", "cases", "--yes", events=True)
    assert code == AGREEMENT, capsys.readouterr().out
    assert len(outcomes) == len(CASES)
    assert {outcome["why"] for outcome in outcomes if outcome["verdict"] == NOT_RUN} == {
        case.unattested for case in CASES if case.unattested
    }
    asked = sum(not case.unattested for case in CASES)
    assert len(named(outcomes, AGREES)) == asked
    out, progress = capsys.readouterr()
    assert f"cases: {asked} of {len(CASES)} tried on Splunk 9.4.3: {asked} agree" in out
    assert f"{len(CASES)} of {len(CASES)}" in progress
    assert leftovers(head) == []


@pytest.mark.parametrize("detection", DETECTIONS)
def test_every_scenario_of_a_detection_agrees(
    head: SearchHead, detection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a usual run every fourth: all of them are tried without REST in tests/scenarios."""
    shipped = settings(head)
    mine = [scenario for scenario in load_all() if scenario.detection == detection][:: 1 if MANY else 4]
    code, outcomes = attest(head, "--only", "scenarios", "--yes", scenarios=mine)
    assert code == AGREEMENT, capsys.readouterr().out
    assert named(outcomes, AGREES) == [scenario.id for scenario in mine]
    assert leftovers(head) == []
    assert settings(head) == shipped


# -- disagreement -----------------------------------------------------------------------------------------------------


def falsified(case: Case) -> Case:
    assert case.expect
    return dataclasses.replace(case, expect=[{**case.expect[0], "n": "wrong"}, *case.expect[1:]])


def test_a_wrong_case_is_reported_and_only_it(head: SearchHead, capsys: pytest.CaptureFixture[str]) -> None:
    at = next(n for n, case in enumerate(CASES) if case.rows and case.expect and not (case.lookups or case.macros))
    cases = [falsified(case) if n == at else case for n, case in enumerate(CASES)]
    code, outcomes = attest(head, "--only", "cases", cases=cases)
    assert code == DISAGREEMENT
    (wrong,) = [outcome for outcome in outcomes if outcome["verdict"] == DISAGREES]
    assert wrong["name"].endswith(CASES[at].name)
    assert wrong["expected"] != wrong["found"]
    out = capsys.readouterr().out
    assert out.count("disagrees: case") == 1
    assert CASES[at].source in out
    assert "1 disagree" in out


def test_a_search_that_should_fail_and_does_not_is_reported(head: SearchHead) -> None:
    (case,) = [case for case in CASES if case.error and "condition cannot be assigned" in case.name]
    harmless = dataclasses.replace(case, spl="| eval b=1")
    assert case.status == "documented"
    code, outcomes = attest(head, "--only", "cases", cases=[case, harmless])
    assert code == DISAGREEMENT
    assert [outcome["verdict"] for outcome in outcomes] == [AGREES, DISAGREES]
    # Where only the lab refuses, nobody is misled: told, but no disagreement.
    code, outcomes = attest(head, "--only", "cases", cases=[dataclasses.replace(harmless, status="assumed")])
    assert code == AGREEMENT
    assert [outcome["verdict"] for outcome in outcomes] == ["stricter"]


@pytest.mark.parametrize("change", [{"variation": "v1"}, {"first_time": 1}, {"says": ("no such words",)}, None])
def test_a_wrong_scenario_is_reported_and_only_it(head: SearchHead, change: Any) -> None:
    right = [scenario for scenario in load_all() if scenario.detection == COUNTRY and scenario.raises][:2]
    one = right[0].raises[0]
    assert one.variation != "v1"
    raises = () if change is None else (dataclasses.replace(one, **change), *right[0].raises[1:])
    code, outcomes = attest(
        head, "--only", "scenarios", "--yes", scenarios=[dataclasses.replace(right[0], raises=raises), right[1]]
    )
    assert code == DISAGREEMENT
    assert [outcome["verdict"] for outcome in outcomes] == [DISAGREES, AGREES]
    assert leftovers(head) == []


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        (f"{COUNTRY}: variation 6, an identity on the watch list", "lists"),
        ("compute_identity_outside_region: the setting failed_calls_escalate lets 2 win over 6", "settings"),
    ],
)
def test_the_lists_and_settings_of_a_scenario_hold_while_it_runs(head: SearchHead, name: str, left_out: str) -> None:
    (scenario,) = (each for each in load_all() if each.id == name)
    without = dataclasses.replace(scenario, **{left_out: {}})
    code, outcomes = attest(head, "--only", "scenarios", "--yes", scenarios=[scenario, without])
    assert code == DISAGREEMENT
    assert [outcome["verdict"] for outcome in outcomes] == [AGREES, DISAGREES]


# -- what is written --------------------------------------------------------------------------------------------------


def test_nothing_is_written_without_leave(head: SearchHead) -> None:
    code, outcomes = attest(head)
    assert code == AGREEMENT
    assert len(named(outcomes, AGREES)) > len(CASES) / 2
    assert not [outcome for outcome in outcomes if outcome["what"] == "scenario" and outcome["verdict"] != NOT_RUN]
    reading = re.compile(r"GET |POST /services/auth/login|POST \S*/search/v2/jobs/(\S+/(results|control))?$")
    assert [request for request in head.splunkd.requests if not reading.match(request)] == []
    assert len(head.events) == 0


def test_a_system_that_has_learned_is_left_alone(head: SearchHead, capsys: pytest.CaptureFixture[str]) -> None:
    head.kv.collection("cba_history").batch_save([LEARNED])
    code, outcomes = attest(head, "--yes", "--match", COUNTRY)
    assert code == IMPOSSIBLE
    assert {outcome["verdict"] for outcome in outcomes} == {NOT_RUN}
    assert "the app has data there, in cba_history" in capsys.readouterr().out
    assert [document["_key"] for document in head.kv.collection("cba_history").find()] == ["x"]


def test_a_system_with_an_enabled_search_is_left_alone(head: SearchHead, capsys: pytest.CaptureFixture[str]) -> None:
    name = "CBA - aws - Judge"
    connected(head).service.confs["savedsearches"][name].submit({"disabled": "0"})
    code, outcomes = attest(head, "--yes", "--match", COUNTRY)
    assert (code, {outcome["verdict"] for outcome in outcomes}) == (IMPOSSIBLE, {NOT_RUN})
    assert f"1 of the app's searches are enabled there, '{name}' for one" in capsys.readouterr().out


def test_who_writes_in_between_loses_nothing(head: SearchHead) -> None:
    remote, app = connected(head), load_app(ROOT, ROOT / "no-local")
    check_clean(remote, app)
    head.kv.collection("cba_history").batch_save([LEARNED])
    with pytest.raises(RemoteError, match=r"somebody else writes to cba_history"), emptied(remote, app):
        raise AssertionError("a scenario would run here")
    assert [document["_key"] for document in head.kv.collection("cba_history").find()] == ["x"]


def test_a_case_whose_lookup_cannot_be_made_is_not_tried(head: SearchHead) -> None:
    head.splunkd.fail("POST .*configs/conf-transforms", 403)
    case = next(case for case in CASES if case.lookups and case.expect)
    code, (outcome,) = attest(head, "--yes", "--only", "cases", cases=[case])
    assert (code, outcome["verdict"]) == (AGREEMENT, NOT_RUN)
    assert outcome["why"].startswith("what it needs could not be made: HTTP 403")
    assert leftovers(head) == []


def test_what_cannot_be_asked_is_said(head: SearchHead, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["--splunk", head.splunkd.uri, "--password", "wrong"], "login failed"),
        (["--splunk", "https://127.0.0.1:1", "--password", "x"], "no answer"),
        (["--splunk", head.splunkd.uri, "--match", "no such name"], "has 'no such name' in its name"),
    ):
        assert main(arguments) == IMPOSSIBLE
        assert words in capsys.readouterr().err


# -- rendering --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "becomes"),
    [
        ("| lookup t a OUTPUT b", "| lookup cba_attest_t a OUTPUT b"),
        ("| inputlookup append=true t", "| inputlookup append=true cba_attest_t"),
        ("| inputlookup t.csv", "| inputlookup cba_attest_t.csv"),
        ("| append [ | inputlookup t ]", "| append [ | inputlookup cba_attest_t ]"),
        ("| outputlookup t key_field=t", "| outputlookup cba_attest_t key_field=t"),
        ('| eval x="| inputlookup t"', '| eval x="| inputlookup t"'),
        ("| lookup tt t", "| lookup tt t"),
        ("| eval p=`m`, q=`m(z)`", "| eval p=`cba_attest_m`, q=`cba_attest_m(z)`"),
        ('| eval p="`m`"', '| eval p="`m`"'),
        ("| eval p=`mm`", "| eval p=`mm`"),
    ],
)
def test_a_cases_own_objects_get_names_nobody_else_has(search: str, becomes: str) -> None:
    made = Case("f.yml", "n", "", [], "", "", lookups={"t": {}}, macros={"m": {}, "m(1)": {}})
    assert renamed(made, search) == becomes


def test_a_scenario_enters_where_its_rows_are_complete() -> None:
    app = load_app(ROOT, ROOT / "no-local")
    assert set(collections(app)) >= {"cba_findings", "cba_history"}
    assert [judging(app, source) for source in SOURCES] == [f"cbajudge source={source}" for source in SOURCES]


def test_each_source_of_a_scenario_has_a_search() -> None:
    app = load_app(ROOT, ROOT / "no-local")
    for scenario in load_all():
        searches = searches_of(scenario, DETECTIONS[scenario.detection], app)
        told = {event.source for event in scenario.events}
        assert [search.rpartition("source=")[2] for search in searches] == [name for name in SOURCES if name in told]
