"""The search for users whom AWS has quarantined (`cba_quarantined_users`)."""

from __future__ import annotations

import json

from lab.conf import Stanza, load_app
from lab.events import Event, EventStore
from lab.spl.engine import Engine, TimeWindow
from lab.spl.searchtime import SearchTime
from tests.sources.conftest import APP, LATER, NOON


def test_quarantined_users_are_found_beside_the_addon() -> None:
    """The AWS add-on fills errorCode with "success" where CloudTrail has none."""
    attached = {
        "eventName": "AttachUserPolicy",
        "recipientAccountId": "123456789012",
        "requestParameters": {"userName": "ann", "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"},
    }
    failed = {
        **attached,
        "requestParameters": {**attached["requestParameters"], "userName": "bob"},
        "errorCode": "Denied",
    }  # type: ignore[dict-item]
    kind, events = "aws:cloudtrail", EventStore()
    events.add(Event(NOON, NOON, "main", kind, "s", "h", json.dumps(each)) for each in (attached, failed))
    addon = {"EVAL-errorCode": 'coalesce(errorCode, "success")', "FIELDALIAS-policy": "policyName AS policy"}
    for props in (None, SearchTime({kind: Stanza(kind, APP, addon)})):
        engine = Engine(load_app(APP), events, None, None, addons=props)
        rows = engine.search("`cba_quarantined_users`", TimeWindow(None, None, LATER)).rows
        assert [(row["identity"], row["policy"]) for row in rows] == [
            ("arn:aws:iam::123456789012:user/ann", "AWSCompromisedKeyQuarantineV3")
        ]
    events.close()
