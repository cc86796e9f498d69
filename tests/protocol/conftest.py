"""A splunkd for commands: one for each Python that Splunk runs them with, and one in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from lab.interpreters import VERSIONS
from tests.support.interpreters import required
from tests.support.workbench import Workbench


@pytest.fixture(params=VERSIONS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path, required(request.param)) as bench:
        yield bench


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        yield bench
