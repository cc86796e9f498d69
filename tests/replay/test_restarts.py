"""Deduplication periods outlast restarts of the search head: the shipped searches of every detection, from their own
commands on, over a KV store that is opened anew for every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

import pytest

from cba.detection.catalogue import load
from cba.detection.model import Detection
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from tests.scenarios.test_deduplication import FIRSTS, repeated, search, to_the_second
from tests.support.pipeline import Pipeline, Seen
from tests.support.plain import Raised, raised

DETECTIONS = load()


def judge(state: Path, detection: Detection, events: Sequence[Seen]) -> list[dict[str, Any]]:
    """One run of the detection's search on a search head of its own; what is then in the KV store."""
    with SearchHead(APP_DIR, state) as head:
        shipped = head.app.stanza("savedsearches", f"CBA - {detection.id} - Detect").settings["search"]
        data = json.dumps(json.dumps(reduced(detection, events)), ensure_ascii=False)
        commands = shipped[shipped.index("| cbabaseline") :]
        head.search(f'| makeresults format=json data={data} | eval event_times=split(event_times, " ") {commands}')
        return head.kv.collection("cba_findings").find()


def reduced(detection: Detection, events: Sequence[Seen]) -> list[dict[str, str]]:
    """The rows of these events as `stats` and enrichment leave them."""
    pipeline = Pipeline(detection)
    return [
        {
            **row,
            "events": str(pipeline.count(seen)),
            "event_times": " ".join(map(str, pipeline.seconds(seen))),
            "first_time": str(min(event.time for event in seen)),
        }
        for row, seen in pipeline.reduce(events)
    ]


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=lambda detection: detection.id)
def test_the_period_ends_to_the_second_across_restarts(detection: Detection, tmp_path: Path) -> None:
    mine = [scenario for scenario in FIRSTS if scenario.detection == detection.id]
    scenario = next(scenario for scenario in mine if to_the_second(scenario, detection))
    past, (first, *repeats) = repeated(scenario, detection)
    judge(tmp_path, detection, [*past, *first])
    for events in repeats:
        found = judge(tmp_path, detection, events)
    assert sorted(Raised(int(f["first_time"]), f["key"], f["variation"], int(f["count"])) for f in found) == raised(
        search(scenario, detection)
    )
