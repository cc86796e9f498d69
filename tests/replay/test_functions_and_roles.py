"""`serverless_execution_iaas` from raw logs to findings, through the shipped search.

The logs are invented, in the shapes that tests/sources/cases/serverless_iaas.yml documents, but for the attack run, which
is real and laid over a generated history of the same account.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any, Callable, Optional

from demo import Organization, addresses, events, lists
from demo.accounts import PROD
from lab.events import Event
from lab.export import iso
from lab.ingest import read_events
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of, judges

DAY = 86_400
FIRST = 20_454 * DAY  # 2026-01-01
TODAY = FIRST + 40 * DAY
ACCOUNT = "111111111111"
OFFICE = "84.80.124.7"
LAMBDA = addresses.in_region("aws/eu-west-1", "lambda")
SOURCETYPES = {"aws": "aws:cloudtrail", "azure": "azure:monitor:activity", "gcp": "google:gcp:pubsub:message"}
Log = dict[str, Any]
Made = tuple[int, str, Log]
"""When an event happened, its source and its text."""


def at(day: int, clock: str) -> int:
    """The second of a time of day, counted from `TODAY`."""
    hour, minute, second = (*map(int, clock.split(":")), 0)[:3]
    return TODAY + day * DAY + hour * 3600 + minute * 60 + second


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def user(name: str) -> Log:
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT, "userName": name}


def session(name: str, function: str = "") -> Log:
    """A session of a role, of a Lambda function's where one is named."""
    who: Log = {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{function or 's'}", "accountId": ACCOUNT,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role(name)}}}  # fmt: skip
    if function:
        issued = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{function}"
        who["inScopeOf"] = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": issued}
    return who


def aws(time: int, who: Log, call: str, source: str = OFFICE, error: Optional[str] = None, **request: Any) -> Made:
    service, name = call.split(":")
    log = {
        "eventVersion": "1.10", "eventTime": iso(time), "eventID": f"{time}-{name}-{who['arn']}-{json.dumps(request)}",
        "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": source,
        "recipientAccountId": ACCOUNT, "userIdentity": who, "requestParameters": request, "errorCode": error,
    }  # fmt: skip
    return time, "aws", {key: value for key, value in log.items() if value is not None}


def create(time: int, who: Log, function: str, role_name: str) -> Made:
    return aws(
        time, who, "lambda:CreateFunction20150331", functionName=function, runtime="python3.12", role=role(role_name)
    )


def update(time: int, who: Log, function: str, role_name: str, error: Optional[str] = None) -> Made:
    made, source, log = aws(time, who, "lambda:UpdateFunctionCode20150331v2", error=error, functionName=function)
    return made, source, {**log, "responseElements": {"functionName": function, "role": role(role_name)}}


def attach(time: int, who: Log, role_name: str, policy: str) -> Made:
    return aws(time, who, "iam:AttachRolePolicy", roleName=role_name, policyArn=f"arn:aws:iam::aws:policy/{policy}")


def azure(time: int, who: str, operation: str, resource: str, body: str = "") -> Made:
    log = {
        "time": iso(time), "Caller": who, "CallerIpAddress": OFFICE, "OperationNameValue": operation, "ActivityStatusValue": "Success",
        "EventDataId": f"{time}-{operation}", "ResourceId": f"/subscriptions/s-1/{resource}", "Properties": json.dumps({"requestbody": body}),
    }  # fmt: skip
    return time, "azure", log


def gcp(time: int, who: str, service: str, method: str, resource: str, labels: Log, **payload: Any) -> Made:
    log = {
        "insertId": f"{time}-{method}", "timestamp": iso(time), "logName": "projects/p-1/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"labels": {"project_id": "p-1", **labels}},
        "protoPayload": {"serviceName": f"{service}.googleapis.com", "methodName": method, "resourceName": resource,
                         "authenticationInfo": {"principalEmail": who}, "requestMetadata": {"callerIp": OFFICE}, **payload},
    }  # fmt: skip
    return time, "gcp", log


def gcp_function(time: int, who: str, name: str, account: str) -> Made:
    path = f"projects/p-1/locations/europe-west1/functions/{name}"
    request = {"function": {"runtime": "nodejs22", "serviceAccountEmail": account}}
    method = "google.cloud.functions.v1.CloudFunctionsService.UpdateFunction"
    return gcp(
        time, who, "cloudfunctions", method, path, {"region": "europe-west1", "function_name": name}, request=request
    )


CI, DEV, IVAN = session("ci"), user("dev"), user("ivan")


def weekly(day: int, name: str) -> list[Made]:
    """A pipeline makes a role and a function."""
    return [
        aws(at(day, "09:00"), CI, "iam:CreateRole", roleName=f"{name}-role"),
        attach(at(day, "09:00:05"), CI, f"{name}-role", "AWSLambdaBasicExecutionRole"),
        create(at(day, "09:00:20"), CI, name, f"{name}-role"),
    ]


PAST = [event for week in range(1, 6) for event in weekly(-7 * week, f"report-{week}")]
for _day in range(-40, 0):
    if _day % 7 == 2:
        PAST += [
            update(at(_day, "10:00"), DEV, "shop", "shop"),
            azure(at(_day, "10:00"), "paul@example.com", "Microsoft.Web/sites/functions/write", "resourceGroups/x/providers/Microsoft.Web/sites/billing/functions/f"),
            gcp_function(at(_day, "10:00"), "grace@example.com", "mailer", "mailer@p-1.iam.gserviceaccount.com"),
        ]  # fmt: skip
    PAST += [
        aws(at(_day, "12:00"), session("shop", "shop"), "secretsmanager:GetSecretValue", LAMBDA, secretId="shop/db"),
        aws(at(_day, "12:30"), IVAN, "lambda:Invoke", functionName="shop"),
    ]


def found(folder: Path, today: list[Made], **rows: list[dict[str, str]]) -> list[Log]:
    """What the search finds from `TODAY` on; `rows` are what people have put into lists."""
    with SearchHead(APP_DIR, folder) as head:
        lists.fill(head, rows)
        head.events.add(
            [
                Event(time, time + 300, "main", SOURCETYPES[source], "t", "t", json.dumps(log))
                for time, source, log in [*PAST, *today]
            ]
        )
        replay(head, "1d", enable=judges("aws", "azure", "gcp"))
        findings = findings_of(head, "serverless_execution_iaas")
    return [finding for finding in findings if float(finding["first_time"]) >= TODAY]


def told(findings: list[Log]) -> list[tuple[str, ...]]:
    """Variation, severity, who and which function, when (UTC), and the kinds of signals."""
    return [
        (f["variation"], f["severity"], *json.loads(f["key"]), iso(f["first_time"])[5:16], f["chain_signals"])
        for f in findings
    ]


def steps(finding: Log) -> list[str]:
    """The timeline of a finding, without its dates and full identities."""
    return [
        entry.split("T", 1)[1].replace(f"arn:aws:iam::{ACCOUNT}:", "")
        for entry in finding["chain_timeline"].split("; ")
    ]


EVE = user("eve")
TOOL = f"{ACCOUNT}/eu-west-1/tool"
ATTACK = [
    aws(at(0, "10:00"), EVE, "iam:CreateRole", roleName="tool-role", path="/service-role/"),
    attach(at(0, "10:00:10"), EVE, "tool-role", "AdministratorAccess"),
    aws(at(0, "10:00:20"), EVE, "lambda:CreateFunction20150331", error="InvalidParameterValueException", functionName="tool", role=role("service-role/tool-role")),
    create(at(0, "10:00:30"), EVE, "tool", "service-role/tool-role"),
    aws(at(0, "10:05"), EVE, "lambda:Invoke", functionName="tool"),
    aws(at(0, "10:05:02"), session("service-role/tool-role", "tool"), "iam:CreateUser", LAMBDA, userName="backup"),
    aws(at(0, "10:05:03"), session("service-role/tool-role", "tool"), "iam:AttachUserPolicy", LAMBDA, error="AccessDenied"),
    aws(at(0, "15:00"), session("service-role/tool-role", "tool"), "s3:ListBuckets", OFFICE),
]  # fmt: skip


def test_a_function_with_a_powerful_role_that_makes_a_user(tmp_path: Path) -> None:
    findings = found(tmp_path, [*weekly(0, "report-0"), *ATTACK])
    eve = f"arn:aws:iam::{ACCOUNT}:user/eve"
    assert told(findings) == [
        ("v1", "medium", eve, TOOL, "02-10T10:00", "A B"),
        ("v3", "high", eve, TOOL, "02-10T10:05", "A B C"),
    ]
    assert steps(findings[1]) == [
        "10:00:00Z Privilege: CreateRole for 111111111111/tool-role by user/eve",
        "10:00:10Z Privilege: AttachRolePolicy AdministratorAccess for 111111111111/tool-role by user/eve",
        "10:00:30Z Deployment: created 111111111111/eu-west-1/tool with role 111111111111/tool-role by user/eve",
        "10:05:02Z Unusual use: CreateUser by role/service-role/tool-role",
        "15:00:00Z Unusual use: calls from outside its region by role/service-role/tool-role",
    ]
    assert findings[1]["explanation"].startswith(
        "2026-02-10T10:00:00Z Privilege: CreateRole for 111111111111/tool-role by "
    )
    assert "Deployment of functions: identity " in findings[1]["explanation"]


def test_an_allowed_function(tmp_path: Path) -> None:
    assert (
        found(tmp_path, ATTACK, allowed_functions=[{"project": "1111*", "function": "too*", "comment": "theirs"}]) == []
    )


def test_a_weekly_pipeline_and_the_usual_are_silent(tmp_path: Path) -> None:
    today = [
        *weekly(0, "report-0"),
        update(at(0, "10:00"), DEV, "shop", "shop"),
        aws(at(0, "12:00"), session("shop", "shop"), "secretsmanager:GetSecretValue", LAMBDA, secretId="shop/db"),
        aws(at(0, "12:30"), IVAN, "lambda:Invoke", functionName="report-0"),
        aws(at(0, "12:31"), DEV, "lambda:Invoke", functionName="shop"),
        update(at(0, "13:00"), user("intern"), "shop", "shop", error="AccessDenied"),
    ]
    assert found(tmp_path, today) == []


def test_unusual_uses_of_what_a_known_person_deployed(tmp_path: Path) -> None:
    """One a day, far enough from each other, and each by itself what makes it a finding."""
    shop = f"{ACCOUNT}/eu-west-1/shop"
    partner = {
        "type": "AWSAccount",
        "principalId": "AROAX:s",
        "accountId": "999999999999",
        "arn": "arn:aws:sts::999999999999:assumed-role/p/s",
    }
    uses = [
        [aws(at(0, "12:00"), session("shop", "shop"), "secretsmanager:GetSecretValue", LAMBDA, secretId=f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:pay/root-AbCdEf")],
        [aws(at(6, "12:00"), user("eve"), "lambda:Invoke", functionName="shop")],
        [aws(at(12, "12:00"), partner, "lambda:Invoke", functionName=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop")],
        [aws(at(18, "12:14:55") + 2 * n, DEV, "lambda:Invoke", functionName="shop") for n in range(10)],
    ]  # fmt: skip
    deployed = [update(at(6 * n, "11:00"), DEV, "shop", "shop") for n in range(len(uses))]
    findings = found(tmp_path, [*deployed, *(event for use in uses for event in use)])
    dev = f"arn:aws:iam::{ACCOUNT}:user/dev"
    assert told(findings) == [
        ("v2", "medium", dev, shop, "02-10T12:00", "A C"),
        ("v2", "medium", dev, shop, "02-16T12:00", "A C_invoked"),
        ("v2", "medium", dev, shop, "02-22T12:00", "A C_invoked"),
        ("v2", "medium", dev, shop, "02-28T12:15", "A C_repeated"),
    ]
    assert [steps(finding)[1] for finding in findings[:3]] == [
        "12:00:00Z Unusual use: GetSecretValue pay/root by role/shop",
        f"12:00:00Z Invocation by somebody new: invoked {shop} by user/eve",
        f"12:00:00Z Invocation by somebody new: invoked {shop} by arn:aws:iam::999999999999:role/p",
    ]


def test_azure(tmp_path: Path) -> None:
    """The role assignment says that the subscription has a new owner, not who the function app runs as."""
    body = json.dumps(
        {
            "Properties": {
                "PrincipalId": "P-1",
                "RoleDefinitionId": "/x/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
            }
        }
    )
    today = [
        azure(at(0, "10:00"), "Paul@example.com", "Microsoft.Web/sites/config/write", "resourceGroups/x/providers/Microsoft.Web/sites/billing/config/appsettings"),
        azure(at(0, "10:10"), "Paul@example.com", "Microsoft.Authorization/roleAssignments/write", "providers/Microsoft.Authorization/roleAssignments/1", body),
        azure(at(0, "11:00"), "alice@example.com", "Microsoft.Web/sites/functions/write", "resourceGroups/x/providers/Microsoft.Web/sites/other/functions/f"),
    ]  # fmt: skip
    findings = found(tmp_path, today)
    assert told(findings) == [
        ("v1", "medium", "paul@example.com", "s-1/billing", "02-10T10:10", "A B"),
        ("base", "low", "alice@example.com", "s-1/other", "02-10T11:00", "A"),
    ]
    assert steps(findings[0])[1] == (
        "10:10:00Z Privilege: roleAssignments/write 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 (Owner) for p-1 by paul@example.com"
    )


def test_google(tmp_path: Path) -> None:
    account = "mailer@p-1.iam.gserviceaccount.com"
    delta = {"bindingDeltas": [{"action": "ADD", "role": "roles/owner", "member": f"serviceAccount:{account}"}]}
    today = [
        gcp_function(at(0, "10:00"), "grace@example.com", "mailer", account),
        gcp(at(0, "10:10"), "admin@example.com", "cloudresourcemanager", "SetIamPolicy", "projects/p-1", {}, serviceData={"policyDelta": delta}),
        gcp(at(0, "10:40"), account, "iam", "google.iam.admin.v1.CreateServiceAccountKey", "projects/-/serviceAccounts/1", {"email_id": account}),
    ]  # fmt: skip
    findings = found(tmp_path, today)
    mailer = "p-1/europe-west1/mailer"
    assert told(findings) == [
        ("v1", "medium", "grace@example.com", mailer, "02-10T10:10", "A B"),
        ("v3", "high", "grace@example.com", mailer, "02-10T10:40", "A B C"),
    ]
    assert steps(findings[1])[1:] == [
        f"10:10:00Z Privilege: SetIamPolicy roles/owner for {account} by admin@example.com",
        f"10:40:00Z Unusual use: CreateServiceAccountKey by {account}",
    ]


LOG = "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"
ATTACKED = "123837392027"


def test_the_attack_run_over_a_history_of_the_same_account(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """Two functions, each created seconds after its role by somebody who never made either: A and B, Medium. Nothing of
    the roles' or the functions' use is in the log, so no more. Of the roles that are not for functions, one even with
    AdministratorAccess, nothing is said here. Their runtimes, Node.js and Python, are the account's own: the detection of
    unusual runtimes is silent."""
    history = Organization(days=31, start=datetime.date(2023, 6, 9), events_per_day=600)
    past = [
        dataclasses.replace(event, raw=event.raw.replace(PROD, ATTACKED)) for event in events(history, attacks=False)
    ]
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add(past)
        head.events.add(read_events("aws", [shared(LOG)]))
        replay(head, "1d", enable=judges("aws", "azure", "gcp"))
        recent = {"first_time": {"$gte": 1_688_947_200}, "project": ATTACKED, "detection": "serverless_execution_iaas"}
        findings = head.kv.collection("cba_findings").find(recent)
        (usual,) = head.kv.collection("cba_history").find({"profile": "project_runtime", "entity": ATTACKED})
    findings.sort(key=lambda finding: float(finding["first_time"]))
    attacker, place = f"arn:aws:iam::{ATTACKED}:user/bert-jan", f"{ATTACKED}/us-east-1/stratus-red-team"
    assert told(findings) == [
        ("v1", "medium", attacker, f"{place}-backdoor-f-func", "07-10T12:25", "A B"),
        ("v1", "medium", attacker, f"{place}-olc-func-xhfgzaowxc", "07-10T12:26", "A B"),
    ]
    assert [int(float(finding["count"])) for finding in findings] == [1, 3], "the second one's code was changed twice"
    backdoor, overwritten = (
        f"{ATTACKED}/stratus-red-team-{name}" for name in ("backdoor-f-lambda", "olc-lambda-xhfgzaowxc")
    )
    assert [steps(finding) for finding in findings] == [
        [
            f"12:25:24Z Privilege: CreateRole for {backdoor} by {attacker}",
            f"12:25:33Z Deployment: created {place}-backdoor-f-func with role {backdoor} by {attacker}",
        ],
        [
            f"12:26:37Z Privilege: CreateRole for {overwritten} by {attacker}",
            f"12:26:49Z Deployment: created {place}-olc-func-xhfgzaowxc with role {overwritten} by {attacker}",
        ],
    ]
    assert set(json.loads(usual["values"])) >= {"nodejs", "python"}
