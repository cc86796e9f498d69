"""From content/sources/*/source.yml and content/macros.yml to default/macros.conf.

`read` (reader) gives the model or all faults; `fields_commands` (spl) writes one source's commands; `macros_conf`
(macros) the file. The shipped app reads none of it."""

from __future__ import annotations

from pathlib import Path

from sources.faults import Faults
from sources.macros import macros_conf
from sources.model import Source
from sources.reader import read

__all__ = ["Faults", "Source", "files", "read"]


def files(root: Path) -> dict[str, str]:
    """What follows from the content below `root`: path -> text. Raises `Faults` with everything that is wrong."""
    parts, found = read(root)
    return {"default/macros.conf": macros_conf(parts, found)}
