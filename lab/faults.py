"""What goes wrong in a real Splunk, on the simulated clock: a search head that is away, a KV store that refuses, a run
that is killed. For tests, and for whoever wants to see what an outage does.

    faults.search_head_away(head, since, until)
    faults.kvstore_away(head, since, until)
    faults.kill_at_write(head, 7)
    head.scheduler.replay(start, end, on_failure="record")
    head.scheduler.failures()

What a command waits between two attempts it waits for in real time; tests of outages shorten that where it is set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.splunkd import KILL, KILL_AFTER, Fault

if TYPE_CHECKING:
    from lab.searchhead import SearchHead

WRITE = re.compile(r"(POST|DELETE) \S*/storage/collections/data/(?!\S*/batch_find$)")
"""The requests that change the KV store."""


def search_head_away(head: SearchHead, since: float, until: float) -> None:
    """No search runs from `since` to `until`. What is missed is lost to searches with realtime_schedule = 1 (the
    default), and made up for after `until` to others."""
    head.scheduler.absences.append((since, until))


def kvstore_away(head: SearchHead, since: float, until: float) -> None:
    """The KV store answers with 503, and lookups in it fail, in runs that happen from `since` to `until`."""
    before = head.kv.is_away
    head.kv.is_away = lambda: before() or since <= head.scheduler.clock < until


def kill_at_write(head: SearchHead, nth: int, carried_out: bool = False) -> Fault:
    """The run that sends the n-th write from now on is killed: before the write arrives, or once it is carried out and
    before the answer. `fault.seen` counts the writes."""
    return head.splunkd.fail(WRITE.pattern, KILL_AFTER if carried_out else KILL, nth)


def count_writes(head: SearchHead) -> Fault:
    """Harms nobody; its `seen` counts the writes from now on."""
    return head.splunkd.fail(WRITE.pattern, KILL, 1, 0)
