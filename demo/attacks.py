"""What is hidden in the demo's logs: attacks with the truth about each, decoys that must stay silent, and the benign
surprises that any "first time" alert rightly reports. The stories of `stories/`, laid over the organization's calendar.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Iterator, Sequence

from cba.detection.catalogue import get
from cba.terms import ABSENT

from .accounts import PROD
from .formats import aws
from .stories import ATTACKS, DECOYS, SURPRISES
from .story import ANY, Alert, Step, Story

if TYPE_CHECKING:
    from .organization import Organization


@dataclasses.dataclass(frozen=True)
class Truth:
    """An alert that a story is about: what happened, the detection and its deduplication key as a finding has it, and
    when (epoch seconds, first and last event). Several may belong to one story (`id`)."""

    id: str
    title: str
    why: str
    detection: str
    key: tuple[str, ...]
    variation: str
    source: str
    project: str
    identity: str
    first_time: float
    last_time: float

    @property
    def about(self) -> str:
        """The deduplication key in one line."""
        return " ".join(part for part in self.key if part not in (ANY, ABSENT))


@dataclasses.dataclass(frozen=True)
class HiddenAttack(Truth):
    """A finding that an attack must raise; `findings` is how many (one per deduplication period)."""

    name: str
    severity: str
    findings: int = 1


@dataclasses.dataclass(frozen=True)
class BenignSurprise(Truth):
    """Harmless, and yet truly a first time: alerts about it are expected and counted as "other".

    `variation` of the first finding; there may be one finding per deduplication period until the value is established.
    """


@dataclasses.dataclass(frozen=True)
class Decoy(Truth):
    """Looks unusual and must raise nothing; it has no variation."""


def hidden_attacks(organization: Organization) -> list[HiddenAttack]:
    """The alerts that the attacks within the organization's days must raise, in order of time."""
    made = []
    for story, alert in _alerts(organization, ATTACKS):
        variation = get(alert.detection).variation(alert.variation)
        days = {step.day for step in story.steps if step.day < organization.days}
        made.append(
            HiddenAttack(
                **_truth(organization, story, alert),
                name=variation.name,
                severity=variation.severity,
                findings=min(alert.findings, len(days)),
            )
        )
    return sorted(made, key=lambda attack: attack.first_time)


def benign_surprises(organization: Organization) -> list[BenignSurprise]:
    """The harmless firsts within the organization's days, in order of time."""
    made = [BenignSurprise(**_truth(organization, *told)) for told in _alerts(organization, SURPRISES)]
    return sorted(made, key=lambda surprise: surprise.first_time)


def decoys(organization: Organization) -> list[Decoy]:
    """What must stay silent, in order of time."""
    made = [Decoy(**_truth(organization, *told)) for told in _alerts(organization, DECOYS)]
    return sorted(made, key=lambda decoy: decoy.first_time)


def story_steps(organization: Organization, attacks: bool = True) -> list[Step]:
    """The single events that the stories add to the organization's routine; without the attacks' if so wished."""
    stories = (*ATTACKS, *SURPRISES, *DECOYS) if attacks else (*SURPRISES, *DECOYS)
    steps = [step for story in stories for step in (*story.before, *story.steps)]
    return [step for step in steps if step.day < organization.days]


def compromised_access_key() -> str:
    """The key of `known-bad-key`."""
    return aws.access_key(f"arn:aws:iam::{PROD}:user/legacy-reporting")


def _alerts(organization: Organization, stories: Sequence[Story]) -> Iterator[tuple[Story, Alert]]:
    for story in stories:
        if story.span()[0][0] < organization.days:
            for alert in story.alerts:
                yield story, alert


def _truth(organization: Organization, story: Story, alert: Alert) -> dict[str, Any]:
    account = organization.accounts[story.account]
    (first_day, first_clock), (last_day, last_clock) = story.span()
    last = organization.time(last_day, last_clock)
    known = {"identity": account.identity, "project": account.project, **alert.what}
    return {
        "id": story.id,
        "title": story.title,
        "why": story.why,
        "detection": alert.detection,
        "key": tuple(known[field] for field in get(alert.detection).deduplicate_by),
        "variation": alert.variation,
        "source": account.source,
        "project": account.project,
        "identity": account.identity,
        "first_time": organization.time(first_day, first_clock),
        "last_time": min(last, organization.last_time),
    }
