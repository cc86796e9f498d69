"""A copy of the app to which something is added and everything is generated anew: for what another app would do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable

from lab.replay import APP_DIR

PARTS = (
    "app.manifest", "appserver", "bin", "content", "default", "lookups", "metadata", "package", "README", "README.md",
    "README.txt", "docs",
)  # fmt: skip
"""What of the repository is the app, what it is generated from, and what generates it."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules")


def copy_app(copy: Path, more: Iterable[str] = ()) -> None:
    """Copies the app to a folder that is not there yet, and `more` of the repository. Its packages are linked."""
    copy.mkdir()
    for name in (*PARTS, *more):
        source = APP_DIR / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=LEFT_OUT)
        elif source.exists():
            shutil.copy(source, copy / name)
    (copy / "lib").symlink_to(APP_DIR / "lib")


def environment(copy: Path) -> dict[str, str]:
    """As ./dev sets it, of the copy."""
    paths = (copy, copy / "bin", copy / "lib", copy / "package")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def generate(copy: Path) -> None:
    """Writes what follows from the copy's content. Raises CalledProcessError where that is faulty."""
    command = [sys.executable, str(copy / "package" / "generate.py")]
    subprocess.run(command, check=True, cwd=copy, env=environment(copy), stdout=subprocess.DEVNULL)
