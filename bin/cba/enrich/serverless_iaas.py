"""What a row of a cloud's audit log says about functions: a deployment, a privilege, a use, an invocation, a call from
outside.

A row has one part per signal: of a privilege one for each `grant`, of a use one for each `sensitive_use`. Each part
keeps of the row what belongs to its kind, and says what it is in words (`signal_what`), whether its function is one
of AllowedFunctions (`allowed`), whether its role or policy is in RoleScope, and what it joins a chain by:

- `chain_function`: the function itself, where the event names it;
- `chain_role`: its role; of a change, the role that got a policy of RoleScope; of a call, the role that called;
- `chain_person`: who deployed and who changed privileges. AWS says of which role, which has to be the same one; a
  function app of Azure does not say who it runs as, nor does a function of Google's default account: the project is
  all there is;
- `chain_account`: in AWS who deployed, and who gave a policy a version of RoleScope, in which account: such a policy
  may be attached to any role, and the event names none.

A call of a Lambda function whose name is known joins by it: a role may serve several functions. Outside is an address
that is not AWS's, or of another region than the function's, or another account's VPC endpoint; behind the company's own
exits nobody is outside.
"""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ..lists.match import Lists
from ..terms import ABSENT
from .address import PUBLIC
from .geo import GLOBAL_REGION
from .parts import after, changed, values_of
from .place import EGRESS, FOREIGN_ENDPOINT

DEPLOYMENT, PRIVILEGE, USE, INVOCATION, OUTSIDE = "deployment", "privilege", "use", "invocation", "outside"
NOTHING = "-"
"""What a grant (`<policy> <role it was given to>`) has in place of what the event does not say."""

_DEPLOYED = {"function_created": "created", "function_code_updated": "changed the code of"}


def serverless_iaas(cells: Mapping[str, str], lists: Lists) -> Sequence[dict[str, str]]:
    """The row's parts; none for a row that is no signal, and none for a call that did not come from outside."""
    return [part for part in _parts(cells, lists) if part is not None]


def _parts(cells: Mapping[str, str], lists: Lists) -> Iterator[dict[str, str] | None]:
    for kind in values_of(cells.get("signal_kind", ABSENT)):
        if kind == DEPLOYMENT:
            yield _deployment(cells, lists)
        elif kind == PRIVILEGE:
            for grant in values_of(cells.get("grant", ABSENT)) or [ABSENT]:
                yield _privilege(cells, grant, lists)
        elif kind == USE:
            for use in values_of(cells.get("sensitive_use", ABSENT)):
                yield _use(cells, use)
        elif kind == INVOCATION:
            yield _invocation(cells)
        elif kind == OUTSIDE:
            yield _outside(cells)


def _part(cells: Mapping[str, str], kind: str, **own: str) -> dict[str, str]:
    """A part of the row with what belongs to its kind, and nothing of what belongs to others."""
    absent = dict.fromkeys(("deployment", "privilege", "grant", "sensitive_use", "invocation", "outside_use"), ABSENT)
    function = cells.get("function", ABSENT)
    return changed(cells, **{**absent, "signal_kind": kind, "chain_function": function, **own})


def _deployment(cells: Mapping[str, str], lists: Lists) -> dict[str, str]:
    function, role = cells.get("function", ABSENT), _role_of_function(cells)
    allowed = lists.match(
        "allowed_functions", project=cells.get("project", ABSENT), function=function.rpartition("/")[2]
    )
    scope = _scope("role", role.rpartition("/")[2], lists)
    verb = _DEPLOYED.get(cells.get("action", ABSENT), "changed the configuration of")
    return _part(
        cells,
        DEPLOYMENT,
        deployment=cells.get("deployment", ABSENT),
        privilege=after(scope, "role "),
        allowed=allowed["function"] if allowed else ABSENT,
        signal_what=f"{verb} {function or 'a function'}{after(role, ' with role ')}",
        chain_role=role,
        chain_person=_person(cells, role),
        chain_account=_in_account(cells),
    )


def _privilege(cells: Mapping[str, str], grant: str, lists: Lists) -> dict[str, str]:
    policy, grantee = _told(grant, 0), _told(grant, 1)
    scope = _scope("policy", policy, lists)
    verb = cells.get("privilege", ABSENT)
    in_words = f" ({scope})" if scope and cells.get("source_kind") == "azure" else ""
    return _part(
        cells,
        PRIVILEGE,
        grant=grant,
        privilege=verb + after(scope, " "),
        signal_what=f"{verb}{after(policy, ' ')}{in_words}{after(grantee, ' for ')}",
        chain_role=grantee if scope else ABSENT,
        chain_person=_person(cells, grantee or _role_of_function(cells)),
        chain_account=_in_account(cells) if scope and not grantee else ABSENT,
    )


def _use(cells: Mapping[str, str], use: str) -> dict[str, str]:
    return _part(cells, USE, sensitive_use=use, signal_what=use, chain_role=_role_of_caller(cells))


def _invocation(cells: Mapping[str, str]) -> dict[str, str]:
    invoked = f"invoked {cells.get('function') or 'a function'}"
    return _part(cells, INVOCATION, invocation=cells.get("invocation", ABSENT), signal_what=invoked)


def _outside(cells: Mapping[str, str]) -> dict[str, str] | None:
    """The part of a call from outside, None for one from inside."""
    foreign = bool(cells.get(FOREIGN_ENDPOINT))
    if cells.get(EGRESS) or (cells.get("ip_scope") != PUBLIC and not foreign):
        return None
    if cells.get("cloud_provider") == "aws" and not foreign:
        home = _region_of(cells.get("function", ABSENT))
        region = cells.get("cloud_region", ABSENT)
        if not home or region in (ABSENT, GLOBAL_REGION, home):
            return None
    place = cells.get("asn") or cells.get("country") or "unknown"
    what = "calls from outside its region"
    return _part(cells, OUTSIDE, outside_use=place, signal_what=what, chain_role=_role_of_caller(cells))


def _told(grant: str, place: int) -> str:
    words = grant.split(" ")
    return words[place] if place < len(words) and words[place] != NOTHING else ABSENT


def _scope(kind: str, name: str, lists: Lists) -> str:
    """What RoleScope calls a role or policy of this name, "" for one that is not in it."""
    found = lists.match("role_scope", kind=kind, pattern=name) if name else None
    return (found["name"] or found["pattern"]) if found else ABSENT


def _person(cells: Mapping[str, str], role: str) -> str:
    """Who did it to what: in AWS to a role, elsewhere in a project."""
    where = role if cells.get("source_kind") == "aws" else cells.get("project", ABSENT)
    identity = cells.get("identity", ABSENT)
    return f"{identity} {where}" if identity and where else ABSENT


def _in_account(cells: Mapping[str, str]) -> str:
    """Who did it in which account, in AWS; elsewhere `_person` says so."""
    identity, project = cells.get("identity", ABSENT), cells.get("project", ABSENT)
    return f"{identity} {project}" if cells.get("source_kind") == "aws" and identity and project else ABSENT


def _role_of_caller(cells: Mapping[str, str]) -> str:
    """The role that called, by which a call joins a chain where it does not name its function."""
    if cells.get("function"):
        return ABSENT
    if cells.get("source_kind") == "azure":
        return _role_of_function(cells)
    return _written_alike(cells, cells.get("identity", ABSENT))


def _role_of_function(cells: Mapping[str, str]) -> str:
    """The role that the event names."""
    return _written_alike(cells, cells.get("role", ABSENT))


def _written_alike(cells: Mapping[str, str], role: str) -> str:
    key = role_key(role)
    return key.lower() if cells.get("source_kind") == "gcp" else key


def role_key(arn: str) -> str:
    """A role's ARN without its path, as <account>/<name>: calls that change a role give its name only, which is
    unique in
    the account. Anything else stays as it is."""
    head, _colon, path = arn.partition(":role/")
    parts = head.split(":")
    name = path.rpartition("/")[2]
    if len(parts) == 5 and parts[0] == "arn" and parts[2:4] == ["iam", ""] and name:
        return f"{parts[4]}/{name}"
    return arn


def _region_of(function: str) -> str:
    """The region in `<account>/<region>/<name>`, "" where there is none."""
    parts = function.split("/")
    return parts[1] if len(parts) > 1 else ABSENT
