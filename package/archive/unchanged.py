"""Whether an archive is what the sources would make again: a digest of all that goes into one, and into its checks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Iterable, Optional

from archive import stage

MAKING = ("package", "requirements-dev.txt", "pyproject.toml")
"""What decides how the archive is made and checked, beside what ships."""


def digest_of(files: Iterable[tuple[str, bytes]]) -> str:
    """One digest of named contents."""
    found = hashlib.sha256()
    for name, content in files:
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def inputs(root: Path) -> str:
    """The digest of everything that an archive follows from. Raises PackageError for what cannot ship."""
    names = [name.as_posix() for name in stage.shipped(root)]
    for place in MAKING:
        paths = [root / place] if (root / place).is_file() else sorted((root / place).rglob("*"))
        names += [path.relative_to(root).as_posix() for path in paths if _counts(path)]
    return digest_of((name, (root / name).read_bytes()) for name in sorted(set(names)))


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"


def remember(stamp: Path, of_inputs: str, archive: Path, inspected: bool, summary: list[str]) -> None:
    """Keeps what an archive was made of, whether AppInspect has seen it, and what it said."""
    told = {"inputs": of_inputs, "archive": _digest(archive), "inspected": inspected, "summary": summary}
    stamp.write_text(json.dumps(told), encoding="utf-8")


def known(stamp: Path, of_inputs: str, archive: Path, inspected: bool) -> Optional[list[str]]:
    """What was said of this archive when it was made of the same; None when it has to be made, or inspected, anew."""
    try:
        told = json.loads(stamp.read_text("utf-8"))
        same = told["inputs"] == of_inputs and told["archive"] == _digest(archive) and told["inspected"] >= inspected
        return list(told["summary"]) if same else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
