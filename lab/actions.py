"""Alert actions: what a triggered search writes.

Events go to the indexes `notable` and `risk` (Enterprise Security's adaptive response actions) or to a summary index,
and can be searched there. Sources:

- fields of notable events (rule_title and rule_description are kept here with their tokens filled in, which ES does
  when it shows them):
  https://dev.splunk.com/enterprise/docs/devtools/enterprisesecurity/notableeventsplunkes/usingnotableeventsinsearch
- risk events: https://docs.splunk.com/Documentation/ES/latest/User/RiskScoring, and the JSON list `_risk` as
  contentctl's template of savedsearches.conf writes it
- tokens: https://docs.splunk.com/Documentation/Splunk/latest/Alert/EmailNotificationTokens and
  https://docs.splunk.com/Documentation/Splunk/latest/AdvancedDev/ModAlertsLog ("$result.<fieldname>$: any field value
  from the first row of the search results"); a field name with braces gives an empty text

So with alert.digest_mode = 1 every notable of a run gets the *first* row's `$result.x$`; `$x$` is the row's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Mapping, Optional, Sequence

from lab.chunked import Row
from lab.conf import Stanza
from lab.events import Event
from lab.spl.values import members
from lab.spl.values import text as to_text

SEVERITIES = ("informational", "low", "medium", "high", "critical", "unknown")
RISK_TYPES = ("user", "system", "other")
INTERNAL_FIELDS = ("_time", "_raw", "index", "source", "sourcetype", "host")
_TOKEN = re.compile(r"\$([^$\s]+)\$")

NOTABLE_PARAMETERS = frozenset({
    "rule_title", "rule_description", "security_domain", "severity", "nes_fields", "drilldown_searches",
    "drilldown_name", "drilldown_search", "drilldown_earliest_offset", "drilldown_latest_offset",
    "drilldown_dashboards", "default_owner",
    "default_status", "recommended_actions", "next_steps", "investigation_type", "investigation_profiles",
    "extract_artifacts", "asset_extraction", "identity_extraction", "verbose", "_entities",
})  # fmt: skip
RISK_PARAMETERS = frozenset({"_risk", "_risk_message", "_risk_score", "_risk_object", "_risk_object_type", "verbose"})
SENT = {
    "email": frozenset({"to", "subject", "message.alert", "include.results_link"}),
    "webhook": frozenset({"param.url"}),
    "cba_chat": frozenset({"param.slack_url", "param.teams_url"}),
}
SUMMARY_SETTINGS = frozenset({"_name", "_type", "inline", "force_realtime_schedule"})


@dataclass(frozen=True)
class Trigger:
    """A search whose condition held: its results after throttling, and its run. Times are epoch seconds."""

    stanza: Stanza
    app: str
    sid: str
    now: float
    earliest: Optional[float]
    latest: Optional[float]
    rows: Sequence[Row]

    def one_by_one(self) -> list[Trigger]:
        """A trigger per result, as with alert.digest_mode = 0."""
        return [
            Trigger(self.stanza, self.app, self.sid, self.now, self.earliest, self.latest, [row]) for row in self.rows
        ]


def enabled_actions(stanza: Stanza) -> list[str]:
    """Names of the actions a saved search has enabled, checked; LabError for one the lab does not know."""
    names = []
    for key in stanza.settings:
        parts = key.split(".")
        if len(parts) == 2 and parts[0] == "action" and stanza.boolean(key):
            if parts[1] not in ACTIONS:
                known = ", ".join(ACTIONS)
                raise stanza.error(key, f"the lab does not know the alert action '{parts[1]}'. Known: {known}.")
            names.append(parts[1])
    for name in names:
        _check_parameters(stanza, name)
    return sorted(names)


def _check_parameters(stanza: Stanza, name: str) -> None:
    prefix = f"action.{name}."
    for key in stanza.settings:
        if not key.startswith(prefix):
            continue
        parameter = key[len(prefix) :]
        if name == "summary_index":
            continue  # any other name is a field that is added to the summary events
        if name in SENT:
            if parameter not in SENT[name]:
                raise stanza.error(key, f"'{parameter}' is not a parameter of the {name} action.")
            continue
        known = NOTABLE_PARAMETERS if name == "notable" else RISK_PARAMETERS
        if not parameter.startswith("param.") or parameter[len("param.") :] not in known:
            raise stanza.error(key, f"'{parameter}' is not a parameter of the {name} action.")
    if name == "notable":
        severity = stanza.get("action.notable.param.severity", "medium")
        if severity not in SEVERITIES:
            message = f"severity '{severity}' is not one of {', '.join(SEVERITIES)}."
            raise stanza.error("action.notable.param.severity", message)
    if name == "risk":
        _risk_list(stanza)


def run_actions(names: Sequence[str], trigger: Trigger) -> list[Event]:
    """The events that the actions of a trigger write."""
    return [event for name in names for event in ACTIONS[name](trigger)]


# -- tokens -----------------------------------------------------------------------------------------------------------


def search_tokens(trigger: Trigger) -> dict[str, str]:
    """Tokens about the search and its run, without the `$`."""
    stanza, when = trigger.stanza, datetime.fromtimestamp(trigger.now, timezone.utc)
    return {
        "name": stanza.name,
        "app": trigger.app,
        "owner": "nobody",
        "description": stanza.get("description"),
        "search": stanza.get("search"),
        "cron_schedule": stanza.get("cron_schedule"),
        "alert.severity": stanza.get("alert.severity", "3"),
        "alert.expires": stanza.get("alert.expires", "24h"),
        "trigger_time": str(int(trigger.now)),
        "trigger_date": when.strftime("%B %d, %Y"),
        "trigger_timeHMS": when.strftime("%I:%M:%S %p"),
        "job.sid": trigger.sid,
        "job.resultCount": str(len(trigger.rows)),
        "job.earliestTime": _iso(trigger.earliest),
        "job.latestTime": _iso(trigger.latest),
    }


def fill_tokens(text: str, tokens: Mapping[str, str], first: Row, own: Row) -> str:
    """Replace `$result.field$` (first row), search tokens and `$field$` (own row). Other `$words$` stay as they are."""

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("result."):
            return to_text(first.get(name[len("result.") :])) if "{" not in name else ""
        if name in tokens:
            return tokens[name]
        return to_text(own[name]) if name in own else match[0]

    return _TOKEN.sub(one, text)


def _fill_json(value: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, list):
        return [_fill_json(v, fill) for v in value]
    return {k: _fill_json(v, fill) for k, v in value.items()} if isinstance(value, dict) else value


def _iso(time: Optional[float]) -> str:
    return "" if time is None else datetime.fromtimestamp(time, timezone.utc).isoformat()


# -- events -----------------------------------------------------------------------------------------------------------


def _result_fields(row: Row) -> dict[str, Any]:
    """The fields of a result as a new event carries them: the event's own ones become orig_…"""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or (name.startswith("_") and name not in INTERNAL_FIELDS):
            continue
        target = "orig_" + name.lstrip("_") if name in INTERNAL_FIELDS else name
        out[target] = to_text(value) if isinstance(value, list) else value
    return out


def _run_fields(trigger: Trigger, action: str, place: int) -> dict[str, Any]:
    return {
        "search_name": trigger.stanza.name,
        "info_min_time": to_text(trigger.earliest if trigger.earliest is not None else 0),
        "info_max_time": to_text(trigger.latest) if trigger.latest is not None else "+Infinity",
        "info_search_time": to_text(trigger.now),
        "orig_sid": trigger.sid,
        "orig_rid": str(place),
        "orig_action_name": action,
    }


def _event(trigger: Trigger, index: str, fields: Mapping[str, Any], time: Optional[float] = None) -> Event:
    raw = json.dumps(fields, ensure_ascii=False, default=str)
    return Event(trigger.now if time is None else time, trigger.now, index, "stash", trigger.stanza.name, "lab", raw)


def _annotations(stanza: Stanza) -> dict[str, str]:
    """annotations.<framework> of action.correlationsearch.annotations, as ES adds them, joined by line breaks."""
    text = stanza.get("action.correlationsearch.annotations")
    if not text:
        return {}
    parsed = _parse_json(stanza, "action.correlationsearch.annotations", dict)
    lists = {f"annotations.{k}": "\n".join(map(str, v)) for k, v in parsed.items() if isinstance(v, list) and v}
    return {"annotations": text, **lists}


def _parse_json(stanza: Stanza, key: str, kind: type[Any]) -> Any:
    try:
        parsed = json.loads(stanza.get(key))
    except ValueError as problem:
        raise stanza.error(key, f"{key} is not JSON: {problem}.") from None
    if not isinstance(parsed, kind):
        raise stanza.error(key, f"{key} must be a JSON {kind.__name__}.")
    return parsed


def notable_events(trigger: Trigger) -> list[Event]:
    """One notable event per result, in index=notable. A result's own field wins over the parameter of that name."""
    stanza, tokens = trigger.stanza, search_tokens(trigger)
    prefix = "action.notable.param."
    parameters = {k[len(prefix) :]: v for k, v in stanza.settings.items() if k.startswith(prefix) and v}
    structured = {
        name: _parse_json(stanza, prefix + name, list)
        for name in ("drilldown_searches", "drilldown_dashboards")
        if name in parameters
    }
    out = []
    for place, row in enumerate(trigger.rows):

        def fill(text: str, own: Row = row) -> str:
            return fill_tokens(text, tokens, trigger.rows[0], own)

        fields = {
            **_run_fields(trigger, "notable", place),
            "rule_name": stanza.get("action.correlationsearch.label") or stanza.name,
            "rule_title": stanza.name,
            "rule_description": stanza.get("description"),
            "security_domain": "threat",
            "severity": "medium",
            **_annotations(stanza),
            **{name: fill(text) for name, text in parameters.items()},
            **{name: json.dumps(_fill_json(value, fill), ensure_ascii=False) for name, value in structured.items()},
            **_result_fields(row),
        }
        out.append(_event(trigger, "notable", fields))
    return out


def _risk_list(stanza: Stanza) -> list[dict[str, Any]]:
    """The checked entries of action.risk.param._risk; the older single-object parameters give one entry."""
    key = "action.risk.param._risk"
    if not stanza.get(key):
        single = stanza.get("action.risk.param._risk_object")
        if not single:
            return []
        kind = stanza.get("action.risk.param._risk_object_type", "other")
        score = stanza.integer("action.risk.param._risk_score", 1)
        return [{"risk_object_field": single, "risk_object_type": kind, "risk_score": score}]
    entries: list[dict[str, Any]] = _parse_json(stanza, key, list)
    for entry in entries:
        names = set(entry) if isinstance(entry, dict) else set()
        if names == {"threat_object_field", "threat_object_type"}:
            continue
        if not {"risk_object_field", "risk_object_type", "risk_score"} <= names:
            raise stanza.error(key, f"an entry needs risk_object_field, risk_object_type and risk_score: {entry!r}.")
        if entry["risk_object_type"] not in RISK_TYPES:
            known = ", ".join(RISK_TYPES)
            raise stanza.error(key, f"risk_object_type '{entry['risk_object_type']}' is not one of {known}.")
        if isinstance(entry["risk_score"], bool) or not isinstance(entry["risk_score"], (int, float)):
            raise stanza.error(key, f"risk_score {entry['risk_score']!r} is not a number.")
    return entries


def risk_events(trigger: Trigger) -> list[Event]:
    """One risk event per result, risk entry and value of its risk object, in index=risk."""
    stanza, tokens = trigger.stanza, search_tokens(trigger)
    entries = _risk_list(stanza)
    objects = [entry for entry in entries if "risk_object_field" in entry]
    out = []
    for place, row in enumerate(trigger.rows):
        if objects and ("risk_object" in row or "risk_object_type" in row):
            raise stanza.error(
                "action.risk.param._risk",
                "results have risk_object/risk_object_type; ES would use those for every entry of _risk. Rename them.",
            )
        threats = [e for e in entries if "threat_object_field" in e and row.get(e["threat_object_field"])]
        for entry in objects or [{"risk_object_field": "risk_object", "risk_score": row.get("risk_score", 0)}]:
            message = entry.get("risk_message") or stanza.get("action.risk.param._risk_message")
            for value in members(row.get(entry["risk_object_field"])):
                fields = {
                    **_result_fields(row),
                    **_run_fields(trigger, "risk", place),
                    **_annotations(stanza),
                    "risk_object": value,
                    "risk_object_type": entry.get("risk_object_type") or row.get("risk_object_type", "other"),
                    "risk_score": entry["risk_score"],
                }
                if message:
                    fields["risk_message"] = fill_tokens(message, tokens, trigger.rows[0], row)
                if threats:
                    fields["threat_object"] = "\n".join(to_text(row[e["threat_object_field"]]) for e in threats)
                    fields["threat_object_type"] = "\n".join(e["threat_object_type"] for e in threats)
                out.append(_event(trigger, "risk", fields))
    return out


def summary_events(trigger: Trigger) -> list[Event]:
    """The results as events of the summary index (action.summary_index._name), at their own time where they have one.

    https://docs.splunk.com/Documentation/Splunk/latest/Knowledge/Usesummaryindexing
    """
    stanza = trigger.stanza
    prefix = "action.summary_index."
    settings = {k[len(prefix) :]: v for k, v in stanza.settings.items() if k.startswith(prefix)}
    added = {k: v for k, v in settings.items() if k not in SUMMARY_SETTINGS}
    index = stanza.get(prefix + "_name") or "summary"
    out = []
    for place, row in enumerate(trigger.rows):
        fields = {**_result_fields(row), **_run_fields(trigger, "summary_index", place), **added}
        try:
            time = float(row["_time"])
        except (KeyError, TypeError, ValueError):
            time = trigger.earliest if trigger.earliest is not None else trigger.now
        out.append(_event(trigger, index, fields, time))
    return out


def sent_events(name: str) -> Callable[[Trigger], list[Event]]:
    """What leaves Splunk, of the first result only, as an event of the index `sent`, in the form in which a webhook
    gets it. https://docs.splunk.com/Documentation/Splunk/9.4.0/Alert/Webhooks
    """

    def sent(trigger: Trigger) -> list[Event]:
        stanza, first = trigger.stanza, trigger.rows[0]
        prefix = f"action.{name}."
        tokens = search_tokens(trigger)
        payload = {
            "result": {key: to_text(value) for key, value in first.items() if value is not None},
            "sid": trigger.sid,
            "search_name": stanza.name,
            "owner": "nobody",
            "app": trigger.app,
            "settings": {
                key[len(prefix) :]: fill_tokens(value, tokens, first, first)
                for key, value in stanza.settings.items()
                if key.startswith(prefix)
            },
        }
        return [_event(trigger, "sent", payload)]

    return sent


ACTIONS: dict[str, Callable[[Trigger], list[Event]]] = {
    "notable": notable_events,
    "risk": risk_events,
    "summary_index": summary_events,
    "email": sent_events("email"),
    "webhook": sent_events("webhook"),
    "cba_chat": sent_events("cba_chat"),
}
"""The alert actions that are installed here: Splunk's own, those of Enterprise Security, and the app's."""
