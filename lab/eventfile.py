"""Events kept beside a state folder, so that ./dev serve can show the raw logs behind a finding.

A gzipped file of JSON arrays, one event a line: event time, index time, index, sourcetype, source, host, raw text.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Iterator

from lab.errors import LabError
from lab.events import Event, EventStore

NAME = "events.jsonl.gz"


def write(store: EventStore, folder: Path) -> None:
    """Replaces the folder's file of events with what the store holds."""
    path = folder / NAME
    part = path.with_suffix(".part")
    with gzip.open(part, "wt", encoding="utf-8", errors="surrogateescape", compresslevel=1) as file:
        for piece in reversed(list(store.scan(None, None))):
            block = piece.block
            read = store.reader(block, piece.positions)
            for n in piece.positions:
                raw = read(n).decode("utf-8", "surrogateescape")
                file.write(json.dumps([block.times[n], block.indextimes[n], *store.metas[block.metas[n]], raw]) + "\n")
    part.replace(path)


def read(folder: Path) -> Iterator[Event]:
    """The events of a folder; none where no file is."""
    path = folder / NAME
    if not path.exists():
        return
    count = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                time, indextime, index, sourcetype, source, host, raw = json.loads(line)
                yield Event(time, indextime, index, sourcetype, source, host, raw)
                count += 1
    except (OSError, EOFError, ValueError) as problem:
        raise LabError(
            f"cannot be read ({problem}); run the demo or the replay again", path, position=f"line {count + 1}"
        ) from None
