"""Versions of what is kept: every collection has one, older documents are read, newer ones refused and left."""

from __future__ import annotations

from typing import Any, Mapping

import pytest

from cba.errors import DamagedError
from cba.store.layouts import LAYOUTS, SCHEMA, Layout
from lab.conf import load_app
from lab.replay import APP_DIR

THIRD = Layout(
    lambda document: {**document, "day": document["time"] // 86_400},
    lambda document: {name: value for name, value in document.items() if name != "time"},
    unnumbered=lambda document: {**document, "time": int(document["when"])} if "when" in document else None,
)


def test_every_collection_has_a_layout() -> None:
    assert LAYOUTS.keys() == load_app(APP_DIR).stanzas("collections").keys()


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ({"when": "172800"}, {"when": "172800", "day": 2}),
        ({"time": 86_400}, {"day": 1}),
        ({"time": 86_400, "day": 7, SCHEMA: 2}, {"day": 7, SCHEMA: 2}),
        ({"time": 86_400, "day": 7, SCHEMA: 2.0}, {"day": 7, SCHEMA: 2.0}),
        ({"day": 7, SCHEMA: 3}, {"day": 7, SCHEMA: 3}),
    ],
)
def test_each_older_version_becomes_the_present_one(kept: Mapping[str, Any], read: Mapping[str, Any]) -> None:
    given = dict(kept)
    found = THIRD.read("cba_things", given)
    assert (found, given) == (read, kept)
    assert THIRD.written(found) == {**read, SCHEMA: 3}


@pytest.mark.parametrize("version", [4, 0, -1, 1.5, 1e300, float("nan"), True, None, "3", "new", [], {}])
def test_a_version_nobody_knows_is_refused(version: Any) -> None:
    with pytest.raises(DamagedError) as refused:
        THIRD.read("cba_things", {"_key": "k", SCHEMA: version})
    said = str(refused.value)
    assert said.startswith(f"KV store collection cba_things: document k has schema {version!r}, which this version")
    assert "it knows schema 3" in said and "delete the document" in said


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_present_document_is_kept_and_read_as_it_is(name: str) -> None:
    """The first version carries no number: a history takes 250 bytes."""
    plain = {"_key": "k", "subject": "s", "variation": "v2", "atoms": "{}", "openings": "[]"}
    layout = LAYOUTS[name]
    assert layout.version == 1
    assert layout.read(name, layout.written(plain)) == plain


DAMAGED: list[Mapping[str, Any]] = [
    {"variation": "2", "atoms": "{"},
    {"variation": "2", "atoms": "[[]]"},
    {"variation": 2, "atoms": "{}"},
    {"variation": "2", "atoms": '{"a":1}'},
    {"variation": "2", "atoms": "[" * 100_000},
    {"openings": "[1]"},
    {"openings": "{}x"},
    {"openings": None},
    {},
]


@pytest.mark.parametrize("damaged", DAMAGED)
@pytest.mark.parametrize("name", ["cba_history", "cba_findings", "cba_breakers"])
def test_damage_is_left_to_whoever_knows_what_it_should_be(name: str, damaged: Mapping[str, Any]) -> None:
    assert LAYOUTS[name].read(name, {"_key": "k", "subject": "s", **damaged}) == {
        "_key": "k",
        "subject": "s",
        **damaged,
    }
