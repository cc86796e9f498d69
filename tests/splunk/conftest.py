"""The Splunk these tests talk to: the lab's REST server unless an address is given.

    ./dev test tests/splunk --splunk-host splunk.example.com --splunk-password …

With `--splunk-hec-token` events are sent too, to `--splunk-index`. docs/testing-against-splunk.md says what is written.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any, Optional

import pytest
from splunklib import client

from lab.remote import APP, Collector, Remote
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from lab.tls import self_signed


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("splunk", "a real Splunk instead of the lab")
    group.addoption("--splunk-host", help="its name or address")
    group.addoption("--splunk-port", type=int, default=8089, help="its management port (default 8089)")
    group.addoption("--splunk-scheme", default="https", help="https (default) or http")
    group.addoption("--splunk-user", default="admin", help="who logs in (default admin)")
    group.addoption("--splunk-password", default="", help="the password")
    group.addoption("--splunk-index", default="main", help="the index that events go to (default main)")
    group.addoption("--splunk-hec-port", type=int, default=8088, help="the HTTP Event Collector's port (default 8088)")
    group.addoption("--splunk-hec-scheme", default="https", help="https (default) or http")
    group.addoption("--splunk-hec-token", default="", help="a token that may write to the index")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> Optional[int]:
    """One at a time on a real Splunk, which all workers would share."""
    return 1 if config.getoption("--splunk-host", default=None) else None


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to find it, and how to get in. `collector` is None when no events can be sent."""

    scheme: str
    host: str
    port: int
    username: str
    password: str
    index: str
    collector: Optional[Collector]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def service(self, **options: Any) -> client.Service:
        """A client of splunk-sdk that has not logged in yet."""
        return client.Service(
            scheme=self.scheme, host=self.host, port=self.port, app=APP, owner="nobody",
            **{"username": self.username, "password": self.password, **options},
        )  # fmt: skip


@contextlib.contextmanager
def runnable(service: client.Service, *names: str) -> Iterator[None]:
    """Saved searches ship disabled, and a disabled one cannot be run: enables these for now, without their schedule."""
    stanzas = [service.confs["savedsearches"][name] for name in names]
    before = [{key: stanza.content.get(key, "0") for key in ("disabled", "enableSched")} for stanza in stanzas]
    try:
        for stanza in stanzas:
            stanza.submit({"disabled": "0", "enableSched": "0"})
        yield
    finally:
        for stanza, settings in zip(stanzas, before):
            stanza.submit(settings)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    asked = request.config.getoption
    host = asked("--splunk-host", default=None)
    if host:
        token = asked("--splunk-hec-token")
        hec_url = f"{asked('--splunk-hec-scheme')}://{host}:{asked('--splunk-hec-port')}"
        collector = Collector(hec_url, token) if token else None
        where = (asked("--splunk-scheme"), host, asked("--splunk-port"))
        yield Target(*where, asked("--splunk-user"), asked("--splunk-password"), asked("--splunk-index"), collector)
        return
    folder = tmp_path_factory.mktemp("lab")
    with SearchHead(APP_DIR, folder / "state") as head:
        port = head.splunkd.listen(self_signed(folder))
        collector = Collector(f"https://127.0.0.1:{port}", head.collector.token)
        yield Target("https", "127.0.0.1", port, USERNAME, PASSWORD, "main", collector)


@pytest.fixture
def service(target: Target) -> client.Service:
    return target.service().login()


@pytest.fixture
def remote(target: Target) -> Remote:
    return Remote.connect(target.url, target.username, target.password, collector=target.collector)


@pytest.fixture
def sending(remote: Remote) -> Remote:
    """A Splunk that takes events."""
    if remote.collector is None:
        pytest.skip("sending events needs --splunk-hec-token (and --splunk-index, if it is not main)")
    return remote
