"""Microsoft 365 unified audit log, as the Office 365 Management Activity API returns it.

Shapes: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema and
https://learn.microsoft.com/power-platform/admin/logging-power-automate
"""

from __future__ import annotations

import dataclasses
from typing import Any, Union

from .azure import TENANT, stable_uuid
from .template import Stream, Template, delays, fractions

STREAM = Stream(
    source_kind="m365",
    index="o365",
    sourcetype="o365:management:activity",
    source="nordwind-management-activity",
    host="nordwind",
    # Minutes to more than an hour: content blobs are made available when Microsoft has collected them.
    delays=delays(1200, 0.5, late_share=0.02, late=(3600, 6300)),
    fractions=fractions(lambda ms: ""),
    whole_seconds=True,
)


@dataclasses.dataclass(frozen=True)
class Act:
    """An operation with the fields that tell it from others of its kind."""

    operation: str
    workload: str
    record_type: int
    fields: dict[str, Any]


OPERATIONS: dict[str, tuple[str, int]] = {
    "UserLoggedIn": ("AzureActiveDirectory", 15),
    "UserLoginFailed": ("AzureActiveDirectory", 15),
    "MailItemsAccessed": ("Exchange", 50),
    "Send": ("Exchange", 2),
    "New-InboxRule": ("Exchange", 1),
    "FileAccessed": ("SharePoint", 6),
    "FileModified": ("SharePoint", 6),
    "FileDownloaded": ("OneDrive", 6),
    "MessageSent": ("MicrosoftTeams", 25),
}


def flow(operation: str, flow_id: str, *connectors: str) -> Act:
    """A Power Automate flow is made or changed (CreateFlow, EditFlow); `connectors` as makers see them."""
    url = f"https://make.powerautomate.com/environments/Default-{TENANT}/flows/{flow_id}/details"
    fields = {
        "FlowConnectorNames": ", ".join(connectors),
        "FlowDetailsUrl": url,
        "LicenseDisplayName": "Microsoft 365 E3",
        "UserTypeInitiated": 1,
    }
    return Act(operation, "MicrosoftFlow", 30, fields)


def inbox_rule(name: str, **parameters: str) -> Act:
    """A rule of the user's own mailbox, e.g. `MoveToFolder="News"` or `ForwardTo="someone@example.com"`."""
    pairs = [{"Name": key, "Value": value} for key, value in {"Name": name, **parameters}.items()]
    return Act("New-InboxRule", "Exchange", 1, {"Parameters": pairs})


def link_for_anyone(path: str) -> Act:
    """A file is shared by a link that opens it for whoever has it."""
    fields = {"EventData": "<Type>View</Type><Expiration>Never</Expiration>", "SourceRelativeUrl": "Documents"}
    return Act("AnonymousLinkCreated", "OneDrive", 14, {**fields, "SourceFileName": path})


def template(user: str, what: Union[str, Act], address: str = "@@I@@") -> Template:
    """An audit record of `user`: of an act, or of the operation of that name in `OPERATIONS`. `address` may wrap the
    hole, e.g. `@@I@@:52211` as Exchange writes it."""
    act = what if isinstance(what, Act) else Act(what, *OPERATIONS[what], {})
    operation, workload, record_type = act.operation, act.workload, act.record_type
    record: dict[str, Any] = {
        "CreationTime": "@@T@@",
        "Id": "@@A@@",
        "Operation": operation,
        "OrganizationId": TENANT,
        "RecordType": record_type,
        "ResultStatus": "Failed" if operation == "UserLoginFailed" else "Succeeded",
        "UserKey": stable_uuid("puid/" + user.lower())[:18].replace("-", "").upper(),
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": address,
        "UserId": user,
    }
    local = user.split("@")[0].lower().replace(".", "_")
    if workload == "AzureActiveDirectory":
        record.update(
            {
                "ObjectId": "00000002-0000-0ff1-ce00-000000000000",
                "AzureActiveDirectoryEventType": 1,
                "ExtendedProperties": [
                    {"Name": "ResultStatusDetail", "Value": "Success"},
                    {"Name": "UserAgent", "Value": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0"},
                    {"Name": "RequestType", "Value": "OAuth2:Authorize"},
                ],
                "Actor": [{"ID": stable_uuid("oid/" + user.lower()), "Type": 0}, {"ID": user, "Type": 5}],
                "ActorContextId": TENANT,
                "ActorIpAddress": "@@I@@",
                "InterSystemsId": "@@B@@",
                "IntraSystemId": "@@B@@",
                "Target": [{"ID": "00000002-0000-0ff1-ce00-000000000000", "Type": 0}],
                "TargetContextId": TENANT,
                "ApplicationId": "4765445b-32c6-49b0-83e6-1d93765276ca",
            }
        )
        if operation == "UserLoginFailed":
            record["LogonError"] = "InvalidUserNameOrPassword"
            record["ErrorNumber"] = "50126"
    elif workload == "Exchange":
        record.update(
            {
                "ClientIPAddress": address,
                "ClientInfoString": "Client=OWA;Action=ViaProxy",
                "ExternalAccess": False,
                "InternalLogonType": 0,
                "LogonType": 0,
                "MailboxGuid": stable_uuid("mailbox/" + user.lower()),
                "MailboxOwnerUPN": user,
                "OrganizationName": "nordwind.onmicrosoft.com",
                "OriginatingServer": "AM9PR07MB7187 (15.20.8314.012)\r\n",
                "SessionId": "@@B@@",
            }
        )
        if what == "New-InboxRule":
            record["Parameters"] = [
                {"Name": "Name", "Value": "."},
                {"Name": "SubjectContainsWords", "Value": "invoice;payment"},
                {"Name": "MoveToFolder", "Value": "RSS Feeds"},
            ]
    elif workload == "MicrosoftTeams":
        record.update({"CommunicationType": "OneOnOne", "ItemName": "19:@@H@@@unq.gbl.spaces", "MessageId": "@@N@@"})
    elif workload == "MicrosoftFlow":
        record.update({"ObjectId": "@@B@@", "UserUPN": user})
    else:
        site = f"https://nordwind-my.sharepoint.com/personal/{local}_nordwind_example/"
        record.update(
            {
                "ObjectId": site + "Documents/plan.xlsx",
                "EventSource": "SharePoint",
                "ItemType": "File",
                "Site": stable_uuid("site/" + local),
                "SiteUrl": site,
                "SourceFileExtension": "xlsx",
                "SourceFileName": "plan.xlsx",
                "SourceRelativeUrl": "Documents",
                "UserAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36",
                "CorrelationId": "@@B@@",
                "IsManagedDevice": True,
            }
        )
    return Template.of(STREAM, {**record, **act.fields})
