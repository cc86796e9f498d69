"""The files that follow from the declared settings (bin/cba/settings): `./dev generate` writes them.

- package/globalConfig.json: the configuration page, for ucc-gen
- default/cloud_behavior_analytics_settings.conf: what the app ships with
- README/cloud_behavior_analytics_settings.conf.spec: what may be set

The schema of globalConfig.json: https://splunk.github.io/addonfactory-ucc-generator/configurations/
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any, Mapping

from cba.settings import CONF, TABS, Lines, Number, OneOf, Setting, Switch, Tab, Text

REST_ROOT = "cloud_behavior_analytics"
SCHEMA_VERSION = "0.0.10"
GENERATED = "Generated from bin/cba/settings by ./dev generate; edit that instead."


def files(root: Path) -> dict[str, str]:
    """Path below the root -> content."""
    manifest = json.loads((root / "app.manifest").read_text("utf-8"))
    return {
        "package/globalConfig.json": json.dumps(global_config(manifest), indent=2, ensure_ascii=False) + "\n",
        f"default/{CONF}.conf": defaults_conf(),
        f"README/{CONF}.conf.spec": spec(),
    }


def global_config(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What ucc-gen makes the configuration page from; name and version are those of app.manifest."""
    info = manifest["info"]
    return {
        "meta": {
            "name": info["id"]["name"],
            "displayName": info["title"],
            "restRoot": REST_ROOT,
            "version": info["id"]["version"],
            "schemaVersion": SCHEMA_VERSION,
            "checkForUpdates": False,
            "supportedPythonVersion": ["3.9", "3.13"],
            "supportedThemes": ["light", "dark"],
        },
        "pages": {
            "configuration": {
                "title": "Configuration",
                "description": "Where the logs are, and what counts as normal. Nothing here needs a restart.",
                "tabs": [_tab(tab) for tab in TABS],
            }
        },
    }


def _tab(tab: Tab) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": tab.stanza,
        "title": tab.title,
        "entity": [_entity(setting) for setting in tab.settings],
    }
    if len(tab.groups) > 1:
        found["groups"] = [
            {
                "label": group.label,
                "options": {"isExpandable": True, "expand": position == 0},
                "fields": [setting.key for setting in group.settings],
            }
            for position, group in enumerate(tab.groups)
        ]
    return found


def _entity(setting: Setting) -> dict[str, Any]:
    """The form field of a setting. The page says what the REST handler says, before anything is sent."""
    found: dict[str, Any] = {
        "field": setting.key,
        "label": setting.label,
        "help": setting.help,
        "required": not setting.optional,
    }
    if isinstance(setting, Switch):
        del found["required"]
        return {"type": "checkbox", **found, "defaultValue": int(setting.default)}
    if isinstance(setting, OneOf):
        items = [{"value": word, "label": label} for word, label in setting.options.items()]
        options = {"disableSearch": True, "autoCompleteFields": items}
        words = {"type": "regex", "pattern": f"^({'|'.join(setting.options)})$", "errorMsg": _complaint(setting)}
        chosen = {"defaultValue": setting.default, "options": options, "validators": [words]}
        return {"type": "singleSelect", **found, **chosen}
    if setting.default:
        found["defaultValue"] = setting.default
    if isinstance(setting, Number):
        number = {"type": "number", "range": [setting.least, setting.most], "isInteger": True}
        return {"type": "text", **found, "validators": [{**number, "errorMsg": _complaint(setting)}]}
    assert isinstance(setting, Text), f"{setting.key}: no form field is known for {type(setting).__name__}"
    pattern = {"type": "regex", "pattern": f"^{setting.pattern}$", "errorMsg": _complaint(setting)}
    return {"type": "textarea" if isinstance(setting, Lines) else "text", **found, "validators": [pattern]}


def _complaint(setting: Setting) -> str:
    return f"{setting.label} ({setting.key}): {setting.problem}"


def defaults_conf() -> str:
    stanzas = (
        f"[{tab.stanza}]\n" + "".join(f"{key} = {value}".rstrip() + "\n" for key, value in tab.defaults.items())
        for tab in TABS
    )
    return f"# {GENERATED}\n# Set them on the app's page Configuration.\n\n" + "\n".join(stanzas)


def spec() -> str:
    stanzas = []
    for tab in TABS:
        lines = [f"[{tab.stanza}]", f"* The tab {tab.title} of the page Configuration.", ""]
        for setting in tab.settings:
            lines += [f"{setting.key} = <{_type(setting)}>", *_bullets(f"{setting.label}. {setting.help}")]
            lines += [*_bullets(setting.problem), f"* Default: {setting.default or 'empty'}", ""]
        stanzas.append("\n".join(lines))
    return f"# {GENERATED}\n\n" + "\n".join(stanzas)


def _type(setting: Setting) -> str:
    if isinstance(setting, Switch):
        return "boolean"
    if isinstance(setting, OneOf):
        return "|".join(setting.options)
    return "integer" if isinstance(setting, Number) else "string"


def _bullets(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="* ", subsequent_indent="  ")
