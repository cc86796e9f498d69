"""The links of the docs lead somewhere: files, and headings within them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest
from guide import anchor

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|^ {4}[^\n]*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {anchor(heading) for heading in headings}


def links(page: Path) -> Iterator[str]:
    for target in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if not re.match(r"https?:|mailto:", target):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _hash, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} is missing"
        assert not anchor or anchor in anchors(found), f"{target}: no such heading"


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        todo += [(page.parent / target.partition("#")[0]).resolve() for target in links(page) if ".md" in target]
    assert set(PAGES) - reached == {ROOT / "CHANGELOG.md"}
