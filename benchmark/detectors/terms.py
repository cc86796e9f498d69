"""What the other detectors look at: for each detection the fields that say the same, as anybody would choose them.

They see the rows of the app's own searches: normalised, with country and network, and without what was refused.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, NamedTuple

from cba.judging.rows import CANDIDATE_OF, Row, is_judged

from ..logs import SOURCES
from ..rows import Rows

CLOUD = ("aws", "azure", "gcp", "kubernetes", "m365", "gws")


class Seen(NamedTuple):
    """A row with what a rule sees in it: `scope` who, `value` what; together the term that may be new."""

    about: str
    source: str
    scope: str
    value: str
    who: tuple[str, ...]
    row: Row


@dataclasses.dataclass(frozen=True)
class Rule:
    """For a detection, the fields that make a term: at most three, the first of them the scope."""

    about: str
    sources: tuple[str, ...]
    scope: str
    values: tuple[str, ...]
    where: Callable[[Row], bool] = lambda _row: True

    def see(self, source: str, row: Row) -> Iterator[Seen]:
        cells = row.cells
        scope = cells.get(self.scope, "")
        value = " ".join(cells.get(name, "") for name in self.values)
        if scope and value.strip() and self.where(row):
            who = cells.get("host", "") if source == "endpoint" else cells.get("identity", "")
            yield Seen(self.about, source, scope, value, (who,), row)


def _candidate(name: str) -> Callable[[Row], bool]:
    return lambda row: name in row.cells.get(CANDIDATE_OF, "").split()


def _public(row: Row) -> bool:
    return row.cells.get("ip_scope") == "public"


RULES = (
    Rule("cloud_unusual_country", CLOUD, "identity", ("country",), _public),
    Rule("compute_identity_outside_region", ("aws",), "identity", ("country", "asn"),
         lambda row: "workload" in row.cells and _public(row)),
    Rule("compute_identity_outside_region", ("aws",), "identity", ("region",), lambda row: "workload" in row.cells),
    Rule("compute_activity_dormant_region", ("aws", "azure", "gcp"), "project", ("compute_region",)),
    Rule("cloud_function_unusual_runtime", ("aws", "gcp"), "project", ("runtime",),
         _candidate("cloud_function_unusual_runtime")),
    Rule("serverless_execution_iaas", ("aws", "azure", "gcp"), "identity", ("deployment",)),
    Rule("serverless_execution_iaas", ("aws", "azure", "gcp"), "identity", ("privilege",)),
    Rule("serverless_execution_iaas", ("aws", "azure", "gcp"), "identity", ("sensitive_use",)),
    Rule("kubernetes_unusual_exec", ("kubernetes",), "identity", ("project", "pod")),
    Rule("kubernetes_unusual_secret_access", ("kubernetes",), "identity", ("project", "secret_namespace"),
         _candidate("kubernetes_unusual_secret_access")),
    Rule("process_rare_cloud_resource", ("endpoint",), "host", ("process", "resource"),
         _candidate("process_rare_cloud_resource")),
    Rule("serverless_execution_office", ("m365",), "identity", ("action", "flow")),
    Rule("serverless_execution_saas", ("gws",), "identity", ("action", "script")),
    Rule("unusual_cross_project_activity", ("aws", "azure", "gcp"), "identity", ("project",)),
    Rule("unusual_secret_management", ("aws", "azure", "gcp"), "identity", ("secret_operation",)),
    Rule("aws_console_first_login", ("aws",), "identity", ("login",)),
)  # fmt: skip


def stream(rows: Rows) -> Iterator[Seen]:
    """What all rules see, in the order in which it was indexed."""
    of_source = {source: [rule for rule in RULES if source in rule.sources] for source in SOURCES}
    everything = [(row.indexed, row.bucket, source, row) for source in SOURCES for row in rows.of.get(source, ())]
    everything.sort(key=lambda each: each[:3])
    for _indexed, _bucket, source, row in everything:
        if is_judged(row.cells):
            for rule in of_source[source]:
                yield from rule.see(source, row)
