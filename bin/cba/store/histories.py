"""Histories in the collection `cba_history`: one document per profile and entity.

{"_key": …, "profile": "identity_country", "entity": "arn:…", "last_day": 20479,
 "values": "{\"NL\":\"20450,20479,3f\"}"}
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Iterator, Mapping

from splunklib.client import Service

from ..errors import StoreError
from ..history.baseline import Subject
from ..history.days import DaySet
from ..history.history import History
from .collection import Collection

NAME = "cba_history"


def document_key(subject: Subject) -> str:
    """The document's `_key`: a digest, because entities may hold any character and be long."""
    return hashlib.blake2b(f"{subject.profile}\n{subject.entity}".encode(), digest_size=10).hexdigest()


class HistoryCollection:
    """Reads and writes histories by subject."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, History]:
        """The histories of those subjects that have one."""
        by_key = {document_key(subject): subject for subject in subjects}
        return {by_key[document["_key"]]: decode(document) for document in self._collection.by_keys(by_key)}

    def of_entity(self, entity: str) -> dict[Subject, History]:
        """Every history of one entity, in whichever profile."""
        return self._decoded({"entity": entity})

    def of_profile(self, profile: str) -> dict[Subject, History]:
        """Every history of one profile."""
        return self._decoded({"profile": profile})

    def each(self, profile: str) -> Iterator[tuple[Subject, History, int]]:
        """Every history of one profile with the bytes of its document, page by page: none is kept."""
        for document in self._collection.find({"profile": profile}):
            yield _subject(document), decode(document), len(json.dumps(document, ensure_ascii=False).encode())

    def _decoded(self, query: Mapping[str, Any]) -> dict[Subject, History]:
        found = self._collection.find(query)
        return {_subject(document): decode(document) for document in found}

    def save(self, histories: Mapping[Subject, History]) -> None:
        """Replaces the documents of these subjects."""
        self._collection.save([encode(subject, history) for subject, history in histories.items()])


def encode(subject: Subject, history: History) -> dict[str, Any]:
    """The document of a history."""
    values = {value: days.encode() for value, days in sorted(history.values.items())}
    return {
        "_key": document_key(subject),
        "profile": subject.profile,
        "entity": subject.entity,
        "last_day": history.last,
        "values": json.dumps(values, separators=(",", ":"), ensure_ascii=False),
    }


def decode(document: Mapping[str, Any]) -> History:
    """The history of a document. Raises StoreError naming the document when it cannot be read."""
    try:
        values = {value: DaySet.decode(text) for value, text in json.loads(document["values"]).items()}
        return History(values)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"KV store collection {NAME}: document {document.get('_key')} ({document.get('profile')} of "
            f"{document.get('entity')}) is damaged: {error!r}. Restore it from a backup, or delete it to learn anew."
        ) from error


def _subject(document: Mapping[str, Any]) -> Subject:
    return Subject(str(document.get("profile")), str(document.get("entity")))
