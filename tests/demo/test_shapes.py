"""The generated logs in the eyes of the app: every kind of line the generator writes goes through the shipped macros, and
comes out with the fields its source promises. Nothing is skipped but what is meant to be."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any, Iterator

import pytest

from demo import Organization, endpoints, events, source_kind
from demo.formats.template import LETTERS
from lab.events import Event
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

ORGANIZATION = Organization(events_per_day=10)  # everybody does the least they do
VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16}\b|\d+")
SKIPPED = {
    "aws": {"service", "vpc endpoint"},
    "azure": {"refused"},
    "m365": {"refused"},
    "gws": {"refused"},
    "endpoint": {"inbound"},
}
"""What the organization's logs have that can never be judged, on purpose."""
ALWAYS = {
    "endpoint": ("host", "process", "fqdn", "identity", "operation", "outcome", "event_id"),
    "": ("identity", "identity_type", "project", "operation", "service", "outcome", "event_id", "src_ip"),
}

Row = dict[str, Any]


def kinds() -> Iterator[Event]:
    """The first event of every kind: they differ in more than numbers, ids and times."""
    seen = set()
    for event in events(ORGANIZATION):
        kind = (event.sourcetype, VARYING.sub("#", event.raw))
        if kind not in seen:
            seen.add(kind)
            yield event


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    with SearchHead(APP_DIR, tmp_path_factory.mktemp("shapes")) as search_head:
        search_head.events.add(kinds())
        yield search_head


def rows(head: SearchHead, source: str, then: str = "") -> list[Row]:
    return head.search(f"search `cba_events_{source}`{then}", latest="+10y").rows


def test_every_hole_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (APP_DIR / "demo" / "formats").glob("*.py"))
    assert [letter for letter in LETTERS if not re.search(f"@@#?{letter}@@", source)] == []


def test_every_kind_of_line_is_read_and_skipped_only_on_purpose(head: SearchHead) -> None:
    written = Counter(source_kind(event) for event in kinds())
    assert set(written) == {"aws", "azure", "gcp", "kubernetes", "m365", "gws", "endpoint"}
    for source, count in written.items():
        found = rows(head, source)
        assert len(found) == count, source
        assert {row["skip_reason"] for row in found if "skip_reason" in row} == SKIPPED.get(source, set()), source
        for row in found:
            if "skip_reason" not in row:
                absent = [name for name in ALWAYS.get(source, ALWAYS[""]) if name not in row]
                assert absent == [], row["_raw"]


def test_deployments_name_function_runtime_and_role(head: SearchHead) -> None:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for source in ("aws", "azure", "gcp"):
        for row in rows(head, source, " | search action=*"):
            assert "function" in row, row["_raw"]
            assert ("role" in row) == (source != "azure"), row["_raw"]
            if row["outcome"] == "success":
                found[source, row["action"]].add(row.get("runtime", "-"))
    assert found["aws", "function_created"] == {"python", "nodejs", "java", "container-image"}
    assert found["gcp", "function_created"] == {"python", "go", "ruby"}
    assert found["aws", "function_code_updated"] == found["gcp", "function_code_updated"] == {"-"}
    assert found["azure", "function_updated"] == {"-"}


def test_workloads_and_how_their_homes_get_known(head: SearchHead) -> None:
    found = rows(head, "aws")
    learned = {row["home_how"] for row in found if "home_how" in row}
    assert learned == {
        "AssumeRole by EC2", "AssumeRole by Lambda", "RunInstances", "CreateFunction", "UpdateInstanceInformation",
    }  # fmt: skip
    named = {row["identity"].split("/")[-1] for row in found if "home_hint" in row}
    assert named == {"shop-worker", "order-mailer-role", "invoice-export-role"}


def test_computers_reach_for_their_own_and_for_shared_places(head: SearchHead) -> None:
    found = rows(head, "endpoint")
    assert {row["host"] for row in found} <= set(endpoints.ACCOUNTS)
    assert {row["resource_scope"] for row in found} == {"tenant", "shared", "none"}
    assert all(("tool" in row) == (row["resource_scope"] == "tenant") for row in found)


def test_flows_rules_and_links(head: SearchHead) -> None:
    found = rows(head, "m365", " | search action=*")
    assert {row["action"] for row in found} == {"flow_changed", "mail_forwarded", "anonymous_link"}
    assert all("flow" in row and "connector" in row for row in found if row["action"] == "flow_changed")
    assert {row["destination"] for row in found if row["action"] == "mail_forwarded"} == {
        '["freemail.example"]', '["nordwind.example"]',
    }  # fmt: skip


def test_scripts_approvals_and_shares(head: SearchHead) -> None:
    found = rows(head, "gws", " | search action=*")
    assert {action for row in found for action in json.loads(row["action"])} == {
        "script_changed", "app_authorized", "api_call", "external_share", "download",
    }  # fmt: skip
    assert {row["script_title"] for row in found if "script_changed" in row["action"]} == {
        "Budget import", "Form helper", "Drive sync", "Tidy up", "Untitled project",
    }  # fmt: skip
