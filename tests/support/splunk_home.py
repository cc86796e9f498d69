"""A folder that the app takes for the Splunk it runs in."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from cba.command.log import NAME


@contextmanager
def app_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the app's log in a new Splunk below `folder`; the log begins without handlers of other tests."""
    logs = folder / "splunk" / "var" / "log" / "splunk"
    logs.mkdir(parents=True)
    monkeypatch.setenv("SPLUNK_HOME", str(folder / "splunk"))
    monkeypatch.setattr(logging.getLogger(NAME), "handlers", [logging.NullHandler()])
    yield logs / f"{NAME}.log"
    for handler in logging.getLogger(NAME).handlers:
        handler.close()
