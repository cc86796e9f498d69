"""The analysts' pages without a browser: generated, valid, consistent, and every panel's search runs."""

from __future__ import annotations

import copy
import gzip
import json
import re
from pathlib import Path
from typing import Any, Callable, Iterator

import generate
import jsonschema
import pages
import pytest

from lab.events import Event
from lab.searchhead import SearchHead
from lab.views import View, read_navigation, read_view, view_names
from tests.spl.constructs import constructs, of_macros
from tests.spl.harness import load_cases
from tests.views.lint import TOKEN, faults

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(gzip.decompress(Path(__file__).with_name("dashboard.schema.json.gz").read_bytes()))
VIEWS = [read_view(ROOT, name) for name in view_names(ROOT)]
FIRST = 1_700_000_000
Definition = dict[str, Any]


VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
(PANEL,) = SCHEMA["properties"]["visualizations"]["patternProperties"].values()
OPTIONS = {
    case["if"]["properties"]["type"]["const"]: case["then"]["properties"]["options"]["properties"]
    for case in PANEL["allOf"]
}
"""Kind of panel -> its options."""


def test_the_pages_are_what_their_sources_generate() -> None:
    assert generate.stale(pages.files(), ROOT) == []


def test_the_navigation_names_every_page_and_where_it_begins() -> None:
    bar = read_navigation(ROOT)
    assert set(view_names(ROOT)) <= set(bar.views)
    assert bar.first == "findings"
    assert "configuration" in bar.views


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_page_is_valid(view: View) -> None:
    # The framework itself makes tabs of a layout without before it validates.
    VALIDATOR.validate(tabbed(view.definition))
    assert list(faults(view.definition, OPTIONS)) == []


def tabbed(definition: Definition) -> Definition:
    layout = dict(definition["layout"])
    inputs = layout.pop("globalInputs")
    tabs = {"items": [{"layoutId": "layout_1", "label": "New tab"}]}
    return {**definition, "layout": {"globalInputs": inputs, "layoutDefinitions": {"layout_1": layout}, "tabs": tabs}}


def _without(*path: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        for key in path[:-1]:
            definition = definition[key]
        del definition[path[-1]]

    return change


def _with(value: Any, *path: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        for key in path[:-1]:
            definition = definition.setdefault(key, {})
        definition[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_with("gone", "visualizations", "list_panel", "dataSources", "primary"), "shows 'gone', which is no search"),
        (_with("gone", "dataSources", "list", "options", "extend"), "extends 'gone', which is none"),
        (_with(1, "visualizations", "list_panel", "options", "pageSize"), "splunk.table has no option 'pageSize'"),
        (_without("inputs", "status"), "nothing sets the token status"),
        (_without("dataSources", "list", "options", "query"), "search list has no query"),
        (_without("visualizations", "list_panel"), "panel list_panel is defined or placed, not both"),
        (_with({}, "more"), "unknown key 'more'"),
    ],
)
def test_mistakes_that_no_schema_sees_are_seen(change: Callable[[Definition], None], fault: str) -> None:
    definition = copy.deepcopy(read_view(ROOT, "findings").definition)
    change(definition)
    assert any(fault in found for found in faults(definition, OPTIONS))


def test_the_schema_sees_an_unknown_kind_of_panel() -> None:
    definition = copy.deepcopy(read_view(ROOT, "findings").definition)
    definition["visualizations"]["list_panel"]["type"] = "splunk.tabel"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tabbed(definition))


FINDING = {
    "finding_id": "f1", "detection": "cloud_unusual_country", "variation": "2", "name": "From a country not seen",
    "severity": "medium", "severity_id": 3, "entity": "corp\\ada", "identity": "corp\\ada", "project": "p1",
    "key": '["corp\\\\ada", "SE"]', "first_time": FIRST, "last_time": FIRST + 60, "count": 2, "suppressed_count": 1,
    "raised_time": FIRST + 600, "anomaly_score": 63, "country": "SE", "src_ip": "192.0.2.1", "status": "new",
    "source_kind": "aws", "attack": "TA0001 T1078", "explanation": "Country SE: first time.",
    "evidence": json.dumps({"values": {"country": "SE"}, "scopes": {"identity": {"country": {
        "entity": "corp\\ada", "trained": True, "new": True, "seen": 1, "days": 0, "active_days": 9, "known": ["NL"],
    }}}}),
    "atoms": json.dumps({f"{FIRST - FIRST % 900}|2|2": [2, FIRST, FIRST + 60]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    """A search head that has met one event and raised one finding."""
    with SearchHead(ROOT, tmp_path_factory.mktemp("state")) as found:
        found.events.add([Event(FIRST, FIRST, "main", "aws:cloudtrail", "s", "h", "{}")])
        found.kv.collection("cba_findings").insert(FINDING)
        yield found


def full_query(definition: Definition, name: str) -> str:
    source = definition["dataSources"][name]
    base = source["options"].get("extend")
    text = str(source["options"]["query"])
    return f"{full_query(definition, base)}\n{text}" if base else text


def filled(definition: Definition, text: str, **tokens: str) -> str:
    """The text with the inputs' defaults, or `tokens`, for tokens."""
    values = {given["options"]["token"]: given["options"]["defaultValue"] for given in definition["inputs"].values()}
    return TOKEN.sub(lambda found: str({**values, **tokens}[found[1]]), text)


def rows_of(head: SearchHead, page: str, name: str, **tokens: str) -> list[dict[str, Any]]:
    definition = read_view(ROOT, page).definition
    return head.search(filled(definition, full_query(definition, name), **tokens), earliest="-30d@d", latest="now").rows


@pytest.mark.parametrize(
    ("page", "name"), [(view.name, name) for view in VIEWS for name in view.definition["dataSources"]]
)
def test_every_search_runs(head: SearchHead, page: str, name: str) -> None:
    entity = {"entity": "organization"} if page == "entity" else {}
    rows = rows_of(head, page, name, **entity)
    wanted = columns_of(page, name)
    assert not rows or wanted <= set().union(*rows)


def test_every_construct_of_a_page_has_a_case(head: SearchHead) -> None:
    pinned = {pin for case in load_cases() for pin in case.pins}
    custom = frozenset(head.app.stanzas("commands"))
    missing = {
        construct: f"{view.name}: {name}"
        for view in VIEWS
        for name in view.definition["dataSources"]
        for text in [filled(view.definition, full_query(view.definition, name))]
        for construct in (constructs(head.engine.expand(text).text, custom) | of_macros(text)) - pinned
    }
    assert missing == {}


def columns_of(page: str, name: str) -> set[str]:
    """The columns that tables over the search show and their clicks use, except those that may be empty everywhere."""
    may_be_empty = {"Why", "Days left", "First day", "Last day", "Days silent", "Newest", "Identities compared", "Not yet",
                    "Comment", "By", "Verdict", "Days known"}  # fmt: skip
    found = set()
    for panel in read_view(ROOT, page).definition["visualizations"].values():
        if panel.get("dataSources", {}).get("primary") == name and panel["type"] == "splunk.table":
            found |= set(re.findall(r'"([^"]+)"', panel["options"]["table"]))
            found |= set(re.findall(r"\$row\.(\w+)\.value", json.dumps(panel.get("eventHandlers", []))))
    return found - may_be_empty


def test_the_page_of_a_finding_shows_its_evidence(head: SearchHead) -> None:
    assert rows_of(head, "finding", "evidence", finding="f1") == [
        {
            "Scope": "identity", "Of": "corp\\ada", "Dimension": "country", "Value": "SE", "New": "new",
            "Seen on days": "0", "Established values": "1", "Active on days": "9", "Known": "NL",
        }
    ]  # fmt: skip
    facts = {row["What"]: row["Value"] for row in rows_of(head, "finding", "facts", finding="f1")}
    assert facts["Why"] == "Country SE: first time."
    assert facts["Counted, not raised again"].startswith("1 events until 2023-11-14")
    assert "Verdict" not in facts


def test_every_next_step_of_a_finding_is_a_search_that_runs(head: SearchHead) -> None:
    steps = {row["Step"]: row for row in rows_of(head, "finding", "steps", finding="f1")}
    assert set(steps) >= {"API calls of corp\\ada from SE", "It is normal", "It is an attack", "Take the verdict back"}
    for row in steps.values():
        head.engine.compile(row["_search"])
    raw = steps["API calls of corp\\ada from SE"]
    assert 'identity="corp\\\\ada"' in raw["_search"]
    assert (raw["_earliest"], raw["_latest"]) == (str(FIRST), str(FIRST + 61))


def test_only_open_findings_are_listed_at_first(head: SearchHead) -> None:
    assert [row["_finding_id"] for row in rows_of(head, "findings", "list")] == ["f1"]
    assert rows_of(head, "findings", "list", status='status="closed"') == []
    assert rows_of(head, "findings", "list", severity="severity_id>=4") == []
