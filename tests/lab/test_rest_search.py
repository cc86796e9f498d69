"""Search jobs, saved searches and the event collector of the lab's REST server: what a real Splunk cannot be asked.

What both can be asked is in tests/splunk.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from splunklib import client
from splunklib.binding import HTTPError

from lab.events import Event
from lab.remote import Collector, Remote, SearchFailed
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from lab.tls import self_signed

NOW = 1_700_000_000
CONFS = {
    "app": "[package]\nid = head\n",
    "savedsearches": """
[hourly]
search = | makeresults | addinfo | eval mine=`mine` | table info_min_time info_max_time mine
dispatch.earliest_time = -1h@h
dispatch.latest_time = now
enableSched = 1
cron_schedule = 0 * * * *

[broken]
search = | makeresults | frobnicate
""",
    "macros": "[mine]\ndefinition = 1\n",
    "collections": "[shipped]\nfield.n = number\n",
}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[SearchHead]:
    default = tmp_path / "head" / "default"
    default.mkdir(parents=True)
    for name, text in CONFS.items():
        (default / f"{name}.conf").write_text(text)
    with SearchHead(tmp_path / "head", tmp_path / "state") as head:
        head.jobs.clock = lambda: float(NOW)
        yield head


@pytest.fixture
def remote(head: SearchHead) -> Remote:
    collector = Collector(head.splunkd.uri, head.collector.token)
    return Remote.connect(head.splunkd.uri, USERNAME, PASSWORD, app="head", collector=collector)


@pytest.fixture
def service(remote: Remote) -> client.Service:
    return remote.service


def refused(action: Any, status: int, words: str) -> None:
    with pytest.raises(HTTPError, match=words) as caught:
        action()
    assert caught.value.status == status


def window(row: dict[str, Any]) -> tuple[int, int]:
    return int(float(row["info_min_time"])), int(float(row["info_max_time"]))


def test_a_saved_search_has_its_own_range_unless_another_is_given(remote: Remote) -> None:
    hour = NOW // 3600 * 3600
    search = remote.service.saved_searches["hourly"]
    for given, expected in (
        ({}, (hour - 3600, NOW)),
        ({"dispatch.now": str(NOW + 3600)}, (hour, NOW + 3600)),
        ({"dispatch.earliest_time": "5"}, (5, NOW)),
        ({"dispatch.earliest_time": "5", "dispatch.latest_time": "9"}, (5, 9)),
    ):
        assert window(remote.results(search.dispatch(**given))[0]) == expected


def test_a_disabled_search_cannot_be_run(remote: Remote) -> None:
    remote.service.confs["savedsearches"]["hourly"].submit({"disabled": "1"})
    refused(lambda: remote.service.saved_searches["hourly"].dispatch(), 400, "'hourly' is disabled")


def test_a_saved_search_is_edited_and_the_next_dispatch_has_it(remote: Remote) -> None:
    search = remote.service.saved_searches["hourly"]
    assert (search["is_scheduled"], search["disabled"]) == ("1", "0")
    search.update(**{"dispatch.earliest_time": "-2h@h"})
    assert window(remote.results(search.dispatch())[0])[0] == NOW // 3600 * 3600 - 7200
    remote.service.confs["macros"]["mine"].submit({"definition": "2"})
    assert remote.results(search.dispatch())[0]["mine"] == "2"


def test_what_cannot_be_done_is_refused_with_a_reason(service: client.Service) -> None:
    jobs, searches = service.jobs, service.saved_searches
    refused(lambda: jobs.create("stats count"), 400, "begins with 'search' or with a pipe")
    refused(lambda: jobs.create("| makeresults", earliest_time="yesterday"), 400, "is not a time modifier")
    refused(lambda: jobs.create("| makeresults", adhoc="1"), 400, 'Argument "adhoc" is not supported')
    refused(lambda: jobs.oneshot("| makeresults"), 400, "output_mode=json only")
    refused(lambda: searches["broken"].dispatch(), 400, "frobnicate")
    refused(lambda: searches["hourly"].dispatch(trigger_actions="1"), 400, "trigger_actions is not supported")
    job = jobs.create("| makeresults")
    refused(lambda: job.results(output_mode="json", count="many"), 400, "count must be a whole number")
    refused(lambda: job.post("control", action="explode"), 400, "Unknown action 'explode'")
    refused(lambda: service.get("search/v2/jobs/1.99"), 404, "Unknown sid")


def test_a_search_that_fails_while_it_runs_is_a_failed_job(remote: Remote) -> None:
    job = remote.service.jobs.create("| inputlookup nowhere.csv")
    assert job.is_done()
    assert (job["dispatchState"], job["isFailed"]) == ("FAILED", "1")
    with pytest.raises(SearchFailed, match=r"'nowhere.csv' does not exist"):
        remote.search("| inputlookup nowhere.csv")


def test_only_what_is_local_can_be_deleted(service: client.Service) -> None:
    service.confs["macros"].create("mine_too", definition="1")
    service.confs["macros"].delete("mine_too")
    refused(lambda: service.delete("configs/conf-macros/mine"), 404, "what the app ships cannot be deleted")
    refused(lambda: service.delete("data/lookup-table-files/nothing.csv"), 404, "Could not find")
    refused(lambda: service.delete("storage/collections/config/shipped"), 404, "what the app ships cannot be deleted")


def test_a_collection_that_is_deleted_takes_its_documents_along(service: client.Service) -> None:
    service.kvstore["shipped"].data.insert({"_key": "stays"})
    for _again in range(2):
        service.kvstore.create("fresh")
        assert service.kvstore["fresh"].data.query() == []
        service.kvstore["fresh"].data.insert({"n": 1})
        service.kvstore.delete("fresh")
    assert [document["_key"] for document in service.kvstore["shipped"].data.query()] == ["stays"]


def test_raw_lines_of_a_known_source_have_their_own_time(head: SearchHead) -> None:
    line = json.dumps({"eventTime": "2023-11-14T00:00:00Z", "eventName": "ListBuckets"})
    url = f"{head.splunkd.uri}/services/collector/raw?sourcetype=aws:cloudtrail"
    request = urllib.request.Request(url, f"{line}\n\n".encode(), {"Authorization": f"Splunk {head.collector.token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read()) == {"text": "Success", "code": 0}
    assert head.events.first_time() == 1_699_920_000


def test_large_deliveries_are_split_and_complete(head: SearchHead, remote: Remote) -> None:
    big = "x" * 200_000
    assert remote.send(Event(n, n, "main", "s", "big", "h", f"{n} {big}") for n in range(7)) == 7
    assert len(head.events) == 7
    assert sum("collector/event" in request for request in head.splunkd.requests) == 4


def test_the_second_door_speaks_tls(head: SearchHead, tmp_path: Path) -> None:
    port = head.splunkd.listen(self_signed(tmp_path))
    service = client.connect(host="127.0.0.1", port=port, username=USERNAME, password=PASSWORD)
    assert service.info["version"] == "9.4.3"
    with pytest.raises(OSError, match=r"(?i)ssl|certificate"):
        client.connect(host="127.0.0.1", port=port, username=USERNAME, password=PASSWORD, verify=True)
    assert service.info["version"] == "9.4.3", "a failed handshake harms nobody else"
