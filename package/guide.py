"""appserver/static/guide/: the user's documents and the detections' pages as HTML, so that Splunk itself serves them.

    /static/app/cloud_behavior_analytics/guide/user-guide.html
    /static/app/cloud_behavior_analytics/guide/detections/cloud_unusual_country.html

The files of docs/ are what is written; links between them are kept, links to what does not ship become plain text, and
pictures are left out. guide.css beside them is written by hand.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import Iterator, Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = "appserver/static/guide"
PAGES = (
    "user-guide", "install", "triage", "integrations", "tuning", "lists", "faq", "troubleshooting", "how-it-works",
    "sources", "cloud-resources", "serverless", "security", "performance", "glossary",
)  # fmt: skip
"""What people who use the app read, in the order in which they need it; the detections' pages come after."""

BESIDE = ("finding.schema.json", "attack-navigator-layer.json")
"""Files that other modules write beside the pages."""

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_COMMENT = re.compile(r"(?s)<!--.*?-->\n?")
_HEADING = re.compile(r"(?m)^# (.+)$")


def files(root: Path, generated: Mapping[str, str]) -> dict[str, str]:
    """Path below the root -> HTML. `generated` are the files of docs/ that are generated, as they are now."""
    texts = {name: (root / "docs" / f"{name}.md").read_text("utf-8") for name in PAGES}
    for path, text in sorted(generated.items()):
        texts[path[len("docs/") : -len(".md")]] = text
    return {f"{FOLDER}/{name}.html": _page(name, text, texts) for name, text in texts.items()}


def _page(name: str, text: str, texts: Mapping[str, str]) -> str:
    tokens = _READER.parse(_COMMENT.sub("", text))
    _give_headings_their_anchors(tokens)
    for token in tokens:
        if token.children is not None:
            token.children = list(_linked(token.children, name, texts))
    body = _READER.renderer.render(tokens, _READER.options, {})
    up = "../" * name.count("/")
    listed = "".join(f'<li><a href="{up}{each}.html">{html.escape(_title(texts[each]))}</a></li>\n' for each in texts)
    return (
        "<!DOCTYPE html>\n<!-- Generated from docs/ by ./dev generate; edit that instead. -->\n"
        f'<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(_title(text))}</title>\n'
        f'<link rel="stylesheet" href="{up}guide.css">\n</head>\n<body>\n<nav>\n<ul>\n{listed}</ul>\n</nav>\n'
        f"<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _title(text: str) -> str:
    found = _HEADING.search(text)
    return found.group(1) if found else ""


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading, which the documents' links use: lower case, no punctuation, blanks as
    hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _give_headings_their_anchors(tokens: Sequence[Token]) -> None:
    for token, inline in zip(tokens, tokens[1:]):
        if token.type == "heading_open":
            plain = "".join(each.content for each in inline.children or ())
            token.attrSet("id", anchor(plain))


def _linked(tokens: Sequence[Token], name: str, texts: Mapping[str, str]) -> Iterator[Token]:
    """The tokens of a line with links that lead somewhere."""
    dropped = False
    for token in tokens:
        if token.type == "image":
            continue
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]), name, texts)
            dropped = target is None
            if target is not None:
                token.attrSet("href", target)
                yield token
        elif token.type == "link_close":
            if not dropped:
                yield token
        else:
            yield token


def _target(link: str, name: str, texts: Mapping[str, str]) -> str | None:
    """Where a link of the document leads in the guide; None for what does not ship."""
    if re.match(r"https?:|mailto:|#", link):
        return link
    path, mark, anchor = link.partition("#")
    if path in BESIDE:
        return path
    page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if not page.endswith(".md") or page[: -len(".md")] not in texts:
        return None
    return f"{path[: -len('.md')]}.html{mark}{anchor}"
