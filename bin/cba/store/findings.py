"""Findings in the collection `cba_findings`: one document each, kept with evidence and counts. What analysts
say of them is in `store.triage`."""

from __future__ import annotations

import itertools
from typing import Any, Iterable, Iterator, Optional, Sequence

from splunklib.client import Service

from .collection import Collection

NAME = "cba_findings"
_ENTITIES_PER_QUERY = 50


class FindingCollection:
    """Implements `findings.record.FindingStore` and `findings.verdicts.Findings`."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def of_entities(self, entities: Sequence[str], since: int) -> list[dict[str, Any]]:
        """Findings whose entity or identity is one of these and whose last event is at `since` or later."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(entities), _ENTITIES_PER_QUERY):
            batch = entities[start : start + _ENTITIES_PER_QUERY]
            anybody = [{field: name} for field in ("entity", "identity") for name in batch]
            query = {"$and": [{"$or": anybody}, {"last_time": {"$gte": since}}]}
            found.extend(self._collection.find(query))
        return found

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of these findings that are there, by id."""
        return {document["finding_id"]: document for document in self._collection.by_keys(finding_ids)}

    def raised_since(
        self, detection_id: str, variation_id: str, since: int, part: int
    ) -> Iterator[list[dict[str, Any]]]:
        """The findings of a variation raised at `since` or later, in parts; of every detection for the id ""."""
        wanted: list[dict[str, Any]] = [{"variation": variation_id}, {"raised_time": {"$gte": since}}]
        if detection_id:
            wanted.insert(0, {"detection": detection_id})
        found = self._collection.find({"$and": wanted})
        while batch := list(itertools.islice(found, part)):
            yield batch

    def raised_between(self, since: int, until: int, part: int) -> Iterator[list[dict[str, Any]]]:
        """The findings raised at `since` or later and before `until`, oldest first, in parts."""
        wanted = {"$and": [{"raised_time": {"$gte": since}}, {"raised_time": {"$lt": until}}]}
        found = self._collection.find(wanted, "raised_time,_key")
        while batch := list(itertools.islice(found, part)):
            yield batch

    def most_severe(self) -> Optional[dict[str, Any]]:
        """Of the most severe findings the latest; None without findings."""
        return self._collection.first("severity_id:-1,last_time:-1")

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self._collection.save(documents)

    def delete(self, finding_ids: Sequence[str]) -> None:
        self._collection.delete(finding_ids)
