"""The lab's two servers against whoever can reach loopback, a page in a browser of this machine among them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import serve, splunkd
from lab.conf import load_app
from lab.kvstore import KVStore
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.serve import Server, Site
from lab.splunkd import PASSWORD, USERNAME, Splunkd
from tests.security import examples

LOGIN = f"username={USERNAME}&password={PASSWORD}"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    app = load_app(APP_DIR)
    kv = KVStore(app, ":memory:")
    viewer = tmp_path_factory.mktemp("viewer")
    (viewer / "index.html").write_text("<title>viewer</title>")
    with (
        contextlib.closing(kv),
        Splunkd(app, kv) as rest,
        SearchHead(APP_DIR, tmp_path_factory.mktemp("state")) as head,
        Server(Site(head, APP_DIR, viewer, "test"), 0) as pages,
    ):
        threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield {"splunkd": rest.port, "serve": int(pages.server_address[1])}
        pages.shutdown()


def ask(port: int, request: bytes) -> bytes:
    """The whole answer to the bytes of a request, until the server closes or has nothing to say for a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
    return answer


def login(host: str) -> bytes:
    head = f"POST /services/auth/login HTTP/1.1\r\nContent-Length: {len(LOGIN)}\r\n"
    return (head + (f"Host: {host}\r\n" if host != "none" else "") + "\r\n" + LOGIN).encode()


FOREIGN = ["evil.example", "evil.example:8089", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1@evil.example", "none", "",
           "127.0.0.1:x", "127.0.0.1:80\r\nHost: evil.example", "0.0.0.0", "evil.example:127.0.0.1", "127.0.0.2", "127.0.0.1:\u0661"]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN)
def test_the_password_that_everybody_knows_is_for_this_machine_only(ports: dict[str, int], host: str) -> None:
    answer = ask(ports["splunkd"], login(host))
    assert b"sessionKey" not in answer
    assert answer.split(b"\r\n")[0].split()[1] in (b"403", b"400")
    pages = f"GET /api/nav HTTP/1.1\r\nHost: {host}\r\n\r\n" if host != "none" else "GET /api/nav HTTP/1.1\r\n\r\n"
    assert b" 403 " in ask(ports["serve"], pages.encode()).split(b"\r\n")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.0.0.1:1", "localhost:8089", "[::1]:1"])
def test_this_machine_may_ask(ports: dict[str, int], host: str) -> None:
    assert b"sessionKey" in ask(ports["splunkd"], login(host))


def test_no_request_for_another_machine_is_carried_out(ports: dict[str, int]) -> None:
    for path in (
        "services/server/info",
        "services/collector/event",
        "servicesNS/nobody/x/storage/collections/data/cba_findings",
    ):
        for method in ("GET", "POST", "DELETE", "PUT"):
            request = f"{method} /{path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n"
            assert ask(ports["splunkd"], request.encode()).startswith(b"HTTP/1.1 403 ")


LENGTHS = {"-1": 400, "-9999999999": 400, "x": 400, "1e3": 400, "+5": 400, "\u0665": 400, "0x5": 400, "5 5": 400, "5\r\nContent-Length: 6": 400,
           "99999999999": 413, "9" * 5000: 413, "70000000": 413, "10": 400}  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("server", ["splunkd", "serve"])
def test_a_body_has_a_length_that_can_be(ports: dict[str, int], server: str, length: str) -> None:
    path = {"splunkd": "services/auth/login", "serve": "api/search"}[server]
    request = f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\nabcde"
    first = ask(ports[server], request.encode("utf-8")).split(b"\r\n")[0]
    assert first.startswith(b"HTTP/1.1 " + str(LENGTHS[length]).encode())


@pytest.mark.parametrize("server", ["splunkd", "serve"])
def test_a_body_in_pieces_is_not_taken(ports: dict[str, int], server: str) -> None:
    request = b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"
    assert ask(ports[server], request).startswith(b"HTTP/1.1 501 ")


def test_the_limits_leave_room_for_what_is_asked() -> None:
    assert splunkd.BODY_BYTES > 50 << 20, "a batch of the KV store"
    assert serve.BODY_BYTES >= 1 << 20


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/\0", "/" + "x" * 5000, "/api/view/../../default/app.conf",
                                  "/api/view/%00", "/..%2f..%2fetc/passwd", "http://evil/etc/passwd"])  # fmt: skip
def test_no_path_leads_out_of_the_pages(ports: dict[str, int], path: str) -> None:
    answer = ask(ports["serve"], f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 ") and b"root:" not in answer and b"[launcher]" not in answer


@given(st.binary(max_size=60), st.sampled_from([b"GET", b"POST", b"DELETE", b"X"]), st.binary(max_size=30))
@examples(40)
def test_any_bytes_are_answered_and_the_server_goes_on(
    ports: dict[str, int], path: bytes, method: bytes, head: bytes
) -> None:
    for port in ports.values():
        ask(port, method + b" /" + path + b" HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
    assert b"sessionKey" in ask(ports["splunkd"], login("localhost"))
    assert b" 200 " in ask(ports["serve"], b"GET /api/nav HTTP/1.1\r\nHost: localhost\r\n\r\n").split(b"\r\n")[0]
