"""What else used the same address, key, program, function or role: the same question of every finding and entity.

A row names a value and how many other findings have it, and carries the search for everybody who used it, a day before
and after. Addresses and keys stand in raw events as they are, so only events with that word are read.
"""

from __future__ import annotations

from typing import NamedTuple

from cba.terms import SECONDS_PER_DAY, SOURCES
from pages.spl import inner

CLOUDS = tuple(source for source in SOURCES if source != "endpoint")


class Pivot(NamedTuple):
    """A field of findings, what it is called, and the field of events that has it. `anywhere`: it may turn up in other
    sources, too. `literal`: raw events have it as it stands."""

    field: str
    name: str
    events: str
    anywhere: bool = False
    literal: bool = False


PIVOTS = (
    Pivot("src_ip", "Address", "src_ip", anywhere=True, literal=True),
    Pivot("access_key", "Key", "access_key", literal=True),
    Pivot("user_agents", "Program", "user_agent"),
    Pivot("function", "Function", "function"),
    Pivot("role", "Role", "role"),
    Pivot("flow", "Flow", "flow"),
    Pivot("script", "Script", "script"),
    Pivot("pod", "Pod", "pod"),
    Pivot("resource", "Resource", "resource"),
    Pivot("process", "Process", "process"),
)
FOUND = (
    r"eval project=coalesce(project, host, \"-\"), identity=coalesce(identity, \"-\") "
    "| stats count AS events min(_time) AS first max(_time) AS last values(operation) AS operations "
    "values(outcome) AS outcomes BY identity project "
    r"| eval first=strftime(first, \"%Y-%m-%d %H:%M:%S %Z\"), last=strftime(last, \"%Y-%m-%d %H:%M:%S %Z\")"
)
"""What every such search answers: who, where, how often, since when, doing what."""


def search() -> str:
    """SPL that makes a row for each value of a finding that others may have used as well."""
    looked = "\n".join(f"| lookup cba_findings {pivot.field} OUTPUT finding_id AS of_{pivot.field}" for pivot in PIVOTS)
    rows = ",\n    ".join(
        f'if(len({pivot.field})>1, "{pivot.name}||".mvcount(of_{pivot.field})."||{at}||".{pivot.field}, null())'
        for at, pivot in enumerate(PIVOTS)
    )
    queries = ", ".join(f"place={at}, {_query(pivot)}" for at, pivot in enumerate(PIVOTS))
    return f"""
| eval user_agents=mvindex(split(user_agents, " | "), 0)
{looked}
| eval row=mvappend({rows})
| mvexpand row
| eval What=mvindex(split(row, "||"), 0), others=tonumber(mvindex(split(row, "||"), 1))-1,
    place=tonumber(mvindex(split(row, "||"), 2)), Value=mvjoin(mvindex(split(row, "||"), 3, -1), "||"),
    "Other findings"=if(others>0, others, "none")
| eval _search=case({queries}), _earliest=first_time-{SECONDS_PER_DAY}, _latest=last_time+{SECONDS_PER_DAY}
| table What Value "Other findings" _search _earliest _latest
"""


def everywhere(field: str, value: str) -> str:
    """What stands between the quotes of an eval string that is the search of all clouds for a literal value."""
    word = f' \\"".{inner(value)}."\\"'
    branches = " ".join(f"[search `cba_base_{source}`{word} | `cba_fields_{source}`]" for source in CLOUDS)
    return f'| multisearch {branches} | search {field}=\\"".{inner(value)}."\\" | {FOUND}'


def _query(pivot: Pivot) -> str:
    """The eval expression for the search behind a row."""
    word = f' \\"".{inner("Value")}."\\"' if pivot.literal else ""
    value = f'| search {pivot.events}=\\"".{inner("Value")}."\\" | {FOUND}'
    if pivot.anywhere:
        clouds = f'"{everywhere(pivot.events, "Value")}"'
        return f'if(source_kind="endpoint", "search `cba_events_endpoint` {value}", {clouds})'
    return f'"search `cba_base_".source_kind."`{word} | `cba_fields_".source_kind."` {value}"'
