"""The tables: Markdown for the documents, the same for a terminal."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Callable, Sequence

from marked import table

from cba.detection.catalogue import load

from .attacks.attack import STEALTH
from .attacks.scene import WARM
from .detectors.library import ABLATIONS
from .detectors.others import OTHERS
from .measures import AT, BUDGETS, LOW_OR_HIGHER, NOTHING, Recall, Result
from .run import OURS, TUNED, Evaluation

LINES_OF_CAUSES = 16


def tables(evaluations: Sequence[Evaluation]) -> str:
    """All tables."""
    return "\n\n".join(
        (
            _scope(evaluations), _overview(evaluations), _budgets(evaluations), _variations(evaluations),
            _stealth(evaluations), _rates(evaluations), _causes(evaluations),
            _severe(evaluations), _detectors(),
        )
    )  # fmt: skip


def summary(evaluation: Evaluation) -> str:
    """What a terminal shows of one organization."""
    return "\n\n".join((_scope([evaluation]), _overview([evaluation]), _budgets([evaluation]), _missed(evaluation)))


def _scope(evaluations: Sequence[Evaluation]) -> str:
    plans = [evaluation.plan for evaluation in evaluations]
    sizes = sorted({plan.size for plan in plans})
    return (
        f"{len(plans)} organization{'s' if len(plans) > 1 else ''} of {', '.join(f'{size:,}' for size in sizes)} "
        f"identities over {plans[0].days} days (seed {', '.join(str(plan.seed) for plan in plans)}), "
        f"{sum(each.events for each in evaluations):,} events, "
        f"{sum(each.attacks for each in evaluations)} attacks in the logs. False alerts are counted a day and 1,000 "
        "identities. A number in brackets is the range over the organizations." + _ablated(evaluations)
    )


def _ablated(evaluations: Sequence[Evaluation]) -> str:
    """Which organizations the detectors with an idea removed have judged, where not all."""
    seeds = [str(each.plan.seed) for each in evaluations if any(result.name == TUNED for result in each.results)]
    if len(seeds) in (0, len(evaluations)):
        return ""
    return f" The app tuned, and without an idea, was measured on seed {', '.join(seeds)} only."


def _spread(values: Sequence[float], digits: int = 2) -> str:
    mean = f"{statistics.fmean(values):.{digits}f}"
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return mean if low == high else f"{mean} ({low}–{high})"


def _of(evaluations: Sequence[Evaluation], name: str) -> list[Result]:
    """What a detector gave, in the organizations that it has judged."""
    return [result for evaluation in evaluations for result in evaluation.results if result.name == name]


def _names(evaluations: Sequence[Evaluation]) -> list[str]:
    most = max(evaluations, key=lambda evaluation: len(evaluation.results))
    return [result.name for result in most.results]


def _each(evaluations: Sequence[Evaluation], name: str, value: Callable[[Result], float], digits: int = 2) -> str:
    return _spread([value(result) for result in _of(evaluations, name)], digits)


def _hours(delays: Sequence[float], share: float) -> str:
    if not delays:
        return "–"
    ordered = sorted(delays)
    seconds = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _overview(evaluations: Sequence[Evaluation]) -> str:
    head = (
        "detector", "found, without stealth", "found, all", "false alerts", "of these Low and higher",
        "while warming up", "precision", "time to detect, median / p95", "days until a repeated value is silent",
    )  # fmt: skip
    rows = []
    for name in _names(evaluations):
        results = _of(evaluations, name)
        delays = [delay for result in results for delay in result.delays]
        days = [day for result in results for day in result.poisoned_days]
        rows.append(
            (
                name,
                _each(evaluations, name, lambda result: result.recall(stealthy=False).share),
                _each(evaluations, name, lambda result: result.recall().share),
                _each(evaluations, name, lambda result: result.rates["all"], 1),
                _each(evaluations, name, lambda result: result.rates["low or higher"], 1) if _ranked(results) else "–",
                _each(evaluations, name, lambda result: result.warming["all"], 1),
                _each(evaluations, name, lambda result: result.precision),
                f"{_hours(delays, 0.5)} / {_hours(delays, 0.95)}",
                f"{statistics.fmean(days):.1f}" if days else "–",
            )
        )
    return table(head, rows)


def _ranked(results: Sequence[Result]) -> bool:
    """Whether its alerts have severities."""
    return any(set(result.rates) - {"all", "low or higher"} for result in results)


def _budgets(evaluations: Sequence[Evaluation]) -> str:
    head = (
        "detector", *(f"recall at {budget:g} false alerts" for budget in BUDGETS),
        *(f"precision@{k} a day" for k in AT),
    )  # fmt: skip
    rows = []
    for name in _names(evaluations):
        found = [_each(evaluations, name, lambda result, b=budget: result.at_budget[b]) for budget in BUDGETS]  # type: ignore[misc]
        precise = [_each(evaluations, name, lambda result, k=k: result.precision_at[k]) for k in AT]  # type: ignore[misc]
        rows.append((name, *found, *precise))
    return table(head, rows)


def _together(results: Sequence[Result], fits: Callable[[str, str, str], bool]) -> Recall:
    total = NOTHING
    for result in results:
        for key, recall in result.recalls.items():
            if fits(*key):
                total += recall
    return total


def _variations(evaluations: Sequence[Evaluation]) -> str:
    """Ours, without stealth, variation by variation."""
    results, rows = _of(evaluations, OURS), []
    for detection in load().detections.values():
        for variation in detection.all_variations:
            told = _together(results, lambda d, v, s: (d, v, s) == (detection.id, variation.id, ""))  # noqa: B023
            name = f"[{detection.id}](detections/{detection.id}.md) {variation.id}"
            rows.append((name, variation.severity, str(told.made), str(told.found), str(told.own), str(told.exact)))
    head = ("variation", "severity", "attacks without stealth", "found", "by this detection", "as this variation")
    return table(head, rows)


def _stealth(evaluations: Sequence[Evaluation]) -> str:
    names = [OURS, *(other.name for other in OTHERS)]
    rows = []
    for kind in STEALTH:
        told = [_together(_of(evaluations, name), lambda _d, _v, s: s == kind) for name in names]  # noqa: B023
        if told[0].made:
            rows.append((kind, str(told[0].made), *(f"{each.share:.2f}" for each in told)))
    return table(("stealth", "attacks", *names), rows)


def _rates(evaluations: Sequence[Evaluation]) -> str:
    severities = ("informational", "low", "medium", "high")
    rows = [
        (
            severity,
            _each(evaluations, OURS, lambda result, s=severity: result.rates.get(s, 0.0)),  # type: ignore[misc]
            _each(evaluations, OURS, lambda result, s=severity: result.warming.get(s, 0.0)),  # type: ignore[misc]
        )
        for severity in severities
    ]
    return table(("ours: false alerts by severity", "warm", "while warming up"), rows)


def _identity_days(evaluations: Sequence[Evaluation]) -> int:
    """Days of identities when warm, in all organizations."""
    return sum(each.plan.size * (each.plan.days - WARM) for each in evaluations)


def _causes(evaluations: Sequence[Evaluation]) -> str:
    identity_days = _identity_days(evaluations)
    counts: Counter[str] = Counter()
    about: dict[str, Counter[str]] = defaultdict(Counter)
    for result in _of(evaluations, OURS):
        for (cause, detection, _severity, _variation), count in result.causes.items():
            counts[cause] += count
            about[cause][detection] += count
    rows = [
        (
            cause,
            f"{count * 1000 / identity_days:.2f}",
            ", ".join(f"{n} × {name}" for name, n in about[cause].most_common(3)),
        )
        for cause, count in counts.most_common(LINES_OF_CAUSES)
    ]
    return table(("ours: cause of false alerts, warm", "a day and 1,000 identities", "detections"), rows)


def _severe(evaluations: Sequence[Evaluation]) -> str:
    """The false alerts of Low and higher, by what raised them."""
    identity_days = _identity_days(evaluations)
    counts: Counter[tuple[str, str, str]] = Counter()
    why: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for result in _of(evaluations, OURS):
        for (cause, detection, severity, variation), count in result.causes.items():
            if severity in LOW_OR_HIGHER:
                counts[detection, variation, severity] += count
                why[detection, variation, severity][cause] += count
    rows = [
        (
            f"{detection} {variation}",
            severity,
            f"{count * 1000 / identity_days:.2f}",
            ", ".join(f"{n} × {name}" for name, n in why[detection, variation, severity].most_common(4)),
        )
        for (detection, variation, severity), count in counts.most_common(LINES_OF_CAUSES)
    ]
    head = ("ours: false alerts of Low and higher, warm", "severity", "a day and 1,000 identities", "causes")
    return table(head, rows)


def _detectors() -> str:
    rows = [(other.name, other.cited) for other in OTHERS] + [(each.name, each.cited) for each in ABLATIONS]
    return table(("detector", "follows"), rows)


def _missed(evaluation: Evaluation) -> str:
    missed, otherwise = evaluation.result(OURS).missed, evaluation.result(OURS).otherwise
    told = "\n".join(f"  {name}" for name in missed)
    other = "\n".join(f"  {name}" for name in otherwise)
    parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in evaluation.seconds.items())
    return f"Missed by the shipped app ({len(missed)}):\n{told}\nFound as another variation:\n{other}\n{parts}"
