"""The KV store of the lab: collections.conf on SQLite, with the limits and the answers of the real one.

What is relied upon, and where it is written:

- endpoints, query operators, sort, fields, skip, limit:
  https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTkvstore
- limits ([kvstore] of limits.conf): max_documents_per_batch_save 1000, max_size_per_batch_save_mb 50,
  max_queries_per_batch 1000, max_rows_per_query 50000 ("the returned result set will contain the number of rows
  specified": silently cut), max_size_per_result_mb 50, max_size_per_batch_result_mb 100:
  https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf
- field types and enforceTypes ("true: invalid insert operations fail; false: … drop only the invalid field"):
  https://docs.splunk.com/Documentation/Splunk/latest/Admin/Collectionsconf
- no operation merges into a document: a save replaces it whole. One request is one transaction.

Numbers are doubles: a whole number beyond 2^53 loses bits on its way in, as in the real store.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence, Union

from lab.conf import AppConf, Stanza
from lab.errors import LabError
from lab.kvdocument import FIELD_TYPES, project, size_of, sort_order, store_value, typed_value
from lab.kvquery import (
    Document,
    KVStoreError,
    Query,
    comparable,
    compile_query,
    field_expression,
    type_expression,
    values_at,
)

__all__ = ["Collection", "KVStore", "KVStoreError", "Limits"]

MEGABYTE = 1024 * 1024
INERT_SETTINGS = ("profilingEnabled", "profilingThresholdMs", "replicate", "replication_dump_strategy",
                  "replication_dump_maximum_file_size", "type", "disabled")  # fmt: skip
TOO_LARGE = "Request exceeds API limits - see limits.conf for details."


@dataclass(frozen=True)
class Limits:
    """[kvstore] of limits.conf. Tests lower them; an app may not ship its own."""

    max_documents_per_batch_save: int = 1000
    max_size_per_batch_save_mb: float = 50
    max_queries_per_batch: int = 1000
    max_rows_per_query: int = 50_000
    max_size_per_result_mb: float = 50
    max_size_per_batch_result_mb: float = 100
    max_accelerations_per_collection: int = 10
    max_fields_per_acceleration: int = 10


class KVStore:
    """All collections of an app in one SQLite file (or in memory). Safe to use from several threads."""

    def __init__(self, app: AppConf, path: Union[Path, str] = ":memory:", limits: Optional[Limits] = None) -> None:
        self.limits = limits or Limits()
        self.is_away: Callable[[], bool] = lambda: False
        """Whether it refuses searches and requests; whoever tests looks into it all the same."""
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        # WAL with synchronous=NORMAL survives a killed process with every committed request whole.
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self._collections: dict[str, Collection] = {}
        self.define(app)

    def define(self, app: AppConf) -> None:
        """Take collections.conf as it is now: the documents of a collection that is gone go with it."""
        wanted = {n: s for n, s in app.stanzas("collections").items() if not s.boolean("disabled")}
        for name in self._collections.keys() - wanted.keys():
            self._collections.pop(name).drop()
        for name, stanza in wanted.items():
            self._collections[name] = Collection(self, _definition(stanza, self.limits))

    def names(self) -> list[str]:
        return sorted(self._collections)

    def collection(self, name: str) -> Collection:
        """The collection of that name; LabError when collections.conf has none."""
        found = self._collections.get(name)
        if found is None:
            known = ", ".join(self.names()) or "none"
            raise LabError(f"no collection '{name}'. Known: {known}.", "default/collections.conf")
        return found

    def served(self, name: str) -> Collection:
        """The collection for a search or a request; KVStoreError 503 while the store is away."""
        if self.is_away():
            raise KVStoreError(503, "KV Store is not ready.")
        return self.collection(name)

    def close(self) -> None:
        with self.lock:
            self.connection.close()


@dataclass(frozen=True)
class Definition:
    """A stanza of collections.conf, checked."""

    name: str
    types: dict[str, str]
    accelerations: dict[str, dict[str, int]]
    enforce: bool


def _definition(stanza: Stanza, limits: Limits) -> Definition:
    types: dict[str, str] = {}
    accelerations: dict[str, dict[str, int]] = {}
    for key, text in stanza.settings.items():
        if key.startswith("field."):
            if text not in FIELD_TYPES:
                raise stanza.error(key, f"unknown field type '{text}'. Known: {', '.join(FIELD_TYPES)}.")
            types[key[len("field.") :]] = text
        elif key.startswith("accelerated_fields."):
            accelerations[key[len("accelerated_fields.") :]] = _acceleration(stanza, key, text, limits)
        elif key != "enforceTypes" and key not in INERT_SETTINGS:
            raise stanza.error(key, f"unknown setting '{key}' of a collection.")
    if len(accelerations) > limits.max_accelerations_per_collection:
        raise LabError(f"more than {limits.max_accelerations_per_collection} accelerations.", stanza.file, stanza.name)
    return Definition(stanza.name, types, accelerations, stanza.boolean("enforceTypes"))


def _acceleration(stanza: Stanza, key: str, text: str, limits: Limits) -> dict[str, int]:
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not fields or not all(v in (1, -1) for v in fields.values()):
        raise stanza.error(key, f'{key} = {text} is not of the form {{"field": 1, "other": -1}}.')
    if len(fields) > limits.max_fields_per_acceleration:
        raise stanza.error(key, f"more than {limits.max_fields_per_acceleration} fields in one acceleration.")
    return fields


class Collection:
    """One collection. Every document has `_key` and `_user`; without a user it belongs to `nobody`, as lookups see it.

    `find`, `batch_find` and `batch_save` keep the limits of the REST API. `scan` and `save_all` are what inputlookup
    and outputlookup do inside splunkd: all rows, in batches.
    """

    def __init__(self, store: KVStore, definition: Definition) -> None:
        self.writes = 0
        """How often it was written since it was opened; who has seen that number before has seen everything."""
        self.definition = definition
        self.name = definition.name
        self.limits = store.limits
        self._lock = store.lock
        self._db = store.connection
        self._table = '"kv_' + self.name.replace('"', "") + '"'
        self._create()

    def _create(self) -> None:
        # `place` keeps the natural (insertion) order of documents, which replacing one does not change.
        self._db.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (place INTEGER PRIMARY KEY, _user TEXT NOT NULL,"
            " _key TEXT NOT NULL, doc TEXT NOT NULL, UNIQUE (_key, _user))"
        )
        for name, fields in self.definition.accelerations.items():
            indexed = [f for f in fields if "." not in f]
            if not indexed or indexed[0] != next(iter(fields)):
                continue  # a dotted leading field is served by the matcher alone
            index = self._table.strip('"') + "_" + "".join(c if c.isalnum() else "_" for c in name)
            columns = ", ".join(field_expression(f) for f in indexed)
            self._db.execute(f'CREATE INDEX IF NOT EXISTS "{index}" ON {self._table} ({columns})')
            # Lets SQLite answer "field = ? OR field is an array" from two indexes.
            kinds = type_expression(indexed[0])
            self._db.execute(f'CREATE INDEX IF NOT EXISTS "{index}_t" ON {self._table} ({kinds})')

    def drop(self) -> None:
        """Remove the collection and everything in it."""
        with self._lock:
            self._db.execute(f"DROP TABLE IF EXISTS {self._table}")

    # -- reading ------------------------------------------------------------------------------------------------------

    def find(
        self,
        query: Optional[Document] = None,
        fields: Union[str, Sequence[str], None] = None,
        sort: Optional[str] = None,
        limit: int = 0,
        skip: int = 0,
        user: str = "nobody",
    ) -> list[Document]:
        """Documents that match, at most max_rows_per_query (more are cut without a word).

        `fields` is "a,b" or "a:0,b:0" (`_key` may be excluded either way), `sort` is "a,b:-1"; without it documents
        come in order of insertion.
        """
        rows = self.limits.max_rows_per_query
        documents = self._select(query, sort, min(limit, rows) if limit > 0 else rows, skip, user)
        projected = project(documents, fields)
        if size_of(projected) > self.limits.max_size_per_result_mb * MEGABYTE:
            raise KVStoreError(400, f"{TOO_LARGE} (max_size_per_result_mb={self.limits.max_size_per_result_mb:g})")
        return projected

    def _select(
        self, query: Optional[Document], sort: Optional[str], limit: int, skip: int, user: str
    ) -> list[Document]:
        if sort in ("_key", "_key:1", "_key:-1"):
            compiled, order = compile_query(query), "_key DESC" if sort == "_key:-1" else "_key"
            if compiled.exact:
                return list(self._rows(compiled, user, limit, skip, order))
            return list(itertools.islice(self._rows(compiled, user, order=order), skip, skip + limit))
        if sort and (order := self._indexed_order(sort)) and (compiled := compile_query(query)).exact:
            return list(self._rows(compiled, user, limit, skip, order))
        if sort:
            documents = list(self.scan(query, user))
            for name, descending in reversed(sort_order(sort)):
                path = name.split(".")
                documents.sort(key=lambda d: comparable(next(iter(values_at(d, path)), None)), reverse=descending)
            return documents[skip : skip + limit]
        compiled = compile_query(query)
        if compiled.exact:
            return list(self._rows(compiled, user, limit, skip))
        return list(itertools.islice(self._rows(compiled, user), skip, skip + limit))

    def _indexed_order(self, sort: str) -> str:
        """The order by one field as SQL, where an index may serve it and both mean the same: a missing value first,
        then numbers, then texts; "" elsewhere."""
        name = sort[: -len(":1")] if sort.endswith(":1") else sort
        leading = {next(iter(fields)) for fields in self.definition.accelerations.values()}
        plain = self.definition.enforce and self.definition.types.get(name) in ("string", "number")
        return f"{field_expression(name)}, place" if plain and name in leading else ""

    def scan(self, query: Optional[Document] = None, user: str = "nobody") -> Iterator[Document]:
        """All documents that match, in order of insertion, without limits."""
        return self._rows(compile_query(query), user)

    def _rows(
        self, compiled: Query, user: str, limit: int = -1, skip: int = 0, order: str = "place"
    ) -> Iterator[Document]:
        """Documents that match; `limit` and `skip` only where the SQL alone is the answer."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT _user, _key, doc FROM {self._table} WHERE _user = ? AND {compiled.sql}"
                f" ORDER BY {order} LIMIT ? OFFSET ?",
                [user, *compiled.params, limit, skip],
            ).fetchall()
        for owner, key, text in rows:
            document = json.loads(text)
            document["_user"] = owner
            document["_key"] = key
            if compiled.exact or compiled.matches(document):
                yield document

    def count(self, user: str = "nobody") -> int:
        with self._lock:
            return int(self._db.execute(f"SELECT count(*) FROM {self._table} WHERE _user = ?", [user]).fetchone()[0])

    def get(self, key: str, user: str = "nobody") -> Document:
        """The document of that key; KVStoreError 404 when there is none."""
        found = self._select({"_key": key}, None, 1, 0, user)
        if not found:
            raise KVStoreError(404, "Could not find object.")
        return found[0]

    def batch_find(self, queries: Sequence[Document], user: str = "nobody") -> list[list[Document]]:
        """One list of documents per query. A query is {"query": …, "fields": …, "sort": …, "limit": …, "skip": …}."""
        if len(queries) > self.limits.max_queries_per_batch:
            most = self.limits.max_queries_per_batch
            raise KVStoreError(400, f"{TOO_LARGE} (Too many queries in a single batch, max_queries_per_batch={most})")
        answers = []
        for query in queries:
            if not isinstance(query, dict) or not set(query) <= {"query", "fields", "sort", "limit", "skip"}:
                raise KVStoreError(
                    400, "Invalid batch_find: each query is an object with query, fields, sort, limit, skip."
                )
            answers.append(self.find(user=user, **query))
        if sum(map(size_of, answers)) > self.limits.max_size_per_batch_result_mb * MEGABYTE:
            most_mb = self.limits.max_size_per_batch_result_mb
            raise KVStoreError(400, f"{TOO_LARGE} (max_size_per_batch_result_mb={most_mb:g})")
        return answers

    # -- writing ------------------------------------------------------------------------------------------------------

    def insert(self, document: Document, user: str = "nobody") -> str:
        """Add one document and return its key; KVStoreError 409 when the key is taken."""
        owner, key, text = self._prepare(document, user)
        with self._lock:
            self.writes += 1
            try:
                self._db.execute(f"INSERT INTO {self._table} (_user, _key, doc) VALUES (?, ?, ?)", [owner, key, text])
            except sqlite3.IntegrityError:
                raise KVStoreError(409, "A document with the same key and user already exists.") from None
        return key

    def replace(self, key: str, document: Document, user: str = "nobody") -> str:
        """Put `document` in the place of the one with `key` (nothing is merged); KVStoreError 404 when there is
        none."""
        owner, _, text = self._prepare({**document, "_key": key}, user)
        with self._lock:
            self.writes += 1
            changed = self._db.execute(
                f"UPDATE {self._table} SET doc = ? WHERE _key = ? AND _user = ?", [text, key, owner]
            ).rowcount
        if not changed:
            raise KVStoreError(404, "Could not find object.")
        return key

    def batch_save(self, documents: Sequence[Document], user: str = "nobody") -> list[str]:
        """Insert or replace documents, all or none; returns their keys. More than the limit is refused (400)."""
        most = self.limits.max_documents_per_batch_save
        if len(documents) > most:
            raise KVStoreError(
                400,
                f"{TOO_LARGE} (Too many documents for a single batch save, max_documents_per_batch_save={most})",
            )
        rows = [self._prepare(document, user) for document in documents]
        size, most_mb = sum(len(text) for _, _, text in rows), self.limits.max_size_per_batch_save_mb
        if size > most_mb * MEGABYTE:
            raise KVStoreError(400, f"{TOO_LARGE} (Batch save is too large, max_size_per_batch_save_mb={most_mb:g})")
        with self._lock:
            self.writes += 1
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(
                    f"INSERT INTO {self._table} (_user, _key, doc) VALUES (?, ?, ?)"
                    " ON CONFLICT (_key, _user) DO UPDATE SET doc = excluded.doc",
                    rows,
                )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        return [key for _, key, _ in rows]

    def save_all(self, documents: Iterable[Document], user: str = "nobody") -> list[str]:
        """Save any number of documents, a batch at a time: what outputlookup does."""
        every, most = list(documents), self.limits.max_documents_per_batch_save
        return [key for at in range(0, len(every), most) for key in self.batch_save(every[at : at + most], user)]

    def delete(self, query: Optional[Document] = None, user: str = "nobody") -> int:
        """Delete what matches (everything without a query); returns how many. No match is not an error."""
        compiled = compile_query(query)
        with self._lock:
            self.writes += 1
            if compiled.exact:
                where = f"_user = ? AND {compiled.sql}"
                return self._db.execute(f"DELETE FROM {self._table} WHERE {where}", [user, *compiled.params]).rowcount
            keys = [(user, d["_key"]) for d in self.scan(query, user)]
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(f"DELETE FROM {self._table} WHERE _user = ? AND _key = ?", keys)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            return len(keys)

    def _prepare(self, document: Any, user: str) -> tuple[str, str, str]:
        """(user, key, JSON text) of a document, typed as collections.conf says."""
        if not isinstance(document, dict):
            raise KVStoreError(400, "JSON in the request is invalid. (a document must be an object)")
        key = document.get("_key")
        if key is None or key == "":
            key = uuid.uuid4().hex[:24]
        elif not isinstance(key, str):
            raise KVStoreError(400, f"JSON in the request is invalid. (_key must be a string, found {key!r})")
        elif not _is_utf8(key):
            raise KVStoreError(400, "JSON in the request is invalid. (_key is no UTF-8 text)")
        clean: Document = {}
        for name, value in document.items():
            if name in ("_key", "_user"):
                continue
            if name.startswith("$") or "." in name or not name:
                raise KVStoreError(400, f"JSON in the request is invalid. (field name '{name}' may not have $ or .)")
            value = store_value(value)
            declared = self.definition.types.get(name)
            if declared is not None and value is not None:
                value, valid = typed_value(value, declared)
                if not valid:
                    if self.definition.enforce:
                        raise KVStoreError(400, f"Value of field '{name}' is not of type '{declared}'.")
                    continue  # enforceTypes=false drops only the invalid field
            clean[name] = value
        owner = document.get("_user")
        return owner if isinstance(owner, str) and owner else user, key, json.dumps(clean, separators=(",", ":"))


def _is_utf8(text: str) -> bool:
    """Half a surrogate pair is none, though JSON may hold one."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
