"""Looks values up in lists: the first row that matches counts, people's rows before the shipped ones.

Before all others come exceptions, and of networks the narrowest: collections have no order that people could rely on.

A row that cannot be used (no network, an absurd time, a cell that is needed and empty) is passed over and said, never
an error: one typing mistake must not blind every detection.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Iterable, Mapping, NamedTuple, Optional, Protocol, Sequence

from ..terms import ABSENT, LAST_DAY, SECONDS_PER_DAY
from .declared import EXCEPT, LISTS, SINCE, ListOfRows, Matching
from .networks import Networks
from .wildcard import Wildcard

Row = Mapping[str, str]

MEMO_ENTRIES = 2_000
MEMO_CHARACTERS = 500
"""Longer texts are looked up anew each time: remembering some of them would cost more than the search is given."""
SHOWN = 60
"""Characters of a cell that a message shows."""
SAID = 5
"""Damaged rows of a list that are said one by one."""


class Lists(Protocol):
    """What a run knows from lists; `ListTables` in memory, `store.lists.StoredLists` in Splunk."""

    def match(self, name: str, /, **values: str) -> Optional[Row]:
        """The row of the list `name` that matches these values of its key columns: every column, "" for an empty cell.

        None when no row does, or the first that does makes an exception. An absent value is the empty text: only `*`
        matches it. Raises KeyError for a list or key columns that are not declared.
        """

    @property
    def faults(self) -> list[str]:
        """What was passed over in the lists, in sentences for the person who runs the search."""


class Given(NamedTuple):
    """A row as it stands in a collection or a file; `place` says where, for a person."""

    place: str
    cells: Mapping[str, object]


class Table:
    """One list with its rows in order. `faults` says which rows were passed over and why."""

    def __init__(self, declared: ListOfRows, rows: Iterable[Given]) -> None:
        self._declared = declared
        self._folds = [(column.name, column.any_case) for column in declared.keys]
        self._faults: list[str] = []
        self._more = 0
        self._rows: list[Row] = []
        self._networks = Networks()
        self._literal: dict[tuple[str, ...], int] = {}
        self._patterns: list[tuple[int, list[Wildcard]]] = []
        self._memo: dict[tuple[str, ...], Optional[Row]] = {}
        for row in sorted(self._usable(rows), key=_rank):
            self._add(row)

    @property
    def faults(self) -> list[str]:
        more = [f"list {self._declared.name}: {self._more} more rows are passed over"] if self._more else []
        return [*self._faults, *more]

    def match(self, values: Mapping[str, str]) -> Optional[Row]:
        key = self._key(values)
        if key in self._memo:
            return self._memo[key]
        if not self._rows:
            return None
        at = self._first(key)
        found = None if at is None or self._rows[at].get(EXCEPT) else self._rows[at]
        if sum(map(len, key)) <= MEMO_CHARACTERS:
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = found
        return found

    def _key(self, values: Mapping[str, str]) -> tuple[str, ...]:
        if len(values) == len(self._folds):
            try:
                return tuple([values[name].lower() if fold else values[name] for name, fold in self._folds])
            except KeyError:
                pass
        raise KeyError(f"list {self._declared.name} is matched by {', '.join(name for name, _fold in self._folds)}")

    def _first(self, key: tuple[str, ...]) -> Optional[int]:
        """The position of the first row that matches."""
        in_network = self._networks.first(key[0])
        found = self._literal.get(key) if in_network is None else in_network
        for position, patterns in self._patterns:
            if found is not None and position > found:
                break
            if all(pattern.matches(value) for pattern, value in zip(patterns, key)):
                return position
        return found

    def _usable(self, rows: Iterable[Given]) -> Iterable[Row]:
        for given in rows:
            try:
                row = _read(self._declared, given.cells)
            except ValueError as error:
                self._pass_over(f"list {self._declared.name}, {given.place}: {error}; the row is passed over")
                continue
            if any(row.values()):
                yield row

    def _pass_over(self, fault: str) -> None:
        if len(self._faults) < SAID:
            self._faults.append(fault)
        else:
            self._more += 1

    def _add(self, row: Row) -> None:
        position = len(self._rows)
        self._rows.append(row)
        keys = self._declared.keys
        texts = [row[column.name].lower() if column.any_case else row[column.name] for column in keys]
        if keys[0].matching is Matching.CIDR:
            self._networks.add(texts[0], position)
            return
        patterns = [
            Wildcard(text) if column.matching is Matching.WILDCARD else _exactly(text)
            for column, text in zip(keys, texts)
        ]
        literals = [pattern.literal for pattern in patterns if pattern.literal is not None]
        if len(literals) == len(patterns):
            self._literal.setdefault(tuple(literals), position)
        else:
            self._patterns.append((position, patterns))


class ListTables:
    """Implements `Lists` in memory: list name -> its rows as people write them."""

    def __init__(self, rows: Optional[Mapping[str, Sequence[Mapping[str, object]]]] = None) -> None:
        given = dict(rows or {})
        self._tables = {name: Table(declared, numbered("row", given.pop(name, ()))) for name, declared in LISTS.items()}
        if given:
            raise KeyError(f"no list is called {', '.join(given)}")

    def match(self, name: str, /, **values: str) -> Optional[Row]:
        return self._tables[name].match(values)

    @property
    def faults(self) -> list[str]:
        return [fault for table in self._tables.values() for fault in table.faults]


def numbered(place: str, rows: Iterable[Mapping[str, object]], first: int = 1) -> Iterable[Given]:
    """Rows with their places: `row 1`, `row 2` …"""
    return (Given(f"{place} {number}", cells) for number, cells in enumerate(rows, first))


def _exactly(text: str) -> Wildcard:
    return Wildcard(text.replace("\\", "\\\\").replace("*", "\\*"))


def _rank(row: Row) -> tuple[bool, float, int]:
    """What comes before what, where it is not the order of the rows: exceptions, earlier times, narrower networks.

    A row without a time counts always."""
    network = row.get("cidr", ABSENT)
    narrowness = ipaddress.ip_network(network, strict=False).prefixlen if network else 0
    return not row.get(EXCEPT), float(row.get(SINCE) or 0), -narrowness


def _read(declared: ListOfRows, cells: Mapping[str, object]) -> Row:
    """A row with every column as text. Raises ValueError saying what is wrong with it; a blank row is none."""
    row = {column.name: _text(column.name, cells.get(column.name)) for column in declared.columns}
    if not any(row.values()):
        return row
    for column in declared.columns:
        if column.needed and not row[column.name]:
            hint = " (* stands for any)" if column.matching is Matching.WILDCARD else ""
            raise ValueError(f"{column.name} is empty{hint}")
        if column.matching is Matching.CIDR:
            _check_network(column.name, row[column.name])
    if row.get(SINCE):
        _check_time(row[SINCE])
    if declared.one_of and not any(row[name] for name in declared.one_of):
        raise ValueError(f"{' and '.join(declared.one_of)} are empty; one of them is needed")
    return row


def _text(column: str, value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    raise ValueError(f"{column} is {_shown(value)}, which is no text")


def _check_network(column: str, text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{column} is {_shown(text)}; a network such as 198.51.100.0/24 is needed") from None


def _check_time(text: str) -> None:
    try:
        sane = 0 <= float(text) <= LAST_DAY * SECONDS_PER_DAY
    except ValueError:
        sane = False
    if not sane:
        raise ValueError(f"{SINCE} is {_shown(text)}; epoch seconds are needed, such as 1767225600")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
