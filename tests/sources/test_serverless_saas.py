"""Apps Script and what goes with it, through `cba_events_gws` and `cba_serverless_saas`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Callable

from lab.ingest import read_events

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def test_six_months(shared_data: Path, normalise: Normalise) -> None:
    """Nobody wrote a script; one person opened a document to everybody and took it along."""
    rows = normalise("gws", list(read_events("gws", [shared_data / "google_workspace"])))
    found = [(row["action"], row["chain_person"], row["signal_what"]) for row in rows if "action" in row]
    assert found == [
        (
            "external_share",
            "workspace@cloud-response.com",
            "edit change_document_visibility change_document_access_scope Plan for world domination for all",
        ),
        ("download", "workspace@cloud-response.com", "files from Drive"),
    ]


def test_rule_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    rows = normalise("gws", samples("GSuite.ActivityEvent"))
    assert Counter(row.get("action") for row in rows) == {
        None: 147,
        "external_share": 12,
        "app_authorized": 3,
        "download": 3,
    }
    granted = [row["access"] for row in rows if row.get("action") == "app_authorized"]
    assert [scope.rpartition("/")[2] for scope in granted[0]] == [
        "admin.directory.user", "cloud_search.query", "drive", "ediscovery"
    ]  # fmt: skip
    assert not any("chain_script" in row for row in rows)
