"""Lists as they stand on a search head: people's rows in the KV store, the shipped ones in lookup files beside them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Iterator

import pytest
from splunklib import client

from cba.errors import StoreError
from cba.store.lists import LOOKUPS, StoredLists
from lab.searchhead import SearchHead
from tests.support.workbench import ROOT


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    with SearchHead(ROOT, tmp_path) as head:
        yield head


def service(head: SearchHead) -> client.Service:
    return client.Service(
        scheme="http", host="127.0.0.1", port=head.splunkd.port, app=head.app.name, owner="nobody",
        token=head.splunkd.session_key,
    )  # fmt: skip


def save(head: SearchHead, name: str, *rows: dict[str, Any]) -> None:
    head.kv.collection(name).batch_save(list(rows))


def action_of(lists: StoredLists, connector: str) -> str | None:
    row = lists.match("flow_actions", connector=connector)
    return None if row is None else row["action"]


def test_peoples_rows_come_before_the_shipped_ones(head: SearchHead) -> None:
    assert action_of(StoredLists(service(head)), "slack") == "sends messages to a third party"
    save(
        head, "cba_flow_actions", {"connector": "*slack*", "action": "chats"}, {"connector": "sap*", "action": "books"}
    )
    lists = StoredLists(service(head))
    assert [action_of(lists, name) for name in ("slack", "SAP ERP", "dropbox")] == [
        "chats",
        "books",
        "stores files with a third party",
    ]


def test_a_shipped_row_can_be_taken_off(head: SearchHead) -> None:
    save(head, "cba_flow_actions", {"connector": "*onedrive*", "except": "1"})
    assert action_of(StoredLists(service(head)), "onedrive for business") is None


def test_an_upgrade_replaces_what_ships_and_nothing_else(head: SearchHead, tmp_path: Path) -> None:
    """A new version brings other lookup files; collections are no files of the app."""
    save(head, "cba_flow_actions", {"connector": "sap*", "action": "books"})
    lookups = tmp_path / "upgraded"
    shutil.copytree(LOOKUPS, lookups)
    (lookups / "cba_flow_actions_defaults.csv").write_text("connector,action,comment\nbox,new words,\n")
    lists = StoredLists(service(head), lookups)
    assert [action_of(lists, name) for name in ("sap", "box", "slack")] == ["books", "new words", None]
    assert lists.faults == []


def test_a_search_can_add_rows_and_their_order_does_not_matter(head: SearchHead) -> None:
    """As the pages and an editor of lookups do: https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/Outputlookup.
    Nobody promises an order of keys that the store makes, so the narrowest network counts."""
    for bits, country in ((22, "NL"), (24, "DE"), (23, "FR")):
        row = f'cidr="198.51.100.0/{bits}", country="{country}", comment="an exit"'
        head.search(f"| makeresults | eval {row} | outputlookup append=true cba_egress_ranges")
    row = StoredLists(service(head)).match("egress_ranges", cidr="198.51.100.7")
    assert row is not None and row["country"] == "DE"


def test_a_list_is_read_once_a_run_and_only_if_it_is_asked_for(head: SearchHead) -> None:
    lists = StoredLists(service(head))
    assert action_of(lists, "sap") is None
    save(head, "cba_flow_actions", {"connector": "sap*", "action": "books"})
    assert action_of(lists, "sap") is None
    save(head, "cba_watch_list", {"identity": "ann", "reason": "leaver"})
    assert lists.match("watch_list", identity="ann") is not None


def test_damaged_rows_are_said_with_their_document(head: SearchHead) -> None:
    save(
        head,
        "cba_egress_ranges",
        {"_key": "k1", "cidr": "x", "label": "a"},
        {"_key": "k2", "cidr": "8.8.8.8", "label": "b"},
    )
    lists = StoredLists(service(head))
    row = lists.match("egress_ranges", cidr="8.8.8.8")
    assert row is not None and row["label"] == "b"
    (fault,) = lists.faults
    assert fault.startswith("list egress_ranges, document k1: cidr is 'x'")


@pytest.mark.parametrize("damage", ["missing", "folder"])
def test_a_shipped_file_that_cannot_be_read_is_said_and_peoples_rows_still_count(
    head: SearchHead, tmp_path: Path, damage: str
) -> None:
    save(head, "cba_flow_actions", {"connector": "sap*", "action": "books"})
    if damage == "folder":
        (tmp_path / "other" / "cba_flow_actions_defaults.csv").mkdir(parents=True)
    lists = StoredLists(service(head), tmp_path / "other")
    assert action_of(lists, "sap") == "books"
    (fault,) = lists.faults
    assert "cba_flow_actions_defaults.csv cannot be read" in fault


def test_more_rows_than_one_answer_holds(head: SearchHead) -> None:
    rows = [{"_key": f"{n:06d}", "identity": f"user-{n}@example.com"} for n in range(12_000)]
    for start in range(0, len(rows), 1000):
        save(head, "cba_user_context", *rows[start : start + 1000])
    assert StoredLists(service(head)).match("user_context", identity="User-11999@example.com") is not None


def test_a_kv_store_that_does_not_answer_is_an_error(head: SearchHead) -> None:
    """Nothing may be judged as if the list were empty."""
    nowhere = client.Service(scheme="http", host="127.0.0.1", port=1, app=head.app.name, owner="nobody", token="x")
    lists = StoredLists(nowhere)
    with pytest.raises(StoreError, match="cba_watch_list"):
        lists.match("watch_list", identity="ann")
