"""What a condition may ask about one row: its evidence, its own fields, and whether its identity is suspicious."""

from __future__ import annotations

import dataclasses
from typing import Mapping, Optional, Sequence

from ..detection.condition import CHAIN_SIGNALS
from ..history.evidence import Evidence, ScopeEvidence
from ..history.history import MALICIOUS


@dataclasses.dataclass(frozen=True)
class RowFacts:
    """Implements `detection.condition.Facts`. `order` lists the detection's scopes from narrow to wide.

    `untrained_is_new` is the detection's: what nobody is trained to answer counts as new.
    """

    evidence: Evidence
    fields: Mapping[str, str]
    order: Sequence[str]
    suspect: bool = False
    untrained_is_new: bool = False

    def new(self, scope: str, dimension: str) -> bool:
        """Whether the value is new to the scope; an untrained scope passes the question to the next wider one."""
        asked = self.evidence.asked(scope, dimension, self.order)
        if asked is None:
            return self.untrained_is_new and self._of(scope, dimension) is not None
        return asked.new

    def seen(self, scope: str, dimension: str) -> int:
        found = self._of(scope, dimension)
        return found.seen if found else 0

    def days(self, scope: str, dimension: str) -> int:
        found = self._of(scope, dimension)
        return found.days if found else 0

    def trained(self, scope: str, dimension: str) -> bool:
        found = self._of(scope, dimension)
        return found is not None and found.trained

    def spread(self, scope: str, dimension: str) -> int:
        found = self._unjudged(scope, dimension)
        return found.choices if found else 0

    def busy(self, scope: str, dimension: str) -> int:
        found = self._unjudged(scope, dimension)
        return found.training_days if found else 0

    def familiar(self, scope: str, dimension: str) -> bool:
        found = self._unjudged(scope, dimension)
        return found is not None and found.familiar

    def suspicious(self, scope: str) -> bool:
        return self.suspect

    def chained(self, signal: str) -> bool:
        return signal in self.field(CHAIN_SIGNALS).split()

    def field(self, name: str) -> str:
        return self.fields.get(name, "")

    def answered_by(self, function: str, scope: str, dimension: str) -> Optional[ScopeEvidence]:
        """Whose evidence answers: `new` is passed on to the first trained scope, everything else is the scope's own."""
        asked = self.evidence.asked(scope, dimension, self.order) if function == "new" else None
        return asked or self._of(scope, dimension)

    def _unjudged(self, scope: str, dimension: str) -> Optional[ScopeEvidence]:
        """What was seen, unless an analyst has called the value malicious: that never becomes usual."""
        found = self._of(scope, dimension)
        return None if found is None or found.verdict == MALICIOUS else found

    def _of(self, scope: str, dimension: str) -> Optional[ScopeEvidence]:
        return self.evidence.scopes.get(scope, {}).get(dimension)
