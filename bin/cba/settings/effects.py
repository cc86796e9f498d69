"""What the settings do: the macros and alert actions that follow from them. Pure; `store.configuration` writes them.

The searches read macros, so that what is set takes effect with their next run, and a person who opens a search sees it.
Periods and thresholds are read by the commands themselves (`judge_settings`, `tuned`).
"""

from __future__ import annotations

import dataclasses
from typing import AbstractSet, Mapping

from ..detection.model import BREAKER_SEARCH, Detection, variation_search
from ..findings.flood import SEVERITY as FLOOD_SEVERITY
from ..history.history import Terms
from ..judging.stores import JudgeSettings
from ..quoting import spl_text
from ..terms import SOURCES, severity_rank
from .declared import ALWAYS, AUTO, egress_entries
from .kinds import TRUE_WORDS, Values

_ENABLED = "_enabled"


def macros(stanza: str, values: Values) -> dict[str, str]:
    """macro -> definition, for the values of a whole stanza; every one that the stanza has a say in.

    The values are without fault (`faults`); what of them stands in quotes is quoted all the same.
    """
    values = {key: value.strip() for key, value in values.items()}
    if stanza == "sources":
        return {name: text for source in SOURCES for name, text in _source(source, values).items()}
    if stanza == "detections":
        created = "function_created"
        changes = f'"{created}", "function_updated"' if _on(values, "include_updates") else f'"{created}"'
        return {
            "cba_runtime_granularity": spl_text(values["runtime_granularity"]),
            "cba_function_changes": f"in(action, {changes})",
        }
    if stanza == "enrichment":
        return {"cba_ip_database": spl_text(slashes(values["ip_database"]))}
    return {}


def _source(source: str, values: Values) -> dict[str, str]:
    return {
        f"cba_index_{source}": _any_of("index", values[f"{source}_index"]) or "`cba_indexes`",
        f"cba_chosen_types_{source}": _any_of("sourcetype", values[f"{source}_sourcetype"]) or f"`cba_types_{source}`",
        f"cba_filter_{source}": _filter(values[f"{source}_filter"]) if _on(values, f"{source}_enabled") else "NOT *",
    }


def slashes(path: str) -> str:
    """A path as a search names it: Windows takes / for its backslash, which is an escape in SPL."""
    return path.replace("\\", "/")


def _any_of(field: str, names: str) -> str:
    """`index="a" OR index="b*"`; "" for no names."""
    return " OR ".join(f"{field}={spl_text(name.strip())}" for name in names.split(",") if name.strip())


def _filter(terms: str) -> str:
    return f"({terms})" if terms else "*"


def sources_off(values: Values) -> frozenset[str]:
    """The sources that the stanza `sources` switches off."""
    return frozenset(source for source in SOURCES if not _on(values, f"{source}_enabled"))


@dataclasses.dataclass(frozen=True)
class AlertSearch:
    """A saved search that raises alerts. `risk`: whether it says whose risk they are."""

    name: str
    severity: str
    risk: bool = True


def alert_searches(detections: Mapping[str, Detection]) -> list[AlertSearch]:
    """Those of the variations, and the one of the circuit breakers, which blames nobody."""
    named = [AlertSearch(variation_search(d, v), v.severity) for d in detections.values() for v in d.all_variations]
    return [*named, AlertSearch(BREAKER_SEARCH, FLOOD_SEVERITY, risk=False)]


CHAT = "cba_chat"
"""The app's own alert action, which posts to Slack and Teams (bin/cba_chat.py)."""
OWN_ACTIONS = ("notable", "risk", "email", "webhook", CHAT)
"""The alert actions with settings of their own."""


def alert_settings(search: AlertSearch, values: Values, installed: AbstractSet[str], before: Values) -> dict[str, str]:
    """What an alert's saved search is told by the stanza `alerts`, setting -> value. `installed` are the alert actions
    there are: one that is not is never switched on. Actions that were among the others `before` are switched off.

    With an action that looks at one result only, as e-mails and webhooks do, each result is an alert of its own.
    https://docs.splunk.com/Documentation/Splunk/9.4.0/Alert/Webhooks ("the first result")
    """
    told = {"alert.track": "1" if _on(values, "triggered") else "0"}
    for name in ("notable", "risk") if search.risk else ("notable",):
        wanted = values[name] == ALWAYS or (values[name] == AUTO and name in installed)
        told[f"action.{name}"] = "1" if wanted else "0"
    sends = severity_rank(search.severity) >= severity_rank(values["send_severity"])
    email, url = values["email_to"].strip(), values["webhook_url"].strip()
    chats = {key: values[key].strip() for key in ("slack_url", "teams_url")}
    sent = {"email": bool(email), "webhook": bool(url), CHAT: any(chats.values())}
    sent.update(dict.fromkeys(other_actions(before), False))
    sent.update({name: name in installed for name in other_actions(values)})
    for name, wanted in sent.items():
        told[f"action.{name}"] = "1" if wanted and sends else "0"
    if email:
        told["action.email.to"] = email
    if url:
        told["action.webhook.param.url"] = url
    if any(chats.values()):
        told.update({f"action.{CHAT}.param.{key}": address for key, address in chats.items()})
    one_by_one = any(told[f"action.{name}"] == "1" for name in sent)
    told["alert.digest_mode"] = "0" if one_by_one else "1"
    return told


def settings_of_alerts(
    detections: Mapping[str, Detection], values: Values, installed: AbstractSet[str], before: Values
) -> dict[str, dict[str, str]]:
    """Alert's saved search -> what it is told (`alert_settings`)."""
    return {each.name: alert_settings(each, values, installed, before) for each in alert_searches(detections)}


def other_actions(values: Values) -> list[str]:
    """The names of the setting `other_actions`."""
    named = (name.strip() for name in values.get("other_actions", "").split(","))
    return [name for name in dict.fromkeys(named) if name and name not in OWN_ACTIONS]


def unknown_actions(values: Values, installed: AbstractSet[str]) -> list[str]:
    """What is wrong with the actions that are set, in sentences: those that are not there would fail with every
    alert."""
    wanted = [name for name in ("notable", "risk") if values.get(name) == ALWAYS]
    missing = [name for name in (*wanted, *other_actions(values)) if name not in installed]
    if not missing:
        return []
    there = ", ".join(sorted(installed)) or "none"
    return [f"There is no alert action {', '.join(missing)} here. Installed are: {there}."]


TERM_SETTINGS = {
    "training_days": "training",
    "trained_days": "trained_days",
    "established_days": "established_days",
    "established_age_days": "established_age",
    "activation_days": "activation",
}
"""setting -> the term that it sets"""


def terms(own: Terms, values: Mapping[str, str]) -> Terms:
    """A detection's own terms with those of the settings that say something."""
    said = {term: int(values[key]) for key, term in TERM_SETTINGS.items() if values.get(key)}
    if "activation" in said:
        said["trained_age"] = said["activation"]
    return dataclasses.replace(own, **said)


def tuned(detection: Detection, values: Mapping[str, str]) -> Detection:
    """The detection with the periods and thresholds of the settings."""
    found = terms(detection.terms, values)
    periods = dataclasses.replace(detection.periods, training=found.training, activation=found.activation)
    return dataclasses.replace(detection, terms=found, periods=periods)


def detections_off(values: Values) -> frozenset[str]:
    """The detections that the stanza `detections` switches off, each by its setting `<detection>_enabled`."""
    switches = (key for key in values if key.endswith(_ENABLED))
    return frozenset(key[: -len(_ENABLED)] for key in switches if not _on(values, key))


def judge_settings(values: Mapping[str, Values]) -> JudgeSettings:
    """What a judge goes by, of the stanzas `detections` and `enrichment`; `values` has them by name."""
    detections, enrichment = values["detections"], values["enrichment"]
    return JudgeSettings(
        precedence=detections["variation_precedence"],
        failed_calls_escalate=_on(detections, "failed_calls_escalate"),
        time_window=int(detections["time_window_hours"]) * 3600,
        off=detections_off(detections),
        egress=tuple(egress_entries(enrichment["egress_ranges"])),
    )


def _on(values: Values, key: str) -> bool:
    return values[key].strip().lower() in TRUE_WORDS
