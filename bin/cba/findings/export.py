"""A finding as other systems get it: the same fields as in an alert, each with its type, and what analysts say of it.

Which fields are there, what they mean and of which type they are is declared here; docs/finding.schema.json is
generated from it. Fields are added, and neither renamed nor given another meaning, while FORMAT stays.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, Optional

from ..terms import LISTED_SEPARATOR, SEVERITIES
from .alerts import KEPT_BACK
from .triage import Document, shown

FORMAT = "cba-finding-1"
"""What every exported finding says of itself, in the field `format`."""

TEXT, WHOLE, TIME, WORDS, LISTED, JSON = "text", "whole number", "time", "words", "list", "JSON"
"""How a field is kept: TIME is epoch seconds, 0 for none; WORDS a list parted by blanks, LISTED one by
LISTED_SEPARATOR; JSON the text of an object or a list."""
INTERNAL = frozenset({"part", "atoms", "absorbed", "opened_day", "judged_outcome", "signal_kind", "signal_what"})
"""What only commands read."""


class Field(NamedTuple):
    """A field that stays as it is from version to version."""

    kind: str
    about: str
    always: bool = True


FIELDS: Mapping[str, Field] = {
    "finding_id": Field(TEXT, "The finding's id: the same however often it is read."),
    "detection": Field(TEXT, "The id of the detection."),
    "variation": Field(TEXT, "base, v1, v2 …: the variation that is raised."),
    "variations_matched": Field(WORDS, "All variations that matched."),
    "name": Field(TEXT, "What the variation is called."),
    "severity": Field(TEXT, f"One of {', '.join(SEVERITIES)}."),
    "severity_id": Field(WHOLE, "1 (informational) to 5 (critical)."),
    "anomaly_score": Field(WHOLE, "How unusual it is, 0 to 100."),
    "entity": Field(TEXT, "Whom it is about."),
    "key": Field(JSON, "What the finding is deduplicated by."),
    "first_time": Field(TIME, "Its first event, in epoch seconds."),
    "last_time": Field(TIME, "Its last event, in epoch seconds."),
    "raised_time": Field(TIME, "When it was raised, in epoch seconds."),
    "updated_time": Field(TIME, "When it was last written, in epoch seconds."),
    "count": Field(WHOLE, "How many events it stands for."),
    "suppressed_count": Field(WHOLE, "How many of them were counted instead of raised."),
    "attack": Field(WORDS, "Ids of tactics and techniques of MITRE ATT&CK."),
    "explanation": Field(TEXT, "Why it was raised, in a sentence with numbers."),
    "evidence": Field(JSON, "What each value was compared with."),
    "related_finding": Field(TEXT, "Another finding that a condition asked for.", always=False),
    "source_kind": Field(TEXT, "aws, azure, gcp, kubernetes, m365, gws or endpoint."),
    "provider": Field(TEXT, "Whose log it is.", always=False),
    "project": Field(TEXT, "AWS account, Azure subscription, GCP project, cluster …", always=False),
    "identity": Field(TEXT, "Who did it.", always=False),
    "identity_type": Field(TEXT, "What kind of identity that is.", always=False),
    "src_ip": Field(TEXT, "From which address.", always=False),
    "country": Field(TEXT, "Its country (ISO 3166-1 alpha-2).", always=False),
    "asn": Field(TEXT, "Its network.", always=False),
    "as_org": Field(TEXT, "Whose network that is.", always=False),
    "region": Field(TEXT, "The cloud region that was called.", always=False),
    "operations": Field(LISTED, "What was done in its first quarter of an hour; at most twenty.", always=False),
    "user_agents": Field(LISTED, "With which clients, likewise.", always=False),
    "secret_names": Field(LISTED, "Which secrets were read, likewise.", always=False),
    "chain_steps": Field(JSON, "The steps of a chain, in order of time.", always=False),
    "status": Field(TEXT, "new, in progress or closed."),
    "owner": Field(TEXT, "Whose finding it is.", always=False),
    "verdict": Field(TEXT, "benign or malicious.", always=False),
    "comment": Field(TEXT, "What was said with the verdict.", always=False),
    "triaged_by": Field(TEXT, "Who said it.", always=False),
    "triaged_time": Field(TIME, "When, in epoch seconds.", always=False),
}  # fmt: skip
"""The fields that are stable. Others follow from the detection, as texts; its page says what it keeps."""


def exported(finding: Mapping[str, object], said: Optional[Document]) -> dict[str, Any]:
    """A finding of the KV store with what was said of it (None: nothing), typed. Fields without a value are left out,
    but for those that are always there."""
    told = {**finding, **{name: value for name, value in shown(said).items() if name != "earlier_verdicts"}}
    record: dict[str, Any] = {"format": FORMAT}
    for name, field in FIELDS.items():
        value = _typed(told.get(name, ""), field.kind)
        if field.always or value not in ("", None, []):
            record[name] = value
    for name in sorted(told.keys() - FIELDS.keys() - KEPT_BACK - INTERNAL):
        if not name.startswith("_") and told[name] not in ("", None):
            record[name] = str(told[name])
    return record


def line(record: Mapping[str, Any]) -> str:
    """A record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _typed(value: object, kind: str) -> Any:
    text = str(value)
    if kind == WHOLE:
        return _whole(text) or 0
    if kind == TIME:
        return _whole(text) or None
    if kind == WORDS:
        return text.split()
    if kind == LISTED:
        return [each for each in text.split(LISTED_SEPARATOR) if each]
    if kind == JSON:
        return _read(text)
    return text


def _whole(text: str) -> int:
    """A number of a document, which the KV store keeps as a double; 0 for none."""
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0


def _read(text: str) -> Any:
    """What a text of JSON holds; None for what is none, so that one damaged document stops no export."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
