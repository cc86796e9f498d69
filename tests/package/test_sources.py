"""The generator of sources: every fault at once with file, line and field, and bounded searches."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sources
from sources.paths import Path as RawPath
from sources.paths import parse_path

from lab.conf import load_app
from lab.spl.evalcompile import evaluate_text
from lab.spl.macros import expand

APP = Path(__file__).resolve().parents[2]
LONGEST = 20_000


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(APP / "content", tmp_path / "content")
    return tmp_path


def test_all_faults_are_told_at_once(copy: Path) -> None:
    file = copy / "content/sources/m365/source.yml"
    text = file.read_text(encoding="utf-8")
    broken = (
        ("  operation: Operation\n", "  operation: [Operation, =nowhere]\n"),
        ("UserAgent, ClientInfoString", "UserAgent.., ClientInfoString"),
        ("address: first", "address: middle"),
        ("lower: true, absent: [not", "loud: true, absent: [not"),
    )
    for right, wrong in broken:
        assert right in text
        text = text.replace(right, wrong)
    file.write_text(text, encoding="utf-8")
    (copy / "content/sources/gws/source.yml").write_text("source: gws\n about: [", encoding="utf-8")
    with pytest.raises(sources.Faults) as told:
        sources.files(copy)
    faults = [(fault.file.split("/")[-2], fault.field, fault.line > 0) for fault in told.value.faults]
    assert faults == [
        ("m365", "cba_user", True), ("m365", "operation", True), ("m365", "user_agent", True), ("m365", "src_ip", True),
        ("gws", "(file)", True),
    ]  # fmt: skip
    assert "'nowhere' is no field made above" in str(told.value)


def test_the_file_is_what_the_content_says() -> None:
    made = sources.files(APP)
    assert {name: (APP / name).read_text(encoding="utf-8") for name in made} == made
    assert made["default/macros.conf"].startswith("# Generated")


@pytest.mark.parametrize("source", [source.name for source in sources.read(APP)[1]])
def test_no_search_is_too_long(source: str) -> None:
    app = load_app(APP)
    search = app.stanza("savedsearches", f"CBA - {source} - Judge").get("search")
    assert len(expand(search, app, evaluate_text).text) <= LONGEST


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b", RawPath("a.b", "a.b")),
        ("a{0}.b", RawPath("a{0}.b", "a{0}.b")),
        ("a{}", RawPath("a{}", "a", rest="{}", all_members=True)),
        ("a.b{}.c.d", RawPath("a.b{}.c.d", "a.b", rest="{}.c.d", all_members=True)),
        ('a."x.y/z"', RawPath('a."x.y/z"', "a", dotted="x.y/z")),
        ('"k.c".d', RawPath('"k.c".d', "", dotted="k.c", rest="d")),
    ],
)
def test_paths(text: str, path: RawPath) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", 'a."b', "a{x}", 'a."b.c"{}'])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError):
        parse_path(text)
