"""What every detector gives."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Alert:
    """One line in an analyst's queue: about events of somebody (`who`: any of these names) at `seconds` of event time.

    `about` names the rule. `score` orders alerts, the highest first; a detector that gives no order gives the same to
    all. `severity` and `variation` are empty for detectors that have none. `told`: when the run ended that gave it, in
    epoch seconds, where that is not the first run after the event was indexed. `place`: the country it came from."""

    about: str
    source: str
    who: tuple[str, ...]
    seconds: tuple[int, ...]
    score: float
    severity: str = ""
    variation: str = ""
    told: float = 0.0
    place: str = ""

    @property
    def second(self) -> int:
        return self.seconds[0]
