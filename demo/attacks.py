"""What is hidden in the demo's logs: attacks with the truth about each, decoys that must stay silent, and the benign
surprises that any "first time from this country" alert rightly reports.

Days are numbered from 0; a detection compares with the 30 days before, so everything here happens after day 30. Each
attack's `why` says which history makes its variation the right one; the tests prove it from the generated events.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Sequence

from .accounts import PROD
from .formats import aws
from .harmless import DECOYS, SURPRISES
from .stories import ATTACKS, QUARANTINE, Step, Story

if TYPE_CHECKING:
    from .organization import Organization

DETECTION = "cloud_unusual_country"
_CALL = "executed an API call from"
VARIATIONS: dict[str, tuple[str, str]] = {
    "base": (f"A cloud identity {_CALL} an unusual country", "informational"),
    "1": (f"A Kubernetes identity {_CALL} a country that was not seen in the organization", "medium"),
    "2": (f"A cloud identity {_CALL} a country that was not seen in the organization", "medium"),
    "3": (f"A cloud identity {_CALL} an unusual country", "informational"),
    "4": ("A Kubernetes API call was executed from an unusual country", "low"),
    "5": ("A cloud API call was executed from an unusual country", "low"),
    "6": (f"A suspicious cloud identity {_CALL} an unusual country", "medium"),
    "7": (f"A cloud identity {_CALL} an unusual country using a compromised AWS access key", "high"),
}
"""Variation -> (name, severity), as reference C of the detections gives them."""


@dataclasses.dataclass(frozen=True)
class Truth:
    """Something that happened: who, from where, when (epoch seconds, first and last event)."""

    id: str
    title: str
    identity: str
    country: str
    source: str
    project: str
    first_time: float
    last_time: float
    why: str


@dataclasses.dataclass(frozen=True)
class HiddenAttack(Truth):
    """An attack and the finding it must raise; `findings` is how many (one per deduplication period)."""

    variation: str
    name: str
    severity: str
    findings: int = 1


@dataclasses.dataclass(frozen=True)
class BenignSurprise(Truth):
    """Harmless, and yet truly the first time from there: alerts about it are expected and counted as "other".

    `variation` of the first finding; there may be one finding a day until the country is established.
    """

    variation: str


@dataclasses.dataclass(frozen=True)
class Decoy(Truth):
    """Looks unusual and must raise nothing. `country` is what a geo database says of the address (`-`: nothing)."""


def hidden_attacks(organization: Organization) -> list[HiddenAttack]:
    """The attacks within the organization's days, in order of time."""
    made = []
    for story in _happening(organization, ATTACKS):
        name, severity = VARIATIONS[story.variation]
        nights = {step.day for step in story.steps if step.day < organization.days}
        made.append(
            HiddenAttack(
                **_truth(organization, story),
                variation=story.variation,
                name=name,
                severity=severity,
                findings=min(story.findings, len(nights)),
            )
        )
    return sorted(made, key=lambda attack: attack.first_time)


def benign_surprises(organization: Organization) -> list[BenignSurprise]:
    """The harmless firsts within the organization's days, in order of time."""
    made = [
        BenignSurprise(**_truth(organization, story), variation=story.variation)
        for story in _happening(organization, SURPRISES)
    ]
    return sorted(made, key=lambda surprise: surprise.first_time)


def decoys(organization: Organization) -> list[Decoy]:
    """What must stay silent, in order of time."""
    made = [Decoy(**_truth(organization, story)) for story in _happening(organization, DECOYS)]
    return sorted(made, key=lambda decoy: decoy.first_time)


def story_steps(organization: Organization, attacks: bool = True) -> list[Step]:
    """The single events that the stories add to the organization's routine; without the attacks' if so wished."""
    stories = (*ATTACKS, *SURPRISES, *DECOYS) if attacks else (*SURPRISES, *DECOYS)
    told = [step for story in stories for step in story.steps]
    return [step for step in (*told, *(QUARANTINE if attacks else ())) if step.day < organization.days]


def compromised_access_key() -> str:
    """The key of `known-bad-key`."""
    return aws.access_key(f"arn:aws:iam::{PROD}:user/legacy-reporting")


def _happening(organization: Organization, stories: Sequence[Story]) -> list[Story]:
    return [story for story in stories if story.span()[0][0] < organization.days]


def _truth(organization: Organization, story: Story) -> dict[str, Any]:
    account = organization.accounts[story.account]
    (first_day, first_clock), (last_day, last_clock) = story.span()
    last = organization.time(last_day, last_clock)
    return {
        "id": story.id,
        "title": story.title,
        "identity": account.identity,
        "country": story.country,
        "source": account.source,
        "project": account.project,
        "first_time": organization.time(first_day, first_clock),
        "last_time": min(last, organization.last_time),
        "why": story.why,
    }
