"""What the commands and pages know of the content: the catalogue, its lookups, the ATT&CK layer."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from attack import NAMES
from shapes import Shape
from words import because

from cba.detection.model import Detection, variation_search
from cba.detection.reader import Document

COUNTRIES = Path(__file__).resolve().parent.parent / "lookups" / "cba_countries.csv"


def files(
    profiles: Document, detections: Sequence[Detection], shapes: Mapping[str, Shape], generated: str
) -> dict[str, str]:
    """Path below the root -> content; `generated` says so at the top of those that can say it."""
    return {
        "bin/cba/detection/catalogue.json": catalogue_json(profiles, detections, shapes, generated),
        "lookups/cba_detections.csv": catalogue_csv(detections),
        "lookups/cba_drilldowns.csv": drilldowns_csv(detections),
        "lookups/cba_steps.csv": steps_csv(detections),
        "docs/attack-navigator-layer.json": navigator_layer(detections, generated),
        "appserver/static/guide/attack-navigator-layer.json": navigator_layer(detections, generated),
        "bin/cba/scoring/countries.json": countries_json(),
    }


def catalogue_json(
    profiles: Document, detections: Iterable[Detection], shapes: Mapping[str, Shape], generated: str
) -> str:
    """What the commands read: profiles, the shapes of rows, and the documents of all detections."""
    document: dict[str, Any] = {
        "generated": generated,
        "profiles": profiles.content,
        "sources": {name: dataclasses.asdict(shape.summary) for name, shape in shapes.items()},
        "detections": [detection.document for detection in detections],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def countries_json() -> str:
    """The names of countries for explanations: those of the lookup that the pages read."""
    with COUNTRIES.open(encoding="utf-8", newline="") as file:
        names = {row["country"]: row["name"] for row in csv.DictReader(file)}
    document = {
        "generated": f"Generated from lookups/{COUNTRIES.name} by ./dev generate; edit that instead.",
        "names": names,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def catalogue_csv(detections: Iterable[Detection]) -> str:
    """The catalogue lookup: one row per variation. `deduplication` is in days; `because` says in words what makes its
    severity, `techniques` has ATT&CK's names beside the ids."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ["detection", "variation", "name", "severity", "kind", "attack", "sources", "saved_search"]
    writer.writerow([*columns, "deduplication", "because", "techniques"])
    for detection in detections:
        for variation in detection.all_variations:
            attack = " ".join(detection.tactics + detection.techniques)
            sources = " ".join(detection.sources)
            row = [detection.id, variation.id, variation.name, variation.severity, variation.kind, attack, sources]
            said = [detection.periods.deduplication, because(detection, variation), attack_names(detection)]
            writer.writerow([*row, variation_search(detection, variation), *said])
    return out.getvalue()


def attack_names(detection: Detection) -> str:
    """Tactics and techniques with their names: `TA0001 Initial Access, T1078 Valid Accounts`."""
    return ", ".join(f"{each} {NAMES[each]}" for each in (*detection.tactics, *detection.techniques))


def steps_csv(detections: Iterable[Detection]) -> str:
    """What each detection's YAML says to look at, in its order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["detection", "number", "step"])
    for detection in detections:
        writer.writerows(
            [detection.id, number, " ".join(str(step).split())]
            for number, step in enumerate(detection.document["investigative_actions"], 1)
        )
    return out.getvalue()


def drilldowns_csv(detections: Iterable[Detection]) -> str:
    """What can be done with a finding, the searches for its events first: $field$ is for what the finding fills in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["detection", "title", "means", "search"])
    for detection in detections:
        looks = (
            [detection.id, each.name, "what the detection suggests to look at", each.search]
            for each in detection.drilldowns
        )
        writer.writerows(looks)
        if detection.allow is not None:
            title = f"Put it on the list {detection.allow.lookup}"
            writer.writerow([detection.id, title, "expected from now on; say why", detection.allow.search])
    return out.getvalue()


def navigator_layer(detections: Iterable[Detection], generated: str) -> str:
    """The techniques covered, for the ATT&CK Navigator; the score is the number of variations.

    Format: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
    """
    covering: dict[str, list[Detection]] = {}
    for detection in detections:
        for technique in detection.techniques:
            covering.setdefault(technique, []).append(detection)
    layer = {
        "name": "Cloud Behavior Analytics",
        "versions": {"layer": "4.5"},
        "domain": "enterprise-attack",
        "description": generated,
        "gradient": {"colors": ["#d0e7f5", "#0072b2"], "minValue": 0, "maxValue": 16},
        "techniques": [
            {
                "techniqueID": technique,
                "score": sum(len(detection.all_variations) for detection in found),
                "comment": "; ".join(detection.name for detection in found),
            }
            for technique, found in sorted(covering.items())
        ],
    }
    return json.dumps(layer, indent=1, ensure_ascii=False) + "\n"
