"""Who somebody is to splunkd, and which roles there are."""

from __future__ import annotations

from typing import Iterable, Mapping

from splunklib.client import Service

from ..errors import StoreError
from .splunkd import ask

_CONTEXT = "/services/authentication/current-context"
_ROLES = "/services/authorization/roles"


def roles_of(service: Service) -> tuple[str, tuple[str, ...]]:
    """The name and the roles of whoever the service is signed in as.

    https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTaccess#authentication.2Fcurrent-context
    """
    what = "asking who you are"
    found = ask(what, lambda: service.get(_CONTEXT, output_mode="json"))
    try:
        content = found["entry"][0]["content"]
        return str(content["username"]), tuple(map(str, content["roles"]))
    except (LookupError, TypeError) as error:
        raise StoreError(f"{what}: splunkd's answer says neither name nor roles") from error


def imported_roles(service: Service) -> dict[str, list[str]]:
    """Role -> the roles that it imports.

    https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTaccess#authorization.2Froles
    """
    what = "asking which roles there are"
    found = ask(what, lambda: service.get(_ROLES, output_mode="json", count=0))
    try:
        return {
            str(each["name"]): list(map(str, each["content"].get("imported_roles") or ())) for each in found["entry"]
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise StoreError(f"{what}: splunkd's answer is no list of roles") from error


def with_imported(roles: Iterable[str], imported: Mapping[str, Iterable[str]]) -> set[str]:
    """The roles and all that they import, whichever way; `imported` says of each role which it imports itself."""
    found: set[str] = set()
    left = list(roles)
    while left:
        role = left.pop()
        if role not in found:
            found.add(role)
            left.extend(imported.get(role, ()))
    return found
