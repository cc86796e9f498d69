"""Attacks on `cloud_unusual_country`: credentials used from where their owner is not."""

from __future__ import annotations

from demo.accounts import TENANT, Account
from demo.formats import aws

from ..moments import ATTEMPT
from ..places import back_end
from ..world import Person
from . import attack as kinds
from .attack import Attack
from .scene import NoVictim, Scene

ID = "cloud_unusual_country"
SOURCES = ("m365", "aws", "gws", "azure", "gcp")
DOES = {
    "m365": ("UserLoggedIn", "MailItemsAccessed", "FileDownloaded"),
    "aws": ("whoami", "buckets", "instances"),
    "gws": ("login_success", "view", "download"),
    "azure": ("vm_read", "storage_keys", "vm_start"),
    "gcp": ("instances", "buckets", "object"),
    "kubernetes": ("review", "list_pods", "get_config"),
}
EUROPE = (
    "AT", "BE", "CZ", "DK", "FI", "GR", "HR", "HU", "IE", "IT", "LT", "LV", "NO", "PT", "RO", "RS", "SI", "SK", "BG",
    "EE", "LU", "CH", "UA", "MD", "BA", "AL", "MK", "IS", "CY", "MT",
)  # fmt: skip


def _victim(scene: Scene, start: int = 0) -> tuple[Person, Account]:
    """Somebody of one source after the other; where a source has nobody, of the next."""
    for step in range(len(SOURCES)):
        try:
            return scene.person(SOURCES[(scene.number + start + step) % len(SOURCES)])
        except NoVictim:
            continue
    raise NoVictim


def _used(scene: Scene, account: Account, country: str) -> tuple[kinds.Act, ...]:
    return scene.acts(account, scene.in_country(country), *DOES[account.source])


def base(scene: Scene) -> Attack:
    """Somebody who works in five countries, from a sixth that is everyday in the tenant."""
    choices = [p for p in scene.world.people if p.tour and p.there(scene.day, 28) and TENANT in p.accounts]
    choices = [p for p in choices if scene.free(p.email) and p.country(scene.day) == p.home]
    if not choices:
        raise NoVictim
    person = scene.rng.choice(choices)
    scene.take(person.email)
    country = scene.known_country(person, TENANT, inside=True)
    return scene.attack(ID, "base", _used(scene, person.accounts[TENANT], country))


def v1(scene: Scene) -> Attack:
    _person, account = scene.person("kubernetes")
    return scene.attack(ID, "v1", _used(scene, account, scene.fresh_country()))


def v2(scene: Scene) -> Attack:
    _person, account = _victim(scene)
    return scene.attack(ID, "v2", _used(scene, account, scene.fresh_country()))


def v3(scene: Scene) -> Attack:
    source = ("m365", "aws", "m365", "azure")[scene.number % 4]
    for _ in range(12):
        person, account = scene.person(source, lambda who, _account: not who.own_vpn and len(who.countries()) <= 2)
        try:
            country = scene.known_country(person, account.project, inside=True)
        except NoVictim:
            continue
        return scene.attack(ID, "v3", _used(scene, account, country))
    raise NoVictim


def v4(scene: Scene) -> Attack:
    return _elsewhere(scene, "kubernetes", "v4")


def v5(scene: Scene) -> Attack:
    return _elsewhere(scene, ("aws", "azure", "gcp")[scene.number % 3], "v5")


def _elsewhere(scene: Scene, source: str, variation: str) -> Attack:
    for _ in range(12):
        person, account = scene.person(source)
        try:
            country = scene.known_country(person, account.project, inside=False)
        except NoVictim:
            continue
        return scene.attack(ID, variation, _used(scene, account, country))
    raise NoVictim


def v6(scene: Scene) -> Attack:
    """Everyday in the tenant and new to the victim, who is watched or had an alert some hours before."""
    for _ in range(12):
        person, account = scene.person("m365", lambda who, _account: not who.own_vpn)
        try:
            country = scene.known_country(person, account.project, inside=True)
        except NoVictim:
            continue
        address = scene.in_country(country)
        if scene.number % 2:
            row = {"identity": account.identity, "reason": "under notice"}
            acts = scene.acts(account, address, *DOES["m365"])
            return scene.attack(ID, "v6", acts, lists={"watch_list": [row]})
        first = scene.acts(account, scene.in_country(scene.fresh_country()), "UserLoggedIn", start=6_000)
        return scene.attack(ID, "v6", (*first, *scene.acts(account, address, *DOES["m365"], start=50_000)))
    raise NoVictim


def v7(scene: Scene) -> Attack:
    """A user's key that is known to be stolen: by a list, or by AWS's quarantine policy."""
    _home, machine = scene.machine("backup")
    acts = scene.acts(machine.account, scene.in_country(scene.fresh_country()), "whoami", "buckets", "users")
    if scene.number % 2:
        row = {"access_key": aws.access_key(machine.account.identity), "reason": "found in a stealer log"}
        return scene.attack(ID, "v7", acts, lists={"compromised_keys": [row]})
    policy = aws.Call(
        "iam", "AttachUserPolicy", {"userName": "backup", "policyArn": aws.QUARANTINE_POLICY}, None, False,
        global_service=True,
    )  # fmt: skip
    found = kinds.Act(scene.day - 1, 70_000, machine.account, policy, "AWS Internal")
    return scene.attack(ID, "v7", acts, before=[(found, "routine")])


PLAIN = {"base": base, "v1": v1, "v2": v2, "v3": v3, "v4": v4, "v5": v5, "v6": v6, "v7": v7}


# -- stealth -----------------------------------------------------------------------------------------------------------


def same_continent(scene: Scene) -> Attack:
    """From a neighbouring country where nobody of the organization has been."""
    _person, account = _victim(scene)
    left = [c for c in EUROPE if c not in scene.stage.countries and c in scene.places.countries]
    if not left:
        raise NoVictim
    return scene.attack(ID, "v2", _used(scene, account, scene.rng.choice(left)), kinds.SAME_CONTINENT)


def same_country(scene: Scene) -> Attack:
    """From the victim's own country, through another provider."""
    person, account = _victim(scene, 1)
    return scene.attack(ID, "v2", _used(scene, account, person.home), kinds.SAME_COUNTRY)


def cloud_at_home(scene: Scene) -> Attack:
    """From a virtual machine that is rented in a cloud's region in the victim's country."""
    person, account = _victim(scene, 2)
    choices = [
        r for r in scene.places.regions if scene.stage.geo.lookup(scene.places.region(r, "x")).country == person.home
    ]
    if not choices:
        raise NoVictim
    address = scene.places.region(scene.rng.choice(choices), f"rented/{scene.number}")
    return scene.attack(ID, "v2", scene.acts(account, address, *DOES[account.source]), kinds.CLOUD_AT_HOME)


def new_project(scene: Scene) -> Attack:
    """In an account that the victim has never worked in, from where nobody has been."""
    person, _account = scene.person("aws")
    moved = scene.world.engineer(scene.new_account(person).id, person.email)
    return scene.attack(ID, "v2", _used(scene, moved, scene.fresh_country()), kinds.NEW_PROJECT)


def provider(scene: Scene) -> Attack:
    """From a virtual machine of the provider itself: signed in there, too, or with a stolen token only."""
    _person, account = scene.person(("m365", "gws")[scene.number % 2])
    does = DOES[account.source]
    address = back_end(account.source)
    return scene.attack(ID, "v2", scene.acts(account, address, *does[1:]), kinds.PROVIDER)


def refused_first(scene: Scene) -> Attack:
    """Passwords are tried from there for five days before one is right."""
    _person, account = scene.person(("m365", "gws")[scene.number % 2])
    address = scene.in_country(scene.fresh_country())
    refused = "UserLoginFailed" if account.source == "m365" else "login_failure"
    tries = [
        (act, ATTEMPT) for k in range(5, 0, -1) for act in scene.acts(account, address, refused, day=scene.day - k)
    ]
    return scene.attack(ID, "v2", scene.acts(account, address, *DOES[account.source]), kinds.REFUSED_FIRST, tries)


STEALTHY = (same_continent, same_country, cloud_at_home, new_project, provider, refused_first)
