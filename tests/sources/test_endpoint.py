"""Sysmon, Defender, CrowdStrike and CIM network events through `cba_events_endpoint`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from cba.enrich.resource import open_reader
from lab.ingest import read_events
from tests.support import sysmon

Row = dict[str, Any]
Normalise = Callable[..., list[Row]]

FIELDS = (
    "host", "process", "process_path", "fqdn", "url", "dest_ip", "identity", "identity_type", "operation", "outcome",
    "event_time", "day", "bucket", "provider", "skip_reason",
)  # fmt: skip


@pytest.fixture(scope="module", params=["json", "xml"])
def real(request: pytest.FixtureRequest, shared_data: Path, normalise: Normalise) -> list[Row]:
    """All real Sysmon events that have values, normalised from either form."""
    rows = sysmon.read_rows(shared_data)
    assert len(rows) == 9235
    return normalise("endpoint", list(sysmon.events(rows, xml=request.param == "xml")))


def test_real_sysmon_events(real: list[Row]) -> None:
    assert len(real) == 9235
    assert {row["provider"] for row in real} == {"sysmon"}
    assert Counter(row.get("skip_reason") for row in real) == {
        None: 1761,
        "no name": 5318,
        "inbound": 1384,
        "local name": 643,
        "no process": 129,
    }
    assert Counter(row["operation"] for row in real if "skip_reason" not in row) == {
        "dns query": 1681,
        "connection": 80,
    }
    hosts = Counter(row["host"] for row in real)
    assert (len(hosts), hosts["mkt01"], hosts["wecserver"]) == (20, 3554, 714)
    assert Counter(row["identity_type"] for row in real) == {"service": 7199, "user": 1491, "unknown": 545}
    assert sum("dest_ip" in row for row in real) == 7622


def test_cloud_resources_in_real_events(real: list[Row]) -> None:
    reader = open_reader()
    found = [(row, reader.lookup(row["fqdn"])) for row in real if "skip_reason" not in row]
    assert Counter(place.resource_scope for _row, place in found) == {"none": 1691, "shared": 43, "tenant": 27}
    tenants = [(row["process"], place) for row, place in found if place.resource_scope == "tenant"]
    assert len({place.resource for _process, place in tenants}) == 20
    assert Counter(process for process, _place in tenants)["msmpeng.exe"] == 15
    assert {place.resource for process, place in tenants if process == "waappagent.exe"} == {
        "rdfepirv2bl2prdstr02.blob.core.windows.net"
    }


def test_xml_gives_the_same_as_json(shared_data: Path, normalise: Normalise) -> None:
    rows = sysmon.read_rows(shared_data)[::7]
    as_xml, as_json = (
        Counter(
            tuple(row.get(name) for name in FIELDS) for row in normalise("endpoint", list(sysmon.events(rows, xml)))
        )
        for xml in (True, False)
    )
    assert as_xml == as_json


def test_crowdstrike_samples(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    """Their tool wraps FDR's events; FDR itself writes what is in `event`. None of them names its process."""
    raw = [log.get("event", log) for log in samples("Crowdstrike.FDREvent") + samples("Crowdstrike.DNSRequest")]
    rows = normalise("endpoint", raw, "crowdstrike:events:sensor")
    wanted = [e for e in raw if e.get("event_simpleName") in ("DnsRequest", "NetworkConnectIP4")]
    assert len(rows) == len(wanted) == 10
    assert Counter(row.get("fqdn") for row in rows) == Counter(
        e["DomainName"].rstrip(".").lower() if "DomainName" in e else None for e in wanted
    )
    assert {row["skip_reason"] for row in rows} == {"no process"}


def test_defender_samples_are_other_tables(samples: Callable[[str], list[Row]], normalise: Normalise) -> None:
    raw = samples("MicrosoftDefenderXDR.AdvancedHunting")
    assert normalise("endpoint", raw, "mscs:azure:eventhub:defender:advancedhunting") == []


def test_files_become_events_of_their_product(tmp_path: Path) -> None:
    lines = [
        '{"EventID":3,"UtcTime":"2024-01-01 00:00:01.5","@timestamp":"2024-01-01T09:00:00Z"}',
        '{"winlog":{"event_id":22,"event_data":{"UtcTime":"2024-01-01 00:00:02"}}}',
        '{"category":"AdvancedHunting-DeviceNetworkEvents","time":"2024-01-01T01:00:00Z",'
        '"properties":{"ActionType":"ConnectionSuccess","Timestamp":"2024-01-01T00:00:03Z"}}',
        '{"ActionType":"ConnectionSuccess","TimeGenerated":"2024-01-01T00:00:04Z"}',
        '{"event_simpleName":"DnsRequest","ContextTimeStamp":"1704067205.000","timestamp":"1704067205000"}',
        '{"process_name":"a","dest":"b.example.com","_time":1704067206}',
        '{"process_name":"no time"}',
    ]
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join(lines))
    problems: list[Any] = []
    events = list(read_events("endpoint", [file], on_problem=problems.append))
    assert [(event.sourcetype, event.time - 1704067200) for event in events] == [
        ("sysmon:json", 1.5),
        ("sysmon:json", 2.0),
        ("mscs:azure:eventhub:defender:advancedhunting", 3.0),
        ("mscs:azure:eventhub:defender:advancedhunting", 4.0),
        ("crowdstrike:events:sensor", 5.0),
        ("cba:endpoint", 6.0),
    ]
    assert [problem.line for problem in problems] == [7]
