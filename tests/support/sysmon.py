"""The real Sysmon events of shared/data, which lie there in a short form, as Windows and log shippers write them.

The short form (src, EventID, time, host, Image, User, dip, dhost, dport, q, qr, init) keeps the values of the fields the
app reads, entities included; only the names are put back here. Seven events without any value are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator
from xml.sax.saxutils import escape, unescape

from lab.events import Event
from lab.logtime import parse_time

FILE = Path("endpoint") / "sysmon_eid3_22_otrf.jsonl"
NAMES = {
    "time": "UtcTime",
    "Image": "Image",
    "User": "User",
    "init": "Initiated",
    "dip": "DestinationIp",
    "dhost": "DestinationHostname",
    "dport": "DestinationPort",
    "q": "QueryName",
    "qr": "QueryResults",
}
Row = dict[str, Any]


def read_rows(shared_data: Path) -> list[Row]:
    """The events in their short form, in the order of the file."""
    lines = (shared_data / FILE).read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["time"] is not None]
    for row in rows:
        if isinstance(row["host"], dict):  # Winlogbeat's
            row["host"] = row["host"]["name"]
    return rows


def data(row: Row) -> dict[str, str]:
    """Sysmon's own fields of an event; what it does not have is left out."""
    return {name: unescape(row[short]) for short, name in NAMES.items() if row[short] is not None}


def as_json(row: Row) -> str:
    """As NXLog and HELK write it: one flat object."""
    flat = {"EventID": row["EventID"], "Hostname": row["host"], "SourceName": "Microsoft-Windows-Sysmon"}
    return json.dumps({**flat, **data(row)})


def as_xml(row: Row) -> str:
    """As Windows renders it, and Splunk's universal forwarder sends it with renderXml."""
    values = "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in data(row).items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'/>"
        f"<EventID>{row['EventID']}</EventID><Version>5</Version><Level>4</Level>"
        "<Channel>Microsoft-Windows-Sysmon/Operational</Channel>"
        f"<Computer>{row['host']}</Computer></System><EventData>{values}</EventData></Event>"
    )


def events(rows: list[Row], xml: bool) -> Iterator[Event]:
    """The events for the lab's store, at their own times."""
    for row in rows:
        time = parse_time(row["time"])
        assert time is not None
        kind = "XmlWinEventLog" if xml else "sysmon:json"
        yield Event(time, time, "main", kind, "sysmon", "collector", as_xml(row) if xml else as_json(row))
