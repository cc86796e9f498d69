"""A splunkd that does not do what splunkd does: says nothing, says it slowly, or says what nobody can read."""

from __future__ import annotations

import socket
from typing import Iterator

import pytest

from cba.settings import TABS
from cba.store import connection
from cba.store import splunkd as store
from lab.errors import LabError
from tests.security.commands import COMMANDS, answers, kind_of, needed
from tests.security.limits import within
from tests.security.test_rows import sound
from tests.support.listening import Listening
from tests.support.workbench import Workbench, story

SHIPPED = (connection.TIMEOUT, store.PATIENCE)
ANSWERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "less than it says": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
    "no HTTP": b"SSH-2.0-x\r\n" * 3,
    "HTML": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "no UTF-8": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\"\xff\xfe\"",
    "a long number": b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"9" * 10_000,
    "a refusal in HTML": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<html>",
    "a refusal in deep JSON": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
}  # fmt: skip


class Odd:
    """A server that answers each request with the same bytes, and then keeps the line."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.lines: list[socket.socket] = []
        self.listening = Listening(self.tell)
        self.uri = f"http://127.0.0.1:{self.listening.port}"

    def tell(self, line: socket.socket) -> None:
        self.lines.append(line)
        try:
            line.recv(65_536)
            line.sendall(self.answer)
        except OSError:
            pass

    def close(self) -> None:
        for line in (*self.lines, self.listening):
            line.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TIMEOUT", 0.3)
    monkeypatch.setattr(store, "PATIENCE", 0.5)
    monkeypatch.setattr(store, "RETRY_PAUSES", (0.0,))


@pytest.fixture(params=ANSWERS)
def odd(request: pytest.FixtureRequest) -> Iterator[Odd]:
    server = Odd(ANSWERS[request.param])
    yield server
    server.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_waits_without_end_or_breaks(
    command: str, odd: Odd, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Workbench(tmp_path_factory.mktemp("bench")) as bench:
        rows = story()[-2:]
        for args in (needed(command), [*needed(command), "entity=ann"], [*needed(command), "finding=x"]):
            names = {name for name, _option in kind_of(command).option_definitions}
            if any(argument.partition("=")[0] not in names for argument in args):
                continue
            bench.runner.splunkd_uri = odd.uri
            with within(15):
                for given in (None, rows):
                    try:
                        bench.runner.run(command, args, given, bench.info(command))
                    except LabError as problem:
                        sound(problem.message)


def test_a_request_has_30_seconds_and_a_minute_with_all_its_repetitions() -> None:
    assert SHIPPED == (30.0, 60.0)


WRONG = ["x", "-1", "1.5", "1e9", "９", "9" * 5000, "1\n2", "[]", '"', "true", "NaN", " "]


def test_settings_of_wrong_types_hold_no_command_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As somebody writes them who edits the conf, around the page."""
    folder = tmp_path_factory.mktemp("bench")
    with Workbench(folder, local=folder / "local") as bench:
        for value in WRONG:
            for tab in TABS:
                keys = {setting.key: value for setting in tab.settings}
                bench.service().post(f"configs/conf-cloud_behavior_analytics_settings/{tab.stanza}", **keys)
            for command in COMMANDS:
                with within(30):
                    _replies, end = answers(bench, command, needed(command))
                sound(end)
                assert "invalid literal" not in end
        bench.runner.messages.clear()
        bench.run("cbahealth", "entities=false", rows=None)
        told = bench.warnings()
        assert any("what is set cannot work; what the app ships with holds instead: " in text for text in told)
        assert all(len(text) < 5000 for text in told)
