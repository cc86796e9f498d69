"""Histories in the collection `cba_history`: one document per profile, entity and writer.

{"_key": …, "subject": …, "profile": "identity_country", "entity": "arn:…", "writer": "aws", "last_day": 20479,
 "values": "{\"NL\":\"20450,20479,3f\"}"}

Each search that learns is a writer of its own; what is known of a subject is the union of its documents. A writer's
document is read again before it is replaced and after, so that two runs of one writer at once seldom lose anything of
each other; what they do, the mark has judged again (`judging.window`).

Versions from before there were writers kept one document per subject, under the key that is `subject` now, without
`subject` and `writer` (`layouts`). They are those of one more writer, until nothing counts of them and they are
forgotten.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Iterator, Mapping, Optional

from splunklib.client import Service

from ..errors import DamagedError, StoreError
from ..history.days import DaySet
from ..history.history import History, Subject
from ..history.remembered import Remembered
from .collection import Collection
from .layouts import BEFORE_WRITERS

NAME = "cba_history"
TRIES = 4
"""How often a document is written until it is found to hold what was written."""


def subject_key(subject: Subject) -> str:
    """The name of a subject in documents: a digest, because entities may hold any character and be long."""
    return _digest(subject.profile, subject.entity)


def _digest(*names: str) -> str:
    return hashlib.blake2b("\n".join(names).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


class HistoryCollection:
    """Implements `history.remembered.HistoryStore` for one writer."""

    def __init__(self, service: Service, writer: str = "") -> None:
        self._collection = Collection(service, NAME)
        self._writer = writer
        self._former: Optional[bool] = None
        """Whether there are documents from before there were writers; None before anybody looked."""

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, Remembered]:
        """The histories of those subjects that have one."""
        by_key = {subject_key(subject): subject for subject in subjects}
        found: dict[Subject, Remembered] = {}
        for document in self._of_subjects(by_key):
            subject = by_key[document["subject"]]
            history = decode(document)
            known = found.get(subject)
            own = history if document.get("writer") == self._writer else None
            if known is None:
                # A history of its own to add to, even where others have seen all of it.
                found[subject] = Remembered(own, own) if own is not None else Remembered(History(), history)
            else:
                found[subject] = Remembered(known.own if own is None else own, known.all.union(history))
        return found

    def _of_subjects(self, keys: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        yield from self._collection.where("subject", keys)
        if self._former is None:
            # They have no `subject` in the store. A field that is missing sorts as null does, before any text:
            # https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
            first = self._collection.first("subject")
            self._former = first is not None and _is_former(first)
        if self._former:
            yield from filter(_is_former, self._collection.by_keys(keys))

    def of_entity(self, entity: str) -> dict[Subject, History]:
        """Every history of one entity, in whichever profile."""
        return self._united({"entity": entity})

    def of_profile(self, profile: str) -> dict[Subject, History]:
        """Every history of one profile."""
        return self._united({"profile": profile})

    def each(self, profile: str) -> Iterator[tuple[Subject, History, int]]:
        """Every history of one profile with the bytes of its documents, page by page: none is kept."""
        last: tuple[Subject, History, int] | None = None
        for document in self._collection.find({"profile": profile}, sort="subject"):
            subject, history, size = _subject(document), decode(document), _bytes(document)
            if last is not None and last[0] == subject:
                last = (subject, last[1].union(history), last[2] + size)
                continue
            if last is not None:
                yield last
            last = (subject, history, size)
        if last is not None:
            yield last

    def _united(self, query: Mapping[str, Any]) -> dict[Subject, History]:
        found: dict[Subject, History] = {}
        for document in self._collection.find(query):
            subject, history = _subject(document), decode(document)
            found[subject] = found[subject].union(history) if subject in found else history
        return found

    def save(self, histories: Mapping[Subject, History]) -> None:
        """Adds what this writer has seen to its documents. Raises StoreError when it cannot be made to stay."""
        by_key = {_digest(subject.profile, subject.entity, self._writer): subject for subject in histories}
        left = dict(by_key)
        for _attempt in range(TRIES):
            stored = {document["_key"]: decode(document) for document in self._collection.by_keys(left)}
            together = {key: _together(histories[subject], stored.get(key)) for key, subject in left.items()}
            lacking = {key: subject for key, subject in left.items() if together[key] != stored.get(key)}
            if not lacking:
                return
            self._collection.save(encode(subject, together[key], self._writer) for key, subject in lacking.items())
            left = lacking
        raise StoreError(
            f"KV store collection {NAME}: {len(left)} documents are changed by another run all the time; is "
            f"the search of {self._writer} running twice? Nothing learned is lost; the search can be run again."
        )


def _together(history: History, stored: Optional[History]) -> History:
    """Both, without what counts no longer."""
    together = history if stored is None else stored.union(history)
    together.forget()
    return together


def encode(subject: Subject, history: History, writer: str = "") -> dict[str, Any]:
    """The document of a history."""
    values = {value: days.encode() for value, days in sorted(history.values.items())}
    return {
        "_key": _digest(subject.profile, subject.entity, writer),
        "subject": subject_key(subject),
        "profile": subject.profile,
        "entity": subject.entity,
        "writer": writer,
        "last_day": history.last,
        "values": json.dumps(values, separators=(",", ":"), ensure_ascii=False),
    }


def decode(document: Mapping[str, Any]) -> History:
    """The history of a document. Raises DamagedError naming the document when it cannot be read."""
    try:
        values = {value: DaySet.decode(text) for value, text in json.loads(document["values"]).items()}
        return History(values)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} ({document.get('profile')} of "
            f"{document.get('entity')}) is damaged: {error!r}. Restore it from a backup, or delete it to learn anew."
        ) from error


def _is_former(document: Mapping[str, Any]) -> bool:
    return bool(document.get("writer") == BEFORE_WRITERS)


def _subject(document: Mapping[str, Any]) -> Subject:
    return Subject(str(document.get("profile")), str(document.get("entity")))


def _bytes(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, ensure_ascii=False).encode())
