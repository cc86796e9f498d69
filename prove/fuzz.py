"""Everything that reads what others write, under changed inputs: no crash, no hang, no lost row, and a message that
names what is wrong.

A target is given one input after the other. It ends with nothing, or with an error of the app; whatever else it raises,
a message that names nothing, or more than SECONDS is a fault of ours.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import random
import re
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import content
from cba.command.table import read_tables
from cba.detection.catalogue import load
from cba.detection.condition import parse
from cba.detection.reader import read_content
from cba.enrich.address import read_address
from cba.enrich.resource import open_reader
from cba.errors import CbaError
from cba.judging.rows import read_row
from cba.lists.declared import LISTS
from cba.lists.match import Given
from cba.lists.match import Table as ListTable
from cba.settings import TABS
from cba.settings.search_terms import fault
from cba.store import alerts, homes, marks, signals, sources, triage, verdicts
from cba.store.histories import decode as decode_history
from cba.store.layouts import LAYOUTS
from lab.replay import APP_DIR
from prove import mutate

SECONDS = 10.0
CORPUS = Path(__file__).with_name("corpus")
INTERNALS = re.compile(r'Traceback|at "[^"]*\.py"| at 0x[0-9a-f]{8}')
MESSAGE = 20_000
"""Characters of a message that may repeat what it is about."""


class Hang(BaseException):
    """Nothing that catches errors catches this."""


@dataclasses.dataclass(frozen=True)
class Target:
    """`good` are inputs to be changed, `change` makes one of them, `read` reads it; `share` of all inputs are its own.
    `names` must be in every message."""

    name: str
    good: Sequence[Any]
    change: Callable[[Any, random.Random], Any]
    read: Callable[[Any], None]
    share: float
    names: str = r"\S"


@dataclasses.dataclass
class Fuzzed:
    """What a target was given, how much of it was refused with a message, and what it did wrong."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    wrong: list[str] = dataclasses.field(default_factory=list)


def feed(target: Target, given: Any, so_far: Fuzzed) -> None:
    """One input."""
    so_far.inputs += 1
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        target.read(given)
    except CbaError as error:
        so_far.refused += 1
        said = str(error)
        if not re.search(target.names, said) or INTERNALS.search(said) or len(said) > MESSAGE:
            so_far.wrong.append(f"{target.name}: {given!r:.600}: says {said!r:.300}")
    except Hang:
        so_far.wrong.append(f"{target.name}: {given!r:.600}: takes more than {SECONDS} s")
    except Exception as error:
        so_far.wrong.append(f"{target.name}: {given!r:.600}: {type(error).__name__}: {error!s:.300}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.monotonic() - began
    so_far.seconds += took
    so_far.slowest = max(so_far.slowest, took)


def fuzz(targets: Sequence[Target], seed: str, inputs: int, until: Optional[float] = None) -> dict[str, Fuzzed]:
    """So many inputs, or as many as there is time for until then (time.monotonic); the corpus comes first."""
    results = {target.name: Fuzzed() for target in targets}
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        for target in targets:
            for given in [*target.good, *corpus(target.name)]:
                feed(target, given, results[target.name])
        rng = random.Random(f"fuzz/{seed}")
        shares = sum(target.share for target in targets)
        for part in range(100):
            for target in targets:
                result = results[target.name]
                for _number in range(round(inputs * target.share / shares / 100)):
                    feed(target, target.change(mutate.pick(target.good, rng), rng), result)
            if until is not None and time.monotonic() > until:
                break
            del part
    finally:
        signal.signal(signal.SIGALRM, before)
    return results


def corpus(name: str) -> list[Any]:
    """Inputs that have once gone wrong, or are wrong in a way that seeds seldom find: one JSON text a line."""
    path = CORPUS / f"{name.replace(' ', '-')}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _ring(_signal: int, _frame: Optional[FrameType]) -> None:
    raise Hang


# -- the targets -------------------------------------------------------------------------------------------------------


def targets(documents: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Target]:
    """All of them; `documents` are good ones of the KV store by collection (those of `prove.world`, say)."""
    found = [
        Target("chunk", list(_chunks()), mutate.text, _chunk, 20, r"row \d+"),
        Target("row", list(_rows()), _changed_row, _row, 20, r"field \w+ of row 7 "),
        Target("condition", _conditions(), mutate.text, _condition, 15, r"^x\.yml: .*column \d+"),
        Target("YAML", _yaml_texts(), mutate.text, _yaml, 0.6, r"\.yml"),
        Target("setting", list(_settings()), _changed_setting, _setting, 6),
        Target("search terms",
               ["index=main", 'index IN ("a", b*) sourcetype=x NOT host="c"', "(index=a OR tag::b=c)"],
               mutate.text, _terms, 8),
        Target("list", list(_list_rows()), _changed_list, _list, 8),
        Target("address",
               ["198.51.100.7", "[2001:db8::1]:443", "10.0.0.1, 203.0.113.9", "::ffff:10.1.2.3", "AWS Internal"],
               mutate.text, _address, 10),
        Target("name",
               ["d111.cloudfront.net", "https://st.blob.core.windows.net/c/x", "b.s3.eu-west-1.amazonaws.com:443"],
               mutate.text, _name, 8),
    ]  # fmt: skip
    for name, read in DECODERS.items():
        good = list(documents.get(name, ()))
        if good:
            found.append(Target(name, good, mutate.value, _reading(name, read), 5, rf"{name}.*\bdocument\b"))
    return found


def _reading(collection: str, read: Callable[[dict[str, Any]], Any]) -> Callable[[Any], None]:
    def reading(document: Any) -> None:
        if not isinstance(document, dict):
            return  # the KV store keeps objects
        document = {key: each for key, each in document.items() if isinstance(key, str)}
        document.setdefault("_key", "k")
        read(LAYOUTS[collection].read(collection, document))

    return reading


def _signal(document: dict[str, Any]) -> None:
    detection = load().detections.get(str(document.get("detection")))
    if detection is not None:
        store = object.__new__(signals.SignalCollection)
        store._detection = detection
        store._decode(document)


def _source(document: dict[str, Any]) -> None:
    sources._decode(document)


DECODERS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "cba_history": decode_history,
    "cba_homes": homes.decode,
    "cba_signals": _signal,
    "cba_sources": _source,
    "cba_marks": lambda document: None if "made" in document else marks._decode(document),
    "cba_alerts": lambda document: alerts._decode(document) if "alert" in document else None,
    "cba_triage": triage._checked,
    "cba_verdicts": verdicts._target,
    "cba_findings": lambda document: None,
    "cba_breakers": lambda document: None,
}
"""What reads a document of a collection. Findings and breakers are read by the judge: `prove.lines`."""


def _chunks() -> Iterator[str]:
    names = ["bucket", "identity", "__mv_identity", "country"]
    rows = [
        ["1767225600", "ann", "", "NL"],
        ["1767225600", 'a "quoted" name', "$a$;$b$$c$", "DE"],
        ["1767225600", "two\nlines", "", "US,\r\n"],
        ["", "", "", ""],
    ]
    for kind in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC):
        for end in ("\n", "\r\n"):
            out = io.StringIO()
            csv.writer(out, quoting=kind, lineterminator=end).writerows([names, *rows])
            yield out.getvalue()


def _chunk(body: str) -> None:
    came, went = 0, io.StringIO()
    for table in read_tables(io.StringIO(body, newline="\n")):
        for name in table.names:
            if not name.startswith("__mv_"):
                for _values in table.multivalues(name):
                    pass
        table.write(went, ["new"], [["x"] * len(table.rows)])
        came += len(table.rows)
    again = list(read_tables(io.StringIO(went.getvalue(), newline="\n")))
    if sum(len(each.rows) for each in again) != came or any(set(each.column("new")) != {"x"} for each in again):
        raise AssertionError(f"{came} rows came in, {sum(len(each.rows) for each in again)} went out")


def _rows() -> Iterator[list[str]]:
    yield ["1767225600", "1767225600", "3", "1767225601 1767225700", "ann", "NL"]
    yield ["1767226500.0", "1767229200", "1", "1767226501", "", ""]


def _changed_row(good: list[str], rng: random.Random) -> list[str]:
    at = rng.randrange(len(good))
    return [*good[:at], mutate.text(good[at], rng), *good[at + 1 :]]


def _row(cells: list[str]) -> None:
    row = read_row(cells[:3], cells[3].split(), ("identity", "country"), cells[4:6], 7)
    if not row.seconds or row.bucket % 900 or row.indexed % 900:
        raise AssertionError(f"{row} is no row")
    if type(row).from_json(row.to_json()) != row:
        raise AssertionError(f"{row} is another after it was kept")


def _conditions() -> list[str]:
    found = []
    for detection in load().detections.values():
        found += [str(each.when) for each in detection.all_variations if each.when is not None]
    return [*found, 'a = "b" and not (c starts with "d" or e in ("f", "g")) and seen(identity, country) >= 3']


def _condition(text: str) -> None:
    node = parse(text, "x.yml")
    if str(parse(str(node), "x.yml")) != str(node):
        raise AssertionError(f"{node} is read as something else")


def _yaml_texts() -> list[str]:
    paths = sorted((APP_DIR / content.DETECTIONS).glob("*/detection.yml"))
    return [path.read_text("utf-8") for path in paths]


_PROFILES = content.read_yaml(APP_DIR / content.PROFILES, "profiles.yml")
_FOLDER = tempfile.TemporaryDirectory(prefix="cba-fuzz-")


def _yaml(text: str) -> None:
    path = Path(_FOLDER.name) / "x.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    read_content(_PROFILES, [content.read_yaml(path, "x.yml")])


def _settings() -> Iterator[list[Any]]:
    for at, tab in enumerate(TABS):
        for setting in tab.settings:
            yield [at, setting.key, str(tab.defaults[setting.key])]


def _changed_setting(good: list[Any], rng: random.Random) -> list[Any]:
    return [*good[:2], mutate.text(good[2] or rng.choice(mutate.TOKENS), rng)]


def _setting(given: list[Any]) -> None:
    tab, (_at, key, text) = TABS[given[0]], given
    faults, usable = tab.faults({key: text}), tab.usable({key: text})
    if faults and not any(fault.strip() for fault in faults):
        raise AssertionError("it is refused without a word")
    if tab.faults(usable):
        raise AssertionError(f"what is usable is faulty: {tab.faults(usable)}")


def _terms(text: str) -> None:
    said = fault(text)
    if said is not None and not said.strip():
        raise AssertionError("it is refused without a word")


def _list_rows() -> Iterator[list[Any]]:
    for name, declared in LISTS.items():
        yield [name, dict.fromkeys(declared.names, "a*"), "abc"]
        yield [name, dict.fromkeys(declared.names, "10.0.0.0/8"), "10.1.2.3"]


def _changed_list(good: list[Any], rng: random.Random) -> list[Any]:
    return [good[0], mutate.value(good[1], rng), mutate.text(good[2], rng)]


def _list(given: list[Any]) -> None:
    name, cells, asked = given
    if not isinstance(cells, dict):
        return
    declared = LISTS[name]
    table = ListTable(declared, [Given("document k", cells)])
    table.match({column.name: asked for column in declared.keys})
    if any("document k" not in said for said in table.faults):
        raise AssertionError(f"{table.faults} names no document")


def _address(text: str) -> None:
    read_address(text)


_NAMES = open_reader()


def _name(text: str) -> None:
    _NAMES.lookup(text)


def total(results: Mapping[str, Fuzzed]) -> Counter[str]:
    """Inputs and refused ones of all targets."""
    return Counter(
        inputs=sum(each.inputs for each in results.values()), refused=sum(each.refused for each in results.values())
    )
