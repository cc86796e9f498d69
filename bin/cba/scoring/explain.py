"""The sentence an analyst reads first: what was new, to whom, compared with what."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ..detection.model import PLACE
from ..history.days import date_text
from ..history.evidence import ORGANIZATION, Evidence, ScopeEvidence
from ..history.history import CROWD

SHOWN = 5


def explain(evidence: Evidence, order: Sequence[str], remarks: Sequence[str], fields: Mapping[str, str]) -> str:
    """The detection's remarks on the row's `fields`, one sentence per dimension, and one per thing observed beside the
    scopes of `order`; every number in them is in the evidence."""
    said = [filled for remark in remarks if (filled := _remark(remark, fields))]
    said += [_dimension(evidence, dimension, order, evidence.training) for dimension in evidence.compared(order)]
    for scope in evidence.scopes:
        if scope not in order:
            said += [_thing(scope, name, found, evidence.training) for name, found in evidence.scopes[scope].items()]
    return " ".join(said)


def _remark(remark: str, fields: Mapping[str, str]) -> str:
    """The remark with its fields filled in; "" when one of them is absent."""
    if any(fields.get(name, "") in ("", "-") for name in PLACE.findall(remark)):
        return ""
    return PLACE.sub(lambda place: fields[place.group(1)], remark)


def _thing(scope: str, dimension: str, found: ScopeEvidence, training: int) -> str:
    about = f"{scope.capitalize()} {found.entity}"
    if not found.choices:
        return f"{about}: no {dimension} in the {training} days before."
    count = f"{found.choices} {dimension}{'' if found.choices == 1 else 's'}"
    more = "at least " if CROWD in found.known else ""
    names = ", ".join([name for name in found.known if name != CROWD][:SHOWN])
    shown = f" ({names})" if names else ""
    return f"{about}: {more}{count}{shown} on {found.training_days} of the {training} days before."


def _dimension(evidence: Evidence, dimension: str, order: Sequence[str], training: int) -> str:
    parts = _scopes(evidence, dimension, order, evidence.training)
    return f"{dimension.capitalize()} {evidence.values[dimension]}: {'; '.join(parts)}."


def _scopes(evidence: Evidence, dimension: str, order: Sequence[str], training: int) -> Iterator[str]:
    for scope in order:
        found = evidence.scopes.get(scope, {}).get(dimension)
        if found is not None:
            yield _scope(scope, found, training)


def _scope(scope: str, found: ScopeEvidence, training: int) -> str:
    who = "the organization" if scope == ORGANIZATION else f"{scope} {found.entity}"
    if found.verdict:
        return f"judged {found.verdict} for {who} by an analyst"
    if not found.active_days:
        return f"{who} has no history yet"
    if not found.trained:
        since = f", known since {date_text(found.since)}" if found.since is not None else ""
        return f"{who} is too young to judge (active on {_days(found.active_days)}{since})"
    if found.new and found.days == 0:
        seen = _never(found, training)
    elif found.new:
        seen = f"seen by {who} on only {found.days} of the last {training} days, not yet established"
        return f"{seen} ({_usual(found)})"
    else:
        return f"known to {who}, seen on {found.days} of the last {training} days"
    return f"{seen} for {who} ({_usual(found)})"


def _never(found: ScopeEvidence, training: int) -> str:
    if found.last is not None:
        return f"first time in {training} days (last seen {date_text(found.last)})"
    return f"first time in {training} days"


def _usual(found: ScopeEvidence) -> str:
    shown = found.known[:SHOWN]
    more = f" and {found.seen - len(shown)} more" if found.seen > len(shown) else ""
    word = "always" if found.seen == 1 else "usually"
    return f"active on {_days(found.active_days)}, {word} {', '.join(shown)}{more}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
