"""For all tests: property tests try the same examples each time unless many are asked for (`support/effort.py`)."""

from __future__ import annotations

from hypothesis import settings

from tests.support.effort import MANY

settings.register_profile("usual", derandomize=True)
if not MANY:
    settings.load_profile("usual")
