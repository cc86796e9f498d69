"""One organization through all detectors."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from cba.terms import SEVERITIES
from demo.lists import fill
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

from . import rows as rows_of
from .detectors import library, ours
from .detectors.alert import Alert
from .detectors.others import OTHERS
from .logs import Logs
from .measures import Recall, Result, measure
from .world import Plan

OURS, OURS_BY_SEVERITY = "ours, the shipped app", "ours, by severity first"
TUNED = "ours, tuned by an hour of an engineer"


@dataclasses.dataclass
class Evaluation:
    """What came of an organization; `seconds` of each part."""

    plan: Plan
    events: int
    attacks: int
    results: list[Result]
    seconds: dict[str, float]
    faults: list[str]

    def result(self, name: str) -> Result:
        return next(result for result in self.results if result.name == name)


def evaluate(
    plan: Plan,
    plain: int,
    stealthy: int,
    ablations: bool,
    told: Callable[[str], None] = lambda _what: None,
    through_lab: bool = True,
) -> Evaluation:
    """Generates an organization and measures every detector on it. Without `through_lab` the app's library judges the
    rows of its searches; it finds the same (`tests/benchmark`), in half the time."""
    seconds: dict[str, float] = {}
    logs = Logs(plan, plain, stealthy)
    with tempfile.TemporaryDirectory(prefix="cba-benchmark-") as folder, SearchHead(APP_DIR, Path(folder)) as head:
        fill(head, logs.lists)
        began = time.monotonic()
        told("generating logs")
        head.events.add(logs.events())
        began = _clock(seconds, "generating", began)
        told("the shipped app")
        ours.run(head, *(() if through_lab else (ours.QUARANTINED,)))
        documents = [dict(each) for each in head.kv.collection("cba_findings").find()]
        faults = [f"{each}" for each in head.kv.collection("cba_faults").find()]
        quarantined = [dict(each) for each in head.kv.collection("cba_quarantined").find()]
        began = _clock(seconds, OURS, began)
        told("rows for the others")
        rows = rows_of.read(head)
        began = _clock(seconds, "rows", began)
    lists: Mapping[str, Any] = library.with_shipped({**logs.lists, "quarantined": quarantined})
    if not through_lab:
        told("the app's library")
        documents = library.judge(rows, lists)
        began = _clock(seconds, OURS, began)
    alerts = [ours.alert_of(finding) for finding in documents]
    results = [_measured(OURS, alerts, logs), _measured(OURS_BY_SEVERITY, _by_severity(alerts), logs)]
    if ablations:
        told(TUNED)
        tuned = library.without_provisional(rows, {**lists, "egress_ranges": logs.all_egress_ranges})
        results.append(_measured(TUNED, [ours.alert_of(finding) for finding in tuned], logs))
        began = _clock(seconds, TUNED, began)
        for ablation in library.ABLATIONS:
            told(ablation.name)
            results.append(_measured(ablation.name, ablation.alerts(rows, lists), logs))
            began = _clock(seconds, ablation.name, began)
    for other in OTHERS:
        told(other.name)
        results.append(_measured(other.name, other.alerts(rows), logs))
        began = _clock(seconds, other.name, began)
    return Evaluation(plan, logs.count, len(logs.truth.logged()), results, seconds, faults)


def _clock(seconds: dict[str, float], name: str, began: float) -> float:
    now = time.monotonic()
    seconds[name] = now - began
    return now


def _measured(name: str, alerts: Sequence[Alert], logs: Logs) -> Result:
    return measure(name, alerts, logs.truth, logs.plan)


def _by_severity(alerts: Sequence[Alert]) -> list[Alert]:
    """The same alerts as a queue shows them that is sorted by severity first."""
    return [dataclasses.replace(alert, score=1000 * SEVERITIES.index(alert.severity) + alert.score) for alert in alerts]


def to_json(evaluation: Evaluation) -> str:
    """For a file; `from_json` reads it."""
    plan = evaluation.plan
    return json.dumps(
        {
            "plan": [plan.size, plan.seed, plan.days],
            "events": evaluation.events,
            "attacks": evaluation.attacks,
            "seconds": evaluation.seconds,
            "faults": evaluation.faults,
            "results": [_result_to_json(result) for result in evaluation.results],
        }
    )


def from_json(text: str) -> Evaluation:
    """The inverse of `to_json`."""
    data = json.loads(text)
    size, seed, days = data["plan"]
    results = [_result_from_json(each) for each in data["results"]]
    plan = Plan(size=size, seed=seed, days=days)
    return Evaluation(plan, data["events"], data["attacks"], results, data["seconds"], data["faults"])


def _result_to_json(result: Result) -> dict[str, Any]:
    return {
        **{field.name: getattr(result, field.name) for field in dataclasses.fields(result)},
        "recalls": [[*key, *dataclasses.astuple(recall)] for key, recall in result.recalls.items()],
        "causes": [[*key, count] for key, count in result.causes.items()],
        "precision_at": list(result.precision_at.items()),
        "at_budget": list(result.at_budget.items()),
    }


def _result_from_json(data: Mapping[str, Any]) -> Result:
    changed: dict[str, Any] = {
        "recalls": {tuple(row[:3]): Recall(*row[3:]) for row in data["recalls"]},
        "causes": Counter({tuple(row[:-1]): row[-1] for row in data["causes"]}),
        "precision_at": dict(data["precision_at"]),
        "at_budget": dict(data["at_budget"]),
        "curve": [tuple(point) for point in data["curve"]],
    }
    return Result(**{**data, **changed})
