"""The app's log: where Splunk indexes it, at the level that is set, and nowhere outside a Splunk."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.support.splunk_home import app_log
from tests.support.workbench import Workbench, story


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with app_log(tmp_path, monkeypatch) as log:
        yield log


def test_a_run_is_logged_and_so_is_what_went_wrong(tmp_path: Path, log: Path) -> None:
    with Workbench(tmp_path) as bench:
        bench.search(story())
        bench.complaint("cbajudge", "source=aws", rows=story()[::-1])
    first, *_, last = log.read_text("utf-8").splitlines()
    assert "level=INFO" in first and f"command=cbajudge sid=1.1 rows={len(story())} seconds=" in first
    assert "level=ERROR" in last and "comes after rows of" in last


def test_the_level_is_a_setting(tmp_path: Path, log: Path) -> None:
    with Workbench(tmp_path, local=tmp_path / "local") as bench:
        path = "configs/conf-cloud_behavior_analytics_settings/logging"
        bench.service().post(path, loglevel="ERROR")
        bench.search(story())
        assert not log.exists(), "nothing went wrong"
