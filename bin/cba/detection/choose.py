"""Which variation is raised: all are evaluated, exactly one is chosen."""

from __future__ import annotations

import dataclasses
from typing import Iterator, Optional

from .condition import Facts, Result
from .model import Detection, Variation

BY_SEVERITY = "severity"
AS_LISTED = "listed"
PRECEDENCES = (BY_SEVERITY, AS_LISTED)


@dataclasses.dataclass(frozen=True)
class Matched:
    """A variation that matched, and why: None for one without a condition."""

    variation: Variation
    result: Optional[Result]


@dataclasses.dataclass(frozen=True)
class Choice:
    """The variation to raise and every one that matched, base first, then in listed order; `result` is what the
    detection's own condition came to."""

    chosen: Matched
    matched: tuple[Matched, ...]
    result: Result

    @property
    def variation(self) -> Variation:
        return self.chosen.variation

    @property
    def reasons(self) -> Iterator[Result]:
        """What made it so: the results of the detection's condition, of the chosen variation, then of the others."""
        others = (each for each in self.matched if each is not self.chosen)
        return (each for each in (self.result, self.chosen.result, *(o.result for o in others)) if each is not None)


def choose(detection: Detection, facts: Facts, precedence: str = BY_SEVERITY) -> Optional[Choice]:
    """The variation for these facts, or None when the detection has nothing to say.

    By severity: of the matching variations that are no downgrades the most severe wins, ties by listed order; else a
    matching downgrade; else base. As listed: strictly the first match, base last.
    """
    result = detection.when.evaluate(facts)
    if not result:
        return None
    matched = tuple(_matching(detection, facts))
    if not matched:
        return None
    named = [each for each in matched if each.variation is not detection.base]
    if not named:
        return Choice(matched[0], matched, result)
    if precedence == AS_LISTED:
        return Choice(named[0], matched, result)
    raising = [each for each in named if each.variation.kind != "downgrade"]
    if raising:
        return Choice(max(raising, key=lambda each: each.variation.rank), matched, result)
    return Choice(named[0], matched, result)


def _matching(detection: Detection, facts: Facts) -> Iterator[Matched]:
    for variation in detection.all_variations:
        found = variation.when.evaluate(facts) if variation.when is not None else None
        if found is None or found:
            yield Matched(variation, found)
