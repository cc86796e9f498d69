"""Roles, and who may read and write what.

https://docs.splunk.com/Documentation/Splunk/latest/Admin/Authorizeconf and …/Admin/Defaultmetaconf.
"""

from __future__ import annotations

import re

import pytest

from lab.conf import AppConf, Stanza, read_conf
from lab.replay import APP_DIR

OWN = ("cba_user", "cba_analyst", "cba_admin")
SPLUNKS = ("admin", "sc_admin")
POWERFUL = {
    "admin_all_objects",
    "change_authentication",
    "delete_by_keyword",
    "edit_user",
    "edit_roles",
    "edit_kvstore",
}


@pytest.fixture(scope="module")
def meta() -> dict[str, Stanza]:
    return read_conf(APP_DIR / "metadata" / "default.meta")


def access(meta: dict[str, Stanza], *stanzas: str) -> tuple[set[str], set[str]]:
    """(readers, writers): what the first of the stanzas says that says anything."""
    for name in stanzas:
        if name in meta and "access" in meta[name].settings:
            match = re.fullmatch(r"read : \[ (.*) \], write : \[ (.*) \]", meta[name].get("access"))
            assert match is not None, f"[{name}] access is not of the form read : [ … ], write : [ … ]"
            return set(match[1].split(", ")), set(match[2].split(", "))
    raise AssertionError(f"none of {stanzas} says who has access")


def test_the_three_roles_build_on_each_other(app: AppConf) -> None:
    roles = app.stanzas("authorize")
    assert set(roles) == {f"role_{name}" for name in OWN}
    assert [roles[f"role_{name}"].get("importRoles") for name in OWN] == ["", "cba_user", "cba_analyst"]
    assert roles["role_cba_user"].get("run_custom_command") == "enabled"


def test_no_role_gives_more_than_the_app_needs(app: AppConf) -> None:
    for name, role in app.stanzas("authorize").items():
        given = {key for key, value in role.settings.items() if value == "enabled"}
        assert not given & POWERFUL, name
        assert not any(key.startswith("srch") for key in role.settings), f"{name}: indexes are the owner's to give"
        assert set(role.settings) - given <= {"importRoles"}


def test_only_roles_that_exist_are_named(meta: dict[str, Stanza]) -> None:
    for name, stanza in meta.items():
        if "access" in stanza.settings:
            readers, writers = access(meta, name)
            assert (readers | writers) - {*OWN, *SPLUNKS, "*"} == set(), name
            assert set(SPLUNKS) <= writers, (
                f"[{name}] admin and sc_admin (Splunk Cloud) must be able to repair anything"
            )
            assert "*" in readers or writers <= readers, f"[{name}] who writes must be able to read"
            assert "*" not in writers, name


def test_what_is_known_about_people_is_for_the_apps_roles(app: AppConf, meta: dict[str, Stanza]) -> None:
    for name in app.stanzas("collections"):
        readers, writers = access(meta, f"collections/{name}", "collections", "")
        assert readers == {*OWN, *SPLUNKS}, name
        assert not writers & {"cba_analyst", "cba_user"}, f"{name}: what analysts decide is written for them"


def test_no_rule_is_about_something_that_is_not_there(app: AppConf, meta: dict[str, Stanza]) -> None:
    for name in meta:
        kind, _slash, thing = name.partition("/")
        if thing:
            assert thing in app.stanzas(kind), f"[{name}]"


def test_only_those_who_configure_change_what_ships(meta: dict[str, Stanza]) -> None:
    for kind in (
        "savedsearches",
        "analyticstories",
        "macros",
        "lookups",
        "transforms",
        "views",
        "cloud_behavior_analytics_settings",
    ):
        assert access(meta, kind, "") == ({"*"}, {"cba_admin", *SPLUNKS}), kind


def test_searches_run_as_nobody_and_can_be_used_from_other_apps(meta: dict[str, Stanza]) -> None:
    assert meta["savedsearches"].get("owner") == "nobody"
    exports = {name: stanza.get("export") for name, stanza in meta.items() if "export" in stanza.settings}
    shared = {name for name, export in exports.items() if export == "system"}
    assert {name.partition("/")[0] for name in shared} == {
        "savedsearches", "analyticstories", "macros", "commands", "searchbnf", "transforms", "lookups", "collections", "workflow_actions",
    }, "Enterprise Security lists the searches and runs drilldowns from its own pages; it needs no page or setting of ours"  # fmt: skip
    assert exports[""] == "none"


def test_no_secret_ships() -> None:
    """Nothing in the app looks like a password, token or private key of anybody's."""
    secret = re.compile(
        r"(?i)^\s*(password|pass4symmkey|token|secret|api_?key)\s*=\s*\S|BEGIN [A-Z ]*PRIVATE KEY", re.MULTILINE
    )
    kinds = (".conf", ".meta", ".csv", ".xml", ".spec")
    files = [
        path for path in APP_DIR.rglob("*") if path.suffix in kinds and path.relative_to(APP_DIR).parts[0] in SHIPPED
    ]
    assert files
    assert [path for path in files if secret.search(path.read_text("utf-8"))] == []


SHIPPED = ("default", "lookups", "metadata", "README")
