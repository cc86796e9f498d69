"""Verdicts and acknowledgements: what decides is written by one REST handler of the app (bin/cba_decide.py), and nobody
else.

Analysts have no right to write the collections. `send` asks splunkd, as the user who runs a command; splunkd starts the
handler with who that is and with a session of its own, and `answer` decides under that name, at the time of its own
clock. So no document says of itself who wrote it or when.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from splunklib.client import Service

from ..detection.catalogue import get, load
from ..errors import CbaError, OptionError
from ..findings.teaching import preview
from ..findings.triage import STATUSES
from ..findings.verdicts import NO_VERDICT, VERDICTS, Decision, Desk, Ruling
from ..store.breakers import BreakerCollection
from ..store.findings import FindingCollection
from ..store.rights import with_imported
from ..store.splunkd import Refused, ask
from ..store.triage import TriageCollection
from ..store.verdicts import VerdictCollection
from ..terms import APP, time_text

PATH = f"/servicesNS/nobody/{APP}/cba_decide"
DECIDERS = frozenset({"cba_analyst", "cba_admin", "admin", "sc_admin"})
"""The roles that may decide; a role that imports one of them is one."""
LONGEST = 4_000
"""Characters of a comment, an owner, an entity or a value."""

Asked = Mapping[str, Any]


def desk_of(service: Service) -> Desk:
    """What turns rulings into documents, over the collections."""
    return Desk(load().detections, FindingCollection(service), TriageCollection(service), VerdictCollection(service))


def send(service: Service, **asked: Any) -> Any:
    """Has something decided; what `answer` says. Raises OptionError in the handler's words when it is refused,
    StoreError when splunkd cannot be asked."""
    text = json.dumps(asked, ensure_ascii=False).encode("utf-8")
    headers = [("Content-Type", "application/json")]
    try:
        return ask("asking for a decision", lambda: service.post(PATH, headers=headers, body=text))
    except Refused as error:
        if error.status in (400, 403):
            raise OptionError(error.said) from error
        raise


def answer(service: Service, asked: Asked, by: str, now: int) -> Any:
    """Decides as `by` at `now` (epoch seconds) and writes it. Raises OptionError for what cannot be decided."""
    kind = _text(asked, "decide")
    if kind == "acknowledge":
        return _acknowledge(service, asked, by, now)
    if kind == "preview":
        return preview(desk_of(service), _ids(asked), by, _text(asked, "verdict"), _text(asked, "scope"))
    if kind not in ("findings", "value"):
        raise OptionError(f"decide={kind[:60]} is not findings, preview, value or acknowledge")
    desk, ruling = desk_of(service), _ruling(asked, by, now)
    if kind == "findings":
        wanted = _ids(asked)
        decided = desk.on_findings(wanted, ruling, _text(asked, "scope"))
        desk.save(decided.values())
        return {name: _told(decision) for name, decision in decided.items()}
    one = desk.on_value(_text(asked, "profile"), _text(asked, "entity"), _text(asked, "value"), ruling)
    desk.save([one])
    return _told(one)


def decision_of(told: Mapping[str, Any]) -> Decision:
    """A decision as `answer` tells it."""
    return Decision(told["triage"], tuple(told["values"]))


def _told(decision: Decision) -> dict[str, Any]:
    return {"triage": decision.triage, "values": list(decision.values)}


def _ruling(asked: Asked, by: str, now: int) -> Ruling:
    verdict, status = _text(asked, "verdict"), _text(asked, "status")
    if status and status not in STATUSES:
        raise OptionError(f"status={status[:60]} is not one of {', '.join(STATUSES)}")
    of_findings = _text(asked, "decide") != "value"
    if verdict not in VERDICTS and not (of_findings and verdict == NO_VERDICT and (status or _text(asked, "owner"))):
        raise OptionError(f"verdict={verdict[:60]} is not one of {', '.join(VERDICTS)}")
    return Ruling(verdict, by, now, _text(asked, "comment"), status, _text(asked, "owner"))


def _ids(asked: Asked) -> list[str]:
    wanted = asked.get("findings")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise OptionError("findings is not a list of ids")
    return wanted


def _acknowledge(service: Service, asked: Asked, by: str, now: int) -> list[dict[str, Any]]:
    """Closes the breakers of a detection that are open, at `until`, which lies in no future."""
    detection, until = get(_text(asked, "detection")), asked.get("until")
    if isinstance(until, bool) or not isinstance(until, int):
        raise OptionError("until is no time in epoch seconds")
    stores = {source: BreakerCollection(service, detection.id, source) for source in detection.sources}
    states = {source: store.load() for source, store in stores.items()}
    opened = [(source, state, last) for source, state in states.items() if (last := state.open) is not None]
    if not opened:
        raise OptionError(f"the breaker of {detection.id} is not open; there is nothing to acknowledge")
    rows = []
    for source, state, opening in opened:
        said = state.acknowledge(min(until, now), by, _text(asked, "comment"))
        stores[source].acknowledge(state, said)
        rows.append(
            {
                "detection": detection.id,
                "source": source,
                "opened": time_text(opening.time),
                "acknowledged": time_text(said.time),
                "resumes": time_text(said.resumes),
                "acknowledged_by": said.by,
                "comment": said.comment,
            }
        )
    return rows


def _text(asked: Asked, name: str) -> str:
    given = asked.get(name, "")
    if not isinstance(given, str) or len(given) > LONGEST:
        raise OptionError(f"{name} is not a text of at most {LONGEST} characters")
    return given


def may_decide(roles: Sequence[str], imported: Mapping[str, Sequence[str]]) -> bool:
    """Whether somebody with these roles may; `imported` says of each role which it imports."""
    return not DECIDERS.isdisjoint(with_imported(roles, imported))


def refusal(error: CbaError) -> dict[str, Any]:
    """An error in the form in which splunkd answers."""
    return {"messages": [{"type": "ERROR", "text": str(error)}]}
