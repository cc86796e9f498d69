"""How rows of functions, flows and scripts are prepared.

`serverless_rows.jsonl` holds what the searches of the first version gave for as many rows, recorded from their SPL before
it was replaced: per line the row (`given`; list fields as JSON arrays) and its parts, each as what differs from the row,
"" for what is absent.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Mapping

import pytest

from cba.enrich.parts import values_of
from cba.enrich.place import Egress, place
from cba.enrich.rows import PREPARATIONS
from cba.lists.declared import LISTS
from cba.lists.match import ListTables

Part = Mapping[str, str]
ROOT = Path(__file__).resolve().parents[2]
CASES = [json.loads(line) for line in Path(__file__).with_name("serverless_rows.jsonl").read_text("utf-8").splitlines()]
PEOPLES_ROWS: dict[str, list[dict[str, str]]] = {
    "egress_ranges": [
        {"cidr": "178.85.138.0/24", "label": "vpn-ams", "country": "NL"},
        {"cidr": "81.169.0.0/16", "label": "proxy"},
    ],
    "allowed_functions": [{"project": "1111*", "function": "too*"}, {"project": "*", "function": "Exporter"}],
    "user_context": [{"identity": "*@it.example.com"}, {"identity": "maker@example.com"}],
    "own_domains": [{"domain": "*example.org"}],
    "script_scope": [{"script": "s-allowed"}, {"script": "budget*"}, {"script": "123.apps*drive.files.list"}],
}
PLACE_FIELDS = frozenset({"country", "asn", "cloud_provider", "cloud_region", "ip_scope", "egress"})


def shipped() -> dict[str, list[dict[str, str]]]:
    """The rows that the app brings."""
    found = {}
    for each in LISTS.values():
        if each.shipped:
            with (ROOT / "lookups" / f"{each.defaults}.csv").open(encoding="utf-8", newline="") as file:
                found[each.name] = list(csv.DictReader(file))
    return found


@pytest.fixture(scope="module")
def lists() -> ListTables:
    made = ListTables({**shipped(), **PEOPLES_ROWS})
    assert made.faults == []
    return made


LATER = "chain_account"
"""What the first version did not make; the scenarios show it."""


def prepared(kind: str, cells: Part, lists: ListTables) -> list[dict[str, str]]:
    """The row's parts without what `place` has filled in."""
    placed = place(cells, Egress(lists))
    parts = PREPARATIONS[kind](placed, lists)
    return [{name: part[name] for name in part.keys() - PLACE_FIELDS - {LATER}} for part in parts]


def as_set(parts: list[dict[str, str]]) -> set[str]:
    return {json.dumps(part, sort_keys=True) for part in parts}


@pytest.mark.parametrize("kind", ["iaas", "office", "saas"])
def test_as_the_first_version_did(kind: str, lists: ListTables) -> None:
    """Equal parts of a row, which SPL gave several times, are one."""
    cases = [case for case in CASES if case["rows_of"] == kind]
    assert len(cases) > 20
    for case in cases:
        row = {name: value for name, value in case["given"].items() if name not in PLACE_FIELDS}
        wanted = [{n: v for n, v in {**row, **part}.items() if v != ""} for part in case["parts"]]
        parts = prepared(f"serverless_{kind}", case["given"], lists)
        assert as_set(parts) == as_set(wanted), case["given"]
        assert len(as_set(parts)) == len(parts)


def test_the_recorded_rows_are_varied() -> None:
    """Every field that a preparation makes occurs, and every kind of signal."""
    fields = {name for case in CASES for part in case["parts"] for name, value in part.items() if value}
    assert fields >= {
        "signal_kind", "privilege", "grant", "outside_use", "allowed", "signal_what", "chain_function", "chain_role", "chain_person",
        "connector", "destination", "user_context", "flow_action", "destination_scope", "action", "access", "script_scope",
        "title_scope", "client_scope", "trigger",
    }  # fmt: skip
    kinds = {kind for case in CASES for kind in values_of(case["given"].get("signal_kind", ""))}
    assert kinds == {"deployment", "privilege", "use", "invocation", "outside"}


@pytest.mark.parametrize("kind", sorted(PREPARATIONS))
def test_what_is_no_signal_has_no_parts_but_a_plain_row_is_itself(kind: str, lists: ListTables) -> None:
    row = {"source_kind": "aws", "identity": "ann", "country": "NL"}
    assert list(PREPARATIONS[kind](row, lists)) == ([row] if kind == "plain" else [])


@pytest.mark.parametrize(
    ("kind", "cells", "what"),
    [
        ("serverless_iaas", {"signal_kind": "invocation", "invocation": "of functions"}, "invoked a function"),
        ("serverless_iaas", {"signal_kind": "deployment"}, "changed the configuration of a function"),
        (
            "serverless_office",
            {"action": "flow_changed", "connector": '["http"]'},
            "http in a flow (calls any web address)",
        ),
        ("serverless_saas", {"action": "app_authorized", "signal_what": "an app"}, "an app"),
    ],
)
def test_what_is_absent_is_not_a_dash(kind: str, cells: dict[str, str], what: str, lists: ListTables) -> None:
    assert prepared(kind, cells, lists)[-1]["signal_what"] == what


def test_a_flow_is_itself_and_each_of_its_connectors_with_or_without_an_empty_element(lists: ListTables) -> None:
    row = {"action": "flow_changed", "identity": "ann@example.com", "signal_what": "CreateFlow f-1"}
    for connectors in ('["http","slack"]', '["","http","slack"]'):
        parts = prepared("serverless_office", {**row, "connector": connectors}, lists)
        assert [part.get("connector") for part in parts] == [None, "http", "slack"]
        assert [part.get("flow_action") for part in parts] == [None, "http*", "*slack*"]


def test_a_role_used_through_the_companys_own_exit_is_not_outside(lists: ListTables) -> None:
    row = {
        "source_kind": "aws",
        "signal_kind": "outside",
        "ip_scope": "public",
        "asn": "6830",
        "identity": "arn:aws:iam::1:role/x",
    }
    (part,) = prepared("serverless_iaas", {**row, "src_ip": "178.85.139.1"}, lists)
    assert part["outside_use"] == "6830"
    assert prepared("serverless_iaas", {**row, "src_ip": "178.85.138.1"}, lists) == []


def test_a_role_used_through_another_account_s_endpoint_is_outside(lists: ListTables) -> None:
    row = {
        "source_kind": "aws",
        "signal_kind": "outside",
        "ip_scope": "private",
        "src_ip": "10.9.9.9",
        "identity": "arn:aws:iam::1:role/x",
    }
    assert prepared("serverless_iaas", row, lists) == []
    (part,) = prepared("serverless_iaas", {**row, "foreign_endpoint": "999999999999"}, lists)
    assert part["outside_use"] == "VPC endpoint of account 999999999999"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("deployment", ["deployment"]),
        ('["a","b"]', ["a", "b"]),
        ('["Ünï","-",""]', ["Ünï", "-", ""]),
        ("[]", []),
        ("[not json", ["[not json"]),
        ("[1, null]", ["1", "null"]),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_list_fields(text: str, values: list[Any]) -> None:
    assert values_of(text) == values


def test_a_long_list_takes_a_time_that_grows_with_it_alone(lists: ListTables) -> None:
    """An event of 20,000 grants that is also a use of 20,000 secrets has 40,000 parts, not 400 million."""
    many = json.dumps([f"- {number}" for number in range(20_000)])
    row = {"signal_kind": '["privilege","use"]', "privilege": "SetIamPolicy", "grant": many, "sensitive_use": many}
    assert len(prepared("serverless_iaas", row, lists)) == 40_000
