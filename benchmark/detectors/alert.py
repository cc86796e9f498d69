"""What every detector gives."""

from __future__ import annotations

import dataclasses
from typing import Protocol, Sequence

SEVERITIES = ("informational", "low", "medium", "high")


@dataclasses.dataclass(frozen=True)
class Alert:
    """One line in an analyst's queue: about an event of somebody (`who`: any of these names) at a second, in event time.

    `about` names the rule. `score` orders alerts, the highest first; one who gives no order gives the same to all.
    `severity` is empty for detectors that have none. `told` is when the analyst has it: epoch seconds."""

    about: str
    source: str
    who: tuple[str, ...]
    second: int
    score: float
    severity: str = ""
    variation: str = ""
    told: float = 0.0


class Detector(Protocol):
    """`name` as tables show it; `cited`: the public description that it follows."""

    name: str
    cited: str

    def alerts(self) -> Sequence[Alert]: ...
