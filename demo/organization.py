"""Nordwind, the demo's invented company: projects, people, machines. The same for the same seed.

Head office in Amsterdam, offices in Berlin, London, Kraków, Pune, Boston and Singapore, and a subsidiary, Zeewind, in
Belgium and Spain with a Workspace of its own. The named people are the cast of `stories/`; the others are there so
that every project knows its countries, and there are more of them when more events a day are asked for.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import random
from typing import Iterator, Union

from . import addresses, automation, endpoints, functions, machines
from .accounts import (
    ANALYTICS,
    CORPORATE,
    DATA,
    DOMAIN,
    ML,
    MONITORING,
    PROD,
    RETAIL,
    SANDBOX,
    STAGING,
    SUBSIDIARY,
    TENANT,
    Account,
    on_aws,
    on_azure,
    on_eks,
    on_gcp,
    people_accounts,
)
from .formats import aws, aws_functions, azure
from .formats.template import DAY, Day
from .people import Person, Slot, Trip, Workload, office_address
from .story import Step

ACCESS: dict[str, tuple[tuple[str, ...], ...]] = {
    "NL": (
        ("m365", "entra", PROD, "eks"), ("m365", "entra", DATA, STAGING), ("m365", "entra", CORPORATE, RETAIL),
        ("m365", "entra", ANALYTICS, ML), ("m365", "entra", MONITORING), ("m365", "entra"), ("m365", "entra", RETAIL),
    ),
    "DE": (
        ("m365", "entra", PROD, STAGING), ("m365", "entra", DATA), ("m365", "entra", CORPORATE, MONITORING),
        ("m365", "entra"),
    ),
    "GB": (("m365", "entra", PROD), ("m365", "entra", CORPORATE), ("m365", "entra"), ("m365", "entra", PROD)),
    "PL": (
        ("m365", "entra", PROD, "eks"), ("m365", "entra", STAGING, ANALYTICS), ("m365", "entra", DATA, "gke"),
        ("m365", "entra", "gke", ANALYTICS),
    ),
    "IN": (("m365", "entra", PROD), ("m365", "entra", ANALYTICS, "gke"), ("m365", "entra", ML)),
    "US": (("m365", "entra", RETAIL), ("m365", "entra", ML), ("m365", "entra")),
    "SG": (("m365", "entra"),),
    "BE": (("workspace",),),
    "ES": (("workspace",),),
}  # fmt: skip
"""What the people of each office have access to, in turn."""
STAFF = {"NL": 14, "DE": 8, "GB": 8, "PL": 8, "IN": 6, "US": 6, "SG": 2, "BE": 4, "ES": 3}
"""Headcount beside the cast at the smallest size."""

FIRST_NAMES = (
    "Anna", "Bram", "Carla", "Dirk", "Elena", "Filip", "Grace", "Hugo", "Iris", "Jonas", "Karin", "Leon", "Maya",
    "Niels", "Olga", "Pieter", "Quinn", "Rosa", "Stefan", "Tara", "Umesh", "Vera", "Willem", "Xenia", "Yusuf", "Zofia",
)  # fmt: skip
LAST_NAMES = (
    "Jansen", "Schmidt", "Taylor", "Kowalska", "Patel", "Miller", "Peeters", "Garcia", "Bakker", "Fischer", "Evans",
    "Wojcik", "Rao", "Davis", "Maes", "Lopez", "Smits", "Wagner", "Hughes", "Mazur", "Iyer", "Clark", "Claes",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Organization:
    """The demo's parameters. `start`: first UTC day. `events_per_day`: average, quieter at week-ends. `burst`: how many
    calls come together, on average; programs and consoles call in bursts, and services hundreds of times a minute."""

    seed: Union[int, str] = 7
    days: int = 45
    start: datetime.date = datetime.date(2026, 1, 5)
    events_per_day: int = 2000
    burst: int = 1

    def day(self, number: int) -> Day:
        """The `number`th day (0 = first)."""
        date = self.start + datetime.timedelta(days=number)
        midnight = datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc)
        return Day(int(midnight.timestamp()), date.isoformat())

    def time(self, day: int, clock: str) -> float:
        """Epoch seconds of `HH:MM[:SS]` UTC on the `day`th day."""
        parts = [int(part) for part in clock.split(":")]
        return float(self.day(day).start + sum(part * unit for part, unit in zip(parts, (3600, 60, 1))))

    @property
    def first_time(self) -> float:
        """Start of the history."""
        return float(self.day(0).start)

    @property
    def last_time(self) -> float:
        """End of the history (exclusive)."""
        return float(self.day(self.days - 1).start + DAY)

    @functools.cached_property
    def accounts(self) -> dict[str, Account]:
        """The cast's accounts by name: `<who>/<project>`, in the tenant `<who>/<source>`; machines by their name."""
        named = {}
        for who, person in self.cast.items():
            for account in person.accounts:
                named[f"{who}/{account.source if account.project == TENANT else account.project}"] = account
        return {**named, **_MACHINES, **functions.ACCOUNTS, **machines.ACCOUNTS, **endpoints.ACCOUNTS}

    @functools.cached_property
    def cast(self) -> dict[str, Person]:
        """The named people, by the part of their address before the @."""
        return {person.email.split("@")[0].lower(): person for person in _cast()}

    @functools.cached_property
    def people(self) -> list[Person]:
        """The cast and the staff; about one more person for every 120 events a day."""
        factor = max(1.0, self.events_per_day / 120 / sum(STAFF.values()))
        rng = random.Random(f"staff/{self.seed}")
        staff: dict[str, Person] = {}
        for office, heads in STAFF.items():
            for number in range(round(heads * factor)):
                employee = _employee(office, number, rng)
                while employee.email in staff:
                    employee = _employee(office, number, rng)
                staff[employee.email] = employee
        return [*self.cast.values(), *staff.values()]

    @functools.cached_property
    def workloads(self) -> list[Workload]:
        """The machine identities."""
        return [*_workloads(), *functions.workloads(), *machines.workloads()]

    @functools.cached_property
    def routine(self) -> list[Step]:
        """What happens at set times."""
        return [*functions.steps(self.days), *machines.steps(self.days), *automation.steps(self.days)]

    def slots(self, number: int, rng: random.Random) -> Iterator[Slot]:
        """Everything that goes on in the organization on a day, attacks excluded."""
        date = self.start + datetime.timedelta(days=number)
        for person in self.people:
            yield from person.slots(number, date, rng)
        for workload in self.workloads:
            yield from workload.slots(number)
        for host in endpoints.HOSTS:
            yield from host.slots(date)


def _employee(office: str, number: int, rng: random.Random) -> Person:
    domain = SUBSIDIARY if office in ("BE", "ES") else DOMAIN
    email = f"{rng.choice(FIRST_NAMES)}.{rng.choice(LAST_NAMES)}{rng.randrange(2, 99)}@{domain}"
    typed = email if rng.random() < 0.3 and domain == DOMAIN else email.lower()
    projects = ACCESS[office][number % len(ACCESS[office])]
    # The VPN ends in Amsterdam; one in four uses it, always on the same weekday (first used in the first week).
    vpn = rng.randrange(5) if domain == DOMAIN and office != "SG" and rng.random() < 0.25 else None
    # The first two of an office take no leave, so that a project keeps knowing the office's country.
    leave = rng.randrange(3, 60)
    away = range(leave, leave + 5) if number >= 2 * len(ACCESS[office]) else range(0)
    return Person(email.lower(), office, people_accounts(typed, projects), vpn_weekday=vpn, away=away)


def _cast() -> list[Person]:
    def person(name: str, home: str, *projects: str, domain: str = DOMAIN, **more: object) -> Person:
        return Person(f"{name.lower()}@{domain}", home, people_accounts(f"{name}@{domain}", projects), **more)  # type: ignore[arg-type]

    return [
        person("Femke.deBoer", "NL", "m365", tour=("NL", "DE", "FR", "BE", "GB"),
               trips=(Trip(21, 21, "AT"), Trip(35, 35, "AT"))),
        person("tomasz.nowak", "PL", "m365", "entra", PROD, "eks"),
        person("sanne.mulder", "NL", "m365", "entra"),
        person("Piotr.Zielinski", "PL", "m365", "gke", ANALYTICS),
        person("anouk.visser", "NL", "m365", DATA),
        person("daniel.kaminski", "PL", "m365", PROD),
        person("greg.holloway", "US", "m365", "entra", RETAIL),
        person("nina.vos", "NL", "m365", "entra", starts=34),
        person("ola.wrobel", "PL", "m365", PROD, "eks", starts=21),
        person("admin", "BE", "workspace", domain=SUBSIDIARY),
        person("ines.ortega", "ES", "workspace", domain=SUBSIDIARY),
        person("carmen.ruiz", "ES", "workspace", domain=SUBSIDIARY),
        person("pol.vermeulen", "BE", "workspace", domain=SUBSIDIARY),
        person("lotte.smit", "NL", "m365",
               trips=(Trip(8, 9, "ES", ("m365",)), Trip(34, 36, "ES", ("m365",)))),
        person("priya.sharma", "IN", "m365", PROD, trips=(Trip(30, 31, "SG", ("m365",)),)),
        person("james.cole", "GB", "m365", CORPORATE, trips=(Trip(22, 26, "PT", ("m365",)),)),
        person("Marek.Wrona", "PL", "m365", "gke", trips=(Trip(35, 41, "EG", ("m365",)),)),
        person("katarzyna.lis", "PL", ANALYTICS, trips=(Trip(43, 43, "BE"),)),
        person("joost.dekker", "NL", "m365", MONITORING, SANDBOX, vpn_weekday=2, later={SANDBOX: 33}),
    ]  # fmt: skip


PROBE_REGIONS = (
    "eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "sa-east-1",
    "af-south-1", "ca-central-1", "ap-south-1", "me-central-1", "ap-northeast-2", "eu-west-3", "eu-north-1",
)  # fmt: skip
_WEB = aws.role(PROD, "shop-web", "8f3b1c0a9d7e4f52b6a1")
_ETL = aws.role(DATA, "etl-runner", "i-0c4d5e6f708192a3b", aws.BOTO)
_REPORT = aws.user(PROD, "legacy-reporting")
_MACHINES: dict[str, Account] = {
    "shop-web": on_aws(_WEB, "parameter", "secret", "decrypt", "decrypt", "queues", "log_groups", "denied_read",
                       aws_functions.invoke(PROD, "order-mailer")),
    "shop-internal": on_aws(
        aws.role(PROD, "shop-orders", "1c0a9d7e4f52b6a18f3b", endpoint="vpce-0a1b2c3d4e5f60718"),
        "bucket_acl", "bucket_location", "decrypt", "parameter",
    ),
    "autoscaling": on_aws(aws.service(PROD, "autoscaling.amazonaws.com"), "instances", "alarms"),
    "athena": on_aws(aws.forward_access(_ETL, "athena.amazonaws.com"), "table", "bucket_location"),
    "etl": on_aws(_ETL, "table", "table", "query", "bucket_location", "missing"),
    "backup-operator": on_aws(aws.user(DATA, "backup-operator"), "buckets", "bucket_acl", "bucket_location", "whoami"),
    "legacy-reporting": on_aws(_REPORT, "whoami", "alarms", "buckets"),
    "ci-publisher": on_aws(aws.user(STAGING, "ci-publisher"), "token", "push", "push", "whoami"),
    "ci-deploy": on_aws(
        aws.role(PROD, "ci-deploy", "GitHubActions", aws.TERRAFORM), "assume", "deploy", "instances", "groups",
    ),
    "ci-sandbox": on_aws(aws.role(SANDBOX, "ci-deploy", "GitHubActions", aws.TERRAFORM), "deploy", "instances"),
    "probes": on_aws(aws.role(MONITORING, "synthetic-probes", "probe", aws.BOTO), "whoami", "alarms", "queues"),
    "root-staging": on_aws(aws.root(STAGING), "login", "billing", "users"),
    "release": on_azure(RETAIL, azure.stable_uuid("app/release-pipeline"), "deployment", "vm_read", application=True),
    "corporate-automation": on_azure(CORPORATE, azure.stable_uuid("app/automation"), "vm_start", application=True),
    "loader": on_gcp(ANALYTICS, f"loader@{ANALYTICS}.iam.gserviceaccount.com", "query", "query", "object", "buckets"),
    "ml-batch": on_gcp(ML, f"ml-batch@{ML}.iam.gserviceaccount.com", "object", "object", "instances", "start"),
    "eks-deployer": on_eks("system:serviceaccount:ci:deployer", "patch_deployment", "get_deployment", "get_config"),
    "eks-argocd": on_eks("system:serviceaccount:argocd:application-controller", "get_deployment", "list_pods"),
    "eks-runner": on_eks("github-actions", "patch_deployment", "get_deployment", "review"),
}  # fmt: skip


def _workloads() -> list[Workload]:
    def region(name: str, count: int, key: str) -> list[str]:
        return [addresses.in_region(name, f"{key}/{number}") for number in range(count)]

    runners = region("azure/eastus", 4, "runner")
    private = [addresses.pick(network, "node") for network in addresses.PRIVATE]
    machine = _MACHINES
    return [
        Workload(machine["shop-web"], region("aws/eu-west-1", 4, "web") + region("aws/eu-central-1", 2, "web"), 30),
        Workload(machine["shop-internal"], private, 14),
        Workload(machine["autoscaling"], ["autoscaling.amazonaws.com", "AWS Internal"], 5),
        Workload(machine["etl"], region("aws/eu-west-1", 3, "etl"), 14),
        Workload(machine["athena"], ["athena.amazonaws.com"], 3),
        Workload(machine["backup-operator"], [addresses.in_country("NL", "datacentre")], 2, hours=(1, 5)),
        Workload(machine["legacy-reporting"], [addresses.in_country("DE", "reporting")], 1, hours=(4, 6)),
        Workload(machine["ci-publisher"], runners[:2], 3, hours=(6, 20)),
        Workload(machine["ci-deploy"], runners, 5, hours=(6, 20),
                 moves=[(41, addresses.in_region("aws/eu-north-1", "runner"))]),
        Workload(machine["ci-sandbox"], runners[2:], 1, starts=33, hours=(6, 20)),
        Workload(machine["probes"], [region(f"aws/{name}", 1, "probe")[0] for name in PROBE_REGIONS], 4),
        Workload(machine["root-staging"], [office_address("NL")], 0, days=(4, 18),
                 hours=(9, 10)),
        Workload(machine["release"], region("azure/westeurope", 2, "release"), 4, hours=(6, 20)),
        Workload(machine["corporate-automation"], region("azure/westeurope", 1, "automation"), 3),
        Workload(machine["loader"], region("gcp/europe-west1", 3, "loader"), 6),
        Workload(machine["ml-batch"], region("gcp/us-central1", 3, "ml"), 5),
        Workload(machine["eks-deployer"], private[:2], 5),
        Workload(machine["eks-argocd"], private[:1], 8),
        Workload(machine["eks-runner"], runners[:2], 2, hours=(6, 20)),
    ]  # fmt: skip
