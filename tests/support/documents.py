"""Content for tests: the documents that ship, and detections made of changed ones."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import content
from cba.detection.model import Detection
from cba.detection.reader import Document, read_content

ROOT = Path(__file__).resolve().parents[2]


def document(detection_id: str) -> dict[str, Any]:
    """A copy of the document of a shipped detection."""
    path = ROOT / content.DETECTIONS / detection_id / "detection.yml"
    return copy.deepcopy(content.read_yaml(path, "detection.yml").content)


def profiles() -> Document:
    """The profiles that ship."""
    return content.read_yaml(ROOT / content.PROFILES, "content/profiles.yml")


def detection_of(document: Any, where: str = "x.yml") -> Detection:
    """The detection of a document. Raises DetectionErrors with every fault."""
    return next(iter(read_content(profiles(), [Document(where, document)]).detections.values()))
