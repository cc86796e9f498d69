"""What stands beside the archive in dist/: its checksum, and the notes of its release."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from archive import PackageError

_SECTION = re.compile(r"(?m)^## \[(.+?)\].*$")


def checksum(archive: Path) -> Path:
    """Writes `<archive>.sha256`, as `sha256sum --check` reads it."""
    file = archive.with_name(f"{archive.name}.sha256")
    file.write_text(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n", encoding="utf-8")
    return file


def notes(changelog: str, version: str) -> str:
    """The section of a version, else what is not released yet. Raises PackageError where the changelog has neither."""
    heads = list(_SECTION.finditer(changelog))
    ends = [head.start() for head in heads[1:]] + [len(changelog)]
    sections = {head.group(1): changelog[head.end() : end].strip() for head, end in zip(heads, ends)}
    for name in (version, "Unreleased"):
        if sections.get(name):
            return f"# Cloud Behavior Analytics for Splunk {version}\n\n{sections[name]}\n"
    raise PackageError(f"CHANGELOG.md has neither a section [{version}] nor [Unreleased]")


def release_notes(root: Path, archive: Path, version: str) -> Path:
    """Writes `RELEASE_NOTES-<version>.md`."""
    file = archive.with_name(f"RELEASE_NOTES-{version}.md")
    file.write_text(notes((root / "CHANGELOG.md").read_text("utf-8"), version), encoding="utf-8")
    return file
