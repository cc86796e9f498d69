"""What makes the app: an allow-list by folder and kind of file, and the packages in lib/.

The repository root is the app, so it is copied by what is allowed, never by what is left out: a new folder beside the
app (tests, tools, data) ships only when somebody adds it here, and a new kind of file in one of these folders is an
error until it is allowed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Iterator

from archive import PackageError

APP = "cloud_behavior_analytics"
FILES = ("app.manifest", "CHANGELOG.md", "LICENSE", "NOTICE", "README.txt")
FOLDERS = {
    "appserver": (".css", ".html", ".js", ".json", ".png", ".svg"),
    "bin": (".csv", ".json", ".mmdb", ".py"),
    "default": (".conf", ".html", ".json", ".xml"),
    "lookups": (".csv",),
    "metadata": (".meta",),
    "README": (".conf.spec",),
    "static": (".png",),
}
# What machines and people leave in these folders: never shipped, not worth a word.
LEFT_OUT = re.compile(r"(^|/)(\.[^/]*|__pycache__|local\.meta)(/|$)")

# Of an installed package the app needs its code and its licence; the rest names the machine that installed it.
INSTALLER_FILES = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json")

COMPILED = (".so", ".pyd", ".dll", ".dylib", ".exe", ".pyc", ".pyo")
TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
BUILD_ONLY = re.compile(r"^lib/(_?yaml|pytest|jinja2|mako)(/|$|\.py$)")


def shipped(root: Path) -> list[PurePosixPath]:
    """Every file of the repository that ships, sorted. Raises PackageError for missing ones and for unknown kinds."""
    faults = [f"{name} is missing" for name in FILES if not (root / name).is_file()]
    found = [PurePosixPath(name) for name in FILES]
    for folder, kinds in FOLDERS.items():
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if not path.is_file() or LEFT_OUT.search(name):
                continue
            if path.is_symlink():
                faults.append(f"{name} is a symbolic link; Splunk's packages have none")
            elif path.name.endswith(kinds):
                found.append(PurePosixPath(name))
            else:
                allowed = ", ".join(kinds)
                faults.append(
                    f"{name}: {folder}/ ships {allowed}; move it, or allow its kind in package/archive/stage.py"
                )
    if faults:
        raise PackageError(*faults)
    return sorted(found)


def copy(root: Path, target: Path) -> int:
    """Copies what ships into an empty or new folder; how many files."""
    names = shipped(root)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
    return len(names)


def vendor(requirements: Path, lib: Path, python: str) -> None:
    """Installs exactly the packages named in the requirements file. Raises PackageError with pip's own words."""
    command = [
        python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
        "--target", str(lib), "-r", str(requirements),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"the packages of {requirements.name} could not be installed:", done.stderr.strip())
    prune(lib)


def prune(lib: Path) -> None:
    """Removes what an installed package brings that the app does not need: compiled extras, scripts, tests, records."""
    for path in sorted(lib.rglob("*"), reverse=True):
        name = f"lib/{path.relative_to(lib).as_posix()}"
        if path.is_dir():
            if path.name in ("__pycache__", "tests", "test") or name == "lib/bin":
                shutil.rmtree(path)
        elif path.suffix in COMPILED or (path.parent.name.endswith(".dist-info") and path.name in INSTALLER_FILES):
            path.unlink()


def unwanted(app: Path) -> Iterator[str]:
    """What must not be in the app, wherever it came from: a sentence for each file."""
    for path in sorted(app.rglob("*")):
        name = path.relative_to(app).as_posix()
        if path.is_symlink():
            yield f"{name} is a symbolic link"
        elif any(part.startswith(".") for part in path.relative_to(app).parts):
            yield f"{name}: no file or folder may begin with a dot"
        elif path.is_file() and (path.suffix in COMPILED or path.read_bytes()[:4] == b"\x7fELF"):
            yield f"{name} is compiled"
        elif path.is_file() and TESTS.search(name):
            yield f"{name} is a test"
        elif path.is_file() and BUILD_ONLY.match(name):
            yield f"{name} is only needed to build the app"
        elif name == "local" or name.endswith("local.meta"):
            yield f"{name} is for what users set, never for what ships"


def version(root: Path) -> str:
    """The app's version, from app.manifest. Raises PackageError where app.conf or pyproject.toml says another one."""
    wanted = str(json.loads((root / "app.manifest").read_text("utf-8"))["info"]["id"]["version"])
    if not re.fullmatch(r"\d{1,3}\.\d{1,3}\.\d{1,3}", wanted):
        raise PackageError(f"app.manifest: the version {wanted!r} is not of the form 1.2.3")
    faults = []
    for file in ("default/app.conf", "pyproject.toml"):
        for said in re.findall(r'^version\s*=\s*"?([^"\s]+)"?\s*$', (root / file).read_text("utf-8"), re.MULTILINE):
            if said != wanted:
                faults.append(f"{file} says version {said}, app.manifest says {wanted}; set both")
    if faults:
        raise PackageError(*faults)
    return wanted


def archive(root: Path) -> Path:
    """Where the archive of this version is built."""
    return root / "dist" / f"{APP}-{version(root)}.tar.gz"


def build_number(of_version: str) -> int:
    """app.conf's build: browsers load the app's scripts anew when it changes. 1.2.3 -> 1002003."""
    major, minor, patch = map(int, of_version.split("."))
    return major * 1_000_000 + minor * 1_000 + patch
