"""How often events are read, how long searches are, and how far they reduce: what a search head feels of the app.

measured = measure(APP_DIR, Organization(days=2, events_per_day=2000))
with copied_detections(50) as app:
    measured = measured_apart(app, …)       # the same with copies of detections beside the shipped ones
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterator, Sequence

import yaml

from cba.detection.model import source_search
from cba.judging.detecting import CORE_FIELDS
from cba.terms import SOURCES
from demo import Organization, events
from demo.generate import source_kind
from lab.copies import copy_app, environment, generate
from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from lab.spl.evalcompile import evaluate_text
from lab.spl.macros import expand

CADENCE = "15m"
NARROWEST = ("bucket", "indexed", *CORE_FIELDS)
"""What a row is told by that only says who did something from where: the rows of the narrowest detection."""


@dataclass(frozen=True)
class Reading:
    """What was measured of one source. `read`: how often an event was found by scheduled searches; `characters` of its
    search with all macros; `rows` it was reduced to, and `narrowest`, how many there would be of NARROWEST alone."""

    source: str
    events: int
    read: int
    characters: int
    rows: int
    narrowest: int

    @property
    def reads_per_event(self) -> float:
        return self.read / self.events if self.events else 0.0

    @property
    def width(self) -> float:
        """Rows for each of the narrowest shape."""
        return self.rows / self.narrowest if self.narrowest else 0.0


def measure(app: Path, organization: Organization, cadence: str = CADENCE) -> list[Reading]:
    """Replays the organization's logs through every scheduled search, by default each tick by itself. The app's
    library must be the one that is imported (`measured_apart` for another)."""
    logs = list(events(organization))
    of_source = collections.Counter(source_kind(event) for event in logs)
    with tempfile.TemporaryDirectory(prefix="cba-reading-") as folder, SearchHead(app, Path(folder)) as head:
        head.events.reads = collections.Counter()
        head.events.add(logs)
        judged = _watched(head)
        replay(head, cadence)
        read = _by_source(head.events.reads, logs)
        stanzas = {source: head.app.stanza("savedsearches", source_search(source, "Judge")) for source in SOURCES}
        searches = {source: stanza.get("search") for source, stanza in stanzas.items()}
        return [
            Reading(
                source,
                of_source[source],
                read[source],
                len(expand(searches[source], head.app, evaluate_text).text),
                len(judged[source]),
                len(set(judged[source])),
            )
            for source in SOURCES
        ]


def measured_apart(app: Path, organization: Organization) -> list[Reading]:
    """The same in a process of its own, with the library of that app."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.reading", str(app), *map(str, (organization.days, organization.events_per_day))],
        check=True, cwd=APP_DIR, env=environment(app), capture_output=True, text=True,
    )  # fmt: skip
    return [Reading(**each) for each in json.loads(told.stdout)]


@contextlib.contextmanager
def copied_detections(number: int) -> Iterator[Path]:
    """A copy of the app with so many detections, copies of the shipped ones in turn, and everything generated anew.
    Those with profiles of their own are not copied: a profile is declared once."""
    with tempfile.TemporaryDirectory(prefix="cba-copies-") as folder:
        copy = Path(folder) / "app"
        copy_app(copy)
        detections = copy / "content" / "detections"
        shipped = sorted(path.name for path in detections.iterdir())
        copied = [name for name in shipped if "profiles" not in _document(detections / name)]
        for name, count in zip(itertools.cycle(copied), range(number - len(shipped))):
            _copy(detections, name, f"{name}_{count}")
        generate(copy)
        yield copy


def _document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "detection.yml").read_text("utf-8"))
    return found


def _copy(detections: Path, name: str, to: str) -> None:
    shutil.copytree(detections / name, detections / to)
    file = detections / to / "detection.yml"
    text = re.sub(rf"(?m)^id: {name}$", f"id: {to}", file.read_text("utf-8"), count=1)
    text = re.sub(r"(?m)^title: .*$", f"title: Copy {to.rpartition('_')[2]}", text, count=1)
    file.write_text(text, "utf-8")


def _watched(head: SearchHead) -> dict[str, list[tuple[Any, ...]]]:
    """By source the rows that cbajudge is handed from now on, cut to NARROWEST."""
    judged: dict[str, list[tuple[Any, ...]]] = {source: [] for source in SOURCES}
    run = head.commands.run

    def watched(command: str, args: Any, rows: Any, info: Any) -> Any:
        if command == "cbajudge":
            source = next(str(arg).partition("=")[2] for arg in args if str(arg).startswith("source="))
            judged[source].extend(tuple(str(row.get(name)) for name in NARROWEST) for row in rows or ())
        return run(command, args, rows, info)

    setattr(head.commands, "run", watched)  # noqa: B010 (a method of this one object)
    return judged


def _by_source(reads: collections.Counter[tuple[str, str]], logs: Sequence[Event]) -> collections.Counter[str]:
    """How often events of each source were read: by the source's own search, which its name says; by another one
    (Quarantined users) for the source that has most events of that source type."""
    kinds: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for event in logs:
        kinds[event.sourcetype][source_kind(event)] += 1
    found: collections.Counter[str] = collections.Counter()
    for (search, sourcetype), count in reads.items():
        ((most, _count),) = kinds[sourcetype].most_common(1)
        found[next((source for source in SOURCES if f" {source} " in search), most)] += count
    return found


if __name__ == "__main__":
    _app, _days, _events_per_day = sys.argv[1:]
    _organization = Organization(days=int(_days), events_per_day=int(_events_per_day))
    print(json.dumps([asdict(each) for each in measure(Path(_app), _organization)]))
