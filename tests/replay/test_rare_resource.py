"""`process_rare_cloud_resource` end to end: raw events of every product, and real ones, through the shipped search."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

import pytest

from cba.terms import SECONDS_PER_DAY
from lab import export
from lab.events import Event
from lab.logtime import parse_time
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead
from tests.replay.shipped import judge_at_once, judges
from tests.scenarios.scenario import FIRST_DAY, Scenario, load
from tests.support import sysmon
from tests.support.pipeline import Seen

SCENARIOS = load("process_rare_cloud_resource")
Finding = dict[str, Any]
Raw = tuple[str, str]


def findings_of(events: Iterable[Event], folder: Path) -> list[Finding]:
    """What one run of the shipped search over everything raises."""
    with SearchHead(APP_DIR, folder) as head:
        head.events.add(events)
        last = head.events.last_time()
        assert last is not None
        judge_at_once(head, "endpoint", last + 2 * SECONDS_PER_DAY)
        return export.records(head.kv.collection("cba_findings").find())


def findings_day_by_day(events: Iterable[Event], folder: Path) -> list[Finding]:
    """What the scheduled search raises, run once a day."""
    with SearchHead(APP_DIR, folder) as head:
        head.events.add(events)
        return replay(head, "1d", enable=judges("endpoint"))


# --- The scenarios, as every product would log them -------------------------------------------------------------------


def url_of(seen: Seen) -> str:
    """What a process asks for; what gets nowhere in a scenario is an endpoint that every customer of the cloud shares."""
    return seen.fields.get("resource", "s3.eu-west-1.amazonaws.com")


def name_of(seen: Seen) -> str:
    """The same as a name, a bucket by its region's endpoint."""
    return url_of(seen).replace(".s3.amazonaws.com", ".s3.eu-west-1.amazonaws.com")


def machine(seen: Seen) -> str:
    return f"{seen.fields['host'].upper()}.corp.example.com"


def image(seen: Seen) -> str:
    """The process in whatever case its start had."""
    name = seen.fields["process"]
    return name.upper() if seen.time % 2 else name.capitalize()


def fails(seen: Seen) -> bool:
    return seen.field("outcome") != "success"


def sysmon_row(seen: Seen) -> sysmon.Row:
    row = dict.fromkeys(sysmon.NAMES)
    row |= {
        "EventID": 22,
        "host": machine(seen),
        "Image": f"C:\\Tools\\{image(seen)}",
        "q": name_of(seen),
        "qr": "::ffff:203.0.113.9;",
    }
    return {**row, "User": "CORP\\ann", "time": str(seen.time)}


def as_sysmon_json(seen: Seen) -> Raw:
    return "sysmon:json", json.dumps(
        {**json.loads(sysmon.as_json(sysmon_row(seen))), "QueryStatus": 9003 * fails(seen)}
    )


def as_sysmon_xml(seen: Seen) -> Raw:
    status = f"<Data Name='QueryStatus'>{9003 * fails(seen)}</Data></EventData>"
    return "XmlWinEventLog", sysmon.as_xml(sysmon_row(seen)).replace("</EventData>", status)


def as_defender(seen: Seen) -> Raw:
    bucket, suffix, _rest = url_of(seen).partition(".s3.amazonaws.com")
    properties = {
        "DeviceName": machine(seen), "DeviceId": "d", "ReportId": seen.event_id, "Timestamp": seen.time,
        "ActionType": "ConnectionFailed" if fails(seen) else "ConnectionSuccess",
        # A bucket in the path of the shared endpoint.
        "RemoteUrl": f"https://s3.amazonaws.com/{bucket}/key?x=y" if suffix else url_of(seen),
        "RemoteIP": "203.0.113.9", "InitiatingProcessFileName": image(seen), "InitiatingProcessAccountUpn": "ann@example.com",
    }  # fmt: skip
    raw = {"category": "AdvancedHunting-DeviceNetworkEvents", "properties": properties}
    return "mscs:azure:eventhub:defender:advancedhunting", json.dumps(raw)


def as_crowdstrike(seen: Seen) -> Raw:
    raw = {
        "event_simpleName": "DnsRequest", "aid": "a", "id": seen.event_id, "ComputerName": seen.fields["host"].upper(),
        "ContextBaseFileName": image(seen), "DomainName": f"{name_of(seen)}.", "QueryStatus": str(9003 * fails(seen)),
    }  # fmt: skip
    return "crowdstrike:events:sensor", json.dumps(raw)


def as_cim(seen: Seen) -> Raw:
    raw = {
        "dvc": machine(seen), "process_name": image(seen), "dest": name_of(seen), "dest_ip": "203.0.113.9",
        "action": "blocked" if fails(seen) else "allowed", "id": seen.event_id,
    }  # fmt: skip
    return "cba:endpoint", json.dumps(raw)


PRODUCTS: dict[str, Callable[[Seen], Raw]] = {
    "sysmon json": as_sysmon_json,
    "sysmon xml": as_sysmon_xml,
    "defender": as_defender,
    "crowdstrike": as_crowdstrike,
    "cim": as_cim,
}


def events_of(scenario: Scenario, product: Callable[[Seen], Raw]) -> Iterator[Event]:
    for seen in scenario.events:
        kind, raw = product(seen)
        yield Event(seen.time, seen.time + 300, "main", kind, "test", "collector", raw)


def check(scenario: Scenario, findings: list[Finding]) -> None:
    today = datetime.datetime.fromtimestamp(scenario.today * SECONDS_PER_DAY, datetime.timezone.utc).isoformat()[:10]
    assert [(f["variation"], f["key"], str(f["count"])) for f in findings if f["first_time"] >= today] == [
        (e.variation, [e.fields[name] for name in ("host", "process", "resource")], e.states.get("count", "1"))
        for e in scenario.raises
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_from_raw_logs(scenario: Scenario, tmp_path: Path) -> None:
    check(scenario, findings_of(events_of(scenario, as_sysmon_json), tmp_path))


TOLD = ("base,", "variation 0", "variation 1", "variation 2", "near-miss, shared endpoints", "near-miss, an updater")
OF_EVERY_PRODUCT = [scenario for scenario in SCENARIOS if scenario.name.startswith(TOLD)]


@pytest.mark.parametrize("product", [name for name in PRODUCTS if name != "sysmon json"])
@pytest.mark.parametrize("scenario", OF_EVERY_PRODUCT, ids=lambda scenario: scenario.name)
def test_from_raw_logs_of_every_product(scenario: Scenario, product: str, tmp_path: Path) -> None:
    check(scenario, findings_of(events_of(scenario, PRODUCTS[product]), tmp_path))


# --- Real logs --------------------------------------------------------------------------------------------------------

TODAY = FIRST_DAY + 40
DEFENDER = r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2009.7-0\MsMpEng.exe"
EVERYBODYS = "img-prod-cms-rt-microsoft-com.akamaized.net"
"""Real events contact it, too: with four processes on three hosts."""


def asked(day: int, host: str, process: str, name: str) -> sysmon.Row:
    row = dict.fromkeys(sysmon.NAMES)
    return {**row, "EventID": 22, "host": host, "Image": process, "q": name, "at": day * SECONDS_PER_DAY + 43_200}


def history_of(hosts: Iterable[str]) -> Iterator[sysmon.Row]:
    """Forty days of the same machines: all of them update from one place, two have an antivirus with places of its own."""
    for day in range(FIRST_DAY, TODAY):
        for host in hosts:
            yield asked(day, host, r"C:\Windows\System32\BackgroundTransferHost.exe", EVERYBODYS)
        yield asked(day, "WORKSTATION5.theshire.local", DEFENDER, "definitions.blob.core.windows.net")
        yield asked(day, "IT01.pandalab.com", DEFENDER, "definitions.azureedge.net")


def real_events(shared_data: Path, xml: bool) -> Iterator[Event]:
    """The real events, of years and laboratories apart, at their times of day but all on one day, after the history."""
    rows = sysmon.read_rows(shared_data)
    for row in rows:
        time = parse_time(row["time"])
        assert time is not None
        row["at"] = TODAY * SECONDS_PER_DAY + time % SECONDS_PER_DAY
    kind = "XmlWinEventLog" if xml else "sysmon:json"
    for row in [*history_of(sorted({row["host"] for row in rows})), *rows]:
        raw = sysmon.as_xml(row) if xml else sysmon.as_json(row)
        yield Event(row["at"], row["at"], "main", kind, "sysmon", "collector", raw)


def test_real_sysmon_events(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """27 of 9,235 events contact a tenant's resource, 20 different ones. Six contact the one that every host knows and
    are silent, whatever the process; each of the others is raised."""
    folder = shared("endpoint").parent
    as_json = findings_day_by_day(real_events(folder, xml=False), tmp_path / "json")
    as_xml = findings_of(real_events(folder, xml=True), tmp_path / "xml")
    told = ("variation", "key", "count", "first_time", "explanation", "evidence", "identity")
    assert [[f[name] for name in told] for f in as_xml] == [[f[name] for name in told] for f in as_json]

    assert Counter(finding["variation"] for finding in as_json) == {"v1": 14, "v2": 3, "v0": 3, "base": 1}
    assert all(finding["count"] == 1 for finding in as_json)
    of = {
        variation: [f["key"] for f in as_json if f["variation"] == variation]
        for variation in ("base", "v0", "v1", "v2")
    }
    # The antivirus of workstation5 contacts storage accounts every day, but not this one.
    assert of["base"] == [["workstation5", "msmpeng.exe", "officehomeblobs.blob.core.windows.net"]]
    # Antivirus and azureedge.net is what only another host does.
    assert sorted(of["v2"]) == [
        ["workstation5", "msmpeng.exe", f"{name}.azureedge.net"]
        for name in ("bingretailmsndata", "fp-vp", "fp-vs-nocache")
    ]
    assert sorted(of["v0"]) == [
        ["desktop-cqf82l6", "msedge.exe", "img-s-msn-com.akamaized.net"],
        ["workstation5", "microsoftedgecp.exe", "img-s-msn-com.akamaized.net"],
        ["workstation5", "microsoftedgecp.exe", "static-spartan-eus-s-msn-com.akamaized.net"],
    ]
    # The Azure guest agent's status disk (md-….blob.core.windows.net) is nobody's.
    assert Counter(process for _host, process, _resource in of["v1"]) == {
        "msmpeng.exe": 10,
        "searchui.exe": 2,
        "waappagent.exe": 1,
        "networkwatcheragent.exe": 1,
    }
    assert EVERYBODYS not in {resource for _host, _process, resource in map(tuple, (f["key"] for f in as_json))}


def test_crowdstrike_samples(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """One asks for a CloudFront distribution, and none names its process, so none is judged. Copies that do are raised,
    unless the name did not resolve."""
    lines = shared("samples/Crowdstrike.FDREvent.jsonl").read_text("utf-8").splitlines()
    logs = [log.get("event", log) for log in (json.loads(line)["log"] for line in lines)]
    samples = [log for log in logs if log.get("event_simpleName") == "DnsRequest"]
    scenario = next(scenario for scenario in SCENARIOS if scenario.name.startswith("base,"))
    past = [event for event in events_of(scenario, as_crowdstrike) if event.time < TODAY * SECONDS_PER_DAY]

    def raised(logs: list[dict[str, Any]], folder: str) -> list[list[str]]:
        time = TODAY * SECONDS_PER_DAY + 43_200
        today = [Event(time, time, "main", "crowdstrike:events:sensor", "s", "c", json.dumps(log)) for log in logs]
        return [finding["key"] for finding in findings_of([*past, *today], tmp_path / folder)]

    assert raised(samples, "as they are") == []
    (distribution,) = [log for log in samples if log.get("DomainName", "").endswith(".cloudfront.net.")]
    unresolved = next(log for log in samples if log.get("QueryStatus") == "9003")
    whose = {"ContextBaseFileName": "Loader", "ComputerName": "WS1"}
    modified = [{**distribution, **whose}, {**unresolved, **whose, "DomainName": "x.cloudfront.net."}]
    assert raised([*samples, *modified], "modified") == [["ws1", "loader", distribution["DomainName"].rstrip(".")]]
