"""Values stay values in the searches of pages, and in those that pages open, whatever somebody calls themselves."""

from __future__ import annotations

import csv
import json
import re
from typing import Iterator

import pytest
from pages.board import Board
from pages.spl import bare_tokens, contains, filled, inner, quoted

from lab.errors import LabError
from lab.events import Event
from lab.searchhead import SearchHead
from lab.views import read_view
from tests.views.test_views import FINDING, FIRST, ROOT, full_query, rows_of
from tests.views.test_views import filled as page_filled

EVIL = 'x" | append [| inputlookup compromised_keys] | outputlookup watch_list | eval a="'
NAMES = (
    "plain", EVIL, "corp\\ada", 'a\\" | delete "', "\\", '"', '\\\\"', "a||b||| delete", "$entity$", "@identity@", "\\1 \\0",
    "[| inputlookup cba_findings]", "`cba_base_aws`", "100%", "Ünïcode", "a*b_c?", "(a|b)+",
)  # fmt: skip


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    """A search head with a finding for each name."""
    with SearchHead(ROOT, tmp_path_factory.mktemp("state")) as found:
        found.events.add([Event(FIRST, FIRST, "main", "aws:cloudtrail", "s", "h", "{}")])
        for n, name in enumerate(NAMES):
            more = {"finding_id": f"f{n}", "_key": f"f{n}", "key": json.dumps([name, "SE"])}
            found.kv.collection("cba_findings").insert({**FINDING, "entity": name, "identity": name, **more})
        yield found


def of(name: str) -> str:
    return f"f{NAMES.index(name)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_quoted_value_is_the_value_again(head: SearchHead, name: str) -> None:
    value = json.dumps(name, ensure_ascii=False)
    (row,) = head.search(f"| makeresults | eval v={value}, text={quoted('v')}, inside={inner('v')}").rows
    assert row["text"] == f'"{row["inside"]}"'
    (again,) = head.search(f"| makeresults | eval v={row['text']}").rows
    assert again["v"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_value_put_into_a_template_is_the_value(head: SearchHead, name: str) -> None:
    value = json.dumps(name, ensure_ascii=False)
    (row,) = head.search(f'| makeresults | eval v={value}, t="<@v@>", made={filled("t", "v", "v")}').rows
    assert row["made"] == f"<{name}>"


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_of_a_finding_search_for_its_entity(head: SearchHead, name: str) -> None:
    steps = rows_of(head, "finding", "steps", finding=of(name))
    (known,) = [row for row in steps if row["Step"].startswith("What is known of ")]
    assert known["Step"] == f"What is known of {name}"
    assert known["Means"] == "its values, since when, established or not"
    entity = json.dumps(name, ensure_ascii=False)
    assert known["_search"] == f"| cbahistory entity={entity}"
    (raw,) = [row for row in steps if row["Step"].startswith("API calls of ")]
    assert f"identity={entity}" in raw["_search"]
    for row in steps:
        head.engine.compile(row["_search"])


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_of_an_entity_and_of_findings_take_any_name(head: SearchHead, name: str) -> None:
    listed = rows_of(head, "entity", "list", entity=name)
    assert [row["_finding_id"] for row in listed] == [of(name)]
    for search in ("known", "related", "others"):
        rows_of(head, "entity", search, entity=name, find=name)
    found = rows_of(head, "findings", "list", entity=name)
    assert of(name) in {row["_finding_id"] for row in found}
    assert rows_of(head, "findings", "list", country=name, detection=name) == []
    assert rows_of(head, "findings", "list", severity=name, status=name) == []


def test_rows_of_the_tuning_page_open_searches_for_the_value(head: SearchHead) -> None:
    for row in rows_of(head, "tuning", "entities"):
        assert row["Entity"] in NAMES
    for row in rows_of(head, "tuning", "values"):
        ids = row["_ids"].split(",")
        assert len(ids) == int(row["Findings"])
        by_id = {found["finding_id"]: found for found in head.search("| inputlookup cba_findings").rows}
        assert {json.loads(by_id[each]["key"])[-1] for each in ids} == {"SE"}
        assert row["Value"] == "Sweden"
    for row in rows_of(head, "tuning", "variations"):
        assert len(head.search(row["_search"]).rows) == int(row["Findings"])


@pytest.mark.parametrize(
    ("text", "passes"),
    [("ADA", True), ("corp\\", True), ("*", True), ("c*a", True), ("bob", False), ("ada*x", False)],
)
def test_a_part_of_a_name(head: SearchHead, text: str, passes: bool) -> None:
    condition = contains("e", "x").replace("$x|s$", json.dumps(text))
    assert bool(head.search(f'| makeresults | eval e="corp\\\\ada" | where {condition}').rows) == passes


def test_a_page_with_a_bare_token_is_not_made() -> None:
    board = Board("open", "Open", "")
    with pytest.raises(ValueError, match=r"open: in the search rows, what \$x\$ stands for could be any SPL"):
        board.search("rows", '| inputlookup a where b="$x$"')
    board.search("rows", "| inputlookup a where b=$x|s$")
    assert bare_tokens("$a|s$ $b|u$ $c$ $$ $1$") == ["$b|u$", "$c$"]
    assert bare_tokens(r'"CBA - $a|u$ - \" $b$ | $c|s$" "x" $d|s$') == ["$b$", "$c|s$"]


@pytest.mark.parametrize("logs", [*NAMES, "CBA - aws - Backfill", "aws - Rows"])
def test_the_tuning_page_runs_searches_for_rows_only(head: SearchHead, logs: str) -> None:
    """A saved search may do anything; which one is run must not be in the hands of whoever writes a link."""
    definition = read_view(ROOT, "tuning").definition
    query = page_filled(definition, full_query(definition, "backtest"), logs=logs)
    named = re.match(r'\| savedsearch "CBA - ([A-Za-z0-9%._!~*\'()-]*) - Rows"\n\| cbabacktest', query)
    assert named, query
    with pytest.raises(LabError, match="there is no saved search"):
        head.search(query)


def test_drilldowns_name_fields_in_quotes_only() -> None:
    """What a finding's page puts there is written for the inside of quotes."""
    with (ROOT / "lookups" / "cba_drilldowns.csv").open(encoding="utf-8", newline="") as file:
        searches = [row["search"] for row in csv.DictReader(file)]
    assert searches
    for search in searches:
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", search)
        assert re.findall(r"\$\w+\$", outside) == [], search
