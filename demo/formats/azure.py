"""Azure: activity log and Entra sign-ins, as diagnostic settings write them to an event hub.

Shapes: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
(storage account and event hubs) and https://learn.microsoft.com/graph/api/resources/signin
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Union

from .template import Stream, Template, delays, fractions

TENANT = "6f1c3b52-8f0a-4b1e-9d57-2c7a4e1b9d10"
_HUB = "nordwind-logs.servicebus.windows.net"
_TICKS = fractions(lambda ms: f".{ms:03d}3172Z")
ACTIVITY = Stream(
    "azure", "azure", "azure:monitor:activity", "insights-activity-logs", _HUB,
    delays(240, 0.6, late_share=0.01, late=(1200, 2400)), _TICKS,
)  # fmt: skip
SIGN_IN = Stream(
    "azure", "azure", "azure:monitor:aad", "insights-logs-signinlogs", _HUB,
    delays(180, 0.6, late_share=0.01, late=(1200, 2400)), _TICKS,
)  # fmt: skip

OPERATIONS: dict[str, tuple[str, str]] = {
    "vm_start": ("Microsoft.Compute/virtualMachines/start/action", "virtualMachines/shop-01"),
    "vm_read": ("Microsoft.Compute/virtualMachines/write", "virtualMachines/shop-01"),
    "storage_keys": ("Microsoft.Storage/storageAccounts/listKeys/action", "storageAccounts/nwretail"),
    "deployment": ("Microsoft.Resources/deployments/write", "deployments/release"),
    "vault": ("Microsoft.KeyVault/vaults/write", "vaults/nw-retail"),
    "role": ("Microsoft.Authorization/roleAssignments/write", "roleAssignments/0b6e"),
}


def stable_uuid(text: str) -> str:
    """A GUID that is the same for equal text."""
    return str(uuid.UUID(hashlib.sha256(text.encode()).hexdigest()[:32], version=4))


def activity(
    subscription: str,
    caller: str,
    operation: Union[str, tuple[str, str]],
    failed: bool = False,
    application: bool = False,
) -> Template:
    """An activity-log record of `caller` (a user name, or an application id) in `subscription`. The operation is an
    action and the resource it is about, or the name of one in `OPERATIONS`."""
    action, resource = OPERATIONS[operation] if isinstance(operation, str) else operation
    provider = action.split("/")[0]
    path = f"/subscriptions/{subscription}/resourceGroups/retail/providers/{provider}/{resource}"
    claims: dict[str, Any] = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{TENANT}/",
        "appid": caller if application else "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "appidacr": "1" if application else "0",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": stable_uuid("oid/" + caller.lower()),
        "http://schemas.microsoft.com/identity/claims/tenantid": TENANT,
        "ipaddr": "@@I@@",
    }
    if application:
        claims["idtyp"] = "app"
    else:
        claims["name"] = caller.split("@")[0].replace(".", " ").title()
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = caller
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] = caller
    return Template.of(
        ACTIVITY,
        {
            "time": "@@T@@",
            "resourceId": path.upper(),
            "operationName": action.upper(),
            "category": "Administrative",
            "resultType": "Failure" if failed else "Success",
            "resultSignature": "Failed.Forbidden" if failed else "Succeeded.OK",
            "durationMs": "312",
            "callerIpAddress": "@@I@@",
            "correlationId": "@@B@@",
            "identity": {
                "authorization": {
                    "scope": path,
                    "action": action,
                    "evidence": {"role": "Contributor", "roleAssignmentScope": f"/subscriptions/{subscription}"},
                },
                "claims": claims,
            },
            "level": "Error" if failed else "Information",
            "location": "westeurope",
            "properties": {
                "statusCode": "Forbidden" if failed else "OK",
                "serviceRequestId": None,
                "eventDataId": "@@A@@",
                "eventCategory": "Administrative",
                "entity": path,
                "message": action,
                "hierarchy": f"{TENANT}/{subscription}",
            },
            "tenantId": TENANT,
        },
    )


def sign_in(user: str, application: str = "Office 365 Exchange Online", error: int = 0) -> Template:
    """An interactive Entra sign-in of `user`; `error` 50126 is a wrong password."""
    return Template.of(
        SIGN_IN,
        {
            "time": "@@T@@",
            "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "operationName": "Sign-in activity",
            "operationVersion": "1.0",
            "category": "SignInLogs",
            "tenantId": TENANT,
            "resultType": str(error),
            "resultSignature": "None",
            "durationMs": 0,
            "callerIpAddress": "@@I@@",
            "correlationId": "@@B@@",
            "identity": user.split("@")[0].replace(".", " ").title(),
            "Level": 4,
            "properties": {
                "id": "@@A@@",
                "createdDateTime": "@@T@@",
                "userDisplayName": user.split("@")[0].replace(".", " ").title(),
                "userPrincipalName": user,
                "userId": stable_uuid("oid/" + user.lower()),
                "appId": stable_uuid("app/" + application),
                "appDisplayName": application,
                "ipAddress": "@@I@@",
                "status": {"errorCode": error},
                "clientAppUsed": "Browser",
                "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36",
                "deviceDetail": {"deviceId": "", "operatingSystem": "Windows 11", "browser": "Chrome 131.0.0"},
                "correlationId": "@@B@@",
                "conditionalAccessStatus": "success" if not error else "notApplied",
                "isInteractive": True,
                "authenticationRequirement": "multiFactorAuthentication",
                "tokenIssuerType": "AzureAD",
                "riskLevelDuringSignIn": "none",
                "riskState": "none",
                "resourceDisplayName": application,
                "resourceId": "00000002-0000-0ff1-ce00-000000000000",
            },
        },
    )
