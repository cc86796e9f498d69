"""The app's own library, fed with the demo's normalised events, finds every hidden attack and nothing unlabelled."""

from __future__ import annotations

import datetime
import json
from typing import Any

from cba.detection.catalogue import get
from demo import Organization, benign_surprises, decoys, events, hidden_attacks, lists
from demo.report import compare
from tests.support.oracle import normalise, quarantined
from tests.support.pipeline import Pipeline, Seen

DETECTION = "cloud_unusual_country"


def seen(organization: Organization) -> list[Seen]:
    logs = list(events(organization))
    watched = {row["identity"]: row["reason"] for row in lists.watch_list(organization)}
    keys = {row["access_key"]: row["reason"] for row in lists.compromised_keys()}
    since = quarantined(logs)
    found = []
    for number, log in enumerate(logs):
        call = normalise(log)
        if call is None:
            continue
        fields = {
            "source_kind": call.source,
            "project": call.project,
            "identity": call.identity,
            "country": call.country,
            "watch_reason": watched.get(call.identity, "-"),
            "compromised_reason": keys.get(call.access_key, "-"),
        }
        if since.get(call.identity, call.time) < call.time:
            fields["compromised_reason"] = "quarantined by AWS"
        found.append(Seen(int(call.time), str(number), fields))
    return found


def iso(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def test_library_finds_what_is_hidden() -> None:
    organization = Organization(events_per_day=500)
    pipeline = Pipeline(get(DETECTION))
    pipeline.search(seen(organization))
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
