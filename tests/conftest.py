"""For all tests: property tests try the same examples each time unless many are asked for (`support/effort.py`)."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.effort import MANY

settings.register_profile("usual", derandomize=True)
if not MANY:
    settings.load_profile("usual")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A case that is a whole log is called by its argument's name, and pytest numbers it.

    Its content would be no name to read, and what differs from process to process (a gzip header holds the time)
    would give every worker of pytest-xdist other tests, which it refuses.
    """
    long = isinstance(val, bytes) or (isinstance(val, str) and (len(val) > 80 or "\n" in val))
    return argname if long else None
