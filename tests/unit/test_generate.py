"""What follows from content/: one search per source, what its rows keep, one alert per variation, and nothing stale."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import finding_schema
import generate
import pytest
import readme_table
import searches
import shapes
import spl
from hypothesis import HealthCheck, settings
from hypothesis import given as given_that
from hypothesis import strategies as st
from source_fields import given

import content
from cba.detection.condition import parse
from cba.detection.model import PLACE, variation_search
from cba.detection.reader import Content, Document, read_content
from cba.errors import DetectionError, DetectionErrors
from cba.judging.fields import FieldFacts
from cba.terms import SOURCES
from lab.conf import load_app
from lab.spl.evalcompile import evaluate_text
from tests.support.documents import document, profiles

ROOT = Path(__file__).parents[2]
CONTENT = content.load(ROOT)
SHAPES = shapes.shapes(CONTENT)
LONGEST = 20_000
"""Characters of a source's search, before its macros; DESIGN's bar is for the whole."""


def test_generated_files_are_what_the_content_generates() -> None:
    assert generate.stale(generate.generate(ROOT), ROOT) == []


def test_staleness_is_seen(tmp_path: Path) -> None:
    files = generate.generate(ROOT)
    generate.write(files, tmp_path)
    assert generate.stale(files, tmp_path) == []
    (tmp_path / "default/savedsearches.conf").write_text("edited by hand", "utf-8")
    (tmp_path / "lookups/cba_detections.csv").unlink()
    assert sorted(generate.stale(files, tmp_path)) == ["default/savedsearches.conf", "lookups/cba_detections.csv"]


def test_every_generated_file_says_so_at_its_top() -> None:
    """But for tables, which have no place to say it, and the schema of ucc-gen, which lets nothing be added. Two say it
    where their table begins."""
    files = generate.generate(ROOT)
    for written in (readme_table, finding_schema):
        assert written.SECTION.begin in files.pop(getattr(written, "PAGE", written.FILE))
    silent = {name for name, text in files.items() if "enerated" not in text[:800]}
    assert silent <= {
        "lookups/cba_detections.csv",
        "lookups/cba_drilldowns.csv",
        "lookups/cba_steps.csv",
        "package/globalConfig.json",
    }


# ---- Conditions in SPL ------------------------------------------------------------------------------------------------

FIELDS = spl.Fields(["a", "b", "many"], ["many"], {"source_kind": "aws"})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("present(a)", "isnotnull(a)"),
        ("present(many)", "isnotnull(many)"),
        ("present(c)", "false()"),
        ('a == "x"', 'coalesce(a, "")=="x"'),
        ('a != "x"', 'coalesce(a, "")!="x"'),
        ('a in ("x", "y")', 'in(coalesce(a, ""), "x", "y")'),
        ('a starts with "xy"', 'substr(coalesce(a, ""), 1, 2)=="xy"'),
        ("a == b", 'coalesce(a, "")==coalesce(b, "")'),
        ('not (a == "x" or present(b))', 'NOT ((coalesce(a, "")=="x" OR isnotnull(b)))'),
        ('a == "x" and (present(b) and present(many))', '(coalesce(a, "")=="x" AND isnotnull(b) AND isnotnull(many))'),
        ('source_kind == "aws" and present(a)', "isnotnull(a)"),
        ('source_kind != "aws" and present(a)', "false()"),
        ('source_kind == "gcp" or present(a)', "isnotnull(a)"),
        ('c == "" or present(a)', "true()"),
        (r'a == "x\y"', r'coalesce(a, "")=="x\\y"'),
    ],
)
def test_a_condition_in_spl(condition: str, expected: str) -> None:
    assert spl.condition_spl(parse(condition), FIELDS) == expected


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("new(identity, country)", "new(identity, country) cannot be asked of an event"),
        ("a", "a cannot be asked of an event"),
        ("a >= 3", "a >= 3 cannot be asked of an event, only == and !="),
        ('many == "x"', "many is a list, of which only present(many) can be asked"),
        ('many in ("x", "y")', "many is a list"),
        ('a == "`cba_types`"', "would be read as a macro"),
        ('a == "$name$"', "would be read as a token"),
    ],
)
def test_what_an_event_cannot_be_asked(condition: str, complaint: str) -> None:
    with pytest.raises(DetectionError) as caught:
        spl.condition_spl(parse(condition), FIELDS)
    assert complaint in str(caught.value)


LEAVES = st.sampled_from(
    [
        "present(a)", "present(c)", 'a == "x"', 'a != "x"', 'a in ("x", "")', 'b starts with "x"', "a == b", 'c == ""',
        'source_kind == "aws"',
    ]
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=8,
)
TEXTS = st.sampled_from(["", "x", "xy", "y"])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given_that(CONDITIONS, TEXTS, TEXTS)
def test_a_condition_says_the_same_in_both_languages(text: str, a: str, b: str) -> None:
    """What is absent is "" in rows and null in events, which no comparison of SPL is true of."""
    given = {name: value for name, value in (("a", a), ("b", b)) if value}
    in_python = bool(parse(text).evaluate(FieldFacts({"source_kind": "aws", **given})))
    row: dict[str, Any] = {"a": None, "b": None, **given}
    expression = spl.condition_spl(parse(text), FIELDS)
    assert evaluate_text(f'if({expression}, "yes", "no")', row=row) == ("yes" if in_python else "no")


# ---- The rows of a source -----------------------------------------------------------------------------------------------


def search(source: str) -> str:
    return "\n".join(searches.rows_spl(SHAPES[source]))


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_s_search_reads_once_and_folds(source: str) -> None:
    text = search(source)
    commands = [
        line.split()[1] if line.startswith("|") else line.split()[0] for line in text.split("\n") if line[0] != " "
    ]
    geo = ["cbageo"] if source != "endpoint" else []
    assert commands == ["search", f"`cba_fields_{source}`", "eval", "eval", "fillnull", "stats", "eval", *geo, "sort"]
    assert len(text) < LONGEST


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_kept_is_given_and_what_groups_is_filled(source: str) -> None:
    shape = SHAPES[source]
    assert set(shape.kept) <= set(given(source))
    fields = " ".join(shape.row_fields)
    assert f'fillnull value="" {fields}\n' in search(source)
    assert f"BY bucket indexed {fields}\n" in search(source)


def test_fifty_detections_make_no_search_longer_than_it_may_be() -> None:
    """What is asked alike is tested once, however many ask."""
    copies = {
        f"{detection.id}_{at}": dataclasses.replace(detection, id=f"{detection.id}_{at}")
        for detection in CONTENT.detections.values()
        for at in range(4)
    }
    many = Content(CONTENT.populations, copies)
    assert len(copies) >= 50
    for source in SOURCES:
        shape = shapes.shape(source, many)
        assert shape.row_fields == SHAPES[source].row_fields
        assert len("\n".join(searches.rows_spl(shape))) < LONGEST


def test_what_nobody_asks_is_not_kept() -> None:
    one = Content(CONTENT.populations, {"cloud_unusual_country": CONTENT.detections["cloud_unusual_country"]})
    assert shapes.shape("aws", one).row_fields == (
        "skip_reason", "candidate_of", "provider", "project", "identity", "identity_type", "access_key", "src_ip",
        "foreign_endpoint",
    )  # fmt: skip


def test_what_is_learned_is_kept_wherever_it_is_learned() -> None:
    """The runtime is learned of every function that was made, whichever detection's candidate the event is."""
    assert '(isnotnull(runtime) AND coalesce(outcome, "")=="success")' in SHAPES["aws"].kept["runtime"]


def test_what_findings_list_tells_no_rows_apart() -> None:
    """One user reads dozens of secrets in a quarter of an hour: one row, which names them."""
    shape = SHAPES["aws"]
    assert set(shape.listed) == {"operation", "user_agent", "secret_name"}
    assert shape.summary.listed == ("operations", "user_agents", "secret_names")
    text = search("aws")
    assert 'operations=case(cba_judged==1,substr(operation,1,200).if(outcome=="failure"," (failed)",""))' in text
    before, _by, after = text.partition(" BY bucket")
    assert "values(operations) AS operations" in before and "operations" not in after.partition("\n")[0]
    assert 'operations=mvjoin(if(mvcount(operations)>20,mvindex(operations,0,19),operations)," | ")' in text
    assert shape.listed["secret_name"] == (shape.candidates["unusual_secret_management"],), "of its candidates only"


def test_facts_on_homes_are_kept_of_skipped_events() -> None:
    text = search("aws")
    assert "home_of" in SHAPES["aws"].row_fields and not re.search(r"\bhome_(of|in|how)=case", text)


def faults(**fields: Any) -> str:
    changed = {**document("cloud_function_unusual_runtime"), **copy.deepcopy(fields)}
    documents = [Document("x.yml", changed, {"candidates": 7, "keeps": 9})]
    with pytest.raises(DetectionErrors) as caught:
        shapes.check_fields(read_content(profiles(), documents), documents)
    return str(caught.value)


def test_a_field_that_nobody_gives_is_a_fault_with_its_line() -> None:
    assert faults(keeps=["regoin"]) == (
        "x.yml, line 9: keeps: no field 'regoin': neither aws, gcp nor the preparation gives it"
    )
    assert "x.yml, line 7: candidates: no field 'outcom'" in faults(candidates='outcom == "success"')
    assert "x.yml: remarks: no field 'oops'" in faults(remarks=["$oops$"])


def test_a_list_can_only_be_asked_whether_it_is_there() -> None:
    assert "x.yml, line 7: candidates: grant is a list" in faults(candidates='grant == "x"')


# ---- Alerts ---------------------------------------------------------------------------------------------------------------


def test_each_variation_has_an_alert_and_each_source_its_searches() -> None:
    stanzas = load_app(ROOT).stanzas("savedsearches")
    alerts = {variation_search(d, v) for d in CONTENT.detections.values() for v in d.all_variations}
    of_sources = {f"CBA - {source} - {what}" for source in SOURCES for what in ("Judge", "Backfill", "Rows")}
    assert set(stanzas) == {
        *alerts,
        *of_sources,
        "CBA - Circuit breaker",
        "CBA - Quarantined users",
        "CBA - Maintenance",
        "CBA - Enable what is recommended",
        "CBA - Set up",
    }


def test_an_alert_has_the_fields_it_names() -> None:
    """Variation searches read findings through the lookup: what its fields_list lacks is missing from the alert."""
    known = set(load_app(ROOT).stanza("transforms", "cba_findings").get("fields_list").split(", "))
    for detection in CONTENT.detections.values():
        named = {
            name for drilldown in detection.drilldowns for name in PLACE.findall(drilldown.name + drilldown.search)
        }
        assert {*detection.deduplicate_by, *named} <= known, detection.id


def test_saved_search_names_fit_enterprise_security() -> None:
    """ES clones a correlation search as `{domain} - {name} - Rule`, 99 characters at most."""
    for detection in CONTENT.detections.values():
        for variation in detection.all_variations:
            name = variation_search(detection, variation)
            assert len(f"{detection.document['security_domain'].title()} - {name} - Rule") <= 99


def test_saved_searches_are_named_and_described_for_people() -> None:
    stanzas = load_app(ROOT).stanzas("savedsearches")
    search = stanzas["CBA - API call from unusual country - Compromised access key (high)"]
    assert search.get("search") == "| cbaalerts detection=cloud_unusual_country variation=v7"
    assert search.get("description", "").startswith(
        "A cloud identity executed an API call from an unusual country using a compromised AWS access key. "
        "Variation 7, high: raised when the source is AWS, and the identity is trained, and the access key is known to "
        "be compromised. In all variations the country is new to the identity"
    )
    alerts = [stanza for stanza in stanzas.values() if "cbaalerts" in stanza.get("search", "")]
    assert len({stanza.get("description") for stanza in alerts}) == len(alerts), "each has its own"


def test_titles_that_cannot_name_saved_searches_are_faults() -> None:
    assert "x.yml: title: 'a/b' is not a title of letters" in faults(title="a/b")
    assert "a saved search's name has at most 81: 'CBA - Xxxx" in faults(title="X" + "x" * 99)


def test_enterprise_security_can_manage_every_alert() -> None:
    """What content management and the use case library show; the story names each alert as it is called."""
    app = load_app(ROOT)
    stories = app.stanzas("analyticstories")
    alerts = {variation_search(d, v): d for d in CONTENT.detections.values() for v in d.all_variations}
    assert set(json.loads(stories["analytic_story://Cloud Behavior Analytics"].get("searches"))) == set(alerts)
    for name, detection in alerts.items():
        search, about = app.stanza("savedsearches", name), stories[f"savedsearch://{name}"]
        annotations = json.loads(search.get("action.correlationsearch.annotations"))
        assert annotations == json.loads(about.get("annotations"))
        assert (
            annotations["analytic_story"]
            == ["Cloud Behavior Analytics"]
            == json.loads(search.get("action.escu.analytic_story"))
        )
        assert annotations["mitre_attack"] == list(detection.techniques) and annotations["data_source"]
        assert "Enable what is recommended" in search.get("action.escu.how_to_implement")
        assert search.get("action.escu.known_false_positives")
