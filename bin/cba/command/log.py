"""The app's log, var/log/splunk/cloud_behavior_analytics.log, which Splunk indexes into _internal by itself.

Commands of the search head write it at the level that is set. Commands on indexers, which cannot ask for that, write
what somebody should look at: attempts at what is refused, and faults of the app.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path
from typing import Callable

NAME = "cloud_behavior_analytics"
LOGGED_AS = f"index=_internal source=*{NAME}.log"
"""The search that shows it."""
_MEGABYTES, _KEPT = 10, 3

log = logging.getLogger(NAME)
log.propagate = False
log.addHandler(logging.NullHandler())


class _OneLine(logging.Formatter):
    """A message is one line, whatever names and values stand in it, so that none can look like a line of ours."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        record.message = "".join(c if c.isprintable() else repr(c)[1:-1] for c in record.message)
        return super().formatMessage(record)


def open_log(level: Callable[[], str]) -> None:
    """Opens the log at the level that `level` tells, asked once; outside a Splunk installation it goes nowhere."""
    home = os.environ.get("SPLUNK_HOME")
    folder = Path(home or "", "var", "log", "splunk")
    if home is None or not folder.is_dir() or len(log.handlers) > 1:
        return
    handler = logging.handlers.RotatingFileHandler(
        folder / f"{NAME}.log", maxBytes=_MEGABYTES << 20, backupCount=_KEPT, encoding="utf-8", delay=True
    )
    handler.setFormatter(_OneLine("%(asctime)s level=%(levelname)s pid=%(process)d %(message)s"))
    log.addHandler(handler)
    log.setLevel(level())
