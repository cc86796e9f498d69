"""The lists that people edit: declared once in the library, the same in the confs."""

from __future__ import annotations

import csv
import re

import pytest

from cba.lists.declared import LISTS, PREFIX, ListOfRows, Matching
from cba.lists.match import Table, numbered
from lab.conf import AppConf
from lab.lookups import definition
from lab.replay import APP_DIR
from tests.conf.conftest import ROOT

EDITED = [each for each in LISTS.values() if each.edited]
SHIPPED = [each for each in LISTS.values() if each.shipped]


def match_kinds(declared: ListOfRows) -> dict[str, str]:
    return {c.name: c.matching.value.lower() for c in declared.keys if c.matching not in (None, Matching.EXACT)}


@pytest.mark.parametrize("declared", LISTS.values(), ids=LISTS)
def test_every_list_is_a_collection_with_a_lookup_of_its_columns(app: AppConf, declared: ListOfRows) -> None:
    lookup = definition(app.stanza("transforms", declared.collection))
    assert lookup.collection == declared.collection
    assert lookup.fields_list == ("_key", *declared.names)
    assert (lookup.kinds, lookup.max_matches) == (match_kinds(declared), 1)
    fields = app.stanza("collections", declared.collection)
    assert {key[6:] for key in fields.settings if key.startswith("field.")} == set(declared.names)


@pytest.mark.parametrize("declared", EDITED, ids=lambda each: each.name)
def test_what_people_write_is_kept_as_they_wrote_it(app: AppConf, declared: ListOfRows) -> None:
    """A typed field would drop a typing mistake without a word, or refuse the row:
    https://docs.splunk.com/Documentation/Splunk/latest/Admin/Collectionsconf (enforceTypes)."""
    stanza = app.stanza("collections", declared.collection)
    assert not stanza.boolean("enforceTypes")
    assert {value for key, value in stanza.settings.items() if key.startswith("field.")} == {"string"}


@pytest.mark.parametrize("declared", SHIPPED, ids=lambda each: each.name)
def test_what_ships_stands_beside_it(app: AppConf, declared: ListOfRows) -> None:
    lookup = definition(app.stanza("transforms", declared.defaults))
    assert lookup.filename == f"{declared.defaults}.csv"
    assert (lookup.kinds, lookup.case_sensitive) == (match_kinds(declared), False)
    with (APP_DIR / "lookups" / lookup.filename).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert set(reader.fieldnames or ()) <= set(declared.names)
    assert Table(declared, numbered("row", rows)).faults == []
    assert len({tuple(row[c.name] for c in declared.keys) for row in rows}) == len(rows), "a row that never counts"


def test_no_file_that_ships_is_one_that_people_edit() -> None:
    files = {path.stem for path in (APP_DIR / "lookups").glob("*.csv")}
    assert not files & ({each.collection for each in EDITED} | set(LISTS))


def test_no_name_collides_with_another_apps(app: AppConf) -> None:
    """Everything is exported to all apps (metadata), so a plain name such as `browsers` would be everybody's."""
    assert [name for name in app.stanzas("transforms") if not name.startswith(PREFIX)] == []
    assert [name for name in app.stanzas("collections") if not name.startswith(PREFIX)] == []
    assert [path.name for path in (APP_DIR / "lookups").glob("*.csv") if not path.name.startswith(PREFIX)] == []


def test_the_page_on_lists_has_all_of_them_with_their_columns() -> None:
    page = (ROOT / "docs" / "lists.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `cba_")
    ]
    told = {
        re.findall(r"`(\w+)`", name)[0]: (
            name.endswith("+ defaults"),
            *re.findall(r"`(\w+)`", keys),
            *re.findall(r"`(\w+)`", rest),
        )
        for name, _about, keys, rest in rows
    }
    assert told == {each.collection: (each.shipped, *each.names) for each in EDITED}
