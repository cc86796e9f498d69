"""What came of one thing that was attested, and how it is told."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

AGREES, DISAGREES, STRICTER, NOT_RUN = "agrees", "disagrees", "stricter", "not run"
VERDICTS = (AGREES, DISAGREES, STRICTER, NOT_RUN)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`what` is "case" or "scenario". `stricter`: the lab refuses what Splunk runs, which can mislead nobody. `why`
    explains every verdict but agreement; `found` and `expected` are rows or findings, where they differ."""

    what: str
    name: str
    verdict: str
    why: str = ""
    search: str = ""
    expected: Optional[Sequence[Mapping[str, Any]]] = None
    found: Optional[Sequence[Mapping[str, Any]]] = None
    source: str = ""

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"{self.verdict}: {self.what} {self.name}"
        yield f"    {self.why}"
        if self.search:
            yield f"    search    {self.search}"
        for label, rows in (("expected", self.expected), ("found", self.found)):
            if rows is not None:
                yield f"    {label:9} {list(rows)}"
        if self.source:
            yield f"    source    {self.source}"


def counts(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """what -> verdict -> how many."""
    found = Counter((outcome.what, outcome.verdict) for outcome in outcomes)
    kinds = dict.fromkeys(what for what, _ in found)
    return {what: {verdict: found[what, verdict] for verdict in VERDICTS} for what in kinds}


def summary(outcomes: Sequence[Outcome], where: str) -> Iterator[str]:
    """`cases: 250 of 268 tried on Splunk 9.4.3, 250 agree` and why the others were not tried."""
    for what, verdicts in counts(outcomes).items():
        tried = sum(verdicts.values()) - verdicts[NOT_RUN]
        text = f"{what}s: {tried} of {sum(verdicts.values())} tried on {where}: {verdicts[AGREES]} agree"
        for verdict, said in ((DISAGREES, "disagree"), (STRICTER, "where the lab refuses what Splunk runs")):
            if verdicts[verdict]:
                text += f", {verdicts[verdict]} {said}"
        yield text
        reasons = Counter(o.why for o in outcomes if o.what == what and o.verdict == NOT_RUN)
        for reason, number in reasons.most_common():
            yield f"    {number} not tried: {reason}"
