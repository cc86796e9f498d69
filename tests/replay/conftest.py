"""Real logs live beside the checkout and are not committed; a test that needs them says so where they are absent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

APP = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CBA_SHARED_DATA", APP.parent / "shared" / "data"))


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """The path of a shared log file; skips the test where there is none."""

    def path(name: str) -> Path:
        found = SHARED / name
        if not found.exists():
            pytest.skip(f"real logs are not here: {found} (set CBA_SHARED_DATA)")
        return found

    return path
