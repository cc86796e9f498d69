"""The detection model: every fault of a YAML named with file and field, all at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import generate
import pytest
import yaml

from cba.detection import catalogue
from cba.detection.model import PLACE, Detection
from cba.errors import DetectionError, DetectionErrors
from lab.conf import load_app

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "detections" / "cloud_unusual_country.yml").read_text("utf-8"))


def faults(document: Any) -> str:
    with pytest.raises(DetectionErrors) as caught:
        Detection.from_dict(document, "x.yml")
    return str(caught.value)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **fields}


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("severity", "lowish", "x.yml: severity: unknown severity 'lowish'; one of informational, low"),
        ("sources", ["aws", "aswell"], "x.yml: sources: unknown 'aswell'"),
        ("periods", {"activation": "14d", "training": "30d"}, "x.yml: periods.deduplication: whole days are needed"),
        ("periods", {"activation": "14d", "training": "30d", "deduplication": "12h"}, "such as 5d, not '12h'"),
        ("when", "news(identity, country)", "x.yml: when: column 1: unknown function 'news'"),
        ("when", "new(host, country)", "asks for a profile that the detection does not observe"),
        ("when", "new(identity, asn)", "asks for a profile that the detection does not observe"),
        ("when", None, "x.yml: when: a condition is needed"),
        (
            "variations",
            [{"id": "1", "name": "n", "severity": "low", "kind": "odd", "when": "1 == 1"}],
            "unknown kind 'odd'",
        ),
        ("variations", [{"id": "1"}, {"id": "1"}], "x.yml: variations[1].id: an id of its own is needed"),
        ("attack", {"techniques": ["1078"]}, "x.yml: attack.techniques: a list of ATT&CK ids is needed"),
        ("trained_days", "five", "x.yml: trained_days: a whole number is needed, not 'five'"),
        ("observe", {"identity": "country"}, "x.yml: observe.identity: a list of dimensions is needed"),
        ("trained_days", 0, "x.yml: trained_days: needs at least 1 day"),
        ("entity", "project", "x.yml: entity: 'project' is not one of deduplicate_by"),
        ("deduplicate_by", ["identity", "role"], "x.yml: deduplicate_by: 'role' is neither in group_by nor observed"),
        ("tresholds", 1, "x.yml: tresholds: unknown field"),
        ("id", "Has Spaces", "x.yml: id: 'Has Spaces' is not lower-case letters"),
    ],
)
def test_a_fault_names_file_and_field(field: str, value: Any, complaint: str) -> None:
    assert complaint in faults(changed(**{field: value}))


def test_all_faults_are_shown_at_once() -> None:
    report = faults(changed(severity="x", sources=["y"], when="z("))
    assert [line.split(":")[1].strip() for line in report.splitlines()] == ["when", "severity", "sources"]


def test_what_is_no_mapping_is_no_detection() -> None:
    assert "a detection is a mapping of fields, not list" in faults([])


def test_two_detections_may_not_learn_one_profile(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(changed(id=name)), "utf-8")
    with pytest.raises(DetectionErrors, match="identity_country is already learned by one"):
        generate.load(tmp_path)


def test_broken_yaml_is_reported_with_its_place_beside_other_faults(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("id: x\n  name: [\n", "utf-8")
    (tmp_path / "wrong.yml").write_text(yaml.safe_dump(changed(severity="x")), "utf-8")
    with pytest.raises(DetectionErrors) as caught:
        generate.load(tmp_path)
    assert "broken.yml: is not YAML: line 2, column 7" in str(caught.value)
    assert "wrong.yml: severity" in str(caught.value)


def test_an_unknown_detection_id_lists_the_known_ones() -> None:
    with pytest.raises(DetectionError) as caught:
        catalogue.get("cloud_unusal_country")
    assert "there is no 'cloud_unusal_country'; the detections are " in str(caught.value)
    assert "cloud_unusual_country" in str(caught.value)


def test_a_damaged_catalogue_says_what_to_do(tmp_path: Path) -> None:
    damaged = tmp_path / "catalogue.json"
    damaged.write_text("[{", "utf-8")
    with pytest.raises(DetectionError, match=r"catalogue.json: cannot be read .* run ./dev generate"):
        catalogue.load(damaged)


def test_generated_files_are_what_the_yaml_generates() -> None:
    files = generate.generate(generate.load(ROOT / "detections"))
    assert generate.stale(files, ROOT) == []


def test_staleness_is_seen(tmp_path: Path) -> None:
    files = generate.generate(generate.load(ROOT / "detections"))
    generate.write(files, tmp_path)
    assert generate.stale(files, tmp_path) == []
    (tmp_path / "default/savedsearches.conf").write_text("edited by hand", "utf-8")
    (tmp_path / "lookups/cba_detections.csv").unlink()
    assert generate.stale(files, tmp_path) == ["default/savedsearches.conf", "lookups/cba_detections.csv"]


def test_an_alert_has_the_fields_it_names() -> None:
    """Variation searches read findings through the lookup: what its fields_list lacks is missing from the alert."""
    known = set(load_app(ROOT).stanza("transforms", "cba_findings").get("fields_list").split(", "))
    for detection in generate.load(ROOT / "detections").values():
        named = {
            name for drilldown in detection.drilldowns for name in PLACE.findall(drilldown.name + drilldown.search)
        }
        assert {*detection.deduplicate_by, *named} <= known, detection.id


def test_saved_search_names_fit_enterprise_security() -> None:
    """ES clones a correlation search as `{domain} - {name} - Rule`, 99 characters at most."""
    for detection in generate.load(ROOT / "detections").values():
        for variation in detection.all_variations:
            name = generate.variation_stanza(detection, variation)
            assert len(f"{detection.document['security_domain'].title()} - {name} - Rule") <= 99
