"""Microsoft 365 unified audit log, as the Office 365 Management Activity API returns it.

Shapes: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
"""

from __future__ import annotations

from typing import Any

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


def template(user: str, operation: str, address: str = "@@I@@") -> Template:
    """An audit record of `user`; `address` may wrap the hole, e.g. `@@I@@:52211` as Exchange writes it."""
    workload, record_type = OPERATIONS[operation]
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
        if operation == "New-InboxRule":
            record["Parameters"] = [
                {"Name": "Name", "Value": "."},
                {"Name": "SubjectContainsWords", "Value": "invoice;payment"},
                {"Name": "MoveToFolder", "Value": "RSS Feeds"},
            ]
    elif workload == "MicrosoftTeams":
        record.update({"CommunicationType": "OneOnOne", "ItemName": "19:@@H@@@unq.gbl.spaces", "MessageId": "@@N@@"})
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
    return Template.of(STREAM, record)
