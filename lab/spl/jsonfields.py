"""Fields of JSON text: search-time extraction (only the fields a search refers to) and spath-style paths.

Names are those of Splunk's KV_MODE=json: ``a.b`` for objects, ``a{}.b`` for members of arrays. A key that itself holds
dots is found under the same name. Texts are those of the source: numbers keep their digits, booleans read true/false, a
JSON null reads "null".
Sources: https://docs.splunk.com/Documentation/Splunk/9.4.0/SearchReference/Spath,
https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Automatickey-valuefieldextractionsatsearch-time
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Optional

import orjson

from lab.errors import SplError
from lab.spl.values import Row

if TYPE_CHECKING:
    from lab.spl.rawpaths import PathPicker

EXTRACTION_CUTOFF = 5000
"""limits.conf [spath] extraction_cutoff: bytes of an event that automatic extraction and spath without path look at."""
FIELDS_LIMIT = 100
"""limits.conf [kv] limit: fields that automatic extraction makes of an event. Whether fields that a search names are
exempt is not documented; here they are not."""
_MISSING = object()


class _Exact(str):
    """The source digits of a JSON number."""


def loads_exact(raw: str) -> Any:
    """Parse keeping the digits of numbers as text."""
    return json.loads(raw, parse_float=_Exact, parse_int=_Exact, parse_constant=_Exact)


def scalar_text(value: Any) -> Optional[str]:
    """Text of a JSON scalar; None for objects and arrays."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is _Exact:
        return str(value)
    if value is None:
        return "null"
    if kind is float:
        raise Inexact
    return None


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every (name, text) of a parsed JSON value, in document order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list):
        for inner in value:
            yield from flatten(inner, prefix + "{}")
    else:
        found = scalar_text(value)
        if found is not None and prefix:
            yield prefix, found


def flatten_row(value: Any) -> Row:
    """All fields of a parsed JSON value; repeated names become multivalues."""
    row: Row = {}
    for name, found in flatten(value):
        _put(row, name, found)
    return row


class _Node:
    """Trie of wanted names. `leaf` is the full field name that ends here; the child ``{}`` stands for array members.

    `dotted` lists (key, node) for keys that hold dots themselves: ``a`` → ``b`` may also be the one key ``a.b``.
    """

    __slots__ = ("children", "dotted", "items", "leaf")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.leaf: Optional[str] = None
        self.items: list[tuple[str, _Node]] = []
        self.dotted: list[tuple[str, _Node]] = []


class FieldPicker:
    """Extracts a fixed set of field names from parsed JSON. `names=None` extracts every field. `paths` reads those that
    stand for paths of the whole event (lab.spl.rawpaths)."""

    def __init__(self, names: Optional[Iterable[str]]) -> None:
        names, paths = _names_and_paths(names)
        self.names = names
        self.paths = paths
        self._root = _Node()
        self._shapes: dict[tuple[str, ...], bool] = {}
        for name in self.names or ():
            node = self._root
            for step in _steps(name):
                node = node.children.setdefault(step, _Node())
            node.leaf = name
        _finish(self._root)
        self._object = self._generated()

    def pick(self, document: Any, row: Row) -> None:
        """Put the wanted fields of `document`, or of what automatic extraction sees of it, into the empty `row`."""
        if self.names is None:
            row.update(flatten_row(document))
        elif type(document) is dict:
            self._object(document, row)
        elif type(document) is list and "{}" in self._root.children:
            self._array(document, self._root.children["{}"], row)

    def _generated(self) -> Callable[[dict[str, Any], Row], None]:
        """The walk over objects as straight code: nested look-ups, texts stored at once, all else by `_value`."""
        names: dict[str, Any] = {"M": _MISSING, "value": self._value, "dotted": self._dotted_keys}
        lines = ["def pick(d0, row):"]
        self._emit(self._root, 0, "    ", lines, names)
        exec("\n".join([*lines, "    return"]), names)  # noqa: S102 (source built from field names through repr)
        return names["pick"]  # type: ignore[no-any-return]

    def _emit(self, node: _Node, depth: int, indent: str, lines: list[str], names: dict[str, Any]) -> None:
        source = f"d{depth}"
        if node.items:
            lines.append(f"{indent}g{depth} = {source}.get")
        for key, child in node.items:
            constant = f"n{len(names)}"
            names[constant] = child
            lines.append(f"{indent}v = g{depth}({key!r}, M)")
            lines.append(f"{indent}if v is not M:")
            branches = []
            if child.leaf is not None:
                branches.append(("v.__class__ is str", f"row[{child.leaf!r}] = v"))
            lines_before = len(lines)
            for test, action in branches:
                lines.append(f"{indent}    if {test}: {action}")
            if child.items and depth < 15:
                word = "elif" if len(lines) > lines_before else "if"
                lines.append(f"{indent}    {word} v.__class__ is dict:")
                lines.append(f"{indent}        d{depth + 1} = v")
                self._emit(child, depth + 1, indent + "        ", lines, names)
            word = "else:" if len(lines) > lines_before else "if True:"
            lines.append(f"{indent}    {word} value(v, {constant}, row)")
        if node.dotted:
            constant = f"n{len(names)}"
            names[constant] = node
            lines.append(f"{indent}dotted({source}, {constant}, row)")

    def _dotted_keys(self, value: dict[str, Any], node: _Node, row: Row) -> None:
        """Keys with dots in them. Most objects have none, which is remembered by their set of keys."""
        shape = tuple(value)
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) > 10_000:
                self._shapes.clear()
            known = self._shapes[shape] = any("." in key for key in shape)
        if known:
            for name, child in node.dotted:
                inner = value.get(name, _MISSING)
                if inner is not _MISSING:
                    self._value(inner, child, row)

    def _any_object(self, value: dict[str, Any], node: _Node, row: Row) -> None:
        for key, child in node.items:
            inner = value.get(key, _MISSING)
            if inner is not _MISSING:
                self._value(inner, child, row)
        if node.dotted:
            self._dotted_keys(value, node, row)

    def _value(self, inner: Any, node: _Node, row: Row) -> None:
        kind = type(inner)
        if kind is dict:
            self._any_object(inner, node, row)
        elif kind is list:
            member = node.children.get("{}")
            if member is not None:
                self._array(inner, member, row)
        elif node.leaf is not None:
            _put(row, node.leaf, scalar_text(inner))

    def _array(self, value: list[Any], node: _Node, row: Row) -> None:
        for inner in value:
            self._value(inner, node, row)


def _names_and_paths(names: Optional[Iterable[str]]) -> tuple[Optional[list[str]], Optional[PathPicker]]:
    from lab.spl.rawpaths import MARK, PathPicker

    if names is None:
        return None, None
    wanted = sorted(names)
    paths = [name for name in wanted if name.startswith(MARK)]
    return [name for name in wanted if not name.startswith(MARK)], PathPicker(paths) if paths else None


def _finish(node: _Node) -> None:
    """Fix the iteration lists of a node and all below it."""
    node.items = [(key, child) for key, child in node.children.items() if key != "{}"]
    for key, child in node.items:
        for deeper, grandchild in _dotted_below(child):
            node.dotted.append((f"{key}.{deeper}", grandchild))
    for child in node.children.values():
        _finish(child)


def _dotted_below(node: _Node) -> Iterator[tuple[str, _Node]]:
    for key, child in node.children.items():
        if key == "{}":
            continue
        yield key, child
        for deeper, grandchild in _dotted_below(child):
            yield f"{key}.{deeper}", grandchild


def _put(row: Row, name: str, found: Optional[str]) -> None:
    held = row.get(name)
    if held is None:
        row[name] = found
    elif type(held) is list:
        held.append(found)
    else:
        row[name] = [held, found]


def _steps(name: str) -> list[str]:
    """``a.b{}.c`` → a, b, {}, c."""
    steps: list[str] = []
    for part in name.split("."):
        braces = 0
        while part.endswith("{}"):
            part = part[:-2]
            braces += 1
        if part or not braces:
            steps.append(part)
        steps.extend(["{}"] * braces)
    return steps


def path_steps(path: str) -> list[Any]:
    """A path in steps: a key, a position in a list, or None for all members of one."""
    steps: list[Any] = []
    for part in path.split("."):
        key, _, braces = part.partition("{")
        if key:
            steps.append(key)
        if braces:
            for index in ("{" + braces).replace("{", " ").replace("}", " ").split(" ")[1::2]:
                if index and not index.isdigit():
                    raise SplError(f"path '{path}': '{{{index}}}' is neither {{}} nor an index.")
                steps.append(int(index) if index else None)
        elif not key:
            raise SplError(f"path '{path}' has an empty step.")
    return steps


@lru_cache(maxsize=4096)
def compile_path(path: str, dotted: bool = True) -> Callable[[Any], list[Any]]:
    """An spath-style path (``a.b{}.c``, ``a{0}``; json_extract's ``a.b{}``) → function document → found values.
    `dotted`: whether ``a.b`` may also be one key."""
    steps = path_steps(path)

    def find(document: Any) -> list[Any]:
        return list(_follow(document, steps, 0, dotted))

    return find


def _follow(value: Any, steps: list[Any], at: int, dotted: bool) -> Iterator[Any]:
    if at == len(steps):
        yield value
        return
    step = steps[at]
    if isinstance(step, str):
        if not isinstance(value, dict):
            return
        name = step
        following = at + 1
        while True:
            if name in value:
                yield from _follow(value[name], steps, following, dotted)
            if not dotted or following >= len(steps) or not isinstance(steps[following], str):
                return
            name = f"{name}.{steps[following]}"
            following += 1
    elif isinstance(value, list):
        if step is None:
            for inner in value:
                yield from _follow(inner, steps, at + 1, dotted)
        elif step < len(value):
            yield from _follow(value[step], steps, at + 1, dotted)


def json_text(value: Any) -> str:
    """Text of a found value: scalars plain, objects and arrays as compact JSON."""
    found = scalar_text(value)
    return found if found is not None else _dump(value)


def _dump(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dump, value)) + "]"
    if isinstance(value, _Exact):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


class Inexact(Exception):
    """A wanted value is a number whose digits the fast parser may have changed."""


@lru_cache(maxsize=16)
def parse(raw: str) -> Any:
    """Parse JSON text, keeping the digits of numbers; None when it is not JSON. Not to be changed: searches take many
    paths of one text, so the last few are kept."""
    try:
        return loads_exact(raw)
    except ValueError:
        return None


def is_json(text: str) -> bool:
    """Whether a text is a JSON number, boolean or null."""
    return (
        text in ("true", "false", "null")
        or re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", text) is not None
    )


_PAIR = re.compile(r'(?:^|[\s,;|&?(\[{])([A-Za-z_][\w.:-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;|&")\]}]*))')


def fields_of_raw(raw: bytes, picker: FieldPicker) -> Row:
    """The picker's fields of an event: of its JSON text, else (KV_MODE=auto) of its ``key=value`` and ``key="value"``
    pairs, of which the first of a name counts."""
    found = _pick_json(raw, picker) if raw[:1] in (b"{", b"[") else None
    if found and raw.count(b":", 0, EXTRACTION_CUTOFF) > FIELDS_LIMIT:  # less cannot name as many fields
        for name in found.keys() - _first_names(raw):
            if not name.startswith("\0"):
                del found[name]
    if found is None:
        found, names = {}, set()
        for name, quoted, bare in _PAIR.findall(raw.decode("utf-8", "replace")):
            names.add(name)
            if len(names) > FIELDS_LIMIT:
                break
            if name not in found and name != "_time" and (picker.names is None or name in picker.names):
                found[name] = quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted else bare
    return found


def _first_names(raw: bytes) -> set[str]:
    """The names that automatic extraction finds first, up to its limit."""
    names: set[str] = set()
    for name, _ in flatten(parse_beginning(raw.decode("utf-8", "replace"))):
        if len(names) == FIELDS_LIMIT:
            break
        names.add(name)
    return names


def _pick_json(raw: bytes, picker: FieldPicker) -> Optional[Row]:
    """The picker's fields of JSON `raw`; None when it is not JSON.

    Only the first 5,000 bytes are looked at, as Splunk does by default: fields after them need spath with a path.
    The fast parser turns 1.10 into 1.1 and 10^20 into a float: as soon as a wanted field is one, parse again exactly.
    """
    found: Row = {}
    long = len(raw) > EXTRACTION_CUTOFF
    if long and picker.names != []:
        document = parse_cut(raw[:EXTRACTION_CUTOFF].decode("utf-8", "ignore"))
        if document is None and picker.paths is None:
            return None
        picker.pick(document, found)
    if long and picker.paths is None:
        return found
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return found if long else None
    try:
        _pick_whole(document, picker, found, not long)
    except Inexact:
        found = found if long else {}
        _pick_whole(loads_exact(raw.decode("utf-8")), picker, found, not long)
    return found


def _pick_whole(document: Any, picker: FieldPicker, found: Row, fields: bool) -> None:
    if fields and picker.names != []:
        picker.pick(document, found)
    if picker.paths is not None:
        picker.paths.pick(document, found)


def parse_beginning(text: str) -> Any:
    """Parse as much of a JSON text as automatic extraction looks at, which is so many bytes."""
    if len(text) <= EXTRACTION_CUTOFF // 4 or len(data := text.encode("utf-8", "replace")) <= EXTRACTION_CUTOFF:
        return parse(text)
    return parse_cut(data[:EXTRACTION_CUTOFF].decode("utf-8", "ignore"))


_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)


def parse_cut(text: str) -> Any:
    """Parse JSON that was cut off: everything complete before the cut."""
    closers: list[str] = []
    cuts: list[tuple[int, str]] = []
    for match in _STRUCTURE.finditer(text):
        char = match.group()
        if char in "{[":
            closers.append("}" if char == "{" else "]")
            cuts.append((match.end(), "".join(reversed(closers))))
        elif char in "}]":
            if not closers:
                return None
            closers.pop()
            cuts.append((match.end(), "".join(reversed(closers))))
        elif char == ",":
            cuts.append((match.start(), "".join(reversed(closers))))
    for end, tail in reversed(cuts):
        document = parse(text[:end] + tail)
        if document is not None:
            return document
    return None
