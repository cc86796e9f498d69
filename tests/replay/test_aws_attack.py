"""Real input: an hour of a real attack run in AWS, laid over a month of a generated organization.

The operators' addresses were made private before publication, so nothing of where it came from may be raised: an address
without a country is never unusual, and the account is too young to be judged by itself. What was done in it needs no
history: functions (test_functions_and_roles.py), secrets that nobody has read before, machines where none were, and two
who had never been at the console.
"""

from __future__ import annotations

import collections
import datetime
from pathlib import Path
from typing import Any

from cba.terms import SOURCES
from demo import Organization, events
from lab.ingest import Problem, read_events
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import judges

LOG = "aws/cloudtrail_invictus_stratus_2023-07-10.jsonl"
ACCOUNT = "123837392027"


def test_every_event_normalises_and_private_addresses_raise_nothing(shared: Any, tmp_path: Path) -> None:
    problems: list[Problem] = []
    attack = list(read_events("aws", [shared(LOG)], on_problem=problems.append))
    assert (len(attack), problems) == (2900, [])
    history = Organization(days=31, start=datetime.date(2023, 6, 9), events_per_day=600)
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add(events(history, attacks=False))
        head.events.add(attack)
        findings = replay(head, "1d", enable=judges(*SOURCES))
        rows = head.search(
            f"search `cba_events_aws` | search project={ACCOUNT} "
            "| stats count count(identity) AS identity count(operation) AS operation dc(event_id) AS event_id "
            "count(day) AS day count(identity_type) AS identity_type"
        ).rows
        public = head.search(
            f"search `cba_events_aws` | search project={ACCOUNT} | stats count BY src_ip | cbageo ip=src_ip "
            '| where country!="" | sort 0 src_ip | table src_ip country cloud_provider cloud_region'
        ).rows
    assert {name: int(float(str(value))) for name, value in rows[0].items()} == dict.fromkeys(
        ("count", "identity", "operation", "event_id", "day", "identity_type"), 2900
    )
    assert public == [
        {"src_ip": address, "country": "US", "cloud_provider": "aws", "cloud_region": "us-east-1"}
        for address in ("3.225.16.109", "52.45.102.28")
    ], "the public addresses, of two of its own instances"
    of_account = [finding for finding in findings if finding["project"] == ACCOUNT]
    raised = collections.Counter((f["detection"], f["variation"], f["identity"].split("/")[-1]) for f in of_account)
    assert raised == {
        ("serverless_execution_iaas", "v1", "bert-jan"): 2,
        ("compute_activity_dormant_region", "v2", "bert-jan"): 1,
        ("unusual_secret_management", "base", "bert-jan"): 11,
        ("aws_console_first_login", "base", "bert-jan"): 1,
        ("aws_console_first_login", "base", "stratus-red-team-nmfalu-gfjyeaypjt"): 1,
    }
    assert findings, "the month before it raised what its people did for the first time"
