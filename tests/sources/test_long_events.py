"""Events beyond Splunk's automatic extraction keep their meaning.

limits.conf [spath] extraction_cutoff (5,000 bytes by default) bounds automatic JSON extraction; spath with a path is
not bounded: https://help.splunk.com/splunk-enterprise/spl-search-reference/9.0/search-commands/spath
"""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]
PADDING = {"padding": "x" * 6000}
JUDGED_BY = (
    "identity",
    "identity_type",
    "project",
    "session",
    "access_key",
    "operation",
    "service",
    "outcome",
    "error_code",
    "src_ip",
    "vpc_endpoint",
    "event_id",
    "skip_reason",
    "action",
    "function",
    "runtime",
    "runtime_exact",
    "package_type",
    "role",
)

EVENTS: dict[str, tuple[str, str, Row]] = {
    "aws": (
        "aws",
        "aws:cloudtrail",
        {
            "eventID": "e-1",
            "eventName": "X",
            "eventSource": "x",
            "errorCode": "AccessDenied",
            "sourceIPAddress": "198.51.100.7",
            "vpcEndpointId": "vpce-1",
            "recipientAccountId": "1",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::1:assumed-role/r/s",
                "principalId": "A:s",
                "accessKeyId": "K",
                "sessionContext": {"ec2RoleDelivery": "2.0", "sessionIssuer": {"arn": "arn:aws:iam::1:role/p/r"}},
            },
        },
    ),
    "aws service": (
        "aws",
        "aws:cloudtrail",
        {
            "eventID": "e-2",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/b", "invokedBy": "x.amazonaws.com"},
        },
    ),
    "aws function": (
        "aws",
        "aws:cloudtrail",
        {
            "awsRegion": "eu-west-1",
            "eventID": "e-3",
            "eventName": "CreateFunction20150331",
            "eventSource": "lambda.amazonaws.com",
            "requestParameters": {
                "functionName": "f",
                "runtime": "python3.12",
                "role": "arn:aws:iam::1:role/r",
                "packageType": "Zip",
            },
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/b"},
        },
    ),
    "azure sign-in columns": (
        "azure",
        "azure:monitor:aad",
        {
            "OperationName": "Sign-in activity",
            "UserPrincipalName": "A@example.com",
            "IPAddress": "198.51.100.7",
            "ResultType": "50126",
            "AADTenantId": "t",
            "Id": "i-1",
            "UniqueTokenIdentifier": "u",
        },
    ),
    "azure sign-in": (
        "azure",
        "azure:monitor:aad",
        {
            "operationName": "Sign-in activity",
            "resultType": "0",
            "callerIpAddress": "198.51.100.7",
            "resourceId": "/tenants/t/x",
            "properties": {"userPrincipalName": "A@example.com", "id": "i-2"},
        },
    ),
    "gcp": (
        "gcp",
        "google:gcp:pubsub:message",
        {
            "protoPayload": {
                "authenticationInfo": {"principalEmail": "a@example.com"},
                "serviceName": "x",
                "methodName": "m",
                "requestMetadata": {"callerIp": "198.51.100.7"},
                "status": {"code": 7},
            },
            "resource": {"labels": {"project_id": "p"}},
            "insertId": "i",
        },
    ),
    "gcp function": (
        "gcp",
        "google:gcp:pubsub:message",
        {
            "insertId": "i",
            "operation": {"first": True},
            "protoPayload": {
                "authenticationInfo": {"principalEmail": "a@example.com"},
                "serviceName": "cloudfunctions.googleapis.com",
                "methodName": "google.cloud.functions.v2.FunctionService.UpdateFunction",
                "resourceName": "projects/p/locations/l/functions/f",
                "request": {
                    "updateMask": {"paths": ["buildConfig.runtime", "buildConfig.source"]},
                    "function": {
                        "buildConfig": {"runtime": "go122"},
                        "serviceConfig": {"serviceAccountEmail": "r@p.iam.gserviceaccount.com"},
                    },
                },
            },
            "resource": {"labels": {"project_id": "p", "region": "l"}},
        },
    ),
    "gcp end of an operation": (
        "gcp",
        "google:gcp:pubsub:message",
        {
            "insertId": "i",
            "operation": {"last": True},
            "protoPayload": {
                "authenticationInfo": {"principalEmail": "a@example.com"},
                "serviceName": "cloudfunctions.googleapis.com",
                "methodName": "google.cloud.functions.v2.FunctionService.CreateFunction",
            },
        },
    ),
    "gcp Cloud Run function": (
        "gcp",
        "google:gcp:pubsub:message",
        {
            "insertId": "i",
            "protoPayload": {
                "authenticationInfo": {"principalEmail": "a@example.com"},
                "serviceName": "run.googleapis.com",
                "methodName": "google.cloud.run.v1.Services.CreateService",
                "resourceName": "namespaces/p/services/f",
                "request": {
                    "service": {
                        "metadata": {
                            "annotations": {
                                "run.googleapis.com/build-base-image": "x/google-22/runtimes/go122",
                                "run.googleapis.com/build-function-target": "main",
                            }
                        },
                        "spec": {"template": {"spec": {"serviceAccountName": "r@p.iam.gserviceaccount.com"}}},
                    }
                },
            },
            "resource": {"labels": {"project_id": "p", "location": "l"}},
        },
    ),
    "gcp in data": (
        "gcp",
        "google:gcp:pubsub:message",
        {
            "data": {
                "protoPayload": {
                    "authenticationInfo": {"principalEmail": "a@example.com"},
                    "serviceName": "x",
                    "methodName": "m",
                    "requestMetadata": {"callerIp": "198.51.100.7"},
                },
                "resource": {"labels": {"project_id": "p"}},
                "insertId": "i",
            }
        },
    ),
    "kubernetes": (
        "kubernetes",
        "kube:apiserver:audit",
        {
            "auditID": "a",
            "verb": "get",
            "user": {"username": "ann", "extra": {"accessKeyId": ["K"]}},
            "sourceIPs": ["10.0.0.1", "198.51.100.7"],
            "objectRef": {"resource": "pods"},
            "responseStatus": {"code": 403},
        },
    ),
    "kubernetes in CloudWatch": (
        "kubernetes",
        "aws:cloudwatchlogs",
        {
            "logGroup": "/aws/eks/c/cluster",
            "message": json.dumps(
                {
                    "apiVersion": "audit.k8s.io/v1",
                    "auditID": "a",
                    "verb": "get",
                    "user": {"username": "ann"},
                    "sourceIPs": ["198.51.100.7"],
                }
            ),
        },
    ),
    "kubernetes in GKE": (
        "kubernetes",
        "google:gcp:pubsub:message",
        {
            "protoPayload": {
                "serviceName": "k8s.io",
                "methodName": "m",
                "authenticationInfo": {"principalEmail": "ann"},
                "requestMetadata": {"callerIp": "198.51.100.7"},
            },
            "resource": {"labels": {"project_id": "p", "cluster_name": "c"}},
            "insertId": "i",
        },
    ),
    "m365": (
        "m365",
        "o365:management:activity",
        {
            "UserId": "A@example.com",
            "UserType": 0,
            "ClientIP": "198.51.100.7:1",
            "OrganizationId": "t",
            "Id": "i",
            "Operation": "UserLoginFailed",
            "LogonError": "E",
            "Workload": "w",
        },
    ),
    "gws": (
        "gws",
        "gws:reports:login",
        {
            "actor": {"email": "a@example.com"},
            "ipAddress": "198.51.100.7",
            "id": {"uniqueQualifier": "1", "time": "t", "applicationName": "login", "customerId": "C"},
            "events": [{"name": "login_failure"}],
        },
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_what_stands_behind_the_cutoff_is_read(name: str, normalise: Normalise) -> None:
    source, sourcetype, event = EVENTS[name]
    (short,) = normalise(source, [event], sourcetype)
    (long,) = normalise(source, [{**PADDING, **event}], sourcetype)
    assert long["_raw"].index("x" * 6000) < 100, "the padding must come first"
    assert {field: long.get(field) for field in JUDGED_BY} == {field: short.get(field) for field in JUDGED_BY}
    assert short["identity"]
    assert ("function" in short) == name.endswith("function")


def test_a_long_audit_event_inside_a_message(normalise: Normalise) -> None:
    audit = {
        "apiVersion": "audit.k8s.io/v1",
        **PADDING,
        "auditID": "a",
        "verb": "get",
        "user": {"username": "ann"},
        "sourceIPs": ["198.51.100.7"],
    }
    (row,) = normalise(
        "kubernetes", [{"message": json.dumps(audit), "logGroup": "/aws/eks/c/cluster"}], "aws:cloudwatchlogs"
    )
    assert (row["identity"], row["src_ip"], row["project"], row["event_id"]) == ("ann", "198.51.100.7", "c", "a")


def test_the_cutoff_is_there(normalise: Normalise) -> None:
    """Without it the tests above would prove nothing: a field nobody reads by path is indeed not extracted."""
    (row,) = normalise("aws", [{**PADDING, "eventVersion": "1.08", "userIdentity": {"type": "Root", "accountId": "1"}}])
    assert "eventVersion" not in row and row["identity"] == "arn:aws:iam::1:root"


def test_real_sign_ins_are_long(shared_data: Any, normalise: Normalise) -> None:
    events = list(read_events("azure", [shared_data / "azure/entra_signinlogs_msticpy.jsonl"]))
    assert sum(len(event.raw) > 5000 for event in events) == 44
    assert all("identity" in row and "src_ip" in row for row in normalise("azure", events))
