"""The attacks of the demo as stories, day by day. `attacks.py` lays them over a calendar; `harmless.py` has the others.

Days are numbered from 0; a detection compares with the 30 days before, so attacks happen after day 30. Each `why` says
which history makes the variation the right one; the tests prove it from the generated events.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Optional

from . import addresses
from .accounts import DATA, GKE_PROJECT, PROD, RETAIL, WORKSPACE
from .formats.template import Template

if TYPE_CHECKING:
    from .organization import Organization

LATE = 6240.0
"""Seconds: a delivery 104 minutes after the event, still within the late-data overlap."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One event: `account` is a key of `Organization.accounts`; `delay` seconds to delivery (None: as usual)."""

    day: int
    clock: str
    account: str
    operation: str
    address: str
    delay: Optional[float] = None

    @property
    def second(self) -> int:
        """Second of the day."""
        hour, minute, second = (int(part) for part in f"{self.clock}:00".split(":")[:3])
        return hour * 3600 + minute * 60 + second

    def template(self, organization: Organization) -> Template:
        """The log line to write."""
        return organization.accounts[self.account].write(self.operation)


@dataclasses.dataclass(frozen=True)
class Story:
    """What happens, by day and clock. `first`, `last`: (day, clock), taken from `steps` where there are some.

    `variation` of the (first) finding and how many `findings`; decoys have neither.
    """

    id: str
    title: str
    account: str
    country: str
    why: str
    variation: str = ""
    findings: int = 1
    steps: tuple[Step, ...] = ()
    first: tuple[int, str] = (0, "00:00")
    last: tuple[int, str] = (0, "23:59")

    def span(self) -> tuple[tuple[int, str], tuple[int, str]]:
        if not self.steps:
            return self.first, self.last
        return (self.steps[0].day, self.steps[0].clock), (self.steps[-1].day, self.steps[-1].clock)


def steps_of(
    account: str, address: str, *moments: tuple[int, str, str], delay: Optional[float] = None
) -> tuple[Step, ...]:
    return tuple(Step(day, clock, account, operation, address, delay) for day, clock, operation in moments)


def _from(country: str, key: str) -> str:
    return addresses.in_country(country, "intruder/" + key)


ATTACKS: tuple[Story, ...] = (
    Story(
        id="backup-key",
        title="Stolen key of a backup user, used at night; logs arrive 104 minutes late",
        account="backup-operator",
        country="RU",
        why="known for the data centre's country only; nobody in the organization has ever been in RU",
        variation="2",
        steps=steps_of(
            "backup-operator",
            _from("RU", "backup"),
            (31, "03:12:08", "whoami"),
            (31, "03:12:51", "buckets"),
            (31, "03:14:30", "users"),
            (31, "03:20:11", "share_snapshot"),
            (31, "04:41:59", "bucket_acl"),
            delay=LATE,
        ),
    ),
    Story(
        id="stolen-session",
        title="Browser session taken by an information stealer",
        account=f"tomasz.nowak/{PROD}",
        country="GB",
        why="has only ever been in PL, but colleagues work in this account from GB",
        variation="3",
        steps=steps_of(
            f"tomasz.nowak/{PROD}",
            _from("GB", "session"),
            (31, "18:40:02", "whoami"),
            (31, "18:41:15", "buckets"),
            (31, "18:44:40", "parameter"),
            (31, "19:02:33", "secret"),
        ),
    ),
    Story(
        id="kubeconfig",
        title="Copied kubeconfig of an analyst",
        account=f"piotr.zielinski/{GKE_PROJECT}",
        country="SG",
        why="SG is new to the cluster; the Singapore office uses mail only",
        variation="4",
        steps=steps_of(
            f"piotr.zielinski/{GKE_PROJECT}",
            _from("SG", "kube"),
            (33, "13:20:05", "review"),
            (33, "13:20:48", "list_pods"),
            (33, "13:22:10", "list_secrets!"),
            (33, "13:31:00", "get_config"),
        ),
    ),
    Story(
        id="leaver",
        title="Employee under notice copies storage keys through an anonymiser",
        account=f"greg.holloway/{RETAIL}",
        country="NL",
        why=("NL is everyday in this subscription and new to him alone (informational), but he is on the watch list"),
        variation="6",
        steps=steps_of(
            f"greg.holloway/{RETAIL}",
            _from("NL", "anonymiser"),
            (33, "06:40:12", "storage_keys"),
            (33, "06:42:01", "vm_read"),
            (33, "06:47:37", "storage_keys"),
        ),
    ),
    Story(
        id="data-console",
        title="Phished console session of a data engineer",
        account=f"anouk.visser/{DATA}",
        country="AU",
        why="AU is new to the data account; the organization knows it from the monitoring probes",
        variation="5",
        steps=steps_of(
            f"anouk.visser/{DATA}",
            addresses.in_region("aws/ap-southeast-2", "proxy"),
            (35, "11:05:44", "whoami"),
            (35, "11:06:20", "buckets"),
            (35, "11:09:02", "query"),
        ),
    ),
    Story(
        id="pod-token",
        title="Service account token stolen from a pod and used from outside",
        account="eks-deployer",
        country="TR",
        why=(
            "the service account had only private addresses, so its cluster and the organization are "
            "asked: nobody was in TR"
        ),
        variation="1",
        steps=steps_of(
            "eks-deployer",
            _from("TR", "pod"),
            (36, "02:30:19", "review"),
            (36, "02:30:58", "list_secrets"),
            (36, "02:33:07", "list_pods"),
            (36, "02:41:46", "exec"),
        ),
    ),
    Story(
        id="road-warrior",
        title="Mail token of a field engineer replayed through a proxy",
        account="femke.deboer/m365",
        country="US",
        why="she works in six countries, US is not among them, but is everyday in the tenant",
        variation="base",
        steps=steps_of(
            "femke.deboer/m365",
            _from("US", "token"),
            (36, "20:15:00", "MailItemsAccessed"),
            (36, "20:15:41", "MailItemsAccessed"),
            (36, "20:22:09", "FileDownloaded"),
        ),
    ),
    Story(
        id="leaked-key",
        title="Key of the image publisher leaked in a public repository; AWS quarantined it",
        account="ci-publisher",
        country="ID",
        why=(
            "AWS attached its quarantine policy to the user the evening before; High outranks that ID is "
            "new to everyone"
        ),
        variation="7",
        steps=steps_of(
            "ci-publisher",
            _from("ID", "leak"),
            (37, "03:05:22", "whoami"),
            (37, "03:05:49", "mail_quota"),
            (37, "03:06:31", "users"),
            (37, "03:08:02", "spot"),
            (37, "03:08:55", "denied"),
        ),
    ),
    Story(
        id="invoice-fraud",
        title="Mailbox taken over for invoice fraud; back the next night",
        account="sanne.mulder/m365",
        country="NG",
        why=(
            "nobody in the organization has been in NG; the second night is a new alert because one day "
            "does not make a habit"
        ),
        variation="2",
        findings=2,
        steps=steps_of(
            "sanne.mulder/m365",
            _from("NG", "fraud"),
            (37, "22:50:10", "UserLoggedIn"),
            (37, "22:52:48", "MailItemsAccessed"),
            (37, "22:58:31", "New-InboxRule"),
            (37, "23:41:00", "MailItemsAccessed"),
            (38, "00:15:12", "MailItemsAccessed"),
            (38, "23:20:44", "MailItemsAccessed"),
            (38, "23:26:10", "Send"),
        ),
    ),
    Story(
        id="console-first",
        title="Developer's console session, first seen through a South African proxy",
        account=f"daniel.kaminski/{PROD}",
        country="ZA",
        why="ZA is new to the account; the organization knows it from the probes",
        variation="5",
        steps=steps_of(
            f"daniel.kaminski/{PROD}",
            _from("ZA", "console"),
            (38, "16:10:29", "whoami"),
            (38, "16:11:12", "instances"),
            (38, "16:15:58", "functions"),
        ),
    ),
    Story(
        id="console-again",
        title="The same session the next morning through a British proxy",
        account=f"daniel.kaminski/{PROD}",
        country="GB",
        why=("new to him and everyday in the account (informational), but he had a Low finding 15 hours before"),
        variation="6",
        steps=steps_of(
            f"daniel.kaminski/{PROD}",
            _from("GB", "console"),
            (39, "07:30:03", "secret"),
            (39, "07:31:47", "new_key"),
            (39, "07:44:20", "parameter"),
        ),
    ),
    Story(
        id="ml-key",
        title="Service account key of the training jobs used to mine",
        account="ml-batch",
        country="VN",
        why="the service account runs in one US region; nobody in the organization has been in VN",
        variation="2",
        steps=steps_of(
            "ml-batch",
            _from("VN", "miner"),
            (39, "05:20:17", "instances"),
            (39, "05:21:09", "start"),
            (39, "05:22:40", "start"),
            (39, "05:30:02", "policy!"),
        ),
    ),
    Story(
        id="root",
        title="Root user of the staging account at the console",
        account="root-staging",
        country="CN",
        why=(
            "root was used on two days only, too few to compare with: the account and the organization "
            "have never seen CN"
        ),
        variation="2",
        steps=steps_of(
            "root-staging",
            _from("CN", "root"),
            (40, "23:40:35", "login"),
            (40, "23:42:18", "users"),
            (40, "23:44:02", "new_key"),
        ),
    ),
    Story(
        id="known-bad-key",
        title="Reporting user's key from a threat-intelligence list",
        account="legacy-reporting",
        country="US",
        why=("runs from one German data centre; US is everyday in the account, but the key is in compromised_keys"),
        variation="7",
        steps=steps_of(
            "legacy-reporting",
            _from("US", "reporting"),
            (41, "14:20:20", "whoami"),
            (41, "14:21:02", "buckets"),
            (41, "14:25:59", "users"),
        ),
    ),
    Story(
        id="workspace-admin",
        title="Super administrator of the subsidiary signed in and made another one",
        account=f"admin/{WORKSPACE}",
        country="TH",
        why="known for BE only; nobody in the organization has been in TH",
        variation="2",
        steps=steps_of(
            f"admin/{WORKSPACE}",
            _from("TH", "admin"),
            (42, "20:15:11", "login_success"),
            (42, "20:17:40", "alert_center"),
            (42, "20:19:05", "grant_admin"),
        ),
    ),
    Story(
        id="newcomer",
        title="Mailbox of an employee in her second week",
        account="nina.vos/m365",
        country="AR",
        why="too new to have habits, so the tenant and the organization are asked: nobody was in AR",
        variation="2",
        steps=steps_of(
            "nina.vos/m365",
            _from("AR", "newcomer"),
            (43, "19:40:50", "UserLoggedIn"),
            (43, "19:42:22", "MailItemsAccessed"),
            (43, "19:51:37", "FileDownloaded"),
        ),
    ),
)

QUARANTINE: tuple[Step, ...] = (Step(36, "21:14:06", "ci-publisher", "quarantine", "AWS Internal"),)
"""AWS found the key of `leaked-key` and attaches its policy, in the user's own name."""
