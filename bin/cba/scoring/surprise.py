"""How surprising a value is, in bits, and the score 0-100 that orders findings. It never changes a severity.

Hierarchical Dirichlet back-off over decayed day counts: what the identity has done is trusted as far as there is much
of it, then the project, then the organization, then a uniform guess
(D. MacKay, L. Bauman Peto, "A hierarchical Dirichlet language model", 1995):

    p_org(v)     = (c_org(v)     + k / V)           / (C_org + k)
    p_project(v) = (c_project(v) + k * p_org(v))     / (C_project + k)
    p_identity   = (c_identity(v) + k * p_project(v)) / (C_identity + k)
    surprise     = -log2 p_identity(v)

`c` counts the days of the training period on which the value was seen, halved every ten days of age; `C` is their sum
over all values, `V` the number of values the organization knows plus one for the unknown, `k` = 1. So somebody of whom
little is known surprises little. Where none of them has ever done anything of the kind, there is nothing to count, and
yet it is a first: each day of the training period then counts as a day on which it was not done.

Where new values keep turning up, the next one is less remarkable: `restless = 1 - exp(-arrivals)`, of the most restless
of those to whom the value is new. A fourth new country of a traveller, and a new country of an organization that sees
one every week, say less than the first in a cluster where nothing was ever new.

To the surprise comes the severity that the detection gives the variation: it knows what is done, of
which surprise knows nothing.
"""

from __future__ import annotations

import math
from typing import Sequence

from ..history.evidence import ScopeEvidence
from ..history.history import HALF_LIFE_DAYS
from ..terms import severity_rank

PRIOR_DAYS = 1.0
CERTAIN_BITS = 20.0
WATCHED_DAYS = 30
NOTHING_SEEN = math.fsum(0.5 ** (age / HALF_LIFE_DAYS) for age in range(1, WATCHED_DAYS + 1))
"""The days on which a whole training period had nothing of the kind, halved as the days are on which it had."""
SEVERITY_POINTS, SURPRISE_POINTS = 14, 44
"""For each step of severity above informational, and for the greatest surprise; together with critical 100."""


def surprise(scopes: Sequence[ScopeEvidence]) -> float:
    """Bits of surprise; `scopes` runs from narrow to wide and may be empty (then 0)."""
    if not scopes:
        return 0.0
    probability = 1.0 / (scopes[-1].choices + 1)
    never = not any(scope.total for scope in scopes)
    for scope in reversed(scopes):
        total = NOTHING_SEEN if never else scope.total
        probability = (scope.weight + PRIOR_DAYS * probability) / (total + PRIOR_DAYS)
    return -math.log2(probability)


def surprising(scopes: Sequence[ScopeEvidence]) -> float:
    """0 (expected) to 1 (never heard of, anywhere, where nothing is ever new)."""
    if not scopes:
        return 0.0
    arrivals = max((scope.arrivals for scope in scopes if scope.new), default=scopes[0].arrivals)
    restless = 1.0 - math.exp(-arrivals)
    return min(1.0, surprise(scopes) / CERTAIN_BITS) * (1.0 - 0.5 * restless)


def come_far(kinds: int) -> float:
    """0 to 1 for a chain with signals of so many kinds; three make it whole."""
    return min(1.0, kinds / 3)


def anomaly_score(severity: str, surprised: float) -> int:
    """0 to 100 for a variation of that severity and how surprising (0 to 1) it is what was done."""
    return SEVERITY_POINTS * (severity_rank(severity) - 1) + round(SURPRISE_POINTS * surprised)


def moved_score(score: int, told: str, severity: str) -> int:
    """The score for another severity than the one it was `told` with."""
    return score + SEVERITY_POINTS * (severity_rank(severity) - severity_rank(told))
