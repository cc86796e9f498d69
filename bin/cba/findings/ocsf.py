"""A finding as an event of the Open Cybersecurity Schema Framework: Detection Finding (class 2004), with the profile
cloud, or host where it is about one.

Version 1.3.0, which most of those who take OCSF take: https://schema.ocsf.io/1.3.0/classes/detection_finding
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping

from ..terms import APP, severity_rank
from .export import FIELDS

VERSION = "1.3.0"
CLASS, CATEGORY = 2004, 2
CREATE, UPDATE, CLOSE = 1, 2, 3
ACTIVITIES = {CREATE: "Create", UPDATE: "Update", CLOSE: "Close"}
STATUSES = {"new": (1, "New"), "in progress": (2, "In Progress"), "closed": (4, "Resolved")}
SUPPRESSED = (3, "Suppressed")
"""Of what was looked at and found benign."""
BEHAVIORAL = 2
RISKS = ("Info", "Low", "Medium", "High", "Critical")
VENDOR, PRODUCT = "Cloud Behavior Analytics contributors", "Cloud Behavior Analytics"
USER_NAME, IP_ADDRESS, HOSTNAME, FILE_NAME, RESOURCE_UID = 4, 2, 1, 7, 10
"""Types of observables."""
UNKNOWN_DEVICE = 0
REGULAR_FILE = 1
RESOURCES = {
    "resource": "cloud resource", "function": "function", "workload": "workload", "pod": "pod", "flow": "flow",
    "script": "script", "role": "role",
}  # fmt: skip
"""Fields that name what it was done to, or with."""

Record = Mapping[str, Any]
Event = dict[str, Any]


def event(record: Record, detection_name: str, product_version: str) -> Event:
    """The event for a finding as `export.exported` gives it. `detection_name` is what its detection is called."""
    activity, (status_id, status) = _activity(record), _status(record)
    severity, risk = record["severity_id"], severity_rank(record["severity"]) - 1
    of_cloud = record["source_kind"] != "endpoint"
    evidences = list(_evidences(record))
    made = {
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "activity_id": activity,
        "activity_name": ACTIVITIES[activity],
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {ACTIVITIES[activity]}",
        "time": _milliseconds(record["raised_time"]),
        "start_time": _milliseconds(record["first_time"]),
        "end_time": _milliseconds(record["last_time"]),
        "count": record["count"],
        "severity_id": severity,
        "severity": record["severity"].capitalize(),
        "status_id": status_id,
        "status": status,
        "comment": record.get("comment", ""),
        "message": f"{record['name']}: {record['entity']}",
        "metadata": {
            "version": VERSION,
            "product": {"name": PRODUCT, "vendor_name": VENDOR, "uid": APP, "version": product_version},
            "uid": record["finding_id"],
            "profiles": ["cloud" if of_cloud else "host"],
            "log_name": record["source_kind"],
        },
        "finding_info": {
            "uid": record["finding_id"],
            "title": record["name"],
            "desc": record["explanation"],
            "analytic": {
                "uid": record["detection"],
                "name": detection_name,
                "category": record["variation"],
                "type_id": BEHAVIORAL,
                "type": "Behavioral",
            },
            "attacks": list(_attacks(record["attack"])),
            "created_time": _milliseconds(record["raised_time"]),
            "modified_time": _milliseconds(record["updated_time"]),
            "first_seen_time": _milliseconds(record["first_time"]),
            "last_seen_time": _milliseconds(record["last_time"]),
            "data_sources": [record["source_kind"]],
            "types": ["Anomaly"],
        },
        "risk_score": record["anomaly_score"],
        "risk_level_id": risk,
        "risk_level": RISKS[risk],
        "evidences": evidences,
        "resources": [{"uid": name, "type": kind} for kind, name in _resources(record)],
        "observables": list(_observables(record, evidences)),
        "unmapped": {name: value for name, value in record.items() if name not in _MAPPED},
    }
    if of_cloud:
        made["cloud"] = _filled(
            {
                "provider": record.get("provider") or record["source_kind"],
                "account": _filled({"uid": record.get("project", "")}),
                "region": record.get("region", ""),
            }
        )
    else:
        made["device"] = _device(record)
    return _filled(made)


_MAPPED = frozenset(FIELDS) - {"variations_matched", "key", "suppressed_count", "related_finding", "chain_steps"}
"""Fields that need not be repeated as they are."""


def _filled(given: Mapping[str, Any]) -> Event:
    """Without what is empty: an attribute that says nothing is left out."""
    return {name: value for name, value in given.items() if value not in ("", None, [], {})}


def _milliseconds(seconds: Any) -> Any:
    return seconds * 1000 if seconds else None


def _activity(record: Record) -> int:
    if record["status"] == "closed":
        return CLOSE
    return CREATE if record["status"] == "new" else UPDATE


def _status(record: Record) -> tuple[int, str]:
    if record.get("verdict") == "benign":
        return SUPPRESSED
    return STATUSES.get(record["status"], (0, "Unknown"))


def _attacks(ids: Iterable[str]) -> Iterator[Event]:
    for each in ids:
        technique, dot, _sub = each.partition(".")
        if each.startswith("TA"):
            yield {"tactic": {"uid": each}}
        elif dot:
            yield {"technique": {"uid": technique}, "sub_technique": {"uid": each}}
        else:
            yield {"technique": {"uid": each}}


def _evidences(record: Record) -> Iterator[Event]:
    """One for each thing that was done, by whom and from where; what it was compared with stands with the first."""
    network = record.get("asn", "")
    place = {
        "actor": _filled(
            {"user": _filled({"name": record.get("identity", ""), "type": record.get("identity_type", "")})}
        ),
        "src_endpoint": _filled(
            {
                "ip": record.get("src_ip", ""),
                "location": _filled({"country": _country(record.get("country", ""))}) if record.get("src_ip") else {},
                "autonomous_system": _filled(
                    {"number": int(network) if network.isdigit() else None, "name": record.get("as_org", "")}
                )
                if record.get("src_ip")
                else {},
            }
        ),
        "file": _executable(record) if record.get("process") else {},
        "device": _device(record) if record.get("host") else {},
    }
    for at, operation in enumerate(record.get("operations") or [""]):
        calls = {"operation": operation} if operation else {}
        found = _filled({**place, "api": calls, "data": record["evidence"] if at == 0 else None})
        if found:
            yield found


def _country(code: str) -> str:
    """`private` is no country."""
    return code if len(code) == 2 and code.isupper() else ""


def _executable(record: Record) -> Event:
    """What ran, as a file: of a process OCSF asks for a number that the logs need not have."""
    told = {"name": record["process"], "path": record.get("process_path", "")}
    return _filled({**told, "type_id": REGULAR_FILE, "type": "Regular File"})


def _device(record: Record) -> Event:
    return {"hostname": record.get("host", record["entity"]), "type_id": UNKNOWN_DEVICE, "type": "Unknown"}


def _resources(record: Record) -> Iterator[tuple[str, str]]:
    yield from ((kind, str(record[name])) for name, kind in RESOURCES.items() if record.get(name))
    yield from (("secret", name) for name in record.get("secret_names", ()))


def _observables(record: Record, evidences: list[Event]) -> Iterator[Event]:
    """Where in the event what stands that people search for."""
    if evidences:
        said = (
            ("actor.user.name", "User Name", USER_NAME, record.get("identity")),
            ("src_endpoint.ip", "IP Address", IP_ADDRESS, record.get("src_ip")),
            ("device.hostname", "Hostname", HOSTNAME, record.get("host")),
            ("file.name", "File Name", FILE_NAME, record.get("process")),
        )
        for where, kind, number, value in said:
            if value:
                yield {"name": f"evidences[0].{where}", "type": kind, "type_id": number, "value": value}
    for at, (_kind, name) in enumerate(_resources(record)):
        yield {"name": f"resources[{at}].uid", "type": "Resource UID", "type_id": RESOURCE_UID, "value": name}
