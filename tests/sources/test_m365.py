"""Microsoft 365 unified audit log through `cba_events_m365`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]
Samples = Callable[[str], list[Row]]


def test_office_activity(shared_data: Path, normalise: Normalise) -> None:
    files = ["m365/goldensaml_OfficeActivityEvents.json", "m365/office_activity_obfuscated_msticnb.jsonl"]
    events = list(read_events("m365", [shared_data / file for file in files]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("m365", events)
    assert len(rows) == 301
    assert [row["identity"] for row in rows] == [event["UserId"].lower() for event in raw]
    assert [row["project"] for row in rows] == [event["OrganizationId"] for event in raw]
    assert [row["event_id"] for row in rows] == [event["OfficeId"] for event in raw]
    addresses = [event.get("ClientIP", event.get("Client_IPAddress")) for event in raw]
    assert [row.get("src_ip") for row in rows] == addresses
    # MipLabel is written by the system for the user.
    assert Counter(row.get("skip_reason") for row in rows) == {None: 210, "service": 90, "no address": 1}


def test_directory_samples(samples: Samples, normalise: Normalise) -> None:
    rows = normalise("m365", samples("Microsoft365.Audit.AzureActiveDirectory"))
    people = [row for row in rows if "skip_reason" not in row]
    assert {(row["identity"], row["project"], row["src_ip"]) for row in people} == {
        ("sample.user@yourorg.onmicrosoft.com", "11-aa-22-bb", "1.2.3.4")
    }
    assert Counter(row.get("error_code") for row in people) == {None: 1}
    assert Counter(row.get("skip_reason") for row in rows) == {None: 1, "service": 2, "refused": 1}


def test_sharepoint_samples(samples: Samples, normalise: Normalise) -> None:
    rows = normalise("m365", samples("Microsoft365.Audit.SharePoint"))
    assert len(rows) == 5
    assert {(row["identity"], row["project"], row["src_ip"], row["session"]) for row in rows} == {
        ("my.user@yourorg.onmicrosoft.com", "11-22-abc", "1.2.3.4", "aa-bb-cc")
    }
    assert not any("skip_reason" in row for row in rows)


def test_exchange_samples(samples: Samples, normalise: Normalise) -> None:
    """Their keys are in lower case, which Microsoft does not write (field names have case): no identity."""
    rows = normalise("m365", samples("Microsoft365.Audit.Exchange"))
    assert [(row.get("identity"), row["skip_reason"]) for row in rows] == [(None, "no identity")] * 10
    names = {"clientip": "ClientIP", "userid": "UserId", "organizationid": "OrganizationId", "operation": "Operation"}
    spelt = [
        {names.get(key, key): value for key, value in event.items()} for event in samples("Microsoft365.Audit.Exchange")
    ]
    rows = normalise("m365", spelt)
    assert [(row["identity"], row["src_ip"]) for row in rows] == [
        (event["UserId"].lower(), "1.2.3.4") for event in spelt
    ]
