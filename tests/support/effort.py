"""How many examples property tests try.

The usual run is short and tries the same examples each time, so that a change is judged by what it changed. With
CBA_EXAMPLES=many they are different each time, and many; that run looks for what nobody has thought of.
"""

from __future__ import annotations

import os

from hypothesis import settings

MANY = os.environ.get("CBA_EXAMPLES") == "many"
SHARE = 8


def examples(many: int) -> settings:
    """The settings of a test that tries so many examples where many are asked for, and an eighth of them else."""
    return settings(max_examples=many if MANY else max(5, many // SHARE), derandomize=not MANY, deadline=None)
