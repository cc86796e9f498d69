"""Accounts: an identity in one project of one source, able to write its log lines."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Callable, Sequence

from .formats import aws, azure, gcp, kubernetes, m365, workspace
from .formats.template import Template

PROD, STAGING, DATA, MONITORING, SANDBOX = (
    "210987654321", "321098765432", "432109876543", "543210987654", "654321098765",
)  # fmt: skip
CORPORATE, RETAIL = "0c5b1a9e-3d47-4f62-8b90-5e1f7a6c2d34", "b7e2f4d1-96a8-4c03-a5d7-1f8e3b2c6a90"
ANALYTICS, ML = "nordwind-analytics", "nordwind-ml"
EKS, GKE = "prod-eks", "analytics-gke"
GKE_PROJECT = f"{ANALYTICS}/{GKE}"
TENANT, WORKSPACE = azure.TENANT, workspace.CUSTOMER
DOMAIN, SUBSIDIARY = "nordwind.example", "zeewind.example"


@dataclasses.dataclass(frozen=True, eq=False)
class Account:
    """`identity` and `project` are the app's normalised names. `write(operation)` makes a log line of it, of an
    operation's name or of one described in the format's own words; `routine` is what it does on a normal day (repeat an
    operation to make it more frequent)."""

    source: str
    project: str
    identity: str
    write: Callable[[Any], Template]
    routine: tuple[Any, ...]

    @functools.cached_property
    def templates(self) -> tuple[Template, ...]:
        """The log lines of the routine."""
        return tuple(self.write(operation) for operation in self.routine)


def on_aws(who: aws.Principal, *routine: Any) -> Account:
    """A principal of an AWS account."""
    return Account("aws", who.account, who.identity, lambda call: aws.template(who, call), routine)


def on_azure(subscription: str, caller: str, *routine: str, application: bool = False) -> Account:
    """A person or application in an Azure subscription; an operation `x!` is one that fails."""

    def write(operation: Any) -> Template:
        return azure.activity(subscription, caller, *_outcome(operation), application)

    return Account("azure", subscription, caller.lower(), write, routine)


def on_entra(user: str) -> Account:
    """The sign-ins of a person; `wrong_password` is a failed one."""

    def write(operation: str) -> Template:
        return azure.sign_in(user, error=50126 if operation == "wrong_password" else 0)

    return Account("azure", TENANT, user.lower(), write, ("sign_in",) * 9 + ("wrong_password",))


def on_gcp(project: str, email: str, *routine: str) -> Account:
    """A person or service account in a GCP project; an operation `x!` is one that is denied."""

    def write(operation: Any) -> Template:
        return gcp.template(project, email, *_outcome(operation))

    return Account("gcp", project, email.lower(), write, routine)


def on_eks(username: str, *routine: str) -> Account:
    """A Kubernetes user or service account of the EKS cluster."""

    def write(operation: str) -> Template:
        return kubernetes.eks(EKS, username, operation.rstrip("!"), operation.endswith("!"))

    return Account("kubernetes", EKS, username, write, routine)


def on_gke(username: str, *routine: str) -> Account:
    """A person on the GKE cluster of the analytics project."""

    def write(operation: str) -> Template:
        return kubernetes.gke(ANALYTICS, GKE, username, operation.rstrip("!"), operation.endswith("!"))

    return Account("kubernetes", GKE_PROJECT, username, write, routine)


def on_m365(user: str, *routine: str) -> Account:
    """A mailbox user. Exchange writes the source port behind some addresses."""

    def write(operation: Any) -> Template:
        return m365.template(user, operation, "@@I@@:52211" if operation == "Send" else "@@I@@")

    return Account("m365", TENANT, user.lower(), write, routine or _OFFICE_WORK)


def on_workspace(email: str, *routine: str) -> Account:
    """A user of the subsidiary's Workspace."""
    return Account(
        "gws", WORKSPACE, email.lower(), lambda event: workspace.template(email, event), routine or _WORKSPACE
    )


def _outcome(operation: Any) -> tuple[Any, bool]:
    """An operation, and whether it fails: one given by name does when the name ends in `!`."""
    if not isinstance(operation, str):
        return operation, False
    return operation.rstrip("!"), operation.endswith("!")


def engineer(account: str, email: str) -> Account:
    """A person at the AWS console and command line, through IAM Identity Center."""
    return on_aws(aws.person(account, "Engineer", email), *_CONSOLE)


_OFFICE_WORK = (
    "UserLoggedIn", "MailItemsAccessed", "MailItemsAccessed", "Send", "FileAccessed", "FileAccessed", "FileModified",
    "MessageSent", "MessageSent", "UserLoginFailed",
)  # fmt: skip
_WORKSPACE = ("login_success", "view", "view", "view", "download", "authorize", "calendar", "login_failure")
_CONSOLE = (
    "whoami", "instances", "groups", "buckets", "bucket_acl", "topics", "log_groups", "alarms", "queues",
    "functions", "denied", "missing",
)  # fmt: skip


def people_accounts(email: str, projects: Sequence[str]) -> list[Account]:
    """The accounts of a person in the named projects."""
    lower = email.lower()
    made: dict[str, Callable[[], Account]] = {
        "m365": lambda: on_m365(email),
        "entra": lambda: on_entra(email),
        "workspace": lambda: on_workspace(email),
        "eks": lambda: on_eks(
            lower, "list_pods", "list_pods", "get_deployment", "review", "get_config", "list_secrets!"
        ),
        "gke": lambda: on_gke(lower, "list_pods", "list_pods", "get_deployment", "review", "get_config"),
        CORPORATE: lambda: on_azure(CORPORATE, email, "vm_read", "vm_start", "deployment", "vault!"),
        RETAIL: lambda: on_azure(RETAIL, email, "vm_read", "vm_start", "storage_keys", "deployment!"),
        ANALYTICS: lambda: on_gcp(ANALYTICS, lower, "query", "query", "buckets", "object", "secret!"),
        ML: lambda: on_gcp(ML, lower, "instances", "instances", "start", "object", "policy!"),
    }
    return [made[name]() if name in made else engineer(name, email) for name in projects]
