"""Attacks on `compute_identity_outside_region` and `compute_activity_dormant_region`."""

from __future__ import annotations

from cba.enrich.regions import country_of
from demo.accounts import Account, on_aws
from demo.formats import aws, aws_instances
from demo.formats.aws_instances import elsewhere

from ..places import Places
from ..world import AwsAccount
from . import attack as kinds
from .attack import Attack
from .scene import NoVictim, Scene

OUTSIDE, DORMANT = "compute_identity_outside_region", "compute_activity_dormant_region"
LOOKS = ("whoami", "buckets", "queues", "log_groups")


def outside_base(scene: Scene) -> Attack:
    """To a region in which another workload of the account works."""
    account, instance, address = scene.instance("second region")
    what = [elsewhere("ec2", name, account.second) for name in ("DescribeInstances", "DescribeVolumes")]
    return scene.attack(OUTSIDE, "base", scene.acts(instance, address, *what))


def outside_v1(scene: Scene) -> Attack:
    account, _name, machine = scene.function()
    region = scene.new_region(account)
    what = [elsewhere("sqs", "ListQueues", region), elsewhere("sns", "ListTopics", region)]
    return scene.attack(OUTSIDE, "v1", scene.acts(machine.account, machine.addresses[0], *what))


def _thief(scene: Scene) -> Account:
    """Whose credentials are stolen: an instance's, or a function's."""
    if scene.number % 3 == 2:
        return scene.function()[2].account
    return scene.instance()[1]


def outside_v2(scene: Scene) -> Attack:
    return scene.attack(OUTSIDE, "v2", scene.acts(_thief(scene), scene.in_country(scene.fresh_country()), *LOOKS))


def outside_v3(scene: Scene) -> Attack:
    """On a machine that was rented in the same cloud, in another country."""
    account, instance, own = scene.instance()
    network, home = scene.stage.geo.lookup(own).asn, country_of("aws", account.region)
    choices = []
    for region in scene.places.regions:
        address = scene.places.region(region, f"rented/{scene.number}")
        there = scene.stage.geo.lookup(address)
        abroad = there.country not in (home, "") and scene.left(f"country of {account.id}", there.country)
        if region.startswith("aws/") and there.asn == network and abroad:
            choices.append((address, there.country))
    if not choices:
        raise NoVictim
    address, country = scene.rng.choice(choices)
    scene.spend(f"country of {account.id}", country)
    return scene.attack(OUTSIDE, "v3", scene.acts(instance, address, *LOOKS))


def outside_v4(scene: Scene) -> Attack:
    """From the very country, through a network that no workload comes from."""
    account, instance, _own = scene.instance("other network")
    address = scene.in_country(country_of("aws", account.region), but=scene.places.networks("aws"))
    return scene.attack(OUTSIDE, "v4", scene.acts(instance, address, *LOOKS))


def outside_v5(scene: Scene) -> Attack:
    account, instance, address = scene.instance()
    region = scene.new_region(account)
    what = [elsewhere("ec2", name, region) for name in ("DescribeInstances", "DescribeInstanceTypeOfferings")]
    return scene.attack(OUTSIDE, "v5", scene.acts(instance, address, *what))


def outside_v6(scene: Scene) -> Attack:
    account, instance, address = scene.instance()
    region = scene.new_region(account)
    refused = "Client.UnauthorizedOperation"
    what = [elsewhere("ec2", name, region, refused) for name in ("RequestSpotInstances", "RunInstances")]
    return scene.attack(OUTSIDE, "v6", scene.acts(instance, address, *what))


OUTSIDE_PLAIN = {
    "base": outside_base, "v1": outside_v1, "v2": outside_v2, "v3": outside_v3, "v4": outside_v4, "v5": outside_v5,
    "v6": outside_v6,
}  # fmt: skip


def outside_at_home(scene: Scene) -> Attack:
    """On a machine that was rented in the very region in which the instance is."""
    account, instance, _own = scene.instance()
    address = scene.places.region(f"aws/{account.region}", f"rented/{scene.number}")
    return scene.attack(OUTSIDE, "v2", scene.acts(instance, address, *LOOKS), kinds.CLOUD_AT_HOME)


def outside_same_network(scene: Scene) -> Attack:
    """In the same cloud, in another region of the same country or the next best one."""
    attack = outside_v3(scene)
    return scene.attack(OUTSIDE, "v3", attack.acts, kinds.SAME_NETWORK)


def outside_refused_first(scene: Scene) -> Attack:
    """Calls that are denied for three days before one is allowed."""
    address = scene.in_country(scene.fresh_country())
    instance = scene.instance()[1]
    denied = [act for k in (3, 2, 1) for act in scene.acts(instance, address, "denied_read", day=scene.day - k)]
    return scene.attack(OUTSIDE, "v2", (*denied, *scene.acts(instance, address, *LOOKS)), kinds.REFUSED_FIRST)


OUTSIDE_STEALTHY = (outside_at_home, outside_same_network, outside_refused_first)


def _run(scene: Scene, account: AwsAccount, region: str) -> aws.Call:
    return aws_instances.run(f"i-0{scene.rng.getrandbits(64):016x}", account.instance_role, region)


def dormant_base(scene: Scene) -> Attack:
    """Through a VPC endpoint, from inside."""
    account, machine = scene.machine("orders")
    what = aws_instances.snapshot(scene.new_region(account))
    return scene.attack(DORMANT, "base", scene.acts(machine.account, machine.addresses[0], what, what))


def dormant_v1(scene: Scene) -> Attack:
    account, machine = scene.machine("snapshots")
    what = aws_instances.snapshot(scene.new_region(account))
    return scene.attack(DORMANT, "v1", scene.acts(machine.account, account.nat[0], what, what))


def dormant_v2(scene: Scene) -> Attack:
    account, machine = scene.machine("ci-deploy")
    region = scene.new_region(account)
    what = (_run(scene, account, region), _run(scene, account, region))
    return scene.attack(DORMANT, "v2", scene.acts(machine.account, machine.addresses[0], *what))


def dormant_v3(scene: Scene) -> Attack:
    account, machine = scene.machine("backup")
    row = {"access_key": aws.access_key(machine.account.identity), "reason": "found in a public repository"}
    what = _run(scene, account, scene.new_region(account))
    acts = scene.acts(machine.account, machine.addresses[0], what)
    return scene.attack(DORMANT, "v3", acts, lists={"compromised_keys": [row]})


DORMANT_PLAIN = {"base": dormant_base, "v1": dormant_v1, "v2": dormant_v2, "v3": dormant_v3}


def dormant_refused_first(scene: Scene) -> Attack:
    """A quota refuses machines for two days before the attacker has it raised."""
    account, machine = scene.machine("ci-deploy")
    region, address = scene.new_region(account), machine.addresses[0]
    denied = aws.Call("ec2", "RunInstances", {}, None, False, "Client.VcpuLimitExceeded", region=region)
    tries = [act for k in (2, 1) for act in scene.acts(machine.account, address, denied, day=scene.day - k)]
    acts = (*tries, *scene.acts(machine.account, address, _run(scene, account, region)))
    return scene.attack(DORMANT, "v2", acts, kinds.REFUSED_FIRST)


def dormant_new_project(scene: Scene) -> Attack:
    """In an account that has been there for some days only, and where nothing is known yet."""
    number = f"9{scene.number:03}{scene.rng.randrange(10**8):08}"
    intruder = on_aws(aws.role(number, "OrganizationAccountAccessRole", "admin", aws.BOTO))
    what = _run(scene, scene.account(), "sa-east-1")
    inside = Places.private(number)
    before = [(act, "new account") for k in (3, 2) for act in scene.acts(intruder, inside, "whoami", day=scene.day - k)]
    acts = scene.acts(intruder, scene.in_country(scene.world.offices[0]), what)
    return scene.attack(DORMANT, "v2", acts, kinds.NEW_PROJECT, before)


DORMANT_STEALTHY = (dormant_refused_first, dormant_new_project)
