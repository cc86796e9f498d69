"""Deduplication periods outlast restarts of the search head: the shipped searches of every detection, from their own
commands on, over a KV store that is opened anew for every run."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, Sequence

import pytest

from cba.detection.catalogue import load
from cba.detection.model import Detection
from cba.judging.rows import Row
from demo import lists
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.replay.shipped import findings_of
from tests.scenarios.scenario import Scenario
from tests.scenarios.test_deduplication import FIRSTS, repeated, search, to_the_second
from tests.support.pipeline import Seen
from tests.support.plain import Raised, raised

DETECTIONS = load().detections


def judge(state: Path, scenario: Scenario, events: Sequence[Seen]) -> list[dict[str, Any]]:
    """One run over these events on a search head of its own; what is then in the KV store."""
    pipeline = scenario.pipeline(DETECTIONS[scenario.detection])
    with SearchHead(APP_DIR, state) as head:
        lists.fill(head, scenario.lists)
        for source, rows in itertools.groupby(pipeline.reduce(events), key=lambda each: each[0]):
            data = json.dumps(json.dumps([_as_result(row) for _source, row in rows]), ensure_ascii=False)
            head.search(
                f'| makeresults format=json data={data} | eval event_times=split(event_times, " ") '
                f"| cbajudge source={source}"
            )
        return findings_of(head, scenario.detection)


def _as_result(row: Row) -> dict[str, str]:
    """A row as `stats` and `cbageo` leave it."""
    times = {"bucket": row.bucket, "indexed": row.indexed, "events": row.events}
    return {
        **{name: str(time) for name, time in times.items()},
        "event_times": " ".join(map(str, row.seconds)),
        **row.cells,
    }


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_the_period_ends_to_the_second_across_restarts(detection: Detection, tmp_path: Path) -> None:
    mine = [scenario for scenario in FIRSTS if scenario.detection == detection.id]
    scenario = next((scenario for scenario in mine if to_the_second(scenario, detection)), None)
    if scenario is None:
        pytest.skip("what it raises is a first time, which is over before its period")
    past, (first, *repeats) = repeated(scenario, detection)
    judge(tmp_path, scenario, [*past, *first])
    for events in repeats:
        found = judge(tmp_path, scenario, events)
    assert sorted(Raised(int(f["first_time"]), f["key"], f["variation"], int(f["count"])) for f in found) == raised(
        search(scenario, detection)
    )
