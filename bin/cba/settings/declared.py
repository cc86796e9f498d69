"""Every setting of the app, by tab of the configuration page = stanza of the conf."""

from __future__ import annotations

import ipaddress
import re
from typing import Mapping, Optional

from ..detection.catalogue import load
from ..detection.choose import AS_LISTED, BY_SEVERITY
from ..history.days import RETENTION_DAYS
from ..history.history import Terms
from ..terms import SEVERITIES, SOURCE_LABELS, SOURCES
from . import search_terms
from .kinds import Group, Lines, Number, OneOf, Switch, Tab, Text, Values

CONF = "cloud_behavior_analytics_settings"
"""The conf file, without .conf."""

ON, OFF = "1", "0"
AUTO, ALWAYS, NEVER = "auto", "on", "off"
_WHERE_INSTALLED = {AUTO: "Where it is installed", ALWAYS: "Always", NEVER: "Never"}
TERMS = Terms()

# source -> short name, what its logs are
_NAMES = r"[a-zA-Z0-9_*.:/-]+"
_ADDRESS = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+"
_ACTION = r"[A-Za-z][A-Za-z0-9_]*"
_LIST_OF_NAMES = rf"{_NAMES}(\s*,\s*{_NAMES})*"


_PATH = r"[^\x22$`|\[\]\x00-\x1f\x7f]*"
_WIDEST = {4: 8, 6: 16}
"""IP version -> the fewest bits that the prefix of an egress range has: a wider one would be a part of the world."""
_LABEL_LENGTH = 64


def _path_fault(path: str) -> Optional[str]:
    if re.match(r"[\\/]{2}|/.*\\", path):
        return "a path begins with one / and has no backslash, or begins with a drive."
    if ".." in re.split(r"[\\/]", path):
        return "a path is written without .. in it."
    return None


def egress_entries(text: str) -> list[tuple[str, str]]:
    """(network, country or label) of each entry. Raises ValueError naming the first entry that is wrong."""
    entries = []
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        network, _equals, name = (part.strip() for part in entry.partition("="))
        shown = repr(entry.strip()[:_LABEL_LENGTH])
        try:
            found = ipaddress.ip_network(network)
        except ValueError as error:
            raise ValueError(f"{shown} is not a network: {error}.") from None
        if found.prefixlen < _WIDEST[found.version]:
            raise ValueError(f"{shown} is too wide: a network has /{_WIDEST[found.version]} or more.")
        if not name:
            raise ValueError(f"{shown} names neither a country nor a label; write it as {network}=NL.")
        if len(name) > _LABEL_LENGTH:
            raise ValueError(f"{shown} has a label of more than {_LABEL_LENGTH} characters.")
        entries.append((str(found), name))
    return entries


def _egress_fault(text: str) -> Optional[str]:
    try:
        egress_entries(text)
    except ValueError as error:
        return str(error)
    return None


def _source(name: str) -> Group:
    short, logs = SOURCE_LABELS[name]
    return Group(
        short,
        (
            Switch(
                f"{name}_enabled",
                f"{short} on",
                f"Off: nothing is learned from {logs}, and nothing raised.",
                ON,
            ),
            Text(
                f"{name}_index",
                f"{short} indexes",
                "Separated by commas, * stands for any letters: cloud, o365_*. Empty: those of the macro cba_indexes.",
                pattern=_LIST_OF_NAMES,
                expected="It must be index names separated by commas, such as cloud, o365_*.",
            ),
            Text(
                f"{name}_sourcetype",
                f"{short} source types",
                f"Separated by commas. Empty: those the vendors' add-ons set, in the macro cba_base_{name}.",
                pattern=_LIST_OF_NAMES,
                expected="It must be source types separated by commas, such as aws:cloudtrail, acme:cloudtrail.",
            ),
            Text(
                f"{name}_filter",
                f"{short} extra filter",
                "Search terms that its events must match too, such as host=collector1 OR host=collector2. No pipes.",
                pattern=r"[^|`\[\]\x00-\x1f\x7f]*",
                expected="It must be search terms only: on one line, without |, `, [ and ].",
                parse=search_terms.fault,
            ),
        ),
    )


def _established_in_training(values: Values) -> Optional[str]:
    training, age = int(values["training_days"] or TERMS.training), int(values["established_age_days"])
    if age < training:
        return None
    return (
        f"Age of a normal value (established_age_days) is {age}, the training period {training} days: nothing "
        "seen before could be old enough. Choose an age smaller than the training period."
    )


def _days_in_training(values: Values) -> Optional[str]:
    training, days = int(values["training_days"] or TERMS.training), int(values["established_days"])
    if days <= training:
        return None
    return (
        f"Days of a normal value (established_days) is {days}, the training period {training} days: no value "
        "could be seen on that many. Choose a number up to the training period."
    )


def _address(key: str, label: str, about: str) -> Text:
    return Text(
        key,
        label,
        f"{about} Empty: none.",
        pattern=r"https://[A-Za-z0-9._~:/?#@!&'()*+,;=%-]+",
        expected="It must be an address that begins with https:// and has no spaces in it.",
    )


def _switches() -> Group:
    """The table of detections, each switched on or off."""
    detections = load().detections.values()
    return Group(
        "Detections",
        tuple(
            Switch(
                f"{detection.id}_enabled",
                detection.name,
                f"Off: nothing of it is judged. Its logs ({', '.join(detection.sources)}) teach all the same.",
                ON,
            )
            for detection in detections
        ),
    )


DETECTIONS = Tab(
    "detections",
    "Detections",
    (
        _switches(),
        Group(
            "Periods and thresholds",
            (
                Number(
                    "activation_days",
                    "Activation period",
                    "Days of data that a source must have before anything is raised about it. "
                    f"Empty: as each detection says ({TERMS.activation}).",
                    least=0,
                    most=RETENTION_DAYS,
                ),
                Number(
                    "training_days",
                    "Training period",
                    f"How many days back a history counts. Empty: as each detection says ({TERMS.training}).",
                    least=2,
                    most=RETENTION_DAYS - 1,
                ),
                Number(
                    "trained_days",
                    "Days to be trained",
                    "On how many days an identity, project or organization must have been active to be compared with. "
                    f"Empty: as each detection says ({TERMS.trained_days}; those of rare events 1).",
                    least=1,
                    most=RETENTION_DAYS,
                ),
                Number(
                    "established_days",
                    "Days of a normal value",
                    "A value seen on this many days of the training period is normal.",
                    str(TERMS.established_days),
                    least=1,
                    most=RETENTION_DAYS - 1,
                ),
                Number(
                    "established_age_days",
                    "Age of a normal value",
                    "A value seen once in the training period is normal if it was first seen this many days before.",
                    str(TERMS.established_age),
                    least=1,
                    most=RETENTION_DAYS - 1,
                ),
            ),
        ),
        Group(
            "What is raised",
            (
                OneOf(
                    "variation_precedence",
                    "Variation that is raised",
                    "Where several variations of a detection match.",
                    BY_SEVERITY,
                    {BY_SEVERITY: "The most severe, then the first listed", AS_LISTED: "The first listed"},
                ),
                Number(
                    "time_window_hours",
                    "TimeWindow of chains",
                    "How many hours before and after a deployment other steps belong to its chain.",
                    "24",
                    least=1,
                    most=24 * 7,
                ),
                Switch(
                    "failed_calls_escalate",
                    "Failed calls escalate",
                    "Instance credentials used elsewhere: calls that failed may raise the more severe variations too.",
                    OFF,
                ),
                OneOf(
                    "runtime_granularity",
                    "Runtime of a function",
                    "After a change run the Backfill searches of AWS and GCP: what was learned is of the other kind.",
                    "family",
                    {"family": "Its family (python)", "exact": "As logged (python3.12)"},
                ),
                Switch(
                    "include_updates",
                    "Judge updates of functions",
                    "Changes of a function's configuration that set a runtime count as its creation does.",
                    OFF,
                ),
            ),
        ),
    ),
    (_established_in_training, _days_in_training),
)

TABS: tuple[Tab, ...] = (
    Tab("sources", "Sources", tuple(_source(name) for name in SOURCES)),
    DETECTIONS,
    Tab(
        "alerts",
        "Alerts",
        (
            Group(
                "Every alert",
                (
                    Switch("triggered", "Triggered alerts", "Shown under Activity > Triggered Alerts.", ON),
                    OneOf(
                        "notable",
                        "Notable events",
                        "In Enterprise Security, one for each finding.",
                        AUTO,
                        _WHERE_INSTALLED,
                    ),
                    OneOf(
                        "risk",
                        "Risk",
                        "In Enterprise Security, for the identity or host of each finding.",
                        AUTO,
                        _WHERE_INSTALLED,
                    ),
                ),
            ),
            Group(
                "From a severity on",
                (
                    OneOf(
                        "send_severity",
                        "Send from severity",
                        "Alerts of this severity or a higher one also do what follows, once for each finding.",
                        "medium",
                        {severity: severity.capitalize() for severity in SEVERITIES},
                    ),
                    Text(
                        "email_to",
                        "E-mail to",
                        "Addresses separated by commas. Empty: no e-mail.",
                        pattern=rf"{_ADDRESS}(\s*,\s*{_ADDRESS})*",
                        expected="It must be e-mail addresses separated by commas, such as soc@example.com.",
                    ),
                    _address("webhook_url", "Webhook", "Each finding is sent there as JSON (Guide: Integrations)."),
                    _address("slack_url", "Slack webhook", "Each finding is a message in the webhook's channel."),
                    _address("teams_url", "Teams webhook", "The same for Microsoft Teams: the address of a workflow."),
                    Text(
                        "other_actions",
                        "Other alert actions",
                        "Names of alert actions that are installed here, separated by commas: slack, sendtophantom. "
                        "What they need is set under Settings > Alert actions.",
                        pattern=rf"{_ACTION}(\s*,\s*{_ACTION})*",
                        expected="It must be names of alert actions separated by commas, such as slack.",
                    ),
                ),
            ),
        ),
    ),
    Tab(
        "enrichment",
        "Enrichment",
        (
            Group(
                "Addresses",
                (
                    Text(
                        "ip_database",
                        "IP database",
                        "Path on the search head of an MMDB file of your own (MaxMind, DB-IP, IPinfo) with country "
                        "and AS. Empty: the one the app ships.",
                        pattern=rf"(/|[A-Za-z]:[\\/]){_PATH}\.mmdb",
                        expected='It must be the full path of a file that ends in .mmdb, without " $ ` | [ ] in it.',
                        parse=_path_fault,
                    ),
                    Lines(
                        "egress_ranges",
                        "Egress ranges",
                        "Your VPN exits and proxies, separated by commas: 203.0.113.0/24=NL, 198.51.100.0/24=vpn. They "
                        "take that country or label instead of their own, as those in the list cba_egress_ranges do.",
                        pattern=r"[^|`$\[\]\x22\\\x00-\x09\x0b-\x1f\x7f]*",
                        expected="It must be networks separated by commas, each with = and a country or label.",
                        parse=_egress_fault,
                    ),
                ),
            ),
        ),
    ),
    Tab(
        "logging",
        "Logging",
        (
            Group(
                "Logging",
                (
                    OneOf(
                        "loglevel",
                        "Log level",
                        "How much the app writes to its logs.",
                        "INFO",
                        {level: level for level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")},
                    ),
                ),
            ),
        ),
    ),
)


def tab(stanza: str) -> Tab:
    """The tab that writes the stanza. Raises KeyError for an unknown one."""
    for found in TABS:
        if found.stanza == stanza:
            return found
    raise KeyError(f"{CONF}.conf has no stanza [{stanza}]")


def defaults() -> dict[str, dict[str, str]]:
    """stanza -> key -> what the app ships with."""
    return {found.stanza: found.defaults for found in TABS}


def faults(stanza: str, values: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with the values of a stanza, in sentences. Raises KeyError for an unknown stanza."""
    return tab(stanza).faults(values)
