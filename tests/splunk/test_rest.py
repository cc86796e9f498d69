"""What the app, its commands and its pages ask of splunkd, through splunk-sdk: the same on a lab and on a real Splunk."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from splunklib import client, results
from splunklib.binding import AuthenticationError, HTTPError

from cba.store.searches import DISABLED, RUNS, UNSCHEDULED, running
from lab.conf import load_app
from lab.events import Event
from lab.remote import APP, Collector, Remote, RemoteError, SearchFailed
from lab.replay import APP_DIR
from tests.splunk.conftest import Target, runnable

ROWS = '| makeresults format=json data="[{\\"n\\": 1}, {\\"n\\": 2}, {\\"n\\": 3}]"'


@pytest.fixture
def unique() -> str:
    """A name that nothing else has."""
    return f"cba_test_{uuid.uuid4().hex[:12]}"


def read(answer: Any) -> list[dict[str, Any]]:
    return list(json.loads(answer.read())["results"])


# -- the server --------------------------------------------------------------------------------------------------------


def test_login_and_a_wrong_password(target: Target) -> None:
    service = target.service().login()
    assert int(service.info["version"].split(".")[0]) >= 9
    assert service.settings["host"]
    with pytest.raises(AuthenticationError):
        target.service(password="wrong").login()
    with pytest.raises(RemoteError, match=r"login failed"):
        Remote.connect(target.url, target.username, "wrong")


def test_a_session_key_works_as_a_token(target: Target, service: client.Service) -> None:
    key = service.token.removeprefix("Splunk ")
    assert target.service(username="", password="", token=key).info["version"] == service.info["version"]


def test_an_address_without_a_splunk_says_so() -> None:
    with pytest.raises(RemoteError, match=r"https://127.0.0.1:1: no answer"):
        Remote.connect("https://127.0.0.1:1", "admin", "x")
    with pytest.raises(RemoteError, match=r"write https://host:8089"):
        Remote.connect("splunk.example.com", "admin", "x")


def test_the_app_is_installed(remote: Remote) -> None:
    assert remote.installed() is not None
    assert remote.installed("no_such_app") is None


# -- searches ----------------------------------------------------------------------------------------------------------


def test_a_job_runs_and_gives_its_results(service: client.Service) -> None:
    job = service.jobs.create(ROWS, exec_mode="normal")
    while not job.is_done():
        time.sleep(0.1)
    assert job["dispatchState"] == "DONE"
    assert job["resultCount"] == "3"
    assert [row["n"] for row in read(job.results(output_mode="json"))] == ["1", "2", "3"]
    assert [row["n"] for row in read(job.results(output_mode="json", offset=1, count=1))] == ["2"]
    assert len(read(job.preview(output_mode="json"))) == 3
    assert job.sid in [other.sid for other in service.jobs.list()]
    job.cancel()
    with pytest.raises(HTTPError) as gone:
        job.refresh()
    assert gone.value.status == 404


def test_a_blocking_job_is_done_when_it_is_created(service: client.Service) -> None:
    job = service.jobs.create(ROWS, exec_mode="blocking")
    assert job.is_done()
    job.cancel()


def test_oneshot_and_export(service: client.Service) -> None:
    rows = [{"n": "1"}, {"n": "2"}, {"n": "3"}]
    assert list(results.JSONResultsReader(service.jobs.oneshot(ROWS, output_mode="json"))) == rows
    exported = results.JSONResultsReader(service.jobs.export(ROWS, output_mode="json", preview="0"))
    assert [row for row in exported if isinstance(row, dict)] == rows
    assert read(service.jobs.oneshot(f"{ROWS} | where n>3", output_mode="json")) == []


def test_results_show_text_multivalues_and_time(remote: Remote) -> None:
    spl = '| makeresults | eval sum=41+1, flag=if(1=1, "yes", "no"), many=split("a b", " "), none=null(), _time=0.25'
    (row,) = remote.search(spl)
    # A user's time zone shows in _time.
    assert re.fullmatch(r"(1970-01-01|1969-12-31)T\d\d:\d\d:00\.250[+-]\d\d:\d\d", row.pop("_time"))
    assert row == {"sum": "42", "flag": "yes", "many": ["a", "b"]}


def test_the_window_of_a_job_is_its_own(remote: Remote) -> None:
    found = remote.search("| makeresults | addinfo | table info_min_time info_max_time", 1_700_000_000, 1_700_003_600)
    assert [float(found[0][name]) for name in ("info_min_time", "info_max_time")] == [1_700_000_000, 1_700_003_600]


def test_a_search_that_cannot_run_says_why(remote: Remote) -> None:
    with pytest.raises(SearchFailed, match=r"frobnicate"):
        remote.search("| makeresults | frobnicate")
    with pytest.raises(SearchFailed, match=r"no_such_detection"):
        remote.search(f"{ROWS} | cbascore detection=no_such_detection")


# -- saved searches ----------------------------------------------------------------------------------------------------


def test_every_saved_search_is_there_as_shipped(service: client.Service) -> None:
    shipped = load_app(APP_DIR, APP_DIR / "no-local").stanzas("savedsearches")
    there = {search.name: search for search in service.saved_searches.list() if search.access.app == APP}
    assert set(shipped) <= set(there)
    for name, stanza in shipped.items():
        assert there[name]["search"].split() == stanza.get("search").split(), name


def test_which_saved_searches_run_is_asked_at_once(service: client.Service) -> None:
    """As `cbahealth` asks, to say of a source that it is off."""
    name = "CBA - aws - Judge"
    before = running(service)
    assert set(before) >= set(load_app(APP_DIR, APP_DIR / "no-local").stanzas("savedsearches"))
    assert before[name] in (RUNS, DISABLED)
    with runnable(service, name):
        assert running(service) == {**before, name: UNSCHEDULED}
    assert running(service) == before


def test_a_saved_search_is_dispatched(service: client.Service, remote: Remote) -> None:
    name = "CBA - API call from unusual country - Base (informational)"
    with runnable(service, name):
        search = service.saved_searches[name]
        job = search.dispatch(**{"dispatch.earliest_time": "-7d@d", "dispatch.latest_time": "now"})
        assert job.sid in [other.sid for other in search.history()]
        assert {row["variation"] for row in remote.results(job)} <= {"base"}


# -- the KV store and confs --------------------------------------------------------------------------------------------


def test_documents_of_a_collection(service: client.Service, unique: str) -> None:
    data = service.kvstore["cba_quarantined"].data
    try:
        assert data.batch_save({"_key": unique, "identity": unique, "since": 1}) == [unique]
        assert data.query_by_id(unique)["since"] == 1
        data.update(unique, {"identity": unique, "since": 2})
        assert [d["since"] for d in data.query(query={"identity": unique})] == [2]
    finally:
        data.delete(query=json.dumps({"identity": unique}))
    assert data.query(query={"identity": unique}) == []


def test_a_collection_of_ones_own(service: client.Service, unique: str) -> None:
    service.kvstore.create(unique)
    try:
        service.kvstore[unique].data.insert({"_key": "a", "n": 1})
        assert service.kvstore[unique].data.query_by_id("a")["n"] == 1
    finally:
        service.kvstore.delete(unique)
    with pytest.raises(KeyError):
        service.kvstore[unique]


@contextlib.contextmanager
def macro(service: client.Service, name: str, definition: str) -> Iterator[client.Stanza]:
    macros = service.confs["macros"]
    yield macros.create(name, definition=definition)
    macros.delete(name)


def test_a_conf_edit_reaches_the_next_search(service: client.Service, remote: Remote, unique: str) -> None:
    with macro(service, unique, "41"):
        stanza = service.confs["macros"][unique]
        assert stanza["definition"] == "41"
        spl = f"| makeresults | eval a=`{unique}` | table a"
        assert remote.search(spl) == [{"a": "41"}]
        stanza.submit({"definition": "42"})
        assert remote.search(spl) == [{"a": "42"}]
    with pytest.raises(SearchFailed, match=unique):
        remote.search(spl)


# -- events ------------------------------------------------------------------------------------------------------------


def test_events_can_be_searched_once_they_are_sent(sending: Remote, target: Target, unique: str) -> None:
    now = float(int(time.time()))
    raw = json.dumps({"name": "Zoë", "tags": ["a", "b"]}, ensure_ascii=False)
    sending.send(Event(now - n, now, target.index, "cba:test", unique, "h1", raw) for n in range(3))
    sending.await_events(f'index={target.index} source="{unique}"', 3)
    found = sending.search(f'search index={target.index} source="{unique}" | table _raw host sourcetype name tags{{}}')
    assert found == [{"_raw": raw, "host": "h1", "sourcetype": "cba:test", "name": "Zoë", "tags{}": ["a", "b"]}] * 3


def test_raw_lines_can_be_searched_once_they_are_sent(sending: Remote, target: Target, unique: str) -> None:
    assert target.collector is not None
    path = f"/services/collector/raw?sourcetype=cba:test&index={target.index}&source={unique}&channel={uuid.uuid4()}"
    status, _ = post(target.collector.url + path, f"Splunk {target.collector.token}", f"one {unique}\ntwo {unique}\n")
    assert status == 200
    sending.await_events(f'index={target.index} source="{unique}"', 2)


def test_the_collector_is_healthy_and_wants_its_token(sending: Remote, target: Target) -> None:
    assert target.collector is not None
    assert get(f"{target.collector.url}/services/collector/health") == 200
    url = f"{target.collector.url}/services/collector/event"
    assert post(url, "Splunk nonsense", '{"event": "x"}')[1]["code"] == 4
    assert post(url, f"Splunk {target.collector.token}", "")[1]["code"] == 5
    assert post(url, f"Splunk {target.collector.token}", '{"time": 1}')[1]["code"] == 12
    assert post(url, f"Splunk {target.collector.token}", '{"event": ""}')[1]["code"] == 13
    assert post(url, f"Splunk {target.collector.token}", "{")[1]["code"] == 6
    stranger = Remote(sending.service, Collector(target.collector.url, "nonsense"))
    with pytest.raises(RemoteError, match=r"Invalid token"):
        stranger.send([Event(0, 0, target.index, "s", "s", "h", "x")])


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=30, context=ssl._create_unverified_context()) as answer:
        return int(answer.status)


def post(url: str, authorization: str, body: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body.encode(), {"Authorization": authorization})
    try:
        with urllib.request.urlopen(request, timeout=30, context=ssl._create_unverified_context()) as answer:
            return int(answer.status), json.loads(answer.read())
    except urllib.error.HTTPError as problem:
        return problem.code, json.loads(problem.read())
