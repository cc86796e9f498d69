"""The REST handler of the configuration page, against the lab's REST server: what is set there is set in the conf."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from cba.detection.catalogue import load
from lab.conf import load_app, read_conf
from lab.kvstore import KVStore
from lab.replay import APP_DIR
from lab.splunkd import Splunkd
from tests.support.splunk_admin import RestHandler, splunk_package

__all__ = ["splunk_package"]

SCRIPT = APP_DIR / "bin" / "cloud_behavior_analytics_rh_settings.py"
CONF = "cloud_behavior_analytics_settings"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return tmp_path / "local"


@pytest.fixture
def handler(splunk_package: None, local: Path) -> Iterator[RestHandler]:
    app = load_app(APP_DIR, local)
    kv = KVStore(app, ":memory:")
    with Splunkd(app, kv, local) as splunkd:
        yield RestHandler(SCRIPT, splunkd.uri, splunkd.session_key)
    kv.close()


def test_the_page_shows_what_ships(handler: RestHandler) -> None:
    shown = handler.listed("detections")
    assert (shown["established_days"], shown["variation_precedence"], shown["training_days"]) == ("2", "severity", "")
    assert handler.listed("logging")["loglevel"] == "INFO"


def test_what_is_set_is_kept(handler: RestHandler, local: Path) -> None:
    handler.edited("sources", aws_index="cloud, trails_*", aws_filter='host="a" OR (host=b)')
    stored = read_conf(local / f"{CONF}.conf")["sources"].settings
    assert (stored["aws_index"], stored["aws_filter"]) == ("cloud, trails_*", 'host="a" OR (host=b)')
    assert handler.listed("sources")["aws_index"] == "cloud, trails_*"
    handler.edited("sources", aws_index="")
    assert handler.listed("sources")["aws_index"] == "", "empty again: what the app ships with"


@pytest.mark.parametrize(
    ("stanza", "data", "words"),
    [
        ("detections", {"trained_days": "soon"}, "(trained_days) is 'soon'. It must be a whole number from 1 to 90"),
        ("detections", {"training_days": "5"}, "nothing seen before could be old enough"),
        ("sources", {"aws_filter": "a | delete"}, "without |"),
        ("enrichment", {"ip_database": "mine.mmdb"}, "the full path of a file that ends in .mmdb"),
        ("logging", {"loglevel": "LOUD"}, "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    handler: RestHandler, local: Path, stanza: str, data: dict[str, str], words: str
) -> None:
    with pytest.raises(Exception, match="REST Error \\[400\\]") as refused:
        handler.edited(stanza, **data)
    assert words in str(refused.value)
    assert not (local / f"{CONF}.conf").exists(), "nothing is written"


def test_a_partial_edit_is_judged_with_what_is_set_already(handler: RestHandler) -> None:
    handler.edited("detections", established_age_days="3", training_days="5")
    with pytest.raises(Exception, match="established_age_days"):
        handler.edited("detections", established_age_days="5")


def test_a_stanza_that_is_not_there(handler: RestHandler) -> None:
    with pytest.raises(Exception, match="404"):
        handler.edited("nothing", key="value")


def macro(local: Path, name: str) -> str:
    return read_conf(local / "macros.conf")[name].settings["definition"]


def test_sources_go_where_the_searches_look(handler: RestHandler, local: Path) -> None:
    handler.edited(
        "sources", aws_index="cloud, trails_*", aws_sourcetype="acme:trail", aws_filter="host=a", gcp_enabled="0"
    )
    assert macro(local, "cba_index_aws") == 'index="cloud" OR index="trails_*"'
    assert macro(local, "cba_chosen_types_aws") == 'sourcetype="acme:trail"'
    assert (macro(local, "cba_filter_aws"), macro(local, "cba_filter_gcp")) == ("(host=a)", "NOT *")
    handler.edited("sources", aws_index="", aws_sourcetype="", aws_filter="", gcp_enabled="1")
    assert macro(local, "cba_index_aws") == "`cba_indexes`"
    assert macro(local, "cba_chosen_types_aws") == "`cba_types_aws`"
    assert (macro(local, "cba_filter_aws"), macro(local, "cba_filter_gcp")) == ("*", "*")


def test_what_is_raised_and_enrichment(handler: RestHandler, local: Path) -> None:
    handler.edited("detections", variation_precedence="listed", failed_calls_escalate="1", include_updates="1")
    assert macro(local, "cba_function_changes") == 'in(action, "function_created", "function_updated")'
    handler.edited("enrichment", ip_database="/opt/geo/mine.mmdb")
    assert macro(local, "cba_ip_database") == '"/opt/geo/mine.mmdb"'


def test_alerts_of_enterprise_security(handler: RestHandler, local: Path) -> None:
    handler.edited("enterprise_security", notable="0", risk="1")
    stanzas = read_conf(local / "savedsearches.conf")
    variations = [name for name in stanzas if name.startswith("CBA - ")]
    assert len(variations) == sum(len(detection.all_variations) for detection in load().detections.values())
    for name in variations:
        assert stanzas[name].settings == {"action.notable": "0", "action.risk": "1"}, name
