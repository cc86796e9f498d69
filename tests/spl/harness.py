"""Cases of SPL semantics: one YAML format that the lab runs here and that can be rendered for a real Splunk.

A file has `source` (documentation page) and `cases`; each case:

    name      what is pinned, as a sentence
    pins      ids of the constructs it pins (tests/spl/constructs.py makes the same ids from shipped searches)
    spl       the search, or what follows the input rows
    rows      input rows: rendered as `| makeresults format=json data="…"` in front of `spl` (texts and numbers only)
    events    raw events instead: {raw, time, indextime, index, sourcetype, source, host}; attesting needs an index;
              {{pad}} in a raw text stands for 5,000 characters; see also _LONG
    lookups   CSV files: name → {csv: text, and settings of the transforms.conf stanza}
    kv        KV store lookups: name → {fields_list: …, rows: […], types: {field: type}, and settings}
    macros    stanzas of macros.conf: name → {definition, args, iseval}
    saved     saved searches: name → text
    window    {earliest, latest, now} in epoch seconds
    expect    the rows that come out; only what is listed is compared, an absent key must be null
    ordered   whether their order matters (false)
    error     instead of expect: a part of the error message
    source    overrides the file's
    status    documented (the page says or shows it), assumed (to be attested), or refused: the lab ends with an error
              where Splunk may do something, so that nothing can come to depend on it
    says      what the page says, where that is not plain from the case
    note      what the page leaves open; every case that is not documented has one
    unattested  why a real Splunk cannot be asked (`./dev attest`), where it cannot
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Optional

import yaml

from lab.conf import AppConf, load_app
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.spl.engine import Engine
from lab.spl.values import text
from lab.spl.window import TimeWindow

CASES = Path(__file__).parent / "cases"
KEYS = frozenset(
    {
        "name",
        "pins",
        "spl",
        "rows",
        "events",
        "lookups",
        "kv",
        "macros",
        "saved",
        "window",
        "expect",
        "ordered",
        "error",
        "source",
        "status",
        "says",
        "note",
        "unattested",
    }
)
NOW = 1_700_000_000.0


@dataclass
class Case:
    """One case; see the module text."""

    file: str
    name: str
    spl: str
    pins: list[str]
    source: str
    status: str
    rows: Optional[list[dict[str, Any]]] = None
    events: list[dict[str, Any]] = field(default_factory=list)
    lookups: dict[str, dict[str, Any]] = field(default_factory=dict)
    kv: dict[str, dict[str, Any]] = field(default_factory=dict)
    macros: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    window: dict[str, float] = field(default_factory=dict)
    expect: Optional[list[dict[str, Any]]] = None
    ordered: bool = False
    error: Optional[str] = None
    says: Optional[str] = None
    note: Optional[str] = None
    unattested: Optional[str] = None

    def search(self) -> str:
        """The whole search as a user would type it, input rows included."""
        if self.rows is None:
            return self.spl
        data = json.dumps(self.rows).replace("\\", "\\\\").replace('"', '\\"')
        return f'| makeresults format=json data="{data}" {self.spl}'


def load_cases(folder: Path = CASES) -> list[Case]:
    """All cases of all files; a malformed one is an AssertionError that names it."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for raw in document["cases"]:
            where = f"{path.name}: {raw.get('name')}"
            assert set(raw) <= KEYS, f"{where}: unknown keys {set(raw) - KEYS}"
            assert ("expect" in raw) != ("error" in raw), f"{where}: needs expect or error"
            values = {"source": document.get("source"), "status": document.get("status", "documented"), **raw}
            assert str(values["source"]).startswith("https://"), f"{where}: source must be a URL"
            assert values["status"] in ("documented", "assumed", "refused"), f"{where}: bad status"
            found.append(Case(file=path.name, **values))
    names = [(c.file, c.name) for c in found]
    assert len(set(names)) == len(names), "two cases of a file have the same name"
    return found


def make_app(folder: Path, case: Case) -> AppConf:
    """An app with the macros, lookups and collections of a case."""
    (folder / "default").mkdir(parents=True)
    (folder / "lookups").mkdir()
    transforms: dict[str, dict[str, Any]] = {}
    for name, settings in case.lookups.items():
        rest = {k: v for k, v in settings.items() if k != "csv"}
        (folder / "lookups" / f"{name}.csv").write_text(settings["csv"], encoding="utf-8")
        transforms[name] = {"filename": f"{name}.csv", **rest}
    for name, settings in case.kv.items():
        rest = {k: v for k, v in settings.items() if k not in ("rows", "types")}
        transforms[name] = {"external_type": "kvstore", "collection": name, **rest}
    _write_conf(folder / "default" / "transforms.conf", transforms)
    types = {name: settings.get("types", {}) for name, settings in case.kv.items()}
    fields = {name: {f"field.{field}": kind for field, kind in of.items()} for name, of in types.items()}
    _write_conf(folder / "default" / "collections.conf", fields)
    _write_conf(folder / "default" / "macros.conf", case.macros)
    saved = {name: {"search": text} for name, text in case.saved.items()}
    _write_conf(folder / "default" / "savedsearches.conf", saved)
    return load_app(folder)


def _write_conf(path: Path, stanzas: dict[str, dict[str, Any]]) -> None:
    lines: list[str] = []
    for name, settings in stanzas.items():
        lines.append(f"[{name}]")
        lines += [f"{k} = " + str(v).strip().replace("\n", "\\\n") for k, v in settings.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def running(folder: Path, case: Case) -> Iterator[Engine]:
    """An engine over the case's app, events and collections; CSVs it writes go to a folder of their own."""
    app = make_app(folder / "app", case)
    store = KVStore(app)
    for name, settings in case.kv.items():
        store.collection(name).batch_save(settings.get("rows", []))
    events = EventStore()
    events.add(events_of(case))
    try:
        yield Engine(app, events, store, None, folder / "state")
    finally:
        events.close()
        store.close()


def events_of(case: Case) -> Iterator[Event]:
    """The raw events of a case."""
    for n, raw in enumerate(case.events):
        at = float(raw.get("time", NOW - n))
        body = raw["raw"] if isinstance(raw["raw"], str) else json.dumps(raw["raw"])
        for short, long in _LONG.items():
            body = body.replace(short, long)
        places = {key: raw.get(key, default) for key, default in _DEFAULTS.items()}
        yield Event(time=at, indextime=float(raw.get("indextime", at)), raw=body, **places)


_LONG = {
    "{{pad}}": "x" * 5000,
    "{{cyrillic}}": "ж" * 2600,
    "{{fields}}": ", ".join(f'"f{n}": "x"' for n in range(1, 100)),
    "{{list}}": ", ".join(['{"a": 1}'] * 150),
}
_DEFAULTS = {"index": "main", "sourcetype": "test", "source": "test", "host": "test"}


def window_of(case: Case) -> TimeWindow:
    given = case.window
    return TimeWindow(given.get("earliest"), given.get("latest"), given.get("now", NOW))


def shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as Splunk shows them: every value as text, multivalues as lists of text, nulls left out."""
    out = []
    for row in rows:
        out.append(
            {k: [text(m) for m in v] if isinstance(v, list) else text(v) for k, v in row.items() if v is not None}
        )
    return out


def compared(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The part of `rows` that a case speaks about: `_time` and other internal fields only when it names them."""
    named = {k for e in expected for k in e}
    return [{k: v for k, v in row.items() if not k.startswith("_") or k in named} for row in shown(rows)]
