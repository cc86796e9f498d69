"""What is set on the configuration page changes what the shipped search finds, at once and without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import addresses
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of, judge_at_once
from tests.splunk import story
from tests.support.splunk_admin import RestHandler, splunk_package

__all__ = ["splunk_package"]

NOW = 1_780_000_000.0
HANDLER = APP_DIR / "bin" / "cloud_behavior_analytics_rh_settings.py"
RUSSIA = addresses.pick(addresses.INTERNET["RU"][0], "ada")
EVERYTHING = {("ada", "RU"), ("bob", "NL"), ("cleo", "DE")}


@pytest.mark.parametrize(
    ("stanza", "settings", "found"),
    [
        ("sources", {}, EVERYTHING),
        ("sources", {"aws_enabled": "0"}, set()),
        ("sources", {"aws_sourcetype": "acme:trail"}, set()),
        ("sources", {"aws_index": "main, other"}, EVERYTHING),
        ("sources", {"aws_filter": '"*user/cleo*" OR "*user/ada*"'}, {("ada", "RU"), ("cleo", "DE")}),
        ("detections", {"activation_days": "40"}, set()),
        ("detections", {"trained_days": "40"}, set()),
        ("enrichment", {"egress_ranges": f"{RUSSIA}/32=NL"}, {("bob", "NL"), ("cleo", "DE")}),
    ],
)
def test_other_findings(
    stanza: str, settings: dict[str, str], found: set[tuple[str, str]], tmp_path: Path, splunk_package: None
) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add(story.events(NOW, "main", "test"))
        handler = RestHandler(HANDLER, head.splunkd.uri, head.splunkd.session_key)
        if settings:
            handler.edited(stanza, **settings)
        judge_at_once(head, "aws", NOW)
        raised = findings_of(head, "cloud_unusual_country")
        assert {(str(f["identity"]).rsplit("/", 1)[-1], f["country"]) for f in raised} == found
