"""Azure activity, Entra sign-ins and audit through `cba_events_azure`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_activity(shared_data: Path, normalise: Normalise) -> None:
    events = list(read_events("azure", [shared_data / "azure/azure_activity_msticnb.jsonl"]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("azure", events)
    assert len(rows) == 50
    assert [row["identity"] for row in rows] == [event["Caller"].lower() for event in raw]
    assert [row["src_ip"] for row in rows] == [event["CallerIpAddress"] for event in raw]
    assert [row["event_id"] for row in rows] == [event["EventDataId"] for event in raw]
    assert {row["project"] for row in rows} == {"d1d8779d-38d7-4f06-91db-9cbc8de0176f"}
    assert {(row["identity_type"], row["outcome"], row["service"], row.get("skip_reason")) for row in rows} == {
        ("user", "success", "microsoft.securityinsights", None)
    }


def test_sign_ins(shared_data: Path, normalise: Normalise) -> None:
    events = list(read_events("azure", [shared_data / "azure/entra_signinlogs_msticpy.jsonl"]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("azure", events)
    assert len(rows) == 86
    assert [row["identity"] for row in rows] == [event["UserPrincipalName"].lower() for event in raw]
    assert [row["src_ip"] for row in rows] == [event["IPAddress"] for event in raw]
    assert [row["event_id"] for row in rows] == [event["Id"] for event in raw]
    # Not the workspace that TenantId names.
    assert {row["project"] for row in rows} == {"4b2462a4-bbee-495a-a0e1-f23ae524cc9c"}
    assert Counter((row["outcome"], row.get("error_code")) for row in rows) == {
        ("success", None): 84,
        ("failure", "90072"): 2,
    }


def test_directory_audit(shared_data: Path, normalise: Normalise) -> None:
    """Who acted is JSON text, and its address is null."""
    events = list(read_events("azure", [shared_data / "m365/goldensaml_AADAuditEvents.json"]))
    rows = normalise("azure", events)
    assert [(row["identity"], row["project"], row.get("src_ip"), row["skip_reason"]) for row in rows] == [
        ("pgustavo@simulandlabs.com", "00000000-0000-0000-0000-000000000000", None, "no address")
    ] * 4


def test_entra_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """11 of the 48 have lower-cased outer keys, which no Azure interface writes: their properties still tell who."""
    raw = samples("Azure.Audit")
    rows = normalise("azure", raw, "azure:monitor:aad")
    assert len(rows) == 48
    assert all("identity" in row for row in rows)
    for row, event in zip(rows, raw):
        if "resourceId" in event:
            assert row["project"] == event["resourceId"].split("/")[2].lower()
        if "callerIpAddress" in event and "initiatedBy" not in event["properties"]:
            assert row["src_ip"] == event["callerIpAddress"]
    assert sum("project" in row for row in rows) == 39
    assert Counter(row["identity_type"] for row in rows) == {"user": 39, "service": 9}
    assert Counter(row["outcome"] for row in rows) == {"success": 36, "failure": 12}
    assert Counter(row.get("skip_reason") for row in rows) == {None: 34, "no address": 3, "refused": 11}


def test_activity_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Most of them lack an identity; the 34 lines of kube-audit belong to Kubernetes."""
    raw = [event for event in samples("Azure.MonitorActivity") if event.get("category") != "kube-audit"]
    rows = normalise("azure", samples("Azure.MonitorActivity"))
    assert len(rows) == len(raw) == 215
    for row, event in zip(rows, raw):
        if str(event.get("resourceId", "")).lower().startswith("/subscriptions/"):
            assert row["project"] == event["resourceId"].split("/")[2].lower()
        if event.get("callerIpAddress"):
            assert event["callerIpAddress"].startswith(row["src_ip"]) and ":" not in row["src_ip"]
    assert Counter(row["identity_type"] for row in rows) == {"unknown": 201, "user": 8, "service": 6}
    assert Counter(row.get("skip_reason") for row in rows) == {"no identity": 201, None: 14}
