"""A small story in raw CloudTrail: two accounts at work for five weeks, and what happens on the day before `now`.

Account A works from the Netherlands (ada) and Germany (bob), account B from the United States (cleo). Yesterday ada
calls from Russia, where nobody has ever been; cleo from Germany, which only account A knows; bob from the Netherlands,
which is new to him but not to his account; and ada from the Netherlands as ever.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Optional

from demo import addresses
from lab.events import Event

DAY = 86_400
DAYS = 35
ACCOUNTS = {"ada": "111111111111", "bob": "111111111111", "cleo": "222222222222"}
HOMES = {"ada": "NL", "bob": "DE", "cleo": "US"}
YESTERDAY = (("ada", "NL", 9), ("ada", "RU", 10), ("bob", "NL", 11), ("cleo", "DE", 12))
"""(who, from where, hour)"""

RAISED = {("ada", "RU"): "v2", ("bob", "NL"): "v3", ("cleo", "DE"): "v5"}
"""The variation of `cloud_unusual_country` that each surprise is."""


def arn(who: str) -> str:
    return f"arn:aws:iam::{ACCOUNTS[who]}:user/{who}"


def events(now: float, index: str, source: str) -> Iterator[Event]:
    """The story's events, all of one `source`."""
    today = int(now // DAY) * DAY
    for day in range(DAYS, 1, -1):
        for who, country in HOMES.items():
            yield call(who, country, today - day * DAY + 12 * 3600, index, source)
    for who, country, hour in YESTERDAY:
        yield call(who, country, today - DAY + hour * 3600, index, source)


def call(who: str, country: str, time: int, index: str, source: str, indexed: Optional[int] = None) -> Event:
    """Somebody's call from a country; `indexed` is when it arrived, if not at once."""
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{who.upper():A<17}",
            "arn": arn(who),
            "accountId": ACCOUNTS[who],
            "accessKeyId": f"AKIA{who.upper():A<16}",
            "userName": who,
        },
        "eventTime": datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": addresses.pick(addresses.INTERNET[country][0], who),
        "userAgent": "aws-cli/2.22.0",
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source}/{who}/{country}/{time}")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNTS[who],
        "eventCategory": "Management",
    }
    return Event(
        time, time if indexed is None else indexed, index, "aws:cloudtrail", source, "cloudtrail", json.dumps(record)
    )
