"""What an attacker may choose does not hide anything: each attempt beside the one that chose nothing, from raw logs through
the shipped searches.

Everybody has worked from one place for weeks; on the last day somebody calls from Russia, under a name or in a way that
an attacker may choose.
"""

from __future__ import annotations

import datetime
import itertools
import json
from typing import Any, Iterator

import pytest

from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of, judges

COUNTRY, REGION = "cloud_unusual_country", "compute_identity_outside_region"
ACCOUNT, NETWORK, OTHERS = "111111111111", "222222222222", "999999999999"
NL, RU, BR, AMAZON = "145.15.0.1", "77.88.8.8", "200.160.0.1", "3.225.16.109"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
DAYS = 30
IDS = itertools.count(1)
Row = dict[str, Any]


def event(day: float, sourcetype: str, log: Row, source: str = "log") -> Event:
    time = (START + datetime.timedelta(days=day)).timestamp()
    return Event(time, time + 60, "main", sourcetype, source, "h", json.dumps(log))


# ---- AWS ---------------------------------------------------------------------------------------------------------------


def aws(day: float, who: Row, address: str, **more: Any) -> Event:
    log = {
        "eventVersion": "1.10", "eventID": f"a-{next(IDS)}", "eventName": "DescribeTags", "eventSource": "ec2.amazonaws.com",
        "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT, "sourceIPAddress": address, "userIdentity": who, **more,
    }  # fmt: skip
    return event(day, "aws:cloudtrail", log)


def user(name: str, path: str = "/") -> Row:
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user{path}{name}", "accountId": ACCOUNT}


def session(role: str, name: str, path: str = "/", **more: Any) -> Row:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{role}", "accountId": ACCOUNT}
    return {
        "type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}", "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer, **more},
    }  # fmt: skip


def sso(name: str) -> Row:
    return session("AWSReservedSSO_Dev_0123456789abcdef", name, "/aws-reserved/sso.amazonaws.com/")


def instance(role: str) -> Row:
    return session(role, f"i-{ROLES.index(role) + 1:017x}", ec2RoleDelivery="2.0")


def endpoint(account: str) -> Row:
    return {"vpcEndpointId": "vpce-1", "vpcEndpointAccountId": account}


ROLES = ("plain", "agent", "elsewhere", "within", "hub")


def compute() -> Iterator[Event]:
    taken = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    for role in ROLES:
        request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "roleSessionName": instance(role)["arn"][-19:]}
        yield aws(0, taken, "ec2.amazonaws.com", eventName="AssumeRole", eventSource="sts.amazonaws.com", requestParameters=request)  # fmt: skip
        for day in range(DAYS):
            at = ("10.1.1.1", endpoint(NETWORK)) if role == "hub" else (AMAZON, {})
            yield aws(day + 0.4, instance(role), at[0], **at[1])
    yield aws(DAYS + 0.4, instance("plain"), RU)
    yield aws(DAYS + 0.4, instance("agent"), RU, userAgent="Boto3/1.34 exec-env/AWS_Lambda_x")
    yield aws(DAYS + 0.4, instance("elsewhere"), "10.9.9.9", **endpoint(OTHERS))
    yield aws(DAYS + 0.4, instance("within"), "10.9.9.9", **endpoint(ACCOUNT))
    yield aws(DAYS + 0.4, instance("hub"), "10.1.1.1", **endpoint(NETWORK))


def people() -> Iterator[Event]:
    for day in range(DAYS):
        yield aws(day + 0.4, sso("ceo@example.com"), BR)
        yield aws(day + 0.4, session("dev", "build"), NL)
        yield aws(day + 0.4, user("plain"), NL)
        yield aws(day + 0.4, user("Jane@Example.com", "/team/"), NL)
        yield aws(day + 0.4, user("Ops-Bot", "/team/a/"), NL)
    # A role's session takes the name of somebody who is always in Brazil.
    yield aws(DAYS + 0.4, sso("ceo@example.com"), BR)
    yield aws(DAYS + 0.4, session("dev", "ceo@example.com"), BR)
    # Users by name and by path, whom AWS has quarantined the evening before.
    policy = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
    for name in ("Jane@Example.com", "ops-bot"):
        request = {"userName": name, "policyArn": policy}
        yield aws(DAYS - 0.2, user("plain"), "AWS Internal", eventName="AttachUserPolicy", eventSource="iam.amazonaws.com", requestParameters=request)  # fmt: skip
    yield aws(DAYS + 0.4, user("plain"), RU)
    yield aws(DAYS + 0.4, user("Jane@Example.com", "/team/"), RU)
    yield aws(DAYS + 0.4, user("Ops-Bot", "/team/a/"), RU)


# ---- Others ------------------------------------------------------------------------------------------------------------


def kubernetes(day: float, name: str, address: str, *groups: str, source: str = "log", **more: Any) -> Event:
    who = {"username": name, "groups": [*groups, "system:authenticated"], **more}
    log = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": f"k-{next(IDS)}", "verb": "get", "user": who,
        "sourceIPs": [address], "objectRef": {"resource": "pods"}, "responseStatus": {"code": 200}, "cluster_name": "prod",
    }  # fmt: skip
    return event(day, "kube:apiserver:audit", log, source)


def azure(day: float, address: str, **who: Any) -> Event:
    log = {"eventDataId": f"z-{next(IDS)}", "callerIpAddress": address, "operationName": "X/Y/write", "resultType": "0",
           "resourceId": "/subscriptions/s-1/x", **who}  # fmt: skip
    return event(day, "azure:monitor:activity", log)


def google(day: float, account: str, address: str) -> Event:
    call = {"serviceName": "compute.googleapis.com", "methodName": "v1.compute.instances.list",
            "authenticationInfo": {"principalEmail": account}, "requestMetadata": {"callerIp": address}}  # fmt: skip
    log = {"insertId": f"g-{next(IDS)}", "resource": {"labels": {"project_id": "p-1"}}, "protoPayload": call}
    return event(day, "google:gcp:pubsub:message", log)


NAMES = ("aksService", "eks:x", "aks-service", "system:anonymous", "system:kube-scheduler", "-", "null", "unknown", "*")
EKS = {
    "uid": "aws-iam-authenticator:333333333333:AROAX",
    "source": "eu-west-1:/aws/eks/prod/cluster:kube-apiserver-audit-1",
}


def others() -> Iterator[Event]:
    for day in range(DAYS):
        yield kubernetes(day + 0.4, "ann", NL)
        yield azure(day + 0.4, NL, caller="ann@example.com")
        yield google(day + 0.4, "ann@example.com", NL)
    for name in NAMES:
        yield kubernetes(DAYS + 0.4, name, RU)
    yield kubernetes(DAYS + 0.4, "hcpService", RU, "system:masters")
    yield kubernetes(DAYS + 0.4, "eks:addon-manager", RU, **EKS)
    claims = {"name": "Azure AD Cloud Sync Eve", "http://schemas.microsoft.com/identity/claims/objectidentifier": "o-1"}
    yield azure(DAYS + 0.4, RU, caller="microsoft.support@contoso.example")
    yield azure(DAYS + 0.4, RU, identity={"claims": claims})
    yield azure(DAYS + 0.4, RU, caller="Microsoft.Advisor")
    yield google(DAYS + 0.4, "service-123@project.iam.gserviceaccount.com", RU)
    yield google(DAYS + 0.4, "service-123@compute-system.iam.gserviceaccount.com", RU)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    with SearchHead(APP_DIR, tmp_path_factory.mktemp("state")) as head:
        head.events.add([*compute(), *people(), *others()])
        replay(
            head, "1d", enable=[*judges("aws", "azure", "gcp", "kubernetes", "m365", "gws"), "CBA - Quarantined users"]
        )
        yield head


def raised(head: SearchHead, detection: str) -> dict[str, str]:
    """Identity (of AWS the name only) -> variation, of the last day."""
    last = (START + datetime.timedelta(days=DAYS)).timestamp()
    found = [each for each in findings_of(head, detection) if float(each["first_time"]) >= last]
    names = {each["identity"].rpartition(":role/")[2].rpartition(":user/")[2]: each["variation"] for each in found}
    assert len(names) == len(found)
    return names


def test_compute(head: SearchHead) -> None:
    """Not `within`, through an endpoint of its own account, and not `hub`, which is known from the network account's."""
    assert raised(head, REGION) == {"plain": "v2", "agent": "v2", "elsewhere": "v2"}
    (finding,) = (each for each in findings_of(head, REGION) if each["identity"].endswith("elsewhere"))
    assert finding["outside"] == "came through another account's VPC endpoint"
    assert finding["country"] == finding["asn"] == f"VPC endpoint of account {OTHERS}"
    assert f"VPC endpoint of account {OTHERS}" in finding["explanation"]


def test_names(head: SearchHead) -> None:
    """Not the provider's own, by what proves them; not the one whose name was taken."""
    assert raised(head, COUNTRY) == {
        "plain": "v2", "team/jane@example.com": "v7", "team/a/Ops-Bot": "v7", "dev": "v3", **dict.fromkeys(NAMES, "v1"),
        "microsoft.support@contoso.example": "v2", "o-1": "v2", "service-123@project.iam.gserviceaccount.com": "v2",
    }  # fmt: skip
    quarantined = [each["compromised_reason"] for each in findings_of(head, COUNTRY) if each["variation"] == "v7"]
    assert quarantined == ["AWS attached AWSCompromisedKeyQuarantineV3"] * 2
