"""Scheduled searches of savedsearches.conf, read strictly: a setting either does something here, is known to do nothing
in a simulation, or is an error.

Source of all settings: https://docs.splunk.com/Documentation/Splunk/latest/Admin/Savedsearchesconf
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Sequence

from lab.actions import enabled_actions
from lab.chunked import Row
from lab.conf import AppConf, Stanza
from lab.cron import Cron, parse_cron
from lab.errors import LabError
from lab.spl.times import time_modifier
from lab.spl.values import text as to_text

HANDLED = frozenset({
    "disabled", "search", "enableSched", "cron_schedule", "counttype", "relation", "quantity", "dispatch.earliest_time",
    "dispatch.latest_time", "dispatch.index_earliest", "dispatch.index_latest", "alert.suppress",
    "alert.suppress.period",
    "alert.suppress.fields", "alert.suppress.group_name", "alert.digest_mode", "alert.track", "alert.severity",
    "realtime_schedule",
})  # fmt: skip
# Scheduling under load, display and housekeeping: without effect on what a run finds when the clock is simulated.
INERT = frozenset({
    "description", "allow_skew", "schedule_window", "schedule_priority", "max_concurrent",
    "schedule_as", "workload_pool", "is_visible", "displayview", "vsid", "alert.expires", "alert.display_view",
    "alert.managedBy", "dispatch.ttl", "dispatch.buckets", "dispatch.max_time", "dispatch.max_count",
    "dispatch.time_format", "dispatch.spawn_process", "dispatch.auto_cancel", "dispatch.auto_pause",
    "dispatch.reduce_freq",
    "dispatch.allow_partial_results", "dispatch.rate_limit_retry", "dispatchAs", "restart_on_searchpeer_add",
})  # fmt: skip
INERT_PREFIXES = ("display.", "request.")
COUNT_TYPES = ("always", "number of events", "number of hosts", "number of sources")
RELATIONS = ("greater than", "less than", "equal to", "not equal to")
_PERIOD = re.compile(r"(\d+)\s*([smhd]?)$")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Suppression:
    """Throttling: for `seconds` after a trigger, per combination of `fields` (of the whole alert without fields)."""

    seconds: int
    fields: tuple[str, ...]
    scope: str

    def key(self, row: Row) -> str:
        return "\x1f".join(to_text(row.get(name)) for name in self.fields)


@dataclass(frozen=True)
class ScheduledSearch:
    """A saved search with a cron schedule. `order` is its place in the conf file."""

    name: str
    stanza: Stanza
    cron: Cron
    enabled: bool
    order: int
    actions: tuple[str, ...]
    digest: bool
    suppression: Optional[Suppression]

    @property
    def search(self) -> str:
        return self.stanza.get("search")

    @property
    def continuous(self) -> bool:
        """Whether runs that were missed are made up for."""
        return not self.stanza.boolean("realtime_schedule", True)

    @property
    def first_minute(self) -> int:
        return self.cron.minutes[0]

    def window(self, edge: str, now: float) -> Optional[float]:
        """`dispatch.<edge>` at `now`; None for an open end."""
        key = f"dispatch.{edge}"
        try:
            return time_modifier(self.stanza.get(key), now)
        except LabError as problem:
            raise self.stanza.error(key, problem.message) from None

    def condition_holds(self, rows: Sequence[Row]) -> bool:
        """counttype, relation and quantity over the results; "always" (the default) holds without any."""
        kind = self.stanza.get("counttype") or "always"
        if kind == "always":
            return True
        field = {"number of hosts": "host", "number of sources": "source"}.get(kind)
        count = len(rows) if field is None else len({to_text(row[field]) for row in rows if row.get(field) is not None})
        quantity = self.stanza.integer("quantity", 0)
        relation = self.stanza.get("relation")
        return {
            "greater than": count > quantity,
            "less than": count < quantity,
            "equal to": count == quantity,
            "not equal to": count != quantity,
        }[relation]


def scheduled_searches(app: AppConf) -> dict[str, ScheduledSearch]:
    """Every saved search that has a cron_schedule, checked; LabError names file, stanza and line of what is wrong."""
    found = {}
    for order, stanza in enumerate(app.stanzas("savedsearches").values()):
        if stanza.boolean("enableSched") and not stanza.get("cron_schedule"):
            raise stanza.error("enableSched", "enableSched = 1 without cron_schedule.")
        if stanza.get("cron_schedule"):
            found[stanza.name] = _scheduled(stanza, order)
    return found


def _scheduled(stanza: Stanza, order: int) -> ScheduledSearch:
    for key, value in stanza.settings.items():
        if key in HANDLED or key in INERT or key.startswith(INERT_PREFIXES) or key.startswith("action.") or not value:
            continue
        raise stanza.error(
            key, f"the lab does not know the setting '{key} = {value}', which may change what the search does."
        )
    if not stanza.get("search"):
        raise LabError("a scheduled search needs a search.", stanza.file, stanza.name)
    try:
        cron = parse_cron(stanza.get("cron_schedule"))
    except LabError as problem:
        raise stanza.error("cron_schedule", problem.message) from None
    _one_of(stanza, "counttype", COUNT_TYPES)
    _one_of(stanza, "relation", RELATIONS)
    if (stanza.get("counttype") or "always") != "always" and not (stanza.get("relation") and stanza.get("quantity")):
        raise stanza.error("counttype", "counttype needs relation and quantity.")
    stanza.integer("quantity", 0)
    search = ScheduledSearch(
        name=stanza.name,
        stanza=stanza,
        cron=cron,
        enabled=stanza.boolean("enableSched") and not stanza.boolean("disabled"),
        order=order,
        actions=tuple(enabled_actions(stanza)),
        digest=stanza.boolean("alert.digest_mode", True),
        suppression=_suppression(stanza),
    )
    for edge in ("earliest_time", "latest_time", "index_earliest", "index_latest"):
        search.window(edge, 1_600_000_000)
    return search


def _one_of(stanza: Stanza, key: str, known: Sequence[str]) -> None:
    value = stanza.get(key)
    if value and value not in known:
        raise stanza.error(key, f"{key} = {value} is not supported. Known: {', '.join(known)}.")


def _suppression(stanza: Stanza) -> Optional[Suppression]:
    """Throttling settings. In digest mode with fields, results of a suppressed combination are left out, as ES's
    "fields to group by" do: https://docs.splunk.com/Documentation/ES/latest/Admin/Configurecorrelationsearches"""
    if not stanza.boolean("alert.suppress"):
        return None
    match = _PERIOD.match(stanza.get("alert.suppress.period"))
    if match is None:
        key = "alert.suppress.period" if stanza.get("alert.suppress.period") else "alert.suppress"
        raise stanza.error(key, "alert.suppress = 1 needs a period such as 3600, 60m, 24h.")
    fields = tuple(name.strip().strip('"') for name in stanza.get("alert.suppress.fields").split(",") if name.strip())
    if not fields and not stanza.boolean("alert.digest_mode", True):
        raise stanza.error("alert.suppress", "alert.suppress.fields must be set when alert.digest_mode = 0.")
    return Suppression(int(match[1]) * _UNIT_SECONDS[match[2]], fields, throttle_scopes(stanza)[-1])


def throttle_scopes(stanza: Stanza) -> list[str]:
    """What the suppressions of a search may be kept under; the last is where they are kept now."""
    group = stanza.get("alert.suppress.group_name")
    return [f"search:{stanza.name}", *([f"group:{group}"] if group else [])]
