"""Where the demo keeps what it ended with, and how one state folder takes the place of another."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.errors import LabError
from lab.output import folder_to_write

ROOT = Path(__file__).resolve().parent.parent
DEMO_STATE = ROOT / ".state" / "demo"
KVSTORE = "kvstore.sqlite"
"""Every state folder has it; nothing else is taken for one."""


def is_state(folder: Path) -> bool:
    return (folder / KVSTORE).is_file()


def prepare(place: Path) -> None:
    """Makes the folder of a state to come. Raises LabError where it cannot be written, or where something else is."""
    folder_to_write(place)
    if not is_state(place) and any(place.iterdir()):
        raise LabError("is not empty and not the state of a demo or replay; name another folder", place)


def keep(state: Path, place: Path) -> None:
    """Moves a finished state to `place`, in place of the one that is there. Raises LabError where something else is."""
    prepare(place)
    shutil.rmtree(place)
    shutil.move(state, place)
