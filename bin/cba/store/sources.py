"""When each source was first and last seen, in the collection `cba_sources`: one document per source and writer.

{"_key": "aws:aws", "source": "aws", "writer": "aws", "first_day": 20450, "last_day": 20479, "days": "20450,20479,3f…"}
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from splunklib.client import Service

from ..errors import DamagedError
from ..history.days import DaySet
from ..judging.evidence import SourceDays
from .collection import Collection

NAME = "cba_sources"


class SourceCollection:
    """Implements `judging.stores.SourceStore` for one writer."""

    def __init__(self, service: Service, writer: str = "") -> None:
        self._collection = Collection(service, NAME)
        self._writer = writer

    def load(self, source: str) -> Optional[SourceDays]:
        return self.all().get(source)

    def all(self) -> dict[str, SourceDays]:
        """The days of every source."""
        found: dict[str, SourceDays] = {}
        for document in self._collection.find({}):
            source, days = _decode(document)
            found[source] = found[source].union(days) if source in found else days
        return found

    def save(self, source: str, days: SourceDays) -> None:
        key = f"{source}:{self._writer}"
        for document in self._collection.by_keys([key]):
            days = _decode(document)[1].union(days)
        self._collection.save([self._encode(key, source, days)])

    def _encode(self, key: str, source: str, days: SourceDays) -> dict[str, Any]:
        return {
            "_key": key,
            "source": source,
            "writer": self._writer,
            "first_day": days.first_day,
            "last_day": days.last_day,
            "days": days.days.encode(),
        }


def _decode(document: Mapping[str, Any]) -> tuple[str, SourceDays]:
    """Source and days. Raises DamagedError naming the document when it cannot be read."""
    try:
        return document["source"], SourceDays(DaySet.decode(document["days"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} is damaged: {error!r}. Restore it from a "
            "backup, or delete it and run the source's Backfill search."
        ) from error
