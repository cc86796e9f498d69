"""The page Entity: its heat map of days, finding an entity by a part of its name, related ones; and the actions of a
notable event, which lead to it."""

from __future__ import annotations

import re
from typing import Iterator

import pytest

from cba.history.days import DaySet
from cba.history.history import History, Subject
from cba.store.histories import encode
from lab.events import Event
from lab.searchhead import SearchHead
from lab.views import read_view
from tests.views.test_views import FINDING, FIRST, ROOT, rows_of

TODAY = FIRST // 86_400
"""14 November 2023: the day of the last event."""
FUNCTION, ROLE = "p1/eu-west-1/resize", "arn:aws:iam::1:role/resizer"


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    """A search head that has learned for 40 days, and raised one finding."""
    seen = {
        Subject("identity_country", "eve"): {"NL": [TODAY - back for back in (2, 3, 4)], "SE": [TODAY - 2]},
        Subject("compute_identity_region", "eve"): {"eu-west-1": [TODAY - 40]},
        Subject("serverless_iaas_function_role", FUNCTION): {ROLE: [TODAY - 1]},
    }
    learned = DaySet.of(TODAY - 40)
    days = {"_key": "aws:aws", "source": "aws", "writer": "aws", "days": learned.encode()}
    with SearchHead(ROOT, tmp_path_factory.mktemp("state")) as found:
        found.events.add([Event(FIRST, FIRST, "main", "aws:cloudtrail", "s", "h", "{}")])
        found.kv.collection("cba_findings").insert(FINDING)
        found.kv.collection("cba_sources").insert(days)
        for subject, values in seen.items():
            history = History()
            for value, days in values.items():
                for day in days:
                    history.learn(value, day)
            found.kv.collection("cba_history").insert(encode(subject, history))
        yield found


def test_each_day_has_a_column_with_the_day_of_the_month(head: SearchHead) -> None:
    drawn = {row["Value"]: row for row in rows_of(head, "entity", "days", entity="eve")}
    assert [drawn["Netherlands"][f"d{back}"] for back in (5, 4, 3, 2, 1)] == ["", "10", "11", "12", ""]
    assert [drawn["Netherlands"][f"s{back}"] for back in (5, 4, 1)] == ["", "established", ""]
    assert (drawn["Sweden"]["s2"], drawn["Sweden"]["d2"]) == ("provisional", "12")
    assert {row["Dimension"] for row in drawn.values()} == {"country", "region (compute)"}
    assert not any(drawn["eu-west-1"][f"d{back}"] for back in range(1, 31)), "older than the training period"


def test_an_entity_is_found_by_a_part_of_its_name(head: SearchHead) -> None:
    assert [row["Entity"] for row in rows_of(head, "entity", "others", find="RESIZE")] == [FUNCTION]
    (ada,) = rows_of(head, "entity", "others", find="corp")
    assert (ada["Entity"], ada["Kind"], ada["Findings"]) == ("corp\\ada", "identity", 1)
    assert [row["Entity"] for row in rows_of(head, "entity", "others", find="p1/*resize")] == [FUNCTION]
    assert [row["Entity"] for row in rows_of(head, "entity", "others")] == ["corp\\ada", "p1", "eve", FUNCTION]


@pytest.mark.parametrize(
    ("entity", "related"),
    [
        (FUNCTION, {"Entity": ROLE, "Kind": "role", "Because": "its history"}),
        (ROLE, {"Entity": FUNCTION, "Kind": "function", "Because": "its history"}),
        ("corp\\ada", {"Entity": "p1", "Kind": "project", "Because": "1 finding"}),
    ],
)
def test_an_entity_leads_to_related_ones(head: SearchHead, entity: str, related: dict[str, str]) -> None:
    assert rows_of(head, "entity", "related", entity=entity) == [related]


def test_the_actions_of_a_notable_event_open_pages_of_the_app(head: SearchHead) -> None:
    kept = set(head.app.stanzas("transforms")["cba_findings"].get("fields_list").split(", "))
    for name, action in head.app.stanzas("workflow_actions").items():
        needs = action.get("fields").split(", ")
        if action.get("link.uri").startswith("/static/"):  # to the guide, which is no page with inputs
            assert (ROOT / "appserver/static/guide/detections" / f"{FINDING['detection']}.html").is_file()
            continue
        address = re.fullmatch(r"/app/cloud_behavior_analytics/(\w+)\?form\.(\w+)=\$(\w+)\$", action.get("link.uri"))
        assert address is not None, name
        page, token, field = address.groups()
        inputs = read_view(ROOT, page).definition["inputs"].values()
        assert token in {given["options"]["token"] for given in inputs}, name
        assert field in needs and set(needs) <= kept, name
