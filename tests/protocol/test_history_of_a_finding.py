"""`| cbahistory finding=…`: what was normal for the entity of a finding when it was raised, and what followed."""

from __future__ import annotations

from cba.terms import date_text
from tests.support.workbench import FIRST_DAY, TODAY, Row, Workbench, reduced, story

LATER = [reduced(TODAY + 1, "ann", "NL"), reduced(TODAY + 2, "ann", "RU"), reduced(TODAY + 4, "ann", "US")]


def finding_of(bench: Workbench, entity: str) -> Row:
    (found,) = [each for each in bench.stored()["cba_findings"] if each["entity"] == entity]
    return found


def test_normal_life_the_break_in_it_and_what_followed(bench: Workbench) -> None:
    bench.search([*story(), *LATER])
    finding = next(each for each in bench.stored()["cba_findings"] if each["country"] == "RU")
    rows = bench.run("cbahistory", f"finding={finding['finding_id']}", "profile=identity_country", rows=None)
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
    written = {"function_write": "write", "outcome": "success"}
    past = [reduced(day, "ann", "NL", **written) for day in range(TODAY - 20, TODAY)]
    here.search(past, "learn=only")
    here.search(story())
    chosen = f"finding={finding_of(here, 'ann')['finding_id']}"
    rows = here.run("cbahistory", chosen, rows=None)
    assert [row["profile"] for row in rows] == [
        "identity_country", "identity_country", "identity_function_write", "identity_project",
    ]  # fmt: skip
    narrowed = here.run("cbahistory", chosen, "profile=identity_function_write", rows=None)
    assert narrowed == rows[2:3]


def test_it_is_what_all_writers_have_seen(bench: Workbench) -> None:
    """The searches of two sources and a back-fill, each in documents of its own, are one history to whoever reads it."""
    bench.search([reduced(day, "ann", "NL") for day in range(FIRST_DAY, FIRST_DAY + 10)], "learn=only")
    bench.search([reduced(day, "ann", "NL") for day in range(FIRST_DAY + 8, FIRST_DAY + 12)])
    on_azure = [{**reduced(day, "ann", country), "source_kind": "azure"} for day, country in
                ((FIRST_DAY + 12, "DE"), (FIRST_DAY + 13, "NL"))]  # fmt: skip
    bench.search(on_azure, source="azure")
    documents = bench.kv.collection("cba_history").find({"profile": "identity_country"})
    assert sorted(document["writer"] for document in documents) == ["aws", "azure", "back-fill of aws"]
    rows = bench.run("cbahistory", "entity=ann", "profile=identity_country", rows=None)
    assert [(row["value"], row["first_day"], row["last_day"], row["days_training"]) for row in rows] == [
        ("NL", date_text(FIRST_DAY), date_text(FIRST_DAY + 13), "2"),
        ("DE", date_text(FIRST_DAY + 12), date_text(FIRST_DAY + 12), "1"),
    ]


def test_a_star_stands_for_the_most_severe(here: Workbench) -> None:
    assert here.run("cbahistory", "finding=*", rows=None) == []
    here.search(story())
    (row, *_rest) = here.run("cbahistory", "finding=*", rows=None)
    assert row["entity"] == "ann", "medium; bob's is informational"


def test_a_finding_that_is_not_there(here: Workbench) -> None:
    assert here.run("cbahistory", "finding=nope", rows=None) == []
    assert "cbahistory: there is no finding nope; finding_id in cba_findings has the ids" in here.warnings()


def test_a_finding_names_its_entity(here: Workbench) -> None:
    complaint = here.complaint("cbahistory", "finding=nope", "entity=ann", rows=None)
    assert "a finding names its entity; give entity=<name> or finding=<id>" in complaint
