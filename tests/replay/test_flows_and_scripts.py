"""`serverless_execution_office` and `serverless_execution_saas` from raw records to findings, through the shipped searches.

The records are invented, in the shapes that tests/sources/cases/serverless_*.yml document.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from demo import lists
from lab.events import Event
from lab.export import iso
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of, judges

DAY = 86_400
FIRST = 20_454 * DAY  # 2026-01-01
TODAY = FIRST + 40 * DAY
SOURCETYPES = {"office": "o365:management:activity", "saas": "gws:reports:drive"}
Log = dict[str, Any]


def at(day: int, clock: str) -> int:
    """The second of a time of day, counted from `TODAY`."""
    hour, minute = clock.split(":")
    return TODAY + day * DAY + int(hour) * 3600 + int(minute) * 60


def office(time: int, user: str, operation: str, workload: str, **more: Any) -> tuple[int, Log]:
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return time, {
        "CreationTime": created, "Id": f"{time}-{operation}-{user}", "OrganizationId": "t-1", "UserType": 0, "UserKey": user,
        "UserId": user, "Workload": workload, "Operation": operation, "ResultStatus": "Success", "ClientIP": "84.80.124.7",
        **more,
    }  # fmt: skip


def flow(time: int, user: str, name: str, connectors: str, operation: str = "CreateFlow") -> tuple[int, Log]:
    url = f"https://admin.powerplatform.microsoft.com/environments/Default-t-1/flows/{name}/flowDetails"
    return office(time, user, operation, "MicrosoftFlow", FlowDetailsUrl=url, FlowConnectorNames=connectors)


def rule(time: int, user: str, to: str) -> tuple[int, Log]:
    parameters = [{"Name": "Name", "Value": "."}, {"Name": "ForwardTo", "Value": to}]
    return office(
        time, user, "New-InboxRule", "Exchange", Parameters=parameters, OrganizationName="example.onmicrosoft.com"
    )


def workspace(time: int, user: str, application: str, event: str, **parameters: Any) -> tuple[int, Log]:
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    pairs = [{"name": k, "multiValue" if isinstance(v, list) else "value": v} for k, v in parameters.items()]
    return time, {
        "kind": "admin#reports#activity",
        "id": {"time": moment, "uniqueQualifier": f"{time}", "applicationName": application, "customerId": "C01"},
        "actor": {"callerType": "USER", "email": user, "profileId": user},
        "ipAddress": "84.80.124.7",
        "events": [{"type": "access", "name": event, "parameters": pairs}],
    }


def found(folder: Path, which: str, logs: list[tuple[int, Log]], **rows: list[dict[str, str]]) -> list[Log]:
    """What the detection's search finds from `TODAY` on; `rows` are what people have put into lists."""
    with SearchHead(APP_DIR, folder) as head:
        lists.fill(head, rows)
        kind = SOURCETYPES[which]
        head.events.add([Event(time, time + 300, "main", kind, "test", "test", json.dumps(log)) for time, log in logs])
        replay(head, "1d", enable=judges({"office": "m365", "saas": "gws"}[which]))
        findings = findings_of(head, f"serverless_execution_{which}")
    return [finding for finding in findings if float(finding["first_time"]) >= TODAY]


def told(findings: list[Log]) -> list[tuple[str, ...]]:
    """Variation, severity, whom and what it is about, when (UTC), and how often."""
    return [
        (f["variation"], f["severity"], *json.loads(f["key"]), iso(f["first_time"])[5:16], str(int(float(f["count"]))))
        for f in findings
    ]


def steps(finding: Log) -> list[str]:
    """The timeline of a finding, without its times and who did what."""
    return [entry.split(" ", 1)[1].rpartition(" by ")[0] for entry in finding["chain_timeline"].split("; ")]


PAST = [
    event
    for day in range(-40, 0)
    for event in (
        office(at(day, "09:00"), "ann@example.com", "FileAccessed", "SharePoint", ObjectId="https://x/plan.docx"),
        flow(at(day, "10:00"), "maker@it.example.com", "f-1", "SharePoint, Approvals", "EditFlow"),
    )
]


def test_a_flow_that_sends_mail_away(tmp_path: Path) -> None:
    logs = [
        *PAST,
        flow(at(0, "10:00"), "ann@example.com", "F-9", "Office 365 Outlook, HTTP, SharePoint"),
        rule(at(0, "11:00"), "Ann@Example.com", "bob@example.onmicrosoft.com"),
        rule(at(0, "12:00"), "ann@example.com", "Eve@Evil.example"),
    ]
    findings = found(tmp_path, "office", logs)
    assert told(findings) == [
        ("v3", "medium", "ann@example.com", "f-9", "02-10T10:00", "2"),
        ("v1", "high", "ann@example.com", "f-9", "02-10T12:00", "1"),
    ]
    at_once, later = steps(findings[1])[:3], steps(findings[1])[3:]
    assert sorted(at_once) == [
        "Flow created or edited: CreateFlow f-9 (office 365 outlook, http, sharepoint)",
        "Suspicious action: http in flow f-9 (calls any web address)",
        "Suspicious action: office 365 outlook in flow f-9 (reads and sends mail)",
    ]
    assert later == [
        "Forwarded or shared: New-InboxRule to bob@example.onmicrosoft.com",
        "Forwarded or shared, outside the organization: New-InboxRule to Eve@Evil.example",
    ]


def test_the_makers_of_flows_are_left_alone(tmp_path: Path) -> None:
    """UserContext knows people of the IT department; own_domains a second name of the organization."""
    logs = [
        *PAST,
        flow(at(0, "10:00"), "maker@it.example.com", "f-1", "Approvals, SharePoint", "EditFlow"),
        flow(at(0, "11:00"), "maker@it.example.com", "f-1", "SharePoint, HTTP", "EditFlow"),
        flow(at(1, "10:00"), "bob@example.com", "f-7", "SharePoint"),
        rule(at(1, "10:30"), "bob@example.com", "bob@example.org"),
    ]
    context = [{"identity": "*@it.example.com", "comment": "they build flows"}]
    findings = found(tmp_path, "office", logs, user_context=context, own_domains=[{"domain": "*example.org"}])
    assert told(findings) == [
        ("v3", "medium", "maker@it.example.com", "f-1", "02-10T11:00", "1"),
        ("base", "informational", "bob@example.com", "f-7", "02-11T10:00", "1"),
        ("v2", "medium", "bob@example.com", "f-7", "02-11T10:30", "1"),
    ]


def script(time: int, user: str, name: str, title: str) -> tuple[int, Log]:
    return workspace(time, user, "drive", "edit", doc_id=name, doc_type="script", doc_title=title, visibility="private")


def grant(time: int, user: str, app: str, *scopes: str) -> tuple[int, Log]:
    urls = [f"https://www.googleapis.com/auth/{scope}" for scope in scopes]
    return workspace(time, user, "token", "authorize", client_id="1-a", app_name=app, client_type="WEB", scope=urls)


def call(time: int, user: str, client: str, method: str) -> tuple[int, Log]:
    return workspace(time, user, "token", "activity", client_id=client, app_name=client, method_name=method)


WORKSPACE_PAST = [
    event
    for day in range(-40, 0)
    for event in (
        call(at(day, "09:00"), "ann@example.com", "calendar-app", "calendar.events.list"),
        call(at(day, "09:00"), "bob@example.com", "mail-app", "gmail.users.messages.list"),
    )
]


def test_a_script_that_others_let_run(tmp_path: Path) -> None:
    logs = [
        *WORKSPACE_PAST,
        script(at(0, "10:00"), "ann@example.com", "s-1", "Holiday calendar"),
        call(at(0, "10:10"), "ann@example.com", "calendar-app", "calendar.events.list"),
        grant(at(0, "11:00"), "bob@example.com", "Holiday calendar", "script.scriptapp", "gmail.readonly"),
        grant(at(0, "12:00"), "carol@example.com", "Holiday calendar", "script.scriptapp", "script.external_request"),
        script(at(2, "10:00"), "bob@example.com", "s-2", "Untitled project"),
    ]
    findings = found(tmp_path, "saas", logs)
    assert told(findings) == [
        ("base", "low", "ann@example.com", "s-1", "02-10T11:00", "1"),
        ("v1", "high", "ann@example.com", "s-1", "02-10T12:00", "2"),
    ]
    timeline = findings[1]["chain_timeline"]
    assert timeline.startswith(
        "2026-02-10T10:00:00Z Script created or changed: edit Holiday calendar by ann@example.com; "
    )
    trigger = "Bound to events of users: Holiday calendar granted https://www.googleapis.com/auth/script.scriptapp"
    assert timeline.count(trigger) == 2
    assert "Abnormal call or share: Holiday calendar granted" in timeline


def test_scripts_that_are_meant_to_be(tmp_path: Path) -> None:
    """ScriptScope knows one script by its id and another application by its client; a third is nobody's."""
    logs = [
        *WORKSPACE_PAST,
        script(at(0, "10:00"), "ann@example.com", "s-1", "Reports"),
        grant(at(0, "10:05"), "ann@example.com", "Reports", "script.scriptapp", "script.external_request"),
        script(at(3, "10:00"), "bob@example.com", "s-3", "Mails"),
        call(at(3, "10:30"), "bob@example.com", "crm-app", "drive.files.get"),
        call(at(3, "11:00"), "bob@example.com", "other-app", "drive.files.get"),
    ]
    scope = [{"script": "s-1", "comment": "our reports"}, {"script": "crm-app *", "comment": "our CRM"}]
    assert told(found(tmp_path, "saas", logs, script_scope=scope)) == [
        ("v2", "medium", "bob@example.com", "s-3", "02-13T11:00", "1")
    ]
