"""The generator: deterministic, in order, the volume asked for, late as real logs are, in the providers' shapes."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demo import Organization, events, source_kind, write_files
from demo.formats.template import LATE_DATA_OVERLAP
from lab.events import Event
from lab.ingest import read_events

SMALL = Organization(days=40, events_per_day=600)


@pytest.fixture(scope="module")
def made() -> list[Event]:
    return list(events(SMALL))


def digest(organization: Organization) -> str:
    sha = hashlib.sha256()
    for event in events(organization):
        sha.update(repr(event).encode())
    return sha.hexdigest()


def test_same_seed_same_bytes() -> None:
    one, two, other = (Organization(seed=seed, days=3, events_per_day=900) for seed in (1, 1, 2))
    assert digest(one) == digest(two) != digest(other)


def test_a_longer_history_begins_with_the_shorter_one() -> None:
    short = list(events(Organization(days=7, events_per_day=900)))
    long = list(events(Organization(days=14, events_per_day=900)))
    assert [e.raw for e in short] == [e.raw for e in long[: len(short)]]


def test_sorted_by_time_and_within_the_days(made: list[Event]) -> None:
    assert all(a.time <= b.time for a, b in zip(made, made[1:]))
    assert SMALL.first_time <= made[0].time and made[-1].time < SMALL.last_time


@pytest.mark.parametrize(("days", "events_per_day"), [(10, 5_000), (3, 20_000)])
def test_volume_is_what_was_asked_for(days: int, events_per_day: int) -> None:
    organization = Organization(days=days, events_per_day=events_per_day)
    assert sum(1 for _ in events(organization)) == days * events_per_day


def test_weekends_are_quieter() -> None:
    per_day = Counter(int(e.time // 86400) for e in events(Organization(days=7, events_per_day=2000)))
    monday, saturday = (per_day[int(SMALL.first_time // 86400) + day] for day in (0, 5))
    assert saturday < 0.7 * monday


def test_delays_are_real_and_below_the_overlap(made: list[Event]) -> None:
    delays: dict[str, list[float]] = {}
    for event in made:
        delays.setdefault(source_kind(event), []).append(event.indextime - event.time)
    everything = [delay for group in delays.values() for delay in group]
    assert min(everything) > 0
    assert max(everything) < LATE_DATA_OVERLAP
    cloudtrail = sorted(delays["aws"])
    assert 120 < cloudtrail[len(cloudtrail) // 2] < 900
    assert max(cloudtrail) > 2400  # some come 40 minutes late
    assert max(delays["m365"]) > 3600


def test_ids_are_unique_but_for_duplicates(made: list[Event]) -> None:
    ids = Counter((source_kind(e), _event_id(e)) for e in made)
    twice = [key for key, count in ids.items() if count > 1]
    assert 0 < len(twice) < 0.01 * len(made)
    by_id: dict[tuple[str, str], list[Event]] = {}
    for event in made:
        by_id.setdefault((source_kind(event), _event_id(event)), []).append(event)
    for key in twice:
        first, second = by_id[key]
        assert first.raw == second.raw and first.time == second.time and first.indextime != second.indextime


def _event_id(event: Event) -> str:
    log = json.loads(event.raw)
    if "RecordNumber" in log:
        return str(log["RecordNumber"])
    if "logGroup" in log:
        return str(json.loads(log["message"])["auditID"])
    if "id" in log and isinstance(log["id"], dict):
        return str(log["id"]["uniqueQualifier"])
    properties = log.get("properties", {})
    for place, name in (
        (log, "eventID"),
        (log, "insertId"),
        (log, "Id"),
        (properties, "eventDataId"),
        (properties, "id"),
    ):
        if name in place:
            return str(place[name])
    raise AssertionError(event.raw)


REQUIRED: dict[str, tuple[str, ...]] = {
    "aws:cloudtrail": (
        "eventVersion", "userIdentity.type", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
        "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType",
        "managementEvent", "recipientAccountId", "eventCategory", "tlsDetails.tlsVersion",
    ),
    "azure:monitor:activity": (
        "time", "resourceId", "operationName", "category", "resultType", "callerIpAddress", "correlationId",
        "identity.claims.appid", "properties.eventDataId", "tenantId",
    ),
    "azure:monitor:aad": (
        "time", "category", "tenantId", "resultType", "callerIpAddress", "properties.id", "properties.createdDateTime",
        "properties.userPrincipalName", "properties.ipAddress", "properties.status.errorCode",
    ),
    "google:gcp:pubsub:message": (
        "protoPayload.@type", "protoPayload.authenticationInfo.principalEmail", "protoPayload.requestMetadata.callerIp",
        "protoPayload.serviceName", "protoPayload.methodName", "insertId", "resource.labels.project_id", "timestamp",
        "logName", "receiveTimestamp",
    ),
    "aws:cloudwatchlogs": ("id", "timestamp", "logGroup", "logStream", "message"),
    "o365:management:activity": (
        "CreationTime", "Id", "Operation", "OrganizationId", "RecordType", "UserType", "Workload", "ClientIP", "UserId",
    ),
    "gws:reports": (
        "kind", "id.time", "id.uniqueQualifier", "id.applicationName", "id.customerId", "actor.email", "ipAddress",
        "events",
    ),
    "sysmon:json": ("UtcTime", "Hostname", "EventID", "SourceName", "RecordNumber", "ProcessGuid", "Image", "User"),
}  # fmt: skip
TIME_FIELD = {
    "aws:cloudtrail": "eventTime", "azure:monitor:activity": "time", "azure:monitor:aad": "time",
    "google:gcp:pubsub:message": "timestamp", "o365:management:activity": "CreationTime", "gws:reports": "id.time",
    "sysmon:json": "UtcTime",
}  # fmt: skip


def at(log: dict[str, Any], path: str) -> Any:
    value: Any = log
    for key in path.split("."):
        assert key in value, f"{path} missing in {json.dumps(log)[:300]}"
        value = value[key]
    return value


def test_every_event_has_its_providers_fields(made: list[Event]) -> None:
    met = set()
    for event in made:
        assert "@@" not in event.raw
        kind = "gws:reports" if event.sourcetype.startswith("gws:reports:") else event.sourcetype
        met.add(kind)
        log = json.loads(event.raw)
        for path in REQUIRED[kind]:
            at(log, path)
        if kind in TIME_FIELD:
            text = at(log, TIME_FIELD[kind]).rstrip("Z")
            time = datetime.datetime.fromisoformat(text[:23] if "." in text else text).replace(
                tzinfo=datetime.timezone.utc
            )
            assert time.timestamp() == pytest.approx(event.time, abs=0.002)
        if kind == "aws:cloudwatchlogs":
            assert json.loads(log["message"])["kind"] == "Event"
            assert log["timestamp"] / 1000 == pytest.approx(event.time, abs=0.002)
    assert met == set(REQUIRED)


def test_the_organization_is_as_varied_as_real_ones(made: list[Event]) -> None:
    text = "\n".join(event.raw for event in made)
    for sign in (
        '"type":"Root"', "AWSReservedSSO_Engineer_", '"invokedBy":"athena.amazonaws.com"',
        '"sourceIPAddress":"AWS Internal"', '"vpcEndpointId"', '"errorCode":"AccessDenied"',
        "AWSCompromisedKeyQuarantineV2",
        '"k8s_cluster"',
        "system:serviceaccount:", "gserviceaccount.com", "PERMISSION_DENIED", "UserLoginFailed", '"resultType":"50126"',
        "Femke.deBoer@nordwind.example", ":52211", "login_failure", "CreateFunction20150331", '"ec2RoleDelivery":"2.0"',
        '"issuerType":"AWS::EC2::Instance"', '"issuerType":"AWS::Lambda::Function"', '"eventName":"RunInstances"',
        '"eventName":"AssumeRole"', '"eventCategory":"Data"', "functions.v2.FunctionService.CreateFunction",
        "MICROSOFT.WEB/SITES/CONFIG/WRITE", "EditFlow", "New-InboxRule", "AnonymousLinkCreated", '"value":"script"',
        "script.scriptapp", '"EventID":3', '"EventID":22',
    ):  # fmt: skip
        assert sign in text, sign
    cloudtrail = [len(e.raw) for e in made if e.sourcetype == "aws:cloudtrail"]
    assert 1000 < sum(cloudtrail) / len(cloudtrail) < 2000


def test_a_start_on_another_weekday(made: list[Event]) -> None:
    organization = Organization(start=datetime.date(2025, 8, 20), days=5, events_per_day=900)
    found = list(events(organization))
    assert len(found) == 4500
    assert datetime.datetime.fromtimestamp(found[0].time, datetime.timezone.utc).date() == organization.start


def test_files_read_back_as_the_same_events(tmp_path: Path) -> None:
    organization = Organization(days=2, events_per_day=900)
    folders = write_files(organization, tmp_path)
    wanted = {(source_kind(e), round(e.time, 3), _event_id(e)) for e in events(organization)}
    problems: list[object] = []
    found = set()
    for source, folder in folders.items():
        for event in read_events(source, [folder], on_problem=problems.append):
            found.add((source, round(event.time, 3), _event_id(event)))
    assert problems == []
    assert found == wanted


def test_files_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    organization = Organization(days=1, events_per_day=900)
    for name in ("a", "b"):
        write_files(organization, tmp_path / name)
    first, second = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in ("a", "b")
    )
    assert first == second and first
