"""The declared settings: their defaults, and what is said about values that cannot work."""

from __future__ import annotations

import pytest

from cba.history.history import Terms
from cba.settings import TABS, Number, defaults, faults
from cba.settings.declared import egress_entries
from cba.terms import SOURCES


def test_what_ships_is_without_fault_and_agrees_with_the_terms() -> None:
    assert {tab.stanza: tab.faults(tab.defaults) for tab in TABS} == {tab.stanza: [] for tab in TABS}
    shipped, terms = defaults()["detections"], Terms()
    assert (shipped["established_days"], shipped["established_age_days"]) == (
        str(terms.established_days), str(terms.established_age),
    )  # fmt: skip


def test_every_source_can_be_switched_and_narrowed() -> None:
    wanted = {f"{source}_{part}" for source in SOURCES for part in ("enabled", "index", "sourcetype", "filter")}
    assert set(defaults()["sources"]) == wanted


def test_all_faults_of_a_stanza_are_said_at_once() -> None:
    found = faults("sources", {"aws_index": "a b", "gcp_enabled": "perhaps", "color": "red"})
    assert len(found) == 3
    assert found[0].startswith("color is not a setting of [sources]; there are aws_enabled, aws_index")
    assert found[1].endswith("It must be index names separated by commas, such as cloud, o365_*.")
    assert found[2] == "GCP on (gcp_enabled) is 'perhaps'. It must be 1 (on) or 0 (off)."


@pytest.mark.parametrize(
    ("stanza", "key", "good", "bad"),
    [
        ("sources", "aws_enabled", ("0", "1", "true", "off"), ("", "2", "maybe")),
        ("sources", "aws_index", ("", "main", "cloud, o365_*", "a,b"), ("a b", "a,,b", 'a"b', "index=a")),
        ("sources", "aws_sourcetype", ("", "aws:cloudtrail", "a:b, gcp:*"), ("a|b", "`macro`", "a b")),
        (
            "sources",
            "aws_filter",
            ("", 'host=a OR (user="x) y" AND b=1)', 'x="a \\" b"'),
            ("a | delete", "`cba_geo`", "[search b]", "(a", "a) OR (b", 'x="a'),
        ),
        ("detections", "activation_days", ("", "0", "90"), ("91", "-1", "1.5", "ten")),
        ("detections", "established_days", ("1", "30"), ("", "0", "31")),
        ("detections", "training_days", ("", "8", "89"), ("1", "90", "7")),
        ("detections", "variation_precedence", ("severity", "listed"), ("", "Severity", "first")),
        ("enrichment", "ip_database", ("", "/opt/geo.mmdb", "C:\\geo\\a.mmdb"), ("geo.mmdb", "/opt/geo.csv")),
        (
            "enrichment",
            "egress_ranges",
            ("", "203.0.113.0/24=NL", "2001:db8::/32=office, 203.0.113.7=vpn"),
            ("203.0.113.0/24", "203.0.113.1/24=NL", "300.1.1.1=NL", "=NL", '1.2.3.4="x"'),
        ),
        ("logging", "loglevel", ("DEBUG", "CRITICAL"), ("", "debug", "ALL")),
    ],
)  # fmt: skip
def test_values(stanza: str, key: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert {value: faults(stanza, {key: value}) for value in good} == {value: [] for value in good}
    assert [value for value in bad if not faults(stanza, {key: value})] == []


def test_egress_ranges_are_networks_with_a_name() -> None:
    assert egress_entries("203.0.113.7=vpn,\n 203.0.113.0/24 = NL,") == [
        ("203.0.113.7/32", "vpn"),
        ("203.0.113.0/24", "NL"),
    ]
    with pytest.raises(ValueError, match=r"'203.0.113.9/24=NL' is not a network: .* has host bits set"):
        egress_entries("203.0.113.9/24=NL")


def test_an_unknown_stanza() -> None:
    with pytest.raises(KeyError, match=r"has no stanza \[nothing\]"):
        faults("nothing", {})


def test_no_number_allows_what_the_histories_cannot_keep() -> None:
    """A day counts for 90 days; a training period must leave one to compare with."""
    settings = [setting for tab in TABS for setting in tab.settings if isinstance(setting, Number)]
    days = [setting for setting in settings if setting.key.endswith("_days")]
    assert days and all(number.most <= 90 for number in days)
