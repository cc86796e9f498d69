"""Where a run will write, looked at before it begins: it may take an hour, and at its end it is too late."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab.errors import LabError


def file_to_write(path: Path) -> None:
    """Makes the folder of a file that will be written. Raises LabError where it cannot be."""
    try:
        if path.is_dir():
            raise LabError("is a folder; name a file in it", path)
        folder_to_write(path.parent)
        if path.exists():
            path.open("ab").close()
    except OSError as problem:
        raise _cannot(path, problem) from None


def folder_to_write(path: Path) -> None:
    """Makes a folder into which files will be written. Raises LabError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise LabError("is a file, and a folder is needed; name another one", path) from None
    except OSError as problem:
        raise _cannot(path, problem) from None


def _cannot(path: Path, problem: OSError) -> LabError:
    return LabError(f"cannot be written ({problem.strerror}); name another place", path)
