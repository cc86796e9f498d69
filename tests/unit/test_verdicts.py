"""Verdicts as stories: what an analyst says, and what is raised from then on."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Iterable, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.catalogue import get, load
from cba.detection.model import Detection
from cba.errors import OptionError
from cba.findings.teaching import preview
from cba.findings.triage import CLOSED, IN_PROGRESS, family, shown, triage_of
from cba.findings.verdicts import CLEAR, NO_VERDICT, Desk, Ruling, Target, targets_of
from cba.history.history import BENIGN, MALICIOUS, Subject
from cba.judging.judge import Mode
from cba.judging.looking import Looker
from cba.terms import SECONDS_PER_DAY
from tests.scenarios.scenario import load_all
from tests.support.effort import examples
from tests.support.memory import MemoryTriage, MemoryVerdicts
from tests.support.pipeline import Pipeline, Seen

DETECTION = get("cloud_unusual_country")
FIRST_DAY = 20_500
TODAY = 30
HOMES = {"ada": ("p1", "NL"), "bob": ("p1", "NL"), "cleo": ("p2", "US"), "newbie": ("p1", "NL")}
PAST = [(who, day, 12 * 3600, HOMES[who][1]) for day in range(TODAY) for who in ("ada", "bob", "cleo")]


def event(who: str, day: int, second: int, country: str, **more: str) -> Seen:
    time = (FIRST_DAY + day) * SECONDS_PER_DAY + second
    fields = {"source_kind": "aws", "project": HOMES[who][0], "identity": who, "country": country, **more}
    return Seen(time, f"{time}{who}{country}", fields)


class Story:
    """A month of habits, then events and verdicts in turn; each run sees everything so far, as overlaps do."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(DETECTION)
        self.events = [event(*each) for each in PAST]
        self.triage = MemoryTriage()
        self.desk = Desk(load().detections, self.pipeline.findings, self.triage, self.pipeline.verdicts)
        self.clock = 1_000
        self.pipeline.search(self.events)

    def happens(self, who: str, country: str, day: int = TODAY, second: int = 36_000, **more: str) -> Story:
        self.events.append(event(who, day, second, country, **more))
        self.pipeline.search(self.events, now=self.clock)
        return self

    def ruling(self, verdict: str, comment: str = "", by: str = "ines") -> Ruling:
        self.clock += 60
        return Ruling(verdict, by, self.clock, comment)

    def says(self, verdict: str, finding: Optional[dict[str, Any]] = None, scope: str = "", comment: str = "") -> Story:
        finding = finding or self.found[-1]
        decided = self.desk.on_findings([finding["finding_id"]], self.ruling(verdict, comment), scope)
        self.desk.save(decided.values())
        return self

    def says_of(self, profile: str, entity: str, value: str, verdict: str) -> Story:
        self.desk.save([self.desk.on_value(profile, entity, value, self.ruling(verdict))])
        return self

    def said_of(self, finding: dict[str, Any]) -> dict[str, Any]:
        """What shows of a finding, as pages have it."""
        return shown(triage_of(finding, self.triage.by_ids(family(finding))))

    @property
    def found(self) -> list[dict[str, Any]]:
        return self.pipeline.found()

    @property
    def brief(self) -> list[tuple[int, str, str, str]]:
        """(day, who, country, variation) of the findings."""
        return [(f["opened_day"] - FIRST_DAY, f["identity"], f["country"], f["variation"]) for f in self.found]

    def decided(self, profile: str, entity: str) -> dict[str, str]:
        return self.pipeline.verdicts.load([Subject(profile, entity)]).get(Subject(profile, entity), {})


def test_without_a_verdict_it_is_raised_again_the_next_day() -> None:
    story = Story().happens("ada", "RU").happens("ada", "RU", TODAY + 1)
    assert story.brief == [(30, "ada", "RU", "v2"), (31, "ada", "RU", "v2")]


def test_benign_holds_at_once_and_for_that_person_only() -> None:
    story = Story().happens("ada", "RU").says(BENIGN)
    assert story.decided("identity_country", "ada") == {"RU": BENIGN}
    story.happens("ada", "RU", TODAY + 1).happens("bob", "RU", TODAY + 1, 40_000)
    assert story.brief == [(30, "ada", "RU", "v2"), (31, "bob", "RU", "v2")]


def test_benign_holds_for_somebody_too_new_to_be_trained() -> None:
    """An untrained scope passes the question on, but what has been said of it is its own answer."""
    story = Story().happens("newbie", "RU").says(BENIGN).happens("newbie", "RU", TODAY + 1)
    assert story.brief == [(30, "newbie", "RU", "v2")]


def test_benign_for_the_project_holds_for_everybody_in_it() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, scope="project")
    story.happens("bob", "RU", TODAY + 1).happens("cleo", "RU", TODAY + 1, 40_000)
    assert story.decided("project_country", "p1") == {"RU": BENIGN}
    assert story.brief == [(30, "ada", "RU", "v2"), (31, "cleo", "RU", "v2")]


def test_benign_for_the_organization_holds_for_all() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, scope="organization")
    story.happens("bob", "RU", TODAY + 1).happens("cleo", "RU", TODAY + 1, 40_000)
    assert story.brief == [(30, "ada", "RU", "v2")]


def test_a_narrower_verdict_beats_a_wider_one() -> None:
    story = (
        Story().says_of("organization_country", "", "RU", BENIGN).says_of("identity_country", "bob", "RU", MALICIOUS)
    )
    story.happens("ada", "RU").happens("bob", "RU", TODAY, 40_000)
    assert [(who, country) for _day, who, country, _v in story.brief] == [("bob", "RU")]


def test_malicious_never_becomes_normal() -> None:
    story = Story().happens("ada", "US").says(MALICIOUS)
    for day in range(TODAY + 1, TODAY + 10):
        story.happens("ada", "US", day)
    assert [day for day, *_ in story.brief] == list(range(TODAY, TODAY + 10)), "established after two days otherwise"
    assert "judged malicious for identity ada by an analyst" in story.found[-1]["explanation"]


def test_malicious_takes_back_what_was_learned() -> None:
    story = Story().happens("ada", "US").happens("ada", "US", TODAY + 1).happens("ada", "US", TODAY + 2)
    assert [day for day, *_ in story.brief] == [30, 31], "established"
    story.says_of("identity_country", "ada", "US", MALICIOUS).happens("ada", "US", TODAY + 3)
    assert [day for day, *_ in story.brief][-1] == 33


def test_clear_lets_the_history_speak_again() -> None:
    story = Story().happens("ada", "RU").says(BENIGN).says(CLEAR)
    assert story.decided("identity_country", "ada") == {}
    said = story.said_of(story.found[0])
    assert (said["verdict"], said["status"], said["triaged_by"]) == ("", "new", "ines")
    story.happens("ada", "RU", TODAY + 1).happens("ada", "RU", TODAY + 2)
    assert story.brief == [(30, "ada", "RU", "v2"), (31, "ada", "RU", "v2")], "then it is established"


def test_another_verdict_on_the_finding_withdraws_what_it_said_of_wider_scopes() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, scope="organization", comment="new office")
    story.says(MALICIOUS, comment="there is none")
    assert story.decided("organization_country", "organization") == {}
    assert story.decided("identity_country", "ada") == {"RU": MALICIOUS}
    story.says(CLEAR)
    assert story.decided("identity_country", "ada") == {}


def test_who_when_and_what_was_said_before_are_kept() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, comment="on a trip").says(MALICIOUS, comment="she is not")
    (finding,) = story.found
    assert story.said_of(finding) == {
        "status": "in progress", "verdict": MALICIOUS, "owner": "ines", "comment": "she is not", "triaged_time": 1_120,
        "triaged_by": "ines", "earlier_verdicts": story.said_of(finding)["earlier_verdicts"],
    }  # fmt: skip
    said = {"verdict": BENIGN, "by": "ines", "time": 1_060, "comment": "on a trip"}
    beside = {"status": "closed", "owner": "ines"}
    assert json.loads(story.said_of(finding)["earlier_verdicts"]) == [{**said, **beside}]
    document = story.pipeline.verdicts.documents[Target(Subject("identity_country", "ada"), "RU")]
    assert (document["verdict"], document["finding_id"]) == (MALICIOUS, finding["finding_id"])
    assert json.loads(document["earlier"]) == [said]


def test_saying_the_same_again_changes_nothing() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, comment="trip")
    before = (dict(story.triage.documents), dict(story.pipeline.verdicts.documents))
    story.says(BENIGN, comment="trip")
    assert (story.triage.documents, story.pipeline.verdicts.documents) == before


def test_a_verdict_survives_more_events_of_the_same_window() -> None:
    """The finding's document is written again when its count grows; what was said is not in it."""
    story = Story().happens("ada", "RU").says(MALICIOUS, comment="stolen key")
    said = story.said_of(story.found[0])
    story.happens("ada", "RU", TODAY, 50_000).happens("ada", "RU", TODAY, 30_000)
    (finding,) = story.found
    assert finding["count"] == 3
    assert story.said_of(finding) == said
    assert (said["verdict"], said["status"]) == (MALICIOUS, "in progress")


def test_nobody_has_said_anything_yet() -> None:
    story = Story().happens("ada", "RU")
    assert story.said_of(story.found[0]) == {
        "status": "new", "owner": "", "verdict": "", "comment": "", "triaged_time": "", "triaged_by": "",
        "earlier_verdicts": "[]",
    }  # fmt: skip


def test_whose_it_is_and_who_said_it_are_two_things() -> None:
    story = Story().happens("ada", "RU")
    (finding,) = story.found
    for by, owner in (("ines", "bo"), ("bo", "bo")):
        decided = story.desk.on_findings(
            [finding["finding_id"]], dataclasses.replace(story.ruling(MALICIOUS, "odd", by), owner=owner)
        )
        story.desk.save(decided.values())
    said = story.said_of(finding)
    assert (said["owner"], said["triaged_by"]) == ("bo", "bo")
    assert [each["by"] for each in json.loads(said["earlier_verdicts"])] == ["ines"]


def test_status_and_owner_without_a_verdict_teach_nothing_and_keep_the_verdict() -> None:
    story = Story().happens("ada", "RU")
    (finding,) = story.found
    takes = dataclasses.replace(story.ruling(NO_VERDICT, "mine"), status=IN_PROGRESS, owner="bo")
    story.desk.save(story.desk.on_findings([finding["finding_id"]], takes).values())
    said = story.said_of(finding)
    assert (said["status"], said["owner"], said["verdict"], said["comment"]) == (IN_PROGRESS, "bo", "", "mine")
    assert not story.pipeline.verdicts.documents
    story.says(MALICIOUS)
    closes = dataclasses.replace(story.ruling(NO_VERDICT, "keys rotated"), status=CLOSED)
    story.desk.save(story.desk.on_findings([finding["finding_id"]], closes).values())
    said = story.said_of(finding)
    assert (said["status"], said["verdict"], said["owner"]) == (CLOSED, MALICIOUS, "ines")
    assert [each["status"] for each in json.loads(said["earlier_verdicts"])] == [IN_PROGRESS, IN_PROGRESS]


def test_what_a_verdict_teaches_is_said_before_it_is_given() -> None:
    story = Story().happens("ada", "RU")
    (finding,) = story.found
    before = (dict(story.triage.documents), dict(story.pipeline.verdicts.documents))

    def told(verdict: str, scope: str = "") -> dict[str, Any]:
        (one,) = preview(story.desk, [finding["finding_id"]], "ines", verdict, scope)["findings"]
        return one

    assert told(BENIGN)["teaches"] == ["Country Russia becomes normal for ada."]
    assert told(BENIGN, "organization")["teaches"] == [
        "Country Russia becomes normal for everybody in the organization."
    ]
    assert told(MALICIOUS)["teaches"][0].startswith("Country Russia never counts as normal for ada")
    assert told(NO_VERDICT)["teaches"] == []
    assert [each["whom"] for each in told(BENIGN)["scopes"]] == ["ada", "p1", "everybody in the organization"]
    assert before == (story.triage.documents, story.pipeline.verdicts.documents), "nothing is written"
    (unknown,) = preview(story.desk, ["nobody"], "ines", BENIGN, "")["findings"]
    assert "no finding with this id" in unknown["problem"]
    story.says(BENIGN, finding, "organization")
    assert "What was said of RU for everybody in the organization is withdrawn." in told(BENIGN)["teaches"]


@pytest.mark.parametrize("detection", load().detections.values(), ids=lambda detection: detection.id)
def test_every_finding_says_what_its_verdict_teaches(detection: Detection) -> None:
    """What is told is what is taught: the same values, of what was new in the finding."""
    for scenario in (each for each in load_all() if each.detection == detection.id and each.raises):
        pipeline = Pipeline(detection)
        pipeline.search(scenario.events)
        desk = Desk(load().detections, pipeline.findings, MemoryTriage(), pipeline.verdicts)
        ids = [finding["finding_id"] for finding in pipeline.found()]
        for told in preview(desk, ids, "ines", BENIGN, "")["findings"]:
            taught = desk.on_findings([told["finding_id"]], Ruling(BENIGN, "ines", 1, ""))[told["finding_id"]].values
            assert told["problem"] == ""
            if not taught:  # of a chain whose every step is known, only its being a chain is told
                assert detection.signals and told["scopes"] == []
                assert told["teaches"] == [
                    "It teaches nothing: the finding is about no value. Only its status changes."
                ]
                continue
            assert told["scopes"] and len(told["teaches"]) == len(taught)
            for said, document in zip(told["teaches"], taught):
                assert str(document["entity"]) in said or "everybody" in said


# ---- A finding that replaced others of its window -------------------------------------------------------------------


def replaced(story: Story, *absorbed: str) -> dict[str, Any]:
    """The story's finding, as one that replaced those findings."""
    (finding,) = story.found
    story.pipeline.findings.documents[finding["finding_id"]]["absorbed"] = " ".join(absorbed)
    return {**finding, "absorbed": " ".join(absorbed)}


def said(verdict: str, time: int, by: str = "bo") -> dict[str, Any]:
    return {
        "status": "closed",
        "verdict": verdict,
        "owner": by,
        "comment": "",
        "triaged_time": time,
        "triaged_by": by,
        "earlier": "[]",
    }


def test_what_was_said_of_the_replaced_shows_the_newest_first() -> None:
    story = Story().happens("ada", "RU")
    finding = replaced(story, "a", "b", "c")
    for name, verdict, time in (("a", BENIGN, 900), ("b", MALICIOUS, 990), ("z", BENIGN, 999)):
        story.triage.save([{"_key": name, **said(verdict, time)}])
    assert (story.said_of(finding)["verdict"], story.said_of(finding)["triaged_time"]) == (MALICIOUS, 990)


def test_its_own_word_counts_more_and_keeps_theirs() -> None:
    story = Story().happens("ada", "RU")
    finding = replaced(story, "a")
    story.triage.save([{"_key": "a", **said(MALICIOUS, 990)}])
    story.says(BENIGN, comment="asked her")
    assert story.said_of(finding)["verdict"] == BENIGN
    earlier = {"verdict": MALICIOUS, "by": "bo", "time": 990, "comment": "", "status": "closed", "owner": "bo"}
    assert json.loads(story.said_of(finding)["earlier_verdicts"]) == [earlier]
    assert story.triage.documents["a"]["verdict"] == MALICIOUS, "theirs stays as it was"


def test_the_same_word_as_theirs_is_its_own_from_then_on() -> None:
    story = Story().happens("ada", "RU")
    finding = replaced(story, "a")
    story.triage.save([{"_key": "a", **said(BENIGN, 990, "ines")}])
    story.says(BENIGN)
    assert story.triage.documents[finding["finding_id"]]["triaged_time"] == story.clock


def test_a_verdict_withdraws_what_the_replaced_said_of_wider_scopes() -> None:
    story = Story().happens("ada", "RU").says(BENIGN, scope="organization", comment="new office")
    assert story.decided("organization_country", "organization") == {"RU": BENIGN}
    (finding,) = story.found
    newer = {**finding, "_key": "newer", "finding_id": "newer", "absorbed": finding["finding_id"]}
    story.pipeline.findings.delete([finding["finding_id"]])
    story.pipeline.findings.save([newer])
    assert story.said_of(newer)["comment"] == "new office"
    story.says(MALICIOUS, newer)
    assert story.decided("organization_country", "organization") == {}
    assert story.decided("identity_country", "ada") == {"RU": MALICIOUS}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("identity_continent", "ada", "EU"), "there is no profile identity_continent; the profiles are "),
        (("identity_country", "", "RU"), "a verdict on identity_country needs entity=<whose> and value=<which>"),
        (("identity_country", "ada", ""), "a verdict on identity_country needs entity=<whose> and value=<which>"),
        (("organization_country", "p1", "RU"), "entity=p1: the entity of organization_country is always organization"),
    ],
)
def test_a_value_that_cannot_be_judged(arguments: tuple[str, str, str], words: str) -> None:
    story = Story()
    with pytest.raises(OptionError) as error:
        story.desk.on_value(*arguments, story.ruling(BENIGN))
    assert words in str(error.value)


def test_one_unknown_finding_and_nothing_is_decided() -> None:
    story = Story().happens("ada", "RU")
    with pytest.raises(OptionError, match="there is no finding nobody; finding_id in cba_findings has the ids"):
        story.desk.on_findings([story.found[0]["finding_id"], "nobody"], story.ruling(BENIGN))
    assert story.pipeline.verdicts.documents == {}


def test_a_scope_the_detection_does_not_compare_in() -> None:
    story = Story().happens("ada", "RU")
    with pytest.raises(OptionError, match="compares country in the scopes identity, project, organization"):
        story.says(BENIGN, scope="host")


def test_a_finding_about_a_project_judges_the_project() -> None:
    runtime = get("cloud_function_unusual_runtime")
    story = Story()
    document = {
        "finding_id": "f", "_key": "f", "detection": runtime.id, "project": "p1", "identity": "ada", "runtime": "ruby",
        "entity": "p1", "last_time": 0,
    }  # fmt: skip
    story.pipeline.findings.save([document])
    decided = story.desk.on_findings(["f"], story.ruling(BENIGN))["f"]
    assert [(d["profile"], d["entity"], d["value"]) for d in decided.values] == [("project_runtime", "p1", "ruby")]


# ---- What must hold whatever was learned, and in whatever order -----------------------------------------------------

SUBJECTS = [
    Subject("identity_country", "ada"),
    Subject("project_country", "p1"),
    Subject("organization_country", "organization"),
]
LEARNED = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["NL", "RU", "DE"])), max_size=40)


def judged(learned: Iterable[tuple[int, str]], verdicts: MemoryVerdicts) -> Any:
    """The evidence of ada in RU after those days, whatever else there is to say of her."""
    pipeline = Pipeline(DETECTION)
    pipeline.verdicts = verdicts
    pipeline.search([day_of_ada(day, country) for day, country in learned], mode=Mode.LEARN)
    ((source, row),) = pipeline.reduce([day_of_ada(61, "RU")])
    looker = Looker(DETECTION, load(), pipeline.settings, lambda _source: pipeline.stores)
    (seen,) = looker.look(source, [row])
    return seen.looked.evidence


def day_of_ada(day: int, country: str) -> Seen:
    return event("ada", day, 36_000, country)


@examples(60)
@given(LEARNED, st.sampled_from([BENIGN, MALICIOUS]), st.integers(0, 2), st.randoms(use_true_random=False))
def test_a_verdict_overrides_whatever_was_learned_in_whatever_order(
    learned: list[tuple[int, str]], verdict: str, at: int, random: Any
) -> None:
    verdicts = MemoryVerdicts()
    desk = Desk(load().detections, Pipeline(DETECTION).findings, MemoryTriage(), verdicts)
    desk.save([desk.on_value(*SUBJECTS[at], "RU", Ruling(verdict, "ines", 1, ""))])
    evidence = judged(learned, verdicts)
    order = DETECTION.scopes
    for scope in order[: at + 1]:
        asked = evidence.asked(scope, "country", order)
        assert asked is not None and asked.new == (verdict == MALICIOUS)
        assert evidence.scopes[scope]["country"].entity == asked.entity, "nobody wider is asked"
    shuffled = list(learned)
    random.shuffle(shuffled)
    assert judged(shuffled, verdicts) == evidence
    free = judged(learned, MemoryVerdicts())
    for scope in order[at + 1 :]:
        assert evidence.scopes[scope] == free.scopes[scope], "wider scopes judge by themselves"


@examples(30)
@given(LEARNED, st.lists(st.sampled_from([BENIGN, MALICIOUS]), max_size=4))
def test_after_clear_everything_is_as_if_nothing_had_been_said(learned: list[tuple[int, str]], said: list[str]) -> None:
    verdicts = MemoryVerdicts()
    desk = Desk(load().detections, Pipeline(DETECTION).findings, MemoryTriage(), verdicts)
    for at, verdict in enumerate([*said, CLEAR]):
        desk.save([desk.on_value(*SUBJECTS[0], "RU", Ruling(verdict, "ines", at + 1, str(at)))])
    assert judged(learned, verdicts) == judged(learned, MemoryVerdicts())
    (document,) = verdicts.documents.values()
    assert [each["verdict"] for each in json.loads(document["earlier"])] == said


def test_a_verdict_is_about_all_that_was_new() -> None:
    """Stolen credentials of an instance: deduplicated by region, raised for the country and the AS."""
    scenario = next(
        s for s in load_all() if s.detection == "compute_identity_outside_region" and "variation 2" in s.name
    )
    detection = get(scenario.detection)
    pipeline = Pipeline(detection)
    pipeline.search(scenario.events)
    (*_, finding) = pipeline.found()
    judged = [(target.subject.profile, target.value) for target in targets_of(detection, finding)]
    assert judged == [
        ("compute_identity_country", finding["country"]),
        ("compute_identity_asn", finding["asn"]),
    ]
