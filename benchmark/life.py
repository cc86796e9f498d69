"""What everybody does on a day: normal life, with all that is hard about it. Attacks are laid into it elsewhere."""

from __future__ import annotations

import random
from typing import Any, Iterator

from demo.accounts import TENANT, WORKSPACE, Account, on_aws
from demo.addresses import EGRESS_COUNTRY, VPN_EXITS
from demo.addresses import pick as address_in
from demo.formats import aws, aws_functions, aws_instances, gcp_functions, kubernetes, m365, workspace
from demo.formats.aws import Call
from demo.formats.aws_functions import in_region
from demo.formats.azure import stable_uuid
from demo.formats.sysmon import Contact, Program
from demo.formats.template import DAY
from demo.people import HOLIDAYS

from . import moments as why
from . import parameters as p
from .moments import Moment
from .places import Places, back_end
from .world import (
    APPS,
    CHROME,
    HOUR,
    MOVED_EXITS,
    NAMESPACES,
    POPULAR,
    PROGRAMS,
    WORK_STARTS,
    AwsAccount,
    Host,
    Machine,
    Person,
    World,
    times,
)

CONSOLE_REFUSED = Call("signin", "ConsoleLogin", None, {"ConsoleLogin": "Failure"}, False, "Failed authentication")
ROLLED_OUT = ("ruby3.3", "dotnet8", "provided.al2023", "java21", "nodejs22.x", "Image")
"""What platform teams bring to accounts that do not have it yet."""
FIRST_FUNCTIONS = (2, 9)
"""Days of an account on which its pipeline makes functions whatever the dice say."""
TYPED_AGAIN = 20
"""Seconds from a mistyped password to the right one."""
NEW_HERE = 30
"""For so many days what somebody does is put down to their being new."""


class Life:
    """The calendar of a world: what is drawn once for the whole time, and what happens on each day."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan = world.plan
        self.places = world.places
        days, quarter = self.plan.days, p.QUARTER
        rng = self.plan.rng("calendar")
        self.vpn_moves = sorted(rng.randrange(5, days) for _ in range(times(rng, p.VPN_MOVES.value * days / quarter)))
        self.exit_countries = [rng.choice(MOVED_EXITS) for _ in self.vpn_moves]
        self.bursts = {rng.randrange(days) for _ in range(times(rng, p.BURSTS.value * days / quarter))}
        self.regions = self._new_regions()
        self.runtimes = self._new_runtimes()
        self.tools = [rng.randrange(days) for _ in range(times(rng, p.NEW_TOOLS.value * days / p.MONTH))]
        self.nat_moves = {account.id: rng.randrange(5, days * 2) for account in world.aws}

    def _new_regions(self) -> list[tuple[AwsAccount, int, str]]:
        found = []
        for account in self.world.aws:
            rng = self.plan.rng("regions", account.id)
            for _ in range(times(rng, p.NEW_REGIONS.value * self.plan.days / p.QUARTER)):
                choices = [name[4:] for name in self.places.regions if name.startswith("aws/") and "gov" not in name]
                found.append((account, rng.randrange(account.starts, self.plan.days), rng.choice(choices)))
        return found

    def _new_runtimes(self) -> list[tuple[AwsAccount, int, str]]:
        found = []
        for account in self.world.aws:
            rng = self.plan.rng("runtimes", account.id)
            for _ in range(times(rng, p.NEW_RUNTIMES.value * self.plan.days / p.QUARTER)):
                found.append((account, rng.randrange(account.starts, self.plan.days), rng.choice(ROLLED_OUT)))
        return found

    def day(self, day: int) -> list[Moment]:
        """Everything that happens on a day, in no order."""
        made: list[Moment] = []
        for person in self.world.people:
            if person.there(day):
                made += self._person(person, day)
        for machine in self.world.machines:
            made += self._machine(machine, day)
        for account in self.world.aws:
            if account.starts <= day:
                made += self._account(account, day)
        made += self._google(day)
        made += self._clusters(day)
        made += self._hosts(day)
        return made

    # -- people --------------------------------------------------------------------------------------------------------

    def _person(self, person: Person, day: int) -> Iterator[Moment]:
        rng = self.plan.rng("life", person.email, day)
        weekday = self.plan.weekday(day)
        date = self.plan.day(day).date[5:]
        works = rng.random() < p.ON_DUTY.value if weekday < 5 else rng.random() < p.WEEKEND.value
        if date in HOLIDAYS.get(person.home, ()):
            works = False
        yield from self._attempts(person, rng)
        if not works:
            return
        address, cause = self._place(person, day, rng)
        start = WORK_STARTS.get(person.country(day), 7) * HOUR % DAY
        length = min(9 * HOUR, DAY - start - 1)
        busy = 3 if day in self.bursts else 1
        for project, account in person.accounts.items():
            since = person.since.get(project, 0)
            office = project in (TENANT, "entra", WORKSPACE)
            if day < since or (weekday >= 5 and not office) or (not office and rng.random() > 0.6):
                continue
            for _ in range(busy * (1 + times(rng, 1.6))):
                at = start + rng.randrange(length)
                if office and rng.random() < p.MISTYPED.value:
                    refused = {"entra": "wrong_password", TENANT: "UserLoginFailed"}.get(project, "login_failure")
                    yield Moment(max(0, at - TYPED_AGAIN), account, refused, address, why.MISTYPED)
                new = project in person.since and day < since + NEW_HERE
                because = why.DUTIES if new else why.BURST if cause == why.ROUTINE and busy > 1 else cause
                yield Moment(at, account, rng.choice(_let_in(account)), address, because)
        if rng.random() < p.MOBILE.value:
            mail = person.accounts.get(TENANT) or person.accounts[WORKSPACE]
            country = person.country(day)
            carrier = self.places.access(country, f"carrier/{person.email}/{day // 3}")
            what = "MailItemsAccessed" if TENANT in person.accounts else "view"
            at = min(DAY - 1, start + rng.randrange(length))
            travels = country != person.home
            yield Moment(
                at, mail, what, carrier, why.TRAVEL if travels else cause if cause != why.ROUTINE else why.MOBILE
            )
        yield from self._errands(person, day, address, start, length, rng)

    def _place(self, person: Person, day: int, rng: random.Random) -> tuple[str, str]:
        """Where somebody works from on a day, and what is special about it."""
        country = person.country(day)
        if country != person.home:
            return self.places.access(country, f"{person.email}/abroad/{day // 4}"), why.TRAVEL
        if person.tour and self.plan.weekday(day) < 5:
            tour = person.tour[self.plan.weekday(day)]
            return self.places.access(tour, f"{person.email}/tour/{tour}"), why.ROUTINE
        if day in person.elsewhere:
            return self.places.access(person.elsewhere[day], f"{person.email}/mistake/{day // 5}"), why.GEO
        if person.own_vpn and rng.random() < p.PERSONAL_VPN_DAYS.value:
            return self.places.access(rng.choice(person.own_vpn), f"exit/{rng.randrange(9)}"), why.OWN_VPN
        if person.company_vpn and self.plan.weekday(day) in (1, 3):
            return self._exit(person, day)
        cause = why.ROUTINE
        if person.contractor:
            cause = why.CONTRACTOR
        if person.starts and day < person.starts + NEW_HERE:
            cause = why.HIRE
        if not person.contractor and self.plan.weekday(day) in (0, 2):
            return self.places.access(person.home, f"office/{person.home}"), cause
        return self.places.access(person.home, f"{person.email}/home/{day // 17}"), cause

    def _exit(self, person: Person, day: int) -> tuple[str, str]:
        moved = sum(1 for since in self.vpn_moves if since <= day)
        if not moved:
            return address_in(VPN_EXITS["amsterdam"][1], person.email), why.ROUTINE
        return self._moved_exit(moved), why.VPN_MOVED

    def _moved_exit(self, number: int) -> str:
        return self.places.access(self.exit_countries[number - 1], f"vpn/{number}")

    def unlisted_exits(self) -> list[dict[str, str]]:
        """What an engineer would list as exits: where the company's VPN has moved to, and what the provider of hosted
        runners publishes."""
        moved = {self._moved_exit(number + 1) for number in range(len(self.vpn_moves))}
        runners = {self._runner(region, day) for region in self._runner_regions() for day in range(self.plan.days)}
        runners |= {address for machine in self.world.machines if machine.pipeline for address in machine.addresses}
        return [
            *({"cidr": f"{address}/32", "country": EGRESS_COUNTRY} for address in sorted(moved)),
            *({"cidr": f"{address}/32", "label": "hosted runners"} for address in sorted(runners)),
        ]

    def _runner_regions(self) -> list[str]:
        return [name for name in self.places.regions if name.startswith("azure/")]

    def _runner(self, region: str, day: int) -> str:
        return self.places.region(region, f"runner/{day}")

    def _attempts(self, person: Person, rng: random.Random) -> Iterator[Moment]:
        """What others try with somebody's name, from anywhere: refused."""
        for _ in range(times(rng, p.ATTEMPTS.value)):
            account = person.accounts.get(rng.choice([TENANT, "entra"])) or person.accounts.get(WORKSPACE)
            if account is None:
                continue
            country = rng.choice(self.places.countries)
            address = self.places.access(country, f"attempt/{rng.randrange(50)}")
            refused = {"m365": "UserLoginFailed", "azure": "wrong_password"}.get(account.source, "login_failure")
            yield Moment(rng.randrange(DAY), account, refused, address, why.ATTEMPT)

    def _errands(
        self, person: Person, day: int, address: str, start: int, length: int, rng: random.Random
    ) -> Iterator[Moment]:
        """What somebody does once in a while."""

        def at() -> int:
            return min(DAY - 1, start + rng.randrange(length))

        month = p.MONTH * 5 / 7
        for project, account in person.accounts.items():
            if day < person.since.get(project, 0):
                continue
            if account.source == "aws" and rng.random() < p.SECRET_ERRANDS.value / month:
                yield Moment(at(), account, rng.choice(["secret", "parameter", LIST_SECRETS]), address, why.ERRAND)
            if account.source == "kubernetes" and rng.random() < p.SHELLS.value / month:
                cluster = next(each for each in self.world.clusters if each.name == account.project)
                if not cluster.quiet:
                    yield Moment(at(), account, shell(rng.choice(NAMESPACES[:4]), rng.choice(APPS)), address, why.SHELL)
        mail, docs = person.accounts.get(TENANT), person.accounts.get(WORKSPACE)
        if mail is not None and rng.random() < p.FLOWS.value / month:
            flow = m365.flow("CreateFlow", stable_uuid(f"flow/{person.email}/{day}"), "SharePoint", "Approvals")
            yield Moment(at(), mail, flow, address, why.FLOW)
        if docs is not None and rng.random() < p.SCRIPTS.value / month:
            yield from bound_script(at(), docs, f"Helper {person.email} {day}", address, why.SCRIPT)
        if mail is not None and rng.random() < 0.02:
            yield Moment(at(), mail, m365.link_for_anyone(f"leaflet-{day}.pdf"), address)
        who = mail or docs
        if who is not None and rng.random() < 0.05:
            what = "MailItemsAccessed" if who is mail else "view"
            yield Moment(at(), who, what, back_end(who.source), why.BACK_END)

    # -- machines ------------------------------------------------------------------------------------------------------

    def _machine(self, machine: Machine, day: int) -> Iterator[Moment]:
        if day < machine.starts or (machine.weekdays and self.plan.weekday(day) >= 5) or not machine.a_day:
            return
        rng = self.plan.rng("machine", machine.account.identity, machine.account.project, machine.name, day)
        where, cause = machine.addresses, why.ACCOUNT if machine.starts else why.ROUTINE
        if machine.moves is not None and day >= machine.moves[0]:
            where, cause = machine.moves[1], why.MIGRATION
        elif machine.addresses and machine.account.source == "aws" and self._nat_moved(machine, day):
            account = next(each for each in self.world.aws if each.id == machine.account.project)
            where, cause = [self.places.region(f"aws/{account.region}", f"nat2/{account.id}")], why.NAT
        if machine.pipeline and rng.random() < p.RUNNER_ELSEWHERE.value:
            where, cause = [self._runner(rng.choice(self._runner_regions()), day)], why.RUNNER
        begin, end = machine.hours
        for _ in range(1 + times(rng, machine.a_day)):
            at = rng.randrange(begin * HOUR, end * HOUR)
            yield Moment(
                at, machine.account, rng.choice(machine.account.routine or ("whoami",)), rng.choice(where), cause
            )

    def _nat_moved(self, machine: Machine, day: int) -> bool:
        account = next((each for each in self.world.aws if each.id == machine.account.project), None)
        return account is not None and machine.addresses is account.nat and day >= self.nat_moves[account.id]

    def _account(self, account: AwsAccount, day: int) -> Iterator[Moment]:
        """An AWS account's own routine: instances come and go, disks are copied, functions deployed."""
        rng = self.plan.rng("account", account.id, day)
        cause = why.ACCOUNT if account.starts else why.ROUTINE
        nat = account.nat[0]
        ec2, lambdas = account.service("ec2.amazonaws.com"), account.service("lambda.amazonaws.com")
        for slot in range(3):
            instance = self.world.instance(account, day, slot)
            session = instance.write("whoami").text.split("assumed-role/")[1].split("/")[1].split('"')[0]
            took = aws_instances.deliver_role(account.id, account.instance_role, session, account.region)
            yield Moment(5 + slot, ec2, took, "ec2.amazonaws.com", cause)
            for _ in range(1 + times(rng, 1.5)):
                at, what = rng.randrange(60, DAY), rng.choice(instance.routine)
                yield Moment(
                    at, instance, what, rng.choice(account.nat), why.AUTOSCALING if cause == why.ROUTINE else cause
                )
        for number, (function, role) in enumerate(account.functions.items()):
            took = aws_instances.deliver_role(account.id, role, function, account.region)
            yield Moment(4 * HOUR + number, lambdas, took, "lambda.amazonaws.com", cause)
        disks = account.machines["snapshots"]
        yield Moment(90 * 60, disks.account, aws_instances.snapshot(account.region), nat, cause)
        deploy = account.machines["ci-deploy"]
        runner = deploy.addresses[0]
        if self.deploys(account, day):
            yield from self._feature(account, deploy.account, runner, day, rng)
        if self.plan.weekday(day) in (0, 3):
            for function, role in account.functions.items():
                update = in_region(aws_functions.update_code(account.id, function, role), account.region)
                yield Moment(9 * HOUR + rng.randrange(HOUR), deploy.account, update, runner, cause)
        for where, since, region in self.regions:
            if where is account and since <= day < since + 40 and (day == since or rng.random() < 0.3):
                machine = f"i-0{rng.getrandbits(64):016x}"
                run = aws_instances.run(machine, account.instance_role, region)
                yield Moment(10 * HOUR + rng.randrange(HOUR), deploy.account, run, runner, why.REGION)
                yield Moment(12 * HOUR, disks.account, aws_instances.snapshot(region), nat, why.REGION)
        for where, since, runtime in self.runtimes:
            if where is account and day >= since and (day - since) % 5 == 0 and day < since + 25:
                name = f"rollout-{day}"
                made = in_region(aws_functions.create(account.id, name, runtime, "rollout-role"), account.region)
                yield Moment(11 * HOUR + rng.randrange(HOUR), deploy.account, made, runner, why.RUNTIME)
        yield from self._console(account, day, rng)

    def deploys(self, account: AwsAccount, day: int) -> bool:
        """Whether the pipeline of an account makes a function on a day."""
        if day < account.starts:
            return False
        chance = self.plan.rng("deploys", account.id, day).random()
        return day - account.starts in FIRST_FUNCTIONS or (
            self.plan.weekday(day) < 5 and chance < p.FUNCTIONS.value / 5
        )

    def _feature(
        self, account: AwsAccount, deploy: Account, runner: str, day: int, rng: random.Random
    ) -> Iterator[Moment]:
        name, at = f"feature-{day:02}", 10 * HOUR + rng.randrange(2 * HOUR)
        runtime = rng.choice(account.runtimes)
        role = f"{name}-role"
        yield Moment(at, deploy, aws_functions.create_role(account.id, role), runner, why.FEATURE)
        yield Moment(at + 2, deploy, aws_functions.attach_policy(role), runner, why.FEATURE)
        made = in_region(aws_functions.create(account.id, name, runtime, role), account.region)
        yield Moment(at + 20, deploy, made, runner, why.FEATURE)

    def _console(self, account: AwsAccount, day: int, rng: random.Random) -> Iterator[Moment]:
        """Roots and keys at the console, and what others try there."""
        if rng.random() < p.FIRST_LOGINS.value / p.MONTH:
            who = _root(account) if rng.random() < 0.5 else _console_user(account, f"auditor-{rng.randrange(3)}")
            address = self.places.access(self.world.offices[0], f"office/{self.world.offices[0]}")
            at = 9 * HOUR + rng.randrange(8 * HOUR)
            yield Moment(at, who, "login", address, why.CONSOLE)
            yield Moment(at + 70, who, "billing", address, why.CONSOLE)
        for _ in range(times(rng, 1.0)):
            address = self.places.access(rng.choice(self.places.countries), f"attempt/{rng.randrange(50)}")
            yield Moment(rng.randrange(DAY), _root(account), CONSOLE_REFUSED, address, why.ATTEMPT)

    def _google(self, day: int) -> Iterator[Moment]:
        if self.plan.weekday(day) != 1:
            return
        for project in self.world.gcp:
            machine = next(each for each in self.world.machines if each.name == f"deployer/{project}")
            create = gcp_functions.create(project, f"batch-{day // 7:02}", "python312", "functions")
            update = gcp_functions.update(project, "loader", "functions")
            yield Moment(27_000, machine.account, create, machine.addresses[0], why.FEATURE)
            yield Moment(43_000, machine.account, update, machine.addresses[0], why.FEATURE)

    def _clusters(self, day: int) -> Iterator[Moment]:
        """The deployers read the secrets of their namespaces; in busy clusters a debugger goes into pods every day."""
        for cluster in self.world.clusters:
            rng = self.plan.rng("cluster", cluster.name, day)
            deployer = cluster.account("system:serviceaccount:ci:deployer")
            inside = Places.private(cluster.name + deployer.identity)
            for namespace in NAMESPACES[:3]:
                yield Moment(rng.randrange(6 * HOUR, 20 * HOUR), deployer, secret_list(namespace), inside)
            if not cluster.quiet:
                probe = cluster.account("system:serviceaccount:ops:debugger")
                yield Moment(rng.randrange(DAY), probe, shell("shop", "web"), Places.private(f"debug/{cluster.name}"))

    # -- computers -----------------------------------------------------------------------------------------------------

    def _hosts(self, day: int) -> Iterator[Moment]:
        if self.plan.weekday(day) >= 5:
            return
        for host in self.world.hosts:
            rng = self.plan.rng("host", host.name, day)
            if rng.random() > p.ON_DUTY.value:
                continue
            for _ in range(3 + times(rng, 1)):
                yield Moment(rng.randrange(7 * HOUR, 16 * HOUR), host.account, rng.choice(POPULAR), host.address)
            for contact in host.work:
                yield Moment(rng.randrange(7 * HOUR, 16 * HOUR), host.account, contact, host.address)
            yield from self._firsts(host, day, rng)

    def _firsts(self, host: Host, day: int, rng: random.Random) -> Iterator[Moment]:
        if rng.random() < p.VENDORS.value * 7 / 5 / p.MONTH:
            kind = rng.choice(("azurewebsites.net", "web.app", "cloudfront.net", "pages.dev", "s3.amazonaws.com"))
            name = f"portal-{rng.getrandbits(40):010x}.{kind}"
            yield Moment(
                rng.randrange(7 * HOUR, 16 * HOUR), host.account, Contact(CHROME, name), host.address, why.VENDOR
            )
        number = int(host.name[-4:])
        for index, since in enumerate(self.tools):
            # In waves: two computers as a trial, then a fifth of all each day.
            begins = since if number < 2 else since + 2 + number % 5
            if begins <= day < begins + 10:
                tool = Program(f"{PROGRAMS}Tool{index}\\tool{index}.exe")
                contact = Contact(tool, f"tool{index}-tenant.blob.core.windows.net")
                yield Moment(rng.randrange(7 * HOUR, 16 * HOUR), host.account, contact, host.address, why.TOOL)


LIST_SECRETS = Call("secretsmanager", "ListSecrets", {"maxResults": 20})


def _let_in(account: Account) -> tuple[Any, ...]:
    """The routine of an account without what is refused, which has a rate of its own."""
    return tuple(each for each in account.routine if each not in ("UserLoginFailed", "wrong_password", "login_failure"))


def _root(account: AwsAccount) -> Account:
    return on_aws(aws.root(account.id))


def _console_user(account: AwsAccount, name: str) -> Account:
    return on_aws(aws.user(account.id, name, aws.BROWSER))


def shell(namespace: str, app: str) -> tuple[str, str, str]:
    """A shell in a pod of an application, whose pods have names of their own."""
    return kubernetes.execution(namespace, f"{app}-7c9d8f6b5-x2x4q")


def secret_list(namespace: str) -> tuple[str, str, str]:
    return kubernetes.secrets_of(namespace)


def bound_script(at: int, account: Account, title: str, address: str, cause: str) -> Iterator[Moment]:
    """A script is written and bound to events."""
    doc = "1" + stable_uuid("script/" + title).replace("-", "")
    yield Moment(at, account, workspace.script("create", doc, title), address, cause)
    yield Moment(min(DAY - 1, at + 60), account, workspace.approve(title, "forms", "script.scriptapp"), address, cause)
