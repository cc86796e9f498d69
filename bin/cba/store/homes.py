"""Homes of workloads in the collection `cba_homes`: one document per instance or function, and per role of functions.

{"_key": …, "workload": "i-0abc…", "facts": "{\"eu-west-1\":{\"RunInstances\":1767225600}}",
 "calls": "{\"eu-west-1\":{\"20454\":\"ff00\"}}", "met_day": 20480, "known_day": 20480, "first_day": 20450,
 "last_day": 20480, "kept": "{}", "not_kept": 0}
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Iterator, Mapping, Optional

from splunklib.client import Service

from ..errors import DamagedError
from ..home.homes import HOWS, Home
from ..judging.rows import Row
from .collection import Collection

NAME = "cba_homes"


def document_key(workload: str) -> str:
    """The document's `_key`: a digest, because names may hold any character and be long."""
    return hashlib.blake2b(workload.encode("utf-8"), digest_size=10).hexdigest()


class HomeCollection:
    """Implements `home.finder.HomeStore`."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def load(self, workloads: Iterable[str]) -> dict[str, Home]:
        """The homes of those workloads of which anything is remembered."""
        by_key = {document_key(workload): workload for workload in workloads}
        return {by_key[document["_key"]]: decode(document) for document in self._collection.by_keys(by_key)}

    def met_since(self, day: int) -> Iterator[Home]:
        """The homes of the workloads that called on that UTC day or later, page by page."""
        return (decode(document) for document in self._collection.find({"met_day": {"$gte": day}}))

    def save(self, homes: Mapping[str, Home]) -> None:
        """Replaces the documents of these workloads."""
        self._collection.save([encode(workload, home) for workload, home in homes.items()])


def encode(workload: str, home: Home) -> dict[str, Any]:
    """The document of a home. Masks are text in hexadecimal: KV store numbers lose bits beyond 2^53."""
    calls = {r: {str(d): f"{mask:x}" for d, mask in sorted(days.items())} for r, days in sorted(home.calls.items())}
    days = {"met_day": home.met_day, "known_day": home.known_day}
    return {
        "_key": document_key(workload),
        "workload": workload,
        "facts": _json({region: dict(sorted(hows.items())) for region, hows in sorted(home.facts.items())}),
        "calls": _json(calls),
        **{name: day for name, day in days.items() if day is not None},
        "first_day": home.first_day,
        "last_day": home.last_day,
        "kept": _json(dict(sorted(home.kept.items()))),
        "not_kept": home.not_kept,
    }


def decode(document: Mapping[str, Any]) -> Home:
    """The home of a document. Raises DamagedError naming the document when it cannot be read."""
    try:
        return Home(
            facts={
                region: {HOWS[HOWS.index(how)]: int(since) for how, since in hows.items()}
                for region, hows in json.loads(document["facts"]).items()
            },
            calls={
                region: {int(day): int(mask, 16) for day, mask in days.items()}
                for region, days in json.loads(document["calls"]).items()
            },
            met_day=_day(document, "met_day"),
            known_day=_day(document, "known_day"),
            last_day=int(document["last_day"]),
            first_day=_day(document, "first_day"),
            kept={str(name): _row(call) for name, call in json.loads(document.get("kept") or "{}").items()},
            not_kept=int(document.get("not_kept") or 0),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} ({document.get('workload')}) is damaged: "
            f"{error!r}. Restore it from a backup, or delete it to learn anew."
        ) from error


def _row(call: Any) -> str:
    """The call as it is kept. Raises ValueError when it is none that could be judged later."""
    return Row.from_json(call) and str(call)


def _day(document: Mapping[str, Any], name: str) -> Optional[int]:
    day = document.get(name)
    return None if day is None else int(day)


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
