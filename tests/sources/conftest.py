"""Runs events through the shipped macros (default/macros.conf), as the detection searches do.

A test function with the argument `case` gets the cases of content/sources/<source>/cases/*.yml one by one. A case holds
`event` (JSON, in which "{{pad}}" makes it longer than what is extracted automatically) and `expect` (normalised field ->
value; null: the field must be absent; a list: several values). Without `expect` the event must not belong to the source at
all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional, Union

import pytest
import yaml
from sources import read

from lab.conf import Stanza, load_app
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.protocol import CommandRunner
from lab.spl.engine import Engine, TimeWindow
from lab.spl.searchtime import SearchTime

APP = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CBA_SHARED_DATA", APP.parent / "shared" / "data"))
LONG = "x" * 5_000
SOURCES = {source.name: source for source in read(APP)[1]}
NOON = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC, the time of events in these tests unless they say otherwise."""

SOURCETYPES = {
    "aws": "aws:cloudtrail",
    "azure": "azure:monitor:activity",
    "gcp": "google:gcp:pubsub:message",
    "kubernetes": "kube:apiserver:audit",
    "m365": "o365:management:activity",
    "gws": "gws:reports:login",
    "endpoint": "sysmon:json",
}

LATER = 2_000_000_000.0
"""When the search runs: an event is visible only once it was delivered."""

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]


def plain(packed: str) -> Union[str, list[str]]:
    """The value, or the values, of a list field."""
    values = json.loads(packed)
    assert values and values == sorted(set(values))
    return values[0] if len(values) == 1 else values


@pytest.fixture(scope="session")
def normalise(tmp_path_factory: pytest.TempPathFactory) -> Normalise:
    """normalise(source, events, sourcetype=None, macros=None, then="", addons=None) -> the rows of `cba_events_<source>`,
    ordered as the events.

    `events` are JSON objects, raw texts or lab Events. Events that the base search does not match give no row. `macros`
    (name -> definition) are what an administrator put into local/macros.conf. `then` is a macro to run after it, as a
    detection's `prepare` does. `addons` (setting -> value) is what an add-on's props.conf says of the events' source type.
    """
    shipped = load_app(APP)
    commands = CommandRunner(shipped, mode="inprocess", dispatch_dir=tmp_path_factory.mktemp("dispatch"))

    def run(
        source: str,
        events: Sequence[Union[Row, str, Event]],
        sourcetype: Optional[str] = None,
        macros: Optional[Mapping[str, str]] = None,
        then: str = "",
        addons: Optional[Mapping[str, str]] = None,
    ) -> list[Row]:
        app = shipped
        if macros:
            local = tmp_path_factory.mktemp("local")
            text = "".join(f"[{name}]\ndefinition = {definition}\n" for name, definition in macros.items())
            (local / "macros.conf").write_text(text, encoding="utf-8")
            app = load_app(APP, local)
        store = EventStore()
        kinds = set()
        for number, item in enumerate(events):
            if isinstance(item, Event):
                time, kind, origin, raw = item.time, item.sourcetype, item.source, item.raw
            else:
                time, kind, origin = NOON, sourcetype or SOURCETYPES[source], "test"
                raw = item if isinstance(item, str) else json.dumps(item)
            kinds.add(kind)
            # The host carries the event's place, because a search gives the newest first.
            store.add([Event(time, time, "main", kind, origin, f"{number:09d}", raw)])
        props = SearchTime({kind: Stanza(kind, APP, dict(addons)) for kind in kinds}) if addons else None
        engine = Engine(app, store, KVStore(app, ":memory:"), commands, addons=props)
        prepare = f" | `{then}`" if then else ""
        result = engine.search(f"search `cba_events_{source}`{prepare}", TimeWindow(None, None, LATER))
        store.close()
        rows = sorted(result.rows, key=lambda row: str(row["host"]))
        for row in rows:
            for name in set(SOURCES[source].list_fields).intersection(row):
                row[name] = plain(row[name])
        return rows

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs that stands beside a developer's checkout; it is not part of the project."""
    if not DATA.is_dir():
        pytest.skip(f"real logs are not here: {DATA} (set CBA_SHARED_DATA)")
    return DATA


@pytest.fixture(scope="session")
def samples(shared_data: Path) -> Callable[[str], list[Row]]:
    """samples(name) -> the log events of samples/<name>.jsonl, taken out of their rule test wrapper."""

    def read(name: str) -> list[Row]:
        lines = (shared_data / "samples" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["log"] for line in lines]

    return read


def with_pad(event: Union[Row, str]) -> Union[Row, str]:
    """An event of a case, as long as it says."""
    return event if isinstance(event, str) else json.loads(json.dumps(event).replace("{{pad}}", LONG))


def cases_of(source: str) -> list[Row]:
    files = sorted((APP / "content/sources" / source / "cases").glob("*.yml"))
    return [{**case, "file": file.stem} for file in files for case in yaml.safe_load(file.read_text(encoding="utf-8"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [(source, case) for source in SOURCES for case in cases_of(source)]
        names = [f"{source}-{case['file']}-{case['name']}" for source, case in cases]
        metafunc.parametrize(("source", "case"), cases, ids=names)
