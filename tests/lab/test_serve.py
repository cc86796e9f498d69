"""`./dev serve` without a browser: what its addresses answer."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from lab import eventfile
from lab.errors import LabError
from lab.events import Event, EventStore
from lab.searchhead import SearchHead
from lab.serve import Server, Site, main
from lab.spl.engine import SearchResult
from lab.state import is_state, keep

ROOT = Path(__file__).resolve().parents[2]
EVENTS = [Event(1_700_000_000.5 + n, 1_700_000_100, "main", "t", "s", "h", f"n={n} é") for n in range(3)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    viewer = tmp_path_factory.mktemp("viewer")
    (viewer / "index.html").write_text("<title>viewer</title>")
    (viewer.parent / "secret.txt").write_text("secret")
    with SearchHead(ROOT, tmp_path_factory.mktemp("state")) as head:
        head.events.add(EVENTS)
        with Server(Site(head, ROOT, viewer, "test"), 0) as found:
            threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            yield found
            found.shutdown()


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode("utf-8")
    finally:
        connection.close()


def header(server: Server, path: str, name: str) -> str:
    """A header of the answer to a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request("GET", path)
    try:
        return str(connection.getresponse().headers[name])
    finally:
        connection.close()


def test_a_search_answers_in_columns(server: Server) -> None:
    query = 'search index=main | sort 0 _time | eval m=mvappend(n, "x") | table _time n m'
    status, body = ask(server, "POST", "/api/search", {"query": query, "earliest": "-1h", "latest": "now"})
    assert status == 200
    answer = json.loads(body)
    assert [field["name"] for field in answer["fields"]] == ["_time", "n", "m"]
    assert answer["columns"][1:] == [["0", "1", "2"], [["0", "x"], ["1", "x"], ["2", "x"]]]
    assert answer["columns"][0][0] == "2023-11-14T22:13:20.500+00:00"


def test_a_chain_goes_on_with_the_results_of_its_base(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Splunk runs a chain over its base's results and does not search again: search/v2/jobs/{sid}/results, `search`."""

    def found(**asked: Any) -> dict[str, Any]:
        status, body = ask(server, "POST", "/api/search", asked)
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    base = found(query="search index=main | sort 0 _time | table _time n", earliest="-1h", latest="now")
    monkeypatch.setattr(server.site.head.engine, "events_of", None)  # whoever reads events again fails
    chain = found(query="| where n>0 | eval since=round(now()-_time), n=n*10", job=base["job"])
    assert [field["name"] for field in chain["fields"]] == ["_time", "n", "since"]
    assert chain["columns"][1] == ["10", "20"]
    longer = found(query="search n=20 | stats sum(n) AS all", job=chain["job"])
    assert longer["columns"] == [["20"]]
    assert found(query='| sort 0 -"n"', job=base["job"])["columns"][1] == ["2", "1", "0"], (
        "the base's rows are as they were"
    )
    status, body = ask(server, "POST", "/api/search", {"query": "| where true()", "job": "local.0"})
    assert status == 400
    assert "load the page again" in json.loads(body)["message"]


def test_a_wrong_search_says_what_is_wrong(server: Server) -> None:
    status, body = ask(server, "POST", "/api/search", {"query": "| nosuchcommand"})
    assert status == 400
    assert "unknown command 'nosuchcommand'" in json.loads(body)["message"]


def test_the_browser_keeps_what_never_changes(server: Server) -> None:
    """The viewer is 13 MB of programs, which a browser need not read again for every page."""
    assets = server.site.viewer / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "index-0a1b.js").write_text("1")
    for path, kept in (
        ("/assets/index-0a1b.js", "immutable"),
        ("/app/x/findings", "no-store"),
        ("/api/nav", "no-store"),
    ):
        assert kept in header(server, path, "Cache-Control"), path


def test_a_view_comes_as_its_definition(server: Server) -> None:
    status, body = ask(server, "GET", "/api/view/findings")
    assert (status, json.loads(body)["label"]) == (200, "Findings")
    assert ask(server, "GET", "/api/view/nothing")[0] == 404
    assert [view["name"] for view in json.loads(ask(server, "GET", "/api/nav")[1])["views"]][:2] == [
        "findings",
        "finding",
    ]


@pytest.mark.parametrize("port", ["80000", "-1", "http"])
def test_what_is_no_port_is_said(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--port", port])
    said = capsys.readouterr().err
    assert "is no port" in said or "expected one argument" in said
    assert "Traceback" not in said


def test_it_opens_on_welcome_until_something_is_active(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def opens() -> str:
        return header(server, "/", "Location")

    assert opens() == "/app/cloud_behavior_analytics/welcome"
    active = SearchResult(["state"], [{"state": "active"}])
    monkeypatch.setattr(server.site.head, "search", lambda *_: active)
    assert opens() == "/app/cloud_behavior_analytics/findings"


def test_saved_searches_are_listed_and_enabled(server: Server) -> None:
    """For the pages' links to Splunk's list of them, and to its search page with one of them."""
    name = "CBA - aws - Judge"
    (judge,) = json.loads(ask(server, "GET", "/api/saved?search=cba%20-%20AWS%20-%20judge")[1])
    assert (judge["name"], judge["enabled"], judge["earliest"]) == (name, False, "-7d@d")
    assert judge["query"].startswith("search `cba_base_aws` [| cbawindow source=aws")
    for enabled in (True, False):
        status, body = ask(server, "POST", "/api/saved", {"name": name, "enabled": enabled})
        assert (status, json.loads(body)[0]["enabled"]) == (200, enabled)
        assert server.site.head.app.stanzas("savedsearches")[name].boolean("disabled") is not enabled
    (by_hand, *_) = json.loads(ask(server, "GET", "/api/saved?search=aws%20-%20Backfill")[1])
    assert by_hand["enabled"] is None, "there is nothing to enable"
    status, body = ask(server, "POST", "/api/saved", {"name": "none", "enabled": True})
    assert (status, json.loads(body)["message"]) == (400, "there is no saved search 'none'")


def test_any_page_of_the_app_is_the_viewer_and_nothing_else_is_read(server: Server) -> None:
    assert ask(server, "GET", "/app/cloud_behavior_analytics/findings") == (200, "<title>viewer</title>")
    assert ask(server, "GET", "/../secret.txt") == (200, "<title>viewer</title>")


def test_pages_of_other_sites_are_refused(server: Server) -> None:
    """A name of theirs may lead here, and a form of theirs may be sent here."""
    assert ask(server, "GET", "/api/nav", Host="evil.example:80")[0] == 403
    assert ask(server, "POST", "/api/search", {"query": "| makeresults"}, Content_Type="text/plain")[0] == 404


DECIDE = "/en-US/splunkd/__raw/servicesNS/nobody/cloud_behavior_analytics/cba_decide"


def test_verdicts_are_asked_for_with_the_form_key_of_the_session_only(server: Server) -> None:
    port, key = server.server_address[1], server.site.form_key
    cookie = f"splunkweb_csrf_token_{port}={key}"
    asked = {"decide": "preview", "findings": ["nobody"], "verdict": "benign"}
    for headers in (
        {},
        {"Cookie": cookie},
        {"X_Splunk_Form_Key": key},
        {"Cookie": cookie, "X_Splunk_Form_Key": "other"},
    ):
        assert ask(server, "POST", DECIDE, asked, **headers)[0] == 401
    status, said = ask(server, "POST", DECIDE, asked, Cookie=cookie, X_Splunk_Form_Key=key)
    assert status == 200 and "no finding with this id" in json.loads(said)["findings"][0]["problem"]
    status, said = ask(server, "POST", DECIDE, {"decide": "no"}, Cookie=cookie, X_Splunk_Form_Key=key)
    assert status == 400 and "decide=no is not" in json.loads(said)["messages"][0]["text"]
    other = DECIDE.replace("cba_decide", "storage/collections/data/cba_verdicts")
    assert ask(server, "POST", other, {}, Cookie=cookie, X_Splunk_Form_Key=key)[0] == 404, "web.conf does not expose it"


def test_the_form_is_served_with_a_language_and_without(server: Server) -> None:
    for before in ("", "/en-US"):
        status, text = ask(server, "GET", f"{before}/static/app/cloud_behavior_analytics/verdict.html")
        assert status == 200 and "Give a verdict" in text


def test_times_are_those_of_the_zone_that_asks(server: Server) -> None:
    query = (
        'search index=main | head 1 | eval t=strftime(_time, "%F %T %Z"), back=strptime(strftime(_time, "%F %T"), "%F %T"), '
        'd=strftime(relative_time(_time, "@d"), "%T"), at=floor(_time) | bin _time span=1d | table t back at d _time'
    )
    for zone, said in (("America/New_York", "2023-11-14 17:13:22 EST"), ("", "2023-11-14 22:13:22 UTC")):
        answer = json.loads(ask(server, "POST", "/api/search", {"query": query, "zone": zone})[1])
        (time,), (back,), (at,), (midnight,), (day,) = answer["columns"]
        assert (time, midnight, int(float(back))) == (said, "00:00:00", int(at))
        assert day == ("2023-11-14T00:00:00.000-05:00" if zone else "2023-11-14T00:00:00.000+00:00")


def test_events_are_kept_beside_a_state(tmp_path: Path) -> None:
    store = EventStore()
    store.add(EVENTS)
    eventfile.write(store, tmp_path)
    store.close()
    assert list(eventfile.read(tmp_path)) == EVENTS
    (tmp_path / eventfile.NAME).write_bytes(b"damaged")
    with pytest.raises(LabError, match="run the demo or the replay again"):
        list(eventfile.read(tmp_path))


def test_a_state_replaces_a_state_and_nothing_else(tmp_path: Path) -> None:
    def state(name: str) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "kvstore.sqlite").write_text(name)
        return tmp_path / name

    place = tmp_path / "place"
    keep(state("one"), place)
    keep(state("two"), place)
    assert is_state(place)
    assert (place / "kvstore.sqlite").read_text() == "two"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    with pytest.raises(LabError, match="not the state of a demo or replay"):
        keep(state("three"), precious)
    assert (precious / "thesis.txt").exists()
