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
def splunkd(local: Path) -> Iterator[Splunkd]:
    app = load_app(APP_DIR, local)
    kv = KVStore(app, ":memory:")
    with Splunkd(app, kv, local) as running:
        yield running
    kv.close()


@pytest.fixture
def handler(splunk_package: None, splunkd: Splunkd) -> RestHandler:
    return RestHandler(SCRIPT, splunkd.uri, splunkd.session_key)


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


def told(local: Path) -> dict[str, dict[str, str]]:
    """What the saved searches of alerts are told beyond what ships."""
    return {name: stanza.settings for name, stanza in read_conf(local / "savedsearches.conf").items()}


INFORMATIONAL, MEDIUM = (
    f"CBA - API call from unusual country - {case}"
    for case in ("Base (informational)", "New to the organization (medium)")
)
BREAKER = "CBA - Circuit breaker"


def test_with_enterprise_security_alerts_are_notable_events_and_risk(handler: RestHandler, local: Path) -> None:
    handler.edited("alerts", triggered="0")
    searches = told(local)
    assert len(searches) == 1 + sum(len(detection.all_variations) for detection in load().detections.values())
    both = {
        "alert.track": "0", "action.notable": "1", "action.risk": "1", "action.email": "0", "action.webhook": "0",
        "action.cba_chat": "0",
    }  # fmt: skip
    assert searches.pop(BREAKER) == {key: value for key, value in both.items() if key != "action.risk"}
    for name, settings in searches.items():
        assert settings == both, name


def test_without_it_they_show_as_triggered_alerts_and_nothing_fails(
    handler: RestHandler, splunkd: Splunkd, local: Path
) -> None:
    splunkd.endpoints.alert_actions = ("email", "webhook", "slack")
    handler.edited("alerts", notable="auto")
    nothing = dict.fromkeys(("action.email", "action.webhook", "action.cba_chat"), "0")
    assert all(settings == nothing for settings in told(local).values())
    shipped = load_app(APP_DIR).stanza("savedsearches", MEDIUM).settings
    assert (shipped["alert.track"], shipped["action.notable"], shipped["action.risk"]) == ("1", "0", "0")


def test_from_a_severity_on_they_are_sent_each_by_itself(handler: RestHandler, splunkd: Splunkd, local: Path) -> None:
    splunkd.endpoints.alert_actions = ("email", "webhook", "slack")
    handler.edited(
        "alerts", email_to="soc@example.com", webhook_url="https://hooks.example.com/x?a=b", other_actions="slack",
        slack_url="https://hooks.slack.example/T/1",
    )  # fmt: skip
    sent = {
        "action.email": "1", "action.email.to": "soc@example.com", "action.slack": "1", "action.webhook": "1",
        "action.webhook.param.url": "https://hooks.example.com/x?a=b", "alert.digest_mode": "0",
        "action.cba_chat": "1", "action.cba_chat.param.slack_url": "https://hooks.slack.example/T/1",
        "action.cba_chat.param.teams_url": "",
    }  # fmt: skip
    searches = told(local)
    assert searches[MEDIUM] == sent == searches[BREAKER]
    assert (searches[INFORMATIONAL]["action.email"], searches[INFORMATIONAL].get("alert.digest_mode")) == ("0", None)
    handler.edited("alerts", email_to="", webhook_url="", other_actions="", slack_url="")
    off = {key: told(local)[MEDIUM][key] for key in sent if key.count(".") == 1}
    assert set(off.items()) == {
        ("action.email", "0"), ("action.slack", "0"), ("action.webhook", "0"), ("alert.digest_mode", "1"),
        ("action.cba_chat", "0"),
    }  # fmt: skip


def test_an_action_that_is_not_there_is_refused(handler: RestHandler, splunkd: Splunkd, local: Path) -> None:
    splunkd.endpoints.alert_actions = ("email", "webhook")
    for wrong in ({"other_actions": "slak, email"}, {"notable": "on"}):
        with pytest.raises(Exception, match="REST Error \\[400\\]") as refused:
            handler.edited("alerts", **wrong)
        assert "Installed are: email, webhook" in str(refused.value)
    assert not local.exists() or not (local / "savedsearches.conf").exists()


def test_saving_another_tab_edits_no_alert(handler: RestHandler, local: Path) -> None:
    handler.edited("detections", time_window_hours="12")
    assert not (local / "savedsearches.conf").exists()
