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

UPDATED = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Entry:
    """One entity: its name, the path of its endpoint and its content."""

    title: str
    path: str
    content: Mapping[str, str]
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
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest"'
        ' xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<title>{escape(title)}</title><id>{escape(title)}</id><updated>{UPDATED}</updated>"
        f"<opensearch:totalResults>{len(entries)}</opensearch:totalResults>\n{body}</feed>\n"
    ).encode()


def _entry(entry: Entry) -> str:
    path = quoteattr(entry.path)
    links = "".join(f'<link href={path} rel="{rel}"/>' for rel in ("alternate", "list", "edit"))
    keys = "".join(
        f"<s:key name={quoteattr(name)}>{escape(str(value))}</s:key>" for name, value in entry.content.items()
    )
    return (
        f"<entry><title>{escape(entry.title)}</title><id>{escape(entry.path)}</id><updated>{UPDATED}</updated>{links}"
        f"<author><name>{escape(entry.owner)}</name></author>"
        f'<content type="text/xml"><s:dict>{keys}<s:key name="eai:acl">{_dict(entry.access())}</s:key></s:dict>'
        "</content>"
        "</entry>\n"
    )


def _dict(values: Mapping[str, Any]) -> str:
    keys = "".join(f"<s:key name={quoteattr(name)}>{escape(str(value))}</s:key>" for name, value in values.items())
    return f"<s:dict>{keys}</s:dict>"
