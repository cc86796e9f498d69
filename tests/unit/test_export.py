"""Findings as other systems get them: in the app's own format, and as OCSF Detection Findings.

ocsf-detection-finding-1.3.0.json.gz has the JSON Schemas of that class with the profile cloud and with host, as published (Apache-2.0) at
https://schema.ocsf.io/1.3.0/classes/detection_finding, made with the package ocsf-json-schema 1.2.0, descriptions left out.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cba.findings.export import exported
from cba.findings.ocsf import event
from lab.replay import APP_DIR
from tests.support.kept import kept_finding

HERE = Path(__file__).parent
SCHEMAS = json.loads(gzip.decompress((HERE / "ocsf-detection-finding-1.3.0.json.gz").read_bytes()))
OCSF = {profile: jsonschema.Draft202012Validator(schema) for profile, schema in SCHEMAS.items()}
OWN = jsonschema.Draft202012Validator(json.loads((APP_DIR / "docs" / "finding.schema.json").read_text("utf-8")))
TIME = 1_769_433_837
SAID = {
    "status": "closed", "owner": "ines", "verdict": "benign", "comment": "moved", "triaged_time": TIME + 9,
    "triaged_by": "ines", "earlier": "[]",
}  # fmt: skip
CALL = {
    "src_ip": "203.0.113.9", "asn": "8447", "as_org": "Example", "provider": "aws", "identity_type": "user",
    "operations": "GetCallerIdentity | ListBuckets (failed)", "attack": "TA0001 T1078 T1078.004", "anomaly_score": 63.0,
    "evidence": '{"day": 20479}', "variations_matched": "v2 v6", "atoms": "{}", "part": "x", "region": "eu-west-1",
    "secret_names": "a/b", "access_key": "ASIA1",
}  # fmt: skip
PROCESS = {
    "source_kind": "endpoint", "entity": "nw-l22", "host": "nw-l22", "identity": "", "project": "", "country": "",
    "process": "chrome.exe", "process_path": "C:\\chrome.exe", "resource": "x.azurewebsites.net", "operations": "connection",
}  # fmt: skip
CASES = {
    "call": (kept_finding("a1", TIME, **CALL), None),
    "closed": (kept_finding("a1", TIME, **CALL), SAID),
    "private": (kept_finding("a1", TIME, country="private", asn="private", src_ip="10.0.0.1"), None),
    "process": (kept_finding("a1", TIME, **PROCESS), None),
    "hardly anything": (kept_finding("a1", TIME, who="", country="", project=""), None),
}


@pytest.mark.parametrize("case", CASES)
def test_every_finding_is_valid_in_both_formats(case: str) -> None:
    record = exported(*CASES[case])
    assert [error.message for error in OWN.iter_errors(record)] == []
    made = event(record, "A detection", "1.2.3")
    (profile,) = made["metadata"]["profiles"]
    assert [f"{error.json_path}: {error.message}" for error in OCSF[profile].iter_errors(made)] == []


def test_the_schema_would_see_what_is_wrong() -> None:
    record = exported(*CASES["call"])
    assert list(OWN.iter_errors({**record, "severity": "grave"}))
    assert list(
        OCSF["cloud"].iter_errors({**event(record, "A detection", "1.2.3"), "finding_info": {"title": "no uid"}})
    )


def test_an_exported_finding_has_types_and_what_was_said_of_it() -> None:
    record = exported(*CASES["closed"])
    assert record["operations"] == ["GetCallerIdentity", "ListBuckets (failed)"]
    assert record["attack"] == ["TA0001", "T1078", "T1078.004"]
    assert (record["key"], record["evidence"]) == (["ann", "RU"], {"day": 20479})
    assert (record["anomaly_score"], record["access_key"]) == (63, "ASIA1")
    assert (record["status"], record["verdict"], record["triaged_by"]) == ("closed", "benign", "ines")
    assert not {"atoms", "part", "absorbed", "_key", "opened_day", "earlier_verdicts"} & record.keys()
    untold = exported(*CASES["call"])
    assert untold["status"] == "new" and "verdict" not in untold


def test_a_damaged_document_is_exported_all_the_same() -> None:
    record = exported({**CASES["call"][0], "evidence": "{", "first_time": "soon"}, None)
    assert (record["evidence"], record["first_time"]) == (None, None)


def test_an_ocsf_event_says_who_did_what_from_where() -> None:
    made: dict[str, Any] = event(exported(*CASES["call"]), "A cloud identity …", "1.2.3")
    assert (made["type_uid"], made["activity_name"], made["status"]) == (200401, "Create", "New")
    assert made["time"] == (TIME + 600) * 1000
    assert [found["api"]["operation"] for found in made["evidences"]] == ["GetCallerIdentity", "ListBuckets (failed)"]
    assert made["evidences"][0]["src_endpoint"] == {
        "ip": "203.0.113.9", "location": {"country": "RU"}, "autonomous_system": {"number": 8447, "name": "Example"},
    }  # fmt: skip
    assert made["cloud"] == {"provider": "aws", "account": {"uid": "111111111111"}, "region": "eu-west-1"}
    assert made["finding_info"]["attacks"][2] == {"technique": {"uid": "T1078"}, "sub_technique": {"uid": "T1078.004"}}
    assert made["unmapped"]["access_key"] == "ASIA1"
    assert {found["name"]: found["value"] for found in made["observables"]} == {
        "evidences[0].actor.user.name": "ann", "evidences[0].src_endpoint.ip": "203.0.113.9", "resources[0].uid": "a/b",
    }  # fmt: skip
    closed = event(exported(*CASES["closed"]), "A cloud identity …", "1.2.3")
    assert (closed["type_uid"], closed["status"], closed["comment"]) == (200403, "Suppressed", "moved")
