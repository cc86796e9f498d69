"""What a search sees of time, and the time modifiers that a search text says for itself.

Sources: https://help.splunk.com/splunk-enterprise/spl-search-reference/9.4/time-format-variables-and-modifiers/time-modifiers
and https://docs.splunk.com/Documentation/Splunk/latest/Search/Specifytimemodifiersinyoursearch
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Optional

from lab.errors import LabError, SplError
from lab.spl.times import time_modifier

MODIFIERS = ("earliest", "latest", "_index_earliest", "_index_latest")


@dataclass(frozen=True)
class TimeWindow:
    """What a run sees: event time in [earliest, latest), index time in [index_earliest, index_latest), None for open;
    nothing indexed after `now`, or after `indexed_by` for a run that happens later than it was due."""

    earliest: Optional[float]
    latest: Optional[float]
    now: float
    index_earliest: Optional[float] = None
    index_latest: Optional[float] = None
    indexed_by: Optional[float] = None

    @property
    def visible(self) -> float:
        return self.now if self.indexed_by is None else self.indexed_by

    def modified(self, modifiers: Mapping[str, str]) -> TimeWindow:
        """The window with what the search says itself in place of what it was dispatched with.

        "latest" is now for a search that says "earliest" alone. One that says "latest" alone is refused: Splunk asks
        for "earliest" then. The two kinds of time do not touch each other: a search by index time has its window of
        event time all the same.
        """
        if not modifiers:
            return self
        if "latest" in modifiers and "earliest" not in modifiers:
            raise SplError("search: with latest= a search must say earliest= as well.")
        said = {name: _moment(name, word, self.now) for name, word in modifiers.items()}
        window = self
        if "earliest" in said:
            window = replace(window, earliest=said["earliest"], latest=said.get("latest", self.now))
        return replace(
            window,
            index_earliest=said.get("_index_earliest", self.index_earliest),
            index_latest=said.get("_index_latest", self.index_latest),
        )


def _moment(name: str, word: str, now: float) -> Optional[float]:
    try:
        return time_modifier(word, now)
    except LabError as problem:
        raise SplError(f"search: {name}={word}: {problem.message}") from None
