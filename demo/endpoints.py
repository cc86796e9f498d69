"""The organization's computers: browsers, updaters, backup agents and tools, and the names in the cloud they reach for.

What everybody uses is popular after a day. What a team owns is used by two hosts at most, day after day, so that nobody
outside it may begin to without being noticed.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Iterator

from . import addresses
from .accounts import Account
from .formats import sysmon
from .formats.sysmon import Contact, Program
from .people import HOUR, Slot

LAPTOPS, SERVERS = 24, 3

_FILES = "C:\\Program Files\\"
CHROME = Program(_FILES + "Google\\Chrome\\Application\\chrome.exe")
EDGE = Program("C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe")
UPDATER = Program(_FILES + "Nordwind\\Agent\\updater.exe")
ONEDRIVE = Program(_FILES + "Microsoft OneDrive\\OneDrive.exe")
AWS_CLI = Program(_FILES + "Amazon\\AWSCLIV2\\aws.exe")
PYTHON = Program(_FILES + "Python312\\python.exe")
BACKUP = Program(_FILES + "Veeam\\Endpoint Backup\\veeam.endpoint.service.exe")
RCLONE = Program("C:\\Tools\\rclone.exe")
POWERSHELL = Program("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe")
CURL = Program("C:\\Windows\\System32\\curl.exe")

POPULAR: tuple[Contact, ...] = (
    Contact(CHROME, "d3nw1shop4x9.cloudfront.net"),
    Contact(CHROME, "nordwind-intranet.azurewebsites.net", query=True),
    Contact(CHROME, "nordwind-handbook.pages.dev"),
    Contact(EDGE, "nordwind-intranet.azurewebsites.net"),
    Contact(CHROME, "www.nordwind.example", query=True),
    Contact(CHROME, "login.microsoftonline.com"),
    Contact(UPDATER, "nordwind-updates.blob.core.windows.net"),
    Contact(ONEDRIVE, "nordwind-my.sharepoint.com", query=True),
    Contact(POWERSHELL, "www.powershellgallery.com", query=True),
)
"""What any laptop reaches for on a working day."""

TEAMS: dict[str, tuple[Contact, ...]] = {
    "nw-l03": (Contact(AWS_CLI, "nordwind-etl.s3.eu-central-1.amazonaws.com"),),
    "nw-l04": (
        Contact(AWS_CLI, "nordwind-etl.s3.eu-central-1.amazonaws.com"),
        Contact(PYTHON, "etl-state-5f2c.azurewebsites.net"),
    ),
    "nw-l09": (Contact(CHROME, "design-preview.web.app"),),
    "nw-l10": (Contact(CHROME, "design-preview.web.app", query=True),),
    "nw-s01": (Contact(BACKUP, "nordwind-backup.s3.eu-west-1.amazonaws.com"),),
    "nw-s02": (Contact(BACKUP, "nordwind-backup.s3.eu-west-1.amazonaws.com"),),
    "nw-s03": (Contact(RCLONE, "nordwindarchive.blob.core.windows.net"),),
}
"""What a team's hosts reach for beside that."""


@dataclasses.dataclass(frozen=True)
class Host:
    """A computer by its short name; a server runs at week-ends, a laptop is its `user`'s."""

    name: str
    user: str
    address: str
    server: bool = False

    @property
    def account(self) -> Account:
        """The host as one that writes log lines of its contacts."""
        full = f"{self.name.upper()}.nordwind.example"
        return Account(
            "endpoint", "-", self.user.lower(), lambda contact: sysmon.template(full, self.user, contact), self.routine
        )

    @property
    def routine(self) -> tuple[Contact, ...]:
        """Its contacts of a normal day."""
        return (*(() if self.server else POPULAR), *TEAMS.get(self.name, ()))

    def slots(self, date: datetime.date) -> Iterator[Slot]:
        """Its contacts of a day: some of the popular ones, and each of the team's."""
        if self.server:
            start, length = 0, 24 * HOUR
        elif date.weekday() >= 5:
            return
        else:
            start, length = 7 * HOUR, 9 * HOUR
        templates = ACCOUNTS[self.name].templates
        popular = 0 if self.server else len(POPULAR)
        if popular:
            yield Slot(templates[:popular], self.address, start, length, 0.5, 6)
        for template in templates[popular:]:
            yield Slot((template,), self.address, start, length, 0.1, 1)


def _hosts() -> Iterator[Host]:
    for number in range(1, LAPTOPS + 1):
        name = f"nw-l{number:02}"
        yield Host(name, f"NORDWIND\\user{number:02}", addresses.pick(addresses.PRIVATE[2], name))
    for number in range(1, SERVERS + 1):
        name = f"nw-s{number:02}"
        yield Host(name, "NT AUTHORITY\\SYSTEM", addresses.pick(addresses.PRIVATE[0], name), server=True)


HOSTS: tuple[Host, ...] = tuple(_hosts())
ADDRESS = {host.name: host.address for host in HOSTS}
ACCOUNTS: dict[str, Account] = {host.name: host.account for host in HOSTS}
