"""The engine of `cbabaseline`: what it answers and learns does not depend on how rows come in batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cba.detection.catalogue import get
from cba.history import baseline
from cba.history.baseline import Baseline, Row
from tests.support.memory import MemoryHistories, MemoryStatuses

DETECTION = get("process_rare_cloud_resource")
FIRST_DAY = 20_454


def row(day: int, host: str, resource: str, skip_reason: str) -> Row:
    return Row(FIRST_DAY + day, "endpoint", skip_reason, (host, resource), (f"a.exe to {resource}", host))


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 40),
        st.sampled_from(["ws1", "ws2", "ws3", "-"]),
        st.sampled_from(["one", "other"]),
        st.sampled_from(["-", "-", "-", "no name"]),
    ),
    max_size=40,
).map(sorted)


def run(rows: list[Row], batch: int) -> tuple[list[tuple[str, str]], Any]:
    """What is told of every row, and the histories at the end."""
    histories = MemoryHistories()
    engine = Baseline(DETECTION, histories, MemoryStatuses())
    told: list[tuple[str, str]] = []
    for start in range(0, len(rows), batch):
        told += engine.tell(rows[start : start + batch], lambda answer: (answer.text, answer.silent_reason))
    return told, histories.documents


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(1, 5), st.sampled_from([-1, 3, 200_000]))
def test_batches_and_histories_read_again_change_nothing(
    monkeypatch: pytest.MonkeyPatch, rows: list[Row], batch: int, held: int
) -> None:
    expected = run(rows, max(1, len(rows)))
    with monkeypatch.context() as patch:
        patch.setattr(baseline, "HELD_VALUES", held)
        assert run(rows, batch) == expected


def test_no_more_is_held_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a batch brings comes on top."""
    monkeypatch.setattr(baseline, "HELD_VALUES", 20)
    loads: list[int] = []

    class Watched(MemoryHistories):
        def load(self, subjects: Any) -> Any:
            loads.append(sum(len(history.values) for history in engine._known.values()))
            return super().load(subjects)

    engine = Baseline(DETECTION, Watched(), MemoryStatuses())
    for number in range(50):
        engine.process([row(0, f"ws{number}", f"bucket{number}", "-")])
    assert len(loads) == 50
    assert max(loads) <= 20


def test_equal_rows_are_told_once() -> None:
    words: list[str] = []
    rows = [row(0, "ws1", "one", "-")] * 3
    answers = Baseline(DETECTION, MemoryHistories(), MemoryStatuses()).tell(
        rows, lambda answer: words.append(answer.text)
    )
    assert (len(words), len(answers)) == (1, 3)
