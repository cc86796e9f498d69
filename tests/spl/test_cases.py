"""Every SPL case, run by the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from tests.spl.harness import Case, compared, load_cases, running, shown, window_of


@pytest.mark.parametrize("case", load_cases(), ids=lambda c: f"{c.file[:-4]}: {c.name}")
def test_case(case: Case, tmp_path: Path) -> None:
    with running(tmp_path, case) as engine:
        if case.error is not None:
            with pytest.raises(LabError) as caught:
                engine.search(case.search(), window_of(case))
            assert case.error in str(caught.value)
            return
        result = engine.search(case.search(), window_of(case))
    assert case.expect is not None
    expected = shown(case.expect)
    found = compared(result.rows, case.expect)
    if not case.ordered:
        expected, found = sorted(expected, key=repr_sorted), sorted(found, key=repr_sorted)
    assert found == expected


@pytest.mark.parametrize("case", load_cases(), ids=lambda c: f"{c.file[:-4]}: {c.name}")
def test_case_cites_its_ground(case: Case) -> None:
    assert case.source.startswith("https://")
    open_ = case.status != "documented"
    assert open_ == bool(case.note), "`note` says what the page leaves open"
    assert not (open_ and case.says), "`says` is of documented cases"
    assert case.status != "refused" or case.error, "what is refused ends with an error"


def repr_sorted(row: dict[str, object]) -> str:
    return repr(sorted(row.items()))
