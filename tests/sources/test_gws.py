"""Google Workspace reports through `cba_events_gws`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_six_months(shared_data: Path, normalise: Normalise) -> None:
    events = list(read_events("gws", [shared_data / "google_workspace"]))
    raw = [json.loads(event.raw) for event in events]
    rows = normalise("gws", events)
    assert len(rows) == 325
    assert len({row["event_id"] for row in rows}) == 325
    assert {row["project"] for row in rows} == {"C00mpaiwz"}
    assert [row["identity"] for row in rows] == [event["actor"].get("email", "system") for event in raw]
    assert [row.get("src_ip") for row in rows] == [event.get("ipAddress") for event in raw]
    assert [row["operation"].split() for row in rows] == [[one["name"] for one in event["events"]] for event in raw]
    assert [row["day"] for row in rows] == [int(event.time // 86400) for event in events]
    assert (min(row["day"] for row in rows), max(row["day"] for row in rows)) == (19040, 19219)
    assert Counter(row.get("skip_reason") for row in rows) == {
        None: 288, "service": 6, "no address": 14, "refused": 5, "judgement": 12
    }  # fmt: skip
    assert Counter(row["outcome"] for row in rows) == {"success": 320, "failure": 5}


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Flattened by their tool (name, type and parameters without the events array), partly without an actor."""
    raw = samples("GSuite.ActivityEvent")
    rows = normalise("gws", raw)
    assert len(rows) == 165
    for row, event in zip(rows, raw):
        email = (event.get("actor") or {}).get("email")
        if email:
            assert row["identity"] == email.lower()
        assert row.get("operation") == event.get("name")
        assert row.get("project") == (event.get("id") or {}).get("customerId")
        assert row.get("src_ip") == event.get("ipAddress")
    assert Counter(row.get("skip_reason") for row in rows) == {
        None: 86, "no address": 60, "no identity": 16, "refused": 2, "judgement": 1
    }  # fmt: skip
