"""Power Automate and what goes with it, through `cba_events_m365` and `cba_serverless_office`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_forwarding_samples(shared_data: Path, normalise: Normalise) -> None:
    """Their authors say of each whether it leaves the organization. Keys are spelt as Microsoft does, see test_m365.py."""
    names = {
        "userid": "UserId",
        "operation": "Operation",
        "parameters": "Parameters",
        "organizationname": "OrganizationName",
    }
    lines = (shared_data / "samples/Microsoft365.Audit.Exchange.jsonl").read_text(encoding="utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    events = [{names.get(key, key): value for key, value in sample["log"].items()} for sample in samples]
    rows = normalise("m365", events)
    assert [row.get("action") for row in rows] == ["mail_forwarded"] * 9 + [None]
    outside = ["action" in row and row["destination"] != row["identity"].split("@")[1] for row in rows]
    assert outside == [sample["expected"] for sample in samples]


def test_real_office_activity_has_no_signal(shared_data: Path, normalise: Normalise) -> None:
    files = ["m365/goldensaml_OfficeActivityEvents.json", "m365/office_activity_obfuscated_msticnb.jsonl"]
    rows = normalise("m365", list(read_events("m365", [shared_data / file for file in files])))
    assert len(rows) == 301
    assert not any("action" in row or "chain_person" in row for row in rows)
