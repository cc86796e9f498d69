"""Why somebody deserves a closer look, and since when."""

from __future__ import annotations

import pytest

from cba.enrich.watch import watch
from cba.lists.match import ListTables

NOON = 1_767_225_600
USER = "arn:aws:iam::111122223333:user/ann"
LISTS = ListTables(
    {
        "watch_list": [{"identity": "Greg@example.com", "reason": "under notice"}, {"identity": "ann"}],
        "compromised_keys": [
            {"access_key": "AKIAALWAYS", "reason": "in a stealer log"},
            {"access_key": "AKIALATER", "since": str(NOON)},
        ],
        "quarantined": [
            {"identity": USER, "policy": "AWSCompromisedKeyQuarantineV3", "since": NOON + 500},
            {"identity": USER, "policy": "AWSCompromisedKeyQuarantineV2", "since": NOON},
            {"identity": USER + "-Bob@Example.com", "policy": "AWSCompromisedKeyQuarantineV2", "since": NOON},
        ],
    }
)


@pytest.mark.parametrize(
    ("cells", "time", "reasons"),
    [
        ({}, NOON, {}),
        ({"identity": "nobody@example.com", "access_key": "AKIAX"}, NOON, {}),
        ({"identity": "greg@example.com"}, NOON, {"watch_reason": "under notice"}),
        ({"identity": "ann"}, NOON, {"watch_reason": "on the watch list"}),
        ({"access_key": "AKIAALWAYS"}, 1, {"compromised_reason": "in a stealer log"}),
        ({"access_key": "AKIALATER"}, NOON - 1, {}),
        ({"access_key": "AKIALATER"}, NOON, {"compromised_reason": "on the list of compromised keys"}),
        ({"identity": USER}, NOON - 1, {}),
        ({"identity": USER}, NOON, {"compromised_reason": "AWS attached AWSCompromisedKeyQuarantineV2"}),
        ({"identity": USER.replace("ann", "team/x/ann")}, NOON, {"compromised_reason": "AWS attached AWSCompromisedKeyQuarantineV2"}),
        ({"identity": USER.replace("ann", "team/x/Ann")}, NOON, {"compromised_reason": "AWS attached AWSCompromisedKeyQuarantineV2"}),
        ({"identity": USER.replace("arn:aws:", "arn:aws-us-gov:")}, NOON, {"compromised_reason": "AWS attached AWSCompromisedKeyQuarantineV2"}),
        ({"identity": USER.replace("ann", "ann/other")}, NOON, {}),
        ({"identity": USER.replace("111122223333", "999999999999")}, NOON, {}),
        ({"identity": "ann"}, NOON, {"watch_reason": "on the watch list"}),
        ({"identity": (USER + "-Bob@Example.com").lower()}, NOON, {"compromised_reason": "AWS attached AWSCompromisedKeyQuarantineV2"}),
        ({"identity": USER, "access_key": "AKIAALWAYS"}, NOON, {"compromised_reason": "in a stealer log"}),
        ({"identity": USER.replace("user", "role")}, NOON, {}),
    ],
)  # fmt: skip
def test_reasons(cells: dict[str, str], time: int, reasons: dict[str, str]) -> None:
    assert watch(cells, LISTS, time) == reasons
