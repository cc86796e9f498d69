"""`cbaforget` deletes what nothing looks at any more, and nothing else."""

from __future__ import annotations

from pathlib import Path

from cba.history.days import KEPT_DAYS
from tests.support.workbench import TODAY, Workbench, story

NOW = (TODAY + 1) * 86_400
DAY = 86_400


def test_what_is_expired_goes_and_the_rest_stays(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        bench.search(story())
        before = bench.stored()
        today = TODAY + 1
        old = {
            "cba_history": {
                "subject": "s",
                "profile": "identity_country",
                "entity": "gone",
                "writer": "aws",
                "last_day": today - KEPT_DAYS - 1,
            },
            "cba_homes": {"workload": "i-gone", "last_day": today - KEPT_DAYS - 1},
            "cba_signals": {"detection": "serverless_execution_iaas", "first_time": NOW - 30 * DAY - 1},
            "cba_findings": {"finding_id": "gone", "entity": "gone", "last_time": NOW - 400 * DAY - 1},
            "cba_triage": {"finding_id": "gone", "triaged_time": NOW - 430 * DAY - 1},
            "cba_alerts": {"alert": "gone:base", "raised_time": NOW - 430 * DAY - 1},
        }
        for name, document in old.items():
            limit = {
                "last_day": today - KEPT_DAYS, "first_time": NOW - 30 * DAY, "last_time": NOW - 400 * DAY,
                "triaged_time": NOW - 430 * DAY, "raised_time": NOW - 430 * DAY,
            }  # fmt: skip
            kept = {field: limit.get(field, value) for field, value in document.items()}
            bench.kv.collection(name).batch_save([{"_key": "gone", **document}, {"_key": "kept", **kept}])
        mark = {"_key": "gone:base", "since": 0, "until": 0}
        bench.kv.collection("cba_alerts").batch_save([mark])
        rows = bench.run("cbaforget", rows=None)
        assert bench.kv.collection("cba_alerts").get("gone:base") is not None, (
            "how far an alert has come is never forgotten"
        )
        bench.kv.collection("cba_alerts").delete({"_key": "gone:base"})
        assert {row["collection"]: row["forgotten"] for row in rows} == dict.fromkeys(old, "1")
        after = bench.stored()
        for name in ("cba_history", "cba_findings"):
            assert after[name] == sorted(
                [*before[name], *bench.kv.collection(name).find({"_key": "kept"})], key=lambda d: str(d["_key"])
            )
        for name in ("cba_homes", "cba_signals", "cba_triage", "cba_alerts"):
            assert [document["_key"] for document in bench.kv.collection(name).find()] == ["kept"]
        assert [row["forgotten"] for row in bench.run("cbaforget", rows=None)] == ["0"] * len(old)


def test_a_retention_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        assert "finding_days=soon is not a number of days" in bench.complaint(
            "cbaforget", "finding_days=soon", rows=None
        )
