"""Raw paths: where in the JSON of an event a value stands, and how SPL takes it from there.

    userIdentity.arn                      keys of nested objects
    sourceIPs{}                           all members of a list
    resources{0}.ARN                      one member of a list
    claims."http://schemas.xmlsoap.org/x" a key that holds dots

An event is parsed once: `json_extract` takes all paths of a source at once and gives an array (cba_raw), of which a
field takes what it needs by position. What `json_extract` cannot follow (members of lists, keys that hold dots) is
taken from the object or list it gives.
https://help.splunk.com/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/json-functions"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ARRAY = "cba_raw"
_STEP = re.compile(r'"([^"]+)"((?:\{\d*\})*)|([^."{}]+)((?:\{\d*\})*)')


@dataclass(frozen=True)
class Path:
    """A path in pieces: `plain` is what `json_extract` follows; then a key with dots or nothing; then what is below it,
    or below each member of a list (`all_members`)."""

    text: str
    plain: str
    dotted: str = ""
    rest: str = ""
    all_members: bool = False


def parse_path(text: str) -> Path:
    """Raises ValueError for what is no path."""
    steps: list[tuple[str, str, bool]] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"{text!r} is no path: cannot read {text[at:]!r}")
        at = found.end()
        steps.append((found[1] or found[3], found[2] or found[4] or "", found[1] is not None))
        if at < len(text):
            if text[at] != "." or at + 1 == len(text):
                raise ValueError(f"{text!r} is no path: expected a dot before {text[at:]!r}")
            at += 1
    if not steps:
        raise ValueError("a path is empty")
    plain: list[str] = []
    for n, (key, members, dotted) in enumerate(steps):
        below = ".".join(k + m for k, m, _ in steps[n + 1 :])
        if dotted:
            if members or any(d for *_, d in steps[n + 1 :]):
                raise ValueError(f"{text!r}: only one key holds dots, and it is no list")
            return Path(text, ".".join(plain), dotted=key, rest=below)
        if "{}" in members:
            before, _, after = members.partition("{}")
            plain.append(key + before)
            return Path(text, ".".join(plain), rest="{}" + after + ("." + below if below else ""), all_members=True)
        plain.append(key + members)
    return Path(text, ".".join(plain))


_NOT_OF_JSON = re.compile(r"[^.]+\Z|Event[A-Za-z]*\.")
"""Names that extraction gives fields of text and of XML; of JSON, which has names with dots, all is read from _raw."""


@dataclass
class Reads:
    """The paths a source reads, in order of first use. Objects that may wrap the event are asked one after another."""

    wrappers: tuple[str, ...] = ()
    documents: dict[str, Reads] = field(default_factory=dict)
    """Events inside events that are open already: texts that hold JSON, by the name of the field with that text."""
    extracted: bool = False
    """Whether a path may also be a field that search-time extraction made, of events that are no JSON."""
    text: str = "_raw"
    array: str = ARRAY
    found: dict[str, int] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    """The names of `extracted` fields that are read."""

    def variants(self, text: str) -> list[str]:
        """SPL for a path: where it stands, below each wrapper, then in each event inside the event."""
        path = parse_path(text)
        own = [self._taken(path, wrapper) for wrapper in ("", *self.wrappers)]
        if self.extracted and _NOT_OF_JSON.match(path.plain) and not (path.dotted or path.all_members):
            self.fields.add(path.plain)
            own.append(f"`cba_extracted({path.plain})`")
        return own + [taken for inner in self.documents.values() for taken in inner.variants(text)]

    def _taken(self, path: Path, wrapper: str) -> str:
        plain = ".".join(filter(None, (wrapper, path.plain)))
        if not plain:
            return f'nullif(nullif(trim({self._exact(self.text, path)}), ""), "<null>")'
        held = f'json_extract({self.array}, "{{{self.found.setdefault(plain, len(self.found))}}}")'
        if path.dotted:
            return self._exact(held, path)
        if path.all_members:
            return f'spath({held}, "{path.rest}")'
        # Where logs of other shapes have an object, there is no text.
        is_object = any(other.startswith(f"{plain}.") for other in self.found)
        return f'if(like({held}, "{{%"), null(), {held})' if is_object else held

    @staticmethod
    def _exact(held: str, path: Path) -> str:
        found = f'json_extract_exact({held}, "{path.dotted}")'
        return f'json_extract({found}, "{path.rest}")' if path.rest else found
