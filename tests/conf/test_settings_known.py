"""Every setting of every shipped conf is one that Splunk 9.1, 9.4 and 10.2 know."""

from __future__ import annotations

import re
from typing import Any, Mapping

import pytest

from lab.conf import Stanza, read_conf
from lab.replay import APP_DIR

VERSIONS = ("9.1.3", "9.4.3", "10.2")

# (conf, setting) -> the versions whose list of settings lacks it, and why it is there all the same
EXCEPTIONS = {
    (conf, "python.required"): (
        ("9.1.3", "9.4.3"),
        "names the Pythons from Splunk 10 on, where python.version is deprecated and AppInspect demands it; Splunk 9 "
        "ignores it and takes python.version. README/*.conf.spec of the app makes it known there.",
    )
    for conf in ("alert_actions.conf", "commands.conf", "restmap.conf")
}
EXCEPTIONS["restmap.conf", "handlertype"] = (
    VERSIONS,
    "is in all three spec files under [admin_external:<uniqueName>], on an indented line that the list has missed.",
)
for parameter in ("param.slack_url", "param.teams_url"):
    EXCEPTIONS["alert_actions.conf", parameter] = (
        VERSIONS,
        "a parameter of the app's own alert action, in README/alert_actions.conf.spec; `param.*` is the form for these: "
        "https://dev.splunk.com/enterprise/docs/devtools/customalertactions/",
    )
# Stanzas whose keys are names of the author's own.
FREE_NAMES = {
    ("distsearch.conf", stanza): "each key is a name for a pattern of files"
    for stanza in ("replicationAllowlist", "replicationDenylist")
}


def pattern(listed: str) -> str:
    """A setting of a spec as a regular expression: `<…>` stands for a name, as in `action.<action_name>.<parameter>`."""
    return "".join(".+" if part.startswith("<") else re.escape(part) for part in re.split(r"(<[^>]*>)", listed))


def is_known(spec: Mapping[str, Any], conf: str, stanza: str, setting: str) -> bool:
    if conf == "authorize.conf" and stanza.startswith("role_") and f"capability::{setting}" in spec["stanzas"]:
        return True
    return any(re.fullmatch(pattern(listed), setting) for listed in spec["settings"])


def is_stanza(spec: Mapping[str, Any], stanza: str) -> bool:
    """Whether a spec has such a stanza; some list none, because every stanza is somebody's own."""
    return not spec["stanzas"] or any(re.fullmatch(pattern(listed), stanza) for listed in spec["stanzas"])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_setting_is_known(version: str, confs: dict[str, dict[str, Stanza]], known_settings: Any) -> None:
    unknown = []
    for conf, stanzas in confs.items():
        if conf not in known_settings:
            continue  # our own: below
        spec = known_settings[conf][version]
        for name, stanza in stanzas.items():
            for setting in stanza.settings:
                if (conf, name) in FREE_NAMES or version in EXCEPTIONS.get((conf, setting), ((), ""))[0]:
                    continue
                if not is_known(spec, conf, name, setting):
                    unknown.append(f"{conf} [{name}] {setting}")
    assert unknown == []


@pytest.mark.parametrize(
    "conf", ["app.conf", "authorize.conf", "distsearch.conf", "restmap.conf", "server.conf", "web.conf"]
)
def test_every_stanza_is_known(conf: str, confs: dict[str, dict[str, Stanza]], known_settings: Any) -> None:
    """Of the confs in which a stanza is not simply somebody's own name."""
    for version in VERSIONS:
        spec = known_settings[conf][version]
        strange = [
            name
            for name in confs.get(conf, {})
            if not is_stanza(spec, name) and not (conf[:4] == "auth" and name[:5] == "role_")
        ]
        assert strange == [], version


def test_the_exceptions_are_needed(known_settings: Any) -> None:
    for (conf, setting), (versions, _reason) in EXCEPTIONS.items():
        missing = tuple(v for v in VERSIONS if not is_known(known_settings[conf][v], conf, "", setting))
        assert missing == versions, (conf, setting)


def test_our_own_confs_have_a_spec(confs: dict[str, dict[str, Stanza]], known_settings: Any) -> None:
    own = [conf for conf in confs if conf not in known_settings]
    assert own, "the settings' conf is one"
    for conf in own:
        spec = (APP_DIR / "README" / f"{conf}.spec").read_text("utf-8")
        named: dict[str, set[str]] = {}
        for line in spec.splitlines():
            if line.startswith("["):
                settings = named.setdefault(re.sub("<.*>", "<name>", line.strip("[]")), set())
            elif match := re.match(r"([\w.]+) = ", line):
                settings.add(match[1])
        stanzas = {re.sub("//.*", "//<name>", name): set(stanza.settings) for name, stanza in confs[conf].items()}
        assert named == stanzas, conf


def test_a_setting_that_old_versions_lack_has_a_spec(confs: dict[str, dict[str, Stanza]]) -> None:
    for conf, stanzas in confs.items():
        if any("python.required" in stanza.settings for stanza in stanzas.values()):
            assert "python.required" in (APP_DIR / "README" / f"{conf}.spec").read_text("utf-8"), conf


def test_access_rules_are_written_once() -> None:
    """metadata/default.meta reads like a conf: a stanza or key set twice is an error that names its place."""
    assert read_conf(APP_DIR / "metadata" / "default.meta")
