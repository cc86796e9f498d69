"""What a detector's alerts are worth, by the truth about the events they are about."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter, defaultdict
from typing import Mapping, Optional, Sequence

from .attacks import kinds
from .attacks.attack import Attack
from .attacks.scene import WARM
from .detectors.alert import Alert
from .detectors.ours import tick_after
from .logs import Told, Truth
from .world import Plan

ACTIVE = 14
DAY = 86_400
BUDGETS = (0.1, 1.0, 10.0)
AT = (5, 10, 20)
LOW_OR_HIGHER = ("low", "medium", "high", "critical")


@dataclasses.dataclass(frozen=True)
class Judged:
    """An alert with what it is about."""

    alert: Alert
    day: int
    told: Told

    @property
    def attack(self) -> str:
        return self.told.attack


@dataclasses.dataclass(frozen=True)
class Recall:
    """Of `made` attacks: by any alert, by an alert of the detection it was made for, and as the very variation."""

    made: int
    found: int
    own: int
    exact: int

    def __add__(self, other: Recall) -> Recall:
        return Recall(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other))))

    @property
    def share(self) -> float:
        return self.found / self.made if self.made else 0.0


NOTHING = Recall(0, 0, 0, 0)


@dataclasses.dataclass
class Result:
    """All measures of one detector over one organization. Rates are alerts that no attack is behind, a day and 1,000
    identities."""

    name: str
    recalls: dict[tuple[str, str, str], Recall]
    """(detection, variation, stealth) -> recall"""
    rates: dict[str, float]
    """severity, or "all", "low or higher" -> rate when warm"""
    warming: dict[str, float]
    precision: float
    precision_at: dict[int, float]
    delays: list[float]
    causes: Counter[tuple[str, str, str, str]]
    """(cause, about, severity, variation) of the false alerts when warm"""
    poisoned_days: list[int]
    at_budget: dict[float, float]
    curve: list[tuple[float, float]]
    """(false alerts a day and 1,000 identities, recall), from the strictest threshold on"""
    missed: list[str]
    otherwise: list[str]
    """Attacks that the detection they were made for has found as another variation only."""

    def recall(self, stealthy: Optional[bool] = None, detection: str = "") -> Recall:
        total = NOTHING
        for (about, _variation, stealth), recall in self.recalls.items():
            if stealthy in (None, bool(stealth)) and detection in ("", about):
                total += recall
        return total


def judged(alerts: Sequence[Alert], truth: Truth, plan: Plan) -> list[Judged]:
    """Alerts with what they are about; an alert about several events is about the attack among them."""
    found = []
    for alert in alerts:
        tolds = [truth.of(alert.source, alert.who, second) for second in alert.seconds]
        told = next((each for each in tolds if each.attack), tolds[0])
        found.append(Judged(alert, (alert.second - plan.first_time) // DAY, told))
    return found


def measure(name: str, alerts: Sequence[Alert], truth: Truth, plan: Plan) -> Result:
    """Everything about one detector."""
    all_of_them = judged(alerts, truth, plan)
    by_attack: dict[str, list[Judged]] = defaultdict(list)
    for each in all_of_them:
        if each.attack and each.day >= ACTIVE:
            by_attack[each.attack].append(each)
    warm = [each for each in all_of_them if each.day >= WARM]
    false = [each for each in warm if not each.attack]
    warming = [each for each in all_of_them if ACTIVE <= each.day < WARM and not each.attack]
    logged = truth.logged()
    recalls: dict[tuple[str, str, str], Recall] = defaultdict(lambda: NOTHING)
    for attack in logged:
        found = by_attack.get(attack.id, [])
        own = [each for each in found if each.alert.about == attack.detection]
        exact = any(each.alert.variation == attack.variation for each in own)
        one = Recall(1, int(bool(found)), int(bool(own)), int(exact))
        recalls[attack.detection, attack.variation, attack.stealth] += one
    return Result(
        name=name,
        recalls=dict(recalls),
        rates=_rates(false, plan, plan.days - WARM),
        warming=_rates(warming, plan, WARM - ACTIVE),
        precision=sum(bool(each.attack) for each in warm) / len(warm) if warm else 0.0,
        precision_at={k: _precision_at(warm, k) for k in AT},
        delays=[delay for attack in logged if (delay := _delay(attack, by_attack, truth)) is not None],
        causes=Counter(
            (each.told.cause, each.alert.about, each.alert.severity, each.alert.variation) for each in false
        ),
        poisoned_days=[_days(attack, by_attack) for attack in logged if attack.stealth == kinds.REPEATED],
        at_budget={budget: recall_at(warm, logged, budget, plan) for budget in BUDGETS},
        curve=curve(warm, logged, plan),
        missed=[attack.id for attack in logged if attack.id not in by_attack],
        otherwise=[said for attack in logged if (said := _otherwise(attack, by_attack.get(attack.id, ())))],
    )


def _otherwise(attack: Attack, found: Sequence[Judged]) -> str:
    own = [each.alert.variation for each in found if each.alert.about == attack.detection]
    if not own or attack.variation in own:
        return ""
    return f"{attack.id}: {', '.join(dict.fromkeys(own))}"


def _rates(alerts: Sequence[Judged], plan: Plan, days: int) -> dict[str, float]:
    scale = 1000 / plan.size / max(1, days)
    counts = Counter(each.alert.severity for each in alerts)
    rates = {severity: count * scale for severity, count in counts.items() if severity}
    rates["all"] = len(alerts) * scale
    rates["low or higher"] = sum(counts[severity] for severity in LOW_OR_HIGHER) * scale
    return rates


def _precision_at(alerts: Sequence[Judged], k: int) -> float:
    """Of each day's first `k` alerts by score, the share that is about attacks; the mean of the days with alerts."""
    days: dict[int, list[Judged]] = defaultdict(list)
    for each in alerts:
        days[each.day].append(each)
    shares = []
    for mine in days.values():
        groups: dict[float, list[Judged]] = defaultdict(list)
        for each in mine:
            groups[each.alert.score].append(each)
        left, right, taken = float(k), 0.0, 0.0
        for score in sorted(groups, reverse=True):
            part = min(1.0, left / len(groups[score]))
            right += part * sum(bool(each.attack) for each in groups[score])
            taken += part * len(groups[score])
            left -= part * len(groups[score])
            if left <= 0:
                break
        shares.append(right / taken)
    return statistics.fmean(shares) if shares else 0.0


def _delay(attack: Attack, by_attack: Mapping[str, Sequence[Judged]], truth: Truth) -> Optional[float]:
    """Seconds from the attack's first event to the moment at which somebody has the first alert; None when missed."""
    found = by_attack.get(attack.id)
    if not found or attack.stealth in (kinds.POISONED, kinds.REHEARSED):
        return None
    first = min(second for second, _indexed in truth.seen[attack.id])
    told = min(each.alert.told or tick_after(each.told.indexed) for each in found)
    return told - first


def _days(attack: Attack, by_attack: Mapping[str, Sequence[Judged]]) -> int:
    return len({each.day for each in by_attack.get(attack.id, ())})


def _steps(warm: Sequence[Judged]) -> list[tuple[int, Counter[str]]]:
    """Alerts of one score after the other, the highest first: (false ones, attacks with their alerts)."""
    groups: dict[float, list[Judged]] = defaultdict(list)
    for each in warm:
        groups[each.alert.score].append(each)
    steps = []
    for score in sorted(groups, reverse=True):
        about = Counter(each.attack for each in groups[score] if each.attack)
        steps.append((len(groups[score]) - sum(about.values()), about))
    return steps


def recall_at(warm: Sequence[Judged], logged: Sequence[Attack], budget: float, plan: Plan) -> float:
    """The share of attacks found when analysts look at alerts from the highest score down until so many of them, a day
    and 1,000 identities, were false. Of alerts with one score any is looked at as likely as another."""
    left = budget * plan.size / 1000 * (plan.days - WARM)
    chance: dict[str, float] = defaultdict(float)
    for false, about in _steps(warm):
        part = 1.0 if false <= left else left / false
        for name, count in about.items():
            chance[name] = 1 - (1 - chance[name]) * (1 - part) ** count
        left -= false
        if left <= 0 and part < 1:
            break
    return sum(chance.values()) / len(logged) if logged else 0.0


def curve(warm: Sequence[Judged], logged: Sequence[Attack], plan: Plan) -> list[tuple[float, float]]:
    """How recall grows with the false alerts that are put up with."""
    scale = 1000 / plan.size / (plan.days - WARM)
    known: set[str] = set()
    false = 0
    points = [(0.0, 0.0)]
    for more, about in _steps(warm):
        false += more
        known |= about.keys()
        points.append((false * scale, len(known) / max(1, len(logged))))
    return points
