"""Sysmon's network connections (event 3) and DNS queries (event 22), as NXLog sends them in JSON.

Shapes: https://learn.microsoft.com/sysinternals/downloads/sysmon and
https://docs.nxlog.co/integrate/sysmon.html
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .template import MILLISECONDS, Stream, Template, delays

STREAM = Stream(
    source_kind="endpoint",
    index="endpoint",
    sourcetype="sysmon:json",
    source="nxlog",
    host="wec-01",
    delays=delays(20, 0.7, late_share=0.01, late=(600, 5400)),  # laptops that were asleep
    fractions=MILLISECONDS,
)


@dataclasses.dataclass(frozen=True)
class Program:
    """A program by the path of its file."""

    path: str

    @property
    def process(self) -> str:
        """Its name, as the app has it."""
        return self.path.rsplit("\\", 1)[-1].lower()


@dataclasses.dataclass(frozen=True)
class Contact:
    """A program reaches for a name: `query` asks the DNS for it, else it connects; `inbound`: somebody connects to it;
    `status` other than 0: the name did not resolve."""

    program: Program
    name: str
    query: bool = False
    inbound: bool = False
    status: int = 0


def template(host: str, user: str, contact: Contact) -> Template:
    """The event of `contact` on a host."""
    event: dict[str, Any] = {
        "EventTime": "@@W@@",
        "Hostname": host,
        "EventID": 22 if contact.query else 3,
        "SourceName": "Microsoft-Windows-Sysmon",
        "ProviderGuid": "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "RecordNumber": "@@#N@@",
        "RuleName": "-",
        "UtcTime": "@@W@@",
        "ProcessGuid": "{@@A@@}",
        "ProcessId": "4711",
        "Image": contact.program.path,
        "User": user,
    }
    if contact.query:
        answer = "" if contact.status else "::ffff:203.0.113.80;"
        event |= {"QueryName": contact.name, "QueryStatus": str(contact.status), "QueryResults": answer}
    else:
        event |= {
            "Protocol": "tcp",
            "Initiated": "false" if contact.inbound else "true",
            "SourceIsIpv6": "false",
            "SourceIp": "@@I@@",
            "SourceHostname": host,
            "SourcePort": "52114",
            "DestinationIsIpv6": "false",
            "DestinationIp": "203.0.113.80",
            "DestinationHostname": contact.name,
            "DestinationPort": "443",
            "DestinationPortName": "https",
        }
    return Template.of(STREAM, event)
