"""Attacks laid into an organization's life: every variation of every detection, plain and stealthy, each labelled."""

from __future__ import annotations

import dataclasses
import random
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from cba.detection.catalogue import load

from ..life import Life
from . import attack as kinds
from . import countries, functions, machines, others
from .attack import Act, Attack
from .scene import WARM, NoVictim, Scene, Stage

Injector = Callable[[Scene], Attack]

PLAIN: Mapping[str, Mapping[str, Injector]] = {
    countries.ID: countries.PLAIN,
    machines.OUTSIDE: machines.OUTSIDE_PLAIN,
    machines.DORMANT: machines.DORMANT_PLAIN,
    functions.RUNTIME: functions.RUNTIME_PLAIN,
    functions.CHAIN: functions.CHAIN_PLAIN,
    others.EXEC: others.EXEC_PLAIN,
    others.K8S_SECRETS: {"base": others.k8s_secrets},
    others.RARE: others.RARE_PLAIN,
    others.FLOWS: others.FLOW_PLAIN,
    others.SCRIPTS: others.SCRIPT_PLAIN,
    others.CROSS: others.CROSS_PLAIN,
    others.SECRETS: {"base": others.secrets_base},
    others.CONSOLE: others.CONSOLE_PLAIN,
}
"""Detection -> variation -> what makes an attack of it."""
STEALTHY: Sequence[Injector] = (
    *countries.STEALTHY,
    *machines.OUTSIDE_STEALTHY,
    *machines.DORMANT_STEALTHY,
    functions.runtime_refused_first,
    others.exec_slowly,
)
CHANGED = {
    countries.ID: ("v2", "v1"), machines.OUTSIDE: ("v2",), machines.DORMANT: ("v2",), functions.RUNTIME: ("v3",),
    functions.CHAIN: ("v3",), others.EXEC: ("v4",), others.K8S_SECRETS: ("base",), others.RARE: ("v1",),
    others.FLOWS: ("v1",), others.SCRIPTS: ("v1",), others.CROSS: ("base",), others.SECRETS: ("base",),
    others.CONSOLE: ("base",),
}  # fmt: skip
"""The variations that are also spread over days, rehearsed before activation and repeated from day 0."""
SLOW_GAP = 1
REPETITIONS = 10
LONGEST = 11
"""Days that an attack may go on for."""
REHEARSAL = 5
ATTEMPTS = 8
"""How many days are tried for an attack until one has a victim."""


def missing() -> list[str]:
    """Variations of the shipped detections that no attack is made for."""
    return [
        f"{detection.id} {variation.id}"
        for detection in load().detections.values()
        for variation in detection.all_variations
        if variation.id not in PLAIN.get(detection.id, {})
    ]


def lay(life: Life, plain: int = 2, stealthy: int = 1) -> list[Attack]:
    """The attacks of an organization: so many of each variation without stealth, and of each way of being stealthy."""
    stage = Stage(life)
    made: list[Attack] = []
    wanted = sorted(_wanted(plain, stealthy), key=lambda each: not each.alone)
    for each in wanted:
        for number in range(each.many):
            attack = _try(stage, each, number)
            if attack is not None:
                made.append(attack)
    return made


class _Wanted(NamedTuple):
    """So many attacks of a kind; `alone`: each with a victim that has no other."""

    name: str
    injector: Injector
    many: int
    alone: bool = False


def _wanted(plain: int, stealthy: int) -> Iterator[_Wanted]:
    for detection, variations in PLAIN.items():
        for variation, injector in variations.items():
            yield _Wanted(f"{detection}/{variation}", injector, plain)
    for injector in STEALTHY:
        yield _Wanted(injector.__name__, injector, stealthy)
    for detection, changed in CHANGED.items():
        for variation in changed:
            injector = PLAIN[detection][variation]
            for change in (slowly, repeated, rehearsed, daily):
                name = f"{detection}/{variation}/{change.__name__}"
                yield _Wanted(name, _changed(injector, change), stealthy, alone=change is not slowly)


def _try(stage: Stage, wanted: _Wanted, number: int) -> Optional[Attack]:
    plan = stage.life.plan
    rng = plan.rng("attack", wanted.name, number)
    for _ in range(ATTEMPTS):
        day = rng.randrange(WARM, plan.days - LONGEST)
        with stage.tried():
            scene = Scene(stage, random.Random(rng.random()), day, number, wanted.alone)
            attack = wanted.injector(scene)
            scene.settle(attack)
            return attack
    return None


def _changed(injector: Injector, change: Callable[[Attack, Scene], Attack]) -> Injector:
    return lambda scene: change(injector(scene), scene)


def _renamed(attack: Attack, stealth: str, acts: Sequence[Act]) -> Attack:
    detection, variation, _kind, number = attack.id.rsplit("/", 3)
    ordered = tuple(sorted(acts, key=lambda act: (act.day, act.second)))
    name = f"{detection}/{variation}/{stealth}/{number}"
    return dataclasses.replace(attack, id=name, stealth=stealth, acts=ordered)


def slowly(attack: Attack, _scene: Scene) -> Attack:
    """One act a day."""
    if len(attack.acts) == 1:
        raise NoVictim
    acts = [dataclasses.replace(act, day=act.day + k * SLOW_GAP) for k, act in enumerate(attack.acts)]
    return _renamed(attack, kinds.SLOW, acts)


def rehearsed(attack: Attack, _scene: Scene) -> Attack:
    """Done once before already, when the sources had not been there for long, and again a fortnight before."""
    days = (REHEARSAL, attack.acts[0].day - 14)
    early = [dataclasses.replace(act, day=day) for day in days for act in attack.acts[-1:]]
    return _renamed(attack, kinds.REHEARSED, [*early, *attack.acts])


def repeated(attack: Attack, _scene: Scene) -> Attack:
    """The same every day for ten days."""
    acts = [dataclasses.replace(act, day=act.day + k) for k in range(REPETITIONS) for act in attack.acts]
    return _renamed(attack, kinds.REPEATED, acts)


def daily(attack: Attack, _scene: Scene) -> Attack:
    """Its last act every day from the first day on, so that it is learned as normal."""
    last = attack.acts[-1]
    every = [dataclasses.replace(last, day=day) for day in range(attack.acts[0].day)]
    return _renamed(attack, kinds.POISONED, [*every, *attack.acts])
