"""No search reads a file outside of the places for it, learns which files there are, or waits for one without end."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from cba.enrich import files
from cba.enrich.files import IP_DATABASE, SUFFIXES, FileError, Kind, find, read
from cba.enrich.geo import SHIPPED_DATABASE
from lab.errors import LabError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.security.commands import COMMANDS, answers, kind_of, needed
from tests.support.workbench import Workbench

KINDS = (IP_DATABASE, SUFFIXES)
OPTIONS = [(command, name) for command in COMMANDS for name, _option in kind_of(command).option_definitions]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app of which the files are a Splunk's: lookups, local, share, and what lies around them."""
    app = tmp_path / "splunk" / "etc" / "apps" / "cba"
    for folder in (app / "lookups" / "deeper", app / "local", app / "default", tmp_path / "splunk" / "share"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(files, "APP_DIR", app)
    monkeypatch.setenv("SPLUNK_HOME", str(tmp_path / "splunk"))
    return app


def refusal(kind: Kind, asked: str, configured: str = "") -> str:
    with pytest.raises(FileError) as caught:
        find(kind, asked, lambda: configured)
    return str(caught.value).replace(repr(asked[:200]), "")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.option)
def test_files_of_the_places_are_found(kind: Kind, app: Path) -> None:
    folders = [app / "lookups", app / "lookups" / "deeper", app / "local"]
    folders += [app.parents[2] / "share"] if kind.in_share else []
    for folder in folders:
        file = folder / f"mine{kind.suffix}"
        file.write_bytes(b"x")
        assert find(kind, str(file)) == file
        assert find(kind, os.path.relpath(file, app / "lookups")) == file
        link = folder / f"link{kind.suffix}"
        link.symlink_to(app / "lookups" / f"mine{kind.suffix}")
        assert find(kind, str(link)).name == f"mine{kind.suffix}"
        assert read(file, kind) == b"x"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.option)
def test_every_other_file_is_refused_in_the_same_words_whether_there_is_one_or_not(
    kind: Kind, app: Path, tmp_path: Path
) -> None:
    end = kind.suffix
    outside = tmp_path / f"outside{end}"
    outside.write_bytes(b"x")
    (tmp_path / f"folder{end}").mkdir()
    (app / "lookups" / f"folder{end}").mkdir()
    (app / "default" / f"own{end}").write_bytes(b"x")
    os.mkfifo(app / "lookups" / f"pipe{end}")
    links = {
        "out": outside, "zero": "/dev/zero", "circle": app / "lookups" / f"circle{end}", "up": tmp_path,
        "nothing": tmp_path / "nothing", "other": app / "lookups" / "plain.txt",
    }  # fmt: skip
    for name, goal in links.items():
        (app / "lookups" / f"{name}{end}").symlink_to(goal)
    (app / "lookups" / "plain.txt").write_bytes(b"x")
    with open(app / "lookups" / f"large{end}", "wb") as large:
        large.truncate(kind.most_bytes + 1)
    asked = [
        str(outside), str(tmp_path / f"none{end}"), str(tmp_path / f"folder{end}"), "/dev/zero", "/etc/passwd",
        f"/dev/zero/../../{end}", f"../../../../../outside{end}", f"../default/own{end}", f"../lookups/../{end}",
        f"none{end}", f"folder{end}", f"pipe{end}", f"large{end}", "plain.txt", end, "", ".", "..", "/", f"a\0b{end}",
        f"\ud800{end}", "x" * 5000 + end, "/".join("x" * 3000) + end, f"\\\\host\\share\\x{end}", f"//host/share/x{end}",
        f"C:\\x{end}", f"file:///etc/x{end}", f"~/x{end}", f"$HOME/x{end}", f"/proc/self/fd/0{end}",
        str(app) + f"x/lookups/a{end}", str(app / "lookups") + f"x{end}", *(f"{name}{end}" for name in links),
        str(app / "lookups" / ".." / ".." / f"x{end}"),
    ]  # fmt: skip
    said = {refusal(kind, text) for text in asked}
    assert len(said) == 1, said
    assert kind.rule in said.pop()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused_as_one_that_is_not_there(app: Path) -> None:
    file = app / "lookups" / "mine.csv"
    file.write_bytes(b"x")
    file.chmod(0)
    assert refusal(SUFFIXES, "mine.csv") == refusal(SUFFIXES, "none.csv")


def test_only_the_very_file_that_is_set_may_lie_elsewhere(app: Path, tmp_path: Path) -> None:
    geo = tmp_path / "geo"
    geo.mkdir()
    dated, current, other = geo / "2026.mmdb", geo / "current.mmdb", geo / "other.mmdb"
    dated.write_bytes(b"x")
    other.write_bytes(b"x")
    current.symlink_to(dated)
    assert find(IP_DATABASE, str(current), lambda: f" {current} ") == dated, "administrators may link"
    for asked in (str(other), str(geo / ".." / "geo" / "current.mmdb"), str(dated), ""):
        refusal(IP_DATABASE, asked, str(current))
    refusal(IP_DATABASE, "/dev/zero", "/dev/zero")
    refusal(IP_DATABASE, str(geo), str(geo))
    zero = geo / "zero.mmdb"
    zero.symlink_to("/dev/zero")
    refusal(IP_DATABASE, str(zero), str(zero))
    refusal(SUFFIXES, str(current), str(current))


def test_what_a_file_has_become_since_it_was_found_does_no_harm(app: Path) -> None:
    small = Kind("database", ".mmdb", 10)
    for name, make in {"zero": lambda p: p.symlink_to("/dev/zero"), "pipe": os.mkfifo, "folder": os.mkdir}.items():
        path = app / "lookups" / name
        make(path)
        with pytest.raises(OSError):
            read(path, small)
    path = app / "lookups" / "grown"
    path.write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="larger"):
        read(path, small)


class Watched:
    """The files that this process opens; audit hooks stay for ever, so there is one, which listens when asked to."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.listening = False
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event == "open":
            self.opened.append(str(arguments[0]))


WATCHED = Watched()


@pytest.fixture
def opened() -> Iterator[list[str]]:
    WATCHED.opened.clear()
    WATCHED.listening = True
    yield WATCHED.opened
    WATCHED.listening = False


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_no_option_of_any_command_opens_a_file_that_a_search_may_not_name(
    command: str, option: str, app: Path, tmp_path: Path, opened: list[str]
) -> None:
    """Every option, whatever it is for: one that takes a file some day is tried, too."""
    bait = tmp_path / "bait"
    bait.mkdir()
    names = [f"secret{end}" for end in ("", ".csv", ".mmdb", ".json", ".conf")]
    for name in names:
        (bait / name).write_bytes(SHIPPED_DATABASE.read_bytes()[-5000:] if name.endswith(".mmdb") else b"suffix\nx\n")
        (app / "lookups" / f"link-{name}").symlink_to(bait / name)
    os.mkfifo(app / "lookups" / "pipe.csv")
    os.mkfifo(app / "lookups" / "pipe.mmdb")
    given = [*(str(bait / name) for name in names), *(f"link-{name}" for name in names), "pipe.csv", "pipe.mmdb"]
    given += ["/dev/zero", "../../../../../bait/secret.csv", "../../../../../bait/secret.mmdb"]
    others = [argument for argument in needed(command) if not argument.startswith(f"{option}=")]
    opened.clear()
    with Workbench(tmp_path / "bench") as bench:
        for value in given:
            answers(bench, command, [*others, f"{option}={value}"])
    traces = [path for path in opened if "bait" in path or "secret" in path or "pipe" in path or path == "/dev/zero"]
    assert traces == []


def test_the_ip_database_that_is_set_is_read_and_another_is_not(tmp_path: Path) -> None:
    local, path = tmp_path / "local", tmp_path / "geo.mmdb"
    path.write_bytes(SHIPPED_DATABASE.read_bytes())
    with Workbench(tmp_path / "bench", local=local) as bench:
        args, rows = f"database={path}", [{"src_ip": "8.8.8.8"}]
        complaint = bench.complaint("cbageo", args, rows=rows)
        assert f"cbageo: database='{path}' cannot be used: it must be a readable .mmdb file" in complaint
        service = bench.service()
        service.post("configs/conf-cloud_behavior_analytics_settings/enrichment", ip_database=str(path))
        assert bench.run("cbageo", args, rows=rows)[0]["country"] == "US"
        assert bench.run("cbahealth", args, "entities=false", rows=None)
        bench.runner.splunkd_uri = ""
        assert "cannot be used" in bench.complaint("cbageo", args, rows=rows), "on an indexer nobody knows what is set"


WRITERS = ("outputlookup", "outputlookup append=true", "inputlookup", "lookup")
ELSEWHERE = ("../x.csv", "../../x.csv", "/tmp/x.csv", "a/b.csv", "a\\\\b.csv", "..csv", ".x.csv", "C:x.csv", "x\ty.csv")


@pytest.mark.parametrize(("command", "name"), list(itertools.product(WRITERS, ELSEWHERE)))
def test_the_labs_lookups_are_names_not_paths(command: str, name: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.parent.rglob("*.csv"))
    generating = "| inputlookup" if command == "inputlookup" else f"| makeresults | eval a=1 | {command}"
    last = " a" if command == "lookup" else ""
    with (
        SearchHead(APP_DIR, tmp_path / "state") as head,
        pytest.raises(LabError, match=r"is not the name of a lookup|unknown lookup"),
    ):
        head.search(f'{generating} "{name}"{last}')
    assert sorted(tmp_path.parent.rglob("*.csv")) == before
