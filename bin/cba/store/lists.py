"""The lists of a search head: people's rows in collections of the KV store, the shipped ones in lookup files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Iterator, Optional

from splunklib.client import Service

from ..lists.declared import LISTS, ListOfRows
from ..lists.match import Given, Row, Table, numbered
from .collection import Collection

LOOKUPS = Path(__file__).resolve().parents[3] / "lookups"
"""The folder of the app's own lookup files."""


class StoredLists:
    """Implements `lists.match.Lists`. A list is read when it is asked for, once in the life of this object."""

    def __init__(self, service: Service, lookups: Path = LOOKUPS) -> None:
        self._service = service
        self._lookups = lookups
        self._tables: dict[str, Table] = {}
        self._unread: list[str] = []

    def match(self, name: str, /, **values: str) -> Optional[Row]:
        """Raises StoreError when the KV store does not answer."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(LISTS[name], self._rows(LISTS[name]))
        return table.match(values)

    @property
    def faults(self) -> list[str]:
        """What was passed over in the lists read so far, in sentences for the person who runs the search."""
        return [*self._unread, *(fault for table in self._tables.values() for fault in table.faults)]

    def _rows(self, declared: ListOfRows) -> Iterator[Given]:
        """People's rows in the order of their keys, then the shipped ones."""
        for document in Collection(self._service, declared.collection).find({}):
            yield Given(f"document {document.get('_key')}", document)
        if declared.shipped:
            yield from self._shipped(declared)

    def _shipped(self, declared: ListOfRows) -> Iterator[Given]:
        path = self._lookups / f"{declared.defaults}.csv"
        try:
            with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
                yield from numbered(f"{path.name} line", list(csv.DictReader(file)), first=2)
        except (OSError, csv.Error) as error:
            self._unread.append(f"list {declared.name}: {path.name} cannot be read ({error}); install the app again")
