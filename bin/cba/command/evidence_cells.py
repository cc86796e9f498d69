"""What `cbabaseline` adds to a row."""

from __future__ import annotations

from typing import Iterator, Sequence

from ..detection.model import Detection
from ..judging.looking import Seen

TERMS = ("trained", "new", "seen", "days")


class EvidenceCells:
    """The fields that `cbabaseline` adds: the evidence as JSON ("" without any), why a row is silent, what the
    detection reads of the prepared row and the search did not have, and the terms per profile."""

    def __init__(self, detection: Detection, row_fields: Sequence[str]) -> None:
        self._profiles = [(profile.scope, profile.dimension) for profile in detection.asked]
        asked = (name for profile in detection.asked for name in (profile.scope, profile.dimension))
        read = dict.fromkeys((*detection.fields, *asked))
        self._prepared = tuple(name for name in read if name not in row_fields)
        terms = [f"{profile.name}_{term}" for profile in detection.asked for term in TERMS]
        self.names: tuple[str, ...] = ("evidence", "silent_reason", *self._prepared, *terms)

    def of(self, seen: Seen) -> tuple[str, ...]:
        """The cells of a row."""
        evidence, silent_reason = seen.looked
        text = evidence.to_json() if evidence is not None else ""
        prepared = (seen.cells.get(name, "") for name in self._prepared)
        return (text, silent_reason, *prepared, *self._terms(seen))

    def _terms(self, seen: Seen) -> Iterator[str]:
        evidence = seen.looked.evidence
        for scope, dimension in self._profiles:
            found = evidence.scopes.get(scope, {}).get(dimension) if evidence is not None else None
            if found is None:
                yield from ("",) * len(TERMS)
            else:
                yield from (str(int(found.trained)), str(int(found.new)), str(found.seen), str(found.days))
