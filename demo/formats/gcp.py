"""Google Cloud audit logs: LogEntry with an AuditLog payload, as a Pub/Sub export delivers it.

Shapes: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry and
https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
"""

from __future__ import annotations

import dataclasses
from typing import Any, Optional, Union

from .template import Stream, Template, delays, fractions

STREAM = Stream(
    source_kind="gcp",
    index="gcp",
    sourcetype="google:gcp:pubsub:message",
    source="projects/nordwind-logging/subscriptions/splunk",
    host="pubsub.googleapis.com",
    delays=delays(15, 0.8, late_share=0.004, late=(300, 1500)),
    fractions=fractions(lambda ms: f".{ms:03d}481907Z"),
)
GCLOUD = "google-cloud-sdk gcloud/504.0.1 command/gcloud.compute.instances.list invocation-id/@@H@@ environment/None"
CLIENT = "google-api-python-client/2.156.0 (gzip),gzip(gfe)"


@dataclasses.dataclass(frozen=True)
class Operation:
    """One audited method. `resource` below the project and `request`, where the log has them; `location`: of the
    resource."""

    service: str
    method: str
    permission: str
    resource_type: str
    log: str = "activity"
    severity: str = "NOTICE"
    resource: str = ""
    request: Optional[dict[str, Any]] = None
    location: str = ""


OPERATIONS: dict[str, Operation] = {
    "instances": Operation(
        "compute.googleapis.com",
        "v1.compute.instances.list",
        "compute.instances.list",
        "gce_instance",
        "data_access",
        "INFO",
    ),
    "start": Operation(
        "compute.googleapis.com", "v1.compute.instances.start", "compute.instances.start", "gce_instance"
    ),
    "buckets": Operation(
        "storage.googleapis.com", "storage.buckets.list", "storage.buckets.list", "gcs_bucket", "data_access", "INFO"
    ),
    "object": Operation(
        "storage.googleapis.com", "storage.objects.get", "storage.objects.get", "gcs_bucket", "data_access", "INFO"
    ),
    "query": Operation(
        "bigquery.googleapis.com",
        "google.cloud.bigquery.v2.JobService.InsertJob",
        "bigquery.jobs.create",
        "bigquery_project",
        "data_access",
        "INFO",
    ),
    "secret": Operation(
        "secretmanager.googleapis.com",
        "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
        "secretmanager.versions.access",
        "audited_resource",
        "data_access",
        "INFO",
    ),
    "policy": Operation(
        "cloudresourcemanager.googleapis.com", "SetIamPolicy", "resourcemanager.projects.setIamPolicy", "project"
    ),
    "sa_key": Operation(
        "iam.googleapis.com",
        "google.iam.admin.v1.CreateServiceAccountKey",
        "iam.serviceAccountKeys.create",
        "service_account",
    ),
}


def template(project: str, email: str, operation: Union[str, Operation], denied: bool = False) -> Template:
    """The log entry of `email` calling an operation, or the one of that name in `OPERATIONS`, in `project`."""
    what = OPERATIONS[operation] if isinstance(operation, str) else operation
    resource = f"projects/{project}" + (f"/{what.resource}" if what.resource else "")
    labels = {"project_id": project, **({"location": what.location} if what.location else {})}
    service_account = email.endswith("gserviceaccount.com")
    who: dict[str, Any] = {"principalEmail": email}
    if service_account:
        who["serviceAccountKeyName"] = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{email}/keys/5f0c"
    who["principalSubject"] = f"{'serviceAccount' if service_account else 'user'}:{email}"
    payload: dict[str, Any] = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "status": {"code": 7, "message": "PERMISSION_DENIED"} if denied else {},
        "authenticationInfo": who,
        "requestMetadata": {
            "callerIp": "@@I@@",
            "callerSuppliedUserAgent": CLIENT if service_account else GCLOUD,
            "requestAttributes": {"time": "@@T@@", "auth": {}},
            "destinationAttributes": {},
        },
        "serviceName": what.service,
        "methodName": what.method,
        "authorizationInfo": [
            {
                "resource": resource,
                "permission": what.permission,
                "granted": not denied,
                "resourceAttributes": {"service": what.service, "name": resource},
            }
        ],
        "resourceName": resource,
    }
    if what.request is not None:
        payload["request"] = what.request
    return Template.of(
        STREAM,
        {
            "protoPayload": payload,
            "insertId": "@@H@@",
            "resource": {"type": what.resource_type, "labels": labels},
            "timestamp": "@@T@@",
            "severity": "ERROR" if denied else what.severity,
            "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{what.log}",
            "receiveTimestamp": "@@R@@",
        },
    )
