"""How surprising a value is, in bits, and the score 0-100 that orders findings. It never changes a severity.

Hierarchical Dirichlet back-off over decayed day counts: what the identity has done is trusted as far as there is much
of it, then the project, then the organization, then a uniform guess
(D. MacKay, L. Bauman Peto, "A hierarchical Dirichlet language model", 1995):

    p_org(v)     = (c_org(v)     + k / V)           / (C_org + k)
    p_project(v) = (c_project(v) + k * p_org(v))     / (C_project + k)
    p_identity   = (c_identity(v) + k * p_project(v)) / (C_identity + k)
    surprise     = -log2 p_identity(v)

`c` counts the days of the training period on which the value was seen, halved every ten days of age; `C` is their sum
over all values, `V` the number of values the organization knows plus one for the unknown, `k` = 1. An identity that
keeps turning up with new values makes the next one less remarkable: `novelty = 1 - exp(-arrivals)`.
"""

from __future__ import annotations

import math
from typing import Sequence

from ..history.evidence import ScopeEvidence

PRIOR_DAYS = 1.0
CERTAIN_BITS = 20.0


def surprise(scopes: Sequence[ScopeEvidence]) -> float:
    """Bits of surprise; `scopes` runs from narrow to wide and may be empty (then 0)."""
    if not scopes:
        return 0.0
    probability = 1.0 / (scopes[-1].choices + 1)
    for scope in reversed(scopes):
        probability = (scope.weight + PRIOR_DAYS * probability) / (scope.total + PRIOR_DAYS)
    return -math.log2(probability)


def anomaly_score(scopes: Sequence[ScopeEvidence]) -> int:
    """0 (expected) to 100 (never heard of, anywhere)."""
    if not scopes:
        return 0
    novelty = 1.0 - math.exp(-scopes[0].arrivals)
    return round(100 * min(1.0, surprise(scopes) / CERTAIN_BITS) * (1.0 - 0.5 * novelty))


def chain_score(kinds: int) -> int:
    """0 to 100 for a chain with signals of so many kinds; three make it whole."""
    return min(100, round(100 * kinds / 3))
