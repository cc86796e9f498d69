"""The reader of content: every fault named with file, line and field, all at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import content
from cba.detection.model import Detection
from cba.detection.reader import Document, read_content
from cba.errors import DetectionErrors
from tests.support.documents import ROOT, detection_of, document, profiles

DOCUMENT: dict[str, Any] = document("cloud_unusual_country")


def changed(**fields: Any) -> dict[str, Any]:
    return {**document("cloud_unusual_country"), **fields}


def faults(content: Any) -> str:
    with pytest.raises(DetectionErrors) as caught:
        detection_of(content)
    return str(caught.value)


def variation(**fields: Any) -> list[dict[str, Any]]:
    return [{"id": "v1", "name": "n", "severity": "low", "kind": "escalation", "when": "1 == 1", **fields}]


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("severity", "lowish", "x.yml: severity: unknown severity 'lowish'; one of informational, low"),
        ("severity", ["low"], "x.yml: severity: unknown severity ['low']"),
        ("sources", ["aws", "aswell"], "x.yml: sources: unknown 'aswell'"),
        ("sources", [], "x.yml: sources: a list of aws, azure"),
        ("sources", [["aws"]], "x.yml: sources: unknown ['aws']"),
        ("periods", {"activation": "14d", "training": "30d"}, "x.yml: periods.deduplication: whole days are needed"),
        ("periods", {"activation": "14d", "training": "30d", "deduplication": "12h"}, "such as 5d, not '12h'"),
        ("periods", {"activation": "9" * 5000 + "d", "training": "30d", "deduplication": "1d"}, "periods.activation"),
        ("when", "news(identity, country)", "x.yml: when: column 1: unknown function 'news'"),
        ("when", "new(host, country)", "country is asked of the scope 'host'; this detection has identity, project"),
        (
            "when",
            "new(identity, asn)",
            "x.yml: when: the profile of identity and asn is asked, and nobody remembers it: declare `identity: [asn]` in "
            "content/profiles.yml, or in this detection under `profiles:`",
        ),
        ("when", None, "x.yml: when: a condition is needed"),
        ("when", 5, "x.yml: when: a condition is needed"),
        ("when", "(" * 5000, "x.yml: when: column 41: nested more than 40 deep"),
        (
            "candidates",
            "new(identity, country)",
            "x.yml: candidates: new(identity, country) asks for more than the row's own",
        ),
        ("variations", variation(kind="odd"), "variations[0].kind: unknown kind 'odd'"),
        ("variations", variation(id="1"), "x.yml: variations[0].id: '1' is not v and a number"),
        ("variations", variation(id=1), "x.yml: variations[0].id: 1 is not v and a number"),
        ("variations", variation() * 2, "x.yml: variations[1].id: v1 is there already"),
        (
            "variations",
            variation(when="new(identity, asn)"),
            "x.yml: variations[0].when: the profile of identity and asn",
        ),
        ("variations", variation(whem="1"), "x.yml: variations[0].whem: unknown field; a variation has id, kind"),
        ("variations", {}, "x.yml: variations: a list is needed"),
        ("attack", {"techniques": ["1078"]}, "x.yml: attack.techniques: a list of ATT&CK ids is needed"),
        ("attack", {"techniques": [1078]}, "x.yml: attack.techniques: a list of ATT&CK ids is needed"),
        ("trained_days", "five", "x.yml: trained_days: a whole number of at least 1 is needed, not 'five'"),
        ("trained_days", 0, "x.yml: trained_days: a whole number of at least 1 is needed, not 0"),
        ("breaker", True, "x.yml: breaker: a whole number"),
        ("population", "nobody", "x.yml: population: unknown 'nobody'; content/profiles.yml has everybody, compute"),
        ("population", ["everybody"], "x.yml: population: unknown ['everybody']"),
        ("profiles", {"identity": "asn"}, "x.yml: profiles.identity: a list of dimensions is needed"),
        ("profiles", {"ident": ["asn"]}, "x.yml: profiles.ident: unknown scope; one of identity, host, project"),
        ("profiles", {"identity": ["country"]}, "identity_country is already declared; a profile that several ask"),
        (
            "profiles",
            {"identity": [{"dimension": "asn", "when": "trained(identity, asn)"}]},
            "asks for more than the row",
        ),
        (
            "profiles",
            {"identity": [{"dimension": "asn", "names_a_day": 0}]},
            "names_a_day: a whole number of at least 1",
        ),
        ("optional", ["asn"], "x.yml: optional: 'asn' is no dimension that a condition asks"),
        ("entity", "project", "x.yml: entity: 'project' is not one of deduplicate_by"),
        ("joined_by", ["chain_person"], "x.yml: signals: signals and joined_by go together"),
        ("signals", {"A": {"name": "n"}}, "x.yml: signals.A: needs name and when"),
        ("tresholds", 1, "x.yml: tresholds: unknown field"),
        ("group_by", ["identity"], "x.yml: group_by: unknown field"),
        ("id", "Has Spaces", "x.yml: id: 'Has Spaces' is not lower-case letters"),
        ("tags", "x", "x.yml: tags: a list of texts is needed"),
    ],
)
def test_a_fault_names_file_and_field(field: str, value: Any, complaint: str) -> None:
    assert complaint in faults(changed(**{field: value}))


def test_numbers_too_large_to_be_shown() -> None:
    for value in (-(10**5000), [10**5000]):
        assert "trained_days: a whole number of at least 1 is needed, not so large a number" in faults(
            changed(trained_days=value)
        )


def test_all_faults_are_shown_at_once() -> None:
    report = faults(changed(severity="x", sources=["y"], when="z("))
    assert [line.split(":")[1].strip() for line in report.splitlines()] == ["when", "severity", "sources"]


@pytest.mark.parametrize("content", [[], "text", None, 5, {1: "x"}])
def test_what_is_no_mapping_is_no_detection(content: Any) -> None:
    assert "x.yml: " in faults(content)


def test_the_widest_scope_must_be_compared() -> None:
    assert "when: no condition asks what the widest scope, organization, is compared in" in faults(
        changed(when='source_kind == "aws"', base={}, variations=[])
    )


def test_a_history_that_names_few_values_cannot_be_asked_for_more() -> None:
    rare = document("process_rare_cloud_resource")
    rare["when"] = rare["when"].replace("<= 2", "<= 3")
    assert "spread(resource, host) <= 3 needs names_a_day of the profile to be as large; it is 2" in faults(rare)


# ---- What follows from what is asked ----------------------------------------------------------------------------------


def names(detection: Detection) -> list[str]:
    return [profile.name for profile in detection.asked]


def test_what_is_asked_is_asked_of_all_wider_scopes() -> None:
    assert names(detection_of(DOCUMENT)) == ["identity_country", "project_country", "organization_country"]
    wide = changed(when="new(project, country)", base={}, variations=[])
    assert names(detection_of(wide)) == ["project_country", "organization_country"]


def test_a_thing_beside_the_scopes_is_asked_alone() -> None:
    detection = detection_of(document("process_rare_cloud_resource"))
    assert names(detection) == ["host_tool", "organization_tool", "resource_host"]
    assert (detection.side_scopes, detection.dimensions) == (("resource",), ("tool", "host"))


def test_profiles_of_a_population_bear_its_name() -> None:
    assert names(detection_of(document("compute_identity_outside_region")))[0] == "compute_identity_region"


def test_a_detection_may_declare_profiles_of_its_own() -> None:
    own = changed(
        profiles={"organization": ["asn"], "identity": [{"dimension": "asn", "when": 'outcome == "success"'}]},
        when="new(identity, asn)", base={}, variations=[],
    )  # fmt: skip
    read = read_content(profiles(), [Document("x.yml", own)])
    assert names(read.detections["cloud_unusual_country"]) == ["organization_asn", "identity_asn"]
    assert str(read.populations["everybody"].profile("identity", "asn").when) == 'outcome == "success"'  # type: ignore[union-attr]


def test_two_detections_may_ask_one_profile_and_not_declare_it_twice() -> None:
    twins = [Document(f"{name}.yml", changed(id=name, title=name)) for name in ("one", "two")]
    assert set(read_content(profiles(), twins).detections) == {"one", "two"}
    declaring = [Document(f"{n}.yml", changed(id=n, title=n, profiles={"identity": ["asn"]})) for n in ("one", "two")]
    with pytest.raises(DetectionErrors, match=r"two.yml: profiles.identity: identity_asn is already declared"):
        read_content(profiles(), declaring)
    with pytest.raises(DetectionErrors, match=r"two.yml: title: 'one' is the title of one"):
        read_content(profiles(), [Document(f"{n}.yml", changed(id=n, title="one")) for n in ("one", "two")])


def test_fields_are_all_that_it_reads_or_keeps() -> None:
    assert detection_of(document("cloud_function_unusual_runtime")).fields == (
        "project", "runtime", "identity", "function_write", "outcome", "action", "package_type", "function", "region",
        "role", "runtime_exact",
    )  # fmt: skip


# ---- Files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "content", tmp_path / "content", ignore=shutil.ignore_patterns("sources"))
    return tmp_path


def test_a_fault_names_its_line(root: Path) -> None:
    path = root / content.DETECTIONS / "cloud_unusual_country" / "detection.yml"
    text = path.read_text("utf-8").replace("kind: escalation", "kind: odd", 1)
    path.write_text(text, "utf-8")
    line = text.splitlines().index("    kind: odd") + 1
    with pytest.raises(DetectionErrors) as caught:
        content.load(root)
    assert str(caught.value) == (
        f"content/detections/cloud_unusual_country/detection.yml, line {line}: variations[5].kind: unknown kind 'odd'; one "
        "of exclusive, escalation, downgrade"
    )


def test_faults_of_all_files_are_shown_together(root: Path) -> None:
    folder = root / content.DETECTIONS
    (folder / "cloud_unusual_country" / "detection.yml").write_text("id: x\n  name: [\n", "utf-8")
    (folder / "process_rare_cloud_resource" / "detection.yml").write_text("id: x\nid: y\n", "utf-8")
    (folder / "serverless_execution_saas" / "detection.yml").write_bytes(b"\xff")
    (folder / "serverless_execution_office").rename(folder / "office")
    with pytest.raises(DetectionErrors) as caught:
        content.load(root)
    report = str(caught.value)
    assert "cloud_unusual_country/detection.yml: is not YAML: line 2, column 7" in report
    assert "process_rare_cloud_resource/detection.yml, line 2: id: stands on line 1 already" in report
    assert "serverless_execution_saas/detection.yml: cannot be read" in report
    assert "office/detection.yml, line 1: id: 'serverless_execution_office' is in the folder office" in report


@pytest.mark.parametrize("text", ["[" * 5000, f"id: {'9' * 5000}", "a: &a [*a]", "a: b: c"])
def test_yaml_that_cannot_be_read_is_a_fault(root: Path, text: str) -> None:
    (root / content.DETECTIONS / "cloud_unusual_country" / "detection.yml").write_text(text, "utf-8")
    with pytest.raises(DetectionErrors, match="cloud_unusual_country"):
        content.load(root)


def test_faults_of_profiles(root: Path) -> None:
    document: dict[str, Any] = yaml.safe_load((root / content.PROFILES).read_text("utf-8"))
    document["compute"].update(rows="odd", when="chained(A)", abuot="x")
    document["everybody"]["profiles"]["identity"].append("country")
    (root / content.PROFILES).write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(DetectionErrors) as caught:
        content.load(root)
    report = str(caught.value)
    assert "compute.rows: unknown 'odd'; one of plain, compute" in report
    assert "compute.when: chained(A) asks for more than the row's own fields" in report
    assert "compute.abuot: unknown field; a population has about, profiles, rows, when" in report
    assert "the profile identity_country is declared twice" in report
