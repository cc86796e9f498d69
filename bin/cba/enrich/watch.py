"""Why an identity or its access key deserves a closer look, whatever its history says."""

from __future__ import annotations

import re
from typing import Mapping, Optional

from ..lists.declared import SINCE
from ..lists.match import Lists, Row
from ..terms import ABSENT

WATCH_REASON = "watch_reason"
COMPROMISED_REASON = "compromised_reason"

_USER = re.compile(r"arn:[^:/]*:iam::(\d*):user/(?:[^/]*/)*([^/]+)", re.ASCII | re.IGNORECASE)


def watch(cells: Mapping[str, str], lists: Lists, time: float) -> dict[str, str]:
    """The fields watch_reason and compromised_reason, as far as there is a reason.

    `time`: of the first event. A quarantine counts from the moment it was put on, and so does a compromised key that
    says since when.
    """
    found: dict[str, str] = {}
    identity, access_key = cells.get("identity", ABSENT), cells.get("access_key", ABSENT)
    if identity:
        watched = lists.match("watch_list", identity=identity)
        if watched is not None:
            found[WATCH_REASON] = watched["reason"] or "on the watch list"
    key = lists.match("compromised_keys", access_key=access_key) if access_key else None
    if key is not None and _had_begun(key, time):
        found[COMPROMISED_REASON] = key["reason"] or "on the list of compromised keys"
        return found
    quarantine = _quarantine(lists, identity) if identity else None
    if quarantine is not None and _had_begun(quarantine, time):
        found[COMPROMISED_REASON] = f"AWS attached {quarantine['policy'] or 'a quarantine policy'}"
    return found


def _had_begun(row: Row, time: float) -> bool:
    return not row[SINCE] or float(row[SINCE]) <= time


def _quarantine(lists: Lists, identity: str) -> Optional[Row]:
    """Whoever attaches a policy names the user by name only, without path and partition, which the ARN in the user's
    own calls has. In an account names are unique without them, in any case:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html."""
    user = _USER.fullmatch(identity)
    return lists.match("quarantined", identity=f"arn:aws:iam::{user[1]}:user/{user[2]}") if user else None
