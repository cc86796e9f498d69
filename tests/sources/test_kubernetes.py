"""Kubernetes audit, plain and in its three envelopes, through `cba_events_kubernetes`."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Callable

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]
Samples = Callable[[str], list[Row]]


def check_against(row: Row, audit: Row) -> None:
    """What the audit event says, the row says."""
    user = audit.get("user") or {}
    assert row.get("identity") == (user["username"] if user.get("username") else None)
    addresses = audit.get("sourceIPs") or []
    if addresses:
        assert row["src_ip"] in addresses and row["src_ip"] != "not-an-ip"
    else:
        assert "src_ip" not in row
    if audit.get("auditID"):
        assert row["event_id"] == audit["auditID"]
    assert row["outcome"] == ("failure" if (audit.get("responseStatus") or {}).get("code", 200) >= 400 else "success")


def test_plain(samples: Samples, normalise: Normalise) -> None:
    raw = samples("Amazon.EKS.Audit")
    rows = normalise("kubernetes", raw)
    assert len(rows) == 188
    for row, audit in zip(rows, raw):
        check_against(row, audit)
    assert Counter(row.get("skip_reason") for row in rows) == {
        None: 59,
        "no identity": 31,
        "no address": 85,
        "anonymous": 13,
    }, "nothing says that these are EKS's logs, so eks:… is a name like any other"


def test_cloudwatch_gives_the_same_as_plain(samples: Samples, normalise: Normalise) -> None:
    raw = [{"apiVersion": "audit.k8s.io/v1", **event} for event in samples("Amazon.EKS.Audit")]
    envelopes = [{"logGroup": "/aws/eks/prod-eu/cluster", "message": json.dumps(event)} for event in raw]
    plain = normalise("kubernetes", raw)
    wrapped = normalise("kubernetes", envelopes, "aws:cloudwatchlogs")
    assert len(wrapped) == len(plain) == 188
    same = (
        "identity",
        "session",
        "access_key",
        "operation",
        "outcome",
        "error_code",
        "src_ip",
        "user_agent",
        "resource",
    )
    assert [{name: row.get(name) for name in same} for row in wrapped] == [
        {name: row.get(name) for name in same} for row in plain
    ]
    assert {row["project"] for row in wrapped} == {"prod-eu"}
    changed = {a["identity"] for a, b in zip(wrapped, plain) if a.get("skip_reason") != b.get("skip_reason")}
    assert changed == {"eks:addon-manager"}, "in a log group of EKS it is EKS's own"


def test_aks(samples: Samples, normalise: Normalise) -> None:
    raw = [event for event in samples("Azure.MonitorActivity") if event.get("category") == "kube-audit"]
    rows = normalise("kubernetes", samples("Azure.MonitorActivity"), "azure:monitor:resource")
    assert len(rows) == len(raw) == 34
    for row, event in zip(rows, raw):
        check_against(row, json.loads(event["properties"]["log"]))
    assert Counter(row.get("skip_reason") for row in rows) == {None: 32, "anonymous": 1, "refused": 1}
    assert Counter(row.get("project") for row in rows) == {None: 32, "cluster": 2}


def test_gke(samples: Samples, normalise: Normalise) -> None:
    """These write callerIP, which Google does not: no address."""
    payloads = [event.get("protoPayload") or {} for event in samples("GCP.AuditLog")]
    raw = [
        event
        for event in payloads
        if event.get("serviceName") == "k8s.io" or event.get("methodName", "").startswith("io.k8s.")
    ]
    rows = normalise("kubernetes", samples("GCP.AuditLog"), "google:gcp:pubsub:message")
    assert len(rows) == len(raw) == 51
    for row, payload in zip(rows, raw):
        who = payload.get("authenticationInfo", {}).get("principalEmail")
        assert row.get("identity") == (who.lower() if who else None)
        assert row.get("operation") == payload.get("methodName")
    assert Counter(row.get("skip_reason") for row in rows) == {
        "no address": 40,
        "no identity": 6,
        "anonymous": 3,
        None: 2,
    }
    assert Counter(row.get("project") for row in rows) == {
        None: 37,
        "some-project/some-project-cluster": 12,
        "test-project/gke-cluster": 2,
    }
