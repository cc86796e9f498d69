"""The fields of the lookup cba_findings: what findings consist of, and every field that a detection reads or keeps.

Of a lookup over the KV store only the fields in fields_list are there, and a filter works on those only whose type the
collection knows. That line of default/transforms.conf and those of default/collections.conf are generated; the rest of
the files is written by hand.
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


NUMBERS = frozenset(
    {
        "severity_id", "opened_day", "first_time", "last_time", "count", "suppressed_count", "last_suppressed_time",
        "raised_time", "updated_time", "anomaly_score",
    }
)  # fmt: skip
"""What is kept as a number; a filter on any other field compares texts."""
COLLECTIONS = "default/collections.conf"
_FIELDS = re.compile(r"(?m)^(\[cba_findings\]\n(?:(?!\[|field\.).*\n)*)((?:field\..*\n)+)")


def files(root: Path, detections: Iterable[Detection]) -> dict[str, str]:
    """The files with the lines as they follow from the detections."""
    text = (root / FILE).read_text("utf-8")
    named = [name for detection in detections for name in (*detection.list_names, *detection.fields)]
    of_detections = (name for name in named if name not in INTERNAL)
    fields = tuple(dict.fromkeys((*SAID, *CORE_FIELDS, *GEO_FIELDS, *of_detections, *CHAIN_FIELDS, *KEPT)))
    changed, times = _LINE.subn(lambda found: f"{found.group(1)}fields_list = {', '.join(fields)}", text)
    if times != 1:
        raise ValueError(f"{FILE} has no stanza [cba_findings] with a fields_list")
    # A filter works on fields whose type is known:
    # https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/inputlookup
    types = "".join(f"field.{name} = {'number' if name in NUMBERS else 'string'}\n" for name in (*fields[1:], "part"))
    collections, times = _FIELDS.subn(lambda found: found.group(1) + types, (root / COLLECTIONS).read_text("utf-8"))
    if times != 1:
        raise ValueError(f"{COLLECTIONS} has no stanza [cba_findings] with fields")
    return {FILE: changed, COLLECTIONS: collections}
