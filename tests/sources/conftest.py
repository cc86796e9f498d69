"""Runs events through the shipped macros (default/macros.conf), as the detection searches do.

A test function with the argument `case` gets the cases of cases/<source>.yml one by one; <source> is its module's name
(test_aws.py -> aws). A case holds `event` (JSON) and `expect` (normalised field -> value; null: the
field must be absent). Without `expect` the event must not belong to the source at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional, Union

import pytest
import yaml

from lab.conf import load_app
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.spl.engine import Engine
from lab.spl.window import TimeWindow

APP = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CBA_SHARED_DATA", APP.parent / "shared" / "data"))
CASES = Path(__file__).parent / "cases"
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


@pytest.fixture(scope="session")
def normalise(tmp_path_factory: pytest.TempPathFactory) -> Normalise:
    """normalise(source, events, sourcetype=None, macros=None, then="") -> the rows of `cba_events_<source>`, ordered as the
    events.

    `events` are JSON objects, raw texts or lab Events. Events that the base search does not match give no row. `macros`
    (name -> definition) are what an administrator put into local/macros.conf. `then` is a macro to run after it, as a
    detection's `prepare` does.
    """
    shipped = load_app(APP)

    def run(
        source: str,
        events: Sequence[Union[Row, str, Event]],
        sourcetype: Optional[str] = None,
        macros: Optional[Mapping[str, str]] = None,
        then: str = "",
    ) -> list[Row]:
        app = shipped
        if macros:
            local = tmp_path_factory.mktemp("local")
            text = "".join(f"[{name}]\ndefinition = {definition}\n" for name, definition in macros.items())
            (local / "macros.conf").write_text(text, encoding="utf-8")
            app = load_app(APP, local)
        store = EventStore()
        for number, item in enumerate(events):
            if isinstance(item, Event):
                time, kind, origin, raw = item.time, item.sourcetype, item.source, item.raw
            else:
                time, kind, origin = NOON, sourcetype or SOURCETYPES[source], "test"
                raw = item if isinstance(item, str) else json.dumps(item)
            # The host carries the event's place, because a search gives the newest first.
            store.add([Event(time, time, "main", kind, origin, f"{number:09d}", raw)])
        engine = Engine(app, store, KVStore(app, ":memory:"), None)
        prepare = f" | `{then}`" if then else ""
        result = engine.search(f"search `cba_events_{source}`{prepare}", TimeWindow(None, None, LATER))
        store.close()
        return sorted(result.rows, key=lambda row: str(row["host"]))

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        source = metafunc.module.__name__.rpartition("test_")[2]
        cases = yaml.safe_load((CASES / f"{source}.yml").read_text(encoding="utf-8"))
        metafunc.parametrize("case", cases, ids=[case["name"] for case in cases])


@pytest.fixture
def check_case(normalise: Normalise, request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Normalise the event of a case and compare the fields it names."""
    source = request.module.__name__.rpartition("test_")[2]

    def check(case: Row) -> None:
        rows = normalise(source, [case["event"]], case.get("sourcetype"))
        if case.get("expect") is None:
            assert rows == [], "the event must not belong to this source"
            return
        assert len(rows) == 1, "the base search must find the event"
        assert {name: rows[0].get(name) for name in case["expect"]} == case["expect"]

    return check
