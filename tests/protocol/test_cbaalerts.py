"""`| cbaalerts` over the chunked protocol: what it hands out, when it writes, and what it survives."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from cba.store import splunkd as store
from lab.chunked import decode_rows
from lab.errors import LabError
from lab.protocol import SearchInfo
from tests.support.kept import kept_finding
from tests.support.workbench import CHOSEN, LATEST, TODAY, Workbench

DAY = 86_400


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RETRY_PAUSES", (0.0,))


def raised(bench: Workbench, name: str, who: str, country: str, **more: Any) -> None:
    """A finding that is there from now on."""
    finding = kept_finding(name, TODAY * DAY + 36_000, who, country, **more)
    bench.kv.collection("cba_findings").batch_save([finding])


def story(bench: Workbench) -> None:
    """Two findings of two variations."""
    raised(bench, "a1", "ann", "RU")
    raised(bench, "b2", "bob", "NL", variation="v3")


class Alarm:
    """The alert of a variation."""

    def __init__(self, bench: Workbench, variation: str = "v2") -> None:
        self.bench = bench
        self.variation = variation
        self.runs = 0

    def run(self, sid: Optional[str] = None, at: int = LATEST, **more: Any) -> list[dict[str, Any]]:
        """As the scheduler runs it, unless another sid says otherwise."""
        self.runs += 1
        # https://docs.splunk.com/Documentation/Splunk/9.0.2/Search/Dispatchdirectoryandsearchartifacts
        sid = sid or f"scheduler__nobody_Y2xvdWQ__RMD5473cbac83d6c9db7_at_{at}_{self.runs}"
        args = [CHOSEN, f"variation={self.variation}"]
        return self.bench.runner.run("cbaalerts", args, None, SearchInfo(sid, "", latest_time=at, **more))

    def kept(self) -> list[dict[str, Any]]:
        return self.bench.kv.collection("cba_alerts").find()


def test_each_finding_once(bench: Workbench) -> None:
    story(bench)
    alarm = Alarm(bench)
    (row,) = alarm.run()
    assert (row["identity"], row["country"], row["severity"]) == ("ann", "RU", "medium")
    assert int(row["_time"]) == int(row["first_time"]) == TODAY * DAY + 36_000
    assert int(row["drilldown_end"]) == int(row["last_time"]) + 1
    assert not {"status", "owner", "comment", "verdict", "_key", "_user"} & row.keys()
    assert alarm.run() == []
    raised(bench, "c3", "bob", "RU")
    assert [row["identity"] for row in alarm.run()] == ["bob"]
    assert alarm.run() == []


BY_HAND = (
    "1769940000.12",
    "admin__admin__search__RMD5473cbac83d6c9db7_1769940000.13",
    "admin__admin_Y2xvdWQ__cloud__search1_1769940000.14",
    "subsearch_scheduler__nobody__app__RMD5473cbac83d6c9db7_at_1769940000_15_1769940000.1",
    "rt_scheduler__admin__search__RMD51cfb077d0798f99a_at_1769940000_37.0",
)


@pytest.mark.parametrize("sid", BY_HAND)
def test_by_hand_it_shows_what_would_be_raised_and_writes_nothing(here: Workbench, sid: str) -> None:
    story(here)
    alarm = Alarm(here)
    before = here.writes()
    assert [row["country"] for row in alarm.run(sid)] == ["RU"]
    assert [row["country"] for row in alarm.run(sid)] == ["RU"]
    assert (alarm.kept(), here.writes()) == ([], before)
    said = "cbaalerts: findings that the next scheduled run would raise: 1. Run by hand, nothing is kept"
    assert here.runner.messages[-1] == ("cbaalerts", "INFO", said)
    assert [row["country"] for row in alarm.run()] == ["RU"]
    assert alarm.run(sid) == []


def test_it_never_runs_in_a_preview(here: Workbench) -> None:
    story(here)
    alarm = Alarm(here)
    assert alarm.run(preview=True) == []
    assert alarm.kept() == []


def exchange(bench: Workbench, variation: str, times: int) -> list[list[dict[str, Any]]]:
    """The rows of each reply, when splunkd asks so many times and then goes away. As a scheduled search."""
    replies = bench.talk("cbaalerts", [CHOSEN, f"variation={variation}"], [("", False)] * times, sid="scheduler__1")
    return [decode_rows(reply.body) for reply in replies[1:]]


def test_what_was_handed_out_is_kept_only_when_splunkd_has_taken_it(bench: Workbench) -> None:
    story(bench)
    (rows,) = exchange(bench, "v2", 1)
    assert [row["country"] for row in rows] == ["RU"]
    assert bench.kv.collection("cba_alerts").find() == [], "the search died: its next run raises it"
    rows, rest = exchange(bench, "v2", 2)
    assert ([row["country"] for row in rows], rest) == (["RU"], [])
    assert len(bench.kv.collection("cba_alerts").find()) == 2


def test_the_mark_is_in_the_last_request(here: Workbench) -> None:
    """A store that goes away at any request: the run fails, and the next one raises what is not kept yet."""
    story(here)
    alarm = Alarm(here)
    start = len(here.splunkd.requests)
    alarm.run()
    asked = list(here.splunkd.requests)[start:]
    saves = [request for request in asked if request.endswith("cba_alerts/batch_save")]
    assert asked[-1:] == saves
    for nth in range(1, len(asked) + 1):
        here.kv.collection("cba_alerts").delete(None)
        fault = here.splunkd.fail("", 503, nth, times=1_000)
        with pytest.raises(LabError, match=r"cbaalerts: .*failed \(HTTP 503"):
            alarm.run()
        here.splunkd.faults.remove(fault)
        assert [row["country"] for row in alarm.run()] == ["RU"], f"cut off at {asked[nth - 1]}"
        assert alarm.run() == []


def test_a_run_without_news_writes_nothing_after_the_first(here: Workbench) -> None:
    story(here)
    alarm = Alarm(here)
    alarm.run()
    before = here.writes()
    assert [alarm.run(at=LATEST + 900 * tick) for tick in range(3)] == [[], [], []]
    assert here.writes() == before


def test_a_damaged_mark_is_named(here: Workbench) -> None:
    story(here)
    alarm = Alarm(here)
    here.kv.collection("cba_alerts").batch_save([{"_key": f"cloud_unusual_country:{alarm.variation}", "since": 1}])
    with pytest.raises(LabError) as error:
        alarm.run()
    said = "cbaalerts: KV store collection cba_alerts: document cloud_unusual_country:"
    assert said in str(error.value) and "is damaged" in str(error.value)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["detection=nothing", "variation=base"], "there is no 'nothing'; the detections are "),
        ([CHOSEN, "variation=x{}"], "variation=x{} is not one of cloud_unusual_country: "),
    ],
)
def test_what_is_not_there_is_named(here: Workbench, args: list[str], words: str) -> None:
    assert words in here.complaint("cbaalerts", *args, rows=None)
