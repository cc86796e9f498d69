"""An app of a few lines, for what the lab must do with any app."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping


def write_app(folder: Path, confs: Mapping[str, str], **commands: str) -> Path:
    """Writes confs (name -> text) and the code of commands into a new app in `folder`; returns it."""
    (folder / "default").mkdir(parents=True)
    (folder / "bin").mkdir()
    for name, code in commands.items():
        (folder / "bin" / f"{name}.py").write_text(code)
    for name, text in confs.items():
        (folder / "default" / f"{name}.conf").write_text(text)
    return folder
