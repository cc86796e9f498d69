"""The detections the commands know: `catalogue.json` beside this file, generated from `detections/*.yml`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Mapping

from ..errors import DetectionError
from .model import Detection, collect

CATALOGUE = Path(__file__).with_name("catalogue.json")


@functools.lru_cache(maxsize=4)
def load(path: Path = CATALOGUE) -> Mapping[str, Detection]:
    """Every detection by id. Raises DetectionError when the file is missing, not JSON, or holds a faulty detection."""
    try:
        documents = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise DetectionError(path.name, f"cannot be read ({error}); run ./dev generate or reinstall the app") from error
    return collect(Detection.from_dict, {f"{path.name}: {document['id']}": document for document in documents})


def get(detection_id: str, path: Path = CATALOGUE) -> Detection:
    """One detection. Raises DetectionError listing the ids there are."""
    detections = load(path)
    if detection_id not in detections:
        raise DetectionError("detection", f"there is no {detection_id!r}; the detections are {', '.join(detections)}")
    return detections[detection_id]
