"""What one conf names in another is there: macros, lookups, collections, commands, files."""

from __future__ import annotations

import re
from typing import Iterator

import pytest

from cba.detection.catalogue import load
from cba.lists.declared import LISTS
from lab.conf import AppConf, Stanza
from lab.replay import APP_DIR

MACRO = re.compile(r"`([\w.-]+)(?:\(((?:[^`\"]|\"[^\"]*\")*)\))?`")
LOOKUP = re.compile(r"\|\s*(?:input|output)?lookup\s+((?:\w+=\S+\s+)*)([\w.]+)")
OWN_COMMAND = re.compile(r"\|\s*(cba\w+)")


def spl(app: AppConf) -> Iterator[tuple[str, str]]:
    """(where, text) of every saved search, macro and drilldown."""
    for name, stanza in app.stanzas("savedsearches").items():
        for key in ("search", "action.notable.param.drilldown_searches"):
            if key in stanza.settings:
                yield f"savedsearches.conf [{name}] {key}", stanza.get(key)
    for macro in app.macros.values():
        yield f"macros.conf [{macro.name}]", macro.definition
    for name, stanza in app.stanzas("searchbnf").items():
        for key, text in stanza.settings.items():
            if key.startswith("example"):
                yield f"searchbnf.conf [{name}] {key}", text


def arity(arguments: str | None) -> int:
    if arguments is None or not arguments.strip():
        return 0
    return len(re.sub(r'"[^"]*"|\([^()]*\)', "", arguments).split(","))


def test_macros(app: AppConf) -> None:
    used = [(where, m[1], arity(m[2])) for where, text in spl(app) for m in MACRO.finditer(text)]
    assert len(used) > 20
    assert [u for u in used if (u[1], u[2]) not in app.macros] == []


def test_lookups(app: AppConf) -> None:
    used = [(where, m[2]) for where, text in spl(app) for m in LOOKUP.finditer(text)]
    assert len(used) > 5
    assert [u for u in used if u[1] not in app.stanzas("transforms")] == []


def test_commands(app: AppConf) -> None:
    used = [(where, m[1]) for where, text in spl(app) for m in OWN_COMMAND.finditer(text)]
    assert len(used) > 5
    assert [u for u in used if u[1] not in app.stanzas("commands")] == []


def test_lookup_definitions_have_their_file_or_collection(app: AppConf) -> None:
    for name, stanza in app.stanzas("transforms").items():
        if stanza.get("external_type") == "kvstore":
            assert stanza.get("collection") in app.stanzas("collections"), name
            assert "_key" in stanza.get("fields_list"), f"{name}: without _key nothing can be updated"
        else:
            assert (APP_DIR / "lookups" / stanza.get("filename")).is_file(), name


def test_every_collection_has_a_lookup_of_its_name(app: AppConf) -> None:
    defined = {stanza.get("collection") for stanza in app.stanzas("transforms").values()}
    assert set(app.stanzas("collections")) == defined - {""}


def test_every_lookup_file_has_a_definition(app: AppConf) -> None:
    files = {path.name for path in (APP_DIR / "lookups").glob("*.csv")}
    assert files == {s.get("filename") for s in app.stanzas("transforms").values()} - {""}


def test_commands_handlers_and_files_in_bin_are_the_same(app: AppConf) -> None:
    files = {stanza.get("filename") for stanza in app.stanzas("commands").values()}
    files |= {stanza.get("script") for name, stanza in app.stanzas("restmap").items() if name.startswith("script:")}
    files |= {f"{name}.py" for name in app.stanzas("alert_actions")}
    assert files == {path.name for path in (APP_DIR / "bin").glob("cba*.py")}
    assert all(stanza.get("filename") == f"{name}.py" for name, stanza in app.stanzas("commands").items())


def test_every_command_says_which_pythons_it_runs_on(app: AppConf) -> None:
    for name, stanza in app.stanzas("commands").items():
        said = (stanza.boolean("chunked"), stanza.get("python.version"), stanza.get("python.required"))
        assert said == (True, "python3", "3.9, 3.13"), name


def test_commands_that_write_are_risky_and_run_for_no_preview(app: AppConf) -> None:
    """A command that imports a collection and is not known to read only."""
    reading = {"cbahistory", "cbahealth", "cbabacktest", "cbaexport"}
    for name, stanza in app.stanzas("commands").items():
        source = (APP_DIR / "bin" / stanza.get("filename")).read_text("utf-8")
        if "cba.store" in source and name not in reading:
            assert stanza.boolean("is_risky"), f"{name} writes"
            assert not stanza.boolean("run_in_preview", default=True), name


@pytest.fixture
def help_of(app: AppConf) -> dict[str, Stanza]:
    return app.stanzas("searchbnf")


def test_every_command_has_help(app: AppConf, help_of: dict[str, Stanza]) -> None:
    assert set(help_of) == {f"{name}-command" for name in app.stanzas("commands")}


def test_help_is_complete(app: AppConf, help_of: dict[str, Stanza]) -> None:
    """https://docs.splunk.com/Documentation/Splunk/latest/Admin/Searchbnfconf: what it requires, and what helps."""
    for name in app.stanzas("commands"):
        text = help_of[f"{name}-command"]
        missing = [
            key
            for key in ("syntax", "shortdesc", "description", "example1", "comment1", "usage", "tags", "related")
            if not text.get(key).strip()
        ]
        assert missing == [], name
        assert text.get("syntax").startswith(name) and text.get("usage") == "public"
        assert f"{name}" in text.get("example1"), name
        for key in text.settings:
            if key.startswith("example"):
                assert key.replace("example", "comment") in text.settings, f"{name}: {key} has no comment"


def test_related_commands_are_commands(app: AppConf, help_of: dict[str, Stanza]) -> None:
    own = set(app.stanzas("commands"))
    for name, text in help_of.items():
        related = text.get("related").split()
        assert [r for r in related if r.startswith("cba") and r not in own] == [], name
        assert name.removesuffix("-command") not in related


def test_the_help_names_every_option(app: AppConf, help_of: dict[str, Stanza]) -> None:
    """Every `name = Option(` of the command's file stands in its syntax."""
    for name, stanza in app.stanzas("commands").items():
        source = (APP_DIR / "bin" / stanza.get("filename")).read_text("utf-8")
        options = re.findall(r"^    (\w+) = Option\(", source, re.MULTILINE)
        syntax = help_of[f"{name}-command"].get("syntax")
        assert [option for option in options if f"{option}=" not in syntax] == [], name


def test_allow_lists_are_lists_with_the_columns_that_a_finding_fills() -> None:
    listed = [detection for detection in load().detections.values() if detection.allow is not None]
    assert listed
    for detection in listed:
        assert detection.allow is not None
        [declared] = [each for each in LISTS.values() if each.collection == detection.allow.lookup]
        assert [column.name for column in declared.keys] == list(detection.allow.row), detection.id
        assert "comment" in declared.names
