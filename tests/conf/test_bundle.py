"""The commands that run on indexers do so from what the knowledge bundle takes there, and nothing else.

https://docs.splunk.com/Documentation/Splunk/latest/Admin/Distsearchconf: in replicationAllowlist `...` is any path and
`(a|b)` one of several; confs and lookup files are among what a bundle takes by itself.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from lab.conf import AppConf, load_app
from lab.protocol import CommandRunner, SearchInfo
from lab.replay import APP_DIR

BY_ITSELF = ("default", "lookups")


def replicated(app: AppConf) -> list[str]:
    """The files of bin/ and lib/ that a pattern of distsearch.conf takes along."""
    patterns = [
        re.compile(re.escape(text).replace(r"\.\.\.", ".*").replace(r"\(", "(").replace(r"\)", ")").replace(r"\|", "|"))
        for text in app.stanzas("distsearch")["replicationAllowlist"].settings.values()
    ]
    files = [
        p for top in ("bin", "lib") for p in (APP_DIR / top).rglob("*") if p.is_file() and "__pycache__" not in p.parts
    ]
    names = [path.relative_to(APP_DIR).as_posix() for path in files]
    allowed = [name for name in names if any(p.fullmatch(f"apps/{app.name}/{name}") for p in patterns)]
    return [name for name in allowed if name not in denied(app)]


def denied(app: AppConf) -> list[str]:
    """The files that distsearch.conf leaves out of the bundle, below the app."""
    paths = app.stanzas("distsearch")["replicationDenylist"].settings.values()
    return [path.removeprefix(f"apps/{app.name}/") for path in paths]


@pytest.fixture(scope="module")
def indexer(app: AppConf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "app"
    for name in BY_ITSELF:
        shutil.copytree(APP_DIR / name, folder / name)
    for name in replicated(app):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(APP_DIR / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("command", "row", "field", "value"),
    [
        ("cbaresource", {"fqdn": "acme.s3.amazonaws.com"}, "resource_scope", "tenant"),
    ],
)
def test_on_an_indexer(
    command: str, row: dict[str, str], field: str, value: str, indexer: Path, tmp_path: Path
) -> None:
    runner = CommandRunner(load_app(indexer), mode="process", python=sys.executable, dispatch_dir=tmp_path)
    (answer,) = runner.run(command, [], [row], SearchInfo("1.1", f"| {command}"))
    assert answer[field] == value


def test_the_bundle_stays_small(app: AppConf, indexer: Path) -> None:
    """It is sent to every indexer again after each change. The IP database stays on the search head."""
    assert denied(app) == ["bin/cba/enrich/data/ip.mmdb"] and (APP_DIR / denied(app)[0]).exists()
    assert sum(path.stat().st_size for path in indexer.rglob("*") if path.is_file()) < 4_000_000


def test_what_reads_the_ip_database_runs_on_the_search_head(tmp_path: Path) -> None:
    runner = CommandRunner(load_app(APP_DIR), mode="process", python=sys.executable, dispatch_dir=tmp_path)
    assert runner.configuration("cbageo", [])["type"] == "stateful"
