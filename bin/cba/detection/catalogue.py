"""What the commands know of the content: `catalogue.json` beside this file, generated from `content/`."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any, Mapping

from ..errors import DetectionError, DetectionErrors
from .model import Detection, Population, SourceShape
from .reader import Document, read_content

CATALOGUE = Path(__file__).with_name("catalogue.json")


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Every detection and population by name, and the shape of the rows of every source."""

    detections: Mapping[str, Detection]
    populations: Mapping[str, Population]
    sources: Mapping[str, SourceShape]

    def with_detections(self, detections: Mapping[str, Detection]) -> Catalogue:
        """The same with other detections."""
        return dataclasses.replace(self, detections=detections)


@functools.lru_cache(maxsize=4)
def load(path: Path = CATALOGUE) -> Catalogue:
    """The catalogue. Raises DetectionError when the file is missing, no JSON, or holds anything faulty."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        profiles, sources, detections = document["profiles"], document["sources"], document["detections"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DetectionError(path.name, f"cannot be read ({error}); run ./dev generate or reinstall the app") from error
    return from_documents(path.name, profiles, sources, detections)


def from_documents(where: str, profiles: Any, sources: Any, detections: Any) -> Catalogue:
    """The catalogue of documents as the file holds them. Raises DetectionErrors with every fault."""
    if not isinstance(detections, list):
        raise DetectionErrors([DetectionError(f"{where}: detections", "a list is needed")])
    named = (_named(where, each) for each in detections)
    content = read_content(Document(f"{where}: profiles", profiles), named)
    return Catalogue(content.detections, content.populations, _shapes(where, sources))


def _named(where: str, document: Any) -> Document:
    name = document.get("id") if isinstance(document, Mapping) else None
    return Document(f"{where}: {name or 'a detection'}", document)


def _shapes(where: str, sources: Any) -> dict[str, SourceShape]:
    try:
        return {
            str(name): SourceShape(
                tuple(given["row_fields"]), tuple(given["list_fields"]), tuple(given["listed"]), bool(given["geo"])
            )
            for name, given in sources.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        problem = f"each source needs row_fields, list_fields, listed and geo ({error})"
        raise DetectionErrors([DetectionError(f"{where}: sources", problem)]) from error


def get(detection_id: str, path: Path = CATALOGUE) -> Detection:
    """One detection. Raises DetectionError listing the ids there are."""
    detections = load(path).detections
    if detection_id not in detections:
        raise DetectionError("detection", f"there is no {detection_id!r}; the detections are {', '.join(detections)}")
    return detections[detection_id]
