"""What ships and what must not, on small folders and on this repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from archive import PackageError, stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app with everything beside it that must stay behind."""
    files = [
        *stage.FILES, "bin/cbageo.py", "bin/cba/__init__.py", "default/app.conf", "default/data/ui/nav/default.xml",
        "lookups/a.csv", "metadata/default.meta", "metadata/local.meta", "static/appIcon.png", "README/a.conf.spec",
        "bin/__pycache__/x.pyc", "bin/.hidden", "default/.DS_Store", "local/app.conf", "tests/test_a.py", "lab/conf.py",
        "package/build.py", "demo/a.py", "detections/a.yml", "docs/a.md", "lib/old.py", ".git/config", "dev",
    ]  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    return tmp_path


def test_only_what_is_allowed_ships(app: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("stage")
    assert stage.copy(app, target) == 13
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()) == [
        "CHANGELOG.md", "LICENSE", "NOTICE", "README.txt", "README/a.conf.spec", "app.manifest", "bin/cba/__init__.py", "bin/cbageo.py",
        "default/app.conf", "default/data/ui/nav/default.xml", "lookups/a.csv", "metadata/default.meta",
        "static/appIcon.png",
    ]  # fmt: skip


def test_an_unknown_kind_of_file_is_not_left_out_in_silence(app: Path) -> None:
    (app / "bin" / "notes.txt").write_text("", "utf-8")
    (app / "lookups" / "big.parquet").write_text("", "utf-8")
    (app / "NOTICE").unlink()
    with pytest.raises(PackageError) as error:
        stage.shipped(app)
    assert error.value.faults[0] == "NOTICE is missing"
    assert error.value.faults[1].startswith("bin/notes.txt: bin/ ships .csv, .json, .mmdb, .py; move it")
    assert error.value.faults[2].startswith("lookups/big.parquet: ")


def test_this_repository_can_be_staged() -> None:
    names = {name.as_posix() for name in stage.shipped(ROOT)}
    assert {"app.manifest", "default/savedsearches.conf", "bin/cbascore.py", "bin/cba/enrich/data/ip.mmdb"} <= names
    assert {name.split("/")[0] for name in names} <= {*stage.FOLDERS, *stage.FILES}


def test_installed_packages_are_pruned(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    kept = ["pkg/__init__.py", "pkg-1.0.dist-info/METADATA", "pkg-1.0.dist-info/licenses/LICENSE"]
    gone = [
        "pkg/fast.cpython-311-x86_64-linux-gnu.so", "pkg/fast.pyd", "pkg/__pycache__/a.pyc", "pkg/tests/test_a.py", "bin/tool",
        "pkg-1.0.dist-info/RECORD", "pkg-1.0.dist-info/INSTALLER", "pkg-1.0.dist-info/WHEEL",
    ]  # fmt: skip
    for name in [*kept, *gone]:
        (lib / name).parent.mkdir(parents=True, exist_ok=True)
        (lib / name).write_text("", "utf-8")
    stage.prune(lib)
    assert sorted(p.relative_to(lib).as_posix() for p in lib.rglob("*") if p.is_file()) == sorted(kept)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("lib/pkg/fast.so", b"", "is compiled"),
        ("lib/pkg/tool", b"\x7fELF...", "is compiled"),
        ("bin/a.pyc", b"", "is compiled"),
        ("bin/.env", b"", "begin with a dot"),
        ("bin/.git/config", b"", "begin with a dot"),
        ("lib/pkg/tests/data.json", b"", "is a test"),
        ("bin/test_a.py", b"", "is a test"),
        ("lib/yaml/__init__.py", b"", "only needed to build"),
        ("local/app.conf", b"", "is for what users set"),
        ("metadata/local.meta", b"", "is for what users set"),
    ],
)
def test_what_must_not_be_in_the_app(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cbatest.py").write_text("", "utf-8")
    assert list(stage.unwanted(tmp_path)) == []
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(content)
    found = list(stage.unwanted(tmp_path))
    assert found and all(words in fault for fault in found), found


def test_one_version() -> None:
    version = stage.version(ROOT)
    said = [re.findall(r'^version = "?([\d.]+)', (ROOT / f).read_text("utf-8"), re.MULTILINE) for f in
            ("default/app.conf", "pyproject.toml")]  # fmt: skip
    assert said == [[version], [version]]
    assert stage.archive(ROOT) == ROOT / "dist" / f"cloud_behavior_analytics-{version}.tar.gz"


def test_two_versions_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "default").mkdir()
    (tmp_path / "app.manifest").write_text('{"info": {"id": {"version": "1.2.3"}}}', "utf-8")
    (tmp_path / "default" / "app.conf").write_text("[launcher]\nversion = 1.2.4\n", "utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.2"\n', "utf-8")
    with pytest.raises(PackageError) as error:
        stage.version(tmp_path)
    assert error.value.faults == (
        "default/app.conf says version 1.2.4, app.manifest says 1.2.3; set both",
        "pyproject.toml says version 1.2.2, app.manifest says 1.2.3; set both",
    )


def test_a_later_version_has_a_later_build_number() -> None:
    versions = ["0.1.0", "0.1.9", "0.1.10", "0.2.0", "0.11.0", "1.0.0", "2.0.3"]
    numbers = [stage.build_number(version) for version in versions]
    assert numbers == sorted(set(numbers))


def test_every_runtime_package_is_pinned() -> None:
    lines = [
        line for line in (ROOT / "package/requirements.txt").read_text("utf-8").splitlines() if line[:1] not in "#"
    ]
    assert lines and all(re.fullmatch(r"[\w.-]+==[\d.]+", line) for line in lines)
