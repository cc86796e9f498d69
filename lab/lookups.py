"""Lookup tables: transforms.conf stanzas over CSV files and KV store collections.

Sources: transforms.conf.spec (filename, collection, fields_list, match_type, max_matches, min_matches, default_match,
case_sensitive_match), https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Aboutlookupsandfieldactions
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional

from lab.conf import AppConf, Stanza
from lab.errors import LabError, RunFailed
from lab.kvquery import KVStoreError
from lab.spl.functions import address, network
from lab.spl.regex import wildcard
from lab.spl.values import Row, members, number, text

_MATCHING = ("match_type", "max_matches", "min_matches", "default_match", "case_sensitive_match")
_TABLE = ("filename", "external_type", "collection", "fields_list", "disabled", "description")
# Settings that change speed or distribution, not results.
_HARMLESS = ("batch_index_query", "allow_caching", "replicate", "check_permission")
_KNOWN = frozenset((*_MATCHING, *_TABLE, *_HARMLESS))
_FILENAME = re.compile(r"(?!\.)[^/\\:\0-\x1f]{1,255}")
_MATCH_TYPE = re.compile(r"(EXACT|WILDCARD|CIDR)\(\s*([^)\s]+)\s*\)", re.IGNORECASE)


@dataclass
class Lookup:
    """One lookup definition. `kinds` maps a lookup field to wildcard or cidr; all others match exactly."""

    name: str
    filename: str = ""
    collection: str = ""
    fields_list: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    max_matches: int = 100
    min_matches: int = 0
    default_match: str = ""
    case_sensitive: bool = True

    def __post_init__(self) -> None:
        """The name of a file, not a path: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Outputlookup"""
        if self.filename and not _FILENAME.fullmatch(self.filename):
            raise LabError(
                f"'{self.filename[:200]}' is not the name of a lookup file: a name without a path is needed."
            )


def definition(stanza: Stanza) -> Lookup:
    """A transforms.conf stanza as a Lookup; unknown settings are errors."""
    unknown = sorted(set(stanza.settings) - _KNOWN)
    if unknown:
        raise stanza.error(
            unknown[0],
            f"'{unknown[0]}' is not known to the lab for a lookup. Known: {', '.join(sorted(_KNOWN))}.",
        )
    kinds: dict[str, str] = {}
    match_type = stanza.get("match_type")
    if _MATCH_TYPE.sub("", match_type).replace(",", "").strip():
        raise stanza.error("match_type", f"match_type = {match_type}: expected WILDCARD(field) or CIDR(field).")
    for kind, name in _MATCH_TYPE.findall(match_type):
        if kind.lower() != "exact":
            kinds[name] = kind.lower()
    external = stanza.get("external_type")
    if external not in ("", "kvstore"):
        raise stanza.error("external_type", f"external_type = {external}: the lab knows CSV files and kvstore.")
    fields = tuple(f.strip() for f in stanza.get("fields_list").split(",") if f.strip())
    if external and (not stanza.get("collection") or not fields):
        raise LabError("a kvstore lookup needs collection and fields_list.", stanza.file, stanza.name)
    if not external and not stanza.get("filename"):
        raise LabError("a CSV lookup needs filename.", stanza.file, stanza.name)
    if external and not stanza.boolean("case_sensitive_match", True):
        # It does not apply, or only where all of the collection is in lower case (transforms.conf.spec):
        # https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Addfieldmatchingrulestoyourlookupconfiguration
        raise stanza.error("case_sensitive_match", "the KV store matches with regard to case: compare lower(…).")
    least = stanza.integer("min_matches", 0)
    return Lookup(
        name=stanza.name,
        filename=stanza.get("filename"),
        collection=stanza.get("collection") if external else "",
        fields_list=fields,
        kinds=kinds,
        max_matches=stanza.integer("max_matches", 100),
        min_matches=least,
        default_match=stanza.get("default_match"),
        case_sensitive=stanza.boolean("case_sensitive_match", True),
    )


class LookupTables:
    """All lookups of an app. CSV files are read from `state_dir` first (what outputlookup wrote), then from the app."""

    def __init__(self, app: AppConf, kv: Any, state_dir: Optional[Path] = None) -> None:
        self._app = app
        self._kv = kv
        self.folder = state_dir
        self._tables: dict[Path, tuple[tuple[int, int], list[str], list[Row]]] = {}
        self._indexes: dict[Any, _Index] = {}

    def find(self, name: str) -> Lookup:
        """A lookup by stanza name or by CSV file name."""
        stanza = self._app.stanzas("transforms").get(name)
        if stanza is not None:
            return definition(stanza)
        if name.endswith(".csv"):
            return Lookup(name, filename=name)
        known = sorted(self._app.stanzas("transforms"))
        raise LabError(f"unknown lookup '{name}'. Known: {', '.join(known) or 'none'}.", "default/transforms.conf")

    def path(self, lookup: Lookup) -> Optional[Path]:
        """The CSV file that is read, or None when there is none yet."""
        folders = [self.folder] if self.folder else []
        for folder in [*folders, self._app.app_dir / "lookups"]:
            if folder is not None and (folder / lookup.filename).is_file():
                return folder / lookup.filename
        return None

    def stamp(self, lookup: Lookup) -> Any:
        """Changes whenever the content of a CSV lookup changes; None for KV store lookups."""
        if lookup.collection:
            return None
        path = self.path(lookup)
        return (str(path), _stamp(path)) if path else ""

    def header(self, lookup: Lookup) -> list[str]:
        """Field names of a lookup; empty for a CSV file that does not exist."""
        if lookup.collection:
            return list(lookup.fields_list)
        path = self.path(lookup)
        if path is None:
            return []
        self._read(path)
        return self._tables[path][1]

    def types(self, lookup: Lookup) -> Mapping[str, str]:
        """The types of the fields of a KV store lookup, as far as collections.conf says them."""
        return self._collection(lookup).definition.types  # type: ignore[no-any-return]

    def rows(self, lookup: Lookup, query: Optional[dict[str, Any]] = None) -> Iterator[Row]:
        """All rows (of a CSV in file order). `query` narrows a KV collection; the caller filters again anyway."""
        if not lookup.collection:
            path = self.path(lookup)
            if path is None:
                raise LabError(
                    f"lookup '{lookup.name}': file '{lookup.filename}' does not exist. Put it into lookups/."
                )
            yield from map(dict, self._read(path))
            return
        for document in self._all_documents(lookup, query):
            yield _document_row(document, (*lookup.fields_list, "_key"))

    def _collection(self, lookup: Lookup) -> Any:
        try:
            return self._kv.served(lookup.collection)
        except KVStoreError as problem:
            raise RunFailed(f"lookup '{lookup.name}': {problem.message}") from None

    def _all_documents(self, lookup: Lookup, query: Optional[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Page through a collection: one query returns at most 50,000 documents, and says nothing when it cuts."""
        collection, skip = self._collection(lookup), 0
        while True:
            page = collection.find(query or {}, skip=skip)
            yield from page
            if not page:
                return
            skip += len(page)

    def _read(self, path: Path) -> list[Row]:
        stamp = _stamp(path)
        held = self._tables.get(path)
        if held is None or held[0] != stamp:
            held = self._tables[path] = (stamp, *_read_csv(path))
            self._indexes = {k: v for k, v in self._indexes.items() if k[0] != path}
        return held[2]

    def matcher(
        self, lookup: Lookup, match_fields: tuple[str, ...], cache: dict[Any, list[Row]]
    ) -> Callable[[tuple[Any, ...]], list[Row]]:
        """A function values → matching rows in table order, at most max_matches.

        `cache` lives as long as one run: a KV collection may change between runs, not within a lookup.
        """
        if lookup.collection:
            return self._kv_matcher(lookup, match_fields, cache)
        path = self.path(lookup)
        if path is None:
            raise LabError(f"lookup '{lookup.name}': file '{lookup.filename}' does not exist. Put it into lookups/.")
        rows = self._read(path)
        key = (path, match_fields, tuple(sorted(lookup.kinds.items())), lookup.case_sensitive)
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = _Index(lookup, match_fields, rows)
        return lambda values: index.find(values)[: lookup.max_matches]

    def _kv_matcher(
        self, lookup: Lookup, match_fields: tuple[str, ...], cache: dict[Any, list[Row]]
    ) -> Callable[[tuple[Any, ...]], list[Row]]:
        collection = self._collection(lookup)
        exact = [f for f in match_fields if f not in lookup.kinds]

        def find(values: tuple[Any, ...]) -> list[Row]:
            key = tuple(map(text, values))
            if key not in cache:
                wanted = dict(zip(match_fields, values))
                query = {"$and": [{"$or": [{f: v} for v in _typed(wanted[f])]} for f in exact]} if exact else {}
                found = [_document_row(d, (*lookup.fields_list, "_key")) for d in collection.find(query)]
                cache[key] = _Index(lookup, match_fields, found).find(values)[: lookup.max_matches]
            return cache[key]

        return find

    # -- writing ---------------------------------------------------------------------------------------------------
    def write(self, lookup: Lookup, rows: list[Row], append: bool, key_field: Optional[str]) -> None:
        """outputlookup: replace or append; with `key_field` replace the documents of these keys and keep the others."""
        if lookup.collection:
            self._write_collection(lookup, rows, append, key_field)
        else:
            self._write_csv(lookup, rows, append)

    def _write_collection(self, lookup: Lookup, rows: list[Row], append: bool, key_field: Optional[str]) -> None:
        collection = self._collection(lookup)
        if not append and not key_field:
            collection.delete(None)
        documents = []
        for row in rows:
            document = {f: row[f] for f in lookup.fields_list if f in row and f != "_key"}
            key = row.get(key_field) if key_field else (row.get("_key") if append else None)
            if key is not None:
                document["_key"] = text(key)
            documents.append(document)
        for start in range(0, len(documents), 1000):
            collection.batch_save(documents[start : start + 1000])

    def _write_csv(self, lookup: Lookup, rows: list[Row], append: bool) -> None:
        folder = self.folder
        if folder is None:
            raise LabError(f"outputlookup {lookup.name}: the lab has no state folder to write '{lookup.filename}' to.")
        header = self.header(lookup) if append else []
        old = list(self.rows(lookup)) if append and header else []
        if not header:
            header = list(dict.fromkeys(n for r in rows for n in r if not n.startswith("_") or n == "_time"))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / lookup.filename
        temporary = target.with_suffix(".tmp")
        with open(temporary, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(header)
            for row in [*old, *rows]:
                writer.writerow([text(row.get(n)) for n in header])
        os.replace(temporary, target)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _read_csv(path: Path) -> tuple[list[str], list[Row]]:
    """Header and rows. Empty cells are kept as "" (a lookup output of "" is an empty text, not null)."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [h.strip() for h in next(reader, [])]
        rows: list[Row] = []
        for cells in reader:
            if not cells:
                continue
            if len(cells) > len(header):
                raise LabError(f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}.", path)
            rows.append(dict(zip(header, cells)))
    if len(set(header)) < len(header):
        raise LabError("two columns of the header have the same name.", path)
    return header, rows


def _document_row(document: dict[str, Any], names: Iterable[str]) -> Row:
    row: Row = {}
    for name in names:
        value = document.get(name)
        if value is None and "." in name:
            value = document
            for step in name.split("."):
                value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, bool):
            row[name] = "true" if value else "false"
        elif isinstance(value, list):
            if value:
                row[name] = [text(v) for v in value] if len(value) > 1 else text(value[0])
        elif value is not None and not isinstance(value, dict):
            row[name] = value
    return row


def _typed(value: Any) -> list[Any]:
    """A search value as the types a collection may hold it in."""
    out: list[Any] = []
    for member in members(value):
        shown = text(member)
        out.append(shown)
        as_number = number(shown)
        if as_number is not None:
            out.append(as_number)
    return out


class _Index:
    """Rows by the values of their exact fields; wildcard and CIDR fields are tested in table order."""

    def __init__(self, lookup: Lookup, match_fields: tuple[str, ...], rows: list[Row]) -> None:
        self._exact = [n for n, f in enumerate(match_fields) if f not in lookup.kinds]
        self._fold: Callable[[str], str] = str if lookup.case_sensitive else str.lower
        self._tests: list[tuple[int, str, str]] = [
            (n, f, lookup.kinds[f]) for n, f in enumerate(match_fields) if f in lookup.kinds
        ]
        self._case = lookup.case_sensitive
        self._rows: dict[tuple[str, ...], list[Row]] = {}
        self._found: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            if all(match_fields[n] in row for n in self._exact):
                key = tuple(self._fold(text(row[match_fields[n]])) for n in self._exact)
                self._rows.setdefault(key, []).append(row)

    def find(self, values: tuple[Any, ...]) -> list[Row]:
        whole = tuple(map(text, values))
        found = self._found.get(whole)
        if found is None:
            if len(self._found) > 100_000:
                self._found.clear()
            found = self._found[whole] = self._search(values)
        return found

    def _search(self, values: tuple[Any, ...]) -> list[Row]:
        out: list[Row] = []
        for single in _combinations(values):
            key = tuple(self._fold(single[n]) for n in self._exact)
            for row in self._rows.get(key, ()):
                if row not in out and all(self._test(kind, text(row.get(f)), single[n]) for n, f, kind in self._tests):
                    out.append(row)
        return out

    def _test(self, kind: str, cell: str, value: str) -> bool:
        if kind == "wildcard":
            return wildcard(cell, not self._case).match(value) is not None
        ip = address(value)
        try:
            block = network(cell)
        except ValueError:
            return False
        return ip is not None and ip.version == block.version and ip in block


def _combinations(values: tuple[Any, ...]) -> list[tuple[str, ...]]:
    out: list[tuple[str, ...]] = [()]
    for value in values:
        out = [(*o, text(m)) for o in out for m in members(value)]
    return out
