"""Connections to splunkd: kept open where it keeps them, opened anew where it does not."""

from __future__ import annotations

import gc
import socket
import threading
from typing import Iterator

import pytest
from splunklib.client import Service

from cba.store.connection import connected
from cba.store.splunkd import ask
from tests.support.listening import Listening

BODY = b'{"entry": []}'


class Server:
    """Answers each request with BODY; `answers` a connection, then it closes it, with or without saying so before."""

    def __init__(self, answers: int, says_so: bool) -> None:
        self.answers = answers
        self.says_so = says_so
        self.closed = threading.Semaphore(0)
        self.listening = Listening(self._answer)

    @property
    def opened(self) -> int:
        return self.listening.opened

    def service(self) -> Service:
        return connected(Service(scheme="http", host="127.0.0.1", port=self.listening.port, token="t"))

    def _answer(self, line: socket.socket) -> None:
        with line:
            for left in range(self.answers - 1, -1, -1):
                if not line.recv(65_536):
                    break
                said = b"Connection: close\r\n" if self.says_so and not left else b""
                line.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (said, len(BODY), BODY))
        self.closed.release()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.listening.close()


def get(service: Service) -> object:
    return ask("splunkd", lambda: service.get("/services/x", output_mode="json"), pause=lambda _seconds: None)


def test_requests_share_a_connection_that_splunkd_keeps_open(servers: list[Server]) -> None:
    servers.append(server := Server(answers=100, says_so=True))
    service = server.service()
    assert [get(service) for _request in range(5)] == [{"entry": []}] * 5
    assert server.opened == 1


@pytest.mark.parametrize("says_so", [True, False])
def test_a_connection_that_splunkd_closes_is_opened_anew(servers: list[Server], says_so: bool) -> None:
    servers.append(server := Server(answers=2, says_so=says_so))
    service = server.service()
    for _pair in range(3):
        assert [get(service), get(service)] == [{"entry": []}] * 2
        assert server.closed.acquire(timeout=10), "closed before the next request, as an idle connection is"
    assert server.opened == 3


def test_a_connection_is_closed_with_its_service(servers: list[Server]) -> None:
    servers.append(server := Server(answers=100, says_so=True))
    service = server.service()
    get(service)
    del service
    gc.collect()
    assert server.closed.acquire(timeout=10)
