"""The query language of the KV store: a small part of MongoDB's, compiled to a matcher and to an SQL pre-filter.

Splunk allows `$gt $gte $lt $lte $ne $and $or $not` and nothing else
(https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTkvstore, "Query": "Conditional operators"). Comparison
follows MongoDB: only values of the same kind compare, `{"a": null}` matches a missing field, and a condition on an
array field holds when it holds for any element.

The SQL pre-filter is always a superset of the matches, so that an index narrows the candidates and the matcher decides.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Callable, NamedTuple, Optional, Union

from lab.errors import LabError

Document = dict[str, Any]
Matcher = Callable[[Document], bool]

COMPARISONS = ("$gt", "$gte", "$lt", "$lte", "$ne")
OPERATORS = (*COMPARISONS, "$and", "$or", "$not")
EXACT_INTEGERS = 2**53
PLAIN_NAME = re.compile(r"[A-Za-z0-9_ -]+", re.ASCII)
"""Field names that are the same in SQLite's paths as in the text of a document."""
NOT_IN_SQL = re.compile("[\0\ud800-\udfff]")
"""What JSON may hold and SQLite's JSON functions cut off or cannot be told."""


class KVStoreError(LabError):
    """What splunkd answers with an HTTP error; `status` is the code, `message` the text of the body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Query(NamedTuple):
    """`sql` is a WHERE expression with `params`; `matches` decides; `exact` says that the SQL alone is the answer."""

    matches: Matcher
    sql: str
    params: list[Any]
    exact: bool


class Condition(NamedTuple):
    """One condition on the values of a field, with its SQL superset (None: no narrowing)."""

    test: Callable[[list[Any]], bool]
    sql: Optional[str]
    params: list[Any]


def compile_query(query: Any) -> Query:
    """Compile a query document. Raises KVStoreError 400 for anything outside the language.

    >>> compile_query({"age": {"$gt": 3}}).matches({"age": 4})
    True
    """
    if query is None or query == {}:
        return Query(lambda document: True, "1", [], True)
    if not isinstance(query, dict):
        raise KVStoreError(400, f"Invalid query: expected a JSON object, found {type(query).__name__}.")
    keys = _key_lookup(query)
    if keys is not None:
        wanted = frozenset(keys)
        if any(map(NOT_IN_SQL.search, keys)):
            return Query(lambda d: d["_key"] in wanted, "1", [], False)
        return Query(
            lambda d: d["_key"] in wanted, "_key IN (SELECT value FROM json_each(?))", [json.dumps(keys)], True
        )
    parts = [_clause(name, value) for name, value in query.items()]
    return _join(parts, "AND")


def _key_lookup(query: Document) -> Optional[list[str]]:
    """The keys of `{"_key": k}` and `{"$or": [{"_key": k}, …]}`, the shapes that batches of look-ups have."""
    if len(query) != 1:
        return None
    if isinstance(query.get("_key"), str):
        return [query["_key"]]
    branches = query.get("$or")
    if not isinstance(branches, list) or not branches:
        return None
    if all(isinstance(b, dict) and len(b) == 1 and isinstance(b.get("_key"), str) for b in branches):
        return [b["_key"] for b in branches]
    return None


def _clause(name: str, value: Any) -> Query:
    if name in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise KVStoreError(400, f"Invalid query: {name} takes a list of queries that is not empty.")
        one_of = _texts_of_one_field(value) if name == "$or" else None
        if one_of is not None:
            return _one_of(*one_of)
        return _join([compile_query(part) for part in value], "AND" if name == "$and" else "OR")
    if name == "$not":
        inner = compile_query(value)
        return Query(lambda d: not inner.matches(d), "1", [], False)
    if name.startswith("$"):
        raise _unsupported(name)
    return _field(name, value)


def _texts_of_one_field(branches: list[Any]) -> Optional[tuple[str, list[str]]]:
    """The field and the texts of `[{field: text}, {field: text}, …]`: how one asks for many documents at once."""
    if not all(isinstance(branch, dict) and len(branch) == 1 for branch in branches):
        return None
    pairs = [pair for branch in branches for pair in branch.items()]
    name = pairs[0][0]
    if not PLAIN_NAME.fullmatch(name) or name in ("_key", "_user"):
        return None
    if any(other != name or not isinstance(text, str) or NOT_IN_SQL.search(text) for other, text in pairs):
        return None
    return name, [text for _name, text in pairs]


def _one_of(name: str, texts: list[str]) -> Query:
    """What `_join` makes of as many equalities, without trying them one by one."""
    wanted = frozenset(texts)
    sql = f"({field_expression(name)} IN (SELECT value FROM json_each(?)) OR {type_expression(name)} = 'array')"
    return Query(
        lambda d: any(isinstance(v, str) and v in wanted for v in values_at(d, [name])), sql, [json.dumps(texts)], False
    )


def _unsupported(name: str) -> KVStoreError:
    known = " ".join(OPERATORS)
    return KVStoreError(400, f"Invalid query: operator '{name}' is not supported. The KV store knows {known}.")


def _join(parts: list[Query], word: str) -> Query:
    matchers = [part.matches for part in parts]
    if len(parts) == 1:
        return parts[0]
    sql = "(" + f" {word} ".join(part.sql for part in parts) + ")"
    params = [p for part in parts for p in part.params]
    exact = all(part.exact for part in parts)
    if word == "AND":
        return Query(lambda d: all(m(d) for m in matchers), sql, params, exact)
    return Query(lambda d: any(m(d) for m in matchers), sql, params, exact)


def _field(name: str, value: Any) -> Query:
    conditions = _conditions(name, value)
    path = name.split(".")

    def matches(document: Document) -> bool:
        found = values_at(document, path)
        return all(condition.test(found) for condition in conditions)

    sql: list[str] = []
    params: list[Any] = []
    for condition in conditions:
        if condition.sql is not None:
            sql.append(condition.sql)
            params.extend(condition.params)
    return Query(matches, "(" + " AND ".join(sql) + ")" if sql else "1", params, False)


def _conditions(name: str, value: Any) -> list[Condition]:
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        out = []
        for operator, operand in value.items():
            if operator == "$not":
                inner = _conditions(name, operand)
                out.append(Condition(lambda found, inner=inner: not all(c.test(found) for c in inner), None, []))  # type: ignore[misc]
            elif operator in COMPARISONS:
                out.append(_comparison(name, operator, operand))
            else:
                raise _unsupported(operator)
        return out
    return [_equality(name, value)]


def _equality(name: str, operand: Any) -> Condition:
    wanted = comparable(operand)
    if operand is None:
        return Condition(lambda found: not found or any(v is None for v in found), None, [])
    sql, params = _narrow(name, "=", operand)
    return Condition(lambda found: any(comparable(v) == wanted for v in found), sql, params)


def _comparison(name: str, operator: str, operand: Any) -> Condition:
    if operator == "$ne":
        equal = _equality(name, operand)
        return Condition(lambda found: not equal.test(found), None, [])
    kind, bound = comparable(operand)
    compare: Callable[[Any, Any], bool] = {
        "$gt": lambda a, b: a > b,
        "$gte": lambda a, b: a >= b,
        "$lt": lambda a, b: a < b,
        "$lte": lambda a, b: a <= b,
    }[operator]

    def test(found: list[Any]) -> bool:
        return any(k == kind and compare(v, bound) for k, v in map(comparable, found))

    sign = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}[operator]
    sql, params = _narrow(name, sign, operand)
    return Condition(test, sql, params)


def _narrow(name: str, sign: str, operand: Any) -> tuple[Optional[str], list[Any]]:
    """SQL that keeps at least every document the condition holds for; None where SQL cannot say it."""
    if isinstance(operand, bool) or not isinstance(operand, (str, int, float)):
        return None, []
    if isinstance(operand, str) and NOT_IN_SQL.search(operand):
        return None, []
    if not isinstance(operand, str):
        operand = double(operand)
    if name == "_key":
        return (f"_key {sign} ?", [operand]) if isinstance(operand, str) else (None, [])
    if name == "_user" or not PLAIN_NAME.fullmatch(name):
        return None, []
    column = field_expression(name)
    return f"({column} {sign} ? OR {type_expression(name)} = 'array')", [operand]


def field_expression(name: str) -> str:
    """The SQL expression that an index of field `name` is built on."""
    return f"json_extract(doc, {_path(name)})"


def type_expression(name: str) -> str:
    return f"json_type(doc, {_path(name)})"


def _path(name: str) -> str:
    escaped = name.replace('"', "").replace("'", "''")
    return f"'$.\"{escaped}\"'"


def values_at(document: Any, path: list[str]) -> list[Any]:
    """All values at a dotted path; arrays on the way and at the end contribute themselves and their elements."""
    current = [document]
    for step in path:
        following = []
        for value in current:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict) and step in part:
                    following.append(part[step])
        current = following
    return [v for value in current for v in ([value, *value] if isinstance(value, list) else [value])]


def double(value: Union[int, float]) -> Union[int, float]:
    """A number as the store knows it: a double, which is infinite for what is beyond all doubles."""
    if isinstance(value, float) or -EXACT_INTEGERS <= value <= EXACT_INTEGERS:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def comparable(value: Any) -> tuple[int, Any]:
    """A sort key in MongoDB's order of kinds: null, numbers, text, objects, arrays, booleans."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 5, value
    if isinstance(value, (int, float)):
        return 1, double(value)
    if isinstance(value, str):
        return 2, value
    if isinstance(value, dict):
        return 3, tuple(sorted((k, comparable(v)) for k, v in value.items()))
    return 4, tuple(comparable(v) for v in value)
