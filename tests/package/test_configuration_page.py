"""What `./dev generate` makes of the declared settings: page, defaults and spec say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import configuration_page
import generate
import pytest

from cba.settings import CONF, TABS, Lines, Text, defaults
from lab.conf import read_conf

ROOT = Path(__file__).resolve().parents[2]


def test_the_checked_in_files_are_current() -> None:
    assert generate.stale(configuration_page.files(ROOT), ROOT) == []


def test_the_conf_has_the_declared_defaults(tmp_path: Path) -> None:
    path = tmp_path / f"{CONF}.conf"
    path.write_text(configuration_page.defaults_conf(), "utf-8")
    assert {name: dict(stanza.settings) for name, stanza in read_conf(path).items()} == defaults()


def test_the_spec_names_every_setting() -> None:
    spec = configuration_page.spec()
    for tab in TABS:
        stanza = spec.split(f"[{tab.stanza}]\n")[1]
        assert set(tab.defaults) <= set(re.findall(r"^(\w+) = <", stanza, re.MULTILINE))


def test_the_page_has_every_setting_once_in_its_tab() -> None:
    page = configuration_page.global_config(json.loads((ROOT / "app.manifest").read_text("utf-8")))
    tabs = page["pages"]["configuration"]["tabs"]
    assert {tab["name"]: [entity["field"] for entity in tab["entity"]] for tab in tabs} == {
        stanza: list(keys) for stanza, keys in defaults().items()
    }
    for tab in tabs:
        labels = [entity["label"] for entity in tab["entity"]]
        assert len(set(labels)) == len(labels), "ucc-gen refuses two fields of one label"
        grouped = [field for group in tab.get("groups", ()) for field in group["fields"]]
        assert grouped in ([], [entity["field"] for entity in tab["entity"]])


@pytest.mark.parametrize(
    "setting", [s for tab in TABS for s in tab.settings if isinstance(s, Text)], ids=lambda s: s.key
)
def test_patterns_mean_the_same_to_the_browser(setting: Text) -> None:
    """JavaScript and Python differ in named groups, lookbehind, \\A, \\Z and flags; none of these may be used."""
    assert not re.search(r"\(\?|\\[AZ]", setting.pattern)
    assert isinstance(setting, Lines) or len(setting.expected) < 400, "ucc-gen's limit of an error message"
