"""Lists as people write them: which row counts, and what becomes of a row that cannot be used."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.lists.declared import LISTS
from cba.lists.match import MEMO_CHARACTERS, MEMO_ENTRIES, SAID, Lists, ListTables
from cba.lists.wildcard import Wildcard

Row = dict[str, Any]


def lists(**rows: list[Row]) -> ListTables:
    """Lists without a damaged row."""
    made = ListTables(rows)
    assert made.faults == []
    return made


def test_the_first_row_that_matches_counts() -> None:
    found: Lists = lists(
        flow_actions=[
            {"connector": "http with*", "action": "first"},
            {"connector": "http", "action": "second"},
            {"connector": "http*", "action": "third"},
            {"connector": "http", "action": "never"},
        ]
    )
    for connector, action in (("HTTP with Azure AD", "first"), ("http", "second"), ("https", "third")):
        row = found.match("flow_actions", connector=connector)
        assert row is not None and row["action"] == action
    assert found.match("flow_actions", connector="slack") is None


def test_a_row_has_every_column_as_text() -> None:
    found = lists(compromised_keys=[{"access_key": " AKIA1 ", "since": 1767225600.0, "_key": "x", "_user": "nobody"}])
    row = found.match("compromised_keys", access_key="AKIA1")
    assert row == {"access_key": "AKIA1", "reason": "", "since": "1767225600", "comment": ""}


@pytest.mark.parametrize(
    ("name", "row", "values"),
    [
        ("watch_list", {"identity": "Ann@Example.com"}, {"identity": "ann@example.com"}),
        ("quarantined", {"identity": "arn:aws:iam::1:user/Ann@x.com", "since": 1}, {"identity": "arn:aws:iam::1:user/ann@x.com"}),
        ("role_scope", {"kind": "Role", "pattern": "*ADMIN"}, {"kind": "role", "pattern": "myAdmin"}),
        ("allowed_functions", {"project": "1*", "function": "Tool"}, {"project": "123", "function": "tool"}),
    ],
)  # fmt: skip
def test_letter_case_does_not_matter(name: str, row: Row, values: dict[str, str]) -> None:
    assert lists(**{name: [row]}).match(name, **values) is not None


def test_a_function_is_another_by_letter_case_and_a_star_in_its_name_is_a_star() -> None:
    found = lists(instance_inventory=[{"instance": "arn:aws:iam::1:role/x/run-*", "region": "eu-west-1"}])
    assert found.match("instance_inventory", instance="arn:aws:iam::1:role/x/run-*") is not None
    assert found.match("instance_inventory", instance="arn:aws:iam::1:role/x/run-7") is None
    assert found.match("instance_inventory", instance="arn:aws:iam::1:role/x/Run-*") is None


def test_only_a_star_matches_what_is_absent() -> None:
    assert lists(script_scope=[{"script": "*"}]).match("script_scope", script="") is not None
    assert lists(script_scope=[{"script": "a*"}]).match("script_scope", script="") is None
    assert lists().match("watch_list", identity="") is None


def test_an_exception_takes_off_the_list_what_other_rows_put_on_it() -> None:
    found = lists(
        role_scope=[
            {"kind": "role", "pattern": "*admin*", "name": "an administrator's role"},
            {"kind": "role", "pattern": "*admin-readonly", "except": "1"},
        ]
    )
    assert found.match("role_scope", kind="role", pattern="the-admin-readonly") is None
    assert found.match("role_scope", kind="role", pattern="the-admin") is not None


def test_of_several_times_the_earliest_counts() -> None:
    policies = [
        {"identity": "ann", "policy": name, "since": since} for name, since in (("V3", 300), ("V1", 100), ("V2", 200))
    ]
    row = lists(quarantined=policies).match("quarantined", identity="ann")
    assert row is not None and row["policy"] == "V1"
    keys = [{"access_key": "A", "reason": "later", "since": "500"}, {"access_key": "A", "reason": "always"}]
    row = lists(compromised_keys=keys).match("compromised_keys", access_key="A")
    assert row is not None and row["reason"] == "always"


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("egress_ranges", {"cidr": "not a range", "label": "x"}, ["cidr", "'not a range'"]),
        ("egress_ranges", {"cidr": "10.0.0.0/33", "label": "x"}, ["10.0.0.0/33"]),
        ("egress_ranges", {"cidr": "10.0.0.0/8"}, ["country", "label"]),
        ("egress_ranges", {"label": "office"}, ["cidr is empty"]),
        ("compromised_keys", {"access_key": "A", "since": "yesterday"}, ["since", "'yesterday'", "epoch seconds"]),
        ("compromised_keys", {"access_key": "A", "since": "1e400"}, ["since"]),
        ("compromised_keys", {"access_key": "A", "since": "nan"}, ["since"]),
        ("compromised_keys", {"access_key": "A", "since": -5}, ["since", "-5"]),
        ("compromised_keys", {"access_key": "A", "since": 1767225600000}, ["since", "1767225600000"]),
        ("quarantined", {"identity": "ann", "policy": "V3"}, ["since is empty"]),
        ("watch_list", {"identity": ["a", "b"]}, ["identity", "no text"]),
        ("watch_list", {"identity": {"x" * 99: 1}}, ["identity", "…"]),
        ("allowed_functions", {"function": "x"}, ["project is empty", "* stands for any"]),
        ("instance_inventory", {"instance": "i-1"}, ["region is empty"]),
    ],
)  # fmt: skip
def test_a_damaged_row_is_said_and_passed_over(name: str, row: Row, words: list[str]) -> None:
    found = ListTables({name: [{}, row]})
    (fault,) = found.faults
    assert [word for word in (f"list {name}, row 2", *words, "passed over") if word not in fault] == [], fault
    assert len(fault) < 250


def test_a_damaged_row_does_not_harm_the_others() -> None:
    found = ListTables({"egress_ranges": [{"cidr": "x", "label": "x"}, {"cidr": "8.8.8.0/24", "country": "NL"}]})
    row = found.match("egress_ranges", cidr="8.8.8.8")
    assert row is not None and row["country"] == "NL"


def test_a_thousand_damaged_rows_are_not_a_thousand_messages() -> None:
    found = ListTables({"egress_ranges": [{"cidr": "x", "label": "x"}] * 1000})
    assert len(found.faults) == SAID + 1
    assert found.faults[-1] == f"list egress_ranges: {1000 - SAID} more rows are passed over"


def test_blank_rows_are_no_damage() -> None:
    assert lists(watch_list=[{}, {"identity": "  ", "comment": None}, {"_key": "1", "_user": "nobody"}]).faults == []


def test_a_list_or_key_that_is_not_declared_is_an_error_of_the_program() -> None:
    for ask in (
        ("no_list", {"x": ""}),
        ("watch_list", {"user": "x"}),
        ("watch_list", {}),
        ("role_scope", {"kind": "role"}),
    ):
        with pytest.raises(KeyError):
            ListTables().match(ask[0], **ask[1])
    with pytest.raises(KeyError):
        ListTables({"no_list": []})


def test_every_list_says_what_it_is_for() -> None:
    for each in LISTS.values():
        assert each.about.endswith(".") and each.keys and len(set(each.names)) == len(each.names)
        assert all(column.about for column in each.columns)


CELLS = st.text("ab*", max_size=4)
TABLES = st.lists(st.tuples(CELLS.filter(bool), CELLS.filter(bool)), max_size=8)


@given(TABLES, st.text("ab", max_size=4), st.text("ab", max_size=4))
def test_the_index_finds_what_reading_row_by_row_finds(
    table: list[tuple[str, str]], project: str, function: str
) -> None:
    found = lists(
        allowed_functions=[{"project": p, "function": f, "comment": str(n)} for n, (p, f) in enumerate(table)]
    )
    first = next(
        (n for n, (p, f) in enumerate(table) if Wildcard(p).matches(project) and Wildcard(f).matches(function)), None
    )
    row = found.match("allowed_functions", project=project, function=function)
    assert (None if row is None else int(row["comment"])) == first


NETWORKS = st.one_of(
    st.builds(lambda n, p: f"{ipaddress.IPv4Address(n)}/{p}", st.integers(0, 2**32 - 1), st.sampled_from((0, 1, 2, 30, 32))),
    st.builds(lambda n, p: f"{ipaddress.IPv6Address(n)}/{p}", st.integers(0, 2**128 - 1), st.sampled_from((0, 1, 2, 128))),
)  # fmt: skip
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(st.lists(NETWORKS, max_size=8), ADDRESSES)
def test_the_narrowest_network_that_holds_an_address_counts(networks: list[str], address: str) -> None:
    found = lists(egress_ranges=[{"cidr": cidr, "label": str(n)} for n, cidr in enumerate(networks)])
    parsed = [ipaddress.ip_network(cidr, strict=False) for cidr in networks]
    ip = ipaddress.ip_address(address)
    holding = [(-net.prefixlen, n) for n, net in enumerate(parsed) if net.version == ip.version and ip in net]
    row = found.match("egress_ranges", cidr=address)
    assert (None if row is None else int(row["label"])) == (min(holding)[1] if holding else None)


@pytest.mark.parametrize(
    "text", ["", "-", "private", "AWS Internal", "1.2.3", "1.2.3.4:80", "::1%eth0", "\0", "\udc80", "x" * 10_000]
)
def test_what_is_no_address_is_in_no_network(text: str) -> None:
    found = lists(egress_ranges=[{"cidr": "0.0.0.0/0", "label": "v4"}, {"cidr": "::/0", "label": "v6"}])
    assert found.match("egress_ranges", cidr=text) is None


def test_remembering_answers_changes_none_and_stays_small() -> None:
    found = lists(user_context=[{"identity": "*7"}])
    for _twice in range(2):
        for number in range(MEMO_ENTRIES + 10):
            assert (found.match("user_context", identity=f"u{number}") is not None) == (number % 10 == 7)
    assert found.match("user_context", identity="x" * MEMO_CHARACTERS + "7") is not None
    assert max(len(table._memo) for table in found._tables.values()) <= MEMO_ENTRIES
