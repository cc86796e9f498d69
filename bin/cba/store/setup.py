"""How far each source has come on the way to being turned on, in the collection `cba_setup`: one document per source.

{"_key": "aws", "source": "aws", "step": "learning", "progress": 37, "message": "", "updated_time": 1767226560}
"""

from __future__ import annotations

from typing import Any, Mapping

from splunklib.client import Service

from ..enabling import STEPS, WAITING, Step
from ..terms import SOURCES
from .collection import Collection

NAME = "cba_setup"


class SetupCollection:
    """Reads and writes steps."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)

    def load(self) -> dict[str, Step]:
        """source -> its step; what cannot be read is still to be done."""
        return {document["_key"]: _decode(document) for document in self._collection.by_keys(SOURCES)}

    def save(self, step: Step, now: int) -> None:
        told = {"step": step.step, "progress": step.progress, "message": step.message[:1000]}
        self._collection.save([{"_key": step.source, "source": step.source, **told, "updated_time": now}])


def _decode(document: Mapping[str, Any]) -> Step:
    step, progress = str(document.get("step")), document.get("progress")
    known = step in STEPS and isinstance(progress, (int, float))
    return (
        Step(document["_key"], step, int(progress or 0), str(document.get("message", ""))) if known else _anew(document)
    )


def _anew(document: Mapping[str, Any]) -> Step:
    return Step(document["_key"], WAITING)
