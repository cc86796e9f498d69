"""The app's own library, fed with the demo's normalised events, finds every hidden attack and nothing unlabelled."""

from __future__ import annotations

import datetime
import json
from typing import Any, Iterable

from cba.detection.catalogue import get
from cba.terms import ABSENT
from demo import Organization, benign_surprises, decoys, events, hidden_attacks, lists
from demo.report import compare
from lab.events import Event
from tests.support.oracle import normalise, quarantined
from tests.support.pipeline import Pipeline, Seen

DETECTION = "cloud_unusual_country"


AT_HOME = {
    "identity_type": "compute",
    "workload": "i-0cafe0cafe0cafe00",
    "home_hint": "eu-west-1",
    "region": "eu-west-1",
}
"""What an event says of a workload whose home is known."""


def seen(logs: Iterable[Event]) -> list[Seen]:
    found = []
    for number, log in enumerate(logs):
        call = normalise(log)
        if call is None:
            continue
        fields = {
            "source_kind": call.source,
            "project": call.project,
            "identity": call.identity,
            "access_key": call.access_key,
            "country": ABSENT if call.country == "-" else call.country,
            **(AT_HOME if call.at_home else {}),
        }
        found.append(Seen(int(call.time), str(number), fields))
    return found


def iso(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def test_library_finds_what_is_hidden() -> None:
    organization = Organization(events_per_day=500)
    logs = list(events(organization))
    quarantine = [
        {"identity": identity, "policy": "AWSCompromisedKeyQuarantineV2", "since": str(int(since) + 1)}
        for identity, since in quarantined(logs).items()
    ]
    pipeline = Pipeline(get(DETECTION), lists={**lists.all_rows(organization), "quarantined": quarantine})
    pipeline.search(seen(logs))
    findings: list[dict[str, Any]] = [
        {**f, "key": json.loads(f["key"]), "first_time": iso(f["first_time"]), "last_time": iso(f["last_time"])}
        for f in pipeline.found()
    ]
    attacks = [attack for attack in hidden_attacks(organization) if attack.detection == DETECTION]
    outcome = compare(findings, attacks, benign_surprises(organization), decoys(organization))
    assert (outcome.missed, outcome.other_variation, outcome.decoys, outcome.unexplained) == ([], [], [], [])
    for attack, about in outcome.attacks.items():
        assert [(f["variation"], f["severity"]) for f in about] == [
            (attack.variation, attack.severity)
        ] * attack.findings
