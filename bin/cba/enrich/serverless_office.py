"""What a row of Microsoft 365 says about flows of Power Automate, and about mail and files that were opened to others.

A changed flow has one part that is the flow itself (no connector) and one for each of its connectors; what was
forwarded or shared has one part for each destination. So each can be new, or listed, by itself.
"""

from __future__ import annotations

from typing import Mapping, Sequence

from ..lists.match import Lists
from ..terms import ABSENT
from .parts import after, changed, values_of


def serverless_office(cells: Mapping[str, str], lists: Lists) -> Sequence[dict[str, str]]:
    """The row's parts; none for a row that is no signal."""
    if not cells.get("action"):
        return ()
    connectors = [ABSENT, *filter(None, values_of(cells.get("connector", ABSENT)))]
    destinations = values_of(cells.get("destination", ABSENT)) or [ABSENT]
    return [_part(cells, connector, destination, lists) for connector in connectors for destination in destinations]


def _part(cells: Mapping[str, str], connector: str, destination: str, lists: Lists) -> dict[str, str]:
    expected = lists.match("user_context", identity=cells.get("identity", ABSENT))
    listed = lists.match("flow_actions", connector=connector)
    what = cells.get("signal_what", ABSENT)
    if connector:
        flow = after(cells.get("flow", ABSENT), "flow ") or "a flow"
        does = listed["action"] if listed else ABSENT
        what = f"{connector} in {flow}" + (f" ({does})" if does else "")
    return changed(
        cells,
        connector=connector,
        destination=destination,
        user_context=expected["identity"] if expected else ABSENT,
        flow_action=listed["connector"] if listed else ABSENT,
        destination_scope=_scope(cells.get("identity", ABSENT), destination, lists),
        signal_what=what,
    )


def _scope(identity: str, destination: str, lists: Lists) -> str:
    """Whether a destination is the organization's own or external; "" for none."""
    if not destination:
        return ABSENT
    is_own = destination in identity.split("@")[1:2] or lists.match("own_domains", domain=destination) is not None
    return "own" if is_own else "external"
