"""A search whose time range a command of the app says, in a subsearch.

Oracle: https://help.splunk.com/en/splunk-enterprise/search/search-manual/10.0/subsearches and the cases in
tests/spl/cases/subsearch.yml, which know no commands of an app.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.events import Event
from lab.searchhead import SearchHead
from tests.support.small_app import write_app

LIB = Path(__file__).resolve().parents[2] / "lib"
COMMAND = f"""
import sys
sys.path.insert(0, {str(LIB)!r})
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, dispatch

@Configuration(type="reporting")
class PeriodCommand(GeneratingCommand):
    of = Option(require=True)

    def generate(self):
        told = self.metadata.searchinfo
        if self.of == "nobody":
            self.error_exit(ValueError("nobody"), "period: there is no mark of nobody")
        if self.of == "self":
            yield {{"sid": told.sid, "range": f"{{float(told.earliest_time):g}} {{float(told.latest_time):g}}"}}
        else:
            yield {{"search": "earliest=1000 latest=2000 _index_earliest=3000 _index_latest=4000"}}

if __name__ == "__main__":
    dispatch(PeriodCommand, sys.argv, sys.stdin, sys.stdout, __name__)
"""
CONFS = {
    "app": "[package]\nid = period\n",
    "commands": "[period]\nchunked = true\nfilename = period.py\npython.required = 3.9, 3.13\n",
    "macros": "[base_logs]\ndefinition = index=main f=*\n",
    "savedsearches": """
[judge]
search = search `base_logs` [| period of=logs] | stats count BY f
enableSched = 1
cron_schedule = */15 * * * *
dispatch.earliest_time = 0
dispatch.latest_time = now
""",
}


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("app") / "period", CONFS, period=COMMAND)


def event(f: str, time: float, indextime: float) -> Event:
    return Event(time, indextime, "main", "json", "log", "h", json.dumps({"f": f}))


LOGS = [event("a", 1500, 3500), event("b", 1500, 4000), event("c", 1500, 2999), event("d", 2000, 3500)]


@pytest.mark.parametrize("mode", ["inprocess", "process"])
def test_a_command_says_the_times_of_a_search(app_dir: Path, tmp_path: Path, mode: str) -> None:
    with SearchHead(app_dir, tmp_path, mode=mode) as head:
        head.events.add(LOGS)
        found = head.search("search `base_logs` [| period of=logs] | stats count BY f", now=5000).rows
        assert found == [{"f": "a", "count": 1}]
        assert head.scheduler.replay(4500, 4500).rows == 1, "as a scheduled search, too"


def test_a_subsearch_is_a_job_of_its_own_over_the_time_range_of_the_whole(app_dir: Path, tmp_path: Path) -> None:
    with SearchHead(app_dir, tmp_path) as head:
        head.events.add([event("10 5000", 1500, 3500)])
        spl = "search index=main earliest=1000 [| period of=self | rename range AS f | table f] | stats count"
        assert head.search(spl, earliest=10, latest=5000, now=6000).rows == [{"count": 1}]
        told: list[dict[str, Any]] = head.search("| period of=self", now=6000).rows
        assert not told[0]["sid"].startswith("subsearch_")
        told = head.search("| makeresults | append [| period of=self | table sid]", now=6000).rows
        assert told[1]["sid"].startswith("subsearch_6000.")


def test_a_subsearch_that_fails_ends_the_search(app_dir: Path, tmp_path: Path) -> None:
    with SearchHead(app_dir, tmp_path) as head, pytest.raises(LabError, match="there is no mark of nobody"):
        head.search("search index=main [| period of=nobody] | stats count")
