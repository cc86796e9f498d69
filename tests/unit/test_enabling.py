"""Enabling what is recommended: what is done for which source, in which order, and what a fault or a crash leaves."""

from __future__ import annotations

from typing import Optional

import pytest

from cba.detection.model import BREAKER_SEARCH, MAINTENANCE_SEARCH, QUARANTINE_SEARCH, SETUP_SEARCH
from cba.enabling import FAILED, LEARNING, NO_DATA, OFF, ON, WAITING, Job, Step, carry_out, merged, plan, start
from cba.errors import StoreError

DISABLED = "is disabled"
ALL_OFF = {
    f"CBA - {source} - Judge": DISABLED for source in ("aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint")
}


class Splunk:
    """Saved searches whose back-fills take three looks; `broken` fails at the second, `refused` is not started."""

    def __init__(self, broken: str = "", refused: str = "") -> None:
        self.done: list[str] = []
        self.broken, self.refused = broken, refused
        self.looks: dict[str, int] = {}

    def enable(self, name: str, on: bool = True) -> None:
        self.done.append(f"{'+' if on else '-'} {name}")

    def dispatch(self, name: str) -> str:
        if self.refused and self.refused in name:
            raise StoreError("no quota left")
        self.done.append(f"run {name}")
        return name

    def job(self, sid: str) -> Job:
        looks = self.looks[sid] = self.looks.get(sid, 0) + 1
        if self.broken and self.broken in sid and looks == 2:
            return Job(True, "out of disk", 40)
        return Job(looks == 3, "", 40 * looks if looks < 3 else 100)


def steps(with_data: set[str], off: Optional[set[str]] = None, on: str = "") -> list[Step]:
    return plan(with_data, {**ALL_OFF, f"CBA - {on} - Judge": ""}, off or set())


def test_a_source_is_turned_on_if_it_has_data_and_is_not_switched_off() -> None:
    found = {step.source: step.step for step in steps({"aws", "gcp", "m365"}, off={"gcp"}, on="m365")}
    assert (found["aws"], found["gcp"], found["m365"], found["gws"]) == (WAITING, OFF, ON, NO_DATA)


def test_one_source_learns_after_the_other_and_is_turned_on_when_it_has_learned() -> None:
    splunk, kept, pauses = Splunk(), [], []
    done = carry_out(splunk, steps({"aws", "gcp"}), kept.append, pauses.append)
    assert splunk.done == [
        f"+ {BREAKER_SEARCH}", f"+ {MAINTENANCE_SEARCH}",
        "run CBA - aws - Backfill", "+ CBA - aws - Judge", f"+ {QUARANTINE_SEARCH}",
        "run CBA - gcp - Backfill", "+ CBA - gcp - Judge",
        f"- {SETUP_SEARCH}",
    ]  # fmt: skip
    assert [(step.step, step.progress) for step in kept if step.source == "aws"] == [
        (LEARNING, 0), (LEARNING, 40), (LEARNING, 80), (ON, 100),
    ]  # fmt: skip
    assert {step.source: step.step for step in done}["gcp"] == ON
    assert len(pauses) == 4


@pytest.mark.parametrize(("faults", "why"), [({"broken": "aws"}, "out of disk"), ({"refused": "aws"}, "no quota left")])
def test_what_fails_with_one_source_stops_no_other_and_is_told(faults: dict[str, str], why: str) -> None:
    splunk, kept = Splunk(**faults), []
    done = {step.source: step for step in carry_out(splunk, steps({"aws", "gcp"}), kept.append, lambda _seconds: None)}
    assert (done["aws"].step, done["aws"].message, done["gcp"].step) == (FAILED, why, ON)
    assert why in done["aws"].next
    assert "+ CBA - aws - Judge" not in splunk.done and "+ CBA - gcp - Judge" in splunk.done


def test_a_run_that_was_cut_off_goes_on_with_what_is_left() -> None:
    splunk, kept = Splunk(), []
    carry_out(splunk, steps({"aws", "gcp"}, on="aws"), kept.append, lambda _seconds: None)
    assert not any("aws - Backfill" in done for done in splunk.done) and "run CBA - gcp - Backfill" in splunk.done


def test_starting_turns_the_search_on_that_does_it_where_there_is_anything_to_do() -> None:
    splunk = Splunk()
    assert not start(splunk, steps(set())) and not splunk.done
    assert start(splunk, steps({"aws"})) and splunk.done == [f"+ {SETUP_SEARCH}"]


def test_what_a_run_has_said_is_shown_until_the_source_is_on() -> None:
    known = {"aws": Step("aws", LEARNING, 37), "gcp": Step("gcp", LEARNING, 80), "gws": Step("gws", ON, 100)}
    shown = {step.source: step for step in merged(steps({"aws", "gws", "gcp"}, on="gcp"), known)}
    assert shown["aws"].next == "learns what is indexed, 37 % done; then it is turned on"
    assert shown["gcp"].step == ON
    assert shown["gws"].step == WAITING, "somebody has turned it off since"
