"""Attacks on `cloud_function_unusual_runtime` and `serverless_execution_iaas`."""

from __future__ import annotations

from typing import Optional

from demo.formats import aws_functions, gcp_functions
from demo.formats.aws import Call

from ..world import AwsAccount
from . import attack as kinds
from .attack import Attack
from .scene import NoVictim, Scene

RUNTIME, CHAIN = "cloud_function_unusual_runtime", "serverless_execution_iaas"
DEPLOYS = "deploys functions"
EXACT = {"python": "python3.12", "nodejs": "nodejs22.x", "java": "java21", "ruby": "ruby3.3", "dotnet": "dotnet8"}


def _account(scene: Scene, number: str) -> AwsAccount:
    return next(each for each in scene.world.aws if each.id == number)


def _create(account: AwsAccount, name: str, runtime: str, role: str, error: Optional[str] = None) -> Call:
    return aws_functions.in_region(aws_functions.create(account.id, name, runtime, role, error), account.region)


def _update(account: AwsAccount, name: str) -> Call:
    return aws_functions.in_region(aws_functions.update_code(account.id, name, account.functions[name]), account.region)


def _family(runtime: str) -> str:
    return next((family for family in EXACT if runtime.startswith(family)), runtime)


def _runtimes(scene: Scene, account: AwsAccount) -> set[str]:
    rolled_out = {_family(runtime) for where, _day, runtime in scene.stage.life.runtimes if where is account}
    return {_family(runtime) for runtime in account.runtimes} | rolled_out


def _at_work(scene: Scene, account: AwsAccount) -> bool:
    """Whether its pipeline has made functions on two days of the month before, so that there is something to compare
    with."""
    return sum(scene.stage.life.deploys(account, day) for day in range(scene.day - 30, scene.day)) >= 2


def _known_elsewhere(scene: Scene, used: tuple[str, ...] = ("python", "nodejs", "java")) -> tuple[AwsAccount, str]:
    """An account that makes functions, and a language that it does not use and others do."""
    choices = []
    for account in (each for each in scene.world.aws if each.starts == 0 and _at_work(scene, each)):
        for family in used:
            if family not in _runtimes(scene, account) and scene.left(f"runtime/{account.id}", family):
                choices.append((account, family))
    if not choices:
        raise NoVictim
    account, family = scene.rng.choice(choices)
    scene.spend(f"runtime/{account.id}", family)
    return account, family


def runtime_base(scene: Scene) -> Attack:
    """By somebody who never made a function."""
    account, family = _known_elsewhere(scene)
    person, mine = scene.person("aws", lambda _who, each: each.project == account.id, DEPLOYS)
    role = next(iter(account.functions.values()))
    made = _create(account, f"notify-{scene.number}-{scene.day}", EXACT[family], role)
    return scene.attack(RUNTIME, "base", scene.acts(mine, scene.office(person), made))


def runtime_v1(scene: Scene) -> Attack:
    account, family = _known_elsewhere(scene)
    deploy = account.machines["ci-deploy"]
    made = _create(account, f"lint-{scene.number}-{scene.day}", EXACT[family], "candidate-role")
    return scene.attack(RUNTIME, "v1", scene.acts(deploy.account, deploy.addresses[0], made))


def runtime_v2(scene: Scene) -> Attack:
    """In a language that nobody uses."""
    rolled_out = {_family(runtime) for _where, _day, runtime in scene.stage.life.runtimes}
    choices = [f for f in ("ruby", "dotnet", "php82", "go122") if f not in rolled_out]
    choices = [f for f in choices if scene.left("runtime", f)]
    if not choices:
        raise NoVictim
    family = scene.rng.choice(choices)
    scene.spend("runtime", family)
    name = f"export-{scene.number}-{scene.day}"
    if family not in EXACT:  # Google's
        person, mine = scene.person("gcp", deed=DEPLOYS)
        made = gcp_functions.create(mine.project, name, family, "functions")
        return scene.attack(RUNTIME, "v2", scene.acts(mine, scene.office(person), made))
    person, mine = scene.person("aws", deed=DEPLOYS)
    made_there = _create(_account(scene, mine.project), name, EXACT[family], "mailer-role")
    return scene.attack(RUNTIME, "v2", scene.acts(mine, scene.office(person), made_there))


def runtime_v3(scene: Scene) -> Attack:
    """In a container image, or on a runtime of one's own."""
    choices = []
    for account in (each for each in scene.world.aws if each.starts == 0):
        taken = {runtime for where, _day, runtime in scene.stage.life.runtimes if where is account}
        for runtime in ("Image", "provided.al2023"):
            if runtime not in taken and scene.left(f"runtime/{account.id}", runtime):
                choices.append((account, runtime))
    if not choices:
        raise NoVictim
    account, runtime = scene.rng.choice(choices)
    scene.spend(f"runtime/{account.id}", runtime)
    person, mine = scene.person("aws", lambda _who, each: each.project == account.id, DEPLOYS)
    made = _create(account, f"resample-{scene.number}-{scene.day}", runtime, "report-role")
    return scene.attack(RUNTIME, "v3", scene.acts(mine, scene.office(person), made))


RUNTIME_PLAIN = {"base": runtime_base, "v1": runtime_v1, "v2": runtime_v2, "v3": runtime_v3}


def runtime_refused_first(scene: Scene) -> Attack:
    """Denied for two days, then allowed."""
    attack = runtime_v3(scene)
    first = attack.acts[0]
    denied = _create(
        _account(scene, first.account.project), "resample", "Image", "report-role", "AccessDeniedException"
    )
    tries = [a for k in (2, 1) for a in scene.acts(first.account, first.address, denied, day=scene.day - k)]
    return scene.attack(RUNTIME, "v3", (*tries, *attack.acts), kinds.REFUSED_FIRST)


def chain_base(scene: Scene) -> Attack:
    if scene.number % 2:
        person, mine = scene.person("gcp", deed=DEPLOYS)
        name = f"sync-{scene.number}-{scene.day}"
        what = (gcp_functions.create(mine.project, name, "python312", "functions"),)
        return scene.attack(CHAIN, "base", scene.acts(mine, scene.office(person), *what))
    person, mine = scene.person("aws", deed=DEPLOYS)
    account = _account(scene, mine.project)
    role = next(iter(account.functions.values()))
    runtime = account.runtimes[0]
    made = _create(account, f"sync-{scene.number}-{scene.day}", runtime, role)
    return scene.attack(CHAIN, "base", scene.acts(mine, scene.office(person), made))


def chain_v1(scene: Scene) -> Attack:
    """Privileges first, then new code; in Azure a role assignment, then a function."""
    if scene.number % 2:
        person, mine = scene.person("azure", deed=DEPLOYS)
        app = f"nw-jobs-{scene.number}"
        made = ("Microsoft.Web/sites/functions/write", f"sites/{app}/functions/sync")
        return scene.attack(CHAIN, "v1", scene.acts(mine, scene.office(person), "role", made))
    account, name, _machine = scene.function(scene.number % 4 // 2)
    person, mine = scene.person("aws", lambda _who, each: each.project == account.id, DEPLOYS)
    role = account.functions[name]
    attach = aws_functions.attach_policy(role, aws_functions.ADMINISTRATOR)
    update = _update(account, name)
    return scene.attack(CHAIN, "v1", scene.acts(mine, scene.office(person), attach, update))


def chain_v2(scene: Scene) -> Attack:
    """The pipeline deploys something bad, and the function makes itself a key."""
    account, name, machine = scene.function(deed="makes a key")
    deploy = account.machines["ci-deploy"]
    update = _update(account, name)
    start = scene.rng.randrange(40_000, 60_000)
    acts = scene.acts(deploy.account, deploy.addresses[0], update, start=start)
    used = scene.acts(machine.account, machine.addresses[0], "new_key", start=start + 900)
    return scene.attack(CHAIN, "v2", (*acts, *used))


def chain_v3(scene: Scene) -> Attack:
    """Privileges, code, and the function makes a user."""
    account, name, machine = scene.function(1, "makes a user")
    person, mine = scene.person("aws", lambda _who, each: each.project == account.id, DEPLOYS)
    role = account.functions[name]
    attach = aws_functions.attach_policy(role, aws_functions.ADMINISTRATOR)
    update = _update(account, name)
    start = scene.rng.randrange(30_000, 60_000)
    acts = scene.acts(mine, scene.office(person), attach, update, start=start)
    user = aws_functions.create_user(f"support-{scene.number}")
    return scene.attack(
        CHAIN, "v3", (*acts, *scene.acts(machine.account, machine.addresses[0], user, start=start + 1_500))
    )


CHAIN_PLAIN = {"base": chain_base, "v1": chain_v1, "v2": chain_v2, "v3": chain_v3}
