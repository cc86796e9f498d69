"""docs/finding.schema.json: the JSON of an exported finding, as `cba.findings.export` declares it (JSON Schema)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping

from marked import Section

from cba.findings.export import FIELDS, FORMAT, JSON, LISTED, TEXT, TIME, WHOLE, WORDS
from cba.terms import SEVERITIES

FILE = "docs/finding.schema.json"
SHIPPED = "appserver/static/guide/finding.schema.json"
"""The same where Splunk serves it, with the guide."""
PAGE = "docs/integrations.md"
SECTION = Section(
    "<!-- Generated from bin/cba/findings/export.py by ./dev generate; edit that instead. -->",
    "<!-- End of what is generated. -->",
)
_TYPES: Mapping[str, dict[str, Any]] = {
    TEXT: {"type": "string"},
    WHOLE: {"type": "integer"},
    TIME: {"type": ["integer", "null"]},
    WORDS: {"type": "array", "items": {"type": "string"}},
    LISTED: {"type": "array", "items": {"type": "string"}},
    JSON: {"type": ["object", "array", "null"]},
}
_NARROWER: Mapping[str, dict[str, Any]] = {
    "severity": {"enum": list(SEVERITIES)},
    "status": {"enum": ["new", "in progress", "closed"]},
    "key": {"type": "array", "items": {"type": "string"}},
    "anomaly_score": {"minimum": 0, "maximum": 100},
}


def documents(root: Path) -> dict[str, str]:
    """docs/integrations.md with the table of fields as it follows."""
    return {PAGE: SECTION.replaced((root / PAGE).read_text("utf-8"), table())}


def files(generated: str) -> dict[str, str]:
    """The files; `generated` says so in them."""
    stated = {"format": {"const": FORMAT, "description": "This format. Fields are added to it, and none is changed."}}
    fields = {
        name: {**_TYPES[field.kind], **_NARROWER.get(name, {}), "description": field.about}
        for name, field in FIELDS.items()
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A finding of Cloud Behavior Analytics for Splunk",
        "$comment": generated,
        "type": "object",
        "properties": {**stated, **fields},
        "required": ["format", *(name for name, field in FIELDS.items() if field.always)],
        "additionalProperties": {
            "type": "string",
            "description": "What the detection keeps besides; its page says it.",
        },
    }
    return dict.fromkeys((FILE, SHIPPED), json.dumps(schema, indent=1, ensure_ascii=False) + "\n")


def table() -> str:
    """The fields as a table for people."""
    rows = (f"| `{name}` | {field.kind} | {field.about} |" for name, field in FIELDS.items())
    return "\n".join(("", "| field | as | |", "|---|---|---|", *rows, "", ""))
