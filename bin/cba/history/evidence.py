"""What the histories say about one row: the evidence that conditions, score and explanation are made from.

Evidence is data and nothing else: it travels between the commands as JSON and is kept with each finding.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from ..terms import PLACES, PRIVATE
from .days import DaySet
from .history import BENIGN, History, ScopeView

KNOWN_SHOWN = 12
HOME = "home"
"""Where a workload is at home, as the evidence of those whom nobody is trained to be compared with: the widest scope of
all, known without a history."""


class ScopeEvidence(NamedTuple):
    """One scope and dimension, as it stood before the event's day.

    `entity` who was asked; `trained` whether there is something to compare with; `new` whether the event's value is
    not established; `seen` number of established values (`known`: the most usual of them, of a thing beside the scopes
    all of the training period); `days`, `first`, `last` the event's value in the training period, ever, and before;
    `active_days`, `since` the entity itself;
    `weight`, `total`, `choices` the decayed day counts of the value, of all values, and how many values there are;
    `arrivals` the decayed rate of new values; `training_days` on how many days of the training period the entity was
    active, `familiar` whether its own days, whatever the values, would make a value established; `verdict` what an
    analyst has said of the value for this scope or a wider one, which answers `new` whether trained or not.
    """

    entity: str
    trained: bool
    new: bool
    seen: int
    days: int
    first: Optional[int]
    last: Optional[int]
    active_days: int
    since: Optional[int]
    known: tuple[str, ...]
    weight: float
    total: float
    choices: int
    arrivals: float
    training_days: int = 0
    familiar: bool = False
    verdict: str = ""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """All that scoring knows of a row: `scopes[scope][dimension]`, whether the source is active on `day`, and how many
    days before it count (`training`)."""

    day: int
    source: str
    active: bool
    values: Mapping[str, str]
    scopes: Mapping[str, Mapping[str, ScopeEvidence]]
    training: int = 30

    def asked(self, scope: str, dimension: str, order: Sequence[str]) -> Optional[ScopeEvidence]:
        """The first trained or judged scope from `scope` outwards along `order`, at last what is known of a workload's
        home; None when there is nobody.

        A thing beside the order (a resource) has nobody to pass the question to: it answers itself.
        """
        if scope not in order:
            return self.scopes.get(scope, {}).get(dimension)
        for name in order[order.index(scope) :]:
            found = self.scopes.get(name, {}).get(dimension)
            if found is not None and (found.trained or found.verdict):
                return found
        return self.scopes.get(HOME, {}).get(dimension)

    def compared(self, order: Sequence[str]) -> list[str]:
        """The dimensions in which the row is compared with others: those observed up to the widest scope.

        A dimension that only a narrower scope observes is that scope's own record (an identity's function writes).
        """
        widest = self.scopes.get(order[-1], {})
        return [dimension for dimension in self.values if dimension in widest]

    def answerable(self, order: Sequence[str], optional: Sequence[str] = ()) -> bool:
        """Whether there is a trained scope to compare with, for every compared dimension that is not `optional`, and
        for one at least of those that are: what nobody is trained in is not new, and says nothing."""
        asked = {name: self.asked(order[0], name, order) is not None for name in self.compared(order)}
        return all(asked[name] for name in asked if name not in optional) and (not asked or any(asked.values()))

    def to_json(self) -> str:
        """Compact JSON; equal evidence gives equal text."""
        return json.dumps(
            {
                "day": self.day,
                "source": self.source,
                "active": self.active,
                "values": dict(self.values),
                "training": self.training,
                "scopes": {
                    scope: {dimension: found._asdict() for dimension, found in dimensions.items()}
                    for scope, dimensions in self.scopes.items()
                },
            },
            separators=(",", ":"),
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The inverse of `to_json`. Raises ValueError when the text is not evidence."""
        try:
            data: dict[str, Any] = json.loads(text)
            scopes = {
                scope: {
                    dimension: ScopeEvidence(**{**found, "known": tuple(found["known"])})
                    for dimension, found in dimensions.items()
                }
                for scope, dimensions in data["scopes"].items()
            }
            return cls(data["day"], data["source"], data["active"], data["values"], scopes, data["training"])
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not evidence of cbabaseline ({error})") from error


def scope_evidence(
    entity: str, history: History, seen: ScopeView, value: str, verdict: str = "", dimension: str = ""
) -> ScopeEvidence:
    """The evidence about `value` given a scope's view of its history (`history` only for the value's own days).

    `verdict` is what holds for the value here, said of this scope or of a wider one. In a `dimension` of places,
    inside is never new, and does not count among the values that somebody is known with.
    """
    days: Optional[DaySet] = history.values.get(value)
    last = days.last_before(seen.day) if days is not None else None
    first = days.first if days is not None and days.first < seen.day else None
    known_inside = dimension in PLACES and PRIVATE in seen.established
    if verdict:
        new = verdict != BENIGN
    else:
        new = value not in seen.established and not seen.crowded and not _is_inside(dimension, value)
    return ScopeEvidence(
        entity=entity,
        trained=seen.trained,
        new=new,
        seen=len(seen.established) - known_inside,
        days=days.days_seen(seen.day - seen.training, seen.day - 1) if days is not None else 0,
        first=first,
        last=last,
        active_days=seen.active_days,
        since=seen.since,
        known=_shown(seen.known, dimension)[:KNOWN_SHOWN],
        weight=round(seen.weights.get(value, 0.0), 3),
        total=seen.total_weight,
        choices=seen.choices,
        arrivals=round(seen.new_values_rate, 3),
        training_days=seen.training_days,
        familiar=seen.familiar,
        verdict=verdict,
    )


def _is_inside(dimension: str, value: str) -> bool:
    """Whether a value says that somebody came from inside, which is never new."""
    return dimension in PLACES and value == PRIVATE


def home_evidence(region: str, value: str, known: tuple[str, ...], dimension: str = "") -> ScopeEvidence:
    """The evidence about `value` for a workload that is at home in `region`, where these values are usual."""
    new = value not in known and not _is_inside(dimension, value)
    return ScopeEvidence(
        entity=region, trained=True, new=new, seen=len(known), known=known,
        choices=len(known), days=0, first=None, last=None, active_days=0, since=None, weight=0.0, total=0.0,
        arrivals=0.0,
    )  # fmt: skip


def _shown(known: tuple[str, ...], dimension: str) -> tuple[str, ...]:
    """The known values as they are shown: inside after the places that somebody is known with."""
    if dimension not in PLACES or PRIVATE not in known:
        return known
    places = [value for value in known if value != PRIVATE]
    return (*places[: KNOWN_SHOWN - 1], PRIVATE)
