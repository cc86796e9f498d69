"""Attacks on the other detections: clusters, computers, flows, scripts, projects, secrets, the console."""

from __future__ import annotations

from typing import Optional

from demo.accounts import Account, on_aws
from demo.formats import aws, m365
from demo.formats.aws import Call
from demo.formats.azure import stable_uuid
from demo.formats.sysmon import Contact, Program
from demo.formats.workspace import approve, script, share_outside

from ..life import secret_list, shell
from ..moments import SHELL
from ..places import Places
from ..world import APPS, AWS_CLI, AZCOPY, CHROME, NAMESPACES, PROGRAMS, Cluster, Host
from . import attack as kinds
from .attack import Act, Attack
from .scene import NoVictim, Scene

EXEC, K8S_SECRETS, RARE = "kubernetes_unusual_exec", "kubernetes_unusual_secret_access", "process_rare_cloud_resource"
FLOWS, SCRIPTS = "serverless_execution_office", "serverless_execution_saas"
CROSS, SECRETS, CONSOLE = "unusual_cross_project_activity", "unusual_secret_management", "aws_console_first_login"
LOGIN = "signs in to the console"
POWERSHELL = Program("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe")


# -- clusters ----------------------------------------------------------------------------------------------------------


def _operator(scene: Scene, quiet: bool = False) -> tuple[Account, str]:
    """A service account, or somebody with access to the cluster; and an address."""
    cluster = scene.cluster(quiet)
    if scene.number % 2:
        person, account = scene.person("kubernetes", lambda _who, each: each.project == cluster.name)
        return account, scene.office(person)
    return _own(scene, cluster)


def _own(scene: Scene, cluster: Optional[Cluster] = None) -> tuple[Account, str]:
    """A service account of its own in a (busy) cluster."""
    cluster = cluster or scene.cluster()
    account = cluster.account(f"system:serviceaccount:ops:tool-{scene.rng.getrandbits(32):08x}")
    return account, Places.private(cluster.name + account.identity)


def _known_shells(scene: Scene, account: Account, address: str, *days: int) -> list[tuple[Act, str]]:
    found = [scene.acts(account, address, shell("shop", "web"), day=scene.day - back) for back in days]
    return [(act, SHELL) for acts in found for act in acts]


def exec_base(scene: Scene) -> Attack:
    """Into a pod into which it went once, some days ago."""
    account, address = _own(scene)
    before = _known_shells(scene, account, address, 8)
    return scene.attack(EXEC, "base", scene.acts(account, address, shell("shop", "web")), before=before)


def exec_v1(scene: Scene) -> Attack:
    account, address = _operator(scene)
    denied = (*shell(scene.rng.choice(NAMESPACES[:4]), scene.rng.choice(APPS)), "!")
    return scene.attack(EXEC, "v1", scene.acts(account, address, denied, denied))


def exec_v2(scene: Scene) -> Attack:
    """In a cluster in which nobody opens shells."""
    for cluster in scene.world.clusters:
        if cluster.quiet and scene.spend("shell", cluster.name):
            account = cluster.account("system:serviceaccount:argocd:controller")
            address = Places.private(cluster.name + account.identity)
            return scene.attack(EXEC, "v2", scene.acts(account, address, shell("payments", "web")))
    raise NoVictim


def exec_v3(scene: Scene) -> Attack:
    account, address = _own(scene)
    before = [
        (act, "routine") for k in (9, 6, 3) for act in scene.acts(account, address, "list_pods", day=scene.day - k)
    ]
    return scene.attack(EXEC, "v3", scene.acts(account, address, shell("shop", "worker")), before=before)


def exec_v4(scene: Scene) -> Attack:
    account, address = _own(scene)
    before = _known_shells(scene, account, address, 12, 11, 10)
    return scene.attack(EXEC, "v4", scene.acts(account, address, shell("payments", "worker")), before=before)


def exec_v5(scene: Scene) -> Attack:
    account, address = _own(scene)
    before = _known_shells(scene, account, address, 12, 11, 10)
    return scene.attack(EXEC, "v5", scene.acts(account, address, shell("shop", "cron")), before=before)


EXEC_PLAIN = {"base": exec_base, "v1": exec_v1, "v2": exec_v2, "v3": exec_v3, "v4": exec_v4, "v5": exec_v5}


def k8s_secrets(scene: Scene) -> Attack:
    account, address = _operator(scene)
    return scene.attack(K8S_SECRETS, "base", scene.acts(account, address, secret_list(NAMESPACES[scene.number % 6])))


# -- computers ---------------------------------------------------------------------------------------------------------


def _reach(scene: Scene, host: Host, program: Program, name: str) -> tuple[Act, ...]:
    return scene.acts(host.account, host.address, Contact(program, name), Contact(program, name, query=True))


def rare_base(scene: Scene) -> Attack:
    """A tool that the computer uses every day for this kind of cloud, to somebody else's bucket."""
    host = scene.host(0)
    return scene.attack(
        RARE, "base", _reach(scene, host, AWS_CLI, f"export-{scene.rng.getrandbits(32):x}.s3.amazonaws.com")
    )


def rare_v0(scene: Scene) -> Attack:
    name = f"login-nordwind-{scene.rng.getrandbits(32):x}.web.app"
    return scene.attack(RARE, "v0", _reach(scene, scene.host(), CHROME, name))


def rare_v1(scene: Scene) -> Attack:
    """A program that nobody has seen with this kind of cloud."""
    own = f"u{scene.rng.getrandbits(24):06x}"
    program = POWERSHELL if scene.spend("tool", "powershell") else Program(f"{PROGRAMS}{own}\\{own}.exe")
    return scene.attack(
        RARE, "v1", _reach(scene, scene.host(), program, f"sync-{scene.rng.getrandbits(32):x}.workers.dev")
    )


def rare_v2(scene: Scene) -> Attack:
    """Another team's tool."""
    host = scene.host(1, "azcopy")
    return scene.attack(
        RARE, "v2", _reach(scene, host, AZCOPY, f"nwcopy{scene.rng.getrandbits(32):x}.blob.core.windows.net")
    )


RARE_PLAIN = {"base": rare_base, "v0": rare_v0, "v1": rare_v1, "v2": rare_v2}


# -- flows and scripts -------------------------------------------------------------------------------------------------


def _flow(scene: Scene, *connectors: str) -> m365.Act:
    return m365.flow("CreateFlow", stable_uuid(f"attack/{scene.day}/{scene.number}/{scene.rng.random()}"), *connectors)


def flow_base(scene: Scene) -> Attack:
    person, mail = scene.person("m365")
    return scene.attack(FLOWS, "base", scene.acts(mail, scene.office(person), _flow(scene, "SharePoint")))


def flow_v1(scene: Scene) -> Attack:
    person, mail = scene.person("m365")
    rule = m365.inbox_rule(".", ForwardTo=f"box{scene.number}@freemail.example")
    return scene.attack(FLOWS, "v1", scene.acts(mail, scene.office(person), rule, _flow(scene, "SharePoint")))


def flow_v2(scene: Scene) -> Attack:
    person, mail = scene.person("m365")
    rule = m365.inbox_rule("..", RedirectTo="colleague@nordwind.example")
    return scene.attack(FLOWS, "v2", scene.acts(mail, scene.office(person), _flow(scene, "SharePoint"), rule))


def flow_v3(scene: Scene) -> Attack:
    person, mail = scene.person("m365")
    return scene.attack(FLOWS, "v3", scene.acts(mail, scene.office(person), _flow(scene, "SharePoint", "HTTP")))


FLOW_PLAIN = {"base": flow_base, "v1": flow_v1, "v2": flow_v2, "v3": flow_v3}


def _script(scene: Scene, *more: object) -> tuple[Act, ...]:
    person, docs = scene.person("gws")
    title = f"Helper {scene.day}-{scene.number}"
    doc = "1" + stable_uuid("attack/" + title).replace("-", "")
    operations = [each(title) if callable(each) else each for each in more]
    return scene.acts(docs, scene.office(person), script("create", doc, title), *operations)


def script_base(scene: Scene) -> Attack:
    return scene.attack(SCRIPTS, "base", _script(scene, lambda title: approve(title, "forms", "script.scriptapp")))


def script_v1(scene: Scene) -> Attack:
    scopes = ("drive", "script.scriptapp", "script.external_request")
    return scene.attack(SCRIPTS, "v1", _script(scene, lambda title: approve(title, *scopes)))


def script_v2(scene: Scene) -> Attack:
    share = share_outside(f"1plan{scene.number}", "Plan", "buyer@customer.example")
    return scene.attack(SCRIPTS, "v2", _script(scene, share))


SCRIPT_PLAIN = {"base": script_base, "v1": script_v1, "v2": script_v2}


# -- projects, secrets, the console ------------------------------------------------------------------------------------


def _cross(scene: Scene) -> tuple[Account, str]:
    person, _mine = scene.person("aws", lambda who, _account: not who.since)
    return scene.world.engineer(scene.new_account(person).id, person.email), scene.office(person)


def cross_base(scene: Scene) -> Attack:
    account, address = _cross(scene)
    return scene.attack(CROSS, "base", scene.acts(account, address, "whoami", "buckets", "instances"))


def cross_v1(scene: Scene) -> Attack:
    account, address = _cross(scene)
    row = {"identity": account.identity, "reason": "under notice"}
    acts = scene.acts(account, address, "whoami", "buckets", "instances")
    return scene.attack(CROSS, "v1", acts, lists={"watch_list": [row]})


CROSS_PLAIN = {"base": cross_base, "v1": cross_v1}


def secrets_base(scene: Scene) -> Attack:
    """Operations that this identity has never done."""
    names = ("PutSecretValue", "DeleteSecret", "RestoreSecret", "UpdateSecret")
    what = Call("secretsmanager", names[scene.number % 4], {"secretId": "prod/shop/payments"}, read_only=False)
    if scene.number % 2:
        account, machine = scene.machine("web")
        return scene.attack(SECRETS, "base", scene.acts(machine.account, account.nat[0], what))
    person, mine = scene.person("aws")
    return scene.attack(SECRETS, "base", scene.acts(mine, scene.office(person), what))


def console_base(scene: Scene) -> Attack:
    account, machine = scene.machine("backup", LOGIN)
    user = on_aws(aws.user(account.id, "backup", aws.BROWSER, account.region))
    return scene.attack(CONSOLE, "base", scene.acts(user, machine.addresses[0], "login"))


def console_v1(scene: Scene) -> Attack:
    account, machine = scene.machine(("orders", "snapshots", "web")[scene.number % 3], LOGIN)
    name = machine.name
    role = on_aws(aws.role(account.id, name, "console", aws.BROWSER, account.region))
    return scene.attack(CONSOLE, "v1", scene.acts(role, account.nat[0], "login"))


CONSOLE_PLAIN = {"base": console_base, "v1": console_v1}


def exec_slowly(scene: Scene) -> Attack:
    """Another pod each day, for four days."""
    account, address = _own(scene)
    before = _known_shells(scene, account, address, 12, 11, 10)
    pods = [("shop", "worker"), ("shop", "cron"), ("search", "web"), ("payments", "web")]
    acts = [a for k, pod in enumerate(pods) for a in scene.acts(account, address, shell(*pod), day=scene.day + k)]
    return scene.attack(EXEC, "v4", acts, kinds.SLOW, before)
