"""The analysts' pages without a browser: generated, valid, consistent, and every panel's search runs."""

from __future__ import annotations

import copy
import gzip
import json
import re
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import quote

import generate
import jsonschema
import pages
import pytest
from pages import finding as finding_page
from pages.board import Board
from risk import RISK_SCORES

import content
from cba.detection.catalogue import load
from cba.findings.record import encode_atoms
from cba.findings.windows import Atom, AtomKey
from cba.history.days import DaySet
from cba.history.history import History, Subject
from cba.store.histories import encode
from lab.events import Event
from lab.searchhead import SearchHead
from lab.spl.engine import Engine
from lab.spl.evalcompile import Code
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
    assert generate.stale(pages.files(content.load(ROOT).detections), ROOT) == []


def test_the_navigation_names_every_page_and_where_it_begins() -> None:
    bar = read_navigation(ROOT)
    assert set(view_names(ROOT)) <= set(bar.views)
    assert bar.first == "start"
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


RANK = ("visualizations", "list_panel", "options", "columnFormat", "Rank", "width")


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
        (_with(20, *RANK), "a word of the column Rank breaks"),
        (_with(1400, *RANK), "list_panel: its columns take"),
        (_without("inputs", "country"), "a click sets 'country', which no input shows"),
        (_without("inputs", "country"), "search country_choices is shown nowhere"),
    ],
)
def test_mistakes_that_no_schema_sees_are_seen(change: Callable[[Definition], None], fault: str) -> None:
    definition = copy.deepcopy(read_view(ROOT, "findings").definition)
    change(definition)
    assert any(fault in found for found in faults(definition, OPTIONS))


def test_a_table_without_room_for_its_headers_is_refused() -> None:
    board = Board("crowded", "Crowded", "")
    board.search("rows", "| makeresults")
    columns = {f"Establishment{number}": 100 for number in range(3)}
    with pytest.raises(
        ValueError,
        match=r"crowded, rows_panel: .* need 497 pixels, the panel has \d+; widen the panel or shorten the names",
    ):
        board.row(100, (board.table("rows_panel", "rows", "Rows", columns), 3), (board.markdown("beside", "x"), 9))


def test_the_schema_sees_an_unknown_kind_of_panel() -> None:
    definition = copy.deepcopy(read_view(ROOT, "findings").definition)
    definition["visualizations"]["list_panel"]["type"] = "splunk.tabel"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(tabbed(definition))


def atoms(*seen: tuple[int, int, int]) -> str:
    """What a finding keeps of its quarters of an hour: (events, first second, last second) of each."""
    return encode_atoms(
        {
            AtomKey(first - first % 900, first - first % 900, "v2", "v2"): Atom(first, last, count)
            for count, first, last in seen
        }
    )


FINDING = {
    "finding_id": "f1", "opened_day": FIRST // 86_400, "last_suppressed_time": FIRST + 60, "detection": "cloud_unusual_country", "variation": "v2", "name": "From a country not seen",
    "severity": "medium", "severity_id": 3, "entity": "corp\\ada", "identity": "corp\\ada", "project": "p1",
    "key": '["corp\\\\ada", "SE"]', "first_time": FIRST, "last_time": FIRST + 60, "count": 2, "suppressed_count": 1,
    "raised_time": FIRST + 600, "anomaly_score": 63, "country": "SE", "src_ip": "192.0.2.1",
    "source_kind": "aws", "attack": "TA0001 T1078", "explanation": "Country SE: first time.",
    "evidence": json.dumps({"values": {"country": "SE"}, "scopes": {"identity": {"country": {
        "entity": "corp\\ada", "trained": True, "new": True, "seen": 1, "days": 0, "active_days": 9, "known": ["NL"],
    }}}}),
    "atoms": atoms((2, FIRST, FIRST + 60)),
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

    def put(found: re.Match[str]) -> str:
        value = str({**values, **tokens}[found[1]])
        # https://help.splunk.com/en/splunk-enterprise/create-dashboards-and-reports/dashboard-studio/10.0/make-dashboards-dynamic-and-interactive/tokens
        if found[2] == "|u":
            return quote(value, safe="!~*'()")
        return json.dumps(value, ensure_ascii=False) if found[2] == "|s" else value

    return TOKEN.sub(put, text)


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


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (view.name, name)
        for view in VIEWS
        for name, source in view.definition["dataSources"].items()
        if source["type"] == "ds.chain"
    ],
)
def test_a_chain_gives_the_same_as_its_base_and_itself_in_one_search(head: SearchHead, page: str, name: str) -> None:
    definition = read_view(ROOT, page).definition
    entity = {"entity": "organization"} if page == "entity" else {}
    options = definition["dataSources"][name]["options"]
    base, own = (
        filled(definition, text, **entity) for text in (full_query(definition, options["extend"]), options["query"])
    )
    window = head.window("-30d@d", "now")
    found = head.engine.postprocess(head.engine.search(base, window), own, window)
    assert found.rows == head.engine.search(f"{base}\n{own}", window).rows


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
    """The columns that panels and inputs over the search show and their clicks use, except those that may be empty
    everywhere."""
    may_be_empty = {"Why", "Days left", "First day", "Last day", "Newest", "Identities compared", "Not yet", "Comment",
                    "By", "Verdict", "Active from", "Settled from", "Did", "Status", "Assigned to"}  # fmt: skip
    found = set()
    definition = read_view(ROOT, page).definition
    for stanza in [*definition["visualizations"].values(), *definition["inputs"].values()]:
        if stanza.get("dataSources", {}).get("primary") == name:
            found |= set(re.findall(r'"([^"]+)"', stanza["options"].get("table", "")))
            found |= set(re.findall(r'seriesByName\(\\"(\w+)', json.dumps([stanza["options"], stanza.get("context")])))
            found |= set(re.findall(r"\brow\.(\w+)\.value", json.dumps(stanza.get("eventHandlers", []))))
    return found - may_be_empty


def test_the_page_of_a_finding_shows_its_evidence(head: SearchHead) -> None:
    assert rows_of(head, "finding", "evidence", finding="f1") == [
        {
            "Scope": "identity", "Of": "corp\\ada", "Dimension": "country", "Value": "Sweden", "New": "new",
            "Seen on days": "0", "Established values": "1", "Active on days": "9", "Known": "Netherlands",
        }
    ]  # fmt: skip
    facts = {row["What"]: row["Value"] for row in rows_of(head, "finding", "facts", finding="f1")}
    assert facts["Country"] == "Sweden"
    assert "Home region" not in facts
    said = {row["What"]: row["Value"] for row in rows_of(head, "finding", "summary", finding="f1")}
    assert list(said) == ["What happened", "Why", "What is new"]
    assert said["What happened"].startswith("2023-11-14 22:13 UTC until 2023-11-14 22:14 UTC: corp\\ada did ")
    assert " from Sweden, " in said["What happened"]
    assert said["What is new"] == "Country SE: first time."
    assert re.search(r"It is \w+, because the ", said["Why"])


def test_a_finding_that_is_not_there_is_said_to_be(head: SearchHead) -> None:
    (row,) = rows_of(head, "finding", "summary", finding='no "such" | finding')
    assert row["Value"] == finding_page.NOTHING


def test_the_steps_are_those_of_the_detection(head: SearchHead) -> None:
    steps = [row["Step"] for row in rows_of(head, "finding", "next", finding="f1")]
    told = load().detections[FINDING["detection"]].document["investigative_actions"]
    assert steps == [f"{number}. {' '.join(str(step).split())}" for number, step in enumerate(told, 1)]


def test_a_finding_leads_to_whoever_used_the_same(head: SearchHead) -> None:
    rows = {row["What"]: row for row in rows_of(head, "finding", "pivots", finding="f1")}
    assert rows["Address"]["Value"] == FINDING["src_ip"]
    for row in rows.values():
        head.engine.compile(row["_search"])
    assert int(rows["Address"]["_earliest"]) == FIRST - 86_400


def test_the_page_of_a_finding_says_what_was_counted(head: SearchHead) -> None:
    counted = {row["What"]: row["Value"] for row in rows_of(head, "finding", "counted", finding="f1")}
    assert counted == {
        "Raised by": "2023-11-14 22:13:20 UTC, the first event",
        "Counted": "1 more",
        "First of them": "2023-11-14 22:14:20 UTC",
        "Last of them": "2023-11-14 22:14:20 UTC",
        "Same behaviour": "corp\\ada, Sweden",
        "Window": "2023-11-14 22:13 UTC to 2023-11-15 22:13 UTC, 1 day",
    }


def test_every_next_step_of_a_finding_is_a_search_that_runs(head: SearchHead) -> None:
    steps = {row["Step"]: row for row in rows_of(head, "finding", "steps", finding="f1")}
    assert set(steps) >= {"API calls of corp\\ada from Sweden"}
    for row in steps.values():
        head.engine.compile(row["_search"])
    raw = steps["API calls of corp\\ada from Sweden"]
    assert 'identity="corp\\\\ada"' in raw["_search"]
    assert (raw["_earliest"], raw["_latest"]) == (str(FIRST), str(FIRST + 61))


def test_only_open_findings_are_listed_at_first(head: SearchHead) -> None:
    assert [row["_finding_id"] for row in rows_of(head, "findings", "list")] == ["f1"]
    assert rows_of(head, "findings", "list", status="closed") == []
    assert [row["_finding_id"] for row in rows_of(head, "findings", "list", status="all")] == ["f1"]
    assert rows_of(head, "findings", "list", severity="4") == []


@pytest.mark.parametrize(
    ("token", "passes", "stops"),
    [("country", "SE", "NL"), ("detection", "cloud_unusual_country", "x"), ("entity", "ada", "bob")],
)
def test_findings_are_chosen_by_country_detection_and_entity(
    head: SearchHead, token: str, passes: str, stops: str
) -> None:
    assert [row["_finding_id"] for row in rows_of(head, "findings", "list", **{token: passes})] == ["f1"]
    assert rows_of(head, "findings", "list", **{token: stops}) == []


ALL = {"label": "all", "value": "*"}


def test_the_choices_have_names(head: SearchHead) -> None:
    name = "A cloud identity executed an API call from an unusual country"
    assert rows_of(head, "findings", "detection_choices") == [ALL, {"label": name, "value": "cloud_unusual_country"}]
    assert rows_of(head, "findings", "country_choices") == [ALL, {"label": "Sweden", "value": "SE"}]


def test_the_list_of_countries_shows_all_whichever_is_chosen(head: SearchHead) -> None:
    (row,) = rows_of(head, "findings", "countries", country="NL")
    assert (row["Country"], row["_code"], row["Findings"]) == ("Sweden", "SE", 1)


def test_the_map_counts_findings_whose_country_was_new(head: SearchHead) -> None:
    (row,) = rows_of(head, "countries", "countries")
    assert (row["name"], row["code"], row["findings"], row["Open"]) == ("Sweden", "SE", 1, 1)
    assert (row["First"], row["Last"]) == ("2023-11-14", "2023-11-14")


# --- One finding, its neighbours, and what was said of it -------------------------------------------------------------

LATER = FIRST + 3_600
STORY: list[dict[str, Any]] = [
    {**FINDING, "finding_id": "low", "severity": "low", "severity_id": 2, "name": "Less", "count": 1,
     "suppressed_count": 0, "last_suppressed_time": 0, "atoms": atoms((1, FIRST, FIRST))},
    {**FINDING, "finding_id": "high", "severity": "high", "severity_id": 4, "name": "More", "first_time": LATER,
     "last_time": LATER + 2_000, "count": 6, "suppressed_count": 5, "last_suppressed_time": LATER + 2_000,
     "atoms": atoms((1, LATER, LATER), (4, LATER + 950, LATER + 990), (1, LATER + 2_000, LATER + 2_000)),
     },
    {**FINDING, "finding_id": "again", "first_time": FIRST + 10 * 86_400, "opened_day": FIRST // 86_400 + 10},
    {**FINDING, "finding_id": "host", "detection": "process_rare_cloud_resource", "key": "[]", "name": "Other",
     "variation": "base", "severity_id": 1},
]  # fmt: skip
SAID = {
    "_key": "high", "finding_id": "high", "status": "closed", "verdict": "benign", "owner": "cleo", "comment": "moved",
    "triaged_time": LATER + 9_000, "triaged_by": "ines",
    "earlier": json.dumps([{"verdict": "malicious", "by": "bo", "time": LATER + 7_000, "comment": "odd"},
                           {"verdict": "", "by": "bo", "time": LATER + 8_000, "comment": ""}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    """A search head with four findings of one entity; a verdict was given of one."""
    with SearchHead(ROOT, tmp_path_factory.mktemp("neighbours")) as found:
        found.events.add([Event(FIRST, FIRST, "main", "aws:cloudtrail", "s", "h", "{}")])
        for finding in STORY:
            found.kv.collection("cba_findings").insert({**finding, "_key": finding["finding_id"]})
        found.kv.collection("cba_triage").insert(SAID)
        yield found


@pytest.mark.parametrize(
    ("page", "name"), [(view.name, name) for view in VIEWS for name in view.definition["dataSources"]]
)
def test_no_search_depends_on_what_a_condition_on_null_is(
    neighbours: SearchHead, page: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Null or false: no page of Splunk's says (tests/sources/test_null_logic.py)."""
    tokens = {"entity": "organization"} if page == "entity" else {"finding": "low"}
    right = rows_of(neighbours, page, name, **tokens)
    monkeypatch.setattr(Code, "nulls_are_false", True)
    made = neighbours.engine
    other = Engine(made.app, made.events, neighbours.kv, made.commands, made.lookups.folder)
    monkeypatch.setattr(neighbours, "engine", other)
    assert rows_of(neighbours, page, name, **tokens) == right


def test_what_was_raised_and_what_was_counted_in_one_window(neighbours: SearchHead) -> None:
    high = {row["What"]: row["Value"] for row in rows_of(neighbours, "finding", "counted", finding="high")}
    assert high["Counted"] == "5 more"
    assert high["First of them"] == "2023-11-14 23:29:10 UTC"
    assert high["Last of them"] == "2023-11-14 23:46:40 UTC"
    assert high["Window"] == "2023-11-14 22:13 UTC to 2023-11-15 22:13 UTC, 1 day", "opened by the less severe one"
    assert high["Before it"] == "low, 2023-11-14 22:13 UTC: less severe, so this one was raised as well"
    low = {row["What"]: row["Value"] for row in rows_of(neighbours, "finding", "counted", finding="low")}
    assert low["After it"] == "high, 2023-11-14 23:13 UTC: more severe, so it was raised as well"
    assert low["Counted"] == "nothing more"
    assert "First of them" not in low


def test_how_other_findings_of_the_entity_relate(neighbours: SearchHead) -> None:
    rows = rows_of(neighbours, "finding", "others", finding="low")
    assert {row["_finding_id"]: row["Beside this one"] for row in rows} == {
        "low": "this one",
        "high": "the same window, more severe",
        "again": "the same behaviour, another window",
        "host": "another detection",
    }
    assert rows[0]["_finding_id"] == "again", "the latest first"


def test_what_was_said_of_a_finding(neighbours: SearchHead) -> None:
    said = rows_of(neighbours, "finding", "said", finding="high")
    assert [(row["Verdict"], row["By"], row["Why"]) for row in said] == [
        ("benign", "ines", "moved"), ("none", "bo", ""), ("malicious", "bo", "odd"),
    ]  # fmt: skip
    state = {row["What"]: row["Value"] for row in rows_of(neighbours, "finding", "state", finding="high")}
    assert (state["Said"], state["Verdict"]) == ("ines, 2023-11-15 01:43 UTC", "benign")
    (nothing,) = rows_of(neighbours, "finding", "said", finding="low")
    assert nothing["Verdict"] == "none yet"


@pytest.mark.parametrize(("finding", "back"), [("low", set()), ("high", {"Take the verdict back"}), ("host", set())])
def test_only_what_was_given_can_be_taken_back(neighbours: SearchHead, finding: str, back: set[str]) -> None:
    rows = {row["Verdict"]: row for row in rows_of(neighbours, "finding", "decide", finding=finding)}
    assert set(rows) == {"It is normal", "It is an attack", "Assign it, or change its status"} | back
    assert {row["_finding_id"] for row in rows.values()} == {finding}


def test_findings_within_a_day_are_one_case_whose_risk_adds_up(neighbours: SearchHead) -> None:
    rows = {row["_finding_id"]: row for row in rows_of(neighbours, "finding", "others", finding="low")}
    assert rows["high"]["Case"] == rows["low"]["Case"] == rows["host"]["Case"] == "this case"
    assert rows["again"]["Case"] == "case 2"
    severities = [row["Severity"] for row in rows.values() if row["Case"] == "this case"]
    assert rows["high"]["Risk by then"] == sum(RISK_SCORES[severity] for severity in severities)
    assert rows["again"]["Risk by then"] == RISK_SCORES[rows["again"]["Severity"]], "another case begins anew"


def test_the_timeline_of_the_entity_shows_the_break_in_normal_life(neighbours: SearchHead) -> None:
    day = FIRST // 86_400
    usual = DaySet(day - 40, day + 1, (1 << 42) - 1)
    history = History({"NL": usual, "SE": DaySet.of(day), "FR": DaySet.of(day + 1)})
    neighbours.kv.collection("cba_history").insert(encode(Subject("identity_country", "corp\\ada"), history))
    rows = {row["Value"]: row for row in rows_of(neighbours, "finding", "days", finding="low")}
    assert set(rows) == {"Sweden (this finding)", "Netherlands", "France"}
    assert next(iter(rows)) == "Sweden (this finding)"
    states = {name: [str(row.get(f"s{back}") or "") for back in range(34, 0, -1)] for name, row in rows.items()}
    assert states == {
        "Sweden (this finding)": [*[""] * 30, "this finding", "", "", ""],
        "Netherlands": [*["established"] * 32, "", ""],
        "France": [*[""] * 31, "provisional", "", ""],
    }
    assert (rows["Netherlands"]["d34"], rows["Sweden (this finding)"]["d4"]) == ("15", "14"), "of October, of November"
