"""`cbasetup` between splunkd and a person: what it shows, what it turns on, and the whole of it on a search head."""

from __future__ import annotations

from pathlib import Path

from cba.enabling import ON, carry_out, plan
from cba.store.searches import SavedSearches, running
from cba.store.setup import SetupCollection
from lab.chunked import decode_rows, encode_rows
from lab.conf import load_app
from lab.remote import Remote
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from tests.replay.test_triage import ADA, DAY, NOON, START, call
from tests.support.workbench import Workbench

ARRIVED = encode_rows(["Source", "Data"], [{"Source": "aws", "Data": "fresh"}, {"Source": "gcp", "Data": "none"}])


def shown(bench: Workbench, *args: str, sid: str = "1.1") -> dict[str, dict[str, str]]:
    replies = bench.talk("cbasetup", args, [(ARRIVED, True)], sid=sid)
    return {str(row["source"]): row for row in decode_rows(replies[-1].body)}  # type: ignore[misc]


def set_up_is_on(folder: Path) -> bool:
    return not load_app(APP_DIR, folder).stanza("savedsearches", "CBA - Set up").boolean("disabled")


def test_a_person_sees_the_plan_and_begins_it(tmp_path: Path) -> None:
    with Workbench(tmp_path, local=tmp_path / "local") as bench:
        rows = shown(bench)
        assert (rows["aws"]["step"], rows["gcp"]["step"], rows["gws"]["step"]) == ("waiting", "no data", "no data")
        assert "name its indexes" in rows["gcp"]["next"]
        assert not set_up_is_on(tmp_path / "local")
        bench.kv.collection("cba_setup").batch_save(
            [{"_key": "aws", "source": "aws", "step": "failed", "progress": 3, "message": "out of disk"}]
        )
        assert shown(bench)["aws"]["next"] == "its back-fill failed: out of disk"
        assert shown(bench, "start=true")["aws"]["step"] == "waiting"
        assert set_up_is_on(tmp_path / "local")


def test_on_a_search_head_sources_with_data_learn_and_are_turned_on(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path) as head:
        head.events.add([call(ADA, day, NOON, "NL") for day in range(20)])
        head.jobs.clock = lambda: float(START + 20 * DAY)
        service = Remote.connect(head.splunkd.uri, USERNAME, PASSWORD).service
        store = SetupCollection(service)
        steps = plan({"aws"}, running(service), frozenset())
        done = carry_out(SavedSearches(service), steps, lambda step: store.save(step, START), lambda _seconds: None)
        assert {step.source for step in done if step.step == ON} == {"aws"}
        assert store.load()["aws"].step == ON
        (learned,) = (
            row for row in head.search("| cbahealth entities=false", latest=START + 20 * DAY).rows
            if (row["source"], row["detection"]) == ("aws", "cloud_unusual_country")
        )  # fmt: skip
        assert (learned["days_learned"], learned["active_from"]) == ("20", "2026-01-15")
        on = {name for name, why in running(service).items() if not why}
        assert {"CBA - aws - Judge", "CBA - Quarantined users", "CBA - Circuit breaker", "CBA - Maintenance"} <= on
        assert not on & {"CBA - gcp - Judge", "CBA - Set up"}
