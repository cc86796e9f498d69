"""For all tests: property tests try the same examples each time unless many are asked for (`support/effort.py`)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.effort import MANY

# How long an example takes says how busy the machine is.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", UNTIMED, derandomize=True)
settings.register_profile("many", UNTIMED)
settings.load_profile("many" if MANY else "usual")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A case that is a whole log is called by its argument's name, and pytest numbers it.

    Its content would be no name to read, and what differs from process to process (a gzip header holds the time)
    would give every worker of pytest-xdist other tests, which it refuses.
    """
    long = isinstance(val, bytes) or (isinstance(val, str) and (len(val) > 80 or "\n" in val))
    return argname if long else None


@pytest.hookimpl(optionalhook=True)  # pytest-splunk-addon's environment has no pytest-xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: one more than there are cores, for now and then a test waits for a process or for a time limit."""
    return (os.cpu_count() or 1) + 1
