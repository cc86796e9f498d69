"""Every list once: what it is for, its columns, and how each is matched.

What people write stands in the KV store collection `cba_<list>`, which no upgrade of the app replaces; what ships with
the app stands beside it in `lookups/cba_<list>_defaults.csv`. Both are read together, people's rows first.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Mapping, Optional

PREFIX = "cba_"
"""What the names of collections, lookups and lookup files begin with, so that they are nobody else's."""

SINCE = "since"
"""A column of this name holds epoch seconds. Of several rows for the same, the earliest counts."""
EXCEPT = "except"
"""A column of this name makes an exception when it holds anything: what the row matches is not on the list, whatever
the other rows say."""


class Matching(enum.Enum):
    """How a column is matched; the value is what transforms.conf calls it."""

    EXACT = "EXACT"
    WILDCARD = "WILDCARD"
    CIDR = "CIDR"


@dataclasses.dataclass(frozen=True)
class Column:
    """`matching` is None for a column that only tells something. `needed`: whether a row without it is damaged."""

    name: str
    about: str
    matching: Optional[Matching] = None
    any_case: bool = False
    needed: bool = False


def _key(name: str, about: str, matching: Matching = Matching.EXACT, any_case: bool = True) -> Column:
    return Column(name, about, matching, any_case, needed=True)


COMMENT = Column("comment", "why, for whoever reads the list next")
EXCEPTION = Column(EXCEPT, "anything here: what the row matches is not on the list")


@dataclasses.dataclass(frozen=True)
class ListOfRows:
    """`name`: what the code calls it. `about`: what it is for, in one sentence. `shipped`: whether the app brings rows.
    `edited`: whether people write it; what they do not, the app writes. `one_of`: columns of which a row needs one."""

    name: str
    about: str
    columns: tuple[Column, ...]
    shipped: bool = False
    edited: bool = True
    one_of: tuple[str, ...] = ()

    @property
    def collection(self) -> str:
        """The collection with people's rows, and the lookup over it."""
        return PREFIX + self.name

    @property
    def defaults(self) -> str:
        """The lookup over the rows that ship; its file is this with .csv."""
        return f"{PREFIX}{self.name}_defaults"

    @property
    def keys(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.matching is not None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


LISTS: Mapping[str, ListOfRows] = {
    each.name: each
    for each in (
        ListOfRows(
            "egress_ranges",
            "Company VPN exits and proxies: whoever comes out there is in that country, else at that label.",
            (
                _key("cidr", "a network, such as 198.51.100.0/24", Matching.CIDR),
                Column("label", "what the place is called where no country is given"),
                Column("country", "the country that counts, as two letters"),
                EXCEPTION,
                COMMENT,
            ),
            one_of=("country", "label", EXCEPT),
        ),
        ListOfRows(
            "watch_list",
            "Identities to look at more closely, whatever their history says.",
            (
                _key("identity", "an identity as findings show it"),
                Column("reason", "why; findings say it"),
                COMMENT,
            ),
        ),
        ListOfRows(
            "compromised_keys",
            "Access keys known to be in the wrong hands.",
            (
                _key("access_key", "an access key's id"),
                Column("reason", "why; findings say it"),
                Column(SINCE, "since when, in epoch seconds; empty for always"),
                COMMENT,
            ),
        ),
        ListOfRows(
            "quarantined",
            "AWS users to whom AWS has attached a quarantine policy; a saved search of the app writes it.",
            (
                _key("identity", "the user's ARN, as arn:aws:…, without a path"),
                Column("policy", "the policy's name"),
                Column(SINCE, "since when, in epoch seconds", needed=True),
            ),
            edited=False,
        ),
        ListOfRows(
            "instance_inventory",
            "The home region of workloads of which no log tells it.",
            (
                # Names of functions differ by letter case, and `*` stands in them for a session's number.
                _key("instance", "an instance's id; of a function its role's ARN, a slash, its name", any_case=False),
                Column("region", "its region, such as eu-central-1", needed=True),
                COMMENT,
            ),
        ),
        ListOfRows(
            "role_scope",
            "RoleScope of DET0374: roles, and policies that roles are given, that make a function dangerous.",
            (
                _key("kind", "role or policy"),
                _key("pattern", "a role's or a policy's name", Matching.WILDCARD),
                Column("name", "what findings call it; the pattern where this is empty"),
                EXCEPTION,
                COMMENT,
            ),
            shipped=True,
        ),
        ListOfRows(
            "allowed_functions",
            "AllowedFunctions of DET0374: functions that may be created and changed by whoever may.",
            (
                _key("project", "the project", Matching.WILDCARD),
                _key("function", "the function's name", Matching.WILDCARD),
                EXCEPTION,
                COMMENT,
            ),
        ),
        ListOfRows(
            "user_context",
            "UserContext of DET0374: people of whom making Power Automate flows is expected.",
            (
                _key("identity", "an identity as findings show it", Matching.WILDCARD),
                EXCEPTION,
                COMMENT,
            ),
        ),
        ListOfRows(
            "flow_actions",
            "FlowActions of DET0374: connectors and actions that make a flow suspicious, and what each can do.",
            (
                _key("connector", "a connector as the log names it", Matching.WILDCARD),
                Column("action", "what it can do; findings say it"),
                EXCEPTION,
                COMMENT,
            ),
            shipped=True,
        ),
        ListOfRows(
            "own_domains",
            "Domains of the organization, where the person who acts does not have them in its own name.",
            (
                _key("domain", "a domain", Matching.WILDCARD),
                EXCEPTION,
                COMMENT,
            ),
        ),
        ListOfRows(
            "script_scope",
            "ScriptScope of DET0374: Apps Script projects and calls of applications that are meant to be.",
            (
                _key("script", "a script's id or title, or <client id> <API method>", Matching.WILDCARD),
                EXCEPTION,
                COMMENT,
            ),
        ),
        ListOfRows(
            "trigger_types",
            "TriggerTypes of DET0374: scopes and API methods that bind a script to events of users.",
            (
                _key("access", "a scope or a method", Matching.WILDCARD),
                Column("trigger", "the events; findings say it"),
                EXCEPTION,
                COMMENT,
            ),
            shipped=True,
        ),
    )
}
