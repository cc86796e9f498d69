"""What each detection must be, row by row: the facts of the pages that the detections were made from.

The YAML and the scenarios are compared with these rows, so that neither a name nor a severity nor an order changes
unnoticed. `test_rows.py` lists every row without a variation or a scenario.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

ACTIVATION_DAYS, TRAINING_DAYS = 14, 30


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A variation: the number it is listed under, its severity, kind and exact name."""

    number: str
    severity: str
    kind: str
    name: str


@dataclasses.dataclass(frozen=True)
class Chain:
    """What a chain of exactly these signals may be raised as; which of two severities depends on more."""

    signals: frozenset[str]
    severities: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Table:
    """A detection: days of deduplication and the fields of its key, `rows` in listed order or `chains`.

    `tactics` is empty where the page names none: then any will do.
    """

    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    sources: tuple[str, ...]
    deduplication: int
    key: tuple[str, ...]
    rows: tuple[TableRow, ...] = ()
    chains: tuple[Chain, ...] = ()

    @property
    def base(self) -> TableRow:
        return next(row for row in self.rows if row.number == "base")


def _rows(text: str) -> tuple[TableRow, ...]:
    """`number | severity | kind | name`, a line each; `…` stands for the name of the first row."""
    cells = [tuple(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    return tuple(
        TableRow(number, severity, kind, name.replace("…", cells[0][3])) for number, severity, kind, name in cells
    )


def _chains(text: str) -> tuple[Chain, ...]:
    """`signals | severities`, a line each."""
    cells = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Chain(frozenset(signals.split()), frozenset(severities.split())) for signals, severities in cells)


TABLES: Mapping[str, Table] = {
    "cloud_function_unusual_runtime": Table(
        tactics=("TA0002",),
        techniques=("T1059", "T1648"),
        sources=("aws", "gcp"),
        deduplication=5,
        key=("project", "runtime"),
        rows=_rows("""
            base | low           | exclusive  | A cloud function was created with an unusual runtime
            v1   | informational | downgrade  | … by a known cloud identity
            v2   | low           | escalation | A cloud function was created with a runtime that was not seen in the organization
            v3   | medium        | escalation | A cloud function was created with a custom runtime
        """),
    ),
    "compute_identity_outside_region": Table(
        tactics=(),
        techniques=("T1078.004", "T1528", "T1552"),
        sources=("aws",),
        deduplication=5,
        key=("identity", "region"),
        rows=_rows("""
            base | informational | exclusive  | A compute-attached identity executed API calls outside the instance's region
            v1   | informational | exclusive  | A compute-attached identity executed API calls outside the Lambda function's region
            v2   | high          | escalation | … from an unusual geolocation and ASN
            v3   | medium        | escalation | … from an unusual geolocation
            v4   | low           | escalation | … from an unusual ASN
            v5   | low           | escalation | …
            v6   | informational | exclusive  | A compute-attached identity failed to execute API calls outside the instance's region
        """),
    ),
    "cloud_unusual_country": Table(
        tactics=("TA0001",),
        techniques=("T1078",),
        sources=("aws", "azure", "gcp", "kubernetes", "m365", "gws"),
        deduplication=1,
        key=("identity", "country"),
        rows=_rows("""
            base | informational | exclusive  | A cloud identity executed an API call from an unusual country
            v1   | medium        | exclusive  | A Kubernetes identity executed an API call from a country that was not seen in the organization
            v2   | medium        | exclusive  | A cloud identity executed an API call from a country that was not seen in the organization
            v3   | informational | exclusive  | …
            v4   | low           | exclusive  | A Kubernetes API call was executed from an unusual country
            v5   | low           | exclusive  | A cloud API call was executed from an unusual country
            v6   | medium        | escalation | A suspicious cloud identity executed an API call from an unusual country
            v7   | high          | escalation | … using a compromised AWS access key
        """),
    ),
    "process_rare_cloud_resource": Table(
        tactics=("TA0011",),
        techniques=("T1071.001",),
        sources=("endpoint",),
        deduplication=1,
        key=("host", "process", "resource"),
        rows=_rows("""
            base | informational | exclusive  | A process connected to a rare cloud resource
            v0   | informational | exclusive  | A browser process connected to a rare cloud resource
            v1   | informational | escalation | A process connected to an atypical rare cloud resource
            v2   | informational | escalation | … atypical to this agent
        """),
    ),
    # A alone is raised when it is somebody's who never deployed anything before.
    "serverless_execution_iaas": Table(
        tactics=("TA0002",),
        techniques=("T1648",),
        sources=("aws", "azure", "gcp"),
        deduplication=5,
        key=("identity", "function"),
        chains=_chains("""
            A B C | high
            A B   | medium
            A C   | medium
            A     | low
        """),
    ),
    # A and C are High when mail or files leave the organization.
    "serverless_execution_office": Table(
        tactics=("TA0002",),
        techniques=("T1648",),
        sources=("m365",),
        deduplication=5,
        key=("identity", "flow"),
        chains=_chains("""
            A C | high medium
            A B | medium
            A   | informational
        """),
    ),
    "serverless_execution_saas": Table(
        tactics=("TA0002",),
        techniques=("T1648",),
        sources=("gws",),
        deduplication=5,
        key=("identity", "script"),
        chains=_chains("""
            A B C | high
            A C   | medium
            A B   | low
        """),
    ),
    "aws_console_first_login": Table(
        tactics=(),
        techniques=("T1078.004", "T1098.001", "T1021.007"),
        sources=("aws",),
        deduplication=5,
        key=("identity",),
        rows=_rows("""
            base | informational | exclusive  | A user logged in to the AWS console for the first time
            v1   | medium        | escalation | A non-user identity logged in to the AWS console for the first time
        """),
    ),
    "compute_activity_dormant_region": Table(
        tactics=(),
        techniques=("T1535",),
        sources=("aws", "azure", "gcp"),
        deduplication=5,
        key=("project", "compute_region"),
        rows=_rows("""
            base | informational | exclusive  | Compute activity in dormant cloud region
            v1   | informational | exclusive  | … from a non-VPN IP address
            v2   | medium        | escalation | A cloud compute instance was created in a dormant region
            v3   | high          | escalation | … by a compromised AWS access key
        """),
    ),
    "unusual_cross_project_activity": Table(
        tactics=(),
        techniques=("T1199",),
        sources=("aws", "azure", "gcp"),
        deduplication=1,
        key=("identity", "project"),
        rows=_rows("""
            base | low    | exclusive  | Unusual cross projects activity
            v1   | medium | escalation | Suspicious cross projects activity
        """),
    ),
    "kubernetes_unusual_exec": Table(
        tactics=(),
        techniques=("T1609",),
        sources=("kubernetes",),
        deduplication=5,
        key=("identity", "pod"),
        rows=_rows("""
            base | informational | exclusive  | Unusual exec into a Kubernetes Pod
            v1   | informational | exclusive  | Failed exec attempt into a Kubernetes Pod
            v2   | medium        | escalation | First time execution into Kubernetes Pod at the cluster-level
            v3   | low           | escalation | Identity executed into Kubernetes Pod for the first time
            v4   | low           | escalation | Identity executed into a Kubernetes namespace for the first time
            v5   | low           | escalation | Identity executed into a Kubernetes Pod for the first time
        """),
    ),
    "kubernetes_unusual_secret_access": Table(
        tactics=(),
        techniques=("T1552.007",),
        sources=("kubernetes",),
        deduplication=1,
        key=("identity", "secret_namespace"),
        rows=_rows("""
            base | informational | exclusive | Unusual Kubernetes secret access
        """),
    ),
    "unusual_secret_management": Table(
        tactics=(),
        techniques=("T1552", "T1555.006"),
        sources=("aws", "azure", "gcp"),
        deduplication=1,
        key=("identity", "secret_operation"),
        rows=_rows("""
            base | informational | exclusive | Unusual secret management activity
        """),
    ),
}
