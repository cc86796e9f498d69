"""Lookup files that people edit by hand, through the search that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.searchhead import SearchHead
from tests.support.workbench import ROOT

SEARCH = '| makeresults | eval src_ip="8.8.8.8", source_kind="aws", identity="ann", access_key="AKIA", first_time=1 | '


def told(folder: Path, name: str, content: bytes, macro: str) -> str:
    """What the search head says of a search over that lookup file."""
    (folder / "lookups").mkdir(parents=True)
    (folder / "lookups" / name).write_bytes(content)
    with SearchHead(ROOT, folder) as head, pytest.raises(LabError) as caught:
        head.search(f"{SEARCH}`{macro}`", now=1_767_225_600)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "macro", "words"),
    [
        ("egress_ranges.csv", b"range,label,country\n8.8.8.0/24,office,NL\n", "cba_geo", ["egress_ranges", "cidr"]),
        ("egress_ranges.csv", b"cidr,label\n8.8.8.0/24,office\n", "cba_geo", ["egress_ranges", "country"]),
        ("egress_ranges.csv", b"cidr,label,country\n8.8.8.0/24,office,NL,oops\n", "cba_geo", ["egress_ranges.csv", "line 2"]),
        ("egress_ranges.csv", b"cidr,cidr,label,country\n", "cba_geo", ["egress_ranges.csv", "same name"]),
        ("watch_list.csv", b"who,reason\nann,leaver\n", "cba_watch", ["watch_list", "identity"]),
        ("compromised_keys.csv", b"key,reason,since\n", "cba_watch", ["compromised_keys", "access_key"]),
        ("role_scope.csv", b"kind,name\npolicy,x\n", "cba_serverless_iaas_rows", ["role_scope", "pattern"]),
        ("allowed_functions.csv", b"function,comment\n", "cba_serverless_iaas_rows", ["allowed_functions", "project"]),
        ("sensitive_operations.csv", b"service,operation\n", "cba_serverless_iaas", ["sensitive_operations", "provider"]),
    ],
)  # fmt: skip
def test_a_broken_lookup_file_is_named(tmp_path: Path, name: str, content: bytes, macro: str, words: list[str]) -> None:
    complaint = told(tmp_path, name, content, macro)
    assert [word for word in words if word not in complaint] == [], complaint


def test_a_range_that_is_none_matches_nothing_and_the_others_still_do(tmp_path: Path) -> None:
    (tmp_path / "lookups").mkdir()
    (tmp_path / "lookups" / "egress_ranges.csv").write_text(
        "cidr,label,country\nnot a range,x,RU\n8.8.8.0/24,office,NL\n"
    )
    with SearchHead(ROOT, tmp_path) as head:
        [row] = head.search(f"{SEARCH}`cba_geo`", now=1_767_225_600).rows
    assert (row["egress_label"], row["country"]) == ("office", "NL")
