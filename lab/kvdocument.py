"""Documents of the KV store: how values are kept and typed, how answers are sorted and projected."""

from __future__ import annotations

from typing import Any, Iterable, Sequence, Union

from lab.kvquery import EXACT_INTEGERS, Document, KVStoreError, double

FIELD_TYPES = ("number", "bool", "string", "time", "array", "cidr")


def store_value(value: Any) -> Any:
    """A value as the store keeps it: every number a double (whole ones are written back without a fraction)."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        value = double(value)
        if value != value or value in (float("inf"), float("-inf")):
            raise KVStoreError(400, "JSON in the request is invalid. (NaN and Infinity are not JSON)")
        return int(value) if abs(value) <= EXACT_INTEGERS and value == int(value) else value
    if isinstance(value, (list, tuple)):
        return [store_value(v) for v in value]
    if isinstance(value, dict):
        return {str(k): store_value(v) for k, v in value.items()}
    raise KVStoreError(400, f"JSON in the request is invalid. ({type(value).__name__} is not a JSON value)")


def typed_value(value: Any, declared: str) -> tuple[Any, bool]:
    """(value cast to the declared type, whether that worked)."""
    if declared in ("number", "time"):
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return value, False
        try:
            return store_value(float(value)), True
        except (ValueError, KVStoreError):
            return value, False
    if declared == "bool":
        words = {"true": True, "1": True, "false": False, "0": False}
        known = words.get(str(value).lower()) if isinstance(value, (bool, int, str)) else None
        return known, known is not None
    if declared == "array":
        return value, isinstance(value, list)
    if isinstance(value, str):
        return value, True
    if isinstance(value, bool):
        return ("true" if value else "false"), True
    return (str(value), True) if isinstance(value, (int, float)) else (value, False)


def sort_order(sort: str) -> list[tuple[str, bool]]:
    """[(field, descending)] of "a,b:-1"."""
    out = []
    for part in sort.split(","):
        name, _, direction = part.strip().partition(":")
        if not name or direction not in ("", "1", "-1"):
            raise KVStoreError(400, f"Invalid sort '{sort}': use field, field:1 or field:-1.")
        out.append((name, direction == "-1"))
    return out


def project(documents: list[Document], fields: Union[str, Sequence[str], None]) -> list[Document]:
    """Keep (or, with :0, remove) fields. "A fields value cannot contain both include and exclude specifications except
    for exclusion of the _key field" (RESTkvstore)."""
    if not fields:
        return documents
    shown: list[str] = []
    hidden: list[str] = []
    for part in fields.split(",") if isinstance(fields, str) else fields:
        name, _, flag = part.strip().partition(":")
        if not name or flag not in ("", "0", "1"):
            raise KVStoreError(400, f"Invalid fields '{fields}': use field, field:1 or field:0.")
        (hidden if flag == "0" else shown).append(name)
    if shown and any(name != "_key" for name in hidden):
        raise KVStoreError(400, "Invalid fields: includes and excludes cannot be mixed, except for _key:0.")
    if not shown:
        return [_without(document, hidden) for document in documents]
    return [_only(document, shown if hidden else [*shown, "_key"]) for document in documents]


def _only(document: Document, names: Iterable[str]) -> Document:
    out: Document = {}
    for name in names:
        source, target = document, out
        *parents, last = name.split(".")
        for step in parents:
            inner = source.get(step)
            if not isinstance(inner, dict):
                break
            source, target = inner, target.setdefault(step, {})
        else:
            if last in source:
                target[last] = source[last]
    return out


def _without(document: Document, names: Iterable[str]) -> Document:
    out = dict(document)
    for name in names:
        head, _, rest = name.partition(".")
        if not rest:
            out.pop(head, None)
        elif isinstance(out.get(head), dict):
            out[head] = _without(out[head], [rest])
    return out


def size_of(documents: list[Document]) -> int:
    """Rough size of an answer in bytes; exact enough for limits of tens of megabytes."""
    return sum(len(name) + len(str(value)) + 6 for document in documents for name, value in document.items())
