"""When each source was first and last seen, in the collection `cba_status`: one document per detection and source.

A detection keeps its own, because a document that is read, changed and written back may have one writer only.
"""

from __future__ import annotations

from typing import Any, Mapping

from splunklib.client import Service

from ..errors import StoreError
from ..history.baseline import SourceStatus
from ..history.days import DaySet
from .collection import Collection

NAME = "cba_status"


class StatusCollection:
    """Reads and writes the source statuses of one detection."""

    def __init__(self, service: Service, detection_id: str) -> None:
        self._collection = Collection(service, NAME)
        self._detection_id = detection_id

    def load(self) -> dict[str, SourceStatus]:
        """Status by source."""
        found = self._collection.find({"detection": self._detection_id})
        return dict(_decode(document) for document in found)

    def save(self, statuses: Mapping[str, SourceStatus]) -> None:
        self._collection.save([self._encode(source, status) for source, status in sorted(statuses.items())])

    def _encode(self, source: str, status: SourceStatus) -> dict[str, Any]:
        return {
            "_key": f"{self._detection_id}:{source}",
            "detection": self._detection_id,
            "source": source,
            "first_day": status.first_day,
            "last_day": status.last_day,
            "days": status.days.encode(),
        }


def _decode(document: Mapping[str, Any]) -> tuple[str, SourceStatus]:
    """Source and status. Raises StoreError naming the document when it cannot be read."""
    try:
        return document["source"], SourceStatus(DaySet.decode(document["days"]))
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(
            f"KV store collection {NAME}: document {document.get('_key')} is damaged: {error!r}. Restore it from a "
            "backup, or delete it and run the detection's Backfill search."
        ) from error
