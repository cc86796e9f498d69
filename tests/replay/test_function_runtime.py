"""`cloud_function_unusual_runtime` end to end: its AWS scenarios as raw CloudTrail, through the shipped search."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import judges
from tests.scenarios.scenario import Scenario, load
from tests.support.pipeline import Seen

EXACT = {
    "python": "python3.12",
    "java": "java21",
    "nodejs": "nodejs22.x",
    "ruby": "ruby3.3",
    "provided": "provided.al2023",
}
SCENARIOS = [
    scenario
    for scenario in load("cloud_function_unusual_runtime")
    if any(expected.fields["provider"] == "AWS" for expected in scenario.raises) or not scenario.raises
]


def cloudtrail(seen: Seen) -> dict[str, Any]:
    """A Lambda call as CloudTrail writes it: a creation, or an update of the code where there is no runtime."""
    fields = seen.fields
    arn, account = fields["identity"], fields["project"]
    who: dict[str, Any] = {"type": "IAMUser", "arn": arn, "accountId": account, "userName": arn.split("/")[-1]}
    if ":role/" in arn:
        issuer = {"type": "Role", "arn": arn, "accountId": account, "userName": arn.split("/")[-1]}
        session = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/pipeline"
        who = {"type": "AssumedRole", "arn": session, "accountId": account, "sessionContext": {"sessionIssuer": issuer}}
    request: dict[str, Any] = {
        "functionName": fields["function"],
        "role": f"arn:aws:iam::{account}:role/{fields['function']}",
    }
    if fields["package_type"] == "Image":
        request |= {"packageType": "Image", "code": {"imageUri": f"{account}.dkr.ecr.eu-west-1.amazonaws.com/tool:1"}}
    elif "runtime" in fields:
        request |= {"runtime": EXACT[fields["runtime"]], "packageType": "Zip"}
    created = "runtime" in fields
    time = datetime.datetime.fromtimestamp(seen.time, datetime.timezone.utc)
    return {
        "eventVersion": "1.10",
        "userIdentity": who,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateFunction20150331" if created else "UpdateFunctionCode20150331v2",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "84.80.124.7",
        "requestParameters": request,
        "responseElements": {"functionName": fields["function"], "role": request["role"]},
        "eventID": seen.event_id,
        "recipientAccountId": account,
    }


def events(scenario: Scenario) -> list[Event]:
    """The scenario's AWS events; a call that failed stands for what is no candidate."""
    found = []
    for seen in scenario.events:
        if seen.fields["source_kind"] != "aws":
            continue
        log = cloudtrail(seen)
        if seen.field("outcome") != "success":
            log |= {"errorCode": "AccessDeniedException", "responseElements": None}
        found.append(Event(seen.time, seen.time + 300, "main", "aws:cloudtrail", "test", "test", json.dumps(log)))
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_from_raw_logs(scenario: Scenario, tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add(events(scenario))
        findings = replay(head, "1d", enable=judges("aws"))
    today = datetime.datetime.fromtimestamp(scenario.today * 86_400, datetime.timezone.utc).isoformat()
    mine = [f for f in findings if f["detection"] == "cloud_function_unusual_runtime"]
    about = [f for f in mine if f["first_time"] >= today[:10]]
    assert [(f["variation"], f["identity"], str(f["count"])) for f in about] == [
        (e.variation, e.fields["identity"], e.states.get("count", "1")) for e in scenario.raises
    ]
