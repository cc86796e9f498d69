"""The catalogue: what the commands read, and what they say when they cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cba.detection import catalogue
from cba.errors import DetectionError, DetectionErrors
from cba.terms import SOURCES

DOCUMENT: dict[str, Any] = json.loads(catalogue.CATALOGUE.read_text("utf-8"))


def test_it_knows_detections_populations_and_the_rows_of_sources() -> None:
    found = catalogue.load()
    assert [found.detections[document["id"]].document for document in DOCUMENT["detections"]] == DOCUMENT["detections"]
    assert {detection.population for detection in found.detections.values()} <= found.populations.keys()
    assert tuple(found.sources) == SOURCES
    aws = found.sources["aws"]
    assert aws.row_fields[:4] == ("skip_reason", "candidate_of", "provider", "project")
    assert (set(aws.list_fields) <= set(aws.row_fields), aws.geo, found.sources["endpoint"].geo) == (True, True, False)


def test_profiles_that_a_detection_declares_are_its_population_s() -> None:
    everybody = catalogue.load().populations["everybody"]
    assert everybody.profile("identity", "pod") is not None


def test_an_unknown_detection_id_lists_the_known_ones() -> None:
    with pytest.raises(DetectionError) as caught:
        catalogue.get("cloud_unusal_country")
    assert "there is no 'cloud_unusal_country'; the detections are " in str(caught.value)
    assert "cloud_unusual_country" in str(caught.value)


@pytest.mark.parametrize("text", ["[{", "[]", '{"profiles": {}}', "5", '"' + "x" * 10])
def test_a_damaged_catalogue_says_what_to_do(tmp_path: Path, text: str) -> None:
    damaged = tmp_path / "catalogue.json"
    damaged.write_text(text, "utf-8")
    with pytest.raises(DetectionError, match=r"catalogue.json: cannot be read .* run ./dev generate"):
        catalogue.load(damaged)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("detections", {}, "catalogue.json: detections: a list is needed"),
        ("detections", [5], "catalogue.json: a detection: a detection is a mapping"),
        ("sources", {"aws": {}}, "catalogue.json: sources: each source needs row_fields, list_fields, listed and geo"),
        ("sources", [], "catalogue.json: sources: each source needs"),
        ("profiles", [], "catalogue.json: profiles: content is a mapping"),
    ],
)
def test_a_faulty_catalogue_names_what_is_wrong(tmp_path: Path, field: str, value: Any, complaint: str) -> None:
    faulty = tmp_path / "catalogue.json"
    faulty.write_text(json.dumps({**DOCUMENT, field: value}), "utf-8")
    with pytest.raises(DetectionErrors) as caught:
        catalogue.load(faulty)
    assert complaint in str(caught.value)
