"""Today's settings beside changed ones: what is changed, and what would be raised under the one and the other."""

from __future__ import annotations

import re
from typing import Iterator, Mapping

from ..detection.model import Detection
from ..errors import OptionError
from ..findings.record import Document
from ..history.days import KEPT_DAYS
from ..settings import faults
from ..settings.effects import TERM_SETTINGS

STANZA = "detections"
PRECEDENCE = "variation_precedence"
TRIED = (*TERM_SETTINGS, PRECEDENCE)
"""The settings that can be tried: those that the commands apply. Others shape the rows themselves."""
AS_NOW = "now"
"""What stands for the value that is set."""

_PAIR = re.compile(r"([A-Za-z_]+)\s*=\s*([A-Za-z0-9_]*)\s*(?:,|;|\s|$)\s*")


def read_changes(text: str) -> dict[str, str]:
    """`training_days=20, established_days=now` as setting -> value, without those that stay. Raises OptionError."""
    changes: dict[str, str] = {}
    at = 0
    while at < len(text.strip()):
        pair = _PAIR.match(text.strip(), at)
        if pair is None:
            raise OptionError(f"changed={text!r} cannot be read from {text.strip()[at:]!r} on; write setting=value, …")
        key, value = pair.groups()
        if key not in TRIED:
            raise OptionError(f"changed={text!r}: {key} cannot be tried; what can be is {', '.join(TRIED)}")
        if value != AS_NOW:
            changes[key] = value
        at = pair.end()
    return changes


def with_changes(values: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """The settings with the changes. Raises OptionError with everything that is wrong with them."""
    changed = {**values, **changes}
    found = faults(STANZA, changed)
    if found:
        raise OptionError(" ".join(found))
    return changed


def judged_in_full_since(training: int, end_day: int) -> int:
    """The first day whose training period is still kept when the histories have reached `end_day`."""
    return end_day - KEPT_DAYS + training


OF_FINDING = (
    "finding_id", "detection", "variation", "name", "severity", "severity_id", "entity", "key", "first_time",
    "last_time", "count", "explanation",
)  # fmt: skip
COMPARED = (*OF_FINDING, "now", "changed")
"""A finding, and under which settings it would be raised: 1, else 0."""


def compare(
    detection: Detection, now: Mapping[str, Document], changed: Mapping[str, Document]
) -> Iterator[tuple[str, ...]]:
    """Every finding of either side in order of time; one that takes another variation counts as two.

    After them comes a row without a finding for each variation that has none, so that all are there to be counted.
    """
    sides = [{(key, document["variation"]): document for key, document in found.items()} for found in (now, changed)]
    either = {**sides[1], **sides[0]}
    for key, document in sorted(either.items(), key=lambda item: (item[1]["first_time"], item[0])):
        yield (*(str(document[name]) for name in OF_FINDING), *(str(int(key in side)) for side in sides))
    raised = {variation for _finding, variation in either}
    for variation in detection.all_variations:
        if variation.id not in raised:
            named = (detection.id, variation.id, variation.name, variation.severity, str(variation.rank))
            yield ("", *named, *[""] * (len(OF_FINDING) - 1 - len(named)), "0", "0")
