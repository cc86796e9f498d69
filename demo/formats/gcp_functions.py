"""Cloud Functions (v2) as Google Cloud audits them.

Shape: https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions/create
"""

from __future__ import annotations

from .gcp import Operation

_SERVICE = "cloudfunctions.googleapis.com"
_METHOD = "google.cloud.functions.v2.FunctionService"
LOCATION = "europe-west1"


def create(project: str, name: str, runtime: str, account: str) -> Operation:
    """A function that runs as the named service account."""
    return _change(project, name, "Create", account, {"functionId": name}, {"runtime": runtime, "entryPoint": "main"})


def update(project: str, name: str, account: str) -> Operation:
    """New code for a function."""
    return _change(project, name, "Update", account, {"updateMask": "buildConfig.source"}, {})


def _change(
    project: str, name: str, verb: str, account: str, request: dict[str, str], build: dict[str, str]
) -> Operation:
    place = f"locations/{LOCATION}"
    source = {"storageSource": {"bucket": f"gcf-v2-sources-{project}", "object": f"{name}/function-source.zip"}}
    function = {
        "name": f"projects/{project}/{place}/functions/{name}",
        "buildConfig": {**build, "source": source},
        "serviceConfig": {"serviceAccountEmail": f"{account}@{project}.iam.gserviceaccount.com"},
    }
    return Operation(
        _SERVICE,
        f"{_METHOD}.{verb}Function",
        f"cloudfunctions.functions.{verb.lower()}",
        "cloud_function",
        resource=f"{place}/functions/{name}",
        request={
            "@type": f"type.googleapis.com/google.cloud.functions.v2.{verb}FunctionRequest",
            "parent": f"projects/{project}/{place}",
            **request,
            "function": function,
        },
        location=LOCATION,
    )
