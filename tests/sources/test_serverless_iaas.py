"""Functions and what goes with them, through the three clouds' macros and `cba_serverless_iaas`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def mvjoin(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def signals(rows: list[Row]) -> Counter[tuple[Any, ...]]:
    """How often each kind of signal occurs, and with what; nothing else has any of it."""
    names = ("deployment", "privilege", "grant", "sensitive_use", "invocation")
    assert not any(name in row for row in rows if "signal_kind" not in row for name in names)
    return Counter((row["signal_kind"], row.get("privilege")) for row in rows if "signal_kind" in row)


def test_attack_run(shared_data: Path, normalise: Normalise) -> None:
    """One person makes roles for everything, two of them for functions; no role does anything sensitive, and there are no
    data events."""
    log = shared_data / "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"
    rows = normalise("aws", list(read_events("aws", [log])))
    assert signals(rows) == {
        ("deployment", None): 4,
        ("privilege", "CreateRole"): 13,
        ("privilege", "PutRolePolicy"): 5,
        ("privilege", "AttachRolePolicy"): 6,
        ("privilege", "UpdateAssumeRolePolicy"): 2,
    }
    grants = {row["grant"] for row in rows if "grant" in row}
    assert {grant for grant in grants if "lambda" in grant} == {
        "- 123837392027/stratus-red-team-backdoor-f-lambda",
        "- 123837392027/stratus-red-team-olc-lambda-xhfgzaowxc",
    }
    assert "AdministratorAccess 123837392027/stratus-red-team-backdoor-r-role" in grants


def test_one_technique_a_file(shared_data: Path, normalise: Normalise) -> None:
    rows = normalise("aws", list(read_events("aws", [shared_data / "aws/stratus"])))
    assert signals(rows) == {
        ("deployment", None): 2,
        ("privilege", "CreateRole"): 1,
        ("privilege", "AttachRolePolicy"): 1,
        ("privilege", "UpdateAssumeRolePolicy"): 1,
    }


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Azure's role assignments name no caller, so nobody is judged by them; with a caller added they say what was given
    to whom."""
    azure = [log for log in samples("Azure.MonitorActivity") if "roleAssignments/write" in json.dumps(log)]
    assert [row.get("signal_kind") for row in normalise("azure", azure)] == [None] * 3
    named = [{**log, "caller": "ann@example.com"} for log in azure]
    owner, contributor, other = (row["grant"] for row in normalise("azure", named))
    assert owner == "8e3af657-a8ff-443c-a75c-2fe8c4bcb635 770797c4-e05a-43f9-bda2-1f1f379987ae"
    assert contributor == "acdd72a7-3385-48ef-bd42-f606fba81ae7 22222222-3333-4444-5555-666666666666"
    assert other == "b7e6dc6d-f1e8-4753-8033-0f276bb0955b 33333333-4444-5555-6666-777777777777"
    gcp = normalise("gcp", samples("GCP.AuditLog"))
    assert Counter(mvjoin(row["grant"]) for row in gcp if "grant" in row) == {
        "roles/resourcemanager.organizationAdmin -": 3,
        "roles/owner -, roles/resourcemanager.organizationAdmin -": 1,
        "roles/owner -": 1,
        "roles/iam.serviceAccountTokenCreator test-account3@gcp-project1.iam.gserviceaccount.com, "
        "roles/iam.serviceAccountUser test-account3@gcp-project1.iam.gserviceaccount.com": 1,
        "roles/viewer -": 2,
        "- -": 2,
    }
    assert Counter(row["function"] for row in gcp if "function" in row) == {"some-project/us-west1/cloudrun-exfil": 2}
    assert Counter(row["sensitive_use"] for row in gcp if "sensitive_use" in row) == {"SignJwt": 6, "SetIamPolicy": 1}


@pytest.mark.parametrize("path", ["gcp", "gcp/security-analytics"])
def test_google(path: str, shared_data: Path, normalise: Normalise) -> None:
    rows = normalise("gcp", list(read_events("gcp", [shared_data / path])))
    assert sorted(row["grant"] for row in rows if "grant" in row) == [
        "roles/iam.serviceAccountKeyAdmin sa-100@1234.iam.gserviceaccount.com",
        "roles/iam.serviceAccountTokenCreator sa-100@1234.iam.gserviceaccount.com",
        "roles/resourcemanager.organizationAdmin -",
    ]
