"""Kubernetes audit events in two envelopes: EKS through CloudWatch, GKE through Cloud Logging.

Shapes: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ ,
https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html and
https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
"""

from __future__ import annotations

import json
from typing import Any, Union

from . import gcp
from .template import Stream, Template, delays, fractions

EKS = Stream(
    source_kind="kubernetes",
    index="kubernetes",
    sourcetype="aws:cloudwatchlogs",
    source="eu-west-1:/aws/eks/prod-eks/cluster:kube-apiserver-audit",
    host="prod-eks",
    delays=delays(45, 0.6, late_share=0.005, late=(300, 1500)),
    fractions=fractions(lambda ms: f".{ms:03d}274Z"),
)
GKE = Stream(
    source_kind="kubernetes",
    index="gcp",
    sourcetype=gcp.STREAM.sourcetype,
    source=gcp.STREAM.source,
    host=gcp.STREAM.host,
    delays=gcp.STREAM.delays,
    fractions=gcp.STREAM.fractions,
)

POD = "web-7c9d8f6b5-x2x4q"
Request = tuple[str, str, str]
"""(verb, resource, path)"""
OPERATIONS: dict[str, Request] = {
    "list_pods": ("list", "pods", "/api/v1/namespaces/shop/pods?limit=500"),
    "get_deployment": ("get", "deployments", "/apis/apps/v1/namespaces/shop/deployments/web"),
    "patch_deployment": ("patch", "deployments", "/apis/apps/v1/namespaces/shop/deployments/web"),
    "get_config": ("get", "configmaps", "/api/v1/namespaces/shop/configmaps/web"),
    "list_secrets": ("list", "secrets", "/api/v1/namespaces/shop/secrets?limit=500"),
    "exec": ("create", "pods/exec", f"/api/v1/namespaces/shop/pods/{POD}/exec?command=sh"),
    "review": ("create", "selfsubjectaccessreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
}


def _code(verb: str, denied: bool) -> int:
    return 403 if denied else 201 if verb == "create" else 200


def execution(namespace: str, pod: str) -> Request:
    """A shell is opened in a pod."""
    return "create", "pods/exec", f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?command=sh"


def secrets_of(namespace: str) -> Request:
    """The secrets of a namespace are listed."""
    return "list", "secrets", f"/api/v1/namespaces/{namespace}/secrets?limit=500"


def _object(resource: str, uri: str) -> dict[str, str]:
    """What a request is about; a subresource such as `pods/exec` is that of one pod."""
    kind, _, part = resource.partition("/")
    path = uri.split("?")[0].split("/")
    namespace = path[path.index("namespaces") + 1] if "namespaces" in path else "shop"
    about = {"resource": kind, "namespace": namespace, "apiVersion": "v1"}
    return {**about, "subresource": part, "name": path[path.index(kind) + 1]} if part else about


def eks(cluster: str, username: str, operation: Union[str, Request], denied: bool = False) -> Template:
    """An audit event of an EKS cluster inside its CloudWatch Logs record: of a request, or of the one of that name in
    `OPERATIONS`."""
    verb, resource, uri = OPERATIONS[operation] if isinstance(operation, str) else operation
    service_account = username.startswith("system:serviceaccount:")
    groups = (
        ["system:serviceaccounts", "system:authenticated"]
        if service_account
        else ["developers", "system:authenticated"]
    )
    audit: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "@@A@@",
        "stage": "ResponseComplete",
        "requestURI": uri,
        "verb": verb,
        "user": {"username": username, "groups": groups},
        "sourceIPs": ["@@I@@"],
        "userAgent": "argocd-application-controller/v2.13.2" if service_account else "kubectl/v1.32.0 (linux/amd64)",
        "objectRef": _object(resource, uri),
        "responseStatus": {"metadata": {}, "code": _code(verb, denied)},
        "requestReceivedTimestamp": "@@T@@",
        "stageTimestamp": "@@T@@",
        "annotations": {
            "authorization.k8s.io/decision": "forbid" if denied else "allow",
            "authorization.k8s.io/reason": "" if denied else 'RBAC: allowed by RoleBinding "developers/shop"',
        },
    }
    return Template.of(
        EKS,
        {
            "id": "@@N@@@@N@@",
            "timestamp": "@@#E@@",
            "owner": "210987654321",
            "logGroup": f"/aws/eks/{cluster}/cluster",
            "logStream": "kube-apiserver-audit-0f4b1e9d572c7a4e1b9d106f1c3b528f",
            "message": json.dumps(audit, separators=(",", ":")),
        },
    )


def gke(project: str, cluster: str, username: str, operation: str, denied: bool = False) -> Template:
    """An audit entry of a GKE cluster in Cloud Logging (service k8s.io)."""
    verb, resource, uri = OPERATIONS[operation]
    group = "apps.v1" if "/apis/apps/" in uri else "core.v1"
    method = f"io.k8s.{group}.{resource.replace('/', '.')}.{verb}"
    name = uri.split("?")[0].replace("/apis/", "").replace("/api/", "core/", 1)
    payload: dict[str, Any] = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": username},
        "authorizationInfo": [{"granted": not denied, "permission": method, "resource": name}],
        "methodName": method,
        "requestMetadata": {"callerIp": "@@I@@", "callerSuppliedUserAgent": "kubectl/v1.32.0 (darwin/arm64)"},
        "resourceName": name,
        "serviceName": "k8s.io",
        "status": {"code": 7, "message": "PERMISSION_DENIED"} if denied else {},
    }
    return Template.of(
        GKE,
        {
            "insertId": "@@A@@",
            "labels": {
                "authorization.k8s.io/decision": "forbid" if denied else "allow",
                "authorization.k8s.io/reason": "access granted by IAM permissions.",
            },
            "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2Factivity",
            "operation": {"first": True, "id": "@@A@@", "last": True, "producer": "k8s.io"},
            "protoPayload": payload,
            "receiveTimestamp": "@@R@@",
            "resource": {
                "labels": {"cluster_name": cluster, "location": "europe-west1", "project_id": project},
                "type": "k8s_cluster",
            },
            "timestamp": "@@T@@",
        },
    )
