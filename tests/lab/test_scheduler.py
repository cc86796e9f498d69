"""The scheduler on a simulated clock: what runs when, over which window, and what throttling and conditions let
through.

Oracle: https://docs.splunk.com/Documentation/Splunk/latest/Admin/Savedsearchesconf and, for the merging of runs, the
design (a merged run's window is the union of the skipped runs' windows).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from lab.conf import load_app
from lab.errors import LabError, RunFailed
from lab.events import EventStore
from lab.savedsearch import ScheduledSearch
from lab.scheduler import Run, Scheduler

DAY = 1_767_225_600  # 2026-01-01 00:00 UTC
HOUR = 3600
Rows = Callable[[str, Run], "list[dict[str, Any]]"]

DETECTION = """
[detect]
search = | noop
enableSched = 1
cron_schedule = */15 * * * *
dispatch.earliest_time = -3h@h
dispatch.latest_time = now
"""
VARIATION = """
[alert]
search = | noop
enableSched = 1
cron_schedule = 5-59/15 * * * *
dispatch.earliest_time = -20m
dispatch.latest_time = now
counttype = number of events
relation = greater than
quantity = 0
alert.track = 1
"""


OPENED: list[Scheduler] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while OPENED:
        scheduler = OPENED.pop()
        scheduler.close()
        scheduler.events.close()


class Bench:
    """A scheduler over a conf text; `rows(name, run)` is what its searches find."""

    def __init__(self, folder: Path, conf: str, rows: Rows = lambda name, run: []) -> None:
        (folder / "default").mkdir(exist_ok=True)
        (folder / "default" / "savedsearches.conf").write_text(conf)
        (folder / "default" / "app.conf").write_text("[package]\nid = bench\n")
        self.folder, self.rows = folder, rows
        self.runs: list[Run] = []
        self.open()

    def open(self) -> None:
        self.events = EventStore()
        self.scheduler = Scheduler(load_app(self.folder), self.events, self._search, self.folder / "scheduler.sqlite")
        OPENED.append(self.scheduler)

    def _search(self, search: ScheduledSearch, run: Run) -> list[dict[str, Any]]:
        rows = self.rows(search.name, run)
        self.runs.append(run)
        return rows

    def written(self, index: str) -> list[dict[str, Any]]:
        out = []
        for part in self.events.scan(None, None):
            read = self.events.reader(part.block, part.positions)
            for n in part.positions:
                if self.events.metas[part.block.metas[n]][0] == index:
                    out.append({"_time": part.block.times[n], **json.loads(read(n))})
        return sorted(out, key=lambda row: float(row["_time"]))


def offsets(runs: list[Run]) -> list[tuple[str, int, int, int]]:
    """(name, minutes of at, of earliest, of latest) since DAY."""
    return [
        (r.name, (r.at - DAY) // 60, int((r.earliest or 0) - DAY) // 60, int((r.latest or 0) - DAY) // 60) for r in runs
    ]


def test_every_tick_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path, VARIATION + DETECTION)
    summary = bench.scheduler.replay(DAY, DAY + 20 * 60)
    assert offsets(bench.runs) == [
        ("detect", 0, -180, 0),
        ("alert", 5, -15, 5),
        ("detect", 15, -180, 15),
        ("alert", 20, 0, 20),
    ]
    assert (summary.runs, summary.ticks, summary.rows, summary.triggered) == (4, 4, 0, 0)


def test_an_hour_is_one_run_over_the_union_of_its_windows(tmp_path: Path) -> None:
    bench = Bench(tmp_path, VARIATION + DETECTION)
    summary = bench.scheduler.replay(DAY, DAY + 2 * HOUR, "1h")
    assert offsets(bench.runs) == [
        ("detect", 0, -180, 0),
        ("detect", 60, -180, 60),  # ticks 15, 30, 45, 60: earliest of the first (-3h@h of 00:15), latest of the last
        ("alert", 60, -15, 50),  # ticks 5 … 50
        ("detect", 120, -120, 120),
        ("alert", 120, 45, 110),
    ]
    assert [run.now for run in bench.runs if run.name == "alert"] == [DAY + 50 * 60, DAY + 110 * 60]
    assert summary.ticks == 9 + 8


def test_a_day_runs_at_its_end_and_the_rest_at_the_end_of_all(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DETECTION)
    bench.scheduler.replay(DAY + 1, DAY + 36 * HOUR, "1d")
    assert offsets(bench.runs) == [("detect", 24 * 60, -180, 24 * 60), ("detect", 48 * 60, 21 * 60, 36 * 60)]


@pytest.mark.parametrize(
    ("settings", "cadence", "expected"),
    [
        # while it was away nothing ran, and what was missed is lost
        ("", "15m", [(0, 0), (15, 15), (60, 60)]),
        ("realtime_schedule = 1\n", "15m", [(0, 0), (15, 15), (60, 60)]),
        # or made up for when it is back, in order, each with the clock of its tick
        ("realtime_schedule = 0\n", "15m", [(0, 0), (15, 15), (59, 30), (59, 45), (60, 60)]),
        ("realtime_schedule = 0\n", "1h", [(0, 0), (60, 60)]),
        ("", "1h", [(0, 0), (60, 60)]),
    ],
)
def test_a_search_head_that_is_away(
    tmp_path: Path, settings: str, cadence: str, expected: list[tuple[int, int]]
) -> None:
    bench = Bench(tmp_path, DETECTION + settings)
    bench.scheduler.absences.append((DAY + 16 * 60, DAY + 59 * 60))
    summary = bench.scheduler.replay(DAY, DAY + HOUR, cadence)
    assert [((run.at - DAY) // 60, (run.now - DAY) // 60) for run in bench.runs] == expected
    assert summary.ticks == (5 if cadence == "1h" or "0" in settings else 3)


def test_what_was_missed_longer_ago_than_a_day_is_not_made_up_for(tmp_path: Path) -> None:
    """limits.conf.spec, [scheduler] max_continuous_scheduled_search_lookback = 24h."""
    bench = Bench(tmp_path, DETECTION + "realtime_schedule = 0\n")
    bench.scheduler.absences.append((DAY, DAY + 30 * HOUR))
    bench.scheduler.replay(DAY, DAY + 30 * HOUR)
    assert (bench.runs[0].now, bench.runs[0].at, bench.runs[0].seen) == (DAY + 6 * HOUR, *[DAY + 30 * HOUR] * 2)
    assert len(bench.runs) == 24 * 4 + 1


def test_a_run_that_fails_is_recorded_and_the_next_one_follows(tmp_path: Path) -> None:
    def rows(name: str, run: Run) -> list[dict[str, Any]]:
        if run.now in (DAY + 900, DAY + 1800):
            raise RunFailed("command judge: the KV store is away")
        return [{"a": 1}]

    bench = Bench(tmp_path, DETECTION + "alert.track = 1\n", rows)
    summary = bench.scheduler.replay(DAY, DAY + HOUR, on_failure="record")
    assert (summary.runs, summary.failed, summary.triggered) == (3, 2, 3)
    first, second = bench.scheduler.failures()
    assert (first.time, first.name, second.time) == (DAY + 900, "detect", DAY + 1800)
    assert first.message == "default/savedsearches.conf [detect]: command judge: the KV store is away"
    assert first.sid.startswith("scheduler__nobody__bench__RMD5")
    assert bench.scheduler.plan(DAY, DAY + HOUR) == [], "a run that failed is not repeated"
    bench.scheduler.forget()
    assert bench.scheduler.failures() == []
    with pytest.raises(RunFailed):
        bench.scheduler.replay(DAY, DAY + HOUR)
    assert bench.scheduler.failures() == []
    with pytest.raises(LabError, match="on_failure 'ignore' is not known"):
        bench.scheduler.replay(DAY, DAY + HOUR, on_failure="ignore")


def test_what_the_lab_does_not_understand_is_no_failed_run(tmp_path: Path) -> None:
    def rows(name: str, run: Run) -> list[dict[str, Any]]:
        raise LabError("unknown command 'foo'")

    bench = Bench(tmp_path, DETECTION, rows)
    with pytest.raises(LabError, match="unknown command"):
        bench.scheduler.replay(DAY, DAY, on_failure="record")


def test_an_edit_ends_throttling(tmp_path: Path) -> None:
    """https://docs.splunk.com/Documentation/Splunk/latest/Alert/ThrottleAlerts"""
    throttle = "alert.suppress = 1\nalert.suppress.period = 5h\n"
    group = throttle + "alert.suppress.group_name = g\n"
    others = "".join(VARIATION.replace("[alert]", f"[{name}]") + group for name in ("one", "two"))
    bench = Bench(tmp_path, VARIATION + throttle + others, lambda name, run: [{"a": 1}])
    conf = tmp_path / "default" / "savedsearches.conf"

    def alerts(start: int) -> list[str]:
        known = len(bench.scheduler.alerts())
        bench.scheduler.replay(DAY + start * HOUR, DAY + (start + 1) * HOUR)
        return [alert.name for alert in bench.scheduler.alerts()[known:]]

    assert alerts(0) == ["alert", "one"]
    bench.scheduler.edited(load_app(tmp_path))
    assert alerts(1) == [], "nothing was edited"
    conf.write_text(conf.read_text().replace("[alert]", "[alert]\ndescription = new"))
    bench.scheduler.edited(load_app(tmp_path))
    assert alerts(2) == ["alert"]
    conf.write_text(conf.read_text().replace("[two]", "[two]\ndescription = new"))
    bench.scheduler.edited(load_app(tmp_path))
    assert alerts(3) == ["one"]


def test_the_same_ticks_are_covered_at_any_cadence(tmp_path: Path) -> None:
    covered = {}
    for cadence in ("15m", "1h", "1d"):
        (tmp_path / cadence).mkdir()
        bench = Bench(tmp_path / cadence, VARIATION + DETECTION)
        summary = bench.scheduler.replay(DAY + 7 * 60, DAY + 60 * HOUR, cadence)
        covered[cadence] = summary.ticks
        for name in ("alert", "detect"):
            windows = [(r.earliest, r.latest) for r in bench.runs if r.name == name]
            assert windows[0][0] == min(w[0] for w in windows if w[0] is not None)
            gaps = [b[0] > a[1] for a, b in zip(windows, windows[1:]) if b[0] is not None and a[1] is not None]
            assert not any(gaps), "no event time is skipped"
    assert len(set(covered.values())) == 1


def test_same_minute_in_order_of_first_minute_then_of_the_file(tmp_path: Path) -> None:
    conf = "".join(
        f"[{name}]\nsearch = | noop\nenableSched = 1\ncron_schedule = {cron}\n"
        for name, cron in (("late", "15,30 * * * *"), ("b", "*/30 * * * *"), ("a", "*/30 * * * *"))
    )
    bench = Bench(tmp_path, conf)
    bench.scheduler.replay(DAY + 30 * 60, DAY + 30 * 60)
    assert [run.name for run in bench.runs] == ["b", "a", "late"]


def test_a_search_without_actions_or_tracking_is_no_alert(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DETECTION, lambda name, run: [{"a": 1}])
    assert bench.scheduler.replay(DAY, DAY).triggered == 0
    assert bench.scheduler.alerts() == []


def test_which_searches_run(tmp_path: Path) -> None:
    conf = DETECTION + "[off]\nsearch = | noop\ndisabled = 1\ncron_schedule = */5 * * * *\n[manual]\nsearch = | noop\n"
    scheduler = Bench(tmp_path, conf).scheduler
    assert [s.name for s in scheduler.selected()] == ["detect"]
    assert [s.name for s in scheduler.selected(["off"])] == ["off"]
    assert [s.name for s in scheduler.selected(lambda name: name.startswith("o"))] == ["off"]
    with pytest.raises(LabError, match=r"no scheduled search 'manual'. Known: detect, off"):
        scheduler.selected(["manual"])
    with pytest.raises(LabError, match=r"cadence '2h' is not known"):
        scheduler.plan(0, 1, "2h")


def test_index_time_windows(tmp_path: Path) -> None:
    conf = DETECTION + "dispatch.index_earliest = -15m@m\ndispatch.index_latest = now\n"
    bench = Bench(tmp_path, conf)
    bench.scheduler.replay(DAY + 1, DAY + HOUR, "1h")
    run = bench.runs[0]
    assert (run.index_earliest, run.index_latest) == (DAY, DAY + HOUR)


CONDITIONS = [
    ("", 0, True),  # "always" is the default
    ("counttype = number of events\nrelation = greater than\nquantity = 1\n", 1, False),
    ("counttype = number of events\nrelation = greater than\nquantity = 1\n", 2, True),
    ("counttype = number of events\nrelation = less than\nquantity = 1\n", 0, True),
    ("counttype = number of events\nrelation = equal to\nquantity = 2\n", 2, True),
    ("counttype = number of events\nrelation = not equal to\nquantity = 2\n", 2, False),
    ("counttype = number of hosts\nrelation = equal to\nquantity = 1\n", 4, True),
    ("counttype = number of sources\nrelation = equal to\nquantity = 4\n", 4, True),
]


@pytest.mark.parametrize(("settings", "rows", "triggers"), CONDITIONS)
def test_conditions(tmp_path: Path, settings: str, rows: int, triggers: bool) -> None:
    found = [{"host": "h", "source": str(n)} for n in range(rows)]
    bench = Bench(tmp_path, DETECTION + "alert.track = 1\n" + settings, lambda name, run: found)
    assert bench.scheduler.replay(DAY, DAY).triggered == int(triggers)


def test_throttling_by_fields_in_simulated_time(tmp_path: Path) -> None:
    conf = VARIATION + (
        "alert.suppress = 1\nalert.suppress.fields = id, who\nalert.suppress.period = 30m\naction.notable = 1\n"
    )
    found = {5: ["a"], 20: ["a", "b"], 35: ["a", "b"], 50: ["b"], 65: ["a", "a"]}
    bench = Bench(
        tmp_path, conf, lambda name, run: [{"id": i, "who": "x"} for i in found.get((run.now - DAY) // 60, [])]
    )
    summary = bench.scheduler.replay(DAY, DAY + 80 * 60)
    notables = [((n["_time"] - DAY) // 60, n["id"]) for n in bench.written("notable")]
    assert notables == [(5, "a"), (20, "b"), (35, "a"), (50, "b"), (65, "a")], (
        "a period ends when it is over, not after"
    )
    assert summary.triggered == 5
    assert [alert.results for alert in bench.scheduler.alerts()] == [1] * 5


def test_throttling_the_whole_alert_and_a_group(tmp_path: Path) -> None:
    throttle = "alert.suppress = 1\nalert.suppress.period = 20m\nalert.suppress.group_name = g\n"
    other = VARIATION.replace("[alert]", "[other]").replace("5-59/15", "6-59/15")
    bench = Bench(tmp_path, VARIATION + throttle + other + throttle, lambda name, run: [{"a": 1}])
    bench.scheduler.replay(DAY, DAY + 59 * 60)
    assert [(a.name, int(a.time - DAY) // 60) for a in bench.scheduler.alerts()] == [("alert", 5), ("alert", 35)]


def test_per_result_alerts(tmp_path: Path) -> None:
    conf = (
        VARIATION
        + "alert.digest_mode = 0\naction.notable = 1\naction.notable.param.rule_title = $result.id$ of $name$\n"
    )
    bench = Bench(tmp_path, conf, lambda name, run: [{"id": "a"}, {"id": "b"}])
    assert bench.scheduler.replay(DAY + 5 * 60, DAY + 5 * 60).triggered == 2
    assert [n["rule_title"] for n in bench.written("notable")] == ["a of alert", "b of alert"]


def test_a_killed_replay_goes_on_with_the_run_it_was_in(tmp_path: Path) -> None:
    (tmp_path / "once").mkdir()
    conf = VARIATION + "action.notable = 1\nalert.suppress = 1\nalert.suppress.fields = n\nalert.suppress.period = 1h\n"

    def rows(name: str, run: Run) -> list[dict[str, Any]]:
        return [{"n": (run.now - DAY) // HOUR}]

    whole = Bench(tmp_path / "once", conf + DETECTION, rows)
    whole.scheduler.replay(DAY, DAY + 5 * HOUR)
    for kill_at in range(1, len(whole.runs), 7):
        folder = tmp_path / f"killed{kill_at}"
        folder.mkdir()
        bench = Bench(folder, conf + DETECTION, rows)

        def dying(name: str, run: Run, bench: Bench = bench, kill_at: int = kill_at) -> list[dict[str, Any]]:
            if len(bench.runs) == kill_at:
                raise KeyboardInterrupt
            return rows(name, run)

        bench.rows = dying
        with pytest.raises(KeyboardInterrupt):
            bench.scheduler.replay(DAY, DAY + 5 * HOUR)
        bench.rows = rows
        bench.open()
        bench.scheduler.replay(DAY, DAY + 5 * HOUR)
        assert bench.runs == whole.runs, "nothing twice, nothing left out"
        assert bench.scheduler.alerts() == whole.scheduler.alerts()
        assert bench.written("notable") == whole.written("notable")
        assert bench.scheduler.replay(DAY, DAY + 5 * HOUR).runs == 0


def test_a_crash_while_actions_are_written_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = VARIATION + "action.notable = 1\naction.risk = 1\n"
    bench = Bench(tmp_path, conf, lambda name, run: [{"id": "a"}])
    with monkeypatch.context() as patch:
        patch.setattr("lab.scheduler._tracks", lambda search: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.scheduler.replay(DAY + 5 * 60, DAY + 5 * 60)
    assert bench.scheduler.alerts() == []
    assert bench.scheduler.action_events() == []
    bench.scheduler.replay(DAY + 5 * 60, DAY + 5 * 60)
    assert [n["id"] for n in bench.written("notable")] == ["a"]


def test_forget_and_progress_calls(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DETECTION)
    seen: list[tuple[float, float, str]] = []
    bench.scheduler.replay(DAY, DAY + 30 * 60, progress=lambda done, total, note: seen.append((done, total, note)))
    assert seen == [(0, 1800, "detect"), (900, 1800, "detect"), (1800, 1800, "detect")]
    bench.scheduler.forget()
    assert bench.scheduler.replay(DAY, DAY + 30 * 60).runs == 3


def test_a_failing_search_names_its_place_and_what_ran_stays_done(tmp_path: Path) -> None:
    def rows(name: str, run: Run) -> list[dict[str, Any]]:
        if run.now > DAY:
            raise LabError("unknown command 'foo'")
        return []

    bench = Bench(tmp_path, DETECTION, rows)
    with pytest.raises(LabError) as caught:
        bench.scheduler.replay(DAY, DAY + HOUR)
    assert str(caught.value) == "default/savedsearches.conf [detect]: unknown command 'foo'"
    assert [run.now for run in bench.scheduler.plan(DAY, DAY + 900)] == [DAY + 900]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alert_condition = search x=1", "does not know the setting 'alert_condition = search x=1'"),
        ("durable.track_time_type = _indextime", "does not know the setting 'durable"),
        ("dispatch.sample_ratio = 10", "does not know the setting 'dispatch.sample_ratio"),
        ("counttype = custom", "counttype = custom is not supported"),
        ("relation = rises by", "relation = rises by is not supported"),
        ("quantity = many", "is not a whole number"),
        ("counttype = number of events", "counttype needs relation and quantity"),
        ("dispatch.index_earliest = yesterday", "'yesterday' is not a time modifier"),
        ("alert.suppress = 1", "needs a period"),
        ("alert.suppress = 1\nalert.suppress.period = 1 week", "needs a period"),
        ("alert.suppress = 1\nalert.suppress.period = 1h\nalert.digest_mode = 0", "fields must be set"),
        ("action.sms = 1", "does not know the alert action 'sms'"),
        ("action.notable = 1\naction.notable.param.colour = red", "'param.colour' is not a parameter of the notable"),
        ("action.notable = 1\naction.notable.param.severity = urgent", "severity 'urgent' is not one of"),
        ("action.risk = 1\naction.risk.param._risk = [{]", "is not JSON"),
        ("action.risk = 1\naction.risk.param._risk = {}", "must be a JSON list"),
        ('action.risk = 1\naction.risk.param._risk = [{"risk_object_field": "u"}]', "an entry needs risk_object_field"),
    ],
)
def test_settings_are_read_strictly(tmp_path: Path, line: str, message: str) -> None:
    bench = Bench(tmp_path, DETECTION + line + "\n")
    with pytest.raises(LabError, match=message) as caught:
        bench.scheduler.searches()
    assert str(caught.value).startswith("default/savedsearches.conf [detect] at line ")


@pytest.mark.parametrize("cron", ["*/15 * * *", "* * * * MON"])
def test_a_bad_cron_names_its_line(tmp_path: Path, cron: str) -> None:
    bench = Bench(tmp_path, f"[x]\nsearch = | noop\ncron_schedule = {cron}\n")
    with pytest.raises(LabError, match=r"savedsearches.conf \[x\] at line 3: cron_schedule"):
        bench.scheduler.searches()
    with pytest.raises(LabError, match=r"enableSched = 1 without cron_schedule"):
        Bench(tmp_path, "[x]\nsearch = | noop\nenableSched = 1\n").scheduler.searches()


def test_settings_without_effect_are_accepted(tmp_path: Path) -> None:
    conf = DETECTION + (
        "description = d\nallow_skew = 100%\nrealtime_schedule = 0\nschedule_window = 5\nis_visible = false\n"
        "display.general.type = statistics\nrequest.ui_dispatch_app = x\naction.escu = 0\naction.escu.enabled = 1\n"
        "action.email = 0\naction.correlationsearch.enabled = 1\ndispatch.allow_partial_results = false\n"
    )
    assert list(Bench(tmp_path, conf).scheduler.searches()) == ["detect"]
