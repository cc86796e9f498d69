"""Builds dist/cloud_behavior_analytics-<version>.tar.gz and has Splunk's own tools check it (`./dev package`).

    stage      what package/archive/stage.py allows, and the packages of package/requirements.txt in lib/
    page       ucc-gen makes the configuration page from package/globalConfig.json; merged in, nothing lost
    pack       the same bytes for the same sources; beside it its checksum and the notes of the release
    check      ksconf, slim validate, AppInspect's checks of all tags against package/appinspect-allow.yml

Runs in the environment of package/requirements-tools.txt; everything it writes is below build/ and dist/. Where
nothing has changed since an archive was made and checked, it says so and is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional, Sequence

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "package")]

from archive import PackageError, beside, confs, stage, tarball, unchanged, verdict  # noqa: E402

BUILD = ROOT / "build" / "package"
TOOLS = Path(sys.executable).parent
STAMP = BUILD / "stamp.json"
ALLOW_LIST = ROOT / "package" / "appinspect-allow.yml"

# What is told apart in the summary. A run without a tag makes the checks of all of them, and a check says the same
# whichever tag it was chosen by (splunk_appinspect.infra: "then the check should be returned regardless").
TAGS = ("cloud", "private_app", "private_classic", "private_victoria", "migration_victoria", "packaging_standards")
# Its exit codes: 0 all well; 101 failures, 102 errors, 103 warnings, 104 future failures: the report tells more.
READABLE = (0, 101, 102, 103, 104)


def say(text: str) -> None:
    print(text, flush=True)


def run_tool(name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a tool of this environment. Its caches go below build/, and no path of ours confuses its imports."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment.update(
        HOME=str(BUILD / "home"), PYTHONDONTWRITEBYTECODE="1", PATH=f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    )
    (BUILD / "home").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(TOOLS / name), *arguments], capture_output=True, text=True, check=False, env=environment, cwd=BUILD
    )
    if check and done.returncode:
        raise PackageError(
            f"{name} {arguments[0]} failed (exit code {done.returncode}):", (done.stdout + done.stderr).strip()
        )
    return done


def configuration_page(folder: Path, version: str) -> Path:
    """ucc-gen's output for an app that has nothing but its manifest and app.conf; the folder that holds it.

    A bare source, because ucc-gen lets a source file of the same name replace what it generates.
    """
    source, config = folder / "source", folder / "globalConfig.json"
    (source / "default").mkdir(parents=True)
    shutil.copyfile(ROOT / "app.manifest", source / "app.manifest")
    shutil.copyfile(ROOT / "default" / "app.conf", source / "default" / "app.conf")
    shutil.copyfile(ROOT / "package" / "globalConfig.json", config)
    done = run_tool(
        "ucc-gen", "build", "--source", str(source), "--config", str(config), "--output", str(folder / "generated"),
        "--ta-version", version, "--python-binary-name", sys.executable,
    )  # fmt: skip
    generated = folder / "generated" / stage.APP
    # ucc-gen exits with 0 when it fails half-way; the manifest is among the last files it writes.
    if not (generated / "app.manifest").exists() or not (generated / "appserver/static/openapi.json").exists():
        raise PackageError("ucc-gen made no configuration page:", (done.stdout + done.stderr).strip())
    page = generated / "appserver/templates/base.html"
    stamped, times = re.subn(r"/@\d+/", f"/@{stage.build_number(version)}/", page.read_text("utf-8"))
    if not times:
        raise PackageError("ucc-gen's base.html no longer has a build number to replace; see package/build.py")
    page.write_text(stamped, "utf-8")
    return generated


def build(folder: Path, archive: Path) -> None:
    """The whole app in `folder`/app, packed as `archive`."""
    shutil.rmtree(folder, ignore_errors=True)
    app = folder / "app"
    version = stage.version(ROOT)
    files = stage.copy(ROOT, app)
    say(f"    {files} files of the app, version {version}")
    stage.vendor(ROOT / "package" / "requirements.txt", app / "lib", sys.executable)
    say(f"    lib/: {', '.join(sorted(p.name[:-10] for p in (app / 'lib').glob('*.dist-info')))}")
    confs.combine(configuration_page(folder / "ucc", version), app)
    app_conf = confs.read(app / "default" / "app.conf")
    app_conf["install"]["build"] = str(stage.build_number(version))
    confs.write(app_conf, app / "default" / "app.conf")
    unwanted = list(stage.unwanted(app))
    if unwanted:
        raise PackageError(*unwanted)
    tarball.pack(app, archive, stage.APP)
    say(f"    {archive.relative_to(ROOT)}: {archive.stat().st_size:,} bytes, sha256 {digest(archive)}")


def differing() -> list[str]:
    """The files in which the two builds differ."""
    one, other = (
        {path.relative_to(app).as_posix(): digest(path) for path in app.rglob("*") if path.is_file()}
        for app in (BUILD / "first" / "app", BUILD / "second" / "app")
    )
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check_confs(app: Path) -> None:
    files = [*(app / "default").glob("*.conf"), *(app / "metadata").glob("*.meta")]
    run_tool("ksconf", "check", *map(str, sorted(files)))
    say(f"    ksconf check: {len(files)} files")


def check_slim(archive: Path) -> None:
    done = run_tool("slim", "validate", str(archive))
    warnings = [line for line in (done.stdout + done.stderr).splitlines() if "[WARNING]" in line]
    # slim's conf specs are of 2017; tests/conf compares the confs with those of the Splunks that count.
    outdated = re.compile("Undefined (setting|stanza) in|Setting validation is disabled for")
    if telling := [line for line in warnings if not outdated.search(line)]:
        raise PackageError("slim validate warns:", *telling)
    say(f"    slim validate: no error ({len(warnings)} settings are newer than its specs of 2017)")


def inspect(archive: Path) -> dict[str, Any]:
    """AppInspect's JSON report of all its checks."""
    report = BUILD / "appinspect.json"
    report.unlink(missing_ok=True)
    done = run_tool(
        "splunk-appinspect", "inspect", str(archive), "--mode", "precert", "--data-format", "json", "--max-messages",
        "all", "--output-file", str(report), "--ci", check=False,
    )  # fmt: skip
    if done.returncode not in READABLE or not report.exists():
        output = (done.stdout + done.stderr).strip()
        raise PackageError(f"AppInspect ended with exit code {done.returncode}:", output[-4000:])
    read: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return read


def check_appinspect(archive: Path) -> list[str]:
    """Lines of the summary. Raises PackageError for anything that package/appinspect-allow.yml does not cover."""
    allowed = verdict.allow_list(yaml.safe_load(ALLOW_LIST.read_text("utf-8")))
    report = inspect(archive)
    summary = []
    for tag in ("", *TAGS):
        counts = verdict.counts(report, tag)
        line = ", ".join(f"{counts[result]} {result.replace('_', ' ')}" for result in ("success", *verdict.COUNTED))
        summary.append(f"{tag or 'all checks':22}{line}")
        say(f"    AppInspect {summary[-1]}")
    found = verdict.messages(report)
    bad = [*map(str, verdict.unacceptable(found, allowed))]
    bad += [
        f"{ALLOW_LIST.name}: nothing needs the entry for {e.check} any more" for e in verdict.unused(found, allowed)
    ]
    if bad:
        raise PackageError("AppInspect says what package/appinspect-allow.yml does not allow:", *bad)
    return [
        *summary,
        f"{len(allowed)} kinds of warnings are allowed, each with its reason in package/{ALLOW_LIST.name}",
    ]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev package", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="also build twice and run the end-to-end tests on the archive"
    )
    parser.add_argument("--no-inspect", action="store_true", help="leave out slim and AppInspect (a minute or two)")
    parser.add_argument("--again", action="store_true", help="also where nothing has changed")
    options = parser.parse_args(arguments)
    summary: list[str] = []
    try:
        archive, made_of = stage.archive(ROOT), unchanged.inputs(ROOT)
        known = unchanged.known(STAMP, made_of, archive, not options.no_inspect)
        if known is not None and not (options.check or options.again):
            say("==> nothing has changed since this archive was made and checked (--again makes it all the same)")
            conclude(archive, known)
            return 0
        say("==> building")
        build(BUILD / "first", archive)
        if options.check:
            say("==> building again")
            again = BUILD / archive.name
            build(BUILD / "second", again)
            if digest(again) != digest(archive):
                raise PackageError("two builds differ (or the sources changed in between):", *differing())
        say("==> checking")
        check_confs(BUILD / "first" / "app")
        if not options.no_inspect:
            check_slim(archive)
            summary = check_appinspect(archive)
        unchanged.remember(STAMP, made_of, archive, not options.no_inspect, summary)
        conclude(archive, summary)
    except PackageError as error:
        print(f"./dev package: {error}", file=sys.stderr)
        return 1
    return 0


def conclude(archive: Path, summary: Sequence[str]) -> None:
    """Writes what stands beside the archive, and says what there is."""
    made = (archive, beside.checksum(archive), beside.release_notes(ROOT, archive, stage.version(ROOT)))
    say("")
    for line in summary:
        say(line)
    for path in made:
        say(str(path))


if __name__ == "__main__":
    sys.exit(main())
