"""What is true of all raw events, for every path that a source reads: absence in all its forms, names that only look like it,
and events of any size. The paths are those of content/sources/<source>/source.yml."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Callable, Iterator

import pytest
from sources.model import Source
from sources.paths import parse_path
from sources.reader import READ

from lab.conf import load_app
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.protocol import CommandRunner
from lab.spl.engine import Engine, TimeWindow
from tests.sources.conftest import APP, LATER, NOON, SOURCES, SOURCETYPES

Row = dict[str, Any]
MANY = {
    **{f"filler{n}": n for n in range(150)},
    "text": "Журнал событий облака " * 200,
}
"""More than 100 fields, and fewer than 5,000 characters that are more than 5,000 bytes."""
ABSENT: list[Any] = ["", "  ", None, "<null>"]
GIVEN = {
    "kubernetes": {"protoPayload.serviceName": "k8s.io", "category": "kube-audit", "body.category": "kube-audit"},
    "endpoint": {"EventID": "3"},
}
"""Values that make an event one of its source."""
CARRIER = {"note": "protoPayload audit.k8s.io kube-audit"}
"""What the base searches look for in the text."""


def paths_of(source: Source) -> list[str]:
    found: dict[str, None] = {}

    def walk(part: Any) -> None:
        if dataclasses.is_dataclass(part):
            if type(part).__name__ == "Raw":
                found[part.path] = None
            for field in dataclasses.fields(part):
                walk(getattr(part, field.name))
        elif isinstance(part, tuple):
            for each in part:
                walk(each)
        elif isinstance(part, str):
            found.update(dict.fromkeys(READ.findall(part)))

    walk(source.steps)
    return list(found)


def put(event: Row, path: str, value: Any) -> bool:
    """Puts a value at a path; False where something else stands in the way."""
    parsed = parse_path(path)
    steps: list[Any] = []
    for part in filter(None, parsed.plain.split(".")):
        key, *members = part.replace("}", "").split("{")
        steps += [key, *map(int, members)]
    if parsed.dotted:
        steps.append(parsed.dotted)
    if parsed.all_members:
        steps.append(0)
        steps += [step for step in parsed.rest.removeprefix("{}").split(".") if step]
    elif parsed.rest:
        steps += parsed.rest.split(".")
    at: Any = event
    for step, following in zip(steps, [*steps[1:], None]):
        if isinstance(at, list):
            if not isinstance(step, int):
                return False
            if not at:
                at.append({} if isinstance(following, str) else [])
        elif not isinstance(at, dict) or isinstance(step, int):
            return False
        if following is None:
            if isinstance(at, dict) and step in at:
                return False
            if isinstance(at, list):
                if at[0] not in ({}, []):
                    return False
                at[0] = value
            else:
                at[step] = value
            return True
        if isinstance(at, dict):
            at = at.setdefault(step, {} if isinstance(following, str) else [])
        else:
            at = at[step]
    return False


def event(source: str, values: dict[str, Any]) -> Row:
    made: Row = dict(CARRIER)
    for path, value in values.items():
        put(made, path, value)
    return made


def whole(source: str) -> dict[str, Any]:
    """A value of its own for as many paths as fit into one event."""
    made: Row = {}
    values = {}
    for path in paths_of(SOURCES[source]):
        value = GIVEN.get(source, {}).get(path, f"v{len(values)}")
        if put(made, path, value):
            values[path] = value
    return values


@pytest.fixture(scope="module")
def rows_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, list[Row]], list[Row]]:
    """The fields of many events, in one search that takes them as a detection's does; without those made of the text."""
    app = load_app(APP)
    commands = CommandRunner(app, mode="inprocess", dispatch_dir=tmp_path_factory.mktemp("dispatch"))

    def run(source: str, events: list[Row], all_fields: bool = False) -> list[Row]:
        store = EventStore()
        kind = {"endpoint": "cba:endpoint"}.get(source, SOURCETYPES[source])
        for number, each in enumerate(events):
            raw = json.dumps(each, ensure_ascii=False)
            store.add([Event(NOON, NOON, "main", kind, f"{number:09d}", "h", raw)])
        engine = Engine(app, store, KVStore(app, ":memory:"), commands)
        names = [name for name in SOURCES[source].fields if name != "event_id"]
        shown = "" if all_fields else f" | table source {' '.join(names)}"
        result = engine.search(f"search `cba_events_{source}`{shown}", TimeWindow(None, None, LATER))
        store.close()
        found = {row["source"]: {name: row[name] for name in names if name in row} for row in result.rows}
        return [found.get(f"{number:09d}", {}) for number in range(len(events))]

    return run


def variants(source: str) -> Iterator[tuple[str, Row, Row]]:
    """What is varied, an event, and one that must give the same fields."""
    full = whole(source)
    given = GIVEN.get(source, {})
    for path in paths_of(SOURCES[source]):
        value = given.get(path, "name")
        alone = event(source, {path: value})
        yield f"{path} behind much else", alone, {**MANY, **alone}
        if path in full:
            without = event(source, {p: v for p, v in full.items() if p != path})
            for nothing in ABSENT:
                yield f"{path} is {nothing!r}", without, event(source, {**full, path: nothing})
        for nothing in ABSENT:
            yield f"{path} is {nothing!r} alone", event(source, {}), event(source, {path: nothing})
    yield "everything, behind much else", event(source, full), {**MANY, **event(source, full)}


@pytest.mark.parametrize("source", SOURCES)
def test_absence_and_size(source: str, rows_of: Callable[..., list[Row]]) -> None:
    cases = list(variants(source))
    expected = rows_of(source, [left for _, left, _ in cases])
    found = rows_of(source, [right for _, _, right in cases])
    wrong = {
        name: {key: (a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)}
        for (name, *_), a, b in zip(cases, expected, found)
        if a != b
    }
    assert wrong == {}
    assert sum(map(bool, expected)) > 0.9 * len(expected), "nearly all are of the source"


@pytest.mark.parametrize("source", SOURCES)
def test_a_name_may_be_the_text_null(source: str, rows_of: Callable[..., list[Row]]) -> None:
    """Or "-", where the log's own word for absence is not that (Sysmon). Members of lists cannot tell: spath reads "null"."""
    paths = [path for path in paths_of(SOURCES[source]) if path not in GIVEN.get(source, {})]
    paths = [path for path in paths if "{}" not in path]
    names = ["null"] if source == "endpoint" else ["null", "-"]
    named, *others = (rows_of(source, [event(source, {path: name}) for path in paths]) for name in ("qqq", *names))
    for name, rows in zip(names, others):
        wrong = {
            path: (row, other)
            for path, row, other in zip(paths, named, rows)
            if {key: str(value).replace("qqq", name) for key, value in row.items()}
            != {key: str(v) for key, v in other.items()}
        }
        assert wrong == {}


@pytest.mark.parametrize("source", SOURCES)
def test_taking_all_paths_at_once_is_taking_them_one_by_one(source: str, rows_of: Callable[..., list[Row]]) -> None:
    """The lab's short cut (lab.spl.rawpaths) changes nothing."""
    full = whole(source)
    events = [event(source, full), *(event(source, {path: "name"}) for path in paths_of(SOURCES[source]))]
    events += [
        event(source, {**full, path: nothing})
        for path in full
        for nothing in (None, " ", 7, ["a", None, ""], {"k": ""})
    ]
    assert rows_of(source, events) == rows_of(source, events, all_fields=True)


def test_every_path_is_tried() -> None:
    assert {source: len(paths_of(SOURCES[source])) > 15 for source in SOURCES} == dict.fromkeys(SOURCES, True)
