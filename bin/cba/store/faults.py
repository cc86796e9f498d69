"""What stopped detections in the last run of a source, in the collection `cba_faults`: one document per source and
detection."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from splunklib.client import Service

from .collection import Collection

NAME = "cba_faults"


class FaultCollection:
    """Reads and writes the faults of detections in one source's search."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def all(self) -> list[dict[str, Any]]:
        """Every fault there is: source, detection, message, time (epoch seconds)."""
        return list(self._collection.find({}))

    def save(self, source: str, faults: Mapping[str, str], judged: Iterable[str], time: int) -> None:
        """Keeps the faults of a run; a detection that it judged without one has none any more."""
        kept = {f"{source}:{detection}" for detection in faults}
        known = {document["_key"] for document in self._collection.find({"source": source})}
        gone = {f"{source}:{detection}" for detection in judged} - kept
        if faults:
            self._collection.save(
                [
                    {
                        "_key": f"{source}:{detection}",
                        "source": source,
                        "detection": detection,
                        "message": message,
                        "time": time,
                    }
                    for detection, message in faults.items()
                ]
            )
        self._collection.delete(gone & known)
