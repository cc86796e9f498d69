"""What stands beside the archive, and when it need not be made again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from archive import PackageError, beside, unchanged

from lab.replay import APP_DIR

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something new.

## [1.2.3] - 2026-01-31

- What was in it.
"""


def test_a_checksum_that_sha256sum_reads(tmp_path: Path) -> None:
    archive = tmp_path / "app-1.2.3.tar.gz"
    archive.write_bytes(b"app")
    file = beside.checksum(archive)
    assert file.name == "app-1.2.3.tar.gz.sha256"
    subprocess.run(["sha256sum", "--check", "--strict", file.name], cwd=tmp_path, check=True, capture_output=True)


def test_the_notes_are_the_section_of_the_version_or_what_is_not_released_yet() -> None:
    assert beside.notes(CHANGELOG, "1.2.3").splitlines()[2:] == ["- What was in it."]
    assert "Something new." in beside.notes(CHANGELOG, "1.3.0") and "[1.2.3]" not in beside.notes(CHANGELOG, "1.3.0")
    with pytest.raises(PackageError, match="neither"):
        beside.notes("# Changelog\n", "1.2.3")
    assert beside.notes((APP_DIR / "CHANGELOG.md").read_text("utf-8"), "0.1.0")


def test_an_archive_is_made_again_when_anything_of_it_has_changed(tmp_path: Path) -> None:
    stamp, archive = tmp_path / "stamp.json", tmp_path / "app.tar.gz"
    archive.write_bytes(b"app")
    assert unchanged.known(stamp, "inputs", archive, True) is None
    unchanged.remember(stamp, "inputs", archive, False, ["said"])
    assert unchanged.known(stamp, "inputs", archive, False) == ["said"]
    assert unchanged.known(stamp, "inputs", archive, True) is None, "AppInspect has not seen it"
    unchanged.remember(stamp, "inputs", archive, True, ["said"])
    assert unchanged.known(stamp, "inputs", archive, False) == ["said"]
    assert unchanged.known(stamp, "others", archive, False) is None
    archive.write_bytes(b"changed")
    assert unchanged.known(stamp, "inputs", archive, False) is None
    archive.unlink()
    assert unchanged.known(stamp, "inputs", archive, False) is None


def test_what_an_archive_follows_from_is_what_ships_and_how_it_is_made() -> None:
    first = unchanged.digest_of([("a", b"1"), ("b", b"2")])
    assert first == unchanged.digest_of([("a", b"1"), ("b", b"2")])
    assert (
        len({first, unchanged.digest_of([("a", b"12"), ("b", b"")]), unchanged.digest_of([("ab", b"1"), ("", b"2")])})
        == 3
    )
    assert unchanged.inputs(APP_DIR) == unchanged.inputs(APP_DIR)
