"""Which fields each source gives (content/sources says it), and which are made of them before a row is judged."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Mapping

import sources

from cba.judging.rows import GEO_FIELDS
from cba.terms import SOURCES

ROOT = Path(__file__).resolve().parent.parent
_FIXED = frozenset({"event_id"})
"""Fields of every event that no row has."""


@functools.lru_cache(maxsize=1)
def _sources() -> Mapping[str, sources.Source]:
    """The sources of this checkout, read once. Raises sources.Faults with everything that is wrong."""
    return {source.name: source for source in sources.read(ROOT)[1]}


def given(source: str) -> tuple[str, ...]:
    """The fields of a source that rows may have, in the order in which it makes them."""
    return tuple(name for name in _sources()[source].fields if name not in _FIXED)


def lists(source: str) -> tuple[str, ...]:
    """Those of them that may hold several values, as the text of a JSON array."""
    return _sources()[source].list_fields


PLACED = frozenset(SOURCES) - {"endpoint"}
"""Sources whose events come from an address that has a country."""

READ_TO_PLACE = ("sign_in", "foreign_endpoint")
"""What is read of every row to know where it came from: what a provider's back end does for somebody has no country,
and another account's VPC endpoint is a place of its own."""

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
        ("workload", "home_hint", *HOME_FACTS, "region", "outcome", "src_ip", "foreign_endpoint"),
        ("workload_type", "home_source", "home_state", "outside", "judged_outcome"),
    ),
    "serverless_iaas": Preparation(
        (
            "signal_kind",
            "deployment",
            "privilege",
            "grant",
            "sensitive_use",
            "invocation",
            "action",
            "function",
            "role",
            "src_ip",
            "foreign_endpoint",
        ),
        ("allowed", "outside_use", "signal_what", "chain_function", "chain_role", "chain_person", "chain_account"),
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
    "source_kind", "events", *GEO_FIELDS, "egress", "home_region", "watch_reason", "compromised_reason",
    "chain_signals", "chain_timeline", "chain_steps",
)  # fmt: skip
"""What is made of every row: where it came from, where its workload is at home, who is watched, what a chain consists
of."""
