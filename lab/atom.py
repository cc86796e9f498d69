"""The Atom and JSON forms in which splunkd answers configuration endpoints.

Shape: https://docs.splunk.com/Documentation/Splunk/latest/RESTUM/RESTusing ("Atom Feed responses"), as splunklib.client
reads it: an entry has title, id, updated, links (list, edit, alternate), an author and a content dictionary with
eai:acl.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = (
    ' xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"'
    ' xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
)
UPDATED = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Entry:
    """One entity: its name, the path of its endpoint and its content (texts, and mappings and lists of them)."""

    title: str
    path: str
    content: Mapping[str, Any]
    owner: str = "nobody"
    app: str = "search"
    acl: Mapping[str, str] = field(default_factory=dict)

    def access(self) -> dict[str, str]:
        return {"app": self.app, "owner": self.owner, "sharing": "app", "can_write": "1", "modifiable": "1", **self.acl}


def feed(title: str, entries: Sequence[Entry], as_json: bool = False) -> bytes:
    """A feed of entries as Atom XML or, with output_mode=json, as JSON."""
    if as_json:
        shown = [
            {"name": e.title, "id": e.path, "links": {"alternate": e.path}, "author": e.owner, "acl": e.access(),
             "content": dict(e.content)}
            for e in entries
        ]  # fmt: skip
        paging = {"total": len(entries), "perPage": 30, "offset": 0}
        return json.dumps({"origin": title, "entry": shown, "paging": paging, "messages": []}).encode("utf-8")
    body = "".join(map(_entry, entries))
    return (
        f"{_XML}<feed{_NAMESPACES}>\n"
        f"<title>{escape(title)}</title><id>{escape(title)}</id><updated>{UPDATED}</updated>"
        f"<opensearch:totalResults>{len(entries)}</opensearch:totalResults>\n{body}</feed>\n"
    ).encode()


def document(entry: Entry, as_json: bool = False) -> bytes:
    """One entry by itself, as splunkd answers for a search job."""
    if as_json:
        return feed(entry.title, [entry], as_json)
    return f"{_XML}{_entry(entry, _NAMESPACES)}".encode()


def _entry(entry: Entry, namespaces: str = "") -> str:
    path = quoteattr(entry.path)
    links = "".join(f'<link href={path} rel="{rel}"/>' for rel in ("alternate", "list", "edit"))
    return (
        f"<entry{namespaces}><title>{escape(entry.title)}</title><id>{escape(entry.path)}</id><updated>{UPDATED}</updated>{links}"
        f"<author><name>{escape(entry.owner)}</name></author>"
        f'<content type="text/xml">{_value({**entry.content, "eai:acl": entry.access()})}</content>'
        "</entry>\n"
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = "".join(f"<s:key name={quoteattr(name)}>{_value(held)}</s:key>" for name, held in value.items())
        return f"<s:dict>{keys}</s:dict>"
    if isinstance(value, (list, tuple)):
        return f"<s:list>{''.join(f'<s:item>{_value(item)}</s:item>' for item in value)}</s:list>"
    return escape(str(value))
