"""What alerts have raised, in the collection `cba_alerts`: one document per alert, and one per finding raised of late.

{"_key": "cloud_unusual_country:v2", "since": 1767225600, "until": 1767312000}
{"_key": <finding id>, "alert": "cloud_unusual_country:v2", "raised_time": 1767312000, "sid": "scheduler__…"}

Of an alert only its own search writes. (An id of a finding is hexadecimal, the name of an alert has a colon.)
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional

from splunklib.client import Service

from ..errors import StoreError
from ..findings.alerts import Mark, Raised, whole
from .collection import Collection

NAME = "cba_alerts"


class AlertCollection:
    """Implements `findings.alerts.AlertStore` for one alert."""

    def __init__(self, service: Service, alert: str) -> None:
        self._collection = Collection(service, NAME)
        self._alert = alert

    def mark(self) -> Optional[Mark]:
        """How far the alert has come; None before its first run."""
        for document in self._collection.by_keys([self._alert]):
            try:
                return Mark(whole(document["since"]), whole(document["until"]))
            except (KeyError, ValueError, OverflowError) as error:
                raise _damaged(document, error) from error
        return None

    def raised(self, finding_ids: Iterable[str]) -> dict[str, Raised]:
        """Which of these findings were raised, by any alert."""
        return {document["_key"]: _decode(document) for document in self._collection.by_keys(finding_ids)}

    def save(self, raised: Mapping[str, Raised], mark: Mark) -> None:
        """Keeps what was raised; the mark comes last, also where they do not fit into one request."""
        documents: list[dict[str, Any]] = [{"_key": name, **each._asdict()} for name, each in raised.items()]
        self._collection.save([*documents, {"_key": self._alert, **mark._asdict()}])


def _decode(document: Mapping[str, Any]) -> Raised:
    try:
        return Raised(str(document["alert"]), whole(document["raised_time"]), str(document["sid"]))
    except (KeyError, ValueError, OverflowError) as error:
        raise _damaged(document, error) from error


def _damaged(document: Mapping[str, Any], error: Exception) -> StoreError:
    return StoreError(
        f"KV store collection {NAME}: document {document.get('_key')} is damaged: {error!r}. Restore it from a backup. "
        "Deleted, an alert begins anew with the findings of the last 24 hours, or raises one of them once more."
    )
