"""Stories of `cloud_unusual_country`: API calls from countries where they should not come from.

A story without steps is part of somebody's routine in `organization.py`.
"""

from __future__ import annotations

from .. import addresses
from ..accounts import ANALYTICS, DATA, GKE_PROJECT, PROD, RETAIL, WORKSPACE
from ..story import ANY, LATE, Alert, Step, Story, steps_of


def country(variation: str, name: str, findings: int = 1) -> Alert:
    """The alert about calls from a country."""
    return Alert("cloud_unusual_country", variation, {"country": name}, findings)


def secrets(variation: str, operation: str) -> Alert:
    """The alert about what is done with the store of secrets."""
    return Alert("unusual_secret_management", variation, {"secret_operation": operation})


def _from(country: str, key: str) -> str:
    return addresses.in_country(country, "intruder/" + key)


ATTACKS: tuple[Story, ...] = (
    Story(
        id="backup-key",
        title="Stolen key of a backup user, used at night; logs arrive 104 minutes late",
        account="backup-operator",
        alerts=(country("v2", "RU"),),
        why="known for the data centre's country only; nobody in the organization has ever been in RU",
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
        alerts=(
            country("v3", "GB"),
            secrets("base", "GetParameter"),
            secrets("base", "GetSecretValue"),
        ),
        why="has only ever been in PL, but colleagues work in this account from GB",
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
        alerts=(country("v4", "SG"),),
        why="SG is new to the cluster; the Singapore office uses mail only",
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
        alerts=(country("v6", "NL"),),
        why=("NL is everyday in this subscription and new to him alone (informational), but he is on the watch list"),
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
        alerts=(country("v5", "AU"),),
        why="AU is new to the data account; the organization knows it from the monitoring probes",
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
        alerts=(
            country("v1", "TR"),
            Alert("kubernetes_unusual_secret_access", "base", {"secret_namespace": "shop"}),
            Alert("kubernetes_unusual_exec", "v2", {"pod": "shop/web"}),
        ),
        why=(
            "the service account had only private addresses, so its cluster and the organization are "
            "asked: nobody was in TR"
        ),
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
        alerts=(country("base", "US"),),
        why="she works in six countries, US is not among them, but is everyday in the tenant",
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
        alerts=(country("v7", "ID"),),
        why=(
            "AWS attached its quarantine policy to the user the evening before; High outranks that ID is "
            "new to everyone"
        ),
        steps=steps_of(
            "ci-publisher",
            _from("ID", "leak"),
            (37, "03:05:22", "whoami"),
            (37, "03:05:49", "mail_quota"),
            (37, "03:06:31", "users"),
            (37, "03:08:02", "spot"),
            (37, "03:08:55", "denied"),
        ),
        # AWS has found the key and attaches its policy, in the user's own name.
        before=(Step(36, "21:14:06", "ci-publisher", "quarantine", "AWS Internal"),),
    ),
    Story(
        id="invoice-fraud",
        title="Mailbox taken over for invoice fraud; back the next night",
        account="sanne.mulder/m365",
        alerts=(country("v2", "NG", findings=2),),
        why=(
            "nobody in the organization has been in NG; the second night is a new alert because one day "
            "does not make a habit"
        ),
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
        alerts=(country("v5", "ZA"),),
        why="ZA is new to the account; the organization knows it from the probes",
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
        alerts=(
            country("v6", "GB"),
            secrets("base", "GetSecretValue"),
            secrets("base", "GetParameter"),
        ),
        why=("new to him and everyday in the account (informational), but he had a Low finding 15 hours before"),
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
        alerts=(country("v2", "VN"),),
        why="the service account runs in one US region; nobody in the organization has been in VN",
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
        alerts=(country("v2", "CN"), Alert("aws_console_first_login", "base", {})),
        why=(
            "root was used on two days only, too few to compare with: the account and the organization "
            "have never seen CN"
        ),
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
        alerts=(country("v7", "US"),),
        why=("runs from one German data centre; US is everyday in the account, but the key is in compromised_keys"),
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
        alerts=(country("v2", "TH"),),
        why="known for BE only; nobody in the organization has been in TH",
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
        alerts=(country("v2", "AR"),),
        why="too new to have habits, so the tenant and the organization are asked: nobody was in AR",
        steps=steps_of(
            "nina.vos/m365",
            _from("AR", "newcomer"),
            (43, "19:40:50", "UserLoggedIn"),
            (43, "19:42:22", "MailItemsAccessed"),
            (43, "19:51:37", "FileDownloaded"),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = (
    Story(
        id="at-customer",
        title="Field engineer at a customer in Vienna",
        account="femke.deboer/m365",
        alerts=(country("v2", "AT"),),
        why="a real trip to a country nobody had been in",
        first=(21, "00:00"),
        last=(21, "23:59"),
    ),
    Story(
        id="workation",
        title="Works from Lisbon for a week",
        account="james.cole/m365",
        alerts=(country("v2", "PT", findings=2),),
        why="a real trip to a country nobody had been in; silent from its third day on",
        first=(22, "00:00"),
        last=(26, "23:59"),
    ),
    Story(
        id="business-trip",
        title="Visits the Singapore office",
        account="priya.sharma/m365",
        alerts=(country("v3", "SG", findings=2),),
        why="a real trip; the tenant knows SG",
        first=(30, "00:00"),
        last=(31, "23:59"),
    ),
    Story(
        id="runner-trial",
        title="Build runners tried in a new region on one day",
        account="ci-deploy",
        alerts=(country("v5", "SE"),),
        why="SE is new to the account; silent when the runners move there nine days later",
        steps=steps_of(
            "ci-deploy",
            addresses.in_region("aws/eu-north-1", "runner"),
            (32, "09:10:00", "assume"),
            (32, "09:12:25", "deploy"),
            (32, "10:40:18", "instances"),
        ),
    ),
    Story(
        id="holiday",
        title="Reads mail on holiday in Egypt",
        account="marek.wrona/m365",
        alerts=(country("v2", "EG", findings=2),),
        why="a real trip to a country nobody had been in; silent from its third day on",
        first=(35, "00:00"),
        last=(41, "23:59"),
    ),
    Story(
        id="conference",
        title="At a conference in Brussels",
        account=f"katarzyna.lis/{ANALYTICS}",
        alerts=(country("v3", "BE"),),
        why="a real trip; the project knows BE from its own machines",
        first=(43, "00:00"),
        last=(43, "23:59"),
    ),
)

DECOYS: tuple[Story, ...] = (
    Story(
        id="second-home",
        title="Back at her Spanish holiday home",
        account="lotte.smit/m365",
        alerts=(country("", "ES"),),
        why="worked from there four weeks earlier: established",
        first=(34, "00:00"),
        last=(36, "23:59"),
    ),
    Story(
        id="second-visit",
        title="Field engineer in Vienna again",
        account="femke.deboer/m365",
        alerts=(country("", "AT"),),
        why="one day, two weeks ago, is enough: established",
        first=(35, "00:00"),
        last=(35, "23:59"),
    ),
    Story(
        id="new-hire",
        title="New hire in an office that exists",
        account=f"ola.wrobel/{PROD}",
        alerts=(country("", "PL"),),
        why="nothing to compare her with, and her projects know PL",
        first=(21, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="vpn-exit",
        title="A VPN exit in Zurich opens",
        account="joost.dekker/m365",
        alerts=(country("", "CH"),),
        why="in egress_ranges: counts as NL",
        first=(33, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="new-account",
        title="A new AWS account and its pipeline",
        account="ci-sandbox",
        alerts=(country("", "US"),),
        why="account and role are new, the organization knows US",
        first=(33, "00:00"),
        last=(44, "23:59"),
    ),
    Story(
        id="mail-back-end",
        title="Microsoft moves a mailbox from a data centre in Qatar",
        account="sanne.mulder/m365",
        alerts=(country("", "QA"),),
        why="Microsoft's own network in its own log has no country",
        steps=steps_of(
            "sanne.mulder/m365",
            addresses.pick(addresses.BACK_ENDS["microsoft"][1], "move"),
            (34, "04:11:00", "MailItemsAccessed"),
            (34, "04:12:00", "MailItemsAccessed"),
        ),
    ),
    Story(
        id="drive-back-end",
        title="Google renders a document from a data centre in the US",
        account=f"ines.ortega/{WORKSPACE}",
        alerts=(country("", "US"),),
        why="Google's own network in its own log has no country",
        steps=steps_of(
            f"ines.ortega/{WORKSPACE}",
            addresses.pick(addresses.BACK_ENDS["google"][1], "render"),
            (36, "10:31:00", "view"),
            (36, "10:31:30", "view"),
        ),
    ),
    Story(
        id="private",
        title="Backup user from a host behind the VPN",
        account="backup-operator",
        alerts=(country("", ANY),),
        why="a private address has no country",
        steps=steps_of(
            "backup-operator",
            addresses.pick(addresses.PRIVATE[0], "backup"),
            (32, "11:00:00", "buckets"),
        ),
    ),
    Story(
        id="world-wide",
        title="Monitoring probe in a fifteenth country",
        account="probes",
        alerts=(country("", "MX"),),
        why="an identity with more than ten countries is at home everywhere",
        steps=steps_of(
            "probes",
            addresses.in_region("aws/mx-central-1", "probe"),
            (38, "12:00:00", "whoami"),
            (38, "12:05:00", "alarms"),
        ),
    ),
    Story(
        id="moved-runners",
        title="Build runners move to the region tried before",
        account="ci-deploy",
        alerts=(country("", "SE"),),
        why="tried nine days earlier: established",
        first=(41, "00:00"),
        last=(44, "23:59"),
    ),
)
