"""The state of the circuit breakers, in `cba_breakers`: two documents per detection and source, because each has one
writer.

{"_key": "counted:<detection>:<source>", …, "matches": "{…}", "openings": "[[time, key, rank], …]"}
{"_key": "acknowledged:<detection>:<source>", …, "acknowledged": "[[time, user, comment], …]"}

Both name the detection and the source, too.

`cbajudge` writes the first, `cbaacknowledge` the second.
"""

from __future__ import annotations

import json
from typing import Any

from splunklib.client import Service

from ..errors import DamagedError
from ..findings.breaker import Acknowledgement, BreakerState, Opening, decode_matches, encode_matches
from ..terms import LAST_DAY, SECONDS_PER_DAY
from .collection import Collection

NAME = "cba_breakers"


class BreakerCollection:
    """Implements `findings.breaker.BreakerStore` for one detection in one source."""

    def __init__(self, service: Service, detection_id: str, source: str) -> None:
        self._collection = Collection(service, NAME)
        self._detection_id = detection_id
        self._source = source
        self._counted = f"counted:{detection_id}:{source}"
        self._acknowledged = f"acknowledged:{detection_id}:{source}"

    def load(self) -> BreakerState:
        """Matches, openings and acknowledgements; an empty state where there is none."""
        found = {d["_key"]: d for d in self._collection.by_keys((self._counted, self._acknowledged))}
        counted, acknowledged = found.get(self._counted, {}), found.get(self._acknowledged, {})
        try:
            return _possible(
                BreakerState(
                    decode_matches(counted.get("matches", "{}")),
                    tuple(_opening(*each) for each in json.loads(counted.get("openings", "[]"))),
                    tuple(
                        Acknowledgement(int(a[0]), str(a[1]), str(a[2]))
                        for a in json.loads(acknowledged.get("acknowledged", "[]"))
                    ),
                )
            )
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise DamagedError(
                f"KV store collection {NAME}: a document of the breaker of {self._detection_id} is damaged: {error!r}. "
                f"Restore {self._counted} and {self._acknowledged} from a backup, or delete them to count anew."
            ) from error

    def save(self, state: BreakerState) -> None:
        self._save(self._counted, matches=encode_matches(state.matches), openings=_json(state.openings))

    def acknowledge(self, state: BreakerState, acknowledgement: Acknowledgement) -> None:
        """Adds an acknowledgement to those of the state loaded."""
        self._save(self._acknowledged, acknowledged=_json((*state.acknowledged, acknowledgement)))

    def _save(self, key: str, **fields: str) -> None:
        self._collection.save([{"_key": key, "detection": self._detection_id, "source": self._source, **fields}])


def _possible(state: BreakerState) -> BreakerState:
    """The state. Raises ValueError when it has a time at which nothing can have happened."""
    times = (*(each.time for each in state.openings), *(each.time for each in state.acknowledged))
    for time in times:
        if not 0 < time < LAST_DAY * SECONDS_PER_DAY:
            raise ValueError(f"{time} is no time of an opening or an acknowledgement")
    return state


def _opening(time: Any, key: Any, rank: Any) -> Opening:
    return Opening(int(time), str(key), int(rank))


def _json(items: Any) -> str:
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)
