"""Which searches the scheduler runs."""

from __future__ import annotations

_SCHEDULED = "scheduler__"


def is_scheduled(sid: str) -> bool:
    """Whether the scheduler runs the search of this id, which begins as nobody else's does.

    https://docs.splunk.com/Documentation/Splunk/9.0.2/Search/Dispatchdirectoryandsearchartifacts
    https://www.splunk.com/en_us/blog/tips-and-tricks/deciphering-dispatch-directory-names.html
    """
    return sid.startswith(_SCHEDULED)
