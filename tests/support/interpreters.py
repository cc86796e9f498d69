"""The Pythons that a test asks for."""

from __future__ import annotations

import pytest

from lab.interpreters import find


def required(version: str) -> str:
    """The path of that Python; the test is skipped without it."""
    python = find(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine (looked on PATH and in ~/.pyenv/versions)")
    return python
