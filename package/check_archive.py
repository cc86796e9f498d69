"""The archive, unpacked, in place of the repository: what must not be in it, and the lab's end-to-end tests on it.

    python package/check_archive.py [TEST ...]       of the archive that `./dev package` has built

The lab, the tests and the logs are the repository's; the app they run, its confs, lookups, commands, library and
packages are the archive's. The commands run under each Python that Splunk has (3.9 and 3.13), in an environment of
its own below build/; one that this machine does not have is said and left out. What Python has no part in runs once.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "package")]

from archive import PackageError, stage, tarball  # noqa: E402

from lab.interpreters import find  # noqa: E402

BUILD = ROOT / "build" / "check"
PYTHONS = ("3.9", "3.13")
CODE = ("tests/scenarios/test_scenarios.py", "tests/replay/test_triage.py", "tests/package/test_settings_handler.py")
"""From logs to findings and verdicts, all scenarios, the configuration page's handler. Outages, restarts and large logs
are ./dev test's."""
FILES = ("tests/package/test_archive.py", "tests/conf")
LINTERS = ("ruff", "mypy", "types-")


def environment(version: str, python: str) -> Path:
    """The Python of a virtual environment with what the lab and the tests need, made anew when that changes."""
    wanted = "\n".join(
        line
        for line in (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
        if not line.startswith(("#", *LINTERS))
    )
    folder = ROOT / "build" / f"python-{version}"
    requirements, inside = folder / "requirements.txt", folder / "bin" / "python"
    if not (requirements.exists() and requirements.read_text("utf-8") == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        unfinished = folder / "requirements.new"
        unfinished.write_text(wanted, "utf-8")
        pip = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(unfinished)]
        subprocess.run(pip, check=True)
        unfinished.replace(requirements)
    return inside


def run_tests(app: Path, python: Path, tests: Sequence[str]) -> int:
    """pytest's exit code. Of the repository only the lab, the tests and package/ can be imported."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    variables.update(CBA_APP=str(app), PYTHONDONTWRITEBYTECODE="1")
    paths = shlex.join([".", str(app / "bin"), str(app / "lib"), "package"])
    command = [str(python), "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-o", f"pythonpath={paths}", *tests]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help="instead of all end-to-end tests")
    options = parser.parse_args(arguments)
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    archive = stage.archive(ROOT)
    try:
        app = tarball.unpack(archive, BUILD)
        unwanted = list(stage.unwanted(app))
        if unwanted:
            raise PackageError(*unwanted)
    except (PackageError, OSError) as error:
        print(f"./dev package: {archive}: {error}", file=sys.stderr)
        return 1
    once: tuple[str, ...] = FILES
    for version in PYTHONS:
        python = find(version)
        if python is None:
            print(f"==> no Python {version} on this machine: the archive is not tested under it", flush=True)
            continue
        print(f"==> end-to-end tests on the unpacked archive under Python {version}", flush=True)
        if run_tests(app, environment(version, python), options.tests or (*once, *CODE)):
            print(f"./dev package: the archive fails under Python {version} (see above)", file=sys.stderr)
            return 1
        once = ()
    print(f"the archive holds nothing unwanted and passes the end-to-end tests: {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
