"""The rules of `cloud_unusual_country` once more, as plain Python over raw events: what the demo's logs must raise.

Independent of the app's library and of the generator's own knowledge of who is who: it reads the raw JSON (only the
shapes the generator writes), and states the terms of DESIGN section 3 literally. Countries come from the demo's address
table, which `test_addresses.py` checks against the app's database.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from collections import defaultdict
from typing import Any, Collection, Iterable, Mapping, Optional

from demo import addresses, lists
from demo.organization import Organization
from lab.events import Event

TRAINING, RETENTION, ACTIVATION, TRAINED_DAYS, MAX_COUNTRIES = 30, 90, 14, 5, 10
DEDUPLICATION = SUSPICION = 86400
RANK = {"informational": 0, "low": 1, "medium": 2, "high": 3}
LISTED = ("v1", "v2", "v3", "v4", "v5", "v6", "v7", "base")
SEVERITY = {
    "base": "informational", "v1": "medium", "v2": "medium", "v3": "informational", "v4": "low", "v5": "low",
    "v6": "medium", "v7": "high",
}  # fmt: skip

country_of = functools.cache(addresses.country_of)


@dataclasses.dataclass(frozen=True)
class Call:
    """A normalised event with a country, or without (`-`)."""

    time: float
    source: str
    project: str
    identity: str
    country: str
    access_key: str = ""
    at_home: bool = False
    """Of a workload whose home is known: its travels are told by another detection."""


@dataclasses.dataclass
class Raised:
    """A finding the rules raise."""

    variation: str
    identity: str
    country: str
    project: str
    first_time: float
    last_time: float
    count: int = 1


def normalise(event: Event) -> Optional[Call]:
    """The call in a raw event; None for what services do by themselves or for somebody, for a sign-in that was refused, and
    for what computers do."""
    if event.sourcetype == "sysmon:json":
        return None
    log: dict[str, Any] = json.loads(event.raw)
    if _is_refused(log):
        return None
    if event.sourcetype == "aws:cloudtrail":
        who = log["userIdentity"]
        if who["type"] == "AWSService" or "invokedBy" in who:
            return None
        identity, at_home = who["arn"], False
        if who["type"] == "AssumedRole":
            issuer, session = who["sessionContext"]["sessionIssuer"]["arn"], who["arn"].split("/")[-1]
            identity = session.lower() if "AWSReservedSSO_" in issuer else issuer
            at_home = who.get("inScopeOf") is not None or session.startswith("i-0")
        address = "-" if "vpcEndpointId" in log else log["sourceIPAddress"]
        call = _call(event, "aws", log["recipientAccountId"], identity, address, who.get("accessKeyId", ""))
        return dataclasses.replace(call, at_home=at_home)
    if event.sourcetype == "azure:monitor:activity":
        claims = log["identity"]["claims"]
        name = claims.get("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", claims["appid"])
        return _call(event, "azure", log["resourceId"].split("/")[2].lower(), name.lower(), log["callerIpAddress"])
    if event.sourcetype == "azure:monitor:aad":
        return _call(
            event, "azure", log["tenantId"], log["properties"]["userPrincipalName"].lower(), log["callerIpAddress"]
        )
    if event.sourcetype == "aws:cloudwatchlogs":
        audit = json.loads(log["message"])
        return _call(
            event, "kubernetes", log["logGroup"].split("/")[3], audit["user"]["username"], audit["sourceIPs"][0]
        )
    if event.sourcetype == "google:gcp:pubsub:message":
        payload, labels = log["protoPayload"], log["resource"]["labels"]
        kubernetes = payload["serviceName"] == "k8s.io"
        project = labels["project_id"] + ("/" + labels["cluster_name"] if kubernetes else "")
        email = payload["authenticationInfo"]["principalEmail"].lower()
        address = payload["requestMetadata"]["callerIp"]
        return _call(event, "kubernetes" if kubernetes else "gcp", project, email, address)
    if event.sourcetype == "o365:management:activity":
        address = log["ClientIP"].split(":")[0]
        return _call(event, "m365", log["OrganizationId"], log["UserId"].lower(), address)
    assert event.sourcetype.startswith("gws:reports:"), event.sourcetype
    return _call(event, "gws", log["id"]["customerId"], log["actor"]["email"].lower(), log["ipAddress"])


def _is_refused(log: Mapping[str, Any]) -> bool:
    if "Operation" in log:
        return bool(log["Operation"] == "UserLoginFailed")
    if log.get("category") == "SignInLogs":
        return bool(log["resultType"] != "0")
    return any(each.get("name") == "login_failure" for each in log.get("events", ()))


def _call(event: Event, source: str, project: str, identity: str, address: str, key: str = "") -> Call:
    return Call(event.time, source, project, identity, country_of(address), key)


def quarantined(events: Iterable[Event]) -> dict[str, float]:
    """User ARN -> when AWS attached its quarantine policy."""
    found = {}
    for event in events:
        if "AWSCompromisedKeyQuarantine" in event.raw:
            log = json.loads(event.raw)
            name = log["requestParameters"]["userName"]
            found[f"arn:aws:iam::{log['recipientAccountId']}:user/{name}"] = event.time
    return found


class History:
    """Days on which each entity was seen, per country."""

    def __init__(self) -> None:
        self.days: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def established(self, entity: str, day: int, active_from: int) -> set[str]:
        """Countries seen on 2 days of the training period, or on 1 and first 7 days before or before activation."""
        result = set()
        for country, days in self.days[entity].items():
            earlier = [d for d in days if day - RETENTION <= d < day]
            recent = [d for d in earlier if d >= day - TRAINING]
            if len(recent) >= 2 or (recent and (min(earlier) <= day - 7 or min(earlier) < active_from)):
                result.add(country)
        return result

    def trained(self, entity: str, day: int, active_from: int) -> bool:
        """First day at least 14 days before, active on 5 days, one established country."""
        days = {d for seen in self.days[entity].values() for d in seen if day - RETENTION <= d < day}
        return (
            len(days) >= TRAINED_DAYS
            and min(days) <= day - ACTIVATION
            and bool(self.established(entity, day, active_from))
        )


def expected_findings(organization: Organization, events: Iterable[Event]) -> list[Raised]:
    """Everything the detection must raise on the demo's events, in order of time."""
    events = list(events)
    calls = [call for event in events for call in [normalise(event)] if call is not None]
    watched = {row["identity"] for row in lists.watch_list(organization)}
    bad_keys = {row["access_key"] for row in lists.compromised_keys()}
    return findings_of(calls, watched, bad_keys, quarantined(events))


def findings_of(
    calls: Iterable[Call],
    watched: Collection[str] = (),
    bad_keys: Collection[str] = (),
    quarantine: Mapping[str, float] = types.MappingProxyType({}),
) -> list[Raised]:
    """Everything the detection must raise on these calls, in order of time."""
    calls = sorted(calls, key=lambda call: call.time)
    first_day: dict[str, int] = {}
    history = History()
    for call in calls:
        day = int(call.time // 86400)
        first_day.setdefault(call.source, day)
        if call.country != "-":
            for entity in (call.identity, f"project {call.project}", "organization"):
                history.days[entity][call.country].add(day)

    @functools.cache
    def known(entity: str, day: int, active_from: int) -> Optional[set[str]]:
        """Established countries of a trained entity, None for an untrained one."""
        return history.established(entity, day, active_from) if history.trained(entity, day, active_from) else None

    raised: list[Raised] = []
    for call in calls:
        day = int(call.time // 86400)
        active_from = first_day[call.source] + ACTIVATION
        if call.country == "-" or day < active_from or call.at_home:
            continue
        ladder = [known(e, day, active_from) for e in (call.identity, f"project {call.project}", "organization")]
        matching = _variations(call, ladder)
        if not matching:
            continue
        if ladder[0] is not None:
            suspicious = any(
                other.identity == call.identity
                and other.country != call.country
                and RANK[SEVERITY[other.variation]] >= RANK["low"]
                and 0 <= call.time - other.last_time <= SUSPICION
                for other in raised
            )
            if suspicious or call.identity in watched:
                matching.append("v6")
            if call.access_key in bad_keys or quarantine.get(call.identity, call.time) < call.time:
                matching.append("v7")
        chosen = max(matching, key=lambda variation: (RANK[SEVERITY[variation]], -LISTED.index(variation)))
        window = [
            other
            for other in raised
            if (other.identity, other.country) == (call.identity, call.country)
            and call.time - other.first_time < DEDUPLICATION
        ]
        if window and RANK[SEVERITY[chosen]] <= max(RANK[SEVERITY[other.variation]] for other in window):
            window[-1].count += 1
            window[-1].last_time = call.time
        else:
            raised.append(Raised(chosen, call.identity, call.country, call.project, call.time, call.time))
    return raised


def _variations(call: Call, ladder: list[Optional[set[str]]]) -> list[str]:
    """The exclusive variations that hold, by the three scopes' established countries (None: untrained)."""

    def new(scope: int) -> Optional[bool]:
        asked = next((known for known in ladder[scope:] if known is not None), None)
        return None if asked is None else call.country not in asked

    own = ladder[0]
    if not new(0) or (own is not None and len(own) > MAX_COUNTRIES):
        return []
    kubernetes = call.source == "kubernetes"
    found = []
    if new(2):
        found.append("v1" if kubernetes else "v2")
    elif new(1):
        found.append("v4" if kubernetes else "v5")
    elif own is not None:
        found.append("base" if len(own) >= 4 else "v3")
    return found
