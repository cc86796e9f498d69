"""Who and what there is in a generated organization: people, machines, projects and computers. The same for a seed.

Raw formats are the demo's (`demo/formats`); who does what is the benchmark's own.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import random
from typing import Any, Mapping, Optional, Sequence

from demo.accounts import TENANT, WORKSPACE, Account, on_aws, on_azure, on_entra, on_gcp, on_m365, on_workspace
from demo.addresses import EGRESS_COUNTRY
from demo.formats import aws, aws_instances, azure, kubernetes, sysmon
from demo.formats.sysmon import Contact, Program
from demo.formats.template import DAY, Day
from demo.organization import FIRST_NAMES, LAST_NAMES

from . import parameters as p
from .places import Places, places

DOMAIN, SUBSIDIARY = "nordwind.example", "zeewind.example"
HOUR = 3600
WORK_STARTS = {"IN": 4, "SG": 1, "JP": 0, "AU": 23, "US": 14, "CA": 14, "BR": 12, "GB": 8, "IE": 8}
"""Hour (UTC) at which a working day begins; Central Europe: 7."""
AWS_REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "eu-west-2", "ap-southeast-1", "us-west-2")
FAMILIES = (("python3.12", "nodejs22.x"), ("python3.12",), ("nodejs22.x", "java21"), ("python3.12", "java21"))
"""Languages of an account's functions, account by account."""
NAMESPACES = ("shop", "payments", "search", "ingest", "reports", "identity")
APPS = ("web", "worker", "cron")
CONSOLE = (
    "whoami", "instances", "groups", "buckets", "bucket_acl", "topics", "log_groups", "alarms", "queues", "functions",
    "denied", "missing",
)  # fmt: skip
PROGRAMS = "C:\\Program Files\\"
CHROME = Program(PROGRAMS + "Google\\Chrome\\Application\\chrome.exe")
UPDATER = Program(PROGRAMS + "Nordwind\\Agent\\updater.exe")
AWS_CLI = Program(PROGRAMS + "Amazon\\AWSCLIV2\\aws.exe")
PYTHON = Program(PROGRAMS + "Python312\\python.exe")
AZCOPY = Program(PROGRAMS + "AzCopy\\azcopy.exe")
POPULAR = (
    Contact(CHROME, "d3nw1shop4x9.cloudfront.net"),
    Contact(CHROME, "nordwind-intranet.azurewebsites.net"),
    Contact(UPDATER, "nordwind-updates.blob.core.windows.net"),
    Contact(CHROME, "login.microsoftonline.com"),
    Contact(CHROME, "nordwind-handbook.pages.dev"),
)
HOSTS_A_TEAM = 4
MOVED_EXITS = ("FR", "SE", "CH", "IE", "BE", "AT")
"""Where the exits of the company's VPN may move to."""


def number_of(text: str, digits: int) -> str:
    """Digits that are the same for equal text."""
    return str(int(hashlib.sha256(text.encode()).hexdigest(), 16))[:digits]


def times(rng: random.Random, mean: float) -> int:
    """How often something happens whose mean is small (Poisson, by its definition)."""
    left, count = rng.expovariate(1.0), 0
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count


@dataclasses.dataclass(frozen=True)
class Trip:
    first: int
    last: int
    country: str


@dataclasses.dataclass(eq=False)
class Person:
    """Somebody: `accounts` by project; `since`: project -> the day from which on they work in it (with why)."""

    email: str
    home: str
    accounts: dict[str, Account]
    starts: int
    ends: int
    trips: Sequence[Trip] = ()
    contractor: bool = False
    company_vpn: bool = False
    own_vpn: Sequence[str] = ()
    tour: Sequence[str] = ()
    """By weekday, the country of somebody who is on the road every week."""
    elsewhere: Mapping[int, str] = dataclasses.field(default_factory=dict)
    """Day -> the country that their address is taken for by mistake."""
    since: dict[str, int] = dataclasses.field(default_factory=dict)

    def country(self, day: int) -> str:
        trip = next((trip for trip in self.trips if trip.first <= day <= trip.last), None)
        return self.home if trip is None else trip.country

    def there(self, day: int, before: int = 0) -> bool:
        """Whether they are with the organization on that day, and have been for so long."""
        return self.starts + before <= day < self.ends

    def countries(self) -> set[str]:
        """Everywhere they will ever be seen."""
        passing = {*(trip.country for trip in self.trips), *self.own_vpn, *self.elsewhere.values()}
        exits = {EGRESS_COUNTRY, *MOVED_EXITS} if self.company_vpn else set()
        return {self.home, *self.tour, *passing, *exits}


@dataclasses.dataclass(eq=False)
class Machine:
    """A machine identity: works from its addresses, in `hours` (UTC), on working days only where `weekdays`."""

    name: str
    account: Account
    addresses: list[str]
    a_day: float
    hours: tuple[int, int] = (0, 24)
    weekdays: bool = False
    starts: int = 0
    moves: Optional[tuple[int, list[str], str]] = None
    """(day, addresses from then on, why)"""
    pipeline: bool = False


@dataclasses.dataclass(eq=False)
class AwsAccount:
    """An AWS account: where it works, in which languages its functions are, and who works in it."""

    id: str
    region: str
    runtimes: list[str]
    starts: int = 0
    machines: dict[str, Machine] = dataclasses.field(default_factory=dict)
    nat: list[str] = dataclasses.field(default_factory=list)
    functions: dict[str, str] = dataclasses.field(default_factory=dict)
    """function -> its role"""
    instance_role: str = ""

    @property
    def second(self) -> str:
        """Another region, which one of its functions calls every day."""
        return AWS_REGIONS[(AWS_REGIONS.index(self.region) + 1) % len(AWS_REGIONS)]

    def service(self, invoker: str) -> Account:
        return on_aws(aws.service(self.id, invoker))


@dataclasses.dataclass(eq=False)
class Cluster:
    """A Kubernetes cluster; in a `quiet` one nobody ever opens a shell."""

    name: str
    quiet: bool

    def account(self, user: str) -> Account:
        def write(operation: Any) -> Any:
            if isinstance(operation, str):
                return kubernetes.eks(self.name, user, operation.rstrip("!"), operation.endswith("!"))
            return kubernetes.eks(self.name, user, operation[:3], len(operation) > 3)

        return Account("kubernetes", self.name, user, write, ("list_pods", "list_pods", "get_deployment", "review"))


@dataclasses.dataclass(eq=False)
class Host:
    """A computer, its user, its team, and what the team works with."""

    name: str
    user: str
    team: int
    address: str

    @functools.cached_property
    def account(self) -> Account:
        full = f"{self.name.upper()}.{DOMAIN}"
        return Account("endpoint", "-", self.name, lambda contact: sysmon.template(full, self.user, contact), ())

    @property
    def work(self) -> tuple[Contact, ...]:
        """The team's own names in the cloud, which nobody else reaches for."""
        name = f"nw-team{self.team:02}"
        by_kind = (
            Contact(AWS_CLI, f"{name}-data.s3.eu-west-1.amazonaws.com"),
            Contact(PYTHON, f"{name}-api.azurewebsites.net"),
            Contact(AZCOPY, f"nwteam{self.team:02}.blob.core.windows.net"),
        )
        return (by_kind[self.team % 3],)


@dataclasses.dataclass(frozen=True)
class Plan:
    """`size`: identities, people and machines; computers are not counted, so that alerts per identity are rather too
    many."""

    size: int = 200
    seed: int = 1
    days: int = 75
    start: datetime.date = datetime.date(2026, 1, 5)

    def rng(self, *what: object) -> random.Random:
        return random.Random("/".join(map(str, ("benchmark", self.seed, self.size, *what))))

    def day(self, number: int) -> Day:
        date = self.start + datetime.timedelta(days=number)
        midnight = datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc)
        return Day(int(midnight.timestamp()), date.isoformat())

    def weekday(self, number: int) -> int:
        return (self.start + datetime.timedelta(days=number)).weekday()

    @property
    def first_time(self) -> int:
        return self.day(0).start

    @property
    def last_time(self) -> int:
        return self.day(self.days - 1).start + DAY


class World:
    """Everybody and everything. Built once, in an order that draws do not disturb."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.places: Places = places()
        self.offices = p.OFFICES[: max(4, min(len(p.OFFICES), plan.size // 40))]
        self.aws: list[AwsAccount] = []
        self.machines: list[Machine] = []
        self.clusters = [Cluster(f"nw-eks-{n}", quiet=n % 3 == 2) for n in range(max(3, plan.size // 100))]
        self.subscriptions = [azure.stable_uuid(f"subscription/{n}") for n in range(max(2, plan.size // 100))]
        self.gcp = [
            f"nordwind-{name}" for name in ("analytics", "ml", "maps", "ads")[: max(2, min(4, plan.size // 100))]
        ]
        self._make_machines()
        self.people: list[Person] = []
        self._make_people()
        self.hosts = self._make_hosts()

    # -- machines ------------------------------------------------------------------------------------------------------

    def _make_machines(self) -> None:
        plan, wanted = self.plan, round(self.plan.size * (1 - p.PEOPLE.value))
        for n in range(max(6, plan.size // 25)):
            self._aws_account(n, starts=0)
        for n in range(times(plan.rng("new accounts"), len(self.aws) * p.NEW_ACCOUNTS.value * plan.days / p.QUARTER)):
            starts = plan.rng("new account", n).randrange(10, max(11, plan.days - 5))
            self._aws_account(len(self.aws), starts)
        for subscription in self.subscriptions:
            for name in ("release", "automation"):
                caller = azure.stable_uuid(f"app/{name}/{subscription}")
                account = on_azure(subscription, caller, "deployment", "vm_read", "vm_start", application=True)
                where = [self.places.region("azure/westeurope", f"{caller}/{k}") for k in range(2)]
                self.machines.append(Machine(f"{name}/{subscription}", account, where, 4, (6, 20), True))
        for project in self.gcp:
            for name, region in (("loader", "europe-west1"), ("batch", "us-central1"), ("deployer", "europe-west1")):
                account = on_gcp(project, f"{name}@{project}.iam.gserviceaccount.com", "query", "object", "buckets")
                where = [self.places.region(f"gcp/{region}", f"{project}/{name}/{k}") for k in range(2)]
                self.machines.append(Machine(f"{name}/{project}", account, where, 5))
        for cluster in self.clusters:
            for user in ("system:serviceaccount:ci:deployer", "system:serviceaccount:argocd:controller"):
                account = cluster.account(user)
                self.machines.append(
                    Machine(f"{user}/{cluster.name}", account, [Places.private(cluster.name + user)], 6)
                )
        for n in range(max(0, wanted - len(self.machines))):  # more services of the accounts, up to their share
            home = self.aws[n % len(self.aws)]
            if home.starts == 0:
                self._service(home, f"service-{n:03}")
        rng = plan.rng("migrations")
        for _ in range(times(rng, len(self.machines) * p.MIGRATIONS.value * plan.days / p.QUARTER)):
            machine = rng.choice([m for m in self.machines if m.account.source == "aws" and not m.pipeline])
            region = rng.choice([r for r in self.places.regions if r.startswith("aws/") and "gov" not in r])
            there = [self.places.region(region, f"moved/{machine.name}/{k}") for k in range(2)]
            if machine.moves is None and machine.account.templates:
                machine.moves = (rng.randrange(10, plan.days), there, "migration")

    def _aws_account(self, n: int, starts: int) -> None:
        plan = self.plan
        number = f"{number_of(f'aws/{plan.seed}/{n}', 9)}{100 + n}"
        account = AwsAccount(number, AWS_REGIONS[n % len(AWS_REGIONS)], list(FAMILIES[n % len(FAMILIES)]), starts)
        account.nat = [self.places.region(f"aws/{account.region}", f"nat/{number}/{k}") for k in range(2)]
        self.aws.append(account)
        runner = [self.places.region("azure/eastus", f"runner/{number}/{k}") for k in range(3)]
        deploy = on_aws(
            aws.role(number, "ci-deploy", "GitHubActions", aws.TERRAFORM, account.region), "assume", "deploy",
            "instances", "groups",
        )  # fmt: skip
        self._add(account, Machine("ci-deploy", deploy, runner, 6, (6, 20), True, starts, pipeline=True))
        self._service(account, "web")
        inside = on_aws(
            aws.role(number, "orders", "1c0a9d7e4f52", aws.JAVA, account.region, "vpce-0a1b2c3d4e5f60718"),
            "bucket_acl", "decrypt", "parameter",
        )  # fmt: skip
        self._add(account, Machine("orders", inside, [Places.private(number)], 5, starts=starts))
        backup = on_aws(aws.user(number, "backup", region=account.region), "buckets", "bucket_acl", "whoami")
        centre = self.places.access(self.offices[n % 2], f"data centre/{n % 2}")
        self._add(account, Machine("backup", backup, [centre], 2, (1, 5), starts=starts))
        snapshots = on_aws(aws.role(number, "snapshots", "nightly", aws.BOTO, account.region))
        self._add(account, Machine("snapshots", snapshots, account.nat[:1], 0, starts=starts))
        account.instance_role = f"fleet-{n}"
        for k in range(2):
            function = f"mailer-{n}-{k}"
            account.functions[function] = f"{function}-role"
            principal = aws.lambda_role(number, f"{function}-role", function, account.region)
            second = aws_instances.elsewhere("sqs", "ListQueues", account.second)
            does = ("parameter", "queues", "denied_read") if k == 0 else ("secret", "decrypt", second)
            where = [self.places.region(f"aws/{account.region}", f"lambda/{function}/{i}") for i in range(2)]
            self._add(account, Machine(function, on_aws(principal, *does), where, 4, starts=starts))

    def _service(self, account: AwsAccount, name: str) -> None:
        rng = self.plan.rng("service", account.id, name)
        kinds = (
            ("parameter", "queues", "log_groups"), ("bucket_acl", "bucket_location", "topics"), ("table", "query"),
            ("secret", "decrypt", "queues"), ("alarms", "log_groups", "denied_read"),
        )  # fmt: skip
        session = f"{rng.getrandbits(80):020x}"
        does = kinds[0] if name == "web" else rng.choice(kinds)
        principal = aws.role(account.id, name, session, aws.JAVA, account.region)
        self._add(account, Machine(name, on_aws(principal, *does), account.nat, 4, starts=account.starts))

    def _add(self, account: AwsAccount, machine: Machine) -> None:
        account.machines[machine.name] = machine
        self.machines.append(machine)

    def instance(self, account: AwsAccount, day: int, slot: int) -> Account:
        """The instance that holds a slot of the account's fleet on a day: it is replaced every few days."""
        life = 2 + slot * 3
        generation = (day + slot) // life
        digest = hashlib.sha256(f"{account.id}/{slot}/{generation}".encode()).hexdigest()[:16]
        return on_aws(
            aws.instance(account.id, account.instance_role, f"i-0{digest}", account.region), "parameter", "queues",
            "log_groups", "users",
        )  # fmt: skip

    # -- people --------------------------------------------------------------------------------------------------------

    def _make_people(self) -> None:
        plan = self.plan
        wanted = round(plan.size * p.PEOPLE.value)
        rng = plan.rng("people")
        names: set[str] = set()
        for n in range(wanted):
            self.people.append(self._person(n, names, rng, starts=0))
        for n in range(times(plan.rng("hires"), wanted * p.HIRES.value * plan.days / p.MONTH)):
            self.people.append(self._person(wanted + n, names, rng, starts=rng.randrange(1, plan.days - 2)))

    def _person(self, n: int, names: set[str], rng: random.Random, starts: int) -> Person:
        plan = self.plan
        domain = SUBSIDIARY if n % 7 == 6 else DOMAIN
        while True:
            email = f"{rng.choice(FIRST_NAMES)}.{rng.choice(LAST_NAMES)}{rng.randrange(2, 999)}@{domain}".lower()
            if email not in names:
                names.add(email)
                break
        own = plan.rng("person", email)
        office = self.offices[min(int(own.expovariate(3.0 / len(self.offices))), len(self.offices) - 1)]
        contractor = own.random() < p.CONTRACTORS.value
        home = own.choice([c for c in p.ARRIVALS if c not in self.offices]) if contractor else office
        leaves = own.expovariate(p.LEAVERS.value / p.MONTH)
        ends = plan.days if leaves > plan.days - starts else max(starts + 2, starts + int(leaves))
        person = Person(email, home, {}, starts, ends, contractor=contractor)
        self._give(person, domain, own)
        person.trips = list(self._trips(person, own))
        person.company_vpn = domain == DOMAIN and own.random() < p.COMPANY_VPN.value
        if domain == DOMAIN and own.random() < p.ROAMERS.value:
            person.tour = (home, *own.sample([c for c in ("NL", "DE", "FR", "BE", "GB", "CH", "AT") if c != home], 4))
        if own.random() < p.PERSONAL_VPN.value:
            person.own_vpn = own.sample(["NL", "US", "GB", "CH", "SE", "DE", "RO", "CA", "JP"], 3)
        person.elsewhere = dict(self._mistakes(person, own))
        return person

    def _give(self, person: Person, domain: str, own: random.Random) -> None:
        email = person.email
        typed = email.title().replace("Example", "example") if own.random() < 0.3 else email
        if domain == SUBSIDIARY:
            person.accounts[WORKSPACE] = on_workspace(email)
            return
        person.accounts[TENANT] = on_m365(typed)
        person.accounts["entra"] = on_entra(typed)
        engineer = own.random() < 0.4
        if not engineer:
            return
        running = [account for account in self.aws if account.starts == 0]
        for account in own.sample(running, 1 + (own.random() < 0.3)):
            person.accounts[account.id] = self.engineer(account.id, typed)
        if own.random() < 0.25:
            name = own.choice(self.subscriptions)
            person.accounts[name] = on_azure(name, typed, "vm_read", "vm_start", "deployment", "vault!")
        if own.random() < 0.25:
            name = own.choice(self.gcp)
            person.accounts[name] = on_gcp(name, email, "query", "buckets", "object", "instances")
        if own.random() < 0.3:
            cluster = own.choice(self.clusters)
            person.accounts[cluster.name] = cluster.account(email)
        if own.random() < p.NEW_DUTIES.value * self.plan.days / p.MONTH:
            other = own.choice(self.aws)
            if other.id not in person.accounts:
                person.accounts[other.id] = self.engineer(other.id, typed)
                person.since[other.id] = max(other.starts, own.randrange(5, self.plan.days))

    def engineer(self, account: str, email: str) -> Account:
        """A person in an AWS account, through IAM Identity Center, at work in the account's region."""
        region = next(each.region for each in self.aws if each.id == account)
        return on_aws(dataclasses.replace(aws.person(account, "Engineer", email), region=region), *CONSOLE)

    def _trips(self, person: Person, own: random.Random) -> list[Trip]:
        found: list[Trip] = []
        choices, weights = list(p.ARRIVALS), list(p.ARRIVALS.values())
        for _ in range(times(own, p.TRIPS.value * self.plan.days / p.YEAR)):
            first = own.randrange(self.plan.days)
            last = first + min(21, int(own.expovariate(1 / p.TRIP_DAYS.value)))
            to_office = own.random() < 0.35
            country = own.choice(self.offices) if to_office else own.choices(choices, weights)[0]
            if country != person.home:
                found.append(Trip(first, last, country))
        return found

    def _mistakes(self, person: Person, own: random.Random) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for _ in range(times(own, p.GEO_ERRORS.value * self.plan.days / p.MONTH)):
            first, country = own.randrange(self.plan.days), own.choice(list(p.ARRIVALS))
            found += [(first + k, country) for k in range(own.randrange(1, 5))]
        return found

    # -- computers -----------------------------------------------------------------------------------------------------

    def _make_hosts(self) -> list[Host]:
        count = max(16, round(self.plan.size * 0.25))
        return [
            Host(f"nw-l{n:04}", f"NORDWIND\\user{n:04}", n // HOSTS_A_TEAM, Places.private(f"host/{n}"))
            for n in range(count)
        ]

    # -- what is known about it ----------------------------------------------------------------------------------------

    @functools.cached_property
    def country_use(self) -> dict[str, set[str]]:
        """Project -> the countries in which long-standing people of it are at home."""
        found: dict[str, set[str]] = {}
        for person in self.people:
            if person.starts == 0 and person.ends > 30:
                for project in person.accounts:
                    if project not in person.since:
                        found.setdefault(project, set()).add(person.home)
        return found

    @functools.cached_property
    def ever(self) -> set[str]:
        """Every country in which anybody or anything of the organization is ever seen in its normal life."""
        return {country for person in self.people for country in person.countries()}
