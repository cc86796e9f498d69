"""Attacks, kind by kind, and fuzzers that look for more of each.

./dev test tests/security                       the short form, as in every run of the tests
CBA_FUZZ=100 ./dev test tests/security          a hundred times as many examples
"""

from __future__ import annotations

import os
from typing import Any, Callable

from hypothesis import HealthCheck, settings

FUZZ = float(os.environ.get("CBA_FUZZ", "1"))


def examples(count: int) -> Callable[[Any], Any]:
    """How many examples a property is tried with, in the short form."""
    unhurried = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=max(1, int(count * FUZZ)), deadline=None, suppress_health_check=unhurried)
