"""Packing a folder so that the same files give the same bytes, whoever packs them, wherever and whenever."""

from __future__ import annotations

import contextlib
import gzip
import tarfile
from pathlib import Path


def pack(folder: Path, archive: Path, name: str) -> None:
    """Writes `folder` as `name`/… into a .tar.gz: sorted, owned by nobody in particular, without times."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(open(archive, "wb"))
        compressed = opened.enter_context(gzip.GzipFile("", "wb", 9, file, mtime=0))
        tar = opened.enter_context(tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT))
        _add(tar, folder, name)


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    tar.addfile(_entry(name, tarfile.DIRTYPE, 0))
    for path in sorted(folder.rglob("*"), key=lambda found: found.relative_to(folder).as_posix()):
        inside = f"{name}/{path.relative_to(folder).as_posix()}"
        if path.is_dir():
            tar.addfile(_entry(inside, tarfile.DIRTYPE, 0))
        else:
            with open(path, "rb") as content:
                tar.addfile(_entry(inside, tarfile.REGTYPE, path.stat().st_size), content)


def _entry(name: str, kind: bytes, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    entry.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return entry


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks into a folder; the app's folder in it."""
    with tarfile.open(archive, "r:gz") as tar:
        names = {member.name.split("/")[0] for member in tar}
        tar.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(folder)
    (name,) = names
    return folder / name
