"""Google Workspace: activities of the Admin SDK Reports API.

Shapes: https://developers.google.com/admin-sdk/reports/reference/rest/v1/activities ,
https://developers.google.com/workspace/admin/reports/v1/appendix/activity/drive and …/activity/token
"""

from __future__ import annotations

from typing import Any, Optional, Union

from .azure import stable_uuid
from .template import MILLISECONDS, Stream, Template, delays

CUSTOMER = "C03nwzee1"
STREAM = Stream(
    source_kind="gws",
    index="gws",
    sourcetype="gws:reports:login",
    source="gws:reports",
    host="admin.googleapis.com",
    delays=delays(900, 0.6, late_share=0.02, late=(3600, 6300)),
    fractions=MILLISECONDS,
)

Parameters = list[dict[str, Any]]
Event = tuple[str, str, str, Optional[Parameters]]
"""(application, type, name, parameters)"""
EVENTS: dict[str, Event] = {
    "login_success": (
        "login",
        "login",
        "login_success",
        [
            {"name": "login_type", "value": "google_password"},
            {"name": "login_challenge_method", "multiValue": ["password", "google_prompt"]},
            {"name": "is_suspicious", "boolValue": False},
        ],
    ),
    "login_failure": (
        "login",
        "login",
        "login_failure",
        [
            {"name": "login_type", "value": "google_password"},
            {"name": "login_failure_type", "value": "login_failure_invalid_password"},
        ],
    ),
    "view": (
        "drive",
        "access",
        "view",
        [
            {"name": "doc_id", "value": "1@@H@@"},
            {"name": "doc_type", "value": "spreadsheet"},
            {"name": "doc_title", "value": "Planning"},
            {"name": "visibility", "value": "people_within_domain_with_link"},
        ],
    ),
    "download": (
        "drive",
        "access",
        "download",
        [
            {"name": "doc_id", "value": "1@@H@@"},
            {"name": "doc_type", "value": "pdf"},
            {"name": "doc_title", "value": "Contracts"},
        ],
    ),
    "authorize": (
        "token",
        "auth",
        "authorize",
        [
            {"name": "client_id", "value": "77185425430.apps.googleusercontent.com"},
            {"name": "app_name", "value": "Chrome"},
            {"name": "scope", "multiValue": ["openid", "email"]},
        ],
    ),
    "calendar": (
        "token",
        "auth",
        "activity",
        [
            {"name": "api_name", "value": "calendar"},
            {"name": "method_name", "value": "calendar.events.list"},
            {"name": "client_id", "value": "402881563324.apps.googleusercontent.com"},
            {"name": "app_name", "value": "Zeewind Planner"},
            {"name": "product_bucket", "value": "CALENDAR"},
            {"name": "num_response_bytes", "intValue": "1840"},
        ],
    ),
    "alert_center": ("admin", "ALERT_CENTER", "ALERT_CENTER_VIEW", None),
    "grant_admin": (
        "admin",
        "DELEGATED_ADMIN_SETTINGS",
        "ASSIGN_ROLE",
        [
            {"name": "USER_EMAIL", "value": "helpdesk@zeewind.example"},
            {"name": "ROLE_NAME", "value": "_SEED_ADMIN_ROLE"},
        ],
    ),
}


def script(name: str, doc_id: str, title: str) -> Event:
    """An Apps Script project is made or changed in Drive (create, edit)."""
    return ("drive", "access", name, _file(doc_id, title, "script"))


def share_outside(doc_id: str, title: str, whom: str) -> Event:
    """A file is shared with somebody outside the domain."""
    changes = [
        {"name": "target_user", "value": whom},
        {"name": "old_visibility", "value": "private"},
        {"name": "visibility", "value": "shared_externally"},
        {"name": "visibility_change", "value": "external"},
    ]
    return ("drive", "acl_change", "change_user_access", [*_file(doc_id, title, "spreadsheet"), *changes])


def approve(app: str, *scopes: str) -> Event:
    """Somebody lets an application act for them: `scopes` behind https://www.googleapis.com/auth/."""
    return (
        "token",
        "auth",
        "authorize",
        [
            {"name": "client_id", "value": f"{int(stable_uuid(app)[:8], 16)}-demo.apps.googleusercontent.com"},
            {"name": "app_name", "value": app},
            {"name": "client_type", "value": "WEB"},
            {"name": "scope", "multiValue": [f"https://www.googleapis.com/auth/{scope}" for scope in scopes]},
        ],
    )


def _file(doc_id: str, title: str, kind: str) -> Parameters:
    return [
        {"name": "primary_event", "boolValue": True},
        {"name": "doc_id", "value": doc_id},
        {"name": "doc_type", "value": kind},
        {"name": "doc_title", "value": title},
    ]


def template(email: str, event: Union[str, Event]) -> Template:
    """An activity of `email`, or the one of that name in `EVENTS`; each application has a sourcetype of its own."""
    application, kind, name, parameters = EVENTS[event] if isinstance(event, str) else event
    detail: dict[str, Any] = {"type": kind, "name": name}
    if parameters:
        detail["parameters"] = parameters
    actor: dict[str, Any] = {"email": email, "profileId": str(int(stable_uuid("gaia/" + email)[:8], 16)).rjust(21, "1")}
    if application == "admin":
        actor = {"callerType": "USER", **actor}
    stream = _STREAMS[application]
    return Template.of(
        stream,
        {
            "kind": "admin#reports#activity",
            "id": {
                "time": "@@T@@",
                "uniqueQualifier": "-@@N@@",
                "applicationName": application,
                "customerId": CUSTOMER,
            },
            "etag": '"_ZVRqe-BUDYcYeOIPo/@@H@@"',
            "actor": actor,
            "ipAddress": "@@I@@",
            "events": [detail],
        },
    )


def _stream(application: str) -> Stream:
    return Stream(
        STREAM.source_kind, STREAM.index, f"gws:reports:{application}", STREAM.source, STREAM.host, STREAM.delays,
        STREAM.fractions,
    )  # fmt: skip


_STREAMS = {application: _stream(application) for application in ("login", "drive", "token", "admin")}
