"""The guide that Splunk serves: every link of it leads to a page, a heading or the web, and Splunk's pages lead to it."""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Iterator

import generate
import guide
from archive import stage

from cba.errors import GUIDE

ROOT = Path(__file__).resolve().parents[2]
FILES = {name: text for name, text in generate.of_content(ROOT).items() if name.startswith(guide.FOLDER)}
LINK = re.compile(r' href="([^"]+)"')


def links() -> Iterator[tuple[str, str]]:
    for name, text in FILES.items():
        yield from ((name, link) for link in LINK.findall(text) if not re.match(r"https?:|mailto:", link))


def test_every_link_leads_to_a_page_and_to_a_heading_of_it() -> None:
    for name, link in links():
        path, _mark, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        assert target in FILES or (ROOT / target).is_file(), f"{name}: {link}"
        assert not anchor or f'id="{anchor}"' in FILES[target], f"{name}: {link}"


def test_it_has_a_page_of_every_detection_and_of_what_users_read() -> None:
    detections = {path.name for path in (ROOT / "content/detections").iterdir()}
    pages = {name[len(guide.FOLDER) + 1 : -len(".html")] for name in FILES if name.endswith(".html")}
    assert pages == {*guide.PAGES, *(f"detections/{name}" for name in detections)}


def test_what_a_document_says_is_text() -> None:
    made = guide.files(
        ROOT, {"docs/detections/x.md": "# <script>x</script>\n\n<b>bold</b> [a](../triage.md#x) [b](../../dev)"}
    )
    page = made[f"{guide.FOLDER}/detections/x.html"]
    main = page[page.index("<main>") :]
    assert "<script>" not in page and "<b>" not in page and "&lt;script&gt;" in main
    assert '<a href="../triage.html#x">a</a> b' in main


def test_splunk_s_pages_lead_there() -> None:
    bar = (ROOT / "default/data/ui/nav/default.xml").read_text("utf-8")
    linked = re.findall(r"/static/app/cloud_behavior_analytics/([^\"]+)", bar)
    assert linked and all((ROOT / "appserver/static" / path).is_file() for path in linked)


def test_nothing_that_ships_names_a_document_that_does_not() -> None:
    """What people read of the app: pages, confs, the guide, lookups, and what commands say. A comment in code may."""
    named = re.compile(r"(?<![\w/.-])(?:docs|package)/[\w/-]+\.(?:md|json)")
    found = []
    for name in stage.shipped(ROOT):
        if name.parts[0] == "lib" or name.name in ("CHANGELOG.md", "NOTICE") or name.suffix in (".png", ".mmdb"):
            continue
        found += [f"{name}: {document}" for said in read_by_people(ROOT / name) for document in named.findall(said)]
    assert found == []


def read_by_people(path: Path) -> list[str]:
    """The texts of a file without its comments: of Python those that are no docstrings."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return [line for line in text.splitlines() if not line.startswith("#")]
    nodes = list(ast.walk(ast.parse(text)))
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in texts if isinstance(node.value, str)]


def test_errors_and_alerts_lead_to_pages_that_are_there() -> None:
    for name in stage.shipped(ROOT):
        if name.suffix in (".py", ".conf", ".xml", ".txt"):
            text = (ROOT / name).read_text("utf-8").replace("{GUIDE}", GUIDE)
            for page in re.findall(rf"{GUIDE}/([\w/-]+\.html)", text):
                assert f"{guide.FOLDER}/{page}" in FILES, f"{name}: {page}"
