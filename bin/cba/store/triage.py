"""What analysts say of findings, in the collection `cba_triage`: one document per finding of which something was said.

{"_key": <finding id>, "finding_id": <the same, for lookups>, "status": "closed", "owner": "ines", "verdict": "benign",
 "comment": "moved there", "triaged_time": 1767225600, "triaged_by": "ines", "earlier": "[…]"}

Only `cbaverdict` writes it: a search that records findings can undo nothing that was said of them.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Sequence

from splunklib.client import Service

from ..errors import DamagedError
from .collection import Collection

NAME = "cba_triage"


class TriageCollection:
    """Implements `findings.triage.TriageStore`."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The documents of those findings of which something was said."""
        return {document["_key"]: _checked(document) for document in self._collection.by_keys(finding_ids)}

    def save(self, documents: Sequence[dict[str, Any]]) -> None:
        self._collection.save(documents)


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document. Raises DamagedError naming it when it cannot be read."""
    try:
        float(document["triaged_time"])
        if not isinstance(json.loads(document["earlier"]), list):
            raise ValueError("earlier is no list")
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} is damaged: {error!r}. Restore it from a "
            "backup, or delete it and give the verdict again."
        ) from error
    return document
