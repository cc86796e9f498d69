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
        (
            "cba_sensitive_operations.csv",
            b"service,operation\n",
            "cba_fields_aws",
            ["sensitive_operations", "provider"],
        ),
        (
            "cba_sensitive_operations.csv",
            b"provider,provider\n",
            "cba_fields_aws",
            ["sensitive_operations.csv", "same name"],
        ),
        (
            "cba_global_services.csv",
            b"service,operation,region\na,b,c,oops\n",
            "cba_fields_aws",
            ["cba_global_services.csv", "line 2"],
        ),
    ],
)
def test_a_broken_lookup_file_is_named(tmp_path: Path, name: str, content: bytes, macro: str, words: list[str]) -> None:
    complaint = told(tmp_path, name, content, macro)
    assert [word for word in words if word not in complaint] == [], complaint
