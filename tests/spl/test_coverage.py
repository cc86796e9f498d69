"""No shipped search or macro may use a construct that no case pins; and every shipped search compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from lab.conf import AppConf, load_app
from lab.errors import SplError
from lab.events import EventStore
from lab.lookups import definition
from lab.spl.engine import Engine
from lab.spl.plan import COMMANDS
from lab.spl.text import strip_comments
from tests.spl.constructs import constructs, of_lookup, of_macros
from tests.spl.harness import load_cases

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> AppConf:
    """The app as shipped: default only."""
    return load_app(ROOT, tmp_path_factory.mktemp("no-local"))


@pytest.fixture(scope="module")
def pinned() -> set[str]:
    return {pin for case in load_cases() for pin in case.pins}


def searches(app: AppConf) -> list[tuple[str, str]]:
    """(stanza, search) of every saved search."""
    return [(name, s.get("search")) for name, s in app.stanzas("savedsearches").items() if "search" in s.settings]


def macro_constructs(engine: Engine, name: str, custom: frozenset[str]) -> set[str]:
    """Constructs of a macro: a pipeline, a part of one, eval assignments, a condition or search terms."""
    text = engine.expand(f"`{name}`").text.strip()
    first = text.lstrip("| ").split(None, 1)[0].lower() if text else ""
    if first in COMMANDS or first in custom or text.startswith("|"):
        return constructs(text if text.startswith("|") or first == "search" else f"| {text}", custom)
    for attempt in (f"| eval {text}", f"| where {text}", f"search {text}"):
        try:
            return constructs(attempt, custom)
        except SplError:
            continue
    raise AssertionError(f"macro {name}: neither a pipeline, nor eval assignments, a condition or search terms: {text}")


@pytest.fixture(scope="module")
def engine(app: AppConf) -> Iterator[Engine]:
    events = EventStore()
    yield Engine(app, events, None, None)
    events.close()


def test_every_saved_search_compiles(app: AppConf, engine: Engine) -> None:
    for name, stanza in app.stanzas("savedsearches").items():
        if "search" in stanza.settings:
            engine.compile(stanza.get("search"), str(stanza.file), name)


def test_every_construct_has_a_case(app: AppConf, engine: Engine, pinned: set[str]) -> None:
    custom = frozenset(app.stanzas("commands"))
    missing: dict[str, str] = {}
    for name, text in searches(app):
        used = constructs(engine.expand(text).text, custom) | of_macros(text)
        missing.update({construct: name for construct in used - pinned if construct not in missing})
    for (name, _), macro in app.macros.items():
        used = of_macros(macro.definition) | (macro_constructs(engine, name, custom) if not macro.args else set())
        missing.update({c: f"macro {name}" for c in used - pinned if c not in missing})
    for name, stanza in app.stanzas("transforms").items():
        missing.update(dict.fromkeys(of_lookup(definition(stanza)) - pinned, f"transforms [{name}]"))
    report = "\n".join(f"  {construct} (used by {user})" for construct, user in sorted(missing.items()))
    assert not missing, f"constructs without a case in tests/spl/cases:\n{report}"


def test_cases_only_pin_what_they_use() -> None:
    """A pin that the case's own search does not use would make the gate blind."""
    custom: frozenset[str] = frozenset()
    for case in load_cases():
        if case.error is not None or case.macros:
            continue
        used = constructs(strip_comments(case.search()), custom) | of_macros(case.spl)
        kinds = ("command:", "function:", "aggregation:", "eval:", "option:")
        wrong = [p for p in case.pins if p.startswith(kinds) and p not in used]
        assert not wrong, f"{case.file}: {case.name}: pins {wrong} but uses {sorted(used)}"
