"""Which fields each source gives, and which are made of them before a row is judged: one place until the sources say
it.

The fields of a source are those that the macro `cba_fields_<source>` assigns.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

from cba.judging.rows import GEO_FIELDS
from cba.terms import SOURCES

_CLOUD = (
    "provider", "project", "identity", "identity_type", "session", "access_key", "operation", "service", "outcome",
    "error_code", "region", "vpc_endpoint", "user_agent", "resource", "src_ip", "skip_reason",
)  # fmt: skip
_FUNCTIONS = ("action", "function", "runtime", "runtime_exact", "package_type", "role", "function_write")
_SIGNALS = ("signal_kind", "deployment", "privilege", "grant", "sensitive_use", "invocation")
_MACHINES = ("compute_action", "compute_region")
_SECRETS = ("secret_operation", "secret_name")
_HOMES = ("workload", "home_hint", "home_of", "home_in", "home_how", "global_service")

GIVEN: Mapping[str, tuple[str, ...]] = {
    "aws": (*_CLOUD, *_FUNCTIONS, *_SIGNALS, *_HOMES, *_MACHINES, *_SECRETS, "login"),
    "azure": (*_CLOUD, *_FUNCTIONS, *_SIGNALS, *_MACHINES, *_SECRETS),
    "gcp": (*_CLOUD, *_FUNCTIONS, *_SIGNALS, *_MACHINES, *_SECRETS),
    "kubernetes": (
        *_CLOUD, "pod_exec", "pod_namespace", "pod", "container_command", "secret_namespace", "secret_name",
    ),
    "m365": (*_CLOUD, "sign_in", "action", "flow", "connector", "destination", "signal_what", "chain_person"),
    "gws": (
        *_CLOUD, "sign_in", "action", "script", "script_title", "access", "api_client", "signal_what", "chain_person",
        "chain_script",
    ),
    "endpoint": (
        "provider", "host", "process", "process_path", "signer", "identity", "identity_type", "operation", "fqdn",
        "url", "dest_ip", "outcome", "error_code", "resource", "resource_scope", "resource_provider",
        "resource_service", "resource_suffix", "tool", "browser", "skip_reason",
    ),
}  # fmt: skip

LISTS: Mapping[str, tuple[str, ...]] = {
    "aws": ("signal_kind", "grant", "sensitive_use"),
    "azure": ("signal_kind", "grant", "sensitive_use"),
    "gcp": ("signal_kind", "grant", "sensitive_use"),
    "kubernetes": (),
    "m365": ("connector", "destination"),
    "gws": ("action", "access"),
    "endpoint": (),
}
"""Fields that may hold several values, as the text of a JSON array."""

PLACED = frozenset(SOURCES) - {"endpoint"}
"""Sources whose events come from an address that has a country."""

READ_TO_PLACE = ("sign_in",)
"""What is read of every row to know where it came from: what a provider's back end does for somebody has no country."""

HOME_FACTS = ("home_of", "home_in", "home_how")
"""What tells where a workload is at home is mostly done by the cloud itself, or by people: kept also of skipped
events."""


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What a preparation of rows (bin/cba/enrich/rows.py) reads of a row, and what it makes."""

    reads: tuple[str, ...]
    makes: tuple[str, ...]


PREPARATIONS: Mapping[str, Preparation] = {
    "plain": Preparation((), ()),
    "compute": Preparation(
        ("workload", "home_hint", *HOME_FACTS, "region", "outcome", "src_ip"),
        ("workload_type", "home_region", "home_source", "home_state", "outside", "judged_outcome"),
    ),
    "serverless_iaas": Preparation(
        (*_SIGNALS, "action", "function", "role", "src_ip"),
        ("allowed", "outside_use", "signal_what", "chain_function", "chain_role", "chain_person"),
    ),
    "serverless_office": Preparation(
        ("action", "flow", "connector", "destination", "signal_what"),
        ("user_context", "flow_action", "destination_scope"),
    ),
    "serverless_saas": Preparation(
        ("action", "script", "script_title", "access", "api_client", "signal_what"),
        ("script_scope", "title_scope", "client_scope", "trigger"),
    ),
}
MADE = (
    "source_kind", "events", *GEO_FIELDS, "egress", "watch_reason", "compromised_reason",
    "chain_signals", "chain_timeline", "chain_steps",
)  # fmt: skip
"""What is made of every row: where it came from, who is watched, what a chain consists of."""
