"""Stories of `process_rare_cloud_resource`: programs that reach for names in the cloud that nobody else knows."""

from __future__ import annotations

from typing import Sequence

from ..endpoints import ADDRESS, AWS_CLI, BACKUP, CHROME, CURL, ONEDRIVE, POWERSHELL, PYTHON, RCLONE
from ..formats.sysmon import Contact, Program
from ..story import ANY, Alert, Step, Story, steps_of


def resource(variation: str, host: str, program: Program, name: str, findings: int = 1) -> Alert:
    """The alert about a program on a host that reaches for a resource."""
    what = {"host": host, "process": program.process, "resource": name}
    return Alert("process_rare_cloud_resource", variation, what, findings)


def _on(host: str, *moments: tuple[int, str, Contact]) -> tuple[Step, ...]:
    return steps_of(host, ADDRESS[host], *moments)


def _again(day: int, clocks: Sequence[str], contact: Contact) -> tuple[tuple[int, str, Contact], ...]:
    return tuple((day, clock, contact) for clock in clocks)


_PHISHING = "login-nordwind-365.web.app"
_IMPLANT = "cdn-sync-91.workers.dev"
_COPY = "nwhrcopy.blob.core.windows.net"
_STOLEN = "etl-export-7731.s3.eu-central-1.amazonaws.com"

ATTACKS: tuple[Story, ...] = (
    Story(
        id="other-bucket",
        title="A data engineer's own command line copies a table into somebody else's bucket",
        account="nw-l03",
        alerts=(resource("base", "nw-l03", AWS_CLI, "etl-export-7731.s3.amazonaws.com"),),
        why="the program uses buckets every day, on this host too, but nobody has ever used this one",
        steps=_on("nw-l03", *_again(38, ("12:31:05", "12:31:40", "12:52:13"), Contact(AWS_CLI, _STOLEN))),
    ),
    Story(
        id="phishing-page",
        title="A page that asks for passwords, hosted where anybody can host pages",
        account="nw-l12",
        alerts=(resource("v0", "nw-l12", CHROME, _PHISHING),),
        why="nobody has been there, and it is a browser that goes",
        steps=_on("nw-l12", *_again(33, ("09:14:22", "09:14:23"), Contact(CHROME, _PHISHING, query=True))),
    ),
    Story(
        id="implant",
        title="An implant in PowerShell asks for orders every ten minutes, on two days",
        account="nw-l17",
        alerts=(resource("v1", "nw-l17", POWERSHELL, _IMPLANT, findings=2),),
        why="PowerShell has never been seen with this kind of cloud; one day does not make a habit",
        steps=_on(
            "nw-l17",
            *_again(36, ("13:00:11", "13:10:12", "13:20:11", "13:30:14"), Contact(POWERSHELL, _IMPLANT)),
            *_again(37, ("13:05:10", "13:15:12"), Contact(POWERSHELL, _IMPLANT, query=True)),
        ),
    ),
    Story(
        id="copied-files",
        title="The files of human resources go to a storage account of the attacker",
        account="nw-l20",
        alerts=(resource("v2", "nw-l20", RCLONE, _COPY),),
        why="the archive server uses this program with this kind of cloud, this laptop never has",
        steps=_on("nw-l20", *_again(41, ("22:15:02", "22:16:40"), Contact(RCLONE, _COPY))),
    ),
)

SURPRISES: tuple[Story, ...] = (
    Story(
        id="new-vendor",
        title="A buyer opens the portal of a new supplier",
        account="nw-l22",
        alerts=(resource("v0", "nw-l22", CHROME, "portal-kieswetter.azurewebsites.net"),),
        why="truly the first visit of anybody",
        steps=_on("nw-l22", (32, "10:05:00", Contact(CHROME, "portal-kieswetter.azurewebsites.net"))),
    ),
)

DECOYS: tuple[Story, ...] = (
    Story(
        id="shared-endpoint",
        title="PowerShell signs in to the cloud and lists buckets",
        account="nw-l17",
        alerts=(resource("", "nw-l17", POWERSHELL, ANY),),
        why="the addresses of a whole cloud belong to nobody in particular",
        steps=_on(
            "nw-l17",
            (32, "11:00:00", Contact(POWERSHELL, "login.microsoftonline.com")),
            (32, "11:00:05", Contact(POWERSHELL, "s3.eu-west-1.amazonaws.com")),
        ),
    ),
    Story(
        id="popular-program",
        title="A script on a server reads the intranet for the first time",
        account="nw-s02",
        alerts=(resource("", "nw-s02", CURL, "nordwind-intranet.azurewebsites.net"),),
        why="new to the host and to the program, but everybody knows the place",
        steps=_on("nw-s02", (34, "03:00:10", Contact(CURL, "nordwind-intranet.azurewebsites.net"))),
    ),
    Story(
        id="team-mate",
        title="A colleague joins the two who use a team's bucket",
        account="nw-l05",
        alerts=(resource("", "nw-l05", AWS_CLI, "nordwind-etl.s3.amazonaws.com"),),
        why="only two hosts use it, but on every working day",
        steps=_on("nw-l05", (35, "09:30:00", Contact(AWS_CLI, "nordwind-etl.s3.eu-central-1.amazonaws.com"))),
    ),
    Story(
        id="own-storage",
        title="The backup agent meets its bucket under the name of another endpoint",
        account="nw-s01",
        alerts=(resource("", "nw-s01", BACKUP, "nordwind-backup.s3.amazonaws.com"),),
        why="it is the same bucket",
        steps=_on("nw-s01", (36, "02:10:00", Contact(BACKUP, "nordwind-backup.s3.dualstack.eu-west-1.amazonaws.com"))),
    ),
    Story(
        id="no-cloud",
        title="A synchronising program asks a server of its vendor",
        account="nw-l08",
        alerts=(resource("", "nw-l08", ONEDRIVE, ANY),),
        why="a name of no cloud is no business of this detection",
        steps=_on("nw-l08", (37, "15:00:00", Contact(ONEDRIVE, "telemetry.vendor.example", query=True))),
    ),
    Story(
        id="visitor",
        title="Somebody's machine in a cloud knocks at a script",
        account="nw-l04",
        alerts=(resource("", "nw-l04", PYTHON, "scanner-77.azurewebsites.net"),),
        why="the connection came from outside",
        steps=_on("nw-l04", (38, "04:20:00", Contact(PYTHON, "scanner-77.azurewebsites.net", inbound=True))),
    ),
    Story(
        id="dead-name",
        title="A mistyped name",
        account="nw-l04",
        alerts=(resource("", "nw-l04", PYTHON, "etl-sate-5f2c.azurewebsites.net"),),
        why="it did not resolve, so nothing was contacted",
        steps=_on(
            "nw-l04", (39, "14:20:00", Contact(PYTHON, "etl-sate-5f2c.azurewebsites.net", query=True, status=9003))
        ),
    ),
)
