"""Google Cloud audit logs through `cba_events_gcp`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_log_entries(shared_data: Path, normalise: Normalise) -> None:
    """Of 29 entries 23 are audit logs, one more is a BigQuery export, whose columns no Splunk input writes."""
    events = list(read_events("gcp", [shared_data / "gcp"]))
    raw = [json.loads(event.raw) for event in events]
    audit = [event for event in raw if "protoPayload" in event or "protopayload_auditlog" in event]
    rows = normalise("gcp", events)
    assert (len(raw), len(rows), len(audit)) == (29, 24, 24)
    for row, event in zip(rows, audit):
        payload = event.get("protoPayload", {})
        assert row["event_id"] == event["insertId"]
        assert row["project"]
        assert row.get("identity") == payload.get("authenticationInfo", {}).get("principalEmail")
        assert row.get("src_ip") == payload.get("requestMetadata", {}).get("callerIp")
        assert row.get("operation") == payload.get("methodName")
    assert Counter(row.get("session") for row in rows) == {
        None: 22,
        "service-account-one@fake-project.com": 1,
        "service-1234567890@compute-system.iam.gserviceaccount.com": 1,
    }
    assert Counter(row.get("skip_reason") for row in rows) == {None: 21, "no identity": 2, "refused": 1}


def is_gke(event: Row) -> bool:
    payload = event.get("protoPayload", {})
    return bool(payload.get("serviceName") == "k8s.io" or payload.get("methodName", "").startswith("io.k8s."))


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Of 206, 51 are GKE's and 8 lack a payload. Many write callerIP, which Google does not: no address."""
    raw = samples("GCP.AuditLog")
    ours = [event for event in raw if ("protoPayload" in event or "protopayload" in event) and not is_gke(event)]
    rows = normalise("gcp", raw)
    assert (len(raw), len(ours), len(rows)) == (206, 147, 147)
    for row, event in zip(rows, ours):
        payload = event.get("protoPayload", {})
        who = payload.get("authenticationInfo", {})
        if who.get("principalEmail"):
            assert row["identity"] == who["principalEmail"].lower()
        if event.get("insertId"):
            assert row["event_id"] == event["insertId"]
        if isinstance(event.get("resource"), dict) and event["resource"].get("labels", {}).get("project_id"):
            assert row["project"] == event["resource"]["labels"]["project_id"]
        if isinstance(payload.get("requestMetadata"), dict) and "callerIp" in payload["requestMetadata"]:
            assert row["src_ip"] == payload["requestMetadata"]["callerIp"]
    assert Counter(row.get("skip_reason") for row in rows) == {
        "no address": 92,
        None: 29,
        "no identity": 25,
        "service": 1,
    }
    assert Counter(row["identity_type"] for row in rows) == {"user": 106, "service": 16, "unknown": 25}


def test_a_long_request_does_not_hide_the_caller(normalise: Normalise) -> None:
    event = {
        "protoPayload": {
            "authenticationInfo": {"principalEmail": "ann@example.com"},
            "request": {"text": "x" * 6000},
            "requestMetadata": {"callerIp": "198.51.100.7"},
        },
        "resource": {"labels": {"project_id": "prod"}},
    }
    (row,) = normalise("gcp", [event])
    assert (row["identity"], row["project"], row["src_ip"]) == ("ann@example.com", "prod", "198.51.100.7")
