"""The sentence an analyst reads first: what was new, to whom, compared with what."""

from __future__ import annotations

from typing import Iterator, Sequence

from ..history.days import date_text
from ..history.evidence import ORGANIZATION, Evidence, ScopeEvidence


def explain(evidence: Evidence, order: Sequence[str], training: int) -> str:
    """One sentence per dimension; every number in it is in the evidence."""
    return " ".join(_dimension(evidence, dimension, order, training) for dimension in evidence.compared(order))


def _dimension(evidence: Evidence, dimension: str, order: Sequence[str], training: int) -> str:
    parts = _scopes(evidence, dimension, order, training)
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
    more = f" and {found.seen - len(found.known)} more" if found.seen > len(found.known) else ""
    word = "always" if found.seen == 1 else "usually"
    return f"active on {_days(found.active_days)}, {word} {', '.join(found.known)}{more}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
