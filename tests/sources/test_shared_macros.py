"""What all sources share: one scan of all of them, and the macro cba_address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Callable, Optional

import pytest

from lab.conf import load_app
from lab.events import Event, EventStore
from lab.kvstore import KVStore
from lab.spl.engine import Engine, TimeWindow
from tests.sources.conftest import APP

Row = dict[str, Any]
Search = Callable[..., list[Row]]
DAY = 86400.0


ONE_EVENT_EACH: dict[str, Row] = {
    "aws:cloudtrail": {"userIdentity": {"type": "Root", "accountId": "1"}, "sourceIPAddress": "198.51.100.1"},
    "azure:monitor:activity": {"caller": "ann@example.com", "callerIpAddress": "198.51.100.2"},
    "google:gcp:pubsub:message": {"protoPayload": {"authenticationInfo": {"principalEmail": "ann@example.com"}}},
    "kube:apiserver:audit": {"user": {"username": "ann@example.com"}, "sourceIPs": ["198.51.100.4"]},
    "o365:management:activity": {"UserId": "ann@example.com", "ClientIP": "198.51.100.5"},
    "gws:reports:login": {"actor": {"email": "ann@example.com"}, "ipAddress": "198.51.100.6"},
}


@pytest.fixture(scope="module")
def search() -> Iterator[Search]:
    app = load_app(APP)
    store = EventStore()
    for kind, event in ONE_EVENT_EACH.items():
        store.add([Event(99.5 * DAY, 99.5 * DAY, "main", kind, "test", "test", json.dumps(event))])
    engine = Engine(app, store, KVStore(app, ":memory:"), None)

    def run(
        spl: str, earliest: Optional[float] = None, latest: Optional[float] = None, now: float = 1000 * DAY
    ) -> list[Row]:
        return engine.search(spl, TimeWindow(earliest, latest, now)).rows

    yield run
    store.close()


def test_all_sources_in_one_scan(search: Search) -> None:
    """multisearch takes streaming commands only.

    https://help.splunk.com/splunk-cloud-platform/spl-search-reference/10.0.2503/search-commands/multisearch
    """
    sources = ("aws", "azure", "gcp", "kubernetes", "m365", "gws")
    scan = "| multisearch " + " ".join(f"[search `cba_events_{source}`]" for source in sources)
    reduce = (
        '| fillnull value="-" project identity src_ip skip_reason '
        "| stats dc(event_id) AS events BY day bucket source_kind project identity src_ip skip_reason"
    )
    rows = search(scan + reduce, 99 * DAY, 100 * DAY)
    assert {
        (row["source_kind"], row["identity"], row["src_ip"], row["skip_reason"], row["events"]) for row in rows
    } == {
        ("aws", "arn:aws:iam::1:root", "198.51.100.1", "-", 1),
        ("azure", "ann@example.com", "198.51.100.2", "-", 1),
        ("gcp", "ann@example.com", "-", "no address", 1),
        ("kubernetes", "ann@example.com", "198.51.100.4", "-", 1),
        ("m365", "ann@example.com", "198.51.100.5", "-", 1),
        ("gws", "ann@example.com", "198.51.100.6", "-", 1),
    }
    assert {(row["day"], row["bucket"]) for row in rows} == {(99, int(99.5 * DAY))}


@pytest.mark.parametrize(
    ("logged", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:443", "198.51.100.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::FFFF:198.51.100.7]:443", "198.51.100.7"),
        ("::ffff:c633:6407", "::ffff:c633:6407"),
        ("::1", "::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("999.1.2.3", "999.1.2.3"),
        ("10.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("unknown, 10.0.0.1", "10.0.0.1"),
        ("198.51.100.7:80,10.0.0.1:80", "198.51.100.7"),
        ("[fd00::1]:1,[2001:db8::7]:2", "2001:db8::7"),
        ("172.15.0.1,172.16.0.1", "172.15.0.1"),
        ("172.31.0.1,172.32.0.1", "172.32.0.1"),
        ("100.127.0.1,100.128.0.1", "100.128.0.1"),
        ("169.254.169.254, 127.0.0.1", "169.254.169.254"),
        ("private", None),
        ("ec2.amazonaws.com", None),
        ("", None),
        ("<null>", None),
        ("[198.51.100.7]", "198.51.100.7"),
        ("[198.51.100.7]:443", "198.51.100.7"),
        ("198.51.100.7%16", "198.51.100.7"),
        ("198.51.100.7%16:443", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[2001:db8::7%25en0]:443", "2001:db8::7"),
        ("10.0.0.1,[2001:db8::7%1]:443, [198.51.100.7]:1", "2001:db8::7"),
        (" 198.51.100.7 ", "198.51.100.7"),
    ],
)
def test_address(logged: str, address: Optional[str], search: Search) -> None:
    (row,) = search(f'| makeresults | eval src_ip="{logged}", `cba_address(src_ip, 0)`')
    assert row.get("src_ip") == address


@pytest.mark.parametrize(
    ("logged", "address"),
    [
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.2"),
        ("198.51.100.7, unknown", "198.51.100.7"),
    ],
)
def test_the_last_address_of_a_list_that_callers_can_prepend_to(logged: str, address: str, search: Search) -> None:
    (row,) = search(f'| makeresults | eval src_ip="{logged}", `cba_address(src_ip, -1)`')
    assert row.get("src_ip") == address
