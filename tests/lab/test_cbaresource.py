"""`| cbaresource` as shipped, through the lab's search head and the chunked protocol."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Iterator

import pytest

from bench.driver import Splunkd, encode, run
from lab.conf import load_app
from lab.errors import LabError
from lab.events import Event
from lab.searchhead import SearchHead

APP = Path(__file__).resolve().parents[2]
NOW = 1_700_000_000.0


@pytest.fixture(scope="module", params=["inprocess", "process"])
def head(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    with SearchHead(APP, tmp_path_factory.mktemp("state"), mode=request.param) as running:
        yield running


def rows(head: SearchHead, spl: str) -> list[dict[str, Any]]:
    return head.search(spl, now=NOW + 60).rows


def test_a_name(head: SearchHead) -> None:
    (row,) = rows(
        head, '| makeresults | eval x="MyBucket.s3.eu-west-1.amazonaws.com" | cbaresource fqdn=x | fields - _time'
    )
    assert row == {
        "x": "MyBucket.s3.eu-west-1.amazonaws.com",
        "resource": "mybucket.s3.amazonaws.com",
        "resource_suffix": "s3.amazonaws.com",
        "resource_service": "s3",
        "resource_provider": "aws",
        "resource_scope": "tenant",
    }


def test_no_row_is_dropped_and_garbage_is_none(head: SearchHead) -> None:
    spl = '| makeresults count=3 | eval x="{}\\"" | cbaresource fqdn=x'
    assert [row["resource_scope"] for row in rows(head, spl)] == ["none"] * 3


def test_beside_cbageo(head: SearchHead) -> None:
    spl = '| makeresults | eval src_ip="3.225.16.109", fqdn="a.web.app" | cbageo ip=src_ip | cbaresource'
    (row,) = rows(head, spl)
    assert (row["cloud_provider"], row["resource_provider"], row["resource"]) == ("aws", "gcp", "a.web.app")


@pytest.fixture
def lookups(head: SearchHead, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's folder lookups in the Splunk that the state folder is."""
    monkeypatch.setenv("SPLUNK_HOME", str(head.state_dir))
    folder = head.state_dir / "etc" / "apps" / head.app.name / "lookups"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_file_of_the_users_own(head: SearchHead, lookups: Path) -> None:
    file = lookups / "mine.csv"
    file.write_text("suffix,provider,service,kind,labels\napps.acme.example,acme,x,tenant,1\n")
    (row,) = rows(head, f'| makeresults | eval fqdn="a.apps.acme.example" | cbaresource suffixes="{file}"')
    assert (row["resource"], row["resource_provider"]) == ("a.apps.acme.example", "acme")


def test_a_wrong_file_ends_the_search_with_its_row_and_column(head: SearchHead, lookups: Path) -> None:
    file = lookups / "mine.csv"
    file.write_text("suffix,provider,service,kind,labels\na.example,acme,x,tenant,many\n")
    with pytest.raises(LabError, match=r"mine\.csv: row 2, column labels: 'many' is not a number"):
        rows(head, f'| makeresults | eval fqdn="a.web.app" | cbaresource suffixes="{file}"')


def test_the_lookup_has_a_definition(head: SearchHead) -> None:
    (row,) = rows(head, "| inputlookup cba_cloud_suffixes | search suffix=cloudfront.net")
    assert (row["provider"], row["kind"], row["labels"]) == ("aws", "tenant", "1")


def test_from_sysmon_to_resources(head: SearchHead) -> None:
    raw = {"EventID": 22, "Hostname": "WS5", "Image": "C:\\a\\Curl.exe", "QueryName": "d1.cloudfront.net"}
    head.events.add([Event(NOW, NOW, "main", "sysmon:json", "sysmon", "collector", json.dumps(raw))])
    spl = "search `cba_events_endpoint` | stats count BY host process fqdn | cbaresource fqdn=fqdn | table host process resource"
    assert rows(head, spl) == [{"host": "ws5", "process": "curl.exe", "resource": "d1.cloudfront.net"}]


def test_on_an_indexer_with_what_the_knowledge_bundle_has(tmp_path: Path) -> None:
    """Lookups, and the files that distsearch.conf allows; in its patterns `...` stands for any path."""
    allowed = load_app(APP).stanza("distsearch", "replicationAllowlist").settings.values()
    patterns = [
        re.compile(pattern.replace("...", ".*")) for pattern in (*allowed, "apps/cloud_behavior_analytics/lookups/...")
    ]
    for file in (path for top in ("bin", "lib", "lookups") for path in (APP / top).rglob("*.*") if path.is_file()):
        name = file.relative_to(APP).as_posix()
        if any(pattern.fullmatch(f"apps/cloud_behavior_analytics/{name}") for pattern in patterns):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tmp_path / name)
    assert {path.name for path in (tmp_path / "lib").iterdir()} == {"splunklib", "maxminddb"}
    rows = encode(["cba_place"], [{"cba_place": "a.web.app"}])
    nowhere = Splunkd("http://127.0.0.1:1", "key")
    answers = run(tmp_path / "bin" / "cbaresource.py", ["fqdn=cba_place"], rows, 1, nowhere, tmp_path).answers
    assert answers.required_fields == ("cba_place",)
    assert answers.names[:2] == ("cba_place", "resource")
