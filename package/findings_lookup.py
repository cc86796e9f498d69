"""The fields of the lookup cba_findings: what findings consist of, and every field that a detection reads or keeps.

Of a lookup over the KV store only the fields in fields_list are there. This one line of default/transforms.conf is
generated; the rest of the file is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

from cba.correlate.chains import CHAIN_FIELDS
from cba.detection.model import Detection
from cba.judging.detecting import CORE_FIELDS
from cba.judging.rows import GEO_FIELDS

FILE = "default/transforms.conf"
SAID = (
    "_key", "finding_id", "detection", "variation", "name", "severity", "severity_id", "entity", "key", "opened_day",
    "first_time", "last_time", "count", "suppressed_count", "last_suppressed_time", "raised_time", "updated_time",
    "anomaly_score", "explanation", "variations_matched", "attack", "related_finding",
)  # fmt: skip
"""What is said of every finding (`findings.record`)."""
KEPT = ("evidence", "atoms", "absorbed")
"""What is kept for the commands."""
INTERNAL = frozenset({"signal_kind", "signal_what", "resource_scope", "judged_outcome", "events"})
"""What conditions read and nobody looks at."""

_LINE = re.compile(r"(?m)^(\[cba_findings\]\n(?:(?!\[|fields_list).*\n)*)fields_list = .*$")


def files(root: Path, detections: Iterable[Detection]) -> dict[str, str]:
    """The file with the line as it follows from the detections."""
    text = (root / FILE).read_text("utf-8")
    named = [name for detection in detections for name in (*detection.list_names, *detection.fields)]
    of_detections = (name for name in named if name not in INTERNAL)
    fields = dict.fromkeys((*SAID, *CORE_FIELDS, *GEO_FIELDS, *of_detections, *CHAIN_FIELDS, *KEPT))
    changed, times = _LINE.subn(lambda found: f"{found.group(1)}fields_list = {', '.join(fields)}", text)
    if times != 1:
        raise ValueError(f"{FILE} has no stanza [cba_findings] with a fields_list")
    return {FILE: changed}
