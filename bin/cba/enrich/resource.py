"""Which cloud resource a name belongs to, and whether one tenant owns it or everybody shares it.

    reader = ResourceReader(read_suffixes(SHIPPED_SUFFIXES))
    reader.lookup("MyBucket.s3.eu-west-1.amazonaws.com.")
    # CloudResource("mybucket.s3.amazonaws.com", "s3.amazonaws.com", "s3", "aws", "tenant")
    reader.lookup("s3.eu-west-1.amazonaws.com").resource_scope     # "shared"
    reader.lookup("www.example.com").resource_scope                # "none"

Which fields are set when:

- `resource_scope` always: `tenant` (a name one customer of the cloud owns), `shared` (the cloud's endpoint for
  everybody), `none` (everything else: other names, addresses, garbage).
- `resource` for tenants only: the labels that name the tenant and the suffix, in lower case. Where one tenant is
  reached under several suffixes (same_as), always under the same one, so that it is one resource.
- `resource_suffix`, `resource_service`, `resource_provider` for tenants and shared endpoints: the row of the lookup.

Of several rows that fit, a label written out beats one with `*`, and then the longer suffix wins. A name that is a
suffix itself is shared; where it only fits a `*`, a shorter suffix may still name its tenant
(`*-01.azurewebsites.net`, and the app my-01.azurewebsites.net). A label that only says by which way a tenant is reached
(`privatelink`, suffixes.LEFT_OUT) is left out of the name first.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from . import files
from .suffixes import ALL_LABELS, LEFT_OUT, SHARED, SHIPPED_SUFFIXES, TENANT, Suffix, read_suffixes

NO_RESOURCE = "none"

MEMO_ENTRIES = 65_536
_MEMO_TEXT = 255
"""Characters of the longest text that is remembered: names are; URLs of unbounded length would cost memory instead."""
_LONGEST_TEXT = 8192
"""Characters of a URL that are looked at."""
_LONGEST_NAME = 253

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+", re.ASCII)
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(.*)", re.ASCII | re.DOTALL)
_PORT = re.compile(r":\d*$", re.ASCII)
_PATH_END = re.compile(r"[?#]")
_ABSENT = frozenset(("", "-"))


class CloudResource(NamedTuple):
    """All fields are text, "" when absent; see the module for which is set when."""

    resource: str = ""
    resource_suffix: str = ""
    resource_service: str = ""
    resource_provider: str = ""
    resource_scope: str = NO_RESOURCE


RESOURCE_FIELDS: Tuple[str, ...] = CloudResource._fields

_NONE = CloudResource()


class _Node:
    """The rows that share these last labels; its children are one label longer."""

    __slots__ = ("exact", "paths", "patterns", "row")

    def __init__(self) -> None:
        self.exact: Dict[str, _Node] = {}
        self.patterns: List[Tuple[str, str, _Node]] = []  # what a label begins and ends with
        self.row: Optional[Suffix] = None
        self.paths: List[Suffix] = []

    def child(self, label: str) -> _Node:
        """The child for a label of a row, made when new."""
        if "*" not in label:
            return self.exact.setdefault(label, _Node())
        start, _star, end = label.partition("*")
        for known_start, known_end, node in self.patterns:
            if (known_start, known_end) == (start, end):
                return node
        node = _Node()
        self.patterns.append((start, end, node))
        self.patterns.sort(key=lambda pattern: -len(pattern[0] + pattern[1]))
        return node


class ResourceReader:
    """Looks names up in the rows of `cba_cloud_suffixes`, and remembers the answers."""

    def __init__(self, suffixes: Iterable[Suffix]) -> None:
        self._root = _Node()
        for suffix in suffixes:
            node = self._root
            for label in reversed(suffix.host.split(".")):
                node = node.child(label)
            if suffix.path is None:
                node.row = suffix
            else:
                node.paths.append(suffix)
                node.paths.sort(key=lambda row: -len(row.path or ()))
        self._memo: Dict[str, CloudResource] = {}

    def lookup(self, text: str) -> CloudResource:
        """The cloud resource a host name or a URL names. Never raises for any text."""
        found = self._memo.get(text)
        if found is None:
            found = self._look_up(text)
            if len(text) <= _MEMO_TEXT:
                if len(self._memo) >= MEMO_ENTRIES:
                    self._memo.clear()
                self._memo[text] = found
        return found

    def _look_up(self, text: str) -> CloudResource:
        name, segments = read_name(text)
        if not name:
            return _NONE
        labels = name.split(".")
        found = self._walk(labels, segments)
        way = LEFT_OUT.get(found.resource_provider)
        if way in labels:
            found = self._walk([label for label in labels if label != way], segments)
        return found

    def _walk(self, labels: Sequence[str], segments: Sequence[str]) -> CloudResource:
        search = _Search(labels, segments)
        found = search.below(self._root, len(labels), False)
        if found is not None:
            return found
        if search.nearest is not None:
            return _shared(search.nearest)
        return _NONE


class _Search:
    """One walk down the rows, from the name's last label to its first."""

    def __init__(self, labels: Sequence[str], segments: Sequence[str]) -> None:
        self._labels = labels
        self._segments = segments
        self.nearest: Optional[Suffix] = None
        """The first row met whose tenant the name leaves out: the bare endpoint."""

    def below(self, node: _Node, rest: int, exact: bool) -> Optional[CloudResource]:
        """What the rows at `node` and below it say; `rest` labels of the name stand before the ones walked so far.

        `exact`: the last step took a label that a row writes out.
        """
        if rest:
            label = self._labels[rest - 1]
            child = node.exact.get(label)
            found = self.below(child, rest - 1, True) if child is not None else None
            if found is not None:
                return found
            for start, end, pattern in node.patterns:
                if len(label) >= len(start) + len(end) and label.startswith(start) and label.endswith(end):
                    found = self.below(pattern, rest - 1, False)
                    if found is not None:
                        return found
        return self._here(node, rest, exact)

    def _here(self, node: _Node, rest: int, exact: bool) -> Optional[CloudResource]:
        own = node.row
        if own is not None and own.kind == SHARED:
            return (self._in_paths(node) if rest == 0 else None) or _shared(self.nearest or own)
        if own is not None and rest >= max(own.labels, 1):
            return self._tenant(own, rest)
        if rest:
            self.nearest = self.nearest or own
            return None
        found = self._in_paths(node)
        if found is None and (own is not None or node.paths):
            self.nearest = self.nearest or own or node.paths[0]
            # A row writes this very name out: it is the endpoint, whatever a shorter suffix would make of it.
            return _shared(self.nearest) if exact else None
        return found

    def _in_paths(self, node: _Node) -> Optional[CloudResource]:
        return next((found for row in node.paths if (found := self._in_path(row)) is not None), None)

    def _tenant(self, row: Suffix, rest: int) -> CloudResource:
        first = 0 if row.labels == ALL_LABELS else rest - row.labels
        own = self._labels[first:rest]
        resource = ".".join((*own, row.home(self._labels[rest:])))
        return CloudResource(resource, row.canonical, row.service, row.provider, TENANT)

    def _in_path(self, row: Suffix) -> Optional[CloudResource]:
        """The tenant that the path names, as script.google.com/macros/s/<id>; a bucket is reported as a host name."""
        fixed = row.path or ()
        end = len(fixed) + row.labels
        own = self._segments[len(fixed) : end]
        if tuple(self._segments[: len(fixed)]) != fixed or len(own) < row.labels or "" in own:
            return None
        if row.same_as:
            resource = ".".join((*(segment.lower() for segment in own), row.home(self._labels)))
            if not _is_name(resource):
                return None
        else:
            resource = "/".join((".".join(self._labels), *fixed, *own))
        return CloudResource(resource, row.canonical, row.service, row.provider, TENANT)


def _shared(row: Suffix) -> CloudResource:
    return CloudResource("", row.canonical, row.service, row.provider, SHARED)


def read_name(text: str) -> Tuple[str, List[str]]:
    """The host name in a name or URL, in lower case and in its ASCII form, and the segments of the path.

    "" for what is no name of two labels or more: addresses, single labels, garbage. A leading `*.` (certificates) is
    left out, as are user, port and trailing dots.
    """
    text = text.strip(" \t\r\n\"'") if len(text) <= _LONGEST_TEXT else ""
    if text in _ABSENT:
        return "", []
    url = _URL.match(text)
    if url:
        text = url.group(1)
    host, _slash, path = _PATH_END.split(text, maxsplit=1)[0].partition("/")
    host = _PORT.sub("", host.rpartition("@")[2]).rstrip(".").lower()
    if host.startswith("*."):
        host = host[2:]
    if len(host) > _LONGEST_NAME:
        return "", []
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return "", []
    if not _is_name(host):
        return "", []
    return host, path.split("/") if path else []


def _is_name(host: str) -> bool:
    """Two valid labels or more; the last one, a top-level domain, is never a number (so no IPv4 address is a name)."""
    return len(host) <= _LONGEST_NAME and bool(_NAME.fullmatch(host)) and not host.rpartition(".")[2].isdigit()


def open_reader(suffixes: Optional[str] = None) -> ResourceReader:
    """The reader for a command's option: the path of a user's file, nothing for the app's lookup.

    A relative path starts at the app's lookups folder. Raises FileError for a file that a search may not name,
    SuffixFileError for one with faults.
    """
    return ResourceReader(read_suffixes(files.find(files.SUFFIXES, suffixes) if suffixes else SHIPPED_SUFFIXES))
