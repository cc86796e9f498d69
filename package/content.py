"""Loads `content/`: the YAML files with the lines on which their fields stand, checked whole.

    content/profiles.yml                      who × what is remembered
    content/detections/<id>/detection.yml     a detection, and beside it scenarios.yml, which tests/scenarios reads

A fault names file, line and field; all of them are shown at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import yaml

from cba.detection.reader import Content, Document, read_content
from cba.errors import DetectionError, DetectionErrors

PROFILES = Path("content") / "profiles.yml"
DETECTIONS = Path("content") / "detections"


def load(root: Path) -> Content:
    """The content below the root. Raises DetectionErrors with every fault of every file."""
    profiles, documents = documents_of(root)
    return read_content(profiles, documents)


def documents_of(root: Path) -> tuple[Document, list[Document]]:
    """The documents of profiles and detections. Raises DetectionErrors for files that are no YAML, or not where they
    belong."""
    errors: list[DetectionError] = []
    found: list[Document] = []
    for path in (PROFILES, *(each.relative_to(root) for each in sorted((root / DETECTIONS).glob("*/detection.yml")))):
        try:
            document = read_yaml(root / path, path.as_posix())
        except DetectionErrors as error:
            errors += error.errors
            continue
        found.append(document)
        folder = path.parent.name
        if path != PROFILES and isinstance(document.content, dict) and document.content.get("id") != folder:
            errors.append(document.error("id", f"{document.content.get('id')!r} is in the folder {folder}"))
    if errors:
        raise DetectionErrors(errors)
    return found[0], found[1:]


def read_yaml(path: Path, where: str) -> Document:
    """A file with its lines. Raises DetectionErrors when it cannot be read or is no YAML, or says a field twice."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
        places = list(_lines(node, ""))
    except (OSError, UnicodeDecodeError) as error:
        raise DetectionErrors([DetectionError(where, f"cannot be read: {error}")]) from error
    except yaml.YAMLError as error:
        raise DetectionErrors([DetectionError(where, f"is not YAML: {_where(error)}")]) from error
    except (RecursionError, ValueError) as error:  # nested without end; a number of thousands of digits
        raise DetectionErrors(
            [DetectionError(where, f"is not YAML that can be read: {type(error).__name__}")]
        ) from error
    lines: dict[str, int] = {}
    twice = []
    for field, line in places:
        if field in lines:
            twice.append(DetectionError(f"{where}, line {line}: {field}", f"stands on line {lines[field]} already"))
        lines[field] = line
    if twice:
        raise DetectionErrors(twice)
    return Document(where, content, lines)


def _lines(node: Any, path: str) -> Iterator[tuple[str, int]]:
    """The path and line of every field and list item below a node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{path}.{key.value}" if path else str(key.value)
            yield name, key.start_mark.line + 1
            yield from _lines(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            name = f"{path}[{index}]"
            yield name, item.start_mark.line + 1
            yield from _lines(item, name)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
