"""What a condition may ask about one row: its evidence, its own fields, and whether its identity is suspicious."""

from __future__ import annotations

import dataclasses
from typing import Mapping, Optional, Sequence

from ..history.evidence import Evidence, ScopeEvidence


@dataclasses.dataclass(frozen=True)
class RowFacts:
    """Implements `detection.condition.Facts`. `order` lists the detection's scopes from narrow to wide."""

    evidence: Evidence
    fields: Mapping[str, str]
    order: Sequence[str]
    suspect: bool = False

    def new(self, scope: str, dimension: str) -> bool:
        """Whether the value is new to the scope; an untrained scope passes the question to the next wider one."""
        asked = self.evidence.asked(scope, dimension, self.order)
        return asked is not None and asked.new

    def seen(self, scope: str, dimension: str) -> int:
        found = self._of(scope, dimension)
        return found.seen if found else 0

    def days(self, scope: str, dimension: str) -> int:
        found = self._of(scope, dimension)
        return found.days if found else 0

    def trained(self, scope: str, dimension: str) -> bool:
        found = self._of(scope, dimension)
        return found is not None and found.trained

    def suspicious(self, scope: str) -> bool:
        return self.suspect

    def field(self, name: str) -> str:
        return self.fields.get(name, "")

    def _of(self, scope: str, dimension: str) -> Optional[ScopeEvidence]:
        return self.evidence.scopes.get(scope, {}).get(dimension)
