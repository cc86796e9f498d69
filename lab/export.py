"""Findings as people and programs read them: plain records with ISO times, and one line each, or a row of a
table on a terminal."""

from __future__ import annotations

import datetime
import json
from typing import Any, Iterable, Mapping

from rich.text import Text

from lab.terminal import COLOURS

TEXTS = (
    "finding_id", "detection", "variation", "name", "severity", "identity", "identity_type", "project", "source_kind",
    "provider", "country", "asn", "as_org", "src_ip", "explanation", "related_finding", "status",
)  # fmt: skip
TIMES = ("first_time", "last_time", "last_suppressed_time", "raised_time")
NUMBERS = ("count", "suppressed_count", "anomaly_score")


def records(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Findings of the KV store in order of time. Times are ISO 8601 in UTC (null for none), counts whole numbers,
    `variations_matched`, `attack` and `key` (the deduplication key) lists, `evidence` an object."""
    found = [_record(document) for document in documents]
    return sorted(found, key=lambda record: (record["first_time"], record["finding_id"]))


def _record(document: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {field: document.get(field, "") for field in TEXTS}
    record.update({field: iso(document.get(field)) or None for field in TIMES})
    record.update({field: int(float(document.get(field) or 0)) for field in NUMBERS})
    record["variations_matched"] = str(document.get("variations_matched", "")).split()
    record["attack"] = str(document.get("attack", "")).split()
    record["key"] = json.loads(document.get("key") or "[]")
    record["evidence"] = json.loads(document.get("evidence") or "null")
    return record


def iso(epoch: Any) -> str:
    """ISO 8601 in UTC, to the second; "" for none."""
    if not epoch:
        return ""
    return datetime.datetime.fromtimestamp(float(epoch), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(record: Mapping[str, Any]) -> tuple[str, Text, Text]:
    """The same for a table on a terminal: when, how severe, and who, what and why, below each other."""
    severity = str(record["severity"])
    about = f"{record['detection']} {record['variation']}  {'  '.join(record['key'])}  x{record['count']}"
    told = Text.assemble((about, "bold"), "\n", str(record["explanation"]))
    return str(record["first_time"])[:16].replace("T", " "), Text(severity, COLOURS.get(severity, "")), told


def line(record: Mapping[str, Any]) -> str:
    """`2022-07-27 11:43:34  medium         cloud_unusual_country 2  admin@example.com  GB  x3  Country GB: first …`"""
    when = str(record["first_time"])[:19].replace("T", " ")
    return (
        f"{when}  {record['severity']:13}  {record['detection']} {record['variation']}  {'  '.join(record['key'])}"
        f"  x{record['count']}  {record['explanation']}"
    )
