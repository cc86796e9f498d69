"""The errors of the app: each one says what is wrong, where, and what to do about it."""

from __future__ import annotations

from typing import Iterable

GUIDE = "/static/app/cloud_behavior_analytics/guide"
"""Below which Splunk Web serves the guide's pages, for messages that send somebody there."""


class CbaError(Exception):
    """Base of everything the app raises on purpose; its text is meant for the person at the search bar."""


class DetectionError(CbaError):
    """A detection, its YAML or one of its conditions is wrong. `where` names file and field."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.where = where
        self.problem = problem


class DetectionErrors(DetectionError):
    """All faults of a set of detections at once, so that one run shows everything there is to mend."""

    def __init__(self, errors: Iterable[DetectionError]) -> None:
        self.errors = list(errors)
        super().__init__("", "\n".join(str(error) for error in self.errors))


class OptionError(CbaError):
    """An option of a command has a value it does not know: names option, value and what there is."""


class RowError(CbaError):
    """A search row cannot be used: names the field, its value, and what was expected."""


class StoreError(CbaError):
    """The KV store did not do what was asked; nothing learned earlier is lost, the run can be repeated."""


class RefusedError(StoreError):
    """The KV store does not take a document, however often it is tried; all others were saved."""


class DamagedError(StoreError):
    """A document of the KV store cannot be read, because it is damaged or of a newer version of the app: names
    collection, document and what to do. Others are not affected."""
