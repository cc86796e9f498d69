"""How far each source has been judged, in the collection `cba_marks`: one document per source, written last of all,
and one of the window that its next run is about to read.

{"_key": "aws:plan", "source": "aws", "window": "1767226500-1767227400", "made": 1767227460}
{"_key": "aws", "source": "aws", "judged_from": 1767225600, "judged_until": 1767226500, "updated_time": 1767226560,
 "trail": "[[1767139200,1767139260]]", …}
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Optional

from splunklib.client import Service

from ..errors import DamagedError
from ..judging.window import Mark, Plan, Window
from ..terms import SOURCES
from .collection import Collection

NAME = "cba_marks"


class MarkCollection:
    """Reads and writes marks."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def load(self, source: str) -> Optional[Mark]:
        """The mark of a source; None where nothing was judged yet."""
        return next((_decode(document) for document in self._collection.by_keys([source])), None)

    def told(self) -> dict[str, tuple[Mark, Mapping[str, Any]]]:
        """The mark of each source, and all that its last run has told of itself."""
        return {document["_key"]: (_decode(document), document) for document in self._collection.by_keys(SOURCES)}

    def plan(self, source: str) -> Optional[Plan]:
        """The plan of a source's next window, if there is one that can be read."""
        for document in self._collection.by_keys([f"{source}:plan"]):
            try:
                return Plan(Window.from_text(str(document["window"])), int(document["made"]))
            except (KeyError, ValueError, TypeError, OverflowError):
                return None  # it is made anew
        return None

    def save_plan(self, source: str, plan: Plan) -> None:
        self._collection.save(
            [{"_key": f"{source}:plan", "source": source, "window": plan.window.text, "made": plan.made}]
        )

    def save(self, source: str, mark: Mark, told: Mapping[str, Any]) -> None:
        """Keeps a mark, and what else there is to tell of the run that moved it."""
        document = {
            "judged_from": mark.judged_from,
            "judged_until": mark.judged_until,
            "updated_time": mark.made,
            "trail": json.dumps(mark.trail, separators=(",", ":")),
        }
        self._collection.save([{"_key": source, "source": source, **document, **told}])


def _decode(document: Mapping[str, Any]) -> Mark:
    try:
        trail = tuple((int(until), int(made)) for until, made in json.loads(document.get("trail") or "[]"))
        made = int(document.get("updated_time") or 0)
        return Mark(int(document["judged_from"]), int(document["judged_until"]), made, trail)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} is damaged: {error!r}. Delete it: the "
            "source is then judged from now on, and its Rows of before can be judged by hand with cbajudge"
        ) from error
