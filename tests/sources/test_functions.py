"""Functions, across sources: real logs, and the two settings. The rules one by one are in cases/*.yml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]
FIELDS = ("action", "runtime", "runtime_exact", "package_type", "function_write")


def changes(rows: list[Row], *fields: str) -> Counter[tuple[Any, ...]]:
    """How often each combination of the fields occurs among the changes of functions; nothing else has any of them."""
    assert all(not any(name in row for name in FIELDS) for row in rows if "action" not in row)
    return Counter(tuple(row.get(name) for name in fields) for row in rows if "action" in row)


def test_attack_run(shared_data: Path, normalise: Normalise) -> None:
    """Two functions, each right after its role: the second took five attempts, since a new role is not usable at once."""
    rows = normalise(
        "aws", list(read_events("aws", [shared_data / "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"]))
    )
    role = "arn:aws:iam::123837392027:role/stratus-red-team-"
    backdoor = ("123837392027/us-east-1/stratus-red-team-backdoor-f-func", f"{role}backdoor-f-lambda")
    overwritten = ("123837392027/us-east-1/stratus-red-team-olc-func-xhfgzaowxc", f"{role}olc-lambda-xhfgzaowxc")
    names = ("action", "outcome", "function", "role", "runtime", "runtime_exact", "package_type")
    assert changes(rows, *names) == {
        ("function_created", "success", *backdoor, "nodejs", "nodejs18.x", "Zip"): 1,
        ("function_created", "success", *overwritten, "python", "python3.9", "Zip"): 1,
        ("function_created", "failure", *overwritten, "python", "python3.9", "Zip"): 4,
        ("function_code_updated", "success", *overwritten, None, None, "Zip"): 2,
    }
    assert changes(rows, "action", "function_write", "skip_reason") == {
        ("function_created", "write", None): 2,
        ("function_created", None, None): 4,
        ("function_code_updated", "write", None): 2,
    }


def test_one_technique_a_file(shared_data: Path, normalise: Normalise) -> None:
    rows = normalise("aws", list(read_events("aws", [shared_data / "aws/stratus"])))
    assert changes(rows, "action", "function", "role", "runtime_exact", "package_type") == {
        (
            "function_code_updated",
            "266106314375/ap-westeast-2r/stratus-red-team-olc-func-vayhjqkdav",
            "arn:aws:iam::266106314375:role/stratus-red-team-olc-lambda-vayhjqkdav",
            None,
            "Zip",
        ): 1,
        (
            "function_updated",
            "712967571683/eugov-eastcentral-1r/stratus-red-team-lambda-layer-simpleLambda",
            "arn:aws:iam::712967571683:role/stratus-red-team-lambda-layer-lambda-role",
            None,
            "Zip",
        ): 1,
    }


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """None creates a function; the two Cloud Run services are containers, and an Azure site that is read is not written."""
    assert changes(normalise("aws", samples("AWS.CloudTrail")), "action", "function", "runtime") == {
        ("function_code_updated", "123456789012/us-west-2/production-api", None): 3,
        ("function_code_updated", "123456789012/us-west-2/my-lambda-function", None): 2,
        ("function_updated", "123456789012/us-west-2/production-api", None): 3,
        ("function_updated", "123456789012/us-west-2/my-lambda-function", None): 2,
    }
    gcp = normalise("gcp", samples("GCP.AuditLog"))
    assert sum(row.get("operation", "").endswith("Services.CreateService") for row in gcp) == 2
    assert changes(gcp, "action") == {}
    assert changes(normalise("azure", samples("Azure.MonitorActivity")), "action") == {}


def test_other_real_logs_change_no_function(shared_data: Path, normalise: Normalise) -> None:
    for source, path in (
        ("aws", "aws/cloudtrail_otrf_ec2_proxy_s3_exfiltration.jsonl"),
        ("gcp", "gcp"),
        ("azure", "azure/azure_activity_msticnb.jsonl"),
    ):
        assert changes(normalise(source, list(read_events(source, [shared_data / path]))), "action") == {}


def aws(name: str, **request: Any) -> Row:
    return {
        "eventName": name,
        "eventSource": "lambda.amazonaws.com",
        "awsRegion": "eu-west-1",
        "requestParameters": {"functionName": "f", **request},
    }


EVENTS = [
    aws("CreateFunction20150331", runtime="python3.12"),
    aws("CreateFunction20150331", packageType="Image"),
    aws("CreateFunction20150331"),
    aws("UpdateFunctionConfiguration20150331v2", runtime="provided.al2023"),
    aws("UpdateFunctionConfiguration20150331v2", timeout=3),
    aws("UpdateFunctionCode20150331v2"),
    {"eventName": "ListFunctions20150331", "eventSource": "lambda.amazonaws.com"},
]
UPDATES = {"cba_function_changes": 'in(action, "function_created", "function_updated")'}
EXACT = {"cba_runtime_granularity": '"exact"'}


@pytest.mark.parametrize(
    "macros, runtimes",
    [
        ({}, ["python", "container-image", None, None, None, None, None]),
        (EXACT, ["python3.12", "Image", None, None, None, None, None]),
        (UPDATES, ["python", "container-image", None, "provided", None, None, None]),
        ({**UPDATES, **EXACT}, ["python3.12", "Image", None, "provided.al2023", None, None, None]),
    ],
    ids=["as shipped", "exact", "updates", "both"],
)
def test_the_two_settings(macros: dict[str, str], runtimes: list[str], normalise: Normalise) -> None:
    rows = normalise("aws", EVENTS, None, macros)
    assert [row.get("runtime") for row in rows] == runtimes
    # Facts do not depend on settings.
    assert [row.get("runtime_exact") for row in rows] == [
        "python3.12",
        "Image",
        None,
        "provided.al2023",
        None,
        None,
        None,
    ]
