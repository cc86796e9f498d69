"""Compute identities in CloudTrail: whose credentials a call used, what an event tells of homes, and where a call went."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any, Callable, Mapping

import pytest

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]

ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/orders"
WEB = "i-0a1b2c3d4e5f60718"
UUID = "2f9d3a52-6c1b-4f0e-9a57-1b2c3d4e5f60"


def session(name: str, context: Mapping[str, Any] = types.MappingProxyType({}), **identity: Any) -> Row:
    """A role's session, as userIdentity; `context` goes into its sessionContext."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/orders/{name}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": ACCOUNT}, **context},
        **identity,
    }


def issued_to(arn: str, kind: str) -> Row:
    return {"inScopeOf": {"issuerType": kind, "credentialsIssuedTo": arn}}


def event(name: str = "DescribeInstances", service: str = "ec2", region: str = "eu-west-1", **more: Any) -> Row:
    return {
        "eventName": name, "eventSource": f"{service}.amazonaws.com", "awsRegion": region, "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "9.9.9.9", "userIdentity": session(WEB), **more,
    }  # fmt: skip


@pytest.fixture
def compute(normalise: Normalise) -> Callable[[Row], Row]:
    """The row of one event after cba_compute."""

    def run(log: Row) -> Row:
        (row,) = normalise("aws", [log])
        return row

    return run


Compute = Callable[[Row], Row]
LAMBDA = {"userAgent": "Boto3/1.34 exec-env/AWS_Lambda_python3.12"}
FEDERATED = {"federatedProvider": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}


@pytest.mark.parametrize(
    ("log", "kind", "workload", "hint"),
    [
        (event(), "compute", WEB, None),
        (event(userIdentity=session("i-786a3A8B", {"ec2RoleDelivery": "2.0"})), "compute", "i-786a3A8B", None),
        (event(userIdentity=session(WEB, **issued_to(f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{WEB}", "AWS::EC2::Instance"))),
         "compute", WEB, "us-east-1"),
        (event(userIdentity=session("orders", **issued_to(f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:orders", "AWS::Lambda::Function"))),
         "lambda", f"{ROLE}/orders", "eu-central-1"),
        (event(userIdentity=session("t", inScopeOf={"issuerType": "AWS::ECS::Task", "sourceArn": f"arn:aws:ecs:eu-west-3:{ACCOUNT}:task/c/{UUID}"})),
         "compute", f"{ROLE}/t", "eu-west-3"),
        (event(userIdentity=session("orders"), **LAMBDA), "lambda", f"{ROLE}/orders", None),
        (event(userIdentity=session("botocore-session-1699999999"), **LAMBDA), "lambda", f"{ROLE}/botocore-session-*", None),
        (event(userIdentity=session("orders")), "role", f"{ROLE}/orders", None),
        (event(userIdentity=session(f"run-{UUID}")), "role", f"{ROLE}/run-*", None),
        (event(userIdentity=session("ci", {"webIdFederationData": FEDERATED})), "role", None, None),
        (event(userIdentity=session("ann@example.com")), "role", None, None),
        (event(userIdentity=session("ann@example.com", {"sourceIdentity": "Ann@Example.com"})), "user", None, None),
        (event(userIdentity=session(WEB), **LAMBDA), "compute", WEB, None),
        (event(userIdentity=session("run=7,job.1")), "role", None, None),
        (event(userIdentity={"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ann", "accountId": ACCOUNT}), "user", None, None),
        (event(userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}), "service", None, None),
    ],
)  # fmt: skip
def test_whose_credentials(log: Row, kind: str, workload: str | None, hint: str | None, compute: Compute) -> None:
    row = compute(log)
    assert (row["identity_type"], row.get("workload"), row.get("home_hint")) == (kind, workload, hint)


def taken(by: str, name: str, **more: Any) -> Row:
    """A service takes a role."""
    return event(
        "AssumeRole", "sts", userIdentity={"type": "AWSService", "invokedBy": by}, sourceIPAddress=by,
        requestParameters={"roleArn": ROLE, "roleSessionName": name}, **more,
    )  # fmt: skip


def launched(*instances: str, **more: Any) -> Row:
    items = [{"instanceId": name, "imageId": "ami-1", "privateIpAddress": "10.0.0.1"} for name in instances]
    done = {"userIdentity": session("deploy"), "responseElements": {"instancesSet": {"items": items}}}
    return event("RunInstances", **{**done, **more})


def created(name: str = "orders", **more: Any) -> Row:
    request = {"requestParameters": {"functionName": name, "role": ROLE, "runtime": "python3.12"}}
    return event("CreateFunction20150331", "lambda", userIdentity=session("deploy"), **{**request, **more})


ITSELF = event("UpdateInstanceInformation", "ssm", requestParameters={"instanceId": WEB})
MANY = [f"i-{n:017x}" for n in range(200)]


@pytest.mark.parametrize(
    ("log", "how", "workloads"),
    [
        (taken("ec2.amazonaws.com", WEB), "AssumeRole by EC2", [WEB]),
        (taken("ec2.amazonaws.com.cn", WEB), "AssumeRole by EC2", [WEB]),
        (taken("ec2.amazonaws.com", "something"), None, []),
        (taken("lambda.amazonaws.com", "orders"), "AssumeRole by Lambda", [ROLE, f"{ROLE}/orders"]),
        (taken("lambda.amazonaws.com", "awslambda_744_20230710122532896"), None, []),
        (taken("lambda.amazonaws.com", "orders", errorCode="AccessDenied"), None, []),
        (taken("rds.amazonaws.com", WEB), None, []),
        (event("AssumeRole", "sts", requestParameters={"roleArn": ROLE, "roleSessionName": WEB}), None, []),
        (launched(WEB), "RunInstances", [WEB]),
        (launched(WEB, "i-1"), "RunInstances", [WEB, "i-1"]),
        (launched(*MANY), "RunInstances", MANY),
        (launched(WEB, userIdentity=session("AutoScaling", invokedBy="autoscaling.amazonaws.com")), "RunInstances", [WEB]),
        (launched(errorCode="Client.DryRunOperation", responseElements=None), None, []),
        (created(), "CreateFunction", [ROLE, f"{ROLE}/orders"]),
        (created(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"), "CreateFunction", [ROLE, f"{ROLE}/orders"]),
        (created(f"report-{ACCOUNT}"), "CreateFunction", [ROLE, f"{ROLE}/report-*"]),
        (created(errorCode="InvalidParameterValueException"), None, []),
        (ITSELF, "UpdateInstanceInformation", [WEB]),
        ({**ITSELF, "requestParameters": None}, "UpdateInstanceInformation", [WEB]),
        ({**ITSELF, "errorCode": "AccessDeniedException"}, None, []),
        ({**ITSELF, "userIdentity": session("mi-0a1b2c3d4e5f60718")}, None, []),
    ],
)  # fmt: skip
def test_what_tells_a_home(log: Row, how: str | None, workloads: list[str], compute: Compute) -> None:
    row = compute(log)
    assert (row.get("home_how"), (row.get("home_of") or "").split()) == (how, workloads)
    assert row.get("home_in") == ("eu-west-1" if how else None)


def test_a_long_launch_is_read_to_its_end() -> None:
    assert len(json.dumps(launched(*MANY))) > 5000


@pytest.mark.parametrize(
    ("service", "name", "logged", "region"),
    [
        ("ec2", "DescribeInstances", "eu-west-1", "eu-west-1"),
        ("iam", "ListRoles", "us-east-1", None),
        ("iam", "ListRoles", "cn-north-1", None),
        ("sts", "GetCallerIdentity", "us-east-1", None),
        ("sts", "GetCallerIdentity", "ap-south-1", "ap-south-1"),
        ("organizations", "ListAccounts", "us-east-1", None),
        ("route53", "ListHostedZones", "us-east-1", None),
        ("route53-recovery-readiness", "ListCells", "us-west-2", None),
        ("route53resolver", "ListResolverRules", "us-east-1", "us-east-1"),
        ("s3", "ListBuckets", "us-east-1", None),
        ("s3", "GetBucketLocation", "us-east-1", None),
        ("s3", "GetBucketAcl", "us-east-1", "us-east-1"),
        ("wafv2", "ListWebACLs", "us-east-1", None),
        ("wafv2", "ListWebACLs", "eu-west-1", "eu-west-1"),
        ("waf-regional", "ListWebACLs", "us-east-1", "us-east-1"),
        ("globalaccelerator", "ListAccelerators", "us-west-2", None),
        ("aws-marketplace", "DescribeAgreement", "us-east-1", None),
    ],
)
def test_where_a_call_went(service: str, name: str, logged: str, region: str | None, compute: Compute) -> None:
    row = compute(event(name, service, logged))
    assert (row.get("region"), row.get("global_service")) == (region, None if region else f"{service}.amazonaws.com")


def test_the_fact_keeps_the_region_of_a_global_service(compute: Compute) -> None:
    """EC2 in us-east-1 takes roles from an endpoint that counts as global for everybody else."""
    assert compute(taken("ec2.amazonaws.com", WEB) | {"awsRegion": "us-east-1"})["home_in"] == "us-east-1"


def test_the_attack_run(shared_data: Path, normalise: Normalise) -> None:
    """The stolen instance and its neighbour: launched, given their roles, and reporting in, all in us-east-1."""
    log = shared_data / "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"
    rows = normalise("aws", list(read_events("aws", [log])))
    told = {(name, row["home_how"], row["home_in"]) for row in rows for name in row.get("home_of", "").split()}
    assert {told_of for told_of in told if told_of[0] == "i-0dbc91f429e48eeed"} == {
        ("i-0dbc91f429e48eeed", how, "us-east-1")
        for how in ("RunInstances", "AssumeRole by EC2", "UpdateInstanceInformation")
    }
    assert {how for _name, how, _region in told} == {
        "RunInstances", "AssumeRole by EC2", "UpdateInstanceInformation", "CreateFunction",
    }  # fmt: skip
    assert {row["workload"] for row in rows if row["identity_type"] == "compute"} == {
        "i-0dbc91f429e48eeed",
        "i-05c30218156bcc246",
    }


def test_impossible_regions_are_passed_on(shared_data: Path, normalise: Normalise) -> None:
    rows = normalise("aws", list(read_events("aws", [shared_data / "aws/stratus"])))
    assert {(row["workload"], row.get("region")) for row in rows if row["identity_type"] == "compute"} == {
        ("i-786a3A8B5C0d92eF4", "us-north-2r"),
    }
