"""YAML -> model. Every fault is collected with its file, field and line; nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Optional

import yaml

from sources.faults import Fault, Faults
from sources.model import (
    Cases,
    Command,
    Field,
    FirstOf,
    Keep,
    Lookup,
    Macro,
    Made,
    Part,
    Raw,
    Source,
    Spl,
    Step,
    Text,
    Value,
)
from sources.paths import parse_path

SOURCES = ("aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint")
READ = re.compile(r"@\{((?:[^{}]|\{\d*\})+)\}")
"""A raw path inside an expression."""
_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
_BASES = ("first_of", "cases", "text", "spl", "field")
_TURNED = ("part", "replace", "json", "lower", "absent", "when")
_STEP_KEYS = ("lookup", "command", "keep_if")


class Reader:
    """Reads one file; `faults` grows."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file = file
        self.faults = faults
        self.made: set[str] = {"source", "host", "sourcetype", "_raw", "_time"}

    def fault(self, node: yaml.Node, field: str, message: str) -> None:
        self.faults.append(Fault(self.file, node.start_mark.line + 1, field, message))

    def mapping(self, node: yaml.Node, field: str, known: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        """The entries of a mapping by key. `known`: all keys there may be."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, field, "must be a mapping")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in found:
                self.fault(key, field, f"{key.value!r} stands there twice")
            elif known and key.value not in known:
                self.fault(key, field, f"unknown key {key.value!r}; known are {', '.join(known)}")
            else:
                found[key.value] = value
        return found

    def text(self, node: Optional[yaml.Node], field: str) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.fault(node, field, "must be a text")
            return ""
        return str(node.value).strip()

    def texts(self, node: Optional[yaml.Node], field: str) -> tuple[str, ...]:
        """One text or a list of them."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.text(each, field) for each in node.value)
        return () if node is None else (self.text(node, field),)

    # -- values ----------------------------------------------------------------------------------------------------
    def value(self, node: yaml.Node, field: str) -> Value:
        """A path, `=field` for a field made above, a list of which the first counts, or a mapping."""
        if isinstance(node, yaml.ScalarNode):
            return Value(self._plain(node, field))
        if isinstance(node, yaml.SequenceNode):
            return Value(FirstOf(tuple(self.value(each, field) for each in node.value)))
        entries = self.mapping(node, field, (*_BASES, *_TURNED, "address", "list"))
        return self._turned(node, entries, field)

    def _plain(self, node: yaml.ScalarNode, field: str) -> Any:
        text = str(node.value).strip()
        if text.startswith("="):
            if text[1:] not in self.made:
                self.fault(node, field, f"{text[1:]!r} is no field made above")
            return Made(text[1:])
        try:
            parse_path(text)
        except ValueError as error:
            self.fault(node, field, str(error))
        return Raw(text)

    def _turned(self, node: yaml.Node, entries: dict[str, yaml.Node], field: str) -> Value:
        bases = [key for key in _BASES if key in entries]
        if len(bases) != 1:
            self.fault(node, field, f"needs exactly one of {', '.join(_BASES)}; found {', '.join(bases) or 'none'}")
            return Value(Text(""))
        part = replace = None
        if "part" in entries:
            pieces = self.texts(entries["part"], field)
            if len(pieces) == 2 and re.fullmatch(r"-?\d+", pieces[1]):
                part = (str(entries["part"].value[0].value), int(pieces[1]))
            else:
                self.fault(entries["part"], field, "part is a separator and a position from 0 (or -1 for the last)")
        if "replace" in entries:
            given = entries["replace"]
            if isinstance(given, yaml.SequenceNode) and len(given.value) == 2:
                replace = (str(given.value[0].value), str(given.value[1].value))
                self._pattern(given, field, replace[0])
            else:
                self.fault(given, field, "replace is a regular expression and what takes its place")
        return Value(
            self._base(bases[0], entries[bases[0]], field),
            part=part,
            replace=replace,
            json=self._yes(entries.get("json"), field),
            lower=self._yes(entries.get("lower"), field),
            absent=self.texts(entries.get("absent"), field),
            when=self.expression(entries["when"], field) if "when" in entries else "",
        )

    def _pattern(self, node: yaml.Node, field: str, pattern: str) -> None:
        try:
            re.compile(pattern)
        except re.error as error:
            self.fault(node, field, f"{pattern!r} is no regular expression: {error}")

    def _base(self, kind: str, node: yaml.Node, field: str) -> Any:
        if kind == "text":
            return Text(self.text(node, field))
        if kind == "spl":
            return Spl(self.expression(node, field))
        if kind == "field":
            return Made(self.text(node, field))
        if kind == "first_of" and isinstance(node, yaml.ScalarNode):
            return self._plain(node, field)
        if not isinstance(node, yaml.SequenceNode):
            self.fault(node, field, f"{kind} must be a list")
            return Text("")
        values = tuple(self.value(each, field) for each in node.value)
        return FirstOf(values) if kind == "first_of" else Cases(values)

    def expression(self, node: yaml.Node, field: str) -> str:
        """SPL with raw paths as @{path}."""
        text = " ".join(line.strip() for line in self.text(node, field).splitlines())
        for path in READ.findall(text):
            try:
                parse_path(path)
            except ValueError as error:
                self.fault(node, field, str(error))
        if "@{" in READ.sub("", text):
            self.fault(node, field, "a raw path is not closed: @{path}")
        return text

    def _yes(self, node: Optional[yaml.Node], field: str) -> bool:
        word = self.text(node, field)
        if word not in ("", "true", "false"):
            self.fault(node, field, f"{word!r} is neither true nor false")  # type: ignore[arg-type]
        return word == "true"

    # -- steps -----------------------------------------------------------------------------------------------------
    def step(self, name: str, node: yaml.Node) -> Step:
        if not _NAME.match(name):
            self.fault(node, name, "a field's name is lower case letters, digits and _")
        entries = self.mapping(node, name) if isinstance(node, yaml.MappingNode) else {}
        if any(key in entries for key in _STEP_KEYS):
            return self._other(name, node, entries)
        address = self.text(entries.get("address"), name)
        if address not in ("", "first", "last"):
            self.fault(entries["address"], name, f"address is first or last, not {address!r}")
        made = Field(
            name, self.value(node, name), address, self._yes(entries.get("list"), name), node.start_mark.line + 1
        )
        self.made.add(name)
        return made

    def _other(self, name: str, node: yaml.Node, entries: dict[str, yaml.Node]) -> Step:
        self.made.add(name)
        if "keep_if" in entries:
            self.mapping(node, name, ("keep_if",))
            return Keep(name, self.expression(entries["keep_if"], name))
        if "command" in entries:
            self.mapping(node, name, ("command", "gives"))
            gives = tuple(self.texts(entries.get("gives"), name))
            self.made.update(gives)
            return Command(name, self.expression(entries["command"], name), gives)
        self.mapping(node, name, ("lookup", "match", "output"))
        for key in ("match", "output"):
            if key not in entries:
                self.fault(node, name, f"a lookup needs {key!r}")
                return Command(name, "")
        match = self.mapping(entries["match"], name)
        pairs = tuple((column, self.text(field, name)) for column, field in match.items())
        for _, field in pairs:
            if field not in self.made:
                self.fault(entries["match"], name, f"{field!r} is no field made above")
        return Lookup(name, self.text(entries["lookup"], name), pairs, self.text(entries["output"], name))


def read_source(root: Path, name: str, faults: list[Fault]) -> Optional[Source]:
    path = root / "content" / "sources" / name / "source.yml"
    reader, node = _open(root, path, faults)
    if reader is None or node is None:
        return None
    known = ("source", "about", "search", "search_about", "fixed", "wrapped_in", "documents", "extracted", "fields")
    entries = reader.mapping(node, "(file)", known)
    for key in ("source", "about", "search", "fields"):
        if key not in entries:
            reader.fault(node, key, "is missing")
            return None
    if reader.text(entries["source"], "source") != name:
        reader.fault(entries["source"], "source", f"must be {name!r} like its folder")
    steps = tuple(reader.step(key, value) for key, value in reader.mapping(entries["fields"], "fields").items())
    documents = reader.texts(entries.get("documents"), "documents")
    for document in documents:
        if document not in reader.made:
            reader.fault(entries["documents"], "documents", f"{document!r} is no field of this source")
    return Source(
        name=name,
        about=reader.text(entries["about"], "about"),
        search=reader.text(entries["search"], "search"),
        search_about=reader.text(entries.get("search_about"), "search_about"),
        fixed=reader.text(entries.get("fixed"), "fixed"),
        wrapped_in=reader.texts(entries.get("wrapped_in"), "wrapped_in"),
        documents=documents,
        extracted=reader._yes(entries.get("extracted"), "extracted"),
        steps=steps,
    )


def read_parts(root: Path, faults: list[Fault]) -> tuple[Part, ...]:
    """The macros written by hand."""
    reader, node = _open(root, root / "content" / "macros.yml", faults)
    if reader is None or node is None:
        return ()
    parts = []
    for title, part in reader.mapping(node, "(file)").items():
        entries = reader.mapping(part, title, ("about", "macros"))
        macros = []
        for name, body in reader.mapping(entries.get("macros", part), title).items():
            found = reader.mapping(body, name, ("about", "args", "definition"))
            if "definition" not in found:
                reader.fault(body, name, "has no definition")
                continue
            about = reader.text(found.get("about"), name)
            macros.append(
                Macro(name, reader.text(found["definition"], name), about, reader.texts(found.get("args"), name))
            )
        parts.append(Part(title, tuple(macros), reader.text(entries.get("about"), title)))
    return tuple(parts)


def _open(root: Path, path: Path, faults: list[Fault]) -> tuple[Optional[Reader], Optional[yaml.Node]]:
    file = str(path.relative_to(root))
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        faults.append(Fault(file, 0, "(file)", "is missing"))
        return None, None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        faults.append(
            Fault(file, mark.line + 1 if mark else 0, "(file)", f"is not YAML: {getattr(error, 'problem', error)}")
        )
        return None, None
    return Reader(file, faults), node


def read(root: Path) -> tuple[tuple[Part, ...], tuple[Source, ...]]:
    """Everything under content/ that macros are made of. Raises Faults with all that is wrong."""
    faults: list[Fault] = []
    parts = read_parts(root, faults)
    sources = [read_source(root, name, faults) for name in SOURCES]
    if faults:
        raise Faults(faults)
    return parts, tuple(source for source in sources if source is not None)
