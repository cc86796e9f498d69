"""The aggregations of stats and eventstats: how each starts, folds one value in, and ends.

Source: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/CommonStatsFunctions
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Optional

from lab.spl.values import Row, multivalue, number, sort_key, text, tidy

LIST_LIMIT = 100
"""`list` keeps the first 100 values (limits.conf [stats] list_maxsize)."""

Step = Callable[[Any, Any, Row], Any]
"""(state, value, row) → state, for one non-null member."""
Batch = Callable[[Any, "list[Any]"], Any]
"""(state, texts) → state, for many at once."""


@dataclass(frozen=True)
class Aggregation:
    """`start` makes a state, `step` folds one member in, `finish` gives the value. `ordered`: depends on row order.
    `once`: a value counts once, however often it comes.
    """

    start: Callable[[], Any]
    step: Step
    finish: Callable[[Any], Any]
    ordered: bool = False
    reads: frozenset[str] = frozenset()
    once: bool = False
    batch: Optional[Batch] = None


def _count(state: Any, value: Any, row: Row) -> Any:
    return state + 1


def _keep(state: set[str], value: Any, row: Row) -> set[str]:
    state.add(value if type(value) is str else text(value))
    return state


def _keep_all(state: set[str], texts: list[str]) -> set[str]:
    state.update(texts)
    return state


def _append(state: list[Any], value: Any, row: Row) -> list[Any]:
    if len(state) < LIST_LIMIT:
        state.append(value)
    return state


def _numbers(state: list[Any], value: Any, row: Row) -> list[Any]:
    n = number(value)
    if n is not None:
        state.append(n)
    return state


def _total(state: Any, value: Any, row: Row) -> Any:
    n = number(value)
    return state if n is None else n if state is None else state + n


def _least(state: Any, value: Any, row: Row) -> Any:
    if state.__class__ is int and value.__class__ is int:
        return value if value < state else state
    return value if state is None or sort_key(value) < sort_key(state) else state


def _most(state: Any, value: Any, row: Row) -> Any:
    """Numbers win over text only when there is no text: Splunk compares lexicographically as soon as one is text."""
    if state.__class__ is int and value.__class__ is int:
        return value if value > state else state
    return value if state is None or sort_key(value) > sort_key(state) else state


def _first(state: Any, value: Any, row: Row) -> Any:
    return value if state is None else state


def _last(state: Any, value: Any, row: Row) -> Any:
    return value


def _earliest(state: Any, value: Any, row: Row) -> Any:
    moment = number(row.get("_time"))
    return state if moment is None or (state is not None and state[0] <= moment) else (moment, value)


def _latest(state: Any, value: Any, row: Row) -> Any:
    moment = number(row.get("_time"))
    return state if moment is None or (state is not None and state[0] >= moment) else (moment, value)


def _earliest_time(state: Any, value: Any, row: Row) -> Any:
    moment = number(row.get("_time"))
    return state if moment is None or (state is not None and state <= moment) else moment


def _latest_time(state: Any, value: Any, row: Row) -> Any:
    moment = number(row.get("_time"))
    return state if moment is None or (state is not None and state >= moment) else moment


def _second(state: Any) -> Any:
    return None if state is None else state[1]


def _same(state: Any) -> Any:
    return state


def _number_or_text(state: Any) -> Any:
    n = number(state)
    return state if n is None else tidy(n)


def _average(state: list[Any]) -> Any:
    return tidy(math.fsum(state) / len(state)) if state else None


_TIME = frozenset({"_time"})
AGGREGATIONS: dict[str, Aggregation] = {
    "count": Aggregation(int, _count, _same),
    "dc": Aggregation(set, _keep, len, once=True, batch=_keep_all),
    "values": Aggregation(set, _keep, lambda s: multivalue(sorted(s)), once=True, batch=_keep_all),
    "list": Aggregation(list, _append, multivalue, ordered=True),
    "sum": Aggregation(lambda: None, _total, lambda s: None if s is None else tidy(s)),
    "min": Aggregation(lambda: None, _least, _number_or_text, once=True),
    "max": Aggregation(lambda: None, _most, _number_or_text, once=True),
    "avg": Aggregation(list, _numbers, _average),
    "first": Aggregation(lambda: None, _first, _same, ordered=True),
    "last": Aggregation(lambda: None, _last, _same, ordered=True),
    "earliest": Aggregation(lambda: None, _earliest, _second, reads=_TIME, ordered=True),
    "latest": Aggregation(lambda: None, _latest, _second, reads=_TIME, ordered=True),
    "earliest_time": Aggregation(lambda: None, _earliest_time, _same, reads=_TIME),
    "latest_time": Aggregation(lambda: None, _latest_time, _same, reads=_TIME),
}
_SYNONYMS = {"c": "count", "distinct_count": "dc", "mean": "avg"}


def aggregation(name: str) -> Optional[Aggregation]:
    """An aggregation by its name or synonym."""
    return AGGREGATIONS.get(_SYNONYMS.get(name, name))
