"""Lookups over the KV store with values as logs may have them: any text, numbers without measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.conf import load_app
from lab.errors import LabError
from lab.kvstore import KVStore
from lab.lookups import LookupTables

LONG = "12345678901234567890"
VALUES = [
    LONG,
    "-" + LONG,
    "9" * 400,
    "1e400",
    "-1e400",
    "0x1F",
    "nan",
    "a\0b",
    "half \ud800 pair",
    "\udcff",
    "",
    " ",
    '"',
    "\\",
]


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[LookupTables]:
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "collections.conf").write_text("[people]\nfield.name = string\nfield.size = number\n")
    (tmp_path / "default" / "transforms.conf").write_text(
        "[people]\nexternal_type = kvstore\ncollection = people\nfields_list = _key, name, size, note\n"
    )
    app = load_app(tmp_path)
    store = KVStore(app)
    yield LookupTables(app, store)
    store.close()


@pytest.mark.parametrize("value", VALUES)
def test_any_value_is_looked_up_and_written(value: str, tables: LookupTables) -> None:
    people = tables.find("people")
    tables.write(people, [{"name": value, "note": "n"}, {"name": "ann"}], append=True, key_field=None)
    for field in ("name", "size", "note", "_key"):
        found = tables.matcher(people, (field,), {})((value,))
        assert [row["note"] for row in found] == (["n"] if field == "name" else [])
    assert [row["name"] for row in tables.rows(people)] == [value, "ann"]


@pytest.mark.parametrize("key", [LONG, "9" * 400, "1e400", "a\0b"])
def test_any_key_is_replaced_and_found(key: str, tables: LookupTables) -> None:
    people = tables.find("people")
    for note in ("one", "two"):
        tables.write(people, [{"_key": key, "note": note}], append=True, key_field="_key")
    assert tables.matcher(people, ("_key",), {})((key,)) == [{"_key": key, "note": "two"}]


@pytest.mark.parametrize("size", ["1e400", "9" * 400])
def test_what_no_double_holds_is_dropped_from_a_field_of_numbers(size: str, tables: LookupTables) -> None:
    people = tables.find("people")
    tables.write(people, [{"name": "ann", "size": size}, {"name": "bob", "size": LONG}], append=False, key_field=None)
    assert [row.get("size") for row in tables.rows(people)] == [None, 12345678901234567000.0]


def test_the_kv_store_matches_with_regard_to_case(tmp_path: Path) -> None:
    """https://docs.splunk.com/Documentation/Splunk/9.4.0/Knowledge/Addfieldmatchingrulestoyourlookupconfiguration: the setting
    does not apply to the KV store (transforms.conf.spec: only where all of the collection is in lower case)."""
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "transforms.conf").write_text(
        "[p]\nexternal_type = kvstore\ncollection = p\nfields_list = a\ncase_sensitive_match = false\n"
    )
    with pytest.raises(LabError, match="with regard to case"):
        LookupTables(load_app(tmp_path), None).find("p")
