"""Triage end to end: logs in, findings out, an analyst's searches, and what the shipped searches do from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from cba.store.breakers import BreakerCollection
from lab.errors import LabError
from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead

DAY = 86_400
START = 1_767_225_600  # 2026-01-01
ACCOUNT = "111111111111"
ADDRESSES = {"NL": "194.109.6.66", "RU": "77.88.8.8"}
ADA, BOB = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("ada", "bob"))
JUDGE = "CBA - aws - Judge"
OTHER = "CBA - gcp - Judge"
LAST_DAY = 20
NOON = 12 * 3600


def call(arn: str, day: int, second: int, country: str) -> Event:
    time = START + day * DAY + second
    log = {
        "eventVersion": "1.08", "eventID": f"{arn}{time}", "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-west-1",
        "eventName": "DescribeInstances", "eventTime": f"2026-01-01T{second // 3600:02}:00:00Z",
        "recipientAccountId": ACCOUNT, "sourceIPAddress": ADDRESSES[country], "userAgent": "aws-cli",
        "userIdentity": {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": arn.split("/")[-1]},
    }  # fmt: skip
    return Event(float(time), time + 60.0, "main", "aws:cloudtrail", "trail", "h", json.dumps(log))


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    """Twenty days of ada and bob in NL; on the last, ada is in RU."""
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add([call(who, day, NOON, "NL") for day in range(LAST_DAY) for who in (ADA, BOB)])
        head.events.add([call(ADA, LAST_DAY, NOON, "RU")])
        run_until(head, LAST_DAY + 1)
        yield head


def run_until(head: SearchHead, day: int) -> None:
    """The searches of the logs of AWS and GCP, day by day up to the start of `day`, as scheduled at 03:00 the next day."""
    head.enable([JUDGE, OTHER])
    head.scheduler.replay(START, START + day * DAY + 4 * 3600, "1d")


def rows(head: SearchHead, spl: str, day: int = LAST_DAY + 1) -> list[dict[str, Any]]:
    return head.search(spl, earliest=START, latest=START + day * DAY, now=START + day * DAY).rows


def findings(head: SearchHead) -> list[dict[str, Any]]:
    return sorted(head.kv.collection("cba_findings").find(), key=lambda finding: finding["first_time"])


def health(head: SearchHead, day: int = LAST_DAY + 1, options: str = "") -> dict[str, dict[str, Any]]:
    found = rows(head, f"| cbahealth detection=cloud_unusual_country {options}", day)
    return {row["source"]: row for row in found}


def test_a_verdict_on_a_finding(head: SearchHead) -> None:
    (finding,) = findings(head)
    assert (finding["identity"], finding["country"], finding["variation"]) == (ADA, "RU", "v2")
    name = finding["finding_id"]
    (row,) = rows(head, f'| cbaverdict finding={name} verdict=benign comment="moved there"')
    assert (row["finding_id"], row["verdict"], row["status"], row["owner"]) == (name, "benign", "closed", "admin")
    assert (row["profile"], row["entity"], row["value"]) == ("identity_country", ADA, "RU")
    (shown,) = rows(head, "| inputlookup cba_findings | `cba_triage`")
    assert (shown["verdict"], shown["status"], shown["comment"]) == ("benign", "closed", "moved there")
    assert (shown["owner"], shown["triaged_by"], shown["earlier_verdicts"]) == ("admin", "admin", "[]")
    head.events.add([call(ADA, LAST_DAY + 1, NOON, "RU"), call(BOB, LAST_DAY + 1, NOON + 60, "RU")])
    run_until(head, LAST_DAY + 2)
    assert [finding["identity"] for finding in findings(head)] == [ADA, BOB], "benign for ada only"
    (known,) = [row for row in rows(head, f'| cbahistory entity="{ADA}"', LAST_DAY + 2) if row["value"] == "RU"]
    assert (known["verdict"], known["established"]) == ("benign", "1")
    assert rows(head, "| inputlookup cba_verdicts | table entity value verdict decided_by comment") == [
        {"entity": ADA, "value": "RU", "verdict": "benign", "decided_by": "admin", "comment": "moved there"}
    ]


def test_a_verdict_on_every_finding_of_a_search(head: SearchHead) -> None:
    judged = rows(
        head, '| inputlookup cba_findings | where country="RU" | cbaverdict verdict=malicious scope=organization'
    )
    assert [(row["verdict"], row["status"]) for row in judged] == [("malicious", "in progress")]
    assert judged[0]["judged"] == "organization_country of organization: RU"
    assert judged[0]["explanation"] and judged[0]["identity"] == ADA, "the rows keep their fields"
    for day in range(LAST_DAY + 1, LAST_DAY + 5):
        head.events.add([call(ADA, day, NOON, "RU")])
    run_until(head, LAST_DAY + 5)
    assert [finding["variation"] for finding in findings(head)] == ["v2"] * 5, "never established for anybody"


def test_a_verdict_on_a_value_before_anybody_was_there(head: SearchHead) -> None:
    (row,) = rows(head, '| cbaverdict profile=organization_country value=BR verdict=benign comment="new office"')
    assert (row["profile"], row["entity"], row["value"], row["verdict"]) == (
        "organization_country", "organization", "BR", "benign",
    )  # fmt: skip
    rows(head, "| cbaverdict profile=identity_country entity=nobody value=BR verdict=malicious")
    assert any("nobody has no identity_country yet" in text for _c, _l, text in head.commands.messages)


@pytest.mark.parametrize(
    ("spl", "words"),
    [
        ("| cbaverdict finding=none verdict=benign", "there is no finding none"),
        ("| cbaverdict finding=none verdict=good", "verdict=good is not one of benign, malicious, clear"),
        ("| cbaverdict profile=x_y entity=a value=b verdict=benign", "there is no profile x_y; the profiles are "),
        ("| cbaverdict profile=identity_country finding=f verdict=clear", "not both"),
        ("| cbaverdict profile=identity_country entity=a value=b scope=project verdict=clear", "a profile names its scope"),
        ("| makeresults | cbaverdict verdict=benign", "field finding_id of row 1 is empty"),
        ("| makeresults | eval finding_id=\"x{}\" | cbaverdict verdict=benign", "there is no finding x{}"),
        ("| cbaacknowledge detection=cloud_unusual_country", "the breaker of cloud_unusual_country is not open; there is nothing to acknowledge"),
        ("| cbaacknowledge detection=nothing", "there is no 'nothing'; the detections are "),
        ("| cbahealth silent_after=soon", "silent_after=soon is not a whole number of days"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(head: SearchHead, spl: str, words: str) -> None:
    before = head.kv.collection("cba_verdicts").find(), findings(head)
    with pytest.raises(LabError) as error:
        rows(head, spl)
    assert words in str(error.value)
    assert (head.kv.collection("cba_verdicts").find(), findings(head)) == before


def test_health_tells_what_is_active_and_what_is_not_and_why(head: SearchHead) -> None:
    aws = health(head)["aws"]
    assert (aws["state"], aws.get("reason", ""), aws["breaker"]) == ("active", "", "closed")
    assert (aws["first_day"], aws["last_day"], aws["days_silent"]) == ("2026-01-01", "2026-01-21", "1")
    counts = ("identity_trained", "identity_untrained", "project_trained", "organization_trained", "history_documents")
    assert [aws[name] for name in counts] == ["2", "0", "1", "1", "4"]
    assert (aws["breaker_threshold"], aws["matches_24h"]) == ("5000", "1")
    assert int(aws["history_bytes"]) > 400 and "DB-IP" in aws["ip_attribution"] and aws["ip_database_date"]
    gcp = health(head)["gcp"]
    assert gcp["state"] == "no data" and gcp["reason"].startswith("no event has been learned")


def test_health_at_another_time(head: SearchHead) -> None:
    waiting = health(head, 10)["aws"]
    assert (waiting["state"], waiting["days_to_activation"]) == ("waiting", "4")
    assert waiting["reason"] == "source inactive: first event 2026-01-01, active from 2026-01-15"
    behind = health(head, LAST_DAY + 4)["aws"]
    assert behind["state"] == "behind" and behind["reason"].startswith(
        "judged up to 2026-01-22T03:45:00Z of index time"
    )
    run_until(head, LAST_DAY + 4)
    silent = health(head, LAST_DAY + 4)["aws"]
    assert (silent["state"], silent["reason"]) == ("silent", "no event since 2026-01-21, for 4 days")
    assert health(head, LAST_DAY + 4, "silent_after=5")["aws"]["state"] == "active"
    assert "identity_trained" not in health(head, LAST_DAY + 1, "entities=false")["aws"], "not counted"
    assert health(head, LAST_DAY + 1, "entities=false")["aws"]["state"] == "active"


def test_health_of_what_is_off(head: SearchHead) -> None:
    """Off by its search or by a setting, and how many of the variations raise alerts: all as splunkd has it by then."""
    assert [health(head)["aws"][name] for name in ("alerts_on", "alerts")] == ["0", "8"]
    base = "CBA - API call from unusual country - Base (informational)"
    head.enable([base])
    assert health(head)["aws"]["alerts_on"] == "1"
    head.splunkd.endpoints.edit("cloud_behavior_analytics_settings", {"sources": {"aws_enabled": "0"}})
    found = health(head)
    reason = "source aws is switched off: change that on the page Configuration"
    assert (found["aws"]["state"], found["aws"]["reason"], found["gcp"]["state"]) == ("off", reason, "no data")
    head.splunkd.endpoints.edit("savedsearches", {JUDGE: {"disabled": "1"}})
    found = health(head)
    reason = f"the search {JUDGE} is disabled: enable it under Reports"
    assert (found["aws"]["state"], found["gcp"]["state"]) == ("off", "no data")
    assert found["aws"]["reason"] == f"{reason}; source aws is switched off: change that on the page Configuration"
    head.splunkd.endpoints.edit("savedsearches", {OTHER: {"disabled": "0", "enableSched": "0"}})
    assert health(head)["gcp"]["reason"] == f"the search {OTHER} has no schedule: give it one under Reports"
    switches = {"detections": {"cloud_unusual_country_enabled": "0"}}
    head.splunkd.endpoints.edit("cloud_behavior_analytics_settings", switches)
    assert health(head)["azure"]["reason"].endswith(
        "the detection is switched off: change that on the page Configuration"
    )


def test_a_replay_leaves_enabled_what_it_ran(tmp_path: Path) -> None:
    """Also for whoever looks at its state later, such as ./dev serve."""
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add([call(ADA, 0, NOON, "NL")])
        replay(head, "1d", enable=[JUDGE, OTHER])
    with SearchHead(APP_DIR, tmp_path) as head:
        found = {(row["detection"], row["source"]): row["state"] for row in rows(head, "| cbahealth", 1)}
    assert (found["cloud_unusual_country", "aws"], found["cloud_unusual_country", "gcp"]) == ("waiting", "no data")
    assert {state for (_, source), state in found.items() if source not in ("aws", "gcp")} == {"off"}


def test_a_source_whose_organization_has_nothing_to_compare_with(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add([call(ADA, day, NOON, "NL") for day in (0, 19, 20)])
        run_until(head, LAST_DAY + 1)
        aws = health(head)["aws"]
    assert aws["state"] == "learning"
    assert aws["reason"].startswith("organization untrained: country seen on 3 days since 2026-01-01; needs 5 days")


def test_the_breaker_from_opening_to_acknowledgement(head: SearchHead, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a threshold of 3: five colleagues appear in RU within 24 hours of ada."""
    from cba.detection import catalogue

    detection = catalogue.load().detections["cloud_unusual_country"]
    monkeypatch.setitem(detection.__dict__, "breaker", 3)
    people = [f"arn:aws:iam::{ACCOUNT}:user/p{n}" for n in range(5)]
    head.events.add([call(who, LAST_DAY + 1, 40_000 + 60 * n, "RU") for n, who in enumerate(people)])
    run_until(head, LAST_DAY + 2)
    raised = [finding for finding in findings(head) if finding["variation"] != "breaker"]
    assert [finding["identity"] for finding in raised] == [ADA, *people[:2]], "ada's was the first of the three"
    said = [text for command, level, text in head.commands.messages if (command, level) == ("cbajudge", "WARN")]
    assert said == [
        "cbajudge: cloud_unusual_country matched 3 times within the 24 hours to 2026-01-22T11:07:40Z and raises no more "
        "findings of severity medium or less; what is more severe is still raised, and it goes on learning. Find out "
        "why, then run | cbaacknowledge detection=cloud_unusual_country"
    ]
    aws = health(head, LAST_DAY + 2)["aws"]
    assert (aws["state"], aws["breaker"], aws["breaker_opened"]) == ("breaker open", "open", "2026-01-22T11:07:40Z")
    assert aws["reason"].endswith("of severity medium or less until | cbaacknowledge detection=cloud_unusual_country")
    # The finding says it, too, and an alert of its own raises it, once.
    (said_so,) = [finding for finding in findings(head) if finding["variation"] == "breaker"]
    assert (said_so["name"], said_so["severity"]) == ("Too many findings: " + detection.name, "medium")
    (alert,) = rows(head, "| cbaalerts variation=breaker", LAST_DAY + 2)
    assert (alert["finding_id"], alert["entity"]) == (said_so["finding_id"], "organization")
    (case,) = rows(head, f"| cbaverdict finding={said_so['finding_id']} verdict=benign", LAST_DAY + 2)
    assert (case["status"], case.get("values", "")) == ("closed", ""), "it teaches nothing"
    assert aws["identity_untrained"] == "5", "all of them have been learned"

    (row,) = rows(head, '| cbaacknowledge detection=cloud_unusual_country comment="known"', LAST_DAY + 2)
    assert (row["opened"], row["resumes"]) == ("2026-01-22T11:07:40Z", "2026-01-23T00:15:00Z")
    assert (row["acknowledged_by"], row["comment"]) == ("admin", "known")
    assert health(head, LAST_DAY + 2)["aws"]["state"] == "active"
    state = BreakerCollection(_service(head), "cloud_unusual_country", "aws").load()
    assert [(each.by, each.comment) for each in state.acknowledged] == [("admin", "known")]
    head.events.add([call(BOB, LAST_DAY + 2, NOON, "RU")])
    run_until(head, LAST_DAY + 3)
    raised = [finding for finding in findings(head) if finding["variation"] != "breaker"]
    assert [finding["identity"] for finding in raised] == [ADA, *people[:2], BOB], "it raises again"


def _service(head: SearchHead) -> Any:
    from splunklib import client

    return client.Service(
        scheme="http", host="127.0.0.1", port=head.splunkd.port, app="cloud_behavior_analytics", owner="nobody",
        token=head.splunkd.session_key,
    )  # fmt: skip


def test_in_a_process_of_its_own(head: SearchHead) -> None:
    """The same commands over a pipe, with the reply to getinfo saying generating or streaming."""
    (finding,) = findings(head)
    head.commands.mode = "process"
    (row,) = rows(head, f"| cbaverdict finding={finding['finding_id']} verdict=benign")
    assert row["verdict"] == "benign"
    (row,) = rows(head, "| inputlookup cba_findings | cbaverdict verdict=clear | table verdict status judged")
    assert (row.get("verdict", ""), row["status"]) == ("", "new")
    assert health(head)["aws"]["state"] == "active"
