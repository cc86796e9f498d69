"""Who is signed in to the lab, with which roles, and what metadata/default.meta lets them read and write.

A stanza of an object says more than that of its kind, and that more than []; whoever has a role that is named may, or
whose role imports one of them. https://docs.splunk.com/Documentation/Splunk/9.4.0/Admin/Defaultmetaconf
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Mapping, Optional

from cba.store.rights import with_imported
from lab.conf import AppConf, Stanza, read_conf

ALMIGHTY = frozenset({"admin", "sc_admin"})
"""Splunk's own roles, which no rule of an app shuts out."""
_ACCESS = re.compile(r"(read|write)\s*:\s*\[([^\]]*)\]")


@dataclass(frozen=True)
class User:
    name: str
    roles: tuple[str, ...]


NOBODY = User("nobody", ())


class Rights:
    """The users by their session keys, and the rules of an app."""

    def __init__(self, app: AppConf) -> None:
        self.imported: dict[str, list[str]] = {"admin": [], "sc_admin": [], "user": []}
        for name, stanza in app.stanzas("authorize").items():
            kind, _underscore, role = name.partition("_")
            if kind == "role":
                self.imported[role] = [each for each in re.split(r"[;,\s]+", stanza.get("importRoles")) if each]
        meta = app.app_dir / "metadata" / "default.meta"
        self._rules: Mapping[str, Stanza] = read_conf(meta) if meta.exists() else {}
        self._users: dict[str, User] = {}

    def sign_in(self, name: str, *roles: str) -> str:
        """A session key of somebody with these roles."""
        key = secrets.token_urlsafe(32)
        self._users[key] = User(name, roles)
        return key

    def user(self, authorization: str) -> Optional[User]:
        """Whose session key a request's Authorization names."""
        kind, _blank, key = authorization.partition(" ")
        return self._users.get(key) if kind in ("Splunk", "Bearer") else None

    def may(self, user: User, what: str, kind: str, name: str) -> bool:
        """Whether somebody may `read` or `write` an object."""
        roles = with_imported(user.roles, self.imported)
        if roles & ALMIGHTY:
            return True
        for stanza in (f"{kind}/{name}", kind, ""):
            access = self._rules[stanza].get("access") if stanza in self._rules else ""
            if access:
                named = {verb: {each.strip() for each in roles_.split(",")} for verb, roles_ in _ACCESS.findall(access)}
                return bool(named.get(what, set()) & {*roles, "*"})
        return False
