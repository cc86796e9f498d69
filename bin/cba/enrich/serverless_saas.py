"""What a row of Google Workspace says about Apps Script: scripts, the applications they are, and what they do.

A row has one part for each of its actions (a script that is changed and shared at once), and of what was granted or
called one for each scope or method. Title and id of a script, and an application with its method, may each be in
ScriptScope.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence

from ..lists.match import Lists, Row
from ..terms import ABSENT
from .parts import after, changed, values_of

APP_AUTHORIZED, API_CALL = "app_authorized", "api_call"


def serverless_saas(cells: Mapping[str, str], lists: Lists) -> Sequence[dict[str, str]]:
    """The row's parts; none for a row that is no signal."""
    parts = []
    for action in values_of(cells.get("action", ABSENT)):
        accesses = values_of(cells.get("access", ABSENT)) if action in (APP_AUTHORIZED, API_CALL) else []
        parts += [_part(cells, action, access, lists) for access in accesses or [ABSENT]]
    return parts


def _part(cells: Mapping[str, str], action: str, access: str, lists: Lists) -> dict[str, str]:
    trigger = lists.match("trigger_types", access=access)
    what = cells.get("signal_what", ABSENT)
    if action == APP_AUTHORIZED:
        what += after(access, " granted ")
    if trigger and trigger["trigger"]:
        what += f" ({trigger['trigger']})"
    return changed(
        cells,
        action=action,
        access=access,
        script_scope=_pattern(lists.match("script_scope", script=cells.get("script", ABSENT))),
        title_scope=_pattern(lists.match("script_scope", script=cells.get("script_title", ABSENT))),
        client_scope=_pattern(lists.match("script_scope", script=cells.get("api_client", ABSENT))),
        trigger=trigger["access"] if trigger else ABSENT,
        signal_what=what,
    )


def _pattern(found: Optional[Row]) -> str:
    return found["script"] if found else ABSENT
