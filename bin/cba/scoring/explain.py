"""The sentences an analyst reads first: what was new, to whom, compared with what.

They are made from what decided: the results of the conditions say which questions were answered how, and carry the
evidence from which they were. What is new comes first; then what the row says of itself; then what is known.
"""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..detection.condition import Call, Result, decided_by
from ..detection.model import PLACE, Detection
from ..history.evidence import HOME, Evidence, ScopeEvidence
from ..history.history import CROWD
from ..terms import ABSENT, ORGANIZATION, PRIVATE, date_text
from .names import named

SHOWN = 5


class Subject(NamedTuple):
    """What a sentence is about: a dimension in which somebody is compared with wider scopes (`scope` is ""), or the
    record of one scope alone."""

    scope: str
    dimension: str


def explain(detection: Detection, evidence: Evidence, fields: Mapping[str, str], reasons: Iterable[Result]) -> str:
    """What there is to say of a row with that evidence and those `fields`, when these results decided."""
    order = detection.scopes
    compared = evidence.compared(order)
    new: dict[Subject, None] = {}
    decided: dict[Subject, None] = {}
    for result in _questions(reasons):
        subject = _subject(result, order, compared)
        decided[subject] = None
        if result.seen is not None and result.seen.new:
            new[subject] = None
    beside = {scope: found for scope, found in evidence.scopes.items() if scope not in (*order, HOME)}
    things = [Subject(scope, name) for scope, found in beside.items() for name in found]
    rest = [*(Subject("", name) for name in compared), *things, *(each for each in decided if each.scope in order)]
    remarks = [filled for remark in detection.remarks if (filled := _remark(remark, fields))]
    said = [_sentence(each, evidence, order) for each in new]
    said += remarks
    said += [_sentence(each, evidence, order) for each in dict.fromkeys(rest) if each not in new]
    return " ".join(said)


def _questions(reasons: Iterable[Result]) -> Iterator[Result]:
    """The questions to histories that decided, and were answered from somebody's evidence."""
    for reason in reasons:
        for result in decided_by(reason):
            if result.seen is not None:
                yield result


def _subject(result: Result, order: Sequence[str], compared: Sequence[str]) -> Subject:
    assert isinstance(result.node, Call)
    scope, dimension = result.node.argument("scope"), result.node.argument("dimension")
    return Subject("" if scope in order and dimension in compared else scope, dimension)


def _remark(remark: str, fields: Mapping[str, str]) -> str:
    """The remark with its fields filled in; "" when one of them is absent."""
    if any(fields.get(name, ABSENT) == ABSENT for name in PLACE.findall(remark)):
        return ""
    return PLACE.sub(lambda place: fields[place.group(1)], remark)


def _sentence(about: Subject, evidence: Evidence, order: Sequence[str]) -> str:
    if not about.scope:
        return _compared(evidence, about.dimension, order)
    found = evidence.scopes[about.scope][about.dimension]
    if about.scope in order:
        return _record(about, found, evidence.training)
    return _thing(about.scope, about.dimension, found, evidence.training)


def _record(about: Subject, found: ScopeEvidence, training: int) -> str:
    """What a scope has done itself, where nobody else is compared with it."""
    what = _words(about.dimension)
    return f"{about.scope.capitalize()} {found.entity}: {what} on {found.days} of the {training} days before."


def _words(dimension: str) -> str:
    return "network" if dimension == "asn" else dimension.replace("_", " ")


def _thing(scope: str, dimension: str, found: ScopeEvidence, training: int) -> str:
    about = f"{scope.capitalize()} {found.entity}"
    if not found.choices:
        return f"{about}: no {dimension} in the {training} days before."
    count = f"{found.choices} {dimension}{'' if found.choices == 1 else 's'}"
    more = "at least " if CROWD in found.known else ""
    names = ", ".join([name for name in found.known if name != CROWD][:SHOWN])
    shown = f" ({names})" if names else ""
    return f"{about}: {more}{count}{shown} on {found.training_days} of the {training} days before."


def _compared(evidence: Evidence, dimension: str, order: Sequence[str]) -> str:
    value = named(dimension, evidence.values[dimension])
    said = _known_to_all(evidence, dimension, order) or "; ".join(_scopes(evidence, dimension, order))
    return f"{_words(dimension).capitalize()} {value}: {said}."


def _known_to_all(evidence: Evidence, dimension: str, order: Sequence[str]) -> str:
    """What everybody knows is said once, with the days of the narrowest scope; "" where somebody does not know it."""
    found = {scope: evidence.scopes[scope][dimension] for scope in order if dimension in evidence.scopes.get(scope, {})}
    if len(found) < 2 or any(each.verdict or not each.trained or each.new for each in found.values()):
        return ""
    *names, last = (_who(scope, each) for scope, each in found.items())
    days = next(iter(found.values())).days
    return f"known to {', '.join(names)} and {last}, seen on {days} of the last {evidence.training} days"


def _scopes(evidence: Evidence, dimension: str, order: Sequence[str]) -> Iterator[str]:
    for scope in order:
        found = evidence.scopes.get(scope, {}).get(dimension)
        if found is not None:
            yield _scope(scope, dimension, found, evidence.training)
    home = evidence.scopes.get(HOME, {}).get(dimension)
    if home is not None and evidence.asked(order[0], dimension, order) is home:
        yield _at_home(home, dimension)


def _at_home(found: ScopeEvidence, dimension: str) -> str:
    """What is usual where a workload is at home, which nobody has a history of."""
    known = ", ".join(named(dimension, name) for name in found.known)
    if dimension == "asn":
        return f"{'one' if found.known else 'none'} of the cloud's own networks"
    return f"the home region {found.entity} is in {known}"


def _who(scope: str, found: ScopeEvidence) -> str:
    return "the organization" if scope == ORGANIZATION else f"{scope} {found.entity}"


def _scope(scope: str, dimension: str, found: ScopeEvidence, training: int) -> str:
    who = _who(scope, found)
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
        return f"{seen} ({_usual(dimension, found)})"
    else:
        return f"known to {who}, seen on {found.days} of the last {training} days"
    return f"{seen} for {who} ({_usual(dimension, found)})"


def _never(found: ScopeEvidence, training: int) -> str:
    if found.last is not None:
        return f"first time in {training} days (last seen {date_text(found.last)})"
    return f"first time in {training} days"


def _usual(dimension: str, found: ScopeEvidence) -> str:
    """What is usual for a scope. The days are those of the training period, of which the sentence speaks."""
    places = [name for name in found.known if name != PRIVATE]
    shown = [named(dimension, name) for name in places[:SHOWN]]
    more = [f"{found.seen - len(shown)} more"] if found.seen > len(shown) else []
    inside = ["private addresses"] if len(places) < len(found.known) else []
    word = "always" if found.seen + len(inside) == 1 else "usually"
    *names, last = [", ".join(shown), *more, *inside] if shown else inside or [""]
    listed = f"{', '.join(names)} and {last}" if names else last
    return f"active on {found.training_days} of them, {word} {listed}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
