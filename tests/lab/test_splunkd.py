"""The REST endpoints, driven by the real client of splunk-sdk.

Oracle: https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTkvstore and …/RESTREF/RESTconf; limits:
https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError

from lab.conf import load_app
from lab.kvstore import KVStore
from lab.splunkd import DROP, DROP_AFTER, PASSWORD, USERNAME, Splunkd

APP = "rest_test_app"


@pytest.fixture
def splunkd(tmp_path: Path) -> Iterator[Splunkd]:
    default = tmp_path / APP / "default"
    default.mkdir(parents=True)
    (default / "app.conf").write_text(
        f"[package]\nid = {APP}\n[launcher]\nversion = 1.2.3\n[ui]\nlabel = Rest & Test\n"
    )
    (default / "collections.conf").write_text('[items]\nfield.n = number\naccelerated_fields.n = {"n": 1}\n')
    (default / "cba.conf").write_text("[general]\nretention = 90\n[deduplication]\nperiod = <1d & more>\n")
    app = load_app(tmp_path / APP, tmp_path / "local")
    kv = KVStore(app)
    with Splunkd(app, kv, tmp_path / "local") as server:
        yield server
    kv.close()


def connect(splunkd: Splunkd, **options: Any) -> client.Service:
    return client.Service(
        scheme="http", host="127.0.0.1", port=splunkd.port, app=APP, owner="nobody",
        **{"token": splunkd.session_key, **options},
    )  # fmt: skip


@pytest.fixture
def service(splunkd: Splunkd) -> client.Service:
    return connect(splunkd)


@pytest.fixture
def items(service: client.Service) -> client.KVStoreCollectionData:
    return service.kvstore["items"].data


def test_login_info_and_a_wrong_session(splunkd: Splunkd) -> None:
    service = connect(splunkd, token=None, username=USERNAME, password=PASSWORD)
    service.login()
    assert service.info["version"] == "9.4.3"
    assert service.apps[APP].content["label"] == "Rest & Test"
    assert service.apps[APP].content["version"] == "1.2.3"
    with pytest.raises(AuthenticationError):
        connect(splunkd, token=None, username=USERNAME, password="wrong").login()
    stranger = connect(splunkd, token="stolen")
    with pytest.raises(HTTPError) as caught:
        stranger.get("storage/collections/data/items/")
    assert caught.value.status == 401
    with pytest.raises(HTTPError, match=r"not logged in"):
        stranger.get("server/info")


def test_documents_come_and_go(items: client.KVStoreCollectionData) -> None:
    key = items.insert({"n": 1, "who": "Zoë"})["_key"]
    assert items.query_by_id(key) == {"_key": key, "_user": "nobody", "n": 1, "who": "Zoë"}
    assert items.update(key, {"n": 2}) == {"_key": key}
    assert items.batch_save({"_key": "a/b c", "n": 3}, {"_key": key, "n": 4}) == ["a/b c", key]
    assert items.query_by_id("a/b c")["n"] == 3
    assert [d["n"] for d in items.query(query={"n": {"$gte": 3}}, sort="n:-1", fields="n", limit=5, skip=0)] == [4, 3]
    assert items.batch_find({"query": {"_key": key}}, {"query": {"n": 99}}) == [
        [{"_key": key, "_user": "nobody", "n": 4}],
        [],
    ]
    with pytest.raises(HTTPError) as taken:
        items.insert({"_key": key})
    assert taken.value.status == 409
    items.delete_by_id(key)
    with pytest.raises(HTTPError) as gone:
        items.delete_by_id(key)
    assert gone.value.status == 404
    items.delete(query=json.dumps({"n": 3}))
    assert items.query() == []


def test_limits_are_those_of_the_real_one(splunkd: Splunkd, items: client.KVStoreCollectionData) -> None:
    with pytest.raises(HTTPError) as caught:
        items.batch_save(*({"n": n} for n in range(1001)))
    assert caught.value.status == 400
    assert b"max_documents_per_batch_save=1000" in caught.value.body
    assert items.query() == []
    splunkd.kv.collection("items").save_all({"n": n} for n in range(50_001))
    assert len(items.query(fields="n")) == 50_000
    assert len(items.query(fields="n", limit=60_000)) == 50_000
    assert [d["n"] for d in items.query(fields="n", skip=50_000)] == [50_000]
    with pytest.raises(HTTPError, match=r"max_queries_per_batch=1000"):
        items.batch_find(*({"query": {}} for _ in range(1001)))


@pytest.mark.parametrize("query", ['{"n": {"$in": [1]}}', '{"n": {"$regex": "a"}}', "{n: 1}", "[1]"])
def test_bad_queries_are_400(items: client.KVStoreCollectionData, query: str) -> None:
    with pytest.raises(HTTPError) as caught:
        items.query(query=query)
    assert caught.value.status == 400


def test_unknown_places_are_404_and_wrong_methods_405(service: client.Service) -> None:
    for path in ("storage/collections/data/none/", "data/indexes", "configs/conf-cba/none", "apps/local/other"):
        with pytest.raises(HTTPError) as caught:
            service.get(path)
        assert caught.value.status == 404, path
    with pytest.raises(HTTPError) as wrong:
        service.get("storage/collections/data/items/batch_save")
    assert wrong.value.status == 405
    with pytest.raises(KeyError):
        service.kvstore["none"]


def test_confs_are_read_and_edited_in_local(splunkd: Splunkd, service: client.Service, tmp_path: Path) -> None:
    reloaded = []
    splunkd.endpoints.on_conf_change = reloaded.append
    conf = service.confs["cba"]
    assert conf["general"].content["retention"] == "90"
    assert conf["deduplication"].content["period"] == "<1d & more>"
    assert sorted(stanza.name for stanza in conf.list()) == ["deduplication", "general"]
    conf["general"].submit({"retention": "60", "note": "two\nlines"})
    assert conf["general"].content["retention"] == "60"
    conf.create("egress", label="vpn")
    assert service.confs["cba"]["egress"].content["label"] == "vpn"
    text = (tmp_path / "local" / "cba.conf").read_text()
    assert text == "[general]\nretention = 60\nnote = two\\\nlines\n\n[egress]\nlabel = vpn\n"
    assert (tmp_path / APP / "default" / "cba.conf").read_text().startswith("[general]\nretention = 90")
    assert [app.stanzas("cba")["general"].get("retention") for app in reloaded] == ["60", "60"]
    assert reloaded[-1].stanzas("cba")["general"].get("note") == "two\nlines"
    with pytest.raises(HTTPError) as twice:
        conf.create("egress")
    assert twice.value.status == 409
    with pytest.raises(KeyError):
        service.confs["nothing"]


def test_a_list_is_filtered_and_cut_down(service: client.Service) -> None:
    """The pagination and filtering parameters of
    https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTprolog: count, search, f."""
    service.confs["cba"].create("egress", label="vpn")

    def listed(**asked: Any) -> dict[str, Any]:
        answer = service.get("configs/conf-cba", output_mode="json", **asked).body.read()
        return {entry["name"]: entry["content"] for entry in json.loads(answer)["entry"]}

    assert sorted(listed(count=0)) == ["deduplication", "egress", "general"]
    assert list(listed(count=2)) == ["general", "deduplication"]
    assert list(listed(search="vpn")) == ["egress"]
    assert list(listed(search="label=vp")) == [], "a value is compared whole"
    assert sorted(listed(search=f"eai:acl.app={APP}")) == ["deduplication", "egress", "general"]
    assert listed(search="eai:acl.app=search") == {}
    assert listed(search="label=vpn", f=["label", "disabled"]) == {"egress": {"label": "vpn", "disabled": "0"}}


def test_json_output(service: client.Service) -> None:
    answer = json.loads(service.get("configs/conf-cba/general", output_mode="json").body.read())
    assert answer["entry"][0]["name"] == "general"
    assert answer["entry"][0]["content"]["retention"] == "90"


def test_faults_hit_the_request_they_name(splunkd: Splunkd, items: client.KVStoreCollectionData) -> None:
    splunkd.fail("POST .*/batch_save", 503, nth=2)
    splunkd.fail("batch_find", 400, times=2)
    items.batch_save({"_key": "a"})
    with pytest.raises(HTTPError) as caught:
        items.batch_save({"_key": "b"})
    assert caught.value.status == 503
    items.batch_save({"_key": "c"})
    for _ in range(2):
        with pytest.raises(HTTPError):
            items.batch_find({"query": {}})
    assert [d["_key"] for d in items.batch_find({"query": {}})[0]] == ["a", "c"]


def test_a_connection_is_cut_before_or_after_the_work(splunkd: Splunkd, items: client.KVStoreCollectionData) -> None:
    splunkd.fail("batch_save", DROP)
    splunkd.fail("batch_save", DROP_AFTER, nth=2)
    for key in "ab":
        with pytest.raises((http.client.HTTPException, OSError)):
            items.batch_save({"_key": key})
    items.batch_save({"_key": "c"})
    assert [d["_key"] for d in items.query()] == ["b", "c"], "the second was carried out, its answer lost"


def test_a_connection_is_kept_alive(splunkd: Splunkd) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", splunkd.port)
    headers = {"Authorization": f"Splunk {splunkd.session_key}"}
    sockets = set()
    for _ in range(3):
        connection.request("GET", f"/servicesNS/nobody/{APP}/storage/collections/data/items", headers=headers)
        assert connection.getresponse().read() == b"[]"
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


def all_of(connection: socket.socket) -> str:
    """What comes until the other side hangs up."""
    return b"".join(iter(lambda: connection.recv(65536), b"")).decode("utf-8")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: 127.0.0.1:8089\r\nContent-Length: -1", 400),
        ("Host: 127.0.0.1\r\nContent-Length: ten", 400),
        ("Host: 127.0.0.1\r\nContent-Length: \u0664", 400),
        ("Host: 127.0.0.1\r\nContent-Length: 99999999999999", 413),
        ("Host: 127.0.0.1\r\nTransfer-Encoding: chunked", 501),
        ("Host: evil.example\r\nContent-Length: 0", 403),
        ("Host: 127.0.0.1.evil.example\r\nContent-Length: 0", 403),
        ("Host: 127.0.0.1@evil.example\r\nContent-Length: 0", 403),
        ("Content-Length: 0", 403),
        ("Host: localhost:1\r\nContent-Length: 0", 401),
        ("Host: [::1]:1\r\nContent-Length: 0", 401),
    ],
)
def test_requests_that_nobody_honest_sends(splunkd: Splunkd, headers: str, status: int) -> None:
    """No password, no hang, and nothing that follows is taken for a request."""
    with socket.create_connection(("127.0.0.1", splunkd.port), timeout=60) as connection:
        request = f"POST /services/auth/login HTTP/1.1\r\n{headers}\r\n\r\n"
        connection.sendall(request.encode("utf-8"))
        answer = connection.recv(65536).decode("utf-8") if status == 401 else all_of(connection)
        assert answer.startswith(f"HTTP/1.1 {status} ")
        if status != 401:
            assert "Connection: Close" in answer
            assert answer.count("HTTP/1.1 ") == 1, "and it hangs up"
