"""A KV store collection over splunk-sdk: batched, patient, and idempotent because every key is deterministic.

Limits are those of limits.conf [kvstore]: 1,000 documents and 50 MB a save, 50,000 rows a query (silently cut). Some
installations allow fewer; a save answered with 400 is halved until it fits.
https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence, TypeVar

from splunklib.client import Service

from ..errors import RefusedError, StoreError
from ..terms import APP
from .layouts import LAYOUTS
from .splunkd import Refused, ask

DOCUMENTS_PER_SAVE = 1000
KEYS_PER_QUERY = 500
"""As many documents are taken to come uncut on every installation, so that fewer are all that there are."""
ROWS_PER_PAGE = 10_000
LARGE_BYTES = 1_000_000
"""A document of so many bytes may be refused for its size (MongoDB takes 16 MB); to send it again would not help."""

_JSON = [("Content-Type", "application/json")]

Document = dict[str, Any]
T = TypeVar("T")


class Collection:
    """One collection of the app, owner `nobody`. Every method raises StoreError naming the collection; those that read
    give documents in the present layout, whichever they were kept in, and raise DamagedError for one that is newer."""

    def __init__(self, service: Service, name: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._layout = LAYOUTS[name]
        self._service = service
        self._pause = pause
        self._path = f"/servicesNS/nobody/{APP}/storage/collections/data/{name}"

    def by_keys(self, keys: Iterable[str]) -> Iterator[Document]:
        """The documents with these keys; keys without a document are left out."""
        for batch in _batches(sorted(set(keys)), KEYS_PER_QUERY):
            query = {"query": {"$or": [{"_key": key} for key in batch]}, "limit": len(batch)}
            for found in self._post("batch_find", [query]):
                yield from map(self._known, found)

    def find(self, query: Mapping[str, Any], sort: str = "_key") -> Iterator[Document]:
        """Every document that matches, page by page, so that the row limit of a query cuts nothing off."""
        skip = 0
        while True:
            asked = {"query": query, "skip": skip, "limit": ROWS_PER_PAGE, "sort": sort}
            (page,) = self._post("batch_find", [asked])
            yield from map(self._known, page)
            if len(page) < KEYS_PER_QUERY:
                return
            skip += len(page)

    def where(self, field: str, values: Iterable[str]) -> Iterator[Document]:
        """The documents in which a field has one of these values."""
        for batch in _batches(sorted(set(values)), KEYS_PER_QUERY):
            yield from self.find({"$or": [{field: value} for value in batch]})

    def first(self, order: str) -> Optional[Document]:
        """The first document in an order such as `rank:-1,time:-1`, None when there is none."""
        found = self._request("query", lambda: self._get_page(limit=1, sort=order))
        return next(map(self._known, found), None)

    def save(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Inserts or replaces documents by `_key`, in batches; what was saved before a failure stays saved. Raises
        RefusedError, when all others are saved, for documents that are too large for the store."""
        refused: list[str] = []
        for batch in _batches(map(self._layout.written, documents), DOCUMENTS_PER_SAVE):
            self._save(batch, refused)
        if refused:
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            raise RefusedError(f"KV store collection {self.name}: {refused[0]}{more}")

    def delete(self, keys: Iterable[str]) -> None:
        """Removes the documents with these keys, if they are there."""
        for batch in _batches(sorted(set(keys)), KEYS_PER_QUERY // 10):
            self.delete_where({"$or": [{"_key": key} for key in batch]})

    def delete_where(self, query: Mapping[str, Any]) -> None:
        """Removes the documents that match when the store looks at them."""
        text = json.dumps(query)
        self._request("delete", lambda: self._service.delete(self._path, query=text))

    def forget(self, query: Mapping[str, Any]) -> None:
        """Removes the documents that match. Raises DamagedError, and removes none, where one is of a newer version, of
        which nobody here knows what its fields mean."""
        next(self.find({"$and": [query, self._layout.unknown]}), None)  # reading one says so
        self.delete_where(query)

    def _save(self, batch: Sequence[Document], refused: list[str]) -> None:
        try:
            self._post("batch_save", batch)
        except _TooLarge as error:
            if len(batch) == 1:
                size = len(json.dumps(batch[0], ensure_ascii=False).encode("utf-8", "replace"))
                problem = f"document {batch[0].get('_key')} of {size:,} bytes is refused ({error})"
                if size < LARGE_BYTES:  # then it is not the document's fault, and the run is to be repeated
                    raise StoreError(f"KV store collection {self.name}: {problem}") from error
                refused.append(problem)
                return
            half = len(batch) // 2
            self._save(batch[:half], refused)
            self._save(batch[half:], refused)

    def _known(self, document: Document) -> Document:
        return self._layout.read(self.name, document)

    def _get_page(self, **options: Any) -> Any:
        return self._service.get(self._path, output_mode="json", **options)

    def _post(self, verb: str, body: Sequence[Any]) -> Any:
        text = json.dumps(body, ensure_ascii=False).encode("utf-8")
        return self._request(verb, lambda: self._service.post(f"{self._path}/{verb}", headers=_JSON, body=text))

    def _request(self, verb: str, send: Callable[[], Any]) -> Any:
        try:
            return ask(f"KV store collection {self.name}: {verb}", send, self._pause, verb == "delete")
        except Refused as error:
            if error.status == 400 and verb == "batch_save":
                raise _TooLarge(error.problem) from error
            raise


class _TooLarge(Exception):
    """The store refused a save with 400: too many or too large documents."""


def _batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    left = iter(items)
    while batch := list(itertools.islice(left, size)):
        yield batch
