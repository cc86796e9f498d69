"""The same files give the same archive."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from archive import tarball

FILES = {"default/app.conf": "[ui]\n", "bin/b.py": "print()\n", "bin/a.py": "", "é.txt": "ü"}


def folder(path: Path, names: list[str], mode: int, time: int) -> Path:
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[name], "utf-8")
        file.chmod(mode)
        os.utime(file, (time, time))
    return path


def test_order_times_and_modes_do_not_matter(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", list(FILES), 0o644, 1_000_000_000)
    other = folder(tmp_path / "other", list(reversed(FILES)), 0o700, 1_700_000_000)
    tarball.pack(one, tmp_path / "one.tar.gz", "app")
    tarball.pack(other, tmp_path / "other.tar.gz", "app")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()


def test_entries(tmp_path: Path) -> None:
    tarball.pack(folder(tmp_path / "app", list(FILES), 0o755, 1), tmp_path / "x.tar.gz", "app")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        entries = [(m.name, oct(m.mode), m.uid, m.gid, m.uname, m.mtime) for m in tar]
    assert entries == [
        ("app", "0o755", 0, 0, "", 0),
        ("app/bin", "0o755", 0, 0, "", 0),
        ("app/bin/a.py", "0o644", 0, 0, "", 0),
        ("app/bin/b.py", "0o644", 0, 0, "", 0),
        ("app/default", "0o755", 0, 0, "", 0),
        ("app/default/app.conf", "0o644", 0, 0, "", 0),
        ("app/é.txt", "0o644", 0, 0, "", 0),
    ]


def test_a_changed_byte_changes_the_archive(tmp_path: Path) -> None:
    app = folder(tmp_path / "app", list(FILES), 0o644, 1)
    tarball.pack(app, tmp_path / "before.tar.gz", "app")
    (app / "bin/a.py").write_text("#", "utf-8")
    tarball.pack(app, tmp_path / "after.tar.gz", "app")
    assert (tmp_path / "before.tar.gz").read_bytes() != (tmp_path / "after.tar.gz").read_bytes()


def test_unpacking_gives_the_folder_back(tmp_path: Path) -> None:
    app = folder(tmp_path / "app", list(FILES), 0o644, 1)
    tarball.pack(app, tmp_path / "x.tar.gz", "my_app")
    back = tarball.unpack(tmp_path / "x.tar.gz", tmp_path / "out")
    assert back == tmp_path / "out" / "my_app"
    assert {p.relative_to(back).as_posix(): p.read_text("utf-8") for p in back.rglob("*") if p.is_file()} == FILES
