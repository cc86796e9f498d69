"""A search head in a process of its own, to be killed: `python -m prove.child FOLDER START END CADENCE MODE`.

FOLDER is its state, with its events in `events.pickle`. It goes on where the last one was killed.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from prove.world import live

EVENTS = "events.pickle"


def main(folder: Path, start: float, end: float, cadence: str, mode: str) -> None:
    with SearchHead(APP_DIR, folder, mode=mode) as head:
        head.events.add(pickle.loads((folder / EVENTS).read_bytes()))
        live(head, start, end, cadence)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5])
