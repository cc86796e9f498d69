"""CloudTrail through `cba_events_aws`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_events_without_an_id_are_told_apart_by_their_text(normalise: Normalise) -> None:
    rows = normalise("aws", [{"eventName": "A"}, {"eventName": "B"}, {"eventName": "A"}])
    assert rows[0]["event_id"] == rows[2]["event_id"] != rows[1]["event_id"]


def test_attack_run(shared_data: Path, normalise: Normalise) -> None:
    """55 minutes of an attack: every event normalises, and its addresses are those of the file."""
    events = list(read_events("aws", [shared_data / "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("aws", events)
    assert len(rows) == 2900
    for row, event in zip(rows, raw):
        who = event["userIdentity"]
        assert row["event_id"] == event["eventID"]
        assert row["project"] == event["recipientAccountId"]
        assert row["operation"] == event["eventName"]
        assert (row["outcome"], row.get("error_code")) == (
            "failure" if "errorCode" in event else "success",
            event.get("errorCode"),
        )
        if who.get("type") == "IAMUser":
            assert row["identity"] == who.get("arn", "arn:aws:iam::123837392027:user/bert-jan")
        elif who.get("type") == "AssumedRole":
            assert row["identity"] == who["sessionContext"]["sessionIssuer"]["arn"]
            assert row["session"] == who["arn"].split("/")[-1]
        else:
            assert row["identity"] == who.get("invokedBy", who.get("accountId"))
        address = event["sourceIPAddress"]
        assert row.get("src_ip") == (address if address[0].isdigit() else None)
    assert {row["day"] for row in rows} == {19548}
    assert Counter(row["outcome"] for row in rows) == {"success": 2600, "failure": 300}
    assert Counter(row.get("skip_reason") for row in rows) == {None: 2476, "service": 353, "vpc endpoint": 71}
    assert Counter(row["identity_type"] for row in rows) == {
        "user": 2748,
        "role": 53,
        "compute": 23,
        "service": 34,
        "unknown": 42,
    }
    public = Counter(row["src_ip"] for row in rows if not row.get("src_ip", "10.").startswith(("10.", "192.168.")))
    assert public == {"3.225.16.109": 13, "52.45.102.28": 8}


def test_instance_role_through_a_proxy(shared_data: Path, normalise: Normalise) -> None:
    events = list(read_events("aws", [shared_data / "aws/cloudtrail_otrf_ec2_proxy_s3_exfiltration.jsonl"]))
    rows = normalise("aws", events)
    assert Counter(
        (row["identity"], row["identity_type"], row.get("session"), row.get("skip_reason")) for row in rows
    ) == {
        ("arn:aws:iam::123456789123:user/pedro", "user", None, None): 87,
        (
            "arn:aws:iam::123456789123:role/MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0",
            "compute",
            "i-0317f6c6b66ae9c40",
            None,
        ): 11,
        ("ec2.amazonaws.com", "service", None, "service"): 5,
    }


def test_one_technique_a_file(shared_data: Path, normalise: Normalise) -> None:
    """Addresses and regions of these files are random and partly impossible: they pass as they are."""
    events = list(read_events("aws", [shared_data / "aws/stratus"]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("aws", events)
    assert len(rows) == 310
    assert [row["event_id"] for row in rows] == [event["eventID"] for event in raw]
    assert [row["project"] for row in rows] == [event["recipientAccountId"] for event in raw]
    assert [row["src_ip"] for row in rows] == [event["sourceIPAddress"] for event in raw]
    regions = [row["cba_region"] if "global_service" in row else row["region"] for row in rows]
    assert regions == [event["awsRegion"] for event in raw]
    assert all(row["identity"].startswith("arn:aws:iam::") and "skip_reason" not in row for row in rows)
    assert Counter(row["identity_type"] for row in rows) == {"user": 242, "role": 66, "compute": 2}


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Old, partial and made-up events: whatever a raw event has, its row has."""
    raw = samples("AWS.CloudTrail")
    rows = normalise("aws", raw)
    assert len(rows) == 475
    for row, event in zip(rows, raw):
        who = event.get("userIdentity") or {}
        assert row["event_id"] == event.get("eventID", row["event_id"]) and len(row["event_id"]) >= 1
        assert row.get("project", "") == event.get("recipientAccountId", who.get("accountId", row.get("project", "")))
        if who.get("arn"):
            assert row["identity"]
        if event.get("errorCode"):
            assert row["outcome"] == "failure"
    assert Counter(row.get("skip_reason") for row in rows) == {
        None: 349,
        "service": 73,
        "vpc endpoint": 6,
        "no identity": 26,
        "no address": 14,
        "refused": 7,
    }
    assert Counter(row["identity_type"] for row in rows) == {
        "role": 242,
        "user": 173,
        "unknown": 27,
        "root": 14,
        "compute": 9,
        "account": 5,
        "lambda": 3,
        "service": 2,
    }
