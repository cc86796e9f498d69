"""`| cbahistory finding=…`: what was normal for the entity of a finding when it was raised, and what followed."""

from __future__ import annotations

from cba.terms import date_text
from tests.support.workbench import TODAY, Row, Workbench, reduced, story

LATER = [reduced(TODAY + 1, "ann", "NL"), reduced(TODAY + 2, "ann", "RU"), reduced(TODAY + 4, "ann", "US")]


def finding_of(bench: Workbench, entity: str) -> Row:
    (found,) = [each for each in bench.stored()["cba_findings"] if each["entity"] == entity]
    return found


def test_normal_life_the_break_in_it_and_what_followed(bench: Workbench) -> None:
    bench.search([*story(), *LATER])
    finding = next(each for each in bench.stored()["cba_findings"] if each["country"] == "RU")
    rows = bench.run("cbahistory", f"finding={finding['finding_id']}", rows=None)
    assert {(row["entity"], row["as_of"]) for row in rows} == {("ann", date_text(TODAY))}
    own, usual = rows
    assert (own["value"], own["of_finding"], own["established"]) == ("RU", "1", "0")
    assert (own["days_training"], own["days_since"]) == ("0", f"{date_text(TODAY)} {date_text(TODAY + 2)}")
    assert (usual["value"], usual["of_finding"], usual["established"]) == ("NL", "0", "1")
    assert (usual["days_training"], usual["days_since"]) == ("30", date_text(TODAY + 1))


def test_what_was_said_of_it_later_changes_nothing_in_it(here: Workbench) -> None:
    here.search(story())
    finding = finding_of(here, "ann")["finding_id"]
    before = here.run("cbahistory", f"finding={finding}", rows=None)
    here.run("cbaverdict", f"finding={finding}", "verdict=benign", "comment=holiday", rows=None)
    assert here.run("cbahistory", f"finding={finding}", rows=None) == before
    ruled = [row for row in here.run("cbahistory", "entity=ann", rows=None) if row["value"] == "RU"]
    assert [row["verdict"] for row in ruled] == ["benign"]


def test_what_the_finding_is_compared_with_comes_first(here: Workbench) -> None:
    past = [{**reduced(day, "ann", "NL"), "function_write": "write"} for day in range(TODAY - 20, TODAY)]
    here.run("cbabaseline", "detection=cloud_function_unusual_runtime", "learn=only", rows=with_runtime(past))
    here.search(story())
    rows = here.run("cbahistory", f"finding={finding_of(here, 'ann')['finding_id']}", rows=None)
    assert [row["profile"] for row in rows] == ["identity_country", "identity_country", "identity_function_write"]
    narrowed = here.run(
        "cbahistory", f"finding={finding_of(here, 'ann')['finding_id']}", "profile=identity_function_write", rows=None
    )
    assert narrowed == rows[2:]


def with_runtime(rows: list[Row]) -> list[Row]:
    more = {"runtime": "python", "function": "f", "package_type": "Zip", "runtime_exact": "python3.12", "role": "r"}
    return [{**row, **more} for row in rows]


def test_a_star_stands_for_the_most_severe(here: Workbench) -> None:
    assert here.run("cbahistory", "finding=*", rows=None) == []
    here.search(story())
    (row, *_rest) = here.run("cbahistory", "finding=*", rows=None)
    assert row["entity"] == "ann", "medium; bob's is informational"


def test_a_finding_that_is_not_there(here: Workbench) -> None:
    complaint = here.complaint("cbahistory", "finding=nope", rows=None)
    assert complaint.endswith("cbahistory: there is no finding nope; finding_id in cba_findings has the ids")


def test_a_finding_names_its_entity(here: Workbench) -> None:
    complaint = here.complaint("cbahistory", "finding=nope", "entity=ann", rows=None)
    assert "a finding names its entity; give entity=<name> or finding=<id>" in complaint
