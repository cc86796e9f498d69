"""The Pythons that Splunk runs commands with, where this machine has them."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

RUNNING = "running"
VERSIONS = (RUNNING, "3.9", "3.13")


@functools.cache
def find(version: str) -> str | None:
    """The path of a Python of that version that starts, or None. A pyenv shim without a version behind it does not."""
    if version == RUNNING:
        return sys.executable
    name = f"python{version}"
    for candidate in [
        shutil.which(name),
        *sorted(map(str, Path.home().glob(f".pyenv/versions/{version}*/bin/{name}"))),
    ]:
        if candidate and _version(candidate) == version:
            return candidate
    return None


def _version(python: str) -> str:
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run(
            [python, "-c", ask], capture_output=True, text=True, timeout=30, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
