"""Which variation is raised: all are evaluated, exactly one is chosen."""

from __future__ import annotations

import dataclasses
from typing import Optional

from .condition import Facts
from .model import Detection, Variation

BY_SEVERITY = "severity"
AS_LISTED = "listed"
PRECEDENCES = (BY_SEVERITY, AS_LISTED)


@dataclasses.dataclass(frozen=True)
class Choice:
    """The variation to raise and every one that matched, base first, then in listed order."""

    variation: Variation
    matched: tuple[Variation, ...]


def choose(detection: Detection, facts: Facts, precedence: str = BY_SEVERITY) -> Optional[Choice]:
    """The variation for these facts, or None when the detection has nothing to say.

    By severity: of the matching variations that are no downgrades the most severe wins, ties by listed order; else a
    matching downgrade; else base. As listed: strictly the first match, base last.
    """
    if not detection.when.evaluate(facts):
        return None
    matched = tuple(v for v in detection.all_variations if v.when is None or v.when.evaluate(facts))
    if not matched:
        return None
    named = [variation for variation in matched if variation is not detection.base]
    if not named:
        return Choice(detection.base, matched)
    if precedence == AS_LISTED:
        return Choice(named[0], matched)
    raising = [variation for variation in named if variation.kind != "downgrade"]
    if raising:
        return Choice(max(raising, key=lambda variation: variation.rank), matched)
    return Choice(named[0], matched)
