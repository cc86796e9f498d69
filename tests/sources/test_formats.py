"""Logs that are no JSON: what becomes of Sysmon's XML and text and of Purview's CSV, as events and as fields."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.events import Event
from lab.formats import Document, Trouble, read_xml
from lab.ingest import Problem, read_events
from lab.replay import APP_DIR, main
from lab.searchhead import SearchHead

XMLNS = "xmlns='http://schemas.microsoft.com/win/2004/08/events/event'"
USER = r"EXAMPLE\ann"
TIME = 1_767_340_800.25
"""2026-01-02 08:00:00.250"""


def xml(number: int = 7, code: int = 22, user: str = USER) -> str:
    return (
        f"<Event {XMLNS}><System><Provider Name='Microsoft-Windows-Sysmon' Guid='{{0}}'/><EventID>{code}</EventID>"
        "<TimeCreated SystemTime='2026-01-02T08:00:09.000000000Z'/>"
        f"<EventRecordID>{number}</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel>"
        "<Computer>pc01.example.com</Computer></System><EventData><Data Name='UtcTime'>2026-01-02 08:00:00.250</Data>"
        "<Data Name='QueryName'>files.s3.amazonaws.com</Data><Data Name='QueryStatus'>0</Data>"
        "<Data Name='QueryResults'>52.216.1.1;</Data><Data Name='Image'>C:\\Windows\\System32\\rundll32.exe</Data>"
        f"<Data Name='User'>{user}</Data></EventData></Event>"
    )


def text(number: int = 7) -> str:
    return f"""01/02/2026 08:00:09 AM
LogName=Microsoft-Windows-Sysmon/Operational
SourceName=Microsoft-Windows-Sysmon
EventCode=22
EventType=4
ComputerName=pc01.example.com
User=NOT_TRANSLATED
RecordNumber={number}
Message=Dns query:
RuleName: -
UtcTime: 2026-01-02 08:00:00.250
QueryName: files.s3.amazonaws.com
QueryStatus: 0
QueryResults: 52.216.1.1;
Image: C:\\Windows\\System32\\rundll32.exe
User: {USER}
"""


PRETTY = xml().replace("><", ">\n  <").replace(">\n  </Data>", "></Data>")
LINUX = xml().replace("Microsoft-Windows-Sysmon' Guid", "Linux-Sysmon' Guid")
AUDIT = {
    "CreationTime": "2026-01-02T08:00:00",
    "Operation": "FileAccessed",
    "UserId": "ann@example.com",
    "Note": 'a "b"\nc',
}


def read(folder: Path, name: str, content: str | bytes, source: str) -> tuple[list[Event], list[Problem]]:
    problems: list[Problem] = []
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_events(source, [folder / name], on_problem=problems.append)), problems


@pytest.mark.parametrize(
    "content",
    [
        f"{xml()}\n{xml()}\n",
        f"{xml()}\r\n\r\n{xml()}\r\n",
        xml() + xml(),
        f"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<Events>{xml()}{xml()}</Events>",
        f"<Events>\n{PRETTY}\n{PRETTY}\n</Events>",
        f"\ufeff{xml()}\n{xml()}",
        f"{xml()}\n{xml()}".encode("utf-16"),
        gzip.compress(f"{xml()}\n{xml()}".encode()),
    ],
)
def test_sysmon_as_xml(content: str | bytes, tmp_path: Path) -> None:
    events, problems = read(tmp_path, "x.xml", content, "endpoint")
    assert [(e.time, e.sourcetype, e.raw) for e in events] == [(TIME, "XmlWinEventLog", xml())] * 2
    assert problems == []


def test_sysmon_of_linux_from_syslog(tmp_path: Path) -> None:
    (event,), _ = read(tmp_path, "syslog.log", f"Jan  2 08:00:00 host sysmon: {LINUX}\n", "endpoint")
    assert (event.raw, event.sourcetype) == (LINUX, "sysmon:linux")


def test_xml_that_breaks_off_or_has_no_time(tmp_path: Path) -> None:
    timeless = f"<Event {XMLNS}><System/></Event>"
    content = "\n".join([xml(), xml()[:300], xml(), timeless, xml()[:200]])
    events, problems = read(tmp_path, "x.xml", content, "endpoint")
    assert len(events) == 2
    assert [(p.line, p.reason.split(":")[0]) for p in problems] == [
        (2, "an <Event> that does not end"), (4, "no event time"), (5, "an <Event> that does not end"),
    ]  # fmt: skip


def test_an_event_without_measure_is_left_out(tmp_path: Path) -> None:
    long = xml(user="x" * 3_000_000)
    events, problems = read(tmp_path, "x.xml", f"{xml()}\n{long}\n{long[:-8]}\n", "endpoint")
    assert len(events) == 1
    assert [p.line for p in problems] == [2, 3] and "more than 1 MB" in problems[0].reason


def test_other_xml(tmp_path: Path) -> None:
    assert read(tmp_path, "x.xml", "<html>\n</html>", "endpoint")[1][0].reason == "XML without an <Event>"


@given(st.lists(st.integers(1, 60), max_size=80))
def test_wherever_the_file_is_cut_into_chunks(sizes: list[int]) -> None:
    data = f"<Events>\nä{xml()}\n\n{xml()[:90]}\n{PRETTY}</Events>".encode()
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    found = list(read_xml([*chunks, data[at:]]))
    assert found == list(read_xml([data]))
    assert [(type(each), each.line) for each in found] == [(Document, 2), (Trouble, 4), (Document, 5)]


@pytest.mark.parametrize("content", [text() * 2, text().replace("\n", "\r\n") * 2, (text() * 2).encode("utf-16")])
def test_sysmon_as_text(content: str | bytes, tmp_path: Path) -> None:
    events, problems = read(tmp_path, "x.log", content, "endpoint")
    assert [(e.time, e.sourcetype) for e in events] == [(TIME, "sysmon:json")] * 2
    assert problems == []
    raw = json.loads(events[0].raw)
    assert (raw["EventCode"], raw["User"], raw["EventTime"]) == ("22", USER, "01/02/2026 08:00:09 AM")


def test_text_with_the_local_time_only_and_without_any(tmp_path: Path) -> None:
    lines = text().splitlines()
    bare = [line for line in lines if not line.startswith("UtcTime")]
    events, problems = read(tmp_path, "x.log", "\n".join([*bare, *bare[1:], *lines[1:]]), "endpoint")
    assert [e.time for e in events] == [TIME + 8.75, TIME]
    assert [(p.line, p.reason[:13]) for p in problems] == [(len(bare) + 1, "no event time")]


def test_xml_and_text_have_the_same_fields(tmp_path: Path) -> None:
    wanted = "event_id host process process_path fqdn dest_ip identity operation outcome resource skip_reason provider"
    with SearchHead(APP_DIR, tmp_path / "state") as head:
        for name, content in (("x.xml", xml()), ("y.log", text())):
            head.events.add(read(tmp_path, name, content, "endpoint")[0])
        found = head.search(f"`cba_events_endpoint` | table {wanted}").rows
    assert len(found) == 2 and found[0] == found[1]
    assert {k: v for k, v in found[0].items() if v is not None} == {
        "event_id": f"pc01.example.com:7:{int(TIME)}", "host": "pc01", "process": "rundll32.exe",
        "process_path": r"C:\Windows\System32\rundll32.exe", "fqdn": "files.s3.amazonaws.com", "dest_ip": "52.216.1.1",
        "identity": USER.lower(), "operation": "dns query", "outcome": "success", "provider": "sysmon",
        "resource": "files.s3.amazonaws.com",
    }  # fmt: skip


def audit_csv(mark: str = ",", before: str = "") -> str:
    cell = json.dumps(AUDIT).replace('"', '""')
    return f'{before}RecordType{mark}CreationDate{mark}AuditData\n15{mark}"1/2/2026 8:00:00 AM"{mark}"{cell}"\n'


@pytest.mark.parametrize(
    "content",
    [
        audit_csv(),
        audit_csv().replace("\n", "\r\n"),
        audit_csv(";"),
        audit_csv(before="#TYPE Selected.System.Management.Automation.PSCustomObject\n"),
        "\ufeff" + audit_csv(),
        audit_csv().encode("utf-16"),
        gzip.compress(audit_csv().encode()),
        json.dumps([{"RecordType": 15, "CreationDate": "/Date(1)/", "AuditData": json.dumps(AUDIT)}]),
    ],
)
def test_purviews_export(content: str | bytes, tmp_path: Path) -> None:
    (event,), problems = read(tmp_path, "x.csv", content, "m365")
    assert (json.loads(event.raw), problems) == (AUDIT, [])
    assert (event.time, event.sourcetype) == (int(TIME), "o365:management:activity")


def test_cells_that_are_broken_or_of_several_lines(tmp_path: Path) -> None:
    good = json.dumps(AUDIT).replace('"', '""')
    rows = ["Note,AuditData", '"two\nlines",oops', "", "short", f'x,"{good}"', 'y,"[1]"', f'z,"{good}"', 'open,"']
    events, problems = read(tmp_path, "x.csv", "\n".join(rows), "m365")
    assert len(events) == 2
    assert [p.line for p in problems] == [2, 5, 7, 9]
    assert {p.reason for p in problems} == {"AuditData is not a JSON object"}


def test_a_cell_longer_than_pythons_limit(tmp_path: Path) -> None:
    long = {**AUDIT, "Long": "x" * 500_000}
    cell = json.dumps(long).replace('"', '""')
    (event,), _ = read(tmp_path, "x.csv", f'AuditData\n"{cell}"', "m365")
    assert json.loads(event.raw) == long


@pytest.mark.parametrize(
    ("source", "content", "said"),
    [
        ("aws", "Event name,Event time\nListBuckets,2026-01-01", ["not JSON", "aws logs are read as JSON"]),
        ("m365", "Date,User\n1,ann", ["not JSON", "CSV with its column AuditData"]),
        ("endpoint", "Level,Date and Time\nInformation,1/2/2026", ["not JSON", "Sysmon as XML"]),
        ("endpoint", b"ElfFile\0\0\0", ["a binary event log (.evtx): export it as XML", "endpoint logs are read as"]),
        ("gws", b"PK\x03\x04zip", ["a zip archive: unpack it first", "gws logs are read as JSON"]),
    ],
)
def test_what_cannot_be_read_says_what_can(
    source: str, content: Any, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main(["--source", source, str(file)]) == 1
    error = capsys.readouterr().err
    assert [each for each in said if each not in error] == []


def test_what_has_the_right_form_is_not_told_of_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.jsonl").write_text('{"eventTime": "1970-01-01T00:00:00Z"}\n{}\n')
    assert main(["--source", "aws", str(tmp_path / "x.jsonl"), str(tmp_path / "missing")]) == 1
    assert "are read as" not in capsys.readouterr().err


def test_a_folder_has_the_files_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(xml())
    (tmp_path / "b.csv").write_text(audit_csv())
    for source, name in (("endpoint", "a.xml"), ("m365", "b.csv")):
        (event,) = read_events(source, [tmp_path])
        assert Path(event.source).name == name
    problems: list[Problem] = []
    assert list(read_events("aws", [tmp_path], on_problem=problems.append)) == []
    assert problems[0].reason == "no .json, .jsonl, .ndjson or .log file (plain or .gz) in this folder"
