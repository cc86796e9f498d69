"""A search that takes many paths of its events at once: each becomes a field that the event is read for.

    cba_raw=replace(json_extract(_raw, "userIdentity.arn", "sourceIPAddress", …), "<what is no value>", "\\1null"),
    identity=json_extract(cba_raw, "{0}"), …

Step by step an event's text would be parsed, an array written, and parsed again for every element. The same comes
out when the event is parsed once and asked for each path (`PathPicker`), and then equal events are equal in these
fields, too (lab.spl.fold). Only where a search shows all fields, and the array with them, nothing is rewritten."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterable, Optional

from lab.spl import jsonfields
from lab.spl.evalparse import Call, Field, Literal, Node
from lab.spl.values import Row, multivalue

MARK = "\0path "
"""How the hidden name of a path's field begins."""
NOTHING = r'([\[,:]\s*)"\s*(?:<null>)?"(?=\s*[,\]}])'
"""The texts in JSON that a search may replace by null in all of an array at once."""
_NULLED = re.compile(NOTHING)
_ELEMENT = re.compile(r"\{(\d+)\}\Z")

Arrays = dict[str, tuple[str, tuple[str, ...]]]
"""Field -> whether texts that are nothing are null in it, and its paths."""


def array_of(node: Node) -> Optional[tuple[str, tuple[str, ...]]]:
    """What an expression takes of `_raw`, when it is of that kind."""
    nulled = ""
    if isinstance(node, Call) and not node.operator and node.name == "replace" and len(node.args) == 3:
        pattern, by = node.args[1:]
        if not (isinstance(pattern, Literal) and pattern.value == NOTHING):
            return None
        if not (isinstance(by, Literal) and by.value == r"\1null"):
            return None
        node, nulled = node.args[0], "nulled"
    if not (isinstance(node, Call) and node.name == "json_extract" and len(node.args) > 2):
        return None
    base, *paths = node.args
    if not (isinstance(base, Field) and base.name == "_raw") or not all(isinstance(p, Literal) for p in paths):
        return None
    texts = tuple(str(path.value) for path in paths if isinstance(path, Literal))
    return None if any("{}" in text for text in texts) else (nulled, texts)


def rewritten(node: Node, arrays: Arrays) -> Node:
    """The expression with every element of an array that it takes as a field of the event."""
    if not isinstance(node, Call):
        return node
    args = tuple(rewritten(arg, arrays) for arg in node.args)
    if not node.operator and len(args) == 2 and isinstance(args[0], Field) and isinstance(args[1], Literal):
        field, literal = args[0].name, str(args[1].value)
        found = _ELEMENT.match(literal)
        if node.name == "json_extract" and field in arrays and found:
            nulled, paths = arrays[field]
            return Field(_named(nulled, paths[int(found[1])]), node.position)
        if node.name in ("json_extract_exact", "spath", "json_extract"):
            if field == "_raw" and node.name == "json_extract_exact":
                return Field(_named("", "", node.name, literal), node.position)
            if field.startswith(MARK):
                nulled, path, *more = json.loads(field[len(MARK) :])
                if not more:
                    return Field(_named(nulled, path, node.name, literal), node.position)
    return Call(node.name, args, node.position, node.operator)


def _named(*spec: str) -> str:
    return MARK + json.dumps(spec)


class PathPicker:
    """Reads the fields that stand for paths from a parsed event."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        tree: dict[Any, Any] = {}
        constants: dict[str, Any] = {"NOTHING": ("", "<null>")}
        for name in self.names:
            nulled, path, *more = json.loads(name[len(MARK) :])
            node = tree
            for step in jsonfields.path_steps(path) if path else ():
                node = node.setdefault(step, {})
            node.setdefault(None, []).append((name, nulled, _leaf(name, nulled, *more), bool(more)))
        lines = ["def pick(v0, row):"]
        self._emit(tree, 0, "    ", lines, constants)
        exec("\n".join([*lines, "    return"]), constants)  # noqa: S102 (source built from paths through repr)
        self.pick: Callable[[Any, Row], None] = constants["pick"]

    def _emit(self, node: dict[Any, Any], depth: int, indent: str, lines: list[str], constants: dict[str, Any]) -> None:
        value = f"v{depth}"
        keys = [key for key in node if isinstance(key, str)]
        places = [key for key in node if isinstance(key, int)]
        for name, nulled, leaf, derived in node.get(None, ()):
            constant = f"c{len(constants)}"
            constants[constant] = leaf
            if derived:
                lines.append(f"{indent}{constant}({value}, row)")
                continue
            test = f" and {value}.lstrip() not in NOTHING" if nulled else ""
            lines.append(f"{indent}if {value}.__class__ is str{test}: row[{name!r}] = {value}")
            lines.append(f"{indent}elif {value} is not None: {constant}({value}, row)")
        for kind, steps in (("dict", keys), ("list", places)):
            if not steps:
                continue
            lines.append(f"{indent}if {value}.__class__ is {kind}:")
            inner = indent + "    "
            for step in steps:
                below = f"v{depth + 1}"
                if kind == "dict":
                    lines.append(f"{inner}{below} = {value}.get({step!r})")
                else:
                    lines.append(f"{inner}{below} = {value}[{step}] if len({value}) > {step} else None")
                lines.append(f"{inner}if {below} is not None:")
                self._emit(node[step], depth + 1, inner + "    ", lines, constants)


def _leaf(name: str, nulled: str, kind: str = "", argument: str = "") -> Callable[[Any, Row], None]:
    """Puts what stands at a path into a row."""
    if kind == "json_extract_exact":

        def of_key(value: Any, row: Row) -> None:
            if isinstance(value, dict):
                put(value.get(argument), row)

        return_value: Callable[[Any, Row], None] = of_key
    elif kind:
        find = jsonfields.compile_path(argument, dotted=kind == "spath")

        def of_path(value: Any, row: Row) -> None:
            document = value if isinstance(value, (dict, list)) else jsonfields.parse(_text(value))
            found = [_nothing_null(v) if nulled else v for v in find(document)] if document is not None else []
            if kind == "json_extract":
                put(found if len(found) > 1 else found[0] if found else None, row)
                return
            several = multivalue(map(jsonfields.json_text, found))
            if several is not None:
                row[name] = several

        return_value = of_path
    else:
        return_value = lambda value, row: put(value, row)  # noqa: E731

    def put(value: Any, row: Row) -> None:
        if nulled:
            value = _nothing_null(value)
        if value is not None:
            row[name] = _text(value, nulled)

    return return_value


def _text(value: Any, nulled: str = "") -> str:
    made = jsonfields.json_text(value)
    return _NULLED.sub(r"\1null", made) if nulled and value.__class__ in (dict, list) else made


def _nothing_null(value: Any) -> Any:
    return None if value.__class__ is str and value.lstrip() in ("", "<null>") else value
