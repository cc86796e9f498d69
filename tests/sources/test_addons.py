"""The app works with and without the vendors' add-ons: whatever fields an add-on makes of the events, a source's own are
the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest
from sources.model import Command

from lab.conf import load_app
from lab.events import EventStore
from lab.protocol import CommandRunner
from lab.spl.command import Command as Made
from lab.spl.engine import Engine
from lab.spl.plan import STORED_FIELDS
from tests.sources.conftest import APP, SOURCES, with_pad

Row = dict[str, Any]
INPUTS = {"endpoint": {"action", "dest_ip", "host", "process_path", "signer", "url"}}
"""Fields that a source makes and reads of the events, too: `cba:endpoint` and the events of other agents, which are no JSON,
have these names of the Common Information Model. There the add-on is asked, after the event itself."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    app, events = load_app(APP), EventStore()
    commands = CommandRunner(app, mode="inprocess", dispatch_dir=tmp_path_factory.mktemp("dispatch"))
    yield Engine(app, events, None, commands)
    events.close()


def made(engine: Engine, source: str) -> set[str]:
    """All fields that the macros of a source make, helpers among them."""
    columns: list[str] = []
    commands: list[Made] = engine.compile(f"search `cba_events_{source}`").commands
    for command in commands:
        columns = command.columns(columns) or columns
    given = {name for step in SOURCES[source].steps if isinstance(step, Command) for name in step.gives}
    return {*columns, *given}


@pytest.mark.parametrize("source", SOURCES)
def test_no_field_is_made_of_what_an_addon_made(source: str, engine: Engine) -> None:
    """Which fields the events are read for, when all are asked for that the source makes."""
    names = made(engine, source)
    given = {name for step in SOURCES[source].steps if isinstance(step, Command) for name in step.gives}
    read = engine.compile(f"search `cba_events_{source}` | table {' '.join(sorted(names))}").fields
    assert read is not None
    assert (read & names) - given == INPUTS.get(source, set())


ASKED = {"endpoint", "kubernetes"}
"""Sources that read fields which search-time extraction, or somebody's collector, makes of events."""


@pytest.mark.parametrize("source", [name for name in SOURCES if name not in ASKED])
def test_the_event_alone_is_read(source: str, engine: Engine) -> None:
    """The text of the event and what Splunk itself says of it: an add-on has no say in the search that judges."""
    search = engine.app.stanza("savedsearches", f"CBA - {source} - Judge").get("search")
    read = engine.compile(search).fields
    assert read is not None
    assert {name for name in read if not name.startswith("\0")} <= STORED_FIELDS


def shown(row: Row, names: list[str]) -> Row:
    return {name: row[name] for name in names if name in row}


def test_wrong_fields_change_nothing(
    source: str, case: Row, engine: Engine, normalise: Callable[..., list[Row]]
) -> None:
    """Every field that the source makes is there already, with a wrong value, when its macros begin."""
    given = [with_pad(case["event"])], case.get("sourcetype"), case.get("macros")
    names = sorted(made(engine, source) - INPUTS.get(source, set()) - STORED_FIELDS)
    hostile = {f"EVAL-{name}": '"wrong"' for name in names}
    right, rows = normalise(source, *given), normalise(source, *given, addons=hostile)
    assert [shown(row, names) for row in rows] == [shown(row, names) for row in right]
